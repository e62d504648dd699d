/* standard.c - what the standard streams share: they are fields of the module
 * that are made when they are first asked for, for most programs never do; and
 * what children write to them comes after what was printed before. */
#include "modules/neap/standard.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "host/error.h"
#include "host/output.h"
#include "host/terminal.h"

/* ---- neap.stdin, neap.stdout, neap.stderr -------------------------------- */

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

/* ---- children write to the same, past our queue -------------------------- */

/* In its own frame: so its errors are those of that function. */
static int run_child(lua_State *L) {
  lua_CFunction original = lua_tocfunction(L, lua_upvalueindex(1));
  output_settle();
  return original(L);
}

static void wrap(lua_State *L, const char *library, const char *name) {
  lua_getglobal(L, library);
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, run_child, 1);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

void standard_open_children(lua_State *L) {
  wrap(L, LUA_OSLIBNAME, "execute");
  wrap(L, LUA_IOLIBNAME, "popen");
}

/* ---- for all of them ----------------------------------------------------- */

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
