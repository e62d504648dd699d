/* server.h - what listens: it hands each connection to its handler. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <uv.h>

#include "host/handle.h"

struct server {
  struct handle handle;
  union {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv;
  int handler; /* a reference to the function or the table of events */
  bool has_events;
  char *path;         /* of a Unix socket: it is ours to remove */
  uint64_t last_shed; /* when a full table of files was last reported, ms */
};

int net_listen(lua_State *L);
void server_open_class(lua_State *L);

#endif
