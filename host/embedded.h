/* embedded.h - the Lua files that are compiled into the program.
 * The build writes embedded.c from every .lua under host, modules and cli, and
 * from the stubs in types, which nobody runs. */
#ifndef HOST_EMBEDDED_H
#define HOST_EMBEDDED_H

#include <lua.h>
#include <stddef.h>

struct embedded {
  const char *name; /* the path in the repository: "host/require.lua" */
  const char *source;
  size_t size;
};

extern const struct embedded embedded_files[]; /* the last has no name */

/* Pushes the chunk of that name; raises if it does not compile. In tracebacks
 * it keeps its name and its lines. */
void embedded_load(lua_State *L, const char *name);

#endif
