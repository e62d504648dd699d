/* task.c - the life of a task: started, run, cancelled, ended. */
#include "host/task.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/cancel.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/report.h"
#include "host/task_object.h"
#include "host/wait.h"

enum { CREDIT = 64 }; /* immediate results in a row, see wait.c */

static void make_ready(struct task *task) {
  struct host *host = task->host;
  task->state = TASK_READY;
  queue_push(&host->ready, task);
  if (host->polling) uv_stop(&host->loop); /* do not sleep on ready work */
}

/* ---- as work of its owner ------------------------------------------------ */

static void stop(struct work *work) {
  task_cancel((struct task *)work);
}

/* What serves a connection runs on; its connection tells it when to end. */
static void drain(struct work *work) {
  (void)work;
}

static int start(struct work *work) {
  make_ready((struct task *)work);
  return 0;
}

static const struct work_kind task_kind = {
  .name = "task", .stop = stop, .drain = drain, .start = start};

bool task_is(const struct work *work) {
  return work->kind == &task_kind;
}

/* ---- the body: errors are unwound inside it, so __close may wait --------- */

static enum task_end end_of(lua_State *L, int status) {
  if (status == LUA_OK || status == LUA_YIELD) return TASK_RETURNED;
  return cancel_is(L, -1) ? TASK_CANCELLED : TASK_FAILED;
}

/* Returns how it ended to task_run, as one number. */
static int end_body(lua_State *L, int status, lua_KContext context) {
  struct task *task = host_of(L)->current;
  enum task_end end = end_of(L, status);
  bool taken = false;
  (void)context;
  if (task->object != NULL) taken = task_object_settle(L, task, end);
  if (task->sink != NULL && task->sink->settle != NULL)
    taken = task->sink->settle(L, task, end) || taken;
  if (end == TASK_FAILED) report_failure(L, task, taken);
  lua_pushinteger(L, end);
  return 1;
}

static int run_body(lua_State *L) { /* object, trace, function, arguments */
  int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 2, 0, end_body);
  return end_body(L, status, 0);
}

enum { FEW = 8 };  /* arguments that a stack has room for in any case */
enum { BODY = 3 }; /* arguments of run_body beside those of the function */

/* Moves the object, or nil, from L below the function that comes next. */
static void push_body(lua_State *L, lua_State *co) {
  lua_pushcfunction(co, run_body);
  lua_xmove(L, co, 1);
  lua_pushcfunction(co, report_trace);
}

static int nothing_left(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* Without a continuation what it calls could not wait. */
int task_call_last(lua_State *L, int nargs) {
  lua_callk(L, nargs, 0, 0, nothing_left);
  return 0;
}

/* ---- start --------------------------------------------------------------- */

static struct task *allocate(struct host *host, struct owner *owner) {
  struct task *task = pool_take_task(&host->pool);
  if (task == NULL) return NULL;
  memset(task, 0, sizeof *task);
  work_begin(&task->work, &task_kind, owner);
  task->host = host;
  task->id = ++host->next_task_id;
  task->started = task->since = uv_now(&host->loop);
  task->timeout.data = task;
  task->state = TASK_WAITING;
  task->name = "task";
  if (host->current != NULL) task->parent = host->current->id;
  observe_task(task, OBSERVE_SPAWNED);
  return task;
}

static void release(struct task *task) {
  struct host *host = task->host;
  work_end(&task->work);
  free(task->own_name);
  task->id = 0;
  pool_give_task(&host->pool, task);
}

/* What a generation starts while it is being prepared waits for the commit. */
static void begin(struct task *task) {
  if (owner_is_staged(task->work.owner)) {
    task->work.staged = true;
    task->state = TASK_STAGED;
  } else {
    make_ready(task);
  }
}

struct task *task_new(lua_State *L, struct owner *owner, bool with_object) {
  struct host *host = host_of(L);
  struct task_object *object = NULL;
  if (with_object) object = task_object_new(L);
  struct coroutine coroutine = pool_take(&host->pool, L);
  struct task *task = allocate(host, owner);
  if (task == NULL) {
    pool_give(&host->pool, coroutine);
    luaL_error(L, "not enough memory");
  }
  task->coroutine = coroutine;
  if (object != NULL) {
    task_object_bind(object, task);
    lua_pushvalue(L, -1);
  } else {
    lua_pushnil(L);
  }
  push_body(L, coroutine.co);
  return task;
}

void task_set_arguments(struct task *task, int nargs) {
  task->nargs = BODY + nargs;
}

struct task *task_start(struct host *host, struct owner *owner,
                        lua_CFunction body, void *context) {
  if (host->phase == HOST_STOPPING) return NULL;
  struct task *task = allocate(host, owner);
  if (task == NULL) return NULL;
  task->body = body;
  task->context = context;
  begin(task);
  return task;
}

/* The function and its arguments lie at `first` and above. */
static struct task *spawn(lua_State *from, int first, int nargs,
                          struct owner *owner, bool with_object) {
  struct task *task = task_new(from, owner, with_object);
  lua_State *co = task->coroutine.co;
  if (nargs > FEW && !lua_checkstack(co, nargs + 4)) {
    task_discard(task);
    luaL_error(from, "too many arguments");
  }
  for (int i = 0; i <= nargs; i++) lua_pushvalue(from, first + i);
  lua_xmove(from, co, nargs + 1);
  task_set_arguments(task, nargs);
  begin(task);
  return task;
}

struct task *task_spawn_as(lua_State *from, int nargs, struct owner *owner) {
  int first = lua_gettop(from) - nargs;
  if (nargs > FEW) luaL_checkstack(from, nargs + 4, "too many arguments");
  struct task *task = spawn(from, first, nargs, owner, false);
  lua_settop(from, first - 1);
  return task;
}

struct task *task_go_as(lua_State *from, int first, struct owner *owner) {
  int nargs = lua_gettop(from) - first;
  if (nargs > FEW) luaL_checkstack(from, nargs + 4, "too many arguments");
  return spawn(from, first, nargs, owner, true);
}

struct task *task_go(lua_State *from, int first) {
  return task_go_as(from, first, owner_here(from));
}

void task_rename(struct task *task, const char *name) {
  size_t size = strlen(name) + 1;
  char *copy = malloc(size);
  if (copy == NULL) return;
  memcpy(copy, name, size);
  free(task->own_name);
  task->name = task->own_name = copy;
}

/* ---- run ----------------------------------------------------------------- */

static void retire(struct task *task, enum task_end end) {
  struct host *host = task->host;
  observe_task(task, end == TASK_FAILED ? OBSERVE_FAILED : OBSERVE_RETURNED);
  if (task->object != NULL) task_object_end(task, end);
  if (task->sink != NULL && task->sink->ended != NULL)
    task->sink->ended(task, end);
  if (task->coroutine.co != NULL) {
    if (end == TASK_RETURNED)
      pool_give(&host->pool, task->coroutine);
    else
      pool_drop(task->coroutine);
  }
  release(task);
  if (++host->tidy.ended >= TIDY_AFTER && !host->tidy.scheduled)
    tidy_schedule(host);
}

static void fill(lua_State *L, struct task *task) {
  task->coroutine = pool_take(&task->host->pool, L);
  lua_pushnil(L);
  push_body(L, task->coroutine.co);
  lua_pushcfunction(task->coroutine.co, task->body);
  lua_pushlightuserdata(task->coroutine.co, task->context);
  task_set_arguments(task, 1);
}

static int fill_protected(lua_State *L) {
  fill(L, lua_touserdata(L, 1));
  return 0;
}

/* False: no memory. Between tasks nothing may raise unprotected, but a pooled
 * coroutine is there, and has room for so little. */
static bool prepare(struct task *task) {
  lua_State *L = task->host->L;
  task->begun = true;
  if (task->coroutine.co != NULL) return true;
  if (task->host->pool.count > 0) {
    fill(L, task);
    return true;
  }
  lua_pushcfunction(L, fill_protected);
  lua_pushlightuserdata(L, task);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK) return true;
  lua_pop(L, 1);
  return false;
}

