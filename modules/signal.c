/* signal.c - module `neap.signal`: on, wait.
 *
 * A handler is a handle (of libuv's it has one that never does anything) and a
 * taker. Its runs follow each other: what comes while one runs makes one more.
 *
 * Who waits is in a list, with the set of signals it waits for; its memory is
 * a box on the stack of its task. What takes them for it is a hold: one for a
 * version of the program and a signal. A hold stays when the wait is over, so
 * that what comes between two waits is not lost, nor ends the program. Only for
 * SIGTERM and SIGINT it goes: a second Ctrl-C is not to be kept for later. */
#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>

#include "host/error.h"
#include "host/generation.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/option.h"
#include "host/signal_names.h"
#include "host/taker.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/modules.h"

static const char handler_class[] = "neap.signal.handler";
static const char waiter_class[] = "neap.signal.waiter";

static int check_signal(lua_State *L, int index) {
  int number = signal_check(L, index);
  const char *obstacle = taker_obstacle(number);
  if (obstacle != NULL)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "%s cannot be taken: %s",
                                  signal_name(number), obstacle));
  return number;
}

/* ---- handlers ------------------------------------------------------------ */

struct handler {
  struct handle handle; /* first member */
  uv_idle_t uv;         /* never started */
  struct taker taker;
  int number;
  int function;       /* a reference */
  bool running, more; /* it has come again meanwhile */
};

static int call_handler(lua_State *L) { /* handler */
  const struct handler *handler = lua_touserdata(L, 1);
  if (handler->handle.closing) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, handler->function);
  lua_pushstring(L, signal_name(handler->number));
  return task_call_last(L, 1);
}

static void run_handler(struct handler *handler);

static void run_ended(struct task *task, enum task_end how) {
  struct handler *handler = task->context;
  (void)how;
  handler->running = false;
  if (handler->more && !handler->handle.closing) run_handler(handler);
  handle_leave(&handler->handle);
}

static const struct task_sink run_sink = {NULL, run_ended};

static void run_handler(struct handler *handler) {
  struct handle *h = &handler->handle;
  struct task *task = task_start(h->host, h->work.owner, call_handler, handler);
  if (task == NULL) return;
  handle_use(h);
  handler->running = true;
  handler->more = false;
  task->work.spec = h->work.spec;
  task->sink = &run_sink;
  task->name = signal_name(handler->number);
  task->origin = h->origin;
}

static void on_signal(struct taker *taker) {
  struct handler *handler = taker->data;
  if (handler->running)
    handler->more = true;
  else
    run_handler(handler);
}

static int start_handler(struct work *work) {
  struct handler *handler = (struct handler *)work;
  taker_begin(&handler->taker, handler->number);
  return 0;
}

static const struct work_kind handler_kind = {
  .name = "signal handler", .stop = handle_stop, .start = start_handler};

static void close_handler(struct handle *h) {
  struct handler *handler = (struct handler *)h;
  taker_end(&handler->taker);
  luaL_unref(h->host->L, LUA_REGISTRYINDEX, handler->function);
}

static void open_handler(struct handler *handler, int number,
                         struct owner *owner) {
  struct handle *h = &handler->handle;
  uv_idle_init(&h->host->loop, &handler->uv);
  handler->taker.take = on_signal;
  handler->taker.data = handler;
  handler->number = number;
  h->on_close = close_handler;
  h->rooted = true;
  handle_open(h, &handler->uv, &handler_kind, owner);
  h->work.staged = owner_is_staged(owner);
  if (!h->work.staged) start_handler(&h->work);
}

/* signal.on(name, function) */
static int signal_on(lua_State *L) {
  int number = check_signal(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  struct owner *owner = owner_here(L);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, handler_class, 0);
  lua_pushvalue(L, 2);
  int function = luaL_ref(L, LUA_REGISTRYINDEX);
  struct handler *handler = handle_new(host_of(L), sizeof *handler);
  if (handler == NULL) {
    luaL_unref(L, LUA_REGISTRYINDEX, function);
    return luaL_error(L, "not enough memory for a signal handler");
  }
  handler->function = function;
  handler->handle.origin = origin;
  open_handler(handler, number, owner);
  handle_fill_box(box, &handler->handle);
  return 1;
}

