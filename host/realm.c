/* realm.c - puts the parts of Lua that a program can change away, and back. */
#include "host/realm.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>

static const char *const slots[] = {
  LUA_LOADED_TABLE,
  LUA_PRELOAD_TABLE,
  "_IO_input",
  "_IO_output",
};
enum { NSLOTS = sizeof slots / sizeof slots[0], NBASIC = 7 };
enum { GLOBALS = NSLOTS + 1, BASIC, SIZE = BASIC + NBASIC };

/* Some value of each type whose metatable all values of the type share. */
static void push_basic(lua_State *L, int which) {
  switch (which) {
    case 0: lua_pushnil(L); break;
    case 1: lua_pushboolean(L, 0); break;
    case 2: lua_pushinteger(L, 0); break;
    case 3: lua_rawgetp(L, LUA_REGISTRYINDEX, slots); break; /* "" */
    case 4: lua_pushcfunction(L, luaopen_base); break;
    case 5: lua_pushlightuserdata(L, NULL); break;
    default: lua_pushthread(L);
  }
}

static void put_away(lua_State *L, int out) {
  for (int i = 0; i < NSLOTS; i++) {
    lua_getfield(L, LUA_REGISTRYINDEX, slots[i]);
    lua_rawseti(L, out, i + 1);
  }
  lua_pushglobaltable(L);
  lua_rawseti(L, out, GLOBALS);
  for (int i = 0; i < NBASIC; i++) {
    push_basic(L, i);
    if (!lua_getmetatable(L, -1)) lua_pushnil(L);
    lua_rawseti(L, out, BASIC + i);
    lua_pop(L, 1);
  }
}

static void put_in_place(lua_State *L, int in) {
  for (int i = 0; i < NSLOTS; i++) {
    lua_rawgeti(L, in, i + 1);
    lua_setfield(L, LUA_REGISTRYINDEX, slots[i]);
  }
  lua_rawgeti(L, in, GLOBALS);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  for (int i = 0; i < NBASIC; i++) {
    push_basic(L, i);
    lua_rawgeti(L, in, BASIC + i);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
  }
}

void realm_exchange(lua_State *L, int out, int in) {
  out = lua_absindex(L, out);
  in = lua_absindex(L, in);
  put_away(L, out);
  put_in_place(L, in);
}

void realm_push_globals(lua_State *L, int realm) {
  lua_rawgeti(L, realm, GLOBALS);
}

/* The libraries are opened again rather than copied: Lua's own luaopen_*
 * functions know best what a fresh one looks like. Only io renews something
 * that all realms share, the methods of files: the running program's stay. */
static int fill(lua_State *L) {
  lua_CFunction open = lua_tocfunction(L, 1);
  bool first = luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TNIL;
  if (!first) lua_getfield(L, -1, "__index");
  luaL_openlibs(L);
  if (!first) lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, open);
  lua_call(L, 0, 0);
  return 0;
}

void realm_new(lua_State *L, lua_CFunction open) {
  lua_createtable(L, SIZE, 0); /* the realm in place, while we make another */
  lua_createtable(L, SIZE, 0); /* the new one */
  lua_newtable(L);
  lua_rawseti(L, -2, GLOBALS);
  for (int i = 0; i < NSLOTS; i++) { /* nil would free the key's memory, and */
    lua_pushboolean(L, 0);           /* putting it back would need some */
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushliteral(L, "");
  lua_rawsetp(L, LUA_REGISTRYINDEX, slots);
  realm_exchange(L, -2, -1);
  lua_pushcfunction(L, fill);
  lua_pushcfunction(L, open);
  int status = lua_pcall(L, 1, 0, 0);
  if (status == LUA_OK)
    realm_exchange(L, -1, -2);
  else
    put_in_place(L, lua_absindex(L, -3));
  if (status != LUA_OK) lua_error(L);
  lua_remove(L, -2);
}
