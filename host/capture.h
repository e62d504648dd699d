/* capture.h - a pipe that a child writes to, read into C memory, whether
 * somebody asks or not: so the child never waits for us. */
#ifndef HOST_CAPTURE_H
#define HOST_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "host/handle.h"

struct capture {
  struct handle handle; /* first member */
  uv_pipe_t uv;
  void (*tell)(struct capture *capture); /* something new: on the loop */
  void *data;                            /* whose it is */
  char *bytes;                           /* that nobody has taken */
  size_t size, room;
  bool ended; /* nothing more will come */
  int broken; /* the error that has ended it before the child did, or 0 */
};

/* Reads from `fd`, which is its own from now on: NULL, without memory, has
 * closed it. Whoever has it is one of its users: handle_leave. */
struct capture *capture_new(struct host *host, int fd, struct owner *owner);
/* Takes what lies in the pipe at this moment, and ends. */
void capture_finish(struct capture *capture);

#endif
