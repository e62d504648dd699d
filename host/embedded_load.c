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

static int load_file(lua_State *L) { /* name; core, what has been loaded */
  const char *name = luaL_checkstring(L, 1);
  if (lua_getfield(L, lua_upvalueindex(2), name) != LUA_TNIL) return 1;
  embedded_load(L, name);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_call(L, 1, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, lua_upvalueindex(2), name);
  return 1;
}

void embedded_add_load(lua_State *L) {
  lua_pushvalue(L, -1);
  lua_newtable(L);
  lua_pushcclosure(L, load_file, 2);
  lua_setfield(L, -2, "load");
}

/* ---- parts of a module, loaded when they are asked for ------------------- */

static const char *file_of(const struct embedded_part *parts,
                           const char *name) {
  for (; parts->name != NULL; parts++)
    if (strcmp(parts->name, name) == 0) return parts->file;
  return NULL;
}

/* What the file returns goes into the module's table, so this is not asked for
 * it again. What a script has put there stays. */
static int load_part(lua_State *L) { /* module, name; parts, core */
  const struct embedded_part *parts = lua_touserdata(L, lua_upvalueindex(1));
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  const char *file = file_of(parts, lua_tostring(L, 2));
  if (file == NULL) return 0;
  embedded_load(L, file);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_call(L, 1, 1);
  lua_pushnil(L);
  while (lua_next(L, 3) != 0) {
    lua_pushvalue(L, -2);
    if (lua_rawget(L, 1) == LUA_TNIL) {
      lua_pushvalue(L, -3);
      lua_pushvalue(L, -3);
      lua_rawset(L, 1);
    }
    lua_settop(L, 4);
  }
  lua_settop(L, 2);
  lua_rawget(L, 1);
  return 1;
}

void embedded_add_parts(lua_State *L, const struct embedded_part *parts) {
  embedded_add_load(L);
  lua_pushlightuserdata(L, (void *)parts);
  lua_insert(L, -2);
  lua_pushcclosure(L, load_part, 2);
  lua_createtable(L, 0, 1);
  lua_insert(L, -2);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}
