/* stream.h - a stream of bytes: an inbox libuv fills, an outbox libuv drains.
 *
 * Sockets, the pipes of children and the standard input are such streams: they
 * are read, written and closed by the same functions, each as a class of its
 * own, with a struct that begins with a struct stream.
 *
 * Reading goes on into the inbox until it holds INBOX_HIGH bytes, then stops:
 * so a slow reader pushes back on its peer. The first write of a turn is tried
 * at once, the others are gathered in the outbox and go out together at its
 * end; what the system does not take is libuv's, and a write waits while that
 * is much. An idle stream owns no buffer. */
#ifndef HOST_STREAM_STREAM_H
#define HOST_STREAM_STREAM_H

#include <uv.h>

#include "host/flush.h"
#include "host/handle.h"
#include "host/stream/inbox.h"
#include "host/wheel.h"

struct stream;
struct task;

enum {
  INBOX_HIGH = 65536,
  OUTBOX_HIGH = 65536,   /* a write waits above it, until half is left */
  OUTBOX_MOST = 16 << 20 /* whoever does not wait is stopped here */
};

/* What tells the classes of streams apart. */
struct stream_kind {
  struct work_kind work; /* its drain may be stream_drain */
  const char *class_name;
  size_t size; /* of the struct that begins with the struct stream */
  int values;  /* user values of its boxes */
  /* Pushes what messages name it by, after "read " or "write ", or nil. */
  void (*push_name)(lua_State *L, const struct stream *stream);
  /* Where its bytes come from; NULL: libuv reads them. They are handed to
   * stream_receive. `start` returns 0 or one of libuv's errors. */
  int (*start)(struct stream *stream);
  void (*stop)(struct stream *stream);
  bool on_demand; /* its input is only started while somebody waits for it */
  bool is_socket; /* unread input would make the system drop our last output */
};

/* Who takes the input where no task reads: a table of events. */
struct stream_consumer {
  /* Something has happened. True: a task is ready to take some of it. */
  bool (*pump)(struct stream *stream);
  bool (*is_busy)(const struct stream *stream);
};

/* The tasks that read: there from the first read on, so not where a consumer
 * takes the input, as for most connections of a server. */
struct stream_reader {
  struct task
    *task; /* first member, see read.c: the read that waits, or NULL */
  struct stream *stream;
  struct want want;  /* what it waits for */
  struct task *heir; /* of a version that follows: it is next, or NULL */
};

struct stream {
  struct handle handle; /* first member */
  const struct stream_kind *kind;
  union {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
    uv_poll_t poll; /* of a kind that does not let libuv read */
  } uv;

  struct inbox inbox;
  struct stream_reader *reader;           /* or NULL */
  const struct stream_consumer *consumer; /* or NULL */

  struct flush flush; /* the outbox goes out at the end of this turn */
  char *outbox;       /* a buffer of the host, or NULL */
  size_t outbox_size;
  uint64_t given;        /* bytes that were ever put there */
  struct task *writers;  /* writes that wait for the system */
  struct task *shutter;  /* the shutdown that waits */
  struct timeout linger; /* ended, but not closed: see stream_part */
  int ending;            /* 0, UV_EOF or the error that ended the input */
  int broken;            /* the error that ended the output, or 0 */
  bool reading;          /* its input has been started */
  bool served;     /* we accepted it: once idle it ends with the program */
  bool shut;       /* shutdown has been asked for: no more writes */
  bool awaits_end; /* of the peer, before it closes: what went out last is to
                      arrive, whatever comes meanwhile */
  bool unread;     /* ended before the peer has: it sends in vain */
  bool parting;    /* all has gone out, now the peer is to end */
};

/* A class of streams: the methods may be those below. */
void stream_class(lua_State *L, const struct stream_kind *kind,
                  const luaL_Reg *methods, const struct class_field *fields);

/* NULL without memory. `type` is UV_TCP or UV_NAMED_PIPE. The rest of the
 * struct is zero. It is to be opened (uv_tcp_open, uv_spawn ...), then started. */
struct stream *stream_new(struct host *host, struct owner *owner,
                          uv_handle_type type, const struct stream_kind *kind);
/* The same, where the caller has initialized stream->uv: see stream_alloc. */
struct stream *stream_alloc(struct host *host, const struct stream_kind *kind);
void stream_open(struct stream *stream, struct owner *owner);
void stream_free(struct handle *h); /* its on_free; a kind's own one calls it */
int stream_start(struct stream *stream); /* it is connected: read on */
void stream_push(lua_State *L, struct stream *stream); /* a new box */
/* Of any class of streams, as argument 1. The first raises for what the script
 * has closed. */
struct stream *stream_check(lua_State *L);
struct stream *stream_check_any(lua_State *L);
/* nil, "read 127.0.0.1:5000: connection reset by peer", "ECONNRESET" */
int stream_error(lua_State *L, const struct stream *stream, int status,
                 const char *what);
void stream_drain(struct work *work);     /* for a struct stream_kind */
void stream_part(struct stream *stream);  /* it has ended: one step to close */
void stream_reset(struct stream *stream); /* drops all: no end, but a reset */
int stream_field_pending(lua_State *L);   /* for a list of fields */

/* read.c */
/* Bytes have come, or (below 0) the error that ends the input, or UV_EOF. Runs
 * the tasks that are ready. The bytes need only last for this call. */
void stream_receive(struct stream *stream, char *bytes, ssize_t size);
void stream_resume_reading(struct stream *stream); /* if there is room */
void stream_stop_reading(struct stream *stream);
int stream_ended(const struct stream *stream); /* why no more will come, or 0 */
struct task *stream_reading(const struct stream *stream); /* or NULL */
void stream_wake_readers(struct stream *stream, int status);
int stream_read(lua_State *L);
int stream_chunks(lua_State *L);
int stream_lines(lua_State *L);

/* write.c */
size_t stream_pending(const struct stream *stream); /* bytes not yet taken */
/* That the system has taken, and the peer has not; SIZE_MAX where it does not
 * tell. */
size_t stream_in_flight(const struct stream *stream);
void stream_flush(struct stream *stream);
/* For a consumer: goes out at the end of this turn, or now where it is much. 0,
 * or one of libuv's errors. */
int stream_gather(struct stream *stream, const char *data, size_t size);
void stream_drop_outbox(struct stream *stream);
int stream_write(lua_State *L);
int stream_shutdown(lua_State *L);
/* Argument 2, data to be written, becomes one string. */
void stream_check_data(lua_State *L);

#endif
