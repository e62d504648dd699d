/* pool.c - two stacks: idle coroutines, and the memory of ended tasks. */
#include "host/pool.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "host/task.h"

enum { IDLE_MOST = 1024 }; /* of each; about 1 KB a coroutine */

bool pool_open(struct pool *pool) {
  pool->idle = malloc(IDLE_MOST * sizeof *pool->idle);
  return pool->idle != NULL;
}

struct coroutine pool_take(struct pool *pool, lua_State *L) {
  if (pool->count > 0) return pool->idle[--pool->count];
  lua_State *co = lua_newthread(L);
  lua_sethook(co, pool->hook, pool->hook_mask, 0); /* not its maker's */
  return (struct coroutine){co, luaL_ref(L, LUA_REGISTRYINDEX)};
}

void pool_reset_hook(struct pool *pool, lua_State *co) {
  if (lua_gethook(co) != pool->hook)
    lua_sethook(co, pool->hook, pool->hook_mask, 0);
}

void pool_set_hook(struct pool *pool, lua_Hook hook, int mask) {
  pool->hook = hook;
  pool->hook_mask = mask;
  for (int i = 0; i < pool->count; i++) pool_reset_hook(pool, pool->idle[i].co);
}

void pool_give(struct pool *pool, struct coroutine coroutine) {
  if (pool->count == IDLE_MOST) {
    pool_drop(coroutine);
    return;
  }
  lua_settop(coroutine.co, 0);
  pool_reset_hook(pool, coroutine.co);
  pool->idle[pool->count++] = coroutine;
}

void pool_drop(struct coroutine coroutine) {
  luaL_unref(coroutine.co, LUA_REGISTRYINDEX, coroutine.ref);
}

struct task *pool_take_task(struct pool *pool) {
  struct task *task = pool->tasks;
  if (task == NULL) return malloc(sizeof *task);
  pool->tasks = task->next;
  pool->task_count--;
  return task;
}

void pool_give_task(struct pool *pool, struct task *task) {
  if (pool->task_count == IDLE_MOST) {
    free(task);
    return;
  }
  task->next = pool->tasks;
  pool->tasks = task;
  pool->task_count++;
}

void pool_free(struct pool *pool) {
  while (pool->tasks != NULL) free(pool_take_task(pool));
  free(pool->idle);
}
