/* interfaces.h - net.interfaces(): how this machine is connected. */
#ifndef NET_INTERFACES_H
#define NET_INTERFACES_H

#include <lua.h>

int net_interfaces(lua_State *L);

#endif
