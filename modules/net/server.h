/* server.h - what listens for net.listen: each connection is served by a function,
 * as a task of its own, or by a table of events. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "host/listen/listener.h"

struct server {
  struct listener listener; /* first member; it shares: it has events */
  bool by_line;             /* its events are `line`, not `data` */
};

int net_listen(lua_State *L);
void server_open_class(lua_State *L);

#endif
