/* stream.h - a connection: an inbox libuv fills, an outbox libuv drains.
 *
 * Reading goes on into the inbox until it holds INBOX_HIGH bytes, then stops:
 * so a slow handler pushes back on its peer. The first write of a turn is tried
 * at once, the others are gathered in the outbox and go out together at its
 * end; what the socket does not take is libuv's, and a write waits while that
 * is much. An idle stream owns no buffer. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <uv.h>

#include "host/flush.h"
#include "host/handle.h"
#include "host/wheel.h"
#include "modules/net/inbox.h"

struct server;
struct service;
struct task;

enum {
  INBOX_HIGH = 65536,
  OUTBOX_HIGH = 65536,   /* a write waits above it, until half is left */
  OUTBOX_MOST = 16 << 20 /* whoever does not wait is stopped here */
};

struct stream {
  struct handle handle;
  union {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv;

  struct inbox inbox;
  struct task *reader; /* the read that waits, or NULL */
  struct want want;    /* and what for */
  int ending;          /* 0, UV_EOF or the error that ended the input */
  bool reading;        /* uv_read_start is in force */

  struct flush flush; /* the outbox goes out at the end of this turn */
  char *outbox;       /* a buffer of the host, or NULL */
  size_t outbox_size;
  struct task *writers;  /* writes that wait for the socket */
  struct task *shutter;  /* the shutdown that waits */
  struct timeout linger; /* ended, but not closed: see stream_part */
  int broken;            /* the error that ended the output, or 0 */
  bool shut;             /* shutdown has been asked for: no more writes */
  bool unread;           /* ended before the peer has: it sends in vain */
  bool parting;          /* all has gone out, now the peer is to end */

  union { /* of TCP: for messages, also when it has left */
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } peer;
  struct server *server;   /* whose function serves it, or NULL */
  struct service *service; /* whose table of events serves it, or NULL */
  struct events *events;   /* and how far that has come */
  struct stream *next_served, **served; /* in service->streams */
};

/* NULL without memory. `type` is UV_TCP or UV_NAMED_PIPE. */
struct stream *stream_new(struct host *host, struct owner *owner,
                          uv_handle_type type);
void stream_open_class(lua_State *L);
void stream_push(lua_State *L, struct stream *stream); /* a new box */
int stream_start(struct stream *stream); /* it is connected: read on */
bool stream_is_served(const struct stream *stream); /* we accepted it */
void stream_part(struct stream *stream);   /* it has ended: one step to close */
struct stream *stream_check(lua_State *L); /* argument 1, not closed */
struct stream *stream_check_any(lua_State *L); /* argument 1 */

/* names.c */
void stream_learn_peer(struct stream *stream); /* it is connected */
void stream_push_peer(lua_State *L, const struct stream *stream);
void stream_push_address(lua_State *L, const struct stream *stream);
/* nil, "read 127.0.0.1:5000: connection reset by peer", "ECONNRESET" */
int stream_error(lua_State *L, const struct stream *stream, int status,
                 const char *what);

/* credentials.c */
void stream_push_credentials(lua_State *L, const struct stream *stream);

/* read.c */
void stream_resume_reading(struct stream *stream); /* if there is room */
void stream_stop_reading(struct stream *stream);
int stream_ended(const struct stream *stream); /* why no more will come, or 0 */
int stream_read(lua_State *L);
int stream_chunks(lua_State *L);
int stream_lines(lua_State *L);

/* write.c */
size_t stream_pending(const struct stream *stream); /* bytes not yet taken */
void stream_flush(struct stream *stream);
void stream_drop_outbox(struct stream *stream);
int stream_write(lua_State *L);
int stream_shutdown(lua_State *L);

#endif
