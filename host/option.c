/* option.c - checks options: an unknown key is a typing error, and raises. */
#include "host/option.h"

#include <lauxlib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

static const lua_Number seconds_most = 1e9; /* thirty years */

static bool is_known(const char *name, const char *const names[]) {
  for (; *names != NULL; names++)
    if (strcmp(*names, name) == 0) return true;
  return false;
}

static void push_names(lua_State *L, const char *const names[]) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (; *names != NULL; names++) {
    luaL_addstring(&buffer, *names);
    if (names[1] != NULL) luaL_addstring(&buffer, ", ");
  }
  luaL_pushresult(&buffer);
}

static void unknown(lua_State *L, int index, const char *const names[]) {
  const char *key = luaL_tolstring(L, -2, NULL);
  push_names(L, names);
  luaL_argerror(L, index,
                lua_pushfstring(L,
                                "unknown option '%s' (there are: "
                                "%s)",
                                key, lua_tostring(L, -1)));
}

void option_check(lua_State *L, int index, const char *const names[]) {
  if (lua_isnoneornil(L, index)) return;
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING || !is_known(lua_tostring(L, -2), names))
      unknown(L, index, names);
    lua_pop(L, 1);
  }
}

void option_arguments(lua_State *L, int fixed, const char *const names[]) {
  int options = fixed + 1, callback = fixed + 2;
  if (lua_gettop(L) == fixed) { /* mostly there is neither */
    lua_settop(L, callback);
    return;
  }
  if (lua_isfunction(L, options)) {
    lua_pushnil(L);
    lua_insert(L, options);
  }
  lua_settop(L, callback);
  if (!lua_isnil(L, callback)) luaL_checktype(L, callback, LUA_TFUNCTION);
  option_check(L, options, names);
}

static lua_Number check_range(lua_State *L, int index, const char *name) {
  int is_number;
  lua_Number seconds = lua_tonumberx(L, -1, &is_number);
  if (!is_number || !(seconds >= 0 && seconds <= seconds_most))
    luaL_argerror(L, index,
                  lua_pushfstring(L,
                                  "%s must be a number of seconds from 0 "
                                  "to 1e9, not %s",
                                  name, luaL_tolstring(L, -1, NULL)));
  return seconds;
}

lua_Number check_seconds(lua_State *L, int index) {
  int is_number;
  lua_Number seconds = lua_tonumberx(L, index, &is_number);
  if (is_number && seconds >= 0 && seconds <= seconds_most) return seconds;
  luaL_checknumber(L, index);
  lua_pushvalue(L, index);
  return check_range(L, index, "time"); /* raises */
}

/* Pushes the value; false, and nothing, where it is not given. */
static bool get(lua_State *L, int index, const char *name) {
  if (lua_isnoneornil(L, index)) return false;
  if (lua_getfield(L, index, name) != LUA_TNIL) return true;
  lua_pop(L, 1);
  return false;
}

int64_t milliseconds(lua_Number seconds) {
  return (int64_t)ceil(seconds * 1000 - 1e-3);
}

int64_t option_ms(lua_State *L, int index, const char *name) {
  if (!get(L, index, name)) return -1;
  lua_Number seconds = check_range(L, index, name);
  lua_pop(L, 1);
  return milliseconds(seconds);
}

static void refuse(lua_State *L, int index, const char *what) {
  luaL_argerror(
    L, index,
    lua_pushfstring(L, "%s, not %s", what, luaL_tolstring(L, -2, NULL)));
}

lua_Integer option_integer(lua_State *L, int index, const char *name,
                           lua_Integer least, lua_Integer most,
                           lua_Integer other) {
  int is_integer;
  if (!get(L, index, name)) return other;
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (lua_type(L, -1) != LUA_TNUMBER || !is_integer || value < least ||
      value > most) {
    lua_pushfstring(L, "%s must be an integer from %I to %I", name,
                    (LUAI_UACINT)least, (LUAI_UACINT)most);
    refuse(L, index, lua_tostring(L, -1));
  }
  lua_pop(L, 1);
  return value;
}

bool option_flag(lua_State *L, int index, const char *name) {
  if (!get(L, index, name)) return false;
  if (!lua_isboolean(L, -1)) {
    lua_pushfstring(L, "%s must be true or false", name);
    refuse(L, index, lua_tostring(L, -1));
  }
  bool value = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

void check_strings(lua_State *L, int index) {
  luaL_Buffer buffer;
  if (lua_type(L, index) != LUA_TTABLE) {
    luaL_checkstring(L, index);
    return;
  }
  lua_Integer count = luaL_len(L, index);
  luaL_buffinit(L, &buffer);
  for (lua_Integer i = 1; i <= count; i++) {
    int type = lua_geti(L, index, i);
    if (type != LUA_TSTRING && type != LUA_TNUMBER)
      luaL_argerror(
        L, index,
        lua_pushfstring(L, "element %I of the list is a %s, not a string",
                        (LUAI_UACINT)i, lua_typename(L, type)));
    luaL_addvalue(&buffer);
  }
  luaL_pushresult(&buffer);
  lua_replace(L, index);
}
