/* failure.h - errors of handlers that Lua of ours answers. */
#ifndef HTTP_FAILURE_H
#define HTTP_FAILURE_H

#include <lua.h>

/* failure(req, error, traceback or nil) -> the id of the request in the report:
 * the error was counted, as that of a task that ends. false: it is the way in which the
 * handler was told that the client's body is refused. Then let it go on. */
int http_failure(lua_State *L);

#endif
