/* net.c - module `neap.net`: streams over TCP and Unix, datagrams, names. */
#include <lauxlib.h>

#include "modules/modules.h"
#include "modules/net/connect.h"
#include "modules/net/connection.h"
#include "modules/net/interfaces.h"
#include "modules/net/lookup.h"
#include "modules/net/question.h"
#include "modules/net/server.h"
#include "modules/net/udp.h"

static const luaL_Reg functions[] = {
  {"connect", net_connect},
  {"interfaces", net_interfaces},
  {"listen", net_listen},
  {"lookup", net_lookup},
  {"reverse", net_reverse},
  {"udp", net_udp},
  {NULL, NULL},
};

int open_net(lua_State *L) {
  question_open(L);
  connect_open_class(L);
  lookup_open_class(L);
  server_open_class(L);
  connection_open_class(L);
  udp_open_class(L);
  luaL_newlib(L, functions);
  return 1;
}
