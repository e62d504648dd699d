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

/* A name of a module's table, and the file that gives it. */
struct embedded_part {
  const char *name, *file;
};

/* core.load(file), for the table `core`, which is on top: what the file returns,
 * which is given `core`; it runs once. For files that only others of a module
 * need. */
void embedded_add_load(lua_State *L);

/* The names of the list (the last one has none) are functions of the table
 * below the top, each loaded when it is first asked for: what nobody uses costs
 * nothing. A file is given the table `core`, which is on top and is popped: C
 * functions that scripts do not see, and core.load. It returns a table of
 * functions, and may return more than one of them. */
void embedded_add_parts(lua_State *L, const struct embedded_part *parts);

#endif
