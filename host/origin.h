/* origin.h - the line of a script that created something.
 * File names are kept once each, for as long as the host lives, so an origin
 * is two words and may be copied freely. */
#ifndef HOST_ORIGIN_H
#define HOST_ORIGIN_H

#include <lua.h>

struct host;

struct origin {
  const char *source; /* NULL: not known */
  int line;
};

struct source;

/* The line that called the running C function. Never raises. */
struct origin origin_here(lua_State *L);
/* The same, where Lua of the program itself may lie between it and the script. */
struct origin origin_of_script(lua_State *L);
/* The first line of the Lua function at an index. Never raises. */
struct origin origin_of_function(lua_State *L, int index);
/* The innermost line of a coroutine that does not run. */
struct origin origin_of(struct host *host, lua_State *co);
void origin_free_all(struct host *host);

#endif
