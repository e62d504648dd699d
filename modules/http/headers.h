/* headers.h - names and values, as tables of Lua. */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include <lua.h>
#include <stddef.h>

struct head;
struct request;

/* Lower-case names; what comes more than once is joined. An index finds a name
 * however it is spelled. */
void headers_push(lua_State *L, const struct request *request);
/* The same of a head's pieces, from `first` on. */
void headers_push_from(lua_State *L, const struct head *head, unsigned first);
void headers_push_lower(lua_State *L, const char *text, size_t size);
int headers_get(lua_State *L);  /* request:header(name) */
int headers_list(lua_State *L); /* request:header_list(name) */
void headers_open_class(lua_State *L);

#endif
