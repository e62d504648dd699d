/* timer.c - module `neap.timer`: sleep, every, now, monotonic.
 *
 * A sleep that waits is the time limit of its task's wait. One with a callback
 * is a timer, like an interval: no task, no coroutine until it is due. Timers
 * lie in slabs that live as long as the host. What a script holds is a pointer
 * and an id: when the timer is over and its memory serves another, the ids
 * differ. So it needs no finalizer, and a million timers no malloc. */
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#include "host/class.h"
#include "host/host.h"
#include "host/option.h"
#include "host/slabs.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/modules.h"

static const char sleep_class[] = "neap.sleep";
static const char interval_class[] = "neap.interval";

/* What timers of one owner call, anchored once: so to their owner they are one
 * piece of work. Many sleeps share one; an interval has its own, with what only
 * an interval needs. */
struct function {
  struct work work; /* first member; of its owner while it has timers */
  struct timers *timers;
  struct timer *first, **last; /* those that are active, oldest first */
  const void *identity;
  int ref;
  unsigned users;  /* timers and ticks that run */
  uint64_t period; /* ns; 0: of sleeps */
  uint64_t due;    /* ns: exact, so that an interval does not drift */
  struct origin origin;
};

struct timer { /* one cache line: there may be a million */
  _Alignas(SLABS_LINE) struct timeout timeout; /* its data is the function */
  struct timer *next, **link;                  /* in function->first */
  uint64_t id : 63;                            /* 0: it is over */
  uint64_t running : 1; /* a tick that still runs is not started twice */
};

struct timers { /* a userdata in the registry: one for the host */
  struct host *host;
  struct slabs slabs;
  struct function *recent; /* of the last sleep, or NULL */
  uint64_t last_id;
};

struct timer_object {
  struct timer *timer;
  uint64_t id;
};

/* ---- functions ----------------------------------------------------------- */

static const struct work_kind timer_kind;

static struct function *new_function(lua_State *L, struct timers *timers,
                                     struct owner *owner, int index) {
  lua_pushvalue(L, index);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  struct function *function = calloc(1, sizeof *function);
  if (function == NULL) {
    luaL_unref(L, LUA_REGISTRYINDEX, ref);
    luaL_error(L, "not enough memory for a timer");
  }
  work_begin(&function->work, &timer_kind, owner);
  function->work.staged = owner_is_staged(owner);
  function->timers = timers;
  function->last = &function->first;
  function->origin = origin_here(L); /* of the first, where many share it */
  function->identity = lua_topointer(L, index);
  function->ref = ref;
  if (!function->work.staged) clock_hold(&timers->host->clock);
  return function;
}

/* Sleeps share the last one where it is the same once more: mostly it is. What
 * is staged has one each: it is counted, and begins in its order. */
static struct function *function_for(lua_State *L, struct timers *timers,
                                     struct owner *owner, uint64_t period) {
  if (period > 0 || owner_is_staged(owner))
    return new_function(L, timers, owner, 2);
  const struct function *recent = timers->recent;
  if (recent == NULL || recent->identity != lua_topointer(L, 2) ||
      recent->work.owner != owner)
    timers->recent = new_function(L, timers, owner, 2);
  return timers->recent;
}

static void let_go(struct function *function) {
  if (--function->users > 0) return;
  lua_State *L = function->timers->host->L;
  luaL_unref(L, LUA_REGISTRYINDEX, function->ref);
  free(function);
}

static void link_last(struct timer *timer, struct function *function) {
  timer->next = NULL;
  timer->link = function->last;
  *function->last = timer;
  function->last = &timer->next;
}

static void unlink_from(struct timer *timer, struct function *function) {
  *timer->link = timer->next;
  if (timer->next != NULL)
    timer->next->link = timer->link;
  else
    function->last = timer->link;
}

/* Its last timer is over, though a tick may still run. */
static void end_function(struct function *function) {
  struct timers *timers = function->timers;
  if (timers->recent == function) timers->recent = NULL;
  if (!function->work.staged) clock_release(&timers->host->clock);
  work_end(&function->work);
}

/* ---- the life of a timer ------------------------------------------------- */

/* Memory that a task still runs from goes back when that task ends. */
static void end(struct timer *timer) {
  struct function *function = timer->timeout.data;
  struct timers *timers = function->timers;
  timer->id = 0;
  clock_cancel(&timers->host->clock, &timer->timeout);
  unlink_from(timer, function);
  if (!timer->running) slabs_give(&timers->slabs, timer);
  if (function->first == NULL) end_function(function);
  let_go(function);
}

