/* pool.h - coroutines and tasks that are used again.
 *
 * A coroutine is anchored once, by an integer reference, for as long as it
 * lives: starting a task on a pooled one touches no table. One that ended in
 * an error is dropped, never pooled: its stack is not known to be sound. */
#ifndef HOST_POOL_H
#define HOST_POOL_H

#include <lua.h>
#include <stdbool.h>

struct task;

struct coroutine {
  lua_State *co;
  int ref;
};

struct pool {
  struct coroutine *idle; /* a stack */
  int count;
  struct task *tasks; /* free ones, linked by next */
  int task_count;
  lua_Hook hook; /* what each coroutine has; NULL: none has one */
  int hook_mask;
};

bool pool_open(struct pool *pool);
struct coroutine pool_take(struct pool *pool, lua_State *L); /* may raise */
void pool_give(struct pool *pool, struct coroutine coroutine);
/* Takes away what a script has left behind. */
void pool_reset_hook(struct pool *pool, lua_State *co);
/* From now on every coroutine has this one: it costs, see coverage.c. */
void pool_set_hook(struct pool *pool, lua_Hook hook, int mask);
void pool_drop(struct coroutine coroutine);

struct task *pool_take_task(struct pool *pool); /* NULL without memory */
void pool_give_task(struct pool *pool, struct task *task);

void pool_free(struct pool *pool);

#endif
