/* embedded_load.c - finds and compiles a Lua file of our own. */
#include <lauxlib.h>
#include <string.h>

#include "host/embedded.h"

void embedded_load(lua_State *L, const char *name) {
  const struct embedded *file = embedded_files;
  while (file->name != NULL && strcmp(file->name, name) != 0) file++;
  if (file->name == NULL) luaL_error(L, "no file '%s' in the program", name);
  lua_pushfstring(L, "@neap:%s", name);
  if (luaL_loadbufferx(L, file->source, file->size, lua_tostring(L, -1), "t") !=
      LUA_OK)
    lua_error(L);
  lua_remove(L, -2);
}
