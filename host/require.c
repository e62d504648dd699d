/* require.c - what require.lua needs of the host: who runs, a gate where tasks
 * wait for the one that loads a module, and files. */
#include "host/require.h"

#include <lauxlib.h>

#include "host/chunk.h"
#include "host/embedded.h"
#include "host/gate.h"
#include "host/host.h"
#include "host/luv.h"
#include "host/paths.h"
#include "host/task.h"

static int current(lua_State *L) {
  const struct task *task = host_of(L)->current;
  lua_pushinteger(L, task == NULL ? 0 : (lua_Integer)task->id);
  return 1;
}

/* ---- files --------------------------------------------------------------- */

/* path, module: the chunk; nothing if it cannot be opened; nil, message */
static int load_chunk(lua_State *L) {
  int status = chunk_load(L, luaL_checkstring(L, 1), luaL_checkstring(L, 2));
  if (status == LUA_OK) return 1;
  if (status == LUA_ERRFILE) return 0;
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/* path, loader: the loader to be used */
static int take_native(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  chunk_note_file(L, path, "native");
  lua_settop(L, 2);
  luv_adapt(L, path);
  return 1;
}

/* ---- require(name) ------------------------------------------------------- */

static int require_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  return lua_gettop(L);
}

static int call_require(lua_State *L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_callk(L, 1, LUA_MULTRET, 0, require_over);
  return require_over(L, LUA_OK, 0);
}

void require_open(lua_State *L) {
  gate_open_class(L);
  paths_open(L);
  embedded_load(L, "host/require.lua");
  lua_pushcfunction(L, current);
  lua_pushcfunction(L, gate_new);
  lua_pushcfunction(L, load_chunk);
  lua_pushcfunction(L, take_native);
  lua_call(L, 4, 1);
  lua_pushcclosure(L, call_require, 1);
  lua_setglobal(L, "require");
}
