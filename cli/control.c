/* control.c - when cli/control.lua runs, and what it has to know of the host.
 * One timeout, which does not keep the loop alive, starts all of it: first the
 * opening, then what control.lua asks for. Each is a task of the root. */
#include "cli/control.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/rundir.h"
#include "host/embedded.h"
#include "host/generation.h"
#include "host/handle.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "modules/hot/hot.h"

enum { OPEN_AFTER_MS = 50 };

static const char file_name[] = "cli/control.lua";

static struct {
  struct host *host;
  const struct options *options;
  struct timeout timeout;
  uint64_t started; /* ns */
  int due;          /* a reference: what the timeout calls; none: opening */
} control;

/* ---- for control.lua ----------------------------------------------------- */

static int get_uptime(lua_State *L) {
  lua_pushnumber(L, (double)(uv_hrtime() - control.started) / 1e9);
  return 1;
}

static bool is_own(const struct handle *h) {
  const char *source = h->origin.source;
  return source != NULL && strncmp(source, "neap:", 5) == 0 &&
         strcmp(source + 5, file_name) == 0;
}

/* Those that are in use: not the ones that only wait for libuv or the peer. */
static void count(struct work *work, void *data) {
  const struct handle *h = (const struct handle *)work;
  if (strcmp(work->kind->name, "connection") != 0) return;
  if (!h->ended && !h->closing && !is_own(h)) ++*(lua_Integer *)data;
}

static int count_connections(lua_State *L) {
  lua_Integer result = 0;
  generation_each_work(control.host, count, &result);
  lua_pushinteger(L, result);
  return 1;
}

/* call_after(seconds, function): no-op while an earlier one is to come. */
static int call_after(lua_State *L) {
  lua_Number seconds = check_seconds(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  if (wheel_has(&control.timeout)) return 0;
  lua_settop(L, 2);
  luaL_unref(L, LUA_REGISTRYINDEX, control.due);
  control.due = LUA_NOREF;
  control.due = luaL_ref(L, LUA_REGISTRYINDEX);
  struct clock *clock = &control.host->clock;
  clock_set(clock, &control.timeout, clock_after(clock, seconds));
  return 0;
}

/* reload() -> modules/hot/reload.lua: only who is asked needs it. */
static int push_reload(lua_State *L) {
  hot_push_reload(L);
  return 1;
}

static const luaL_Reg functions[] = {
  {"call_after", call_after}, {"connections", count_connections},
  {"reload", push_reload},    {"unref", handle_method_unref},
  {"uptime", get_uptime},     {NULL, NULL},
};

static void set_string(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

/* As it is found from elsewhere. The system's memory must not be lost if Lua
 * has none: so it goes through a buffer. */
static void set_script(lua_State *L) {
  const char *script = control.options->argv[control.options->script];
  char path[4096];
  char *real = realpath(script, NULL);
  bool fits = real != NULL && strlen(real) < sizeof path;
  if (fits) strcpy(path, real);
  free(real);
  set_string(L, "script", fits ? path : script);
}

static void push_control(lua_State *L) {
  luaL_newlib(L, functions);
  rundir_set_functions(L);
  lua_pushinteger(L, (lua_Integer)getpid());
  lua_setfield(L, -2, "pid");
  set_string(L, "name", control.options->name);
  set_script(L);
}

/* ---- when ---------------------------------------------------------------- */

static int run(lua_State *L) {
  lua_settop(L, 0);
  if (control.due != LUA_NOREF) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, control.due);
    return task_call_last(L, 0);
  }
  embedded_load(L, file_name);
  push_control(L);
  return task_call_last(L, 1);
}

static void on_due(struct timeout *timeout) {
  struct host *host = timeout->data;
  if (host->phase != HOST_RUNNING) return;
  struct task *task = task_start(host, &host->root->background, run, NULL);
  if (task != NULL) task->name = "control";
}

void control_start(struct host *host, const struct options *options) {
  control.host = host;
  control.options = options;
  control.started = uv_hrtime();
  control.due = LUA_NOREF;
  control.timeout.fire = on_due;
  control.timeout.data = host;
  clock_set(&host->clock, &control.timeout,
            clock_ms(&host->clock) + OPEN_AFTER_MS);
}
