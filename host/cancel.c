/* cancel.c - the cancellation, and the pcall and xpcall that respect it. */
#include "host/cancel.h"

#include <lauxlib.h>

#include "host/embedded.h"

static const char key = 0;

static int to_string(lua_State *L) {
  lua_pushliteral(L, "task cancelled");
  return 1;
}

static void make(lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, to_string);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "neap.cancellation");
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &key); /* all realms share it */
}

int cancel_raise(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
  return lua_error(L);
}

bool cancel_is(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA) return false;
  const void *value = lua_touserdata(L, index);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
  bool is = lua_touserdata(L, -1) == value;
  lua_pop(L, 1);
  return is;
}

/* ---- as in Lua's lbaselib.c, but for the test of the error --------------- */

static int finish(lua_State *L, int status, lua_KContext skip) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)skip;
  if (cancel_is(L, -1)) return lua_error(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish);
  return finish(L, status, 0);
}

static lua_CFunction traceback; /* Lua's own, the handler that most give */

static int handle_in_c(lua_State *L) { /* error; the handler */
  if (cancel_is(L, 1)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  if (lua_tocfunction(L, 1) == traceback && lua_isstring(L, 2))
    luaL_traceback(L, L, lua_tostring(L, 2), 1); /* as if we were it */
  else
    lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int is_cancellation(lua_State *L) {
  lua_pushboolean(L, cancel_is(L, 1));
  return 1;
}

/* The handler at index 2 gets something before it; see xpcall.lua. */
static void guard_handler(lua_State *L) {
  if (lua_iscfunction(L, 2)) {
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handle_in_c, 1);
  } else {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 2);
    lua_call(L, 1, 1);
  }
  lua_replace(L, 2);
}

static int protected_call_with(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  guard_handler(L);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  int status = lua_pcallk(L, count - 2, LUA_MULTRET, 2, 2, finish);
  return finish(L, status, 2);
}

static void open_xpcall(lua_State *L) {
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  traceback = lua_tocfunction(L, -1);
  lua_pop(L, 2);
  embedded_load(L, "host/xpcall.lua");
  lua_pushcfunction(L, is_cancellation);
  lua_call(L, 1, 1);
  lua_pushcclosure(L, protected_call_with, 1);
  lua_setglobal(L, "xpcall");
}

void cancel_open(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) == LUA_TNIL) make(L);
  lua_pop(L, 1);
  lua_pushcfunction(L, protected_call);
  lua_setglobal(L, "pcall");
  open_xpcall(L);
}
