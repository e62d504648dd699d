/* arguments.c - checks the arguments about names, at the caller's line. */
#include "modules/fs/arguments.h"

#include <fcntl.h>
#include <lauxlib.h>
#include <math.h>
#include <unistd.h>

enum { MODE_MOST = 07777 };

mode_t check_mode(lua_State *L, int index) {
  lua_Integer mode = luaL_checkinteger(L, index);
  luaL_argcheck(L, mode >= 0 && mode <= MODE_MOST, index,
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
