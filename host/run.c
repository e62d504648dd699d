/* run.c - runs the ready tasks: takes coroutines from the pool, resumes them,
 * and tells tasks that have ended from those that wait. */
#include "host/run.h"

#include <assert.h>
#include <lauxlib.h>

#include "host/cancel.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/report.h"
#include "host/shuffle.h"
#include "host/task.h"
#include "host/task_object.h"
#include "host/wait.h"

enum { CREDIT = 64 }; /* immediate results in a row, see wait.c */

/* ---- one task after the other -------------------------------------------- */

static void enter(struct host *host, struct task *task) {
  task->state = TASK_RUNNING;
  observe_task(task, OBSERVE_RESUMED);
  host->credit = CREDIT;
  host->blocked = false;
  host->running = task->coroutine.co;
  host->current = task;
  host->runs++;
}

static struct task *leave(struct host *host) {
  struct task *task = host->current;
  host->current = NULL;
  host->running = NULL;
  return task;
}

/* It would begin now, and without anything but a coroutine. */
static bool can_follow(const struct host *host, const struct task *task) {
  return task->coroutine.co == NULL && !task->cancelled &&
         host->phase != HOST_STOPPING &&
         task->work.owner->generation == host->entered;
}

/* Ends the task that has returned. True: another one begins in its coroutine.
 * Inside a coroutine, but between two tasks, so nothing here may raise. */
static bool follow(lua_State *L) {
  struct host *host = host_of(L);
  struct task *task = leave(host);
  struct coroutine coroutine = task->coroutine;
  task->coroutine.co = NULL;
  task_end(task, TASK_RETURNED);
  task = host->batch.first;
  if (task == NULL || !can_follow(host, task)) return false;
  queue_pop(&host->batch);
  lua_settop(L, TASK_AT_TRACE);
  pool_reset_hook(&host->pool, L);
  task->begun = true;
  task->coroutine = coroutine;
  enter(host, task);
  task->push(L, task);
  return true;
}

/* ---- the body: errors are unwound inside it, so __close may wait --------- */

static enum task_end end_of(lua_State *L, int status) {
  if (status == LUA_OK || status == LUA_YIELD) return TASK_RETURNED;
  return cancel_is(L, -1) ? TASK_CANCELLED : TASK_FAILED;
}

static enum task_end settle(lua_State *L, int status) {
  struct task *task = host_of(L)->current;
  enum task_end end = end_of(L, status);
  bool taken = false;
  if (task->object != NULL) taken = task_object_settle(L, task, end);
  if (task->sink != NULL && task->sink->settle != NULL)
    taken = task->sink->settle(L, task, end) || taken;
  if (end == TASK_FAILED) report_failure(L, task, taken);
  return end;
}

static int end_body(lua_State *L, int status, lua_KContext context);

static int call(lua_State *L) {
  return lua_pcallk(L, lua_gettop(L) - TASK_AT_RESULTS, LUA_MULTRET,
                    TASK_AT_TRACE, 0, end_body);
}

/* Returns how the last task ended, as one number; nothing where it returned. */
static int end_body(lua_State *L, int status, lua_KContext context) {
  (void)context;
  for (;;) {
    enum task_end end = settle(L, status);
    if (end != TASK_RETURNED) {
      lua_pushinteger(L, end);
      return 1;
    }
    if (!follow(L)) return 0;
    status = call(L);
  }
}

static int run_body(lua_State *L) { /* see task_new; or nothing */
  if (lua_gettop(L) == 0) {
    struct task *task = host_of(L)->current;
    lua_pushcfunction(L, report_trace);
    task->push(L, task);
  }
  return end_body(L, call(L), 0);
}

void run_push_body(lua_State *co) {
  lua_pushcfunction(co, run_body);
}

bool run_is_to_begin(lua_State *co) {
  lua_Debug ar;
  return lua_status(co) == LUA_OK && lua_tocfunction(co, 1) == run_body &&
         !lua_getstack(co, 0, &ar);
}

/* The slot of its object is free. */
void run_keep(lua_State *L) {
  lua_Debug ar;
  int is_there = lua_getstack(L, 1, &ar);
  const char *slot = lua_setlocal(L, &ar, TASK_AT_OBJECT);
  assert(is_there && slot != NULL && host_of(L)->current->object == NULL);
  (void)is_there, (void)slot;
}

/* ---- run ----------------------------------------------------------------- */

static int take_coroutine(lua_State *L) {
  struct task *task = lua_touserdata(L, 1);
  task->coroutine = pool_take(&task->host->pool, L);
  return 0;
}

/* False: no memory. Between tasks nothing may raise unprotected. */
static bool prepare(struct task *task) {
  struct host *host = task->host;
  task->begun = true;
  if (task->coroutine.co != NULL) return true;
  if (host->pool.count > 0) {
    task->coroutine = pool_take(&host->pool, host->L);
  } else {
    lua_pushcfunction(host->L, take_coroutine);
    lua_pushlightuserdata(host->L, task);
    if (lua_pcall(host->L, 1, 0, 0) != LUA_OK) {
      lua_pop(host->L, 1);
      return false;
    }
  }
  run_push_body(task->coroutine.co);
  return true;
}

static bool begin(struct task *task) {
  if (task->cancelled || task->host->phase == HOST_STOPPING) {
    task_end(task, TASK_CANCELLED);
    return false;
  }
  if (prepare(task)) return true;
  report_broken(task, "not enough memory to start a task");
  task_end(task, TASK_FAILED);
  return false;
}

/* While it waits the mark stays on its stack, see coroutine.c. */
static int resume(struct task *task) {
  lua_State *co = task->coroutine.co;
  int nargs = task->nargs, nresults;
  if (lua_status(co) == LUA_YIELD) lua_pop(co, 1);
  task->nargs = 0;
  enter(task->host, task);
  return lua_resume(co, NULL, nargs, &nresults);
}

/* And perhaps those that follow it: the last one may wait, or have failed. */
static void run(struct task *task) {
  struct host *host = task->host;
  assert(task->state == TASK_READY && host->current == NULL);
  wait_leave(task);
  if (!task->begun && !begin(task)) return;
  generation_enter(task->work.owner->generation);
  struct coroutine coroutine = task->coroutine;
  int status = resume(task);
  task = leave(host);
  if (task == NULL) {
    pool_give(&host->pool, coroutine);
  } else if (status == LUA_OK) {
    enum task_end end = (enum task_end)lua_tointeger(coroutine.co, -1);
    lua_settop(coroutine.co, 0);
    task_end(task, end);
  } else if (status == LUA_YIELD && wait_is_mark(coroutine.co)) {
    observe_task(task, OBSERVE_SUSPENDED);
  } else {
    report_broken(task, status == LUA_YIELD
                          ? "attempt to yield from outside a coroutine"
                          : lua_tostring(coroutine.co, -1));
    if (status == LUA_YIELD) lua_resetthread(coroutine.co); /* __close */
    task_end(task, TASK_FAILED);
  }
}

void run_ready(struct host *host) {
  host->batch = host->ready;
  host->ready = (struct queue){NULL, NULL};
  lobby_swap(&host->lobby);
  if (host->shuffle != NULL) shuffle_batch(host->shuffle, &host->batch);
  while (!queue_is_empty(&host->batch)) run(queue_pop(&host->batch));
  lobby_clear(&host->lobby);
}
