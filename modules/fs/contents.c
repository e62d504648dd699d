/* contents.c - the functions of the module that deal with what is in files. */
#include "modules/fs/contents.h"

#include <lauxlib.h>

#include "modules/fs/file.h"
#include "modules/fs/fs.h"

static const luaL_Reg functions[] = {
  {"open", fs_open},
  {"read", fs_read},
  {"write", fs_write},
  {NULL, NULL},
};

void fs_open_contents(lua_State *L) {
  file_open_class(L);
  luaL_setfuncs(L, functions, 0);
}
