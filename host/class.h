/* class.h - userdata with methods and fields.
 * All realms share a class: its metatable lives in the registry. */
#ifndef HOST_CLASS_H
#define HOST_CLASS_H

#include <lauxlib.h>

struct class_field {
  const char *name;
  lua_CFunction get; /* (object) -> value */
  lua_CFunction set; /* (object, value), or NULL: it is read-only */
};

/* Pushes the metatable, so that the caller can add to it; `fields` may be
 * NULL. Where the class is there already it is left as it is. */
void class_open(lua_State *L, const char *name, const luaL_Reg *methods,
                const struct class_field *fields);

/* Makes the value on top of L an object of the class. */
void class_set(lua_State *L, const char *name);
/* The userdata at an index, which must be of that class: `name` is the very
 * string that class_open was given, not only an equal one; for all of these. */
void *class_check(lua_State *L, int index, const char *name);
void *class_test(lua_State *L, int index, const char *name); /* or NULL */

/* Classes whose objects begin alike may be of one family, so that they can share
 * methods. `family` is known by its pointer, too; it names them in errors. */
void class_join(lua_State *L, const char *name, const char *family);
void *class_check_family(lua_State *L, int index, const char *family);

#endif
