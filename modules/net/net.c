/* net.c - module `neap.net`: stream sockets over TCP and Unix. */
#include <lauxlib.h>

#include "modules/modules.h"
#include "modules/net/connect.h"
#include "modules/net/connection.h"
#include "modules/net/server.h"

static const luaL_Reg functions[] = {
  {"connect", net_connect},
  {"listen", net_listen},
  {NULL, NULL},
};

int open_net(lua_State *L) {
  connect_open_class(L);
  server_open_class(L);
  connection_open_class(L);
  luaL_newlib(L, functions);
  return 1;
}
