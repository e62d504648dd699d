/* task.h - something that runs Lua, and can wait.
 *
 * The loop runs nothing but tasks. A task that has not begun is a C function
 * and a pointer, or a Lua function that waits in the lobby, and no coroutine: it
 * gets one when it runs, from the pool or from the task before it (run.h). What
 * it waits for is in wait.h, the object that a script holds in task_object.h. */
#ifndef HOST_TASK_H
#define HOST_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/origin.h"
#include "host/owner.h"
#include "host/pool.h"
#include "host/wheel.h"

struct host;
struct task;
struct task_object;
struct wait;

enum task_state {
  TASK_STAGED, /* its generation is being prepared: it begins at commit */
  TASK_READY,
  TASK_RUNNING,
  TASK_WAITING
};

enum task_end { TASK_RETURNED, TASK_FAILED, TASK_CANCELLED };

/* What lies on its stack; function and arguments are where results will be. */
enum { TASK_AT_TRACE = 1, TASK_AT_OBJECT, TASK_AT_RESULTS };

/* Pushes what a task is to run, when it begins: its object or nil, a function,
 * arguments. It may neither raise nor allocate. */
typedef void task_push(lua_State *L, struct task *task);

/* Who takes the end of a task, beside the reports. */
struct task_sink {
  /* Inside the task, so it may raise: its results lie on L at TASK_AT_RESULTS
   * and above, or its error on top. True: the error has been taken, and is not
   * reported. */
  bool (*settle)(lua_State *L, struct task *task, enum task_end end);
  /* After it, in C only. */
  void (*ended)(struct task *task, enum task_end end);
};

struct task {
  struct work work;       /* first member */
  struct timeout timeout; /* of what it waits for */
  struct host *host;
  struct task *next;          /* in host->ready, or in the pool */
  struct coroutine coroutine; /* co == NULL until it first runs */
  task_push *push;            /* what it runs, where it has no coroutine */
  lua_CFunction body;         /* for push: it is called with `context` */
  void *context;
  int seat, seats; /* for push: what it runs lies there, see lobby.h */
  const struct task_sink *sink; /* or NULL */
  void *sink_data;
  struct task_object *object; /* what a script holds of it, or NULL */
  const struct wait *wait;    /* what it waits for, see wait.h */
  struct task **parked;       /* the pointer to it in there, or NULL */
  struct task *neighbour;     /* the next that waits for the same */
  lua_State *waiting;         /* the coroutine in which it waits */
  int status;                 /* how that ended: 0, UV_ETIMEDOUT, ... */
  int nargs;                  /* on its stack, for the next resume */
  const char *name;
  char *own_name;       /* that a script gave it, or NULL */
  struct origin origin; /* the line that started it */
  uint64_t id, parent;
  uint64_t started, since;  /* it began to live, to wait: loop time, ms */
  uint64_t unwinding_until; /* a cancelled one: its __close may wait so long */
  enum task_state state;
  bool begun;     /* its coroutine has been resumed */
  bool awaited;   /* it begins before the commit: someone waits for it */
  bool cancelled; /* asked for */
  bool unwinding; /* and raised */
  bool in_turn;   /* it runs after those that were ready when it gave way */
  bool lent;      /* it runs code of another generation for a moment */
  bool serves;    /* the others: it may wait for ever, that is no deadlock */
  bool weak;      /* its time limit keeps no program alive */
};

/* `body(context)` runs as a task. NULL without memory, or at the very end. */
struct task *task_start(struct host *host, struct owner *owner,
                        lua_CFunction body, void *context);
/* What `push` pushes is called instead. */
struct task *task_start_pushed(struct host *host, struct owner *owner,
                               task_push *push, void *context);
/* Takes a function and nargs arguments off `from`. May raise. */
struct task *task_spawn_as(lua_State *from, int nargs, struct owner *owner);
/* The function at index `first`, what lies above are its arguments: pushes the
 * task's object. Its owner is that of the running task. May raise. */
struct task *task_go(lua_State *from, int first);
struct task *task_go_as(lua_State *from, int first, struct owner *owner);

/* A task that is not ready yet, may raise; its object is pushed on L. The caller
 * adds a function and arguments to its stack. Then it waits, see wait.h. */
struct task *task_new(lua_State *L, struct owner *owner, bool with_object);
void task_set_arguments(struct task *task, int nargs);
/* Idempotent: the first one to wake it decides its status. */
void task_wake(struct task *task, int status);
/* The last act of a body: calls a function, which may wait, without results. */
int task_call_last(lua_State *L, int nargs);
/* Someone waits for it: it begins also while its generation is prepared. */
void task_start_staged(struct task *task);
/* It ends without having run, or where it waits. False: it runs now, and will
 * notice when it next waits; or it has noticed already. */
bool task_cancel(struct task *task);
bool task_is(const struct work *work);
const char *task_state_name(const struct task *task);
void task_rename(struct task *task, const char *name); /* a copy of it */
void task_end(struct task *task, enum task_end end); /* for run.c: it is over */
/* Ends it without a trace, whatever it does: at exit, or before it began. */
void task_discard(struct task *task);

#endif
