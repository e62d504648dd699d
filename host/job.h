/* job.h - work for libuv's thread pool, and the task that waits for it.
 *
 *   struct sum { struct job job; uint32_t sum; char path[]; };
 *   static void work(struct job *job) { ... }  -- in a thread: no Lua, no host
 *   static int finish(lua_State *L) {          -- path, box
 *     struct sum *sum = job_at(L, 2);
 *     int status = job_status(L, &sum->job);
 *     if (status < 0) return error_result(L, status, "sum");
 *     ...
 *   }
 *   static const struct job_kind kind = {
 *     .wait = {"sum", finish, job_interrupt}, .work = work};
 *
 *   int sum(lua_State *L) {                    -- path, callback
 *     ...                                      -- check the arguments
 *     struct sum *sum = job_push(L, &kind, sizeof *sum + size);
 *     lua_insert(L, 2);                        -- path, box, callback
 *     memcpy(sum->path, path, size);
 *     return job_start(L, &sum->job, 3, WAIT_FOREVER);
 *   }
 *
 * A job is C memory that lives until both have let go of it: the box, on the
 * stack of who waits, and libuv. A task that is cancelled or late goes on at
 * once, so the thread may outlast it: a job owns all that its thread touches,
 * or anchors it (job_anchor). */
#ifndef HOST_JOB_H
#define HOST_JOB_H

#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "host/wait.h"

struct await;
struct host;
struct job;
struct task;

/* What `work` may ask for: to be called again, in a thread, when its `fd` is
 * ready, or a moment later; or when all others that wait for a thread have had
 * one (JOB_MORE): so does what takes long, in pieces, and is called once more
 * also when it was given up meanwhile, to let go of what it has begun. Meanwhile
 * no thread is held. */
enum job_again { JOB_DONE, JOB_READABLE, JOB_WRITABLE, JOB_LATER, JOB_MORE };

struct job_kind {
  struct wait wait;
  void (*work)(struct job *job);
  /* On the loop: nobody uses it any more. NULL: it has nothing to let go of.
   * Also where it never began, or failed while it was being made. */
  void (*free)(struct job *job);
  /* On the loop, before who waits goes on: no thread will be at it any more. Also
   * where it was given up, and may not have begun. May be NULL. */
  void (*done)(struct job *job);
};

struct job {           /* first member of every job */
  struct task *waiter; /* first member, see job_interrupt */
  const struct job_kind *kind;
  struct host *host;
  uv_work_t uv;
  struct await *await;  /* what it waits for between two runs, or NULL */
  enum job_again again; /* for `work`, as are the next two */
  int fd;
  int status;   /* 0, or one of libuv's */
  int delay_ms; /* before it is called again, when it was last asked for */
  int users;    /* the box, libuv */
  int anchor;   /* a reference in the registry, or LUA_NOREF */
  bool queued;  /* libuv has it */
  bool pending; /* it is waited for, but has not begun */
  bool resumed; /* it has asked for more */
  bool owns_fd; /* nobody else has `fd`, and it stays open until `free` */
  atomic_bool given_up;
};

/* Pushes the box of a new job, all zero. Raises without memory. */
void *job_push(lua_State *L, const struct job_kind *kind, size_t size);
/* The value on top stays alive as long as the job; takes it off. */
void job_anchor(lua_State *L, struct job *job);
/* Ends the C function. The callback, or nil, is at this index; nothing lies
 * above it. */
int job_start(lua_State *L, struct job *job, int callback, int64_t limit_ms);

/* The same in steps: job_wait; at some time, on the loop, job_begin; and at the
 * end of the function wait_park with &job->waiter. */
struct task *job_wait(lua_State *L, struct job *job, int callback);
void job_begin(struct job *job);
/* On the loop: who waits is told UV_ECANCELED. Nothing where nobody waits. */
void job_cancel(struct job *job);

/* For `work`: nobody waits for it any more, so what takes long may end. */
static inline bool job_is_given_up(struct job *job) {
  return atomic_load_explicit(&job->given_up, memory_order_relaxed);
}

/* ---- in `finish` --------------------------------------------------------- */

void *job_at(lua_State *L, int index);
/* Why the wait ended, or what `work` has left. Below 0 nothing else of the job
 * may be looked at: a thread may be at it. */
int job_status(lua_State *L, const struct job *job);
/* Its results are Lua's now: its memory need not wait for the collector. */
void job_done(lua_State *L, int index);

bool job_interrupt(struct task *task); /* for a struct wait */
/* The same, but the task goes on only when the thread has let go. Not for what
 * may wait between two runs. */
bool job_interrupt_and_wait(struct task *task);
void job_open(lua_State *L); /* the class of boxes */

/* ---- for host.c ---------------------------------------------------------- */

/* The state is to be closed: waits for threads that use its memory, for a second
 * or two. False: one of them still does. */
bool job_end_borrowing(struct host *host);

#endif
