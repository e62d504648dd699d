/* contents.c - the functions of the module that deal with what is in files. */
#include "modules/fs/contents.h"

#include <lauxlib.h>

#include "modules/fs/fs.h"

static const luaL_Reg functions[] = {
  {"read", fs_read},
  {NULL, NULL},
};

void fs_open_contents(lua_State *L) {
  luaL_setfuncs(L, functions, 0);
}
