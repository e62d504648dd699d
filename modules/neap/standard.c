/* standard.c - fields of the module that are made when they are first asked
 * for: most programs never do. */
#include "modules/neap/standard.h"

#include <lauxlib.h>
#include <string.h>

#include "host/error.h"
#include "host/terminal.h"

static int get(lua_State *L) { /* module, key */
  static const luaL_Reg makers[] = {
    {"stdin", standard_push_input},
    {"stdout", standard_push_stdout},
    {"stderr", standard_push_stderr},
    {NULL, NULL},
  };
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  const luaL_Reg *maker = makers;
  while (maker->name != NULL && strcmp(maker->name, key) != 0) maker++;
  if (maker->name == NULL) return 0;
  maker->func(L);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

void standard_open(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, get);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

int standard_push_size(lua_State *L, int fd, const char *name) {
  int columns, rows;
  int status = terminal_size(fd, &columns, &rows);
  if (status < 0) {
    lua_pushfstring(L, "size of %s", name);
    return error_result(L, status, lua_tostring(L, -1));
  }
  lua_pushinteger(L, columns);
  lua_pushinteger(L, rows);
  return 2;
}
