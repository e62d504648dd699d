/* core.h - what cli/repl.lua needs of the machine. */
#ifndef CLI_REPL_CORE_H
#define CLI_REPL_CORE_H

#include <lua.h>

void repl_push_core(lua_State *L); /* a table of functions */

#endif
