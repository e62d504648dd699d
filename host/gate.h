/* gate.h - for the Lua of the host and its modules: tasks wait at a gate until
 * another one opens it, for good. gate:wait([callback]), gate:open(). */
#ifndef HOST_GATE_H
#define HOST_GATE_H

#include <lua.h>

void gate_open_class(lua_State *L);
int gate_new(lua_State *L); /* a function for Lua: () -> gate */

#endif
