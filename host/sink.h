/* sink.h - bytes on their way to a descriptor that others may share.
 *
 * Standard output and standard error are shared with the shell and with every
 * process that it has started beside us: to make their description non-blocking
 * would break those. So a pipe or a terminal is opened once more, which gives a
 * description of our own; a socket is told not to wait with each send; and where
 * neither can be, it is asked before each write whether it takes some. What it
 * does not take is queued, and goes out when it does. */
#ifndef HOST_SINK_H
#define HOST_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

struct sink_block;

enum sink_kind {
  SINK_DEVICE, /* /dev/null, /dev/full: what never makes anybody wait */
  SINK_FILE,   /* nor does a file, for long */
  SINK_PIPE,
  SINK_TERMINAL,
  SINK_SOCKET
};

struct sink {
  enum sink_kind kind;
  int fd;       /* the shared one */
  int own;      /* a description of our own, or -1 */
  bool tried;   /* to open that */
  dev_t device; /* which file it is: somebody may put another one there */
  ino_t inode;
  struct sink_block *first, *last;
  size_t size;     /* of what is queued */
  size_t careless; /* up to here nobody asks what becomes of all of it */
  int broken;      /* the error that has ended it, or 0 */
  uv_poll_t *poll; /* or NULL: it has never been waited for */
  size_t refused;  /* so much was queued when it last took no more */
  bool waits;      /* the loop is to tell when it takes more */
  uv_loop_t *loop; /* that may wait for it, or NULL */
  void (*moved)(struct sink *sink); /* on the loop: less is queued, or none */
};

/* Looks at what the descriptor is. */
void sink_open(struct sink *sink, int fd);
bool sink_is_at(const struct sink *sink, int fd); /* that is its file, now */
/* Before it is opened again, with an empty queue; or when the loop goes. */
void sink_leave_loop(struct sink *sink);
void sink_close(struct sink *sink);

/* 0, or one of libuv's errors. What is not taken now is queued. `careless`: the
 * writer will not look at what becomes of it. Without a loop it blocks. */
int sink_put(struct sink *sink, const char *bytes, size_t size, bool careless);
/* Blocks until at most so much is queued. */
int sink_wait(struct sink *sink, size_t left);
/* Somebody waits for it: the loop must not end before. */
void sink_hold(struct sink *sink);

#endif
