/* service.h - what the listeners of one address share.
 *
 * When a program is reloaded a new listener takes the place of the old one: with
 * the same socket, so that nobody who connects meanwhile is refused, and with
 * its open connections, if both are of one kind and both let them be shared.
 * What goes from the one to the other is the service. It is work of the version
 * whose listener serves it now, so the end of that version is the moment to pass
 * it on, or to end it: then its connections end as soon as they rest.
 *
 * What always holds: a service has a listener, also when that has been closed,
 * and is one of its callers; it lives as long as that is open, an heir is
 * being prepared, or a connection is left. */
#ifndef HOST_LISTEN_SERVICE_H
#define HOST_LISTEN_SERVICE_H

#include <stdbool.h>

#include "host/owner.h"

struct listener;
struct service;

/* A member of a connection that outlives its version. It may only be removed
 * by its own end, or when it is itself asked by `pump`. */
struct served {
  struct service *service; /* NULL: none, or the program ends right now */
  void *connection;
  struct served *next, **link;
};

struct service {
  struct work work; /* first member */
  struct host *host;
  struct listener *listener; /* that serves now, also when it has been closed */
  struct listener *heir;     /* one that is being prepared to be the next */
  struct served *connections;
  unsigned count; /* of them */
  char *path;     /* of a Unix socket: it is ours to remove */
  bool over;      /* no listener will come: what rests is to end */
  bool pumping;   /* its list is being gone through */
};

/* `served` is a member of the connection. */
void service_add(struct service *service, struct served *served,
                 void *connection);
void service_remove(struct served *served); /* idempotent */
/* Asks each connection, by its kind's `pump`, what there is to do for it. */
void service_pump(struct service *service);

/* ---- for listener.c ------------------------------------------------------ */

/* Of its own, for a new address. False without memory. */
bool service_new(struct listener *listener, const char *path);
/* The listener will take what another one serves, when its version goes live. */
void service_promise(struct service *service, struct listener *heir);
/* A listener has been closed: by its script, or because its version ended. */
void service_leave(struct listener *listener);

#endif
