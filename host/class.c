/* class.c - methods are found in a table, fields are asked of a function. */
#include "host/class.h"

#include <stdbool.h>

static int push_field(lua_State *L) { /* object, key; methods, fields */
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TLIGHTUSERDATA) return 0;
  const struct class_field *field = lua_touserdata(L, -1);
  lua_settop(L, 1);
  return field->get(L);
}

static int set_field(lua_State *L) { /* object, key, value; name, fields */
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(2));
  const struct class_field *field = lua_touserdata(L, -1);
  if (field == NULL || field->set == NULL)
    return luaL_error(L, "cannot set field '%s' of a %s",
                      luaL_tolstring(L, 2, NULL),
                      lua_tostring(L, lua_upvalueindex(1)));
  lua_remove(L, 2);
  lua_settop(L, 2);
  return field->set(L);
}

static void push_fields(lua_State *L, const struct class_field *fields) {
  lua_newtable(L);
  for (; fields != NULL && fields->name != NULL; fields++) {
    lua_pushlightuserdata(L, (void *)fields);
    lua_setfield(L, -2, fields->name);
  }
}

/* In a metatable, as element 1: the name of its class, as a pointer; as element
 * 2 that of its family. In the registry, under the first pointer: the metatable.
 * Much faster than by names. */
enum { IDENTITY = 1, FAMILY = 2 };

void class_set(lua_State *L, const char *name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, name);
  lua_setmetatable(L, -2);
}

/* The userdata with this pointer in its metatable, or NULL. */
static void *find(lua_State *L, int index, int element, const char *pointer) {
  void *object = lua_touserdata(L, index);
  if (object == NULL || !lua_getmetatable(L, index)) return NULL;
  lua_rawgeti(L, -1, element);
  bool is = lua_touserdata(L, -1) == pointer;
  lua_pop(L, 2);
  return is ? object : NULL;
}

void *class_check(lua_State *L, int index, const char *name) {
  void *object = find(L, index, IDENTITY, name);
  return object != NULL ? object : luaL_checkudata(L, index, name); /* raises */
}

void *class_test(lua_State *L, int index, const char *name) {
  return find(L, index, IDENTITY, name);
}

void class_join(lua_State *L, const char *name, const char *family) {
  luaL_getmetatable(L, name);
  lua_pushlightuserdata(L, (void *)family);
  lua_rawseti(L, -2, FAMILY);
  lua_pop(L, 1);
}

void *class_check_family(lua_State *L, int index, const char *family) {
  void *object = find(L, index, FAMILY, family);
  if (object == NULL) luaL_typeerror(L, index, family);
  return object;
}

/* It is made known at last: without memory on the way there is none. */
void class_open(lua_State *L, const char *name, const luaL_Reg *methods,
                const struct class_field *fields) {
  if (luaL_getmetatable(L, name) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushlightuserdata(L, (void *)name);
  lua_rawseti(L, -2, IDENTITY);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  push_fields(L, fields);
  lua_pushvalue(L, -1);
  lua_insert(L, -3); /* metatable, fields, methods, fields */
  lua_pushcclosure(L, push_field, 2);
  lua_setfield(L, -3, "__index");
  lua_pushstring(L, name);
  lua_insert(L, -2); /* metatable, name, fields */
  lua_pushcclosure(L, set_field, 2);
  lua_setfield(L, -2, "__newindex");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, name);
}
