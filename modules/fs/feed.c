/* feed.c - below watch.lua, which finds out what has changed: what it is given,
 * and how it tells. It runs in the root, so a reload does not disturb it; it
 * ends when its watcher is closed. */
#include <lauxlib.h>
#include <string.h>

#include "host/class.h"
#include "host/embedded.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/notifier.h"
#include "host/task.h"
#include "modules/fs/marks.h"
#include "modules/fs/watcher.h"

static const char class_name[] = "neap.fs.feed";
static const char run_key = 0; /* in the registry: what watch.lua returns */

struct feed {
  struct watcher *watcher; /* it is used as long as this lives */
};

static struct watcher *check(lua_State *L) {
  return ((struct feed *)class_check(L, 1, class_name))->watcher;
}

/* ---- methods ------------------------------------------------------------- */

/* attach(notifier): whoever feeds waits there */
static int attach(lua_State *L) {
  struct watcher *watcher = check(L);
  struct notifier *source = notifier_use(L, 2);
  if (watcher->source != NULL) notifier_leave(watcher->source);
  watcher->source = source;
  if (watcher->handle.closing) notifier_poke(source);
  return 0;
}

/* arm(): from now on nothing is missed */
static int arm(lua_State *L) {
  watcher_arm(check(L));
  return 0;
}

static int is_closed(lua_State *L) {
  const struct watcher *watcher = check(L);
  lua_pushboolean(L, watcher->handle.closing || watcher->handle.ended);
  return 1;
}

static int is_idle(lua_State *L) {
  lua_pushboolean(L, watcher_is_idle(check(L)));
  return 1;
}

static int is_wanted(lua_State *L) {
  lua_pushboolean(L, watcher_is_wanted(check(L)));
  return 1;
}

/* put(path, kind) */
static int put(lua_State *L) {
  static const char *const kinds[] = {"changed", "created", "removed", NULL};
  struct watcher *watcher = check(L);
  size_t size;
  const char *path = luaL_checklstring(L, 2, &size);
  const char *kind = kinds[luaL_checkoption(L, 3, NULL, kinds)];
  if (watcher->handle.closing) return 0;
  if (!watcher_put(watcher, path, size, kind))
    return luaL_error(L, "not enough memory for a change");
  return 0;
}

static int deliver(lua_State *L) {
  watcher_deliver(check(L));
  return 0;
}

static int set_polling(lua_State *L) {
  check(L)->polling = lua_toboolean(L, 2);
  return 0;
}

static int end(lua_State *L) {
  handle_close(&check(L)->handle);
  return 0;
}

static int collect(lua_State *L) {
  struct feed *feed = lua_touserdata(L, 1);
  if (feed->watcher != NULL) handle_leave(&feed->watcher->handle);
  feed->watcher = NULL;
  return 0;
}

static const luaL_Reg methods[] = {
  {"arm", arm},
  {"attach", attach},
  {"close", end},
  {"deliver", deliver},
  {"is_closed", is_closed},
  {"is_idle", is_idle},
  {"is_wanted", is_wanted},
  {"put", put},
  {"set_polling", set_polling},
  {NULL, NULL},
};

/* ---- what watch.lua is given --------------------------------------------- */

/* serve(fn, ...): a task of the root that serves others */
static int serve(lua_State *L) {
  struct owner *owner = &host_of(L)->root->background;
  struct task *task = task_spawn_as(L, lua_gettop(L) - 1, owner);
  task->name = "watcher";
  task->serves = true;
  return 0;
}

static const luaL_Reg functions[] = {
  {"entries", marks_in},
  {"marks", marks_of},
  {"marks_followed", marks_followed},
  {"serve", serve},
  {NULL, NULL},
};

static void open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

/* Pushes the function `run`. */
static void load(lua_State *L) {
  open_class(L);
  embedded_load(L, "modules/fs/watch.lua");
  notifier_push_core(L);
  luaL_setfuncs(L, functions, 0);
  embedded_add_load(L);
  embedded_load(L, "host/watch.lua");
  lua_pushvalue(L, -2);
  lua_call(L, 1, 2);
  lua_call(L, 3, 1);
}

static void push_run(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &run_key) == LUA_TFUNCTION) return;
  lua_pop(L, 1);
  load(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &run_key);
}

static void push_feed(lua_State *L, struct watcher *watcher) {
  struct feed *feed = lua_newuserdatauv(L, sizeof *feed, 0);
  feed->watcher = NULL;
  class_set(L, class_name);
  feed->watcher = watcher;
  handle_use(&watcher->handle);
}

int watcher_feed(lua_State *L) {
  struct watcher *watcher = lua_touserdata(L, 1);
  push_run(L);
  push_feed(L, watcher);
  lua_pushstring(L, watcher->absolute);
  lua_pushstring(L, watcher->path);
  lua_pushboolean(L, watcher->recursive);
  lua_pushnumber(L, watcher->gather);
  return task_call_last(L, 5);
}
