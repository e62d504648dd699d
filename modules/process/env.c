/* env.c - process.env: the environment, as a table that is not one.
 *
 * Nothing is kept in Lua: what C code sets or os.getenv reads is the same. */
#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/class.h"
#include "modules/process/process.h"

extern char **environ;

static const char class_name[] = "neap.env";

static const char *check_name(lua_State *L) {
  size_t size;
  if (lua_type(L, 2) != LUA_TSTRING)
    luaL_error(L, "the name of a variable is a string, not a %s",
               luaL_typename(L, 2));
  const char *name = lua_tolstring(L, 2, &size);
  if (size == 0 || strlen(name) != size || strchr(name, '=') != NULL)
    luaL_error(L, "no variable has the name '%s'", name);
  return name;
}

static int get(lua_State *L) {
  lua_pushstring(L, getenv(check_name(L)));
  return 1;
}

static int set(lua_State *L) {
  const char *name = check_name(L);
  if (lua_isnil(L, 3)) {
    unsetenv(name);
    return 0;
  }
  if (lua_type(L, 3) != LUA_TSTRING && lua_type(L, 3) != LUA_TNUMBER)
    return luaL_error(L, "the value of %s is a string, or nil, not a %s", name,
                      luaL_typename(L, 3));
  size_t size;
  const char *value = lua_tolstring(L, 3, &size);
  if (strlen(value) != size)
    return luaL_error(L, "the value of %s contains a zero", name);
  if (setenv(name, value, 1) != 0)
    return luaL_error(L, "cannot set %s: %s", name, uv_strerror(-errno));
  return 0;
}

/* A copy: so variables may be set and removed on the way. */
static void push_all(lua_State *L) {
  lua_newtable(L);
  for (char **item = environ; item != NULL && *item != NULL; item++) {
    const char *equals = strchr(*item, '=');
    if (equals == NULL) continue;
    lua_pushlstring(L, *item, (size_t)(equals - *item));
    lua_pushstring(L, equals + 1);
    lua_rawset(L, -3);
  }
}

static int next(lua_State *L) {
  lua_settop(L, 2);
  if (lua_next(L, 1) != 0) return 2;
  lua_pushnil(L);
  return 1;
}

static int pairs(lua_State *L) {
  lua_pushcfunction(L, next);
  push_all(L);
  return 2;
}

static const luaL_Reg metamethods[] = {
  {"__index", get},
  {"__newindex", set},
  {"__pairs", pairs},
  {NULL, NULL},
};

void process_push_env(lua_State *L) {
  lua_newuserdatauv(L, 0, 0);
  if (luaL_newmetatable(L, class_name)) luaL_setfuncs(L, metamethods, 0);
  lua_setmetatable(L, -2);
}
