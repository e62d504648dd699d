/* limit.c - the runner waits for a spec, and for so long at most.
 *
 * It is real time, also where a spec has a clock of its own, and it keeps
 * nothing alive: a spec that nothing can wake is found at once. What waits is
 * noticed by a timer of the loop; what spins, by the watchdog: it is cancelled
 * on its line. */
#include <lauxlib.h>
#include <math.h>
#include <uv.h>

#include "cli/test/core.h"
#include "host/cancel.h"
#include "host/generation.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/option.h"
#include "host/signals.h"
#include "host/task.h"
#include "host/wait.h"
#include "host/watchdog.h"

struct limit {
  struct handle handle;
  uv_timer_t timer;
  struct task *runner; /* it waits for the spec, or NULL */
  bool done;           /* the spec has ended */
  struct origin spun;  /* where one of its tasks was cut, or none */
};

static struct limit *limit; /* one runner a process */

/* ---- the alarm ----------------------------------------------------------- */

static const struct work_kind kind = {.name = "limit", .stop = handle_stop};

static void wake(int status) {
  if (limit->runner != NULL) wait_wake_all(limit->runner, status);
}

static void on_alarm(uv_timer_t *timer) {
  (void)timer;
  wake(UV_ETIMEDOUT);
}

static void make(lua_State *L) {
  struct host *host = host_of(L);
  limit = handle_new(host, sizeof *limit);
  if (limit == NULL) luaL_error(L, "not enough memory");
  uv_timer_init(&host->loop, &limit->timer);
  uv_unref((uv_handle_t *)&limit->timer);
  handle_open(&limit->handle, &limit->timer, &kind, &host->root->background);
}

/* From this moment, not from when the loop has last looked. */
static void set_alarm(struct host *host, uint64_t ms) {
  uint64_t late = uv_hrtime() / 1000000 - uv_now(&host->loop);
  uv_timer_start(&limit->timer, on_alarm, ms + late, 0);
}

/* ---- a task that does not give way --------------------------------------- */

static void cut(lua_State *L, struct host *host) {
  struct task *task = host->current;
  if (task->work.spec == 0 || limit == NULL) return;
  if (limit->spun.source == NULL) limit->spun = origin_of(host, L);
  if (task->unwinding)
    cancel_raise(L);
  else
    wait_end_here(L);
}

/* ---- wait(seconds) -> done, line ----------------------------------------- */

static int finish(lua_State *L) {
  uv_timer_stop(&limit->timer);
  watchdog_guard(host_of(L), 0, 0);
  lua_pushboolean(L, limit->done);
  if (limit->spun.source == NULL) return 1;
  lua_pushfstring(L, "%s:%d", limit->spun.source, limit->spun.line);
  return 2;
}

static const struct wait spec_wait = {"spec", finish, NULL};

/* Until done() has been called since start(); 0: for as long as that takes. */
static int wait_for_spec(lua_State *L) {
  struct host *host = host_of(L);
  uint64_t ms = (uint64_t)ceil(check_seconds(L, 1) * 1000);
  lua_settop(L, 1);
  struct task *task = wait_begin(L, &spec_wait, 2);
  if (limit->done) return wait_pass(L, task, &limit->runner);
  if (ms > 0) {
    set_alarm(host, ms);
    unsigned slice = ms < UINT32_MAX ? (unsigned)ms : UINT32_MAX;
    watchdog_guard(host, slice, slice);
  }
  return wait_park(L, task, &limit->runner, WAIT_FOREVER);
}

static int start(lua_State *L) {
  if (limit == NULL) make(L);
  limit->done = false;
  limit->spun = (struct origin){NULL, 0};
  signals_on_cut(cut);
  return 0;
}

static int done(lua_State *L) {
  (void)L;
  limit->done = true;
  wake(0);
  return 0;
}

static const luaL_Reg functions[] = {
  {"done", done},
  {"start", start},
  {"wait", wait_for_spec},
  {NULL, NULL},
};

void test_add_limit(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
