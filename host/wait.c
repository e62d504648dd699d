/* wait.c - parks tasks, and lets them go on. A waiting task is in a list of
 * those who wait for the same, in the wheel of timeouts, or in both. */
#include "host/wait.h"

#include <lauxlib.h>

#include "host/cancel.h"
#include "host/host.h"
#include "host/task.h"

enum {
  UNWIND_MS = 5000,        /* that __close may wait in a cancelled task */
  STATUS_DEADLOCK = -10000 /* not one of libuv's */
};

/* ---- going on ------------------------------------------------------------ */

int wait_end_here(lua_State *L) {
  struct task *task = host_of(L)->current;
  task->cancelled = task->unwinding = true;
  task->unwinding_until = clock_after_ms(&task->host->clock, UNWIND_MS);
  return cancel_raise(L);
}

/* A cancellation is raised once; again only when its unwinding takes long. */
static void raise_if_cancelled(lua_State *L, struct task *task) {
  if (!task->cancelled) return;
  if (!task->unwinding) wait_end_here(L);
  if (clock_ms(&task->host->clock) >= task->unwinding_until) cancel_raise(L);
}

/* The results, in both forms. */
static int finish(lua_State *L) {
  const struct task *task = host_of(L)->current;
  if (task->status == STATUS_DEADLOCK)
    return luaL_error(L, "deadlock: nothing can end this %s", task->wait->name);
  return task->wait->finish(L);
}

static int go_on(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  raise_if_cancelled(L, host_of(L)->current);
  return finish(L);
}

/* The body of a callback's task: what the call was about, the callback. */
static int run_callback(lua_State *L) {
  lua_insert(L, 1);
  lua_pushcfunction(L, finish);
  lua_insert(L, 2);
  lua_call(L, lua_gettop(L) - 2, LUA_MULTRET);
  return task_call_last(L, lua_gettop(L) - 1);
}

/* ---- begin --------------------------------------------------------------- */

/* Leaves its object on L, which is what the call returns. */
static struct task *new_waiter(lua_State *L, int callback) {
  struct owner *owner = owner_here(L);
  luaL_checktype(L, callback, LUA_TFUNCTION);
  struct task *task = task_new(L, owner, true);
  lua_State *co = task->coroutine.co;
  task->name = "callback";
  task->origin = origin_here(L);
  lua_checkstack(co, callback + 4); /* few: a fresh stack has 20 slots */
  lua_pushcfunction(co, run_callback);
  for (int i = 1; i <= callback; i++) lua_pushvalue(L, i);
  lua_xmove(L, co, callback);
  task_set_arguments(task, callback);
  return task;
}

static void cannot_wait(lua_State *L) {
  if (host_in_finalizer(L))
    luaL_error(L, "a finalizer cannot wait, nor start anything");
  luaL_error(L, "cannot wait here: this was called from C code that cannot "
                "be suspended (table.sort, string.gsub ...); "
                "wait before it, pass a callback or use neap.go");
}

static struct task *this_task(lua_State *L) {
  struct host *host = host_of(L);
  if (host->current == NULL) luaL_error(L, "cannot wait outside a task");
  if (!lua_isyieldable(L) || host->blocked) cannot_wait(L);
  raise_if_cancelled(L, host->current);
  return host->current;
}

struct task *wait_begin(lua_State *L, const struct wait *wait, int callback) {
  struct task *task;
  if (lua_isnoneornil(L, callback)) {
    task = this_task(L);
    lua_settop(L, callback - 1);
  } else {
    task = new_waiter(L, callback);
  }
  task->wait = wait;
  task->status = 0;
  task->weak = false;
  return task;
}

/* ---- park ---------------------------------------------------------------- */

static void enlist(struct task *task, struct task **place) {
  if (place == NULL) return;
  while (*place != NULL) place = &(*place)->neighbour;
  *place = task;
  task->parked = place;
  task->neighbour = NULL;
}

static void on_limit(struct timeout *timeout) {
  struct task *task = timeout->data;
  if (!task->weak) clock_release(&task->host->clock);
  if (task->state != TASK_WAITING) return; /* it came in the same turn */
  if (task->wait->interrupt == NULL || !task->wait->interrupt(task))
    task_wake(task, UV_ETIMEDOUT);
}

static void set_limit(struct task *task, uint64_t due) {
  struct clock *clock = &task->host->clock;
  task->timeout.fire = on_limit;
  if (!task->weak) clock_hold(clock);
  clock_set(clock, &task->timeout, due);
}

/* The mark yielded here is what nested coroutines pass on, see coroutine.c. */
static int leave(lua_State *L, struct task *task) {
  struct host *host = host_of(L);
  if (task != host->current) return 1; /* its object */
  task->waiting = L;
  task->since = clock_ms(&host->clock);
  lua_pushlightuserdata(L, host);
  return lua_yieldk(L, 1, 0, go_on);
}

int wait_until(lua_State *L, struct task *task, struct task **place,
               uint64_t due_ms) {
  if (task->unwinding && due_ms > task->unwinding_until)
    due_ms = task->unwinding_until;
  task->state = TASK_WAITING;
  enlist(task, place);
  if (due_ms != UINT64_MAX) set_limit(task, due_ms);
  return leave(L, task);
}

int wait_park(lua_State *L, struct task *task, struct task **place,
              int64_t limit_ms) {
  uint64_t due = UINT64_MAX;
  if (limit_ms >= 0)
    due = clock_after_ms(&task->host->clock, (uint64_t)limit_ms);
  return wait_until(L, task, place, due);
}

static int give_way(lua_State *L, struct task *task, struct task **place) {
  task->state = TASK_WAITING;
  enlist(task, place);
  task_wake(task, 0);
  return leave(L, task);
}

int wait_turn(lua_State *L, struct task *task, struct task **place) {
  task->in_turn = true;
  return give_way(L, task, place);
}

int wait_pass(lua_State *L, struct task *task, struct task **place) {
  struct host *host = task->host;
  if (task != host->current || host->credit == 0)
    return give_way(L, task, place);
  host->credit--;
  return task->wait->finish(L);
}

int wait_fail(lua_State *L, struct task *task, int status) {
  struct host *host = task->host;
  if (task == host->current && host->credit > 0) {
    host->credit--;
    task->status = status;
    return task->wait->finish(L);
  }
  task->state = TASK_WAITING;
  task_wake(task, status);
  return leave(L, task);
}

int wait_status(lua_State *L) {
  return host_of(L)->current->status;
}

/* ---- for the rest of the host -------------------------------------------- */

void wait_wake_all(struct task *first, int status) {
  for (struct task *task = first; task != NULL; task = task->neighbour)
    task_wake(task, status); /* they leave the list when they run */
}

void wait_leave(struct task *task) {
  if (task->parked != NULL) {
    *task->parked = task->neighbour;
    if (task->neighbour != NULL) task->neighbour->parked = task->parked;
    task->parked = NULL;
    task->neighbour = NULL;
  }
  if (!wheel_has(&task->timeout)) return;
  clock_cancel(&task->host->clock, &task->timeout);
  if (!task->weak) clock_release(&task->host->clock);
}

void wait_deadlock(struct task *task) {
  task_wake(task, STATUS_DEADLOCK);
}

bool wait_is_mark(lua_State *co) {
  return lua_gettop(co) > 0 && lua_touserdata(co, -1) == host_of(co);
}
