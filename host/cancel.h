/* cancel.h - the error value that ends a task, and that pcall lets through.
 *
 * Were it caught and raised again at the next wait, a __close handler could
 * not wait: nothing in Lua tells it from code after a pcall. As it is never
 * caught, only __close handlers run between the cancelled wait and the end. */
#ifndef HOST_CANCEL_H
#define HOST_CANCEL_H

#include <lua.h>
#include <stdbool.h>

int cancel_raise(lua_State *L);
bool cancel_is(lua_State *L, int index);
void cancel_open(lua_State *L); /* replaces pcall and xpcall in this realm */

#endif