static int resume(struct task *task, int *nresults) {
  struct host *host = task->host;
  int nargs = task->nargs;
  task->nargs = 0;
  task->state = TASK_RUNNING;
  observe_task(task, OBSERVE_RESUMED);
  host->credit = CREDIT;
  host->blocked = false;
  host->running = task->coroutine.co;
  host->current = task;
  host->runs++;
  int status = lua_resume(task->coroutine.co, NULL, nargs, nresults);
  host->current = NULL;
  host->running = NULL;
  return status;
}

void task_run(struct task *task) {
  int nresults;
  assert(task->state == TASK_READY && task->host->current == NULL);
  wait_leave(task);
  if (!task->begun) {
    if (task->cancelled || task->host->phase == HOST_STOPPING) {
      retire(task, TASK_CANCELLED);
      return;
    }
    if (!prepare(task)) {
      report_broken(task, "not enough memory to start a task");
      retire(task, TASK_FAILED);
      return;
    }
  }
  generation_enter(task->work.owner->generation);
  int status = resume(task, &nresults);
  lua_State *co = task->coroutine.co;
  if (status == LUA_OK) {
    retire(task, (enum task_end)lua_tointeger(co, -1));
  } else if (status == LUA_YIELD && wait_is_mark(co)) {
    lua_pop(co, nresults);
    observe_task(task, OBSERVE_SUSPENDED);
  } else {
    report_broken(task, status == LUA_YIELD
                          ? "attempt to yield from outside a coroutine"
                          : lua_tostring(co, -1));
    if (status == LUA_YIELD) lua_resetthread(co); /* __close cannot wait */
    retire(task, TASK_FAILED);
  }
}

/* ---- wake and cancel ----------------------------------------------------- */

void task_wake(struct task *task, int status) {
  if (task->state != TASK_WAITING) return;
  task->status = status;
  observe_task(task, OBSERVE_WOKEN);
  if (task->begun)
    make_ready(task);
  else
    begin(task);
}

void task_start_staged(struct task *task) {
  if (task->state != TASK_STAGED) return;
  task->work.staged = false;
  make_ready(task);
}

bool task_cancel(struct task *task) {
  if (task->unwinding) return false; /* its __close may wait: see wait.c */
  task->cancelled = true;
  if (task->state == TASK_STAGED) {
    task_start_staged(task); /* it ends without having run */
    return true;
  }
  if (task->state != TASK_WAITING && task->state != TASK_READY) return false;
  const struct wait *wait = task->wait; /* when it is ready, it holds results */
  if (task->parked != NULL && wait->interrupt != NULL && wait->interrupt(task))
    return true;
  task_wake(task, UV_ECANCELED);
  wait_leave(task); /* at once: another may wait for the same now */
  return true;
}

void task_discard(struct task *task) {
  wait_leave(task);
  if (task->object != NULL) task_object_forget(task);
  if (task->sink != NULL && task->sink->ended != NULL)
    task->sink->ended(task, TASK_CANCELLED); /* it may hold something */
  if (task->coroutine.co != NULL) pool_drop(task->coroutine);
  release(task);
}

const char *task_state_name(const struct task *task) {
  static const char *const names[] = {"staged", "ready", "running", "waiting"};
  return names[task->state];
}