static int nothing(lua_State *L) {
  (void)L;
  return 0;
}

/* What the task of a tick calls. */
static void push_tick(lua_State *L, struct task *task) {
  struct timer *timer = task->context;
  lua_pushnil(L);
  if (timer->id == 0) { /* closed in the meantime */
    lua_pushcfunction(L, nothing);
    return;
  }
  const struct function *function = timer->timeout.data;
  lua_rawgeti(L, LUA_REGISTRYINDEX, function->ref);
  if (function->period > 0) return;
  end(timer);
  lua_pushboolean(L, 1); /* what a sleep that waits returns */
}

/* Without memory a tick may fail before it has begun. */
static void tick_ended(struct task *task, enum task_end how) {
  struct timer *timer = task->context;
  struct function *function = timer->timeout.data;
  (void)how;
  timer->running = false;
  if (timer->id == 0)
    slabs_give(&function->timers->slabs, timer);
  else if (function->period == 0)
    end(timer);
  let_go(function);
}

static const struct task_sink tick_sink = {NULL, tick_ended};

/* What `end` will touch in a moment: its neighbours, and neither lies near it
 * when there are a million. */
static void fetch(const struct timer *timer) {
  __builtin_prefetch(timer->link);
  __builtin_prefetch(timer->next);
}

/* Ticks that could not be kept are left out: what is late does not pile up. */
static void reschedule(struct timer *timer, struct function *interval) {
  uint64_t now = clock_ns(&interval->timers->host->clock);
  interval->due += interval->period;
  if (interval->due <= now)
    interval->due +=
      (now - interval->due) / interval->period * interval->period +
      interval->period;
  clock_set(&interval->timers->host->clock, &timer->timeout,
            clock_at(interval->due));
}

static void on_due(struct timeout *timeout) {
  struct timer *timer = (struct timer *)timeout;
  struct function *function = timeout->data;
  if (function->period > 0) reschedule(timer, function);
  if (timer->running) return;
  struct task *task = task_start_pushed(function->timers->host,
                                        function->work.owner, push_tick, timer);
  if (task == NULL && function->period == 0) end(timer);
  if (task == NULL) return;
  timer->running = true;
  fetch(timer);
  function->users++; /* until the tick has ended */
  task->sink = &tick_sink;
  task->name = function->period > 0 ? "every" : "callback";
  task->origin = function->origin;
}

/* ---- as work of its owner ------------------------------------------------ */

static void stop(struct work *work) {
  struct function *function = (struct function *)work;
  function->users++; /* it is not to go with its last timer, under our feet */
  while (function->first != NULL) end(function->first);
  let_go(function);
}

/* What serves a connection may end: its sleeps go on, its intervals do not. */
static void drain(struct work *work) {
  const struct function *function = (struct function *)work;
  if (function->period > 0) stop(work);
}

static int start(struct work *work) {
  struct function *function = (struct function *)work;
  struct clock *clock = &function->timers->host->clock;
  clock_hold(clock);
  for (struct timer *timer = function->first; timer != NULL;
       timer = timer->next)
    clock_set(clock, &timer->timeout, timer->timeout.due);
  return 0;
}

static struct origin origin(const struct work *work) {
  return ((const struct function *)work)->origin;
}

static const struct work_kind timer_kind = {.name = "timer",
                                            .stop = stop,
                                            .drain = drain,
                                            .start = start,
                                            .origin = origin};

enum { UPVALUE_TIMERS = 1, UPVALUE_SLEEP, UPVALUE_INTERVAL };

/* Pushes what stands for it. At index 2 lies the function. */
static int start_timer(lua_State *L, int class, uint64_t period, uint64_t due) {
  struct timers *timers = lua_touserdata(L, lua_upvalueindex(UPVALUE_TIMERS));
  struct owner *owner = owner_here(L);
  struct timer_object *object = lua_newuserdatauv(L, sizeof *object, 0);
  lua_pushvalue(L, lua_upvalueindex(class));
  lua_setmetatable(L, -2);
  if (!slabs_reserve(&timers->slabs))
    return luaL_error(L, "not enough memory for a timer");
  struct function *function = function_for(L, timers, owner, period);
  /* from here on nothing raises */
  struct timer *timer = slabs_take(&timers->slabs);
  function->users++;
  function->period = period;
  function->due = due;
  *timer = (struct timer){
    .timeout = {.due = clock_at(due), .fire = on_due, .data = function},
    .id = ++timers->last_id & (UINT64_MAX >> 1)};
  link_last(timer, function);
  *object = (struct timer_object){timer, timer->id};
  if (!function->work.staged)
    clock_set(&timers->host->clock, &timer->timeout, timer->timeout.due);
  return 1;
}

