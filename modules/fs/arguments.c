/* arguments.c - checks the arguments about names, at the caller's line. */
#include "modules/fs/arguments.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MODE_MOST = 07777 };

static bool is_mode(lua_State *L, int index, lua_Integer *mode) {
  int is_integer;
  *mode = lua_tointegerx(L, index, &is_integer);
  return is_integer && *mode >= 0 && *mode <= MODE_MOST;
}

mode_t check_mode(lua_State *L, int index) {
  lua_Integer mode;
  luaL_checkinteger(L, index);
  luaL_argcheck(L, is_mode(L, index, &mode), index,
                "permission bits lie from 0 to 4095 (octal 7777)");
  return (mode_t)mode;
}

unsigned check_id(lua_State *L, int index) {
  lua_Integer id = luaL_checkinteger(L, index);
  luaL_argcheck(L, id >= -1 && id < (lua_Integer)(unsigned)-1, index,
                "no id of a user or group");
  return (unsigned)id;
}

struct timespec check_time(lua_State *L, int index) {
  static const lua_Number most = 1e15;
  if (lua_isinteger(L, index) && lua_tointeger(L, index) < (lua_Integer)most &&
      lua_tointeger(L, index) > -(lua_Integer)most)
    return (struct timespec){.tv_sec = (time_t)lua_tointeger(L, index)};
  lua_Number time = luaL_checknumber(L, index);
  luaL_argcheck(L, time > -most && time < most, index, "no time");
  lua_Number seconds = floor(time);
  long ns = lround((time - seconds) * 1e9);
  if (ns > 999999999) ns = 999999999;
  return (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = ns};
}

int check_access(lua_State *L, int index) {
  int how = F_OK;
  for (const char *letter = luaL_optstring(L, index, ""); *letter != '\0';
       letter++) {
    if (*letter == 'r')
      how |= R_OK;
    else if (*letter == 'w')
      how |= W_OK;
    else if (*letter == 'x')
      how |= X_OK;
    else
      luaL_argerror(L, index,
                    "access is asked for as 'r', 'w', 'x' or several");
  }
  return how;
}

/* ---- options ------------------------------------------------------------- */

/* Pushes the value; false, and nothing, where it is not given. */
static bool get(lua_State *L, int index, const char *name) {
  if (lua_isnoneornil(L, index)) return false;
  if (lua_getfield(L, index, name) != LUA_TNIL) return true;
  lua_pop(L, 1);
  return false;
}

bool option_is(lua_State *L, int index, const char *name, bool otherwise) {
  if (!get(L, index, name)) return otherwise;
  if (!lua_isboolean(L, -1))
    luaL_argerror(L, index,
                  lua_pushfstring(L, "%s must be true or false, not %s", name,
                                  luaL_typename(L, -1)));
  bool is = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return is;
}

mode_t option_mode(lua_State *L, int index, const char *name,
                   mode_t otherwise) {
  lua_Integer mode;
  if (!get(L, index, name)) return otherwise;
  if (!is_mode(L, -1, &mode))
    luaL_argerror(L, index,
                  lua_pushfstring(L,
                                  "%s must be permission bits, an integer "
                                  "from 0 to 4095 (octal 7777), not %s",
                                  name, luaL_tolstring(L, -1, NULL)));
  lua_pop(L, 1);
  return (mode_t)mode;
}

const char *option_path(lua_State *L, int index, const char *name,
                        const char *otherwise) {
  if (!get(L, index, name)) return lua_pushstring(L, otherwise);
  size_t size;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_argerror(L, index,
                  lua_pushfstring(L, "%s must be a string, not %s", name,
                                  luaL_typename(L, -1)));
  const char *path = lua_tolstring(L, -1, &size);
  luaL_argcheck(L, strlen(path) == size, index, "a path contains no zero");
  return path;
}
