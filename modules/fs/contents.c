/* contents.c - the functions of the module that deal with what is in files. */
#include "modules/fs/contents.h"

#include <lauxlib.h>

#include "modules/fs/file.h"
#include "modules/fs/fs.h"

void fs_check_data(lua_State *L, int index) {
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