/* ---- the module ---------------------------------------------------------- */

static uint64_t due_after(lua_State *L, lua_Number seconds) { /* ns */
  return clock_ns(&host_of(L)->clock) + (uint64_t)(seconds * 1e9 + 0.5);
}

static int sleep_finish(lua_State *L) {
  lua_pushboolean(L, 1); /* the end of the wait's time is what it waits for */
  return 1;
}

static const struct wait sleep_wait = {"sleep", sleep_finish, NULL};

static int timer_sleep(lua_State *L) {
  lua_Number seconds = check_seconds(L, 1);
  int kind = lua_type(L, 2);
  if (kind == LUA_TFUNCTION)
    return start_timer(L, UPVALUE_SLEEP, 0, due_after(L, seconds));
  if (kind > LUA_TNIL) luaL_checktype(L, 2, LUA_TFUNCTION); /* raises */
  lua_settop(L, 2);
  struct task *task = wait_begin(L, &sleep_wait, 2);
  if (seconds <= 0) return wait_turn(L, task, NULL);
  return wait_until(L, task, NULL, clock_after(&task->host->clock, seconds));
}

static int timer_every(lua_State *L) {
  lua_Number seconds = check_seconds(L, 1);
  luaL_argcheck(L, seconds > 0, 1, "an interval cannot be zero");
  luaL_checktype(L, 2, LUA_TFUNCTION);
  return start_timer(L, UPVALUE_INTERVAL, (uint64_t)ceil(seconds * 1e9),
                     due_after(L, seconds));
}

static int timer_now(lua_State *L) {
  lua_pushnumber(L, clock_wall(&host_of(L)->clock));
  return 1;
}

static int timer_monotonic(lua_State *L) {
  const struct clock *clock = &host_of(L)->clock;
  lua_pushnumber(L, (lua_Number)(clock_ns(clock) + clock->lead) / 1e9);
  return 1;
}

/* A finalizer that runs while the state is closed comes too late: all timers
 * have been stopped, and their memory may be gone. */
static bool is_active(lua_State *L, const struct timer_object *object) {
  const struct host *host = host_of(L);
  if (host->phase == HOST_STOPPING && host->current == NULL) return false;
  return object->timer->id == object->id;
}

static int end_object(lua_State *L, const char *class) {
  const struct timer_object *object = class_check(L, 1, class);
  bool active = is_active(L, object);
  if (active) end(object->timer);
  lua_pushboolean(L, active);
  return 1;
}

static int sleep_cancel(lua_State *L) {
  return end_object(L, sleep_class);
}

static int interval_close(lua_State *L) {
  end_object(L, interval_class);
  return 0;
}

static const luaL_Reg functions[] = {
  {"every", timer_every}, {"monotonic", timer_monotonic},
  {"now", timer_now},     {"sleep", timer_sleep},
  {NULL, NULL},
};

static const luaL_Reg sleep_methods[] = {
  {"cancel", sleep_cancel},
  {NULL, NULL},
};

static const luaL_Reg interval_methods[] = {
  {"close", interval_close},
  {NULL, NULL},
};

/* The state is closed, all work has been stopped before. */
static int free_timers(lua_State *L) {
  struct timers *timers = lua_touserdata(L, 1);
  slabs_free(&timers->slabs);
  return 0;
}

static const char timers_key = 0;

/* All realms have the same: what a timer needs must outlive its generation. */
static void push_timers(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &timers_key) != LUA_TNIL) return;
  lua_pop(L, 1);
  struct timers *timers = lua_newuserdatauv(L, sizeof *timers, 0);
  *timers = (struct timers){.host = host_of(L),
                            .slabs = {.block = sizeof(struct timer)}};
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, free_timers);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &timers_key);
}

int open_timer(lua_State *L) {
  luaL_newlibtable(L, functions);
  push_timers(L);
  class_open(L, sleep_class, sleep_methods, NULL);
  class_open(L, interval_class, interval_methods, NULL);
  lua_pushcfunction(L, interval_close);
  lua_setfield(L, -2, "__close");
  luaL_setfuncs(L, functions, UPVALUE_INTERVAL);
  return 1;
}
