/* query.h - "a=1&b=two+words": names and values after the "?" of a target. */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <lua.h>
#include <stddef.h>

/* Pushes a table: the first value of each name. */
void query_push(lua_State *L, const char *text, size_t size);
int query_list(lua_State *L); /* request:query_list(name) */

#endif
