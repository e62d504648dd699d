/* json.c - module `neap.json`: encode, decode, array, is_array, null.
 *
 * A Lua table says neither whether it is an array or an object when it is empty,
 * nor can it hold a nil. So there are a value `null` and a mark for arrays: a
 * userdata and a metatable, one of each for all versions of a program, so that
 * what one version keeps for the next still means the same. */
#include "modules/json/json.h"

#include <lauxlib.h>

#include "host/option.h"
#include "modules/json/tree.h"
#include "modules/modules.h"

void json_check_options(lua_State *L, const char *const names[]) {
  if (lua_gettop(L) > 1 && !lua_isnil(L, 2)) {
    luaL_checktype(L, 2, LUA_TTABLE);
    option_arguments(L, 1, names);
  }
  lua_settop(L, 2);
}

/* ---- arrays and null ----------------------------------------------------- */

static const char array_key = 0, null_key = 0;

static int null_tostring(lua_State *L) {
  lua_pushliteral(L, "null");
  return 1;
}

/* What is on top is to be found there by all realms. */
static void keep(lua_State *L, const void *key) {
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

static void push_null(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &null_key) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, null_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "json.null");
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, -2);
  keep(L, &null_key);
}

static void push_array_mark(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "json.array");
  lua_setfield(L, -2, "__name");
  keep(L, &array_key);
}

static bool is_marked(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  bool is = lua_rawequal(L, -1, lua_upvalueindex(JSON_ARRAY_UPVALUE));
  lua_pop(L, 1);
  return is;
}

static int json_array(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (is_marked(L, 1)) return 1;
  luaL_argcheck(L, !lua_getmetatable(L, 1), 1,
                "a table with a metatable cannot be marked");
  lua_pushvalue(L, lua_upvalueindex(JSON_ARRAY_UPVALUE));
  lua_setmetatable(L, 1);
  return 1;
}

static int json_is_array(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, lua_istable(L, 1) && is_marked(L, 1));
  return 1;
}

/* ---- the module ---------------------------------------------------------- */

static const luaL_Reg functions[] = {
  {"array", json_array},
  {"decode", json_decode},
  {"encode", json_encode},
  {"is_array", json_is_array},
  {NULL, NULL},
};

int open_json(lua_State *L) {
  tree_init(L);
  luaL_newlibtable(L, functions);
  push_null(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "null");
  push_array_mark(L);
  luaL_setfuncs(L, functions, JSON_UPVALUES);
  return 1;
}
