/* accepts.h - what a script offers, and which of it the client likes best. */
#ifndef HTTP_ACCEPTS_H
#define HTTP_ACCEPTS_H

#include <lua.h>

int accepts_type(lua_State *L);     /* request:accepts(type, ...) */
int accepts_encoding(lua_State *L); /* request:accepts_encoding(coding, ...) */

#endif
