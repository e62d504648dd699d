/* server.h - what listens: it hands each connection to its handler. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <uv.h>

#include "host/handle.h"
#include "host/wheel.h"

struct server {
  struct handle handle;
  uv_poll_t poll;       /* somebody waits to be accepted */
  int fd;               /* that listens */
  int reserve;          /* a descriptor for when there is no other, or -1 */
  struct timeout pause; /* it cannot accept now */
  int handler;          /* a reference to the function or the table of events */
  bool has_events;
  bool is_unix;
  char *path;         /* of a Unix socket: it is ours to remove */
  uint64_t last_shed; /* when a full table of files was last reported, ms */
};

int net_listen(lua_State *L);
void server_open_class(lua_State *L);

#endif
