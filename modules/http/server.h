/* server.h - http.serve: a listener, its limits, and what it counts. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "host/listen/listener.h"
#include "modules/http/intake.h"

struct limits { /* bytes and ms; 0: none, where that can be */
  struct intake_limits intake;
  uint64_t header_ms, idle_ms, handler_ms, write_ms, drain_ms;
  uint64_t least_ms; /* of these */
  uint64_t body_size;
  uint32_t body_rate; /* bytes a second */
  uint32_t requests;  /* of one connection */
  uint32_t connections, connections_per_client;
};

struct server {
  struct listener listener; /* first member */
  struct limits limits;
  int request_class;    /* see request_push */
  uint64_t requests;    /* that its handler was called for */
  struct timeout drain; /* it has been closed: what it serves ends, too */
};

int http_serve(lua_State *L);
/* One without an address, see listener.h: the options lie at index 2, its
 * handler at `index`. NULL: no descriptor, or no memory. */
struct server *server_open_private(lua_State *L, int index);
void http_server_open_class(lua_State *L);

#endif
