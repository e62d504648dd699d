/* tool.h - what the Lua of `neap new` and `neap check` needs of the system. */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include <lua.h>

/* Pushes a table of functions. May raise. */
void tool_push(lua_State *L);

#endif
