/* service.c - an address is passed on from server to server. */
#include "modules/net/service.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/generation.h"
#include "host/host.h"
#include "modules/net/events.h"
#include "modules/net/server.h"
#include "modules/net/connection.h"

/* ---- its end ------------------------------------------------------------- */

static void forget_path(struct service *service) {
  if (service->path != NULL) unlink(service->path);
  free(service->path);
  service->path = NULL;
}

static void release(struct service *service) {
  forget_path(service);
  service->server->service = NULL;
  server_leave(service->server);
  work_end(&service->work);
  free(service);
}

/* Its script has closed the server, but connections are still open: they are
 * served by the handler they know. */
static void check_end(struct service *service) {
  if (service->connections == NULL && service->heir == NULL &&
      service->server->handle.closing)
    release(service);
}

/* ---- as work of its generation ------------------------------------------- */

static void pump(struct service *service) {
  for (struct connection *c = service->connections, *next; c != NULL;
       c = next) {
    next = c->next_served;
    events_pump(c);
  }
}

/* Its connections stay, if the next server has a table of events for them. (What
 * was no line yet may be data for it.) */
static void pass_on(struct service *service) {
  struct server *old = service->server, *heir = service->heir;
  bool differs = old->by_line != heir->by_line;
  old->service = NULL;
  server_leave(old);
  service->server = heir;
  service->heir = NULL;
  heir->service = service;
  heir->adopts = NULL;
  server_use(heir);
  work_move(&service->work, heir->handle.work.owner);
  if (differs) pump(service);
}

static void pass_path_on(struct service *service) {
  struct server *heir = service->heir;
  heir->service->path = service->path;
  heir->adopts = NULL;
  service->path = NULL;
  service->heir = NULL;
}

/* Connections with nothing to do end now, the others after what they do. */
static void end_connections(struct service *service) {
  service->over = true;
  handle_close(&service->server->handle);
  pump(service);
  check_end(service);
}

/* At exit nothing is pumped any more. */
static void abandon(struct service *service) {
  for (struct connection *c = service->connections, *next; c != NULL;
       c = next) {
    next = c->next_served;
    c->service = NULL;
  }
  if (service->heir != NULL) service->heir->adopts = NULL;
  release(service);
}

static bool is_live(const struct server *server) {
  return server->handle.work.owner->generation->state == GENERATION_LIVE;
}

/* Its version has been replaced, or the program ends. (While that drains, each
 * of the connections is asked to end by itself.) */
static void stop(struct work *work) {
  struct service *service = (struct service *)work;
  struct server *heir = service->heir;
  enum host_phase phase = service->host->phase;
  if (phase == HOST_STOPPING) {
    abandon(service);
  } else if (phase == HOST_RUNNING && heir != NULL && is_live(heir)) {
    if (heir->service == NULL) {
      pass_on(service);
      return;
    }
    pass_path_on(service);
    end_connections(service);
  } else if (phase == HOST_RUNNING || service->connections == NULL) {
    if (!service->over) end_connections(service);
  }
}

static const struct work_kind kind = {.name = "service", .stop = stop};

/* ---- its servers --------------------------------------------------------- */

bool service_new(struct server *server, const char *path) {
  struct service *service = calloc(1, sizeof *service);
  char *copy = path != NULL ? strdup(path) : NULL;
  if (service == NULL || (path != NULL && copy == NULL)) {
    free(service);
    return false;
  }
  service->host = server->handle.host;
  service->path = copy;
  service->server = server;
  server->service = service;
  server_use(server);
  work_begin(&service->work, &kind, server->handle.work.owner);
  return true;
}

void service_promise(struct service *service, struct server *heir) {
  service->heir = heir;
  heir->adopts = service;
}

static void leave_as_heir(struct server *heir) {
  struct service *service = heir->adopts;
  heir->adopts = NULL;
  service->heir = NULL;
  if (service->server->handle.closing) forget_path(service);
  check_end(service);
}

/* What the host closes it does because the service, too, has been stopped. */
void service_leave(struct server *server) {
  struct service *service = server->service;
  if (server->adopts != NULL) leave_as_heir(server);
  if (service == NULL || !server->handle.ended) return;
  if (service->heir == NULL) forget_path(service);
  check_end(service);
}

/* ---- its connections ----------------------------------------------------- */

void service_add(struct service *service, struct connection *connection) {
  connection->service = service;
  connection->next_served = service->connections;
  connection->served = &service->connections;
  if (connection->next_served != NULL)
    connection->next_served->served = &connection->next_served;
  service->connections = connection;
}

void service_remove(struct connection *connection) {
  struct service *service = connection->service;
  if (service == NULL) return; /* the program has ended */
  *connection->served = connection->next_served;
  if (connection->next_served != NULL)
    connection->next_served->served = connection->served;
  connection->service = NULL;
  check_end(service);
}
