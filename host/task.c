/* task.c - the life of a task: started, woken, cancelled, ended. */
#include "host/task.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/observe.h"
#include "host/report.h"
#include "host/run.h"
#include "host/task_object.h"
#include "host/wait.h"

enum { FEW = 8 }; /* arguments that a stack has room for in any case */

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

/* ---- start --------------------------------------------------------------- */

static struct task *allocate(struct host *host, struct owner *owner) {
  struct task *task = pool_take_task(&host->pool);
  if (task == NULL) return NULL;
  *task = (struct task){.host = host,
                        .id = ++host->next_task_id,
                        .state = TASK_WAITING,
                        .name = "task"};
  work_begin(&task->work, &task_kind, owner);
  task->started = task->since = clock_ms(&host->clock);
  task->timeout.data = task;
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
  if (owner_is_staged(task->work.owner) && !task->awaited) {
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
  run_push_body(coroutine.co);
  lua_pushcfunction(coroutine.co, report_trace);
  lua_xmove(L, coroutine.co, 1);
  return task;
}

void task_set_arguments(struct task *task, int nargs) {
  task->nargs = TASK_AT_RESULTS + nargs;
}

/* ---- begun by C: no coroutine, no Lua value until it runs ---------------- */

static void push_body(lua_State *L, struct task *task) {
  lua_pushnil(L);
  lua_pushcfunction(L, task->body);
  lua_pushlightuserdata(L, task->context);
}

struct task *task_start_pushed(struct host *host, struct owner *owner,
                               task_push *push, void *context) {
  if (host->phase == HOST_STOPPING) return NULL;
  struct task *task = allocate(host, owner);
  if (task == NULL) return NULL;
  task->push = push;
  task->context = context;
  begin(task);
  return task;
}

struct task *task_start(struct host *host, struct owner *owner,
                        lua_CFunction body, void *context) {
  struct task *task = task_start_pushed(host, owner, push_body, context);
  if (task != NULL) task->body = body;
  return task;
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

/* ---- begun by Lua -------------------------------------------------------- */

static void push_seats(lua_State *L, struct task *task) {
  lobby_leave(&task->host->lobby, L, task->seat, task->seats);
}

/* It will run in this turn or the next: so it needs no coroutine to wait in. */
static struct task *spawn_seated(lua_State *from, int first, int nargs,
                                 struct owner *owner, bool with_object) {
  struct host *host = host_of(from);
  struct task_object *object = NULL;
  if (with_object) object = task_object_new(from);
  struct task *task = allocate(host, owner);
  if (task == NULL) luaL_error(from, "not enough memory");
  if (object != NULL) {
    task_object_bind(object, task);
    lua_pushvalue(from, -1);
  } else {
    lua_pushnil(from);
  }
  for (int i = 0; i <= nargs; i++) lua_pushvalue(from, first + i);
  task->push = push_seats;
  task->seats = nargs + 2;
  task->seat = lobby_enter(&host->lobby, from, task->seats);
  make_ready(task);
  return task;
}

/* The function and its arguments lie at `first` and above. */
static struct task *spawn(lua_State *from, int first, int nargs,
                          struct owner *owner, bool with_object) {
  if (nargs <= FEW && !owner_is_staged(owner) &&
      lobby_has_room(&host_of(from)->lobby, nargs + 2))
    return spawn_seated(from, first, nargs, owner, with_object);
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

/* ---- the end, see also run.c --------------------------------------------- */

void task_end(struct task *task, enum task_end end) {
  struct host *host = task->host;
  observe_task(task, end == TASK_FAILED ? OBSERVE_FAILED : OBSERVE_RETURNED);
  if (task->object != NULL) task_object_end(task, end);
  if (task->sink != NULL && task->sink->ended != NULL)
    task->sink->ended(task, end);
  if (task->coroutine.co != NULL) pool_drop(task->coroutine);
  release(task);
  if (++host->tidy.ended >= TIDY_AFTER && !host->tidy.scheduled)
    tidy_schedule(host);
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
  task->awaited = true;
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
