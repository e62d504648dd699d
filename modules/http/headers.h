/* headers.h - names and values, as tables of Lua. */
#ifndef HTTP_HEADERS_H
#define HTTP_HEADERS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct head;
struct request;

/* Lower-case names; what comes more than once is joined. An index finds a name
 * however it is spelled. */
void headers_push(lua_State *L, const struct request *request);
/* The same of a head's pieces, from `first` on. */
void headers_push_from(lua_State *L, const struct head *head, unsigned first);
/* An empty one, and a header more of the one on top. */
void headers_new(lua_State *L, int count);
void headers_add(lua_State *L, const char *name, size_t name_size,
                 const char *value, size_t value_size);
void headers_push_lower(lua_State *L, const char *text, size_t size);
/* The value of one. False, and nothing is pushed: there is none. */
bool headers_push_one(lua_State *L, const struct request *request,
                      const char *name, size_t size);
int headers_get(lua_State *L);  /* request:header(name) */
int headers_list(lua_State *L); /* request:header_list(name) */
void headers_open_class(lua_State *L);

#endif
