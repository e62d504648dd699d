/* lookup.h - net.lookup(name), net.reverse(address). */
#ifndef NET_LOOKUP_H
#define NET_LOOKUP_H

#include <lua.h>

int net_lookup(lua_State *L);
int net_reverse(lua_State *L);
void lookup_open_class(lua_State *L);

#endif
