/* service.h - what the servers of one address share.
 *
 * When a program is reloaded a new server takes the place of the old one: with
 * the same socket, so that nobody who connects meanwhile is refused, and with
 * its open connections, if both serve them by tables of events. What goes from
 * the one to the other is the service. It is work of the version whose server
 * serves it now, so the end of that version is the moment to pass it on, or
 * to end it: then its connections end as soon as they rest. */
#ifndef NET_SERVICE_H
#define NET_SERVICE_H

#include <stdbool.h>

#include "host/owner.h"

struct server;
struct connection;

struct service {
  struct work work; /* first member */
  struct host *host;
  struct server *server; /* that serves now, also when it has been closed */
  struct server *heir;   /* one that is being prepared to be the next */
  struct connection *connections; /* that events serve */
  char *path;                     /* of a Unix socket: it is ours to remove */
  bool over;                      /* no server will come */
};

/* Of its own, for a new address. False without memory. */
bool service_new(struct server *server, const char *path);
/* The server will take what another one serves, when its version goes live. */
void service_promise(struct service *service, struct server *heir);
/* A server has been closed: by its script, or because its version ended. */
void service_leave(struct server *server);
void service_add(struct service *service, struct connection *connection);
void service_remove(struct connection *connection);

#endif
