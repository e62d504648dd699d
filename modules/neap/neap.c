/* neap.c - module `neap`: start tasks, see them, end the program. */
#include "modules/neap/neap.h"

#include <lauxlib.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/loop.h"
#include "host/task.h"
#include "host/task_list.h"
#include "host/wait.h"
#include "modules/modules.h"
#include "modules/neap/standard.h"

/* ---- neap.go(fn, ...) -> task -------------------------------------------- */

static int neap_go(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  struct origin origin = origin_here(L);
  task_go(L, 1)->origin = origin;
  return 1;
}

/* ---- neap.on_error(fn) --------------------------------------------------- */

static int neap_on_error(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) { /* the slot is never nil: see generation.c */
    lua_pushboolean(L, 0);
    lua_replace(L, 1);
  }
  generation_set(L, owner_here(L)->generation, GENERATION_ON_ERROR);
  return 0;
}

/* ---- neap.ready(), neap.exit([code]), neap.tasks() ----------------------- */

static int neap_ready(lua_State *L) {
  generation_set_ready(owner_here(L)->generation);
  return 0;
}

static int check_code(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return 0;
  if (lua_isboolean(L, 1)) return lua_toboolean(L, 1) ? 0 : 1;
  return (int)(luaL_checkinteger(L, 1) & 0xff);
}

int neap_exit(lua_State *L) {
  struct host *host = host_of(L);
  int code = check_code(L);
  if (generation_here(L)->state == GENERATION_PREPARING) {
    lua_pushfstring(L, "os.exit(%d) was called while it was loaded", code);
    return generation_refuse(L, lua_tostring(L, -1));
  }
  loop_stop(host, code);
  if (host->current == NULL || host_in_finalizer(L)) return 0;
  return wait_end_here(L);
}

static int neap_tasks(lua_State *L) {
  task_list_push(L);
  return 1;
}

static const luaL_Reg functions[] = {
  {"deadline", scope_deadline},
  {"exit", neap_exit},
  {"go", neap_go},
  {"group", scope_group},
  {"on_error", neap_on_error},
  {"poll", neap_poll},
  {"ready", neap_ready},
  {"tasks", neap_tasks},
  {NULL, NULL},
};

/* What follows the script on the command line, without the script. */
static void push_args(lua_State *L) {
  lua_newtable(L);
  if (lua_getglobal(L, "arg") == LUA_TTABLE) {
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++)
      lua_rawseti(L, -3, i);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

int open_neap(lua_State *L) {
  scope_open(L);
  poll_open_class(L);
  luaL_newlib(L, functions);
  push_args(L);
  lua_setfield(L, -2, "args");
  lua_pushliteral(L, NEAP_VERSION);
  lua_setfield(L, -2, "version");
  standard_open(L);
  return 1;
}
