/* wait.h - one function, two forms: it waits, or takes a callback.
 *
 *   static int read_finish(lua_State *L) { ... push what is there; return n; }
 *   static const struct wait read_wait = {"read", read_finish, NULL};
 *
 *   int read(lua_State *L) {                       -- stream, format, callback
 *     struct stream *stream = check(L, 1);         -- what may raise comes first
 *     struct task *task = wait_begin(L, &read_wait, 3);   -- may raise
 *     if (has_input(stream)) return wait_pass(L, task, &stream->reader);
 *     start_reading(stream);                       -- C only, from here on
 *     return wait_park(L, task, &stream->reader, WAIT_FOREVER);
 *   }
 *
 * `finish` finds what stands before the callback on its stack, in both forms,
 * and makes the results: so they are the same, and are made inside a task. An
 * error there is the task's. libuv's callbacks only fill C memory and call
 * task_wake. While a task waits its stack holds the arguments: nothing else
 * has to anchor what the call is about. */
#ifndef HOST_WAIT_H
#define HOST_WAIT_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct task;

struct wait {
  const char *name; /* what tasks() shows */
  lua_CFunction finish;
  /* Cancelled or late: true if it will be woken by what it waits for, once
   * that has let go; false or NULL: it may go on at once. */
  bool (*interrupt)(struct task *task);
};

enum { WAIT_FOREVER = -1 };

/* May raise; nothing has been started. At index `callback` lies a function, or
 * nil: then the running task is the one to wait. Nothing lies above it. */
struct task *wait_begin(lua_State *L, const struct wait *wait, int callback);
/* The results are not there yet: the task joins the list that begins in
 * *place (NULL: it waits for time alone), and is woken with UV_ETIMEDOUT after
 * so many milliseconds. Ends the C function: `return wait_park(...)`. */
int wait_park(lua_State *L, struct task *task, struct task **place,
              int64_t limit_ms);
/* The same, until a point of loop time. */
int wait_until(lua_State *L, struct task *task, struct task **place,
               uint64_t due_ms);
/* They are there: go on at once, but give way after many of these in a row. */
int wait_pass(lua_State *L, struct task *task, struct task **place);
/* The same, but always lets the other ready tasks run first. */
int wait_turn(lua_State *L, struct task *task, struct task **place);
/* It could not be started: the results are those of this status. As wait_pass
 * it gives way after many in a row. */
int wait_fail(lua_State *L, struct task *task, int status);
/* In `finish`: 0, or why the wait ended without what it waited for. */
int wait_status(lua_State *L);

/* Cancels the running task here and now: does not return. */
int wait_end_here(lua_State *L);
void wait_wake_all(struct task *first, int status);
void wait_leave(struct task *task);    /* for task.c: it goes on */
void wait_deadlock(struct task *task); /* for loop.c: nothing will wake it */
bool wait_is_mark(lua_State *co);      /* a wait lies on top of its stack */

#endif
