/* paths.c - puts LuaRocks' places before Lua's default ones, wherever those
 * stand in package.path and package.cpath. The default is that of the Lua we are
 * built with: so Debian's places for each architecture are in it. */
#include "host/paths.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define VERSION LUA_VERSION_MAJOR "." LUA_VERSION_MINOR
#define SHARE(root)                                                            \
  root "/share/lua/" VERSION "/?.lua;" root "/share/lua/" VERSION "/?/init.lua;"
#define LIB(root) root "/lib/lua/" VERSION "/?.so;"

enum { TREES = 2 };

struct place {
  const char *field, *variable;
  const char *trees[TREES]; /* a project's, a user's: "~" stands for the home */
  const char *standard;
};

static const struct place places[] = {
  {"path",
   "LUA_PATH",
   {SHARE("./lua_modules"), SHARE("~/.luarocks")},
   LUA_PATH_DEFAULT},
  {"cpath",
   "LUA_CPATH",
   {LIB("./lua_modules"), LIB("~/.luarocks")},
   LUA_CPATH_DEFAULT},
};

/* `neap -E` */
static bool ignores_environment(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  bool ignores = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return ignores;
}

/* NULL: there is none that a path may hold. */
static const char *home(lua_State *L) {
  const char *path = ignores_environment(L) ? NULL : getenv("HOME");
  if (path == NULL || path[0] != '/') return NULL;
  return strpbrk(path, ";?") == NULL ? path : NULL;
}

static bool is_set(lua_State *L, const struct place *place) {
  if (ignores_environment(L)) return false;
  const char *versioned =
    lua_pushfstring(L, "%s%s", place->variable, LUA_VERSUFFIX);
  bool set = getenv(versioned) != NULL || getenv(place->variable) != NULL;
  lua_pop(L, 1);
  return set;
}

static void add_trees(lua_State *L, luaL_Buffer *buffer,
                      const struct place *place) {
  const char *directory = home(L);
  luaL_addstring(buffer, place->trees[0]);
  if (directory != NULL) luaL_addgsub(buffer, place->trees[1], "~", directory);
}

/* The table `package` is on top. */
static void extend(lua_State *L, const struct place *place) {
  luaL_Buffer buffer;
  if (lua_getfield(L, -1, place->field) != LUA_TSTRING) {
    lua_pop(L, 1);
    return;
  }
  const char *path = lua_tostring(L, -1);
  const char *at = strstr(path, place->standard);
  if (at == NULL && is_set(L, place)) { /* it does not want the default */
    lua_pop(L, 1);
    return;
  }
  if (at == NULL) at = path; /* a Lua that was built otherwise */
  luaL_buffinit(L, &buffer);
  luaL_addlstring(&buffer, path, (size_t)(at - path));
  add_trees(L, &buffer, place);
  luaL_addstring(&buffer, at);
  luaL_pushresult(&buffer);
  lua_setfield(L, -3, place->field);
  lua_pop(L, 1);
}

void paths_open(lua_State *L) {
  lua_getglobal(L, LUA_LOADLIBNAME);
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
    extend(L, &places[i]);
  lua_pop(L, 1);
}
