/* outcome.h - what becomes of a request whose handler has given no answer. */
#ifndef HTTP_OUTCOME_H
#define HTTP_OUTCOME_H

#include <lua.h>

/* (request, the error that ends its handler) -> status, reason or nil: what the
 * client gets, see serve.c. It gets nothing where it has left; that is 499, as
 * with nginx. Nothing where an answer has begun. For those who stand around a
 * handler. */
int request_outcome(lua_State *L);

#endif