/* ---- holds --------------------------------------------------------------- */

struct hold {
  struct work work; /* first member; of the background of its version */
  struct taker taker;
  struct hold *next, **link; /* in `holds` */
  int waiters;
  bool came; /* and nobody waited */
};

/* The set of a waiter; no signal has a number above 64. */
static uint64_t bit_of(int number) {
  return (uint64_t)1 << (number - 1);
}

struct waiter {
  struct task *task;           /* first member: who waits */
  struct waiter *next, **link; /* in `waiters`; link NULL: it is over */
  struct generation *generation;
  uint64_t signals;
};

static struct hold *holds;
static struct waiter *waiters;

static bool counts_on(const struct waiter *waiter, const struct hold *hold) {
  return hold->work.owner == &waiter->generation->background &&
         (waiter->signals & bit_of(hold->taker.number)) != 0;
}

static void free_hold(struct hold *hold) {
  *hold->link = hold->next;
  if (hold->next != NULL) hold->next->link = hold->link;
  taker_end(&hold->taker);
  work_end(&hold->work);
  free(hold);
}

/* Nobody waits for it any more. */
static void rest_hold(struct hold *hold) {
  int number = hold->taker.number;
  if (number == SIGTERM || number == SIGINT) free_hold(hold);
}

/* Whatever has ended its wait. */
static void end_waiter(struct waiter *waiter) {
  if (waiter->link == NULL) return;
  *waiter->link = waiter->next;
  if (waiter->next != NULL) waiter->next->link = waiter->link;
  waiter->link = NULL;
  taker_keep_alive(false);
  for (struct hold *hold = holds, *next; hold != NULL; hold = next) {
    next = hold->next;
    if (counts_on(waiter, hold) && --hold->waiters == 0) rest_hold(hold);
  }
}

/* All who count on this hold; it may be gone afterwards. */
static void wake_waiters(struct hold *hold, int status) {
  int left = hold->waiters;
  for (struct waiter *waiter = waiters, *next; left > 0 && waiter != NULL;
       waiter = next) {
    next = waiter->next;
    if (!counts_on(waiter, hold)) continue;
    left--;
    if (waiter->task != NULL) task_wake(waiter->task, status);
    end_waiter(waiter);
  }
}

static void on_held(struct taker *taker) {
  struct hold *hold = taker->data;
  hold->came = hold->waiters == 0;
  wake_waiters(hold, taker->number);
}

/* Its version is over. (One more waiter: so it does not go with the last.) */
static void stop_hold(struct work *work) {
  struct hold *hold = (struct hold *)work;
  hold->waiters++;
  wake_waiters(hold, UV_ECANCELED);
  free_hold(hold);
}

static const struct work_kind hold_kind = {.name = "signal hold",
                                           .stop = stop_hold};

static struct hold *find_hold(const struct generation *generation, int number) {
  struct hold *hold = holds;
  while (hold != NULL && (hold->taker.number != number ||
                          hold->work.owner != &generation->background))
    hold = hold->next;
  return hold;
}

/* NULL without memory. */
static struct hold *take_hold(struct generation *generation, int number) {
  struct hold *hold = find_hold(generation, number);
  if (hold != NULL) return hold;
  hold = calloc(1, sizeof *hold);
  if (hold == NULL) return NULL;
  work_begin(&hold->work, &hold_kind, &generation->background);
  hold->next = holds;
  hold->link = &holds;
  if (holds != NULL) holds->link = &hold->next;
  holds = hold;
  hold->taker.take = on_held;
  hold->taker.data = hold;
  taker_begin(&hold->taker, number);
  return hold;
}

/* ---- signal.wait(name ... [, options] [, callback]) ---------------------- */

