/* response_table.h - what a handler has returned, as one table: for those who
 * stand between it and the client, and look at its answer, or change it. */
#ifndef HTTP_RESPONSE_TABLE_H
#define HTTP_RESPONSE_TABLE_H

#include <lua.h>

/* (nil, results ...) -> { status =, headers =, body =, trailers =, after = }. Its
 * headers have lower-case names, and are its own. Such a table is returned as it
 * is. Raises where the results are no response. */
int response_table(lua_State *L);
/* (request, handler, its results ...): the same, for middleware; what it is given
 * as it is has come from here. Errors name the handler. */
int response_table_of(lua_State *L);
/* (type, results ...): the same, with this content-type where they have none. */
int response_typed(lua_State *L);
void response_table_open_class(lua_State *L);

#endif
