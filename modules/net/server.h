/* server.h - what listens: it hands each connection to its handler. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <uv.h>

#include "host/address.h"
#include "host/handle.h"
#include "host/wheel.h"

struct service;

struct server {
  struct handle handle;
  uv_poll_t poll;          /* somebody waits to be accepted */
  int fd;                  /* that listens */
  int reserve;             /* a descriptor for when there is no other, or -1 */
  struct timeout pause;    /* it cannot accept now */
  struct service *service; /* NULL: that of another, before or after it */
  struct service *adopts;  /* it is to follow the server of this one, or NULL */
  int handler;             /* a reference to the function or table of events */
  int callers;             /* connections and services that may call it */
  bool has_events;
  bool by_line; /* its events are `line`, not `data` */
  bool is_unix;
  uint64_t last_shed; /* when a full table of files was last reported, ms */
  char asked[ADDRESS_TEXT];
};

int net_listen(lua_State *L);
/* Who may call its handler. When it is closed and nobody is left it lets go of
 * that: a script may hold the server for longer, from the handler itself. */
void server_use(struct server *server);
void server_leave(struct server *server);
void server_open_class(lua_State *L);

#endif
