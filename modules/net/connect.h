/* connect.h - net.connect(address [, options] [, callback]). */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include <lua.h>

int net_connect(lua_State *L);
void connect_open_class(lua_State *L);

#endif
