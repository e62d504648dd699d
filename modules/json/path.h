/* path.h - where in a value the encoder is: a chain of steps, on the C stack,
 * which becomes text only for an error. */
#ifndef MODULES_JSON_PATH_H
#define MODULES_JSON_PATH_H

#include <lua.h>
#include <stddef.h>

/* From a table to an element of it. A step that is NULL is none: the whole. */
struct step {
  const struct step *up; /* to the table */
  const void *table;
  const char *key; /* in an object, or NULL: */
  size_t size;
  lua_Integer index; /* in a list */
};

/* Pushes "$.list[3]": the indices are Lua's. */
void path_push(lua_State *L, const struct step *step);
/* Raises "$.list[3]: " and what the format says, at the caller's line. */
int path_error(lua_State *L, const struct step *step, const char *format, ...);

#endif