static int wait_finish(lua_State *L) { /* names, box */
  int status = wait_status(L);
  if (status < 0) {
    lua_pushfstring(L, "wait for %s", lua_tostring(L, 1));
    return error_result(L, status, lua_tostring(L, -1));
  }
  lua_pushstring(L, signal_name(status));
  return 1;
}

/* One that has been woken is over: its signal is for it. */
static bool interrupt(struct task *task) {
  end_waiter((struct waiter *)task->parked);
  return false;
}

static const struct wait signal_wait = {"signal", wait_finish, interrupt};

/* Pushes the names as one text. */
static uint64_t check_signals(lua_State *L, int count) {
  luaL_Buffer names;
  uint64_t signals = 0;
  for (int i = 1; i <= count; i++) signals |= bit_of(check_signal(L, i));
  luaL_buffinit(L, &names);
  for (int i = 1; i <= count; i++) {
    if (i > 1) luaL_addstring(&names, ", ");
    luaL_addstring(&names, signal_name(signal_check(L, i)));
  }
  luaL_pushresult(&names);
  return signals;
}

static struct waiter *push_waiter(lua_State *L, uint64_t signals) {
  struct waiter *waiter = lua_newuserdatauv(L, sizeof *waiter, 0);
  *waiter = (struct waiter){.generation = owner_here(L)->generation,
                            .signals = signals};
  class_set(L, waiter_class);
  return waiter;
}

/* The number of a signal that has come before, 0: none, or a status below. */
static int begin_waiter(struct waiter *waiter) {
  for (int number = 1; number <= 64; number++) {
    if ((waiter->signals & bit_of(number)) == 0) continue;
    struct hold *hold = take_hold(waiter->generation, number);
    if (hold == NULL) return UV_ENOMEM;
    if (!hold->came) continue;
    hold->came = false;
    return number;
  }
  return 0;
}

static void add_waiter(struct waiter *waiter) {
  for (struct hold *hold = holds; hold != NULL; hold = hold->next)
    if (counts_on(waiter, hold)) hold->waiters++;
  waiter->next = waiters;
  waiter->link = &waiters;
  if (waiters != NULL) waiters->link = &waiter->next;
  waiters = waiter;
  taker_keep_alive(true);
}

static int is_name(lua_State *L, int index) {
  int type = lua_type(L, index);
  return type == LUA_TSTRING || type == LUA_TNUMBER;
}

static int wait_for_signal(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  int last = 1;
  luaL_argexpected(L, is_name(L, 1), 1, "string");
  while (is_name(L, last + 1)) last++;
  option_arguments(L, last, options);
  int64_t timeout = option_ms(L, last + 1, "timeout");
  uint64_t signals = check_signals(L, last);
  struct waiter *waiter = push_waiter(L, signals);
  lua_pushvalue(L, last + 2);
  lua_replace(L, 3);
  lua_replace(L, 2);
  lua_replace(L, 1);
  lua_settop(L, 3);
  struct task *task = wait_begin(L, &signal_wait, 3); /* names, box, callback */
  int status = begin_waiter(waiter);
  add_waiter(waiter);
  if (status != 0) {
    end_waiter(waiter);
    return wait_fail(L, task, status);
  }
  return wait_park(L, task, &waiter->task, timeout);
}

/* ---- the module ---------------------------------------------------------- */

static int collect_waiter(lua_State *L) {
  end_waiter(lua_touserdata(L, 1));
  return 0;
}

static const luaL_Reg no_methods[] = {
  {NULL, NULL},
};

static const luaL_Reg handler_methods[] = {
  {"close", handle_method_close},
  {NULL, NULL},
};

static const struct class_field handler_fields[] = {
  {"closed", handle_field_closed, NULL},
  {NULL, NULL, NULL},
};

static const luaL_Reg functions[] = {
  {"on", signal_on},
  {"wait", wait_for_signal},
  {NULL, NULL},
};

int open_signal(lua_State *L) {
  handle_class(L, handler_class, handler_methods, handler_fields);
  class_open(L, waiter_class, no_methods, NULL);
  lua_pushcfunction(L, collect_waiter);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
