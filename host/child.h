/* child.h - a process that we have started.
 *
 * It is reaped in any case: as soon as the system says that it has ended. What
 * ends it (its owner, the program, a script) ends its whole group: SIGTERM,
 * after CHILD_GRACE_MS SIGKILL; and what is left of the group when it has gone
 * is killed then. All of that goes by real time: so does the child.
 *
 * A detached one is reaped while we live, but never ended: it belongs to the
 * root, and no program goes on for it. */
#ifndef HOST_CHILD_H
#define HOST_CHILD_H

#include <stdbool.h>
#include <uv.h>

#include "host/handle.h"
#include "host/launch.h"

struct task;

enum { CHILD_GRACE_MS = 5000 };

struct children { /* of the host: those that run */
  uv_signal_t uv; /* SIGCHLD */
  struct child *volatile first;
  unsigned held; /* the program goes on for so many */
  bool open;
};

struct child {
  struct handle handle; /* first member; closed when it has ended */
  uv_timer_t timer;     /* its time limit; then, its grace */
  struct child *volatile next;
  struct child *volatile *link;         /* in children; NULL: it does not run */
  void (*on_over)(struct child *child); /* it has ended, or NULL: no Lua */
  void *data;                           /* for on_over */
  struct task *waiters;                 /* for its end */
  int pid;
  int status;   /* of exit; 128 + the signal */
  int signal;   /* that ended it, or 0 */
  bool shares;  /* no group of its own: see launch.h */
  bool held;    /* counts in children->held */
  bool ending;  /* somebody wants it to end */
  bool is_late; /* because its time was over */
  bool detached;
};

/* NULL without memory. Its handle is open; it does not run yet: what becomes
 * none is closed with handle_close. */
struct child *child_new(struct host *host, size_t size, struct owner *owner,
                        bool detached);
/* 0, or one of libuv's errors. */
int child_start(struct child *child, const struct launch *launch);
bool child_runs(const struct child *child);
void child_end(struct child *child); /* in good order; idempotent */
/* It is to end after so many milliseconds. */
void child_limit(struct child *child, uint64_t ms);
/* To its group; UV_ESRCH for one that has ended. */
int child_signal(const struct child *child, int number);
void child_kill(struct child *child); /* at once, and waits: for specs */
void child_hold(struct child *child); /* the program goes on for it */

/* In a signal handler, when we end at once. */
void children_kill(struct host *host);
void children_close(struct host *host); /* for host.c: waits for their ends */

#endif
