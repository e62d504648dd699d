/* cookies.h - the cookies of a request, for its fields and methods. */
#ifndef HTTP_COOKIES_H
#define HTTP_COOKIES_H

#include <lua.h>

int cookies_push(lua_State *L);   /* request -> table */
int cookies_signed(lua_State *L); /* req:signed_cookie(name, secret) */

#endif
