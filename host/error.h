/* error.h - expected failure is a value: nil, message, code. */
#ifndef HOST_ERROR_H
#define HOST_ERROR_H

#include <lua.h>

/* Pushes the three: `what` names what was tried, and on what
 * ("connect 127.0.0.1:1"); the status is one of libuv's. Returns 3. */
int error_result(lua_State *L, int status, const char *what);

#endif
