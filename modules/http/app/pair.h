/* pair.h - a connection to a handler, within the process. */
#ifndef HTTP_APP_PAIR_H
#define HTTP_APP_PAIR_H

#include <lua.h>

/* pair(handler [, limits [, peer]]) -> the client's end; or nil, message, code:
 * EINVAL, where the peer is none. The limits are options of http.serve. */
int http_pair(lua_State *L);
void http_pair_open_class(lua_State *L);

#endif
