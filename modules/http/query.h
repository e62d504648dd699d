/* query.h - "a=1&b=two+words": names and values after the "?" of a target. */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Pushes a table: the first value of each name. */
void query_push(lua_State *L, const char *text, size_t size);
/* Pushes a list, name, value, name, value: of `most` pairs at most. False, and
 * nothing is pushed: there are more. */
bool query_push_pairs(lua_State *L, const char *text, size_t size,
                      lua_Integer most);
int query_list(lua_State *L); /* request:query_list(name) */

#endif
