/* reading.h - the body of a request, for the Lua beside it. */
#ifndef HTTP_FORMS_READING_H
#define HTTP_FORMS_READING_H

#include <lauxlib.h>

/* header(request, name) -> value or nil   (a script may set req.header)
 * obstacle(request, pieces) -> why it cannot be read so, or nil
 * whole(request, { limit =, timeout = }) -> body
 * open(request, limit or nil)
 * piece(request, milliseconds or -1) -> string | nil at the end
 * refuse(request, status): so the client is answered if the handler fails
 * kept(request) -> value;  keep(request, value): of forms alone
 * pairs(text, most) -> { name, value, name, value ... } or nil: there are more
 * now() -> milliseconds of loop time */
extern const luaL_Reg reading_functions[];

#endif
