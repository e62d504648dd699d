/* service.c - an address is passed on from listener to listener. */
#include "host/listen/service.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/listen/listener.h"

/* ---- its end ------------------------------------------------------------- */

static void forget_path(struct service *service) {
  if (service->path != NULL) unlink(service->path);
  free(service->path);
  service->path = NULL;
}

static void release(struct service *service) {
  forget_path(service);
  service->listener->service = NULL;
  listener_leave(service->listener);
  work_end(&service->work);
  free(service);
}

/* Its script has closed the listener, but connections are still open: they are
 * served by the handler they know. */
static void check_end(struct service *service) {
  if (service->connections == NULL && service->heir == NULL &&
      service->listener->handle.closing && !service->pumping)
    release(service);
}

/* ---- its connections ----------------------------------------------------- */

void service_add(struct service *service, struct served *served,
                 void *connection) {
  served->connection = connection;
  served->service = service;
  served->next = service->connections;
  served->link = &service->connections;
  if (served->next != NULL) served->next->link = &served->next;
  service->connections = served;
  service->count++;
}

void service_remove(struct served *served) {
  struct service *service = served->service;
  if (service == NULL) return; /* the program has ended */
  *served->link = served->next;
  if (served->next != NULL) served->next->link = served->link;
  served->service = NULL;
  service->count--;
  check_end(service);
}

/* Afterwards it may have been released: see check_end. */
void service_pump(struct service *service) {
  const struct listener_kind *kind = service->listener->kind;
  service->pumping = true;
  for (struct served *s = service->connections, *next; s != NULL; s = next) {
    next = s->next;
    kind->pump(s);
  }
  service->pumping = false;
  check_end(service);
}

/* ---- as work of its generation ------------------------------------------- */

/* What was nothing to do for the one may be something for the other. */
static bool serve_otherwise(const struct listener *old,
                            const struct listener *heir) {
  const struct listener_kind *kind = heir->kind;
  return kind->differs != NULL && kind->differs(old, heir);
}

/* Its connections stay, and nothing is done for each of them. */
static void pass_on(struct service *service) {
  struct listener *old = service->listener, *heir = service->heir;
  bool otherwise = serve_otherwise(old, heir);
  old->service = NULL;
  listener_leave(old);
  service->listener = heir;
  service->heir = NULL;
  heir->service = service;
  heir->adopts = NULL;
  listener_use(heir);
  work_move(&service->work, heir->handle.work.owner);
  if (otherwise) service_pump(service);
}

static void pass_path_on(struct service *service) {
  struct listener *heir = service->heir;
  heir->service->path = service->path;
  heir->adopts = NULL;
  service->path = NULL;
  service->heir = NULL;
}

/* Connections with nothing to do end now, the others after what they do. */
static void end_connections(struct service *service) {
  handle_close(&service->listener->handle);
  service->over = true;
  service_pump(service);
}

/* At exit nothing is pumped any more. */
static void abandon(struct service *service) {
  for (struct served *s = service->connections, *next; s != NULL; s = next) {
    next = s->next;
    s->service = NULL;
  }
  if (service->heir != NULL) service->heir->adopts = NULL;
  release(service);
}

static bool is_live(const struct listener *listener) {
  return listener->handle.work.owner->generation->state == GENERATION_LIVE;
}

/* Its version has been replaced, or the program ends. (While that drains, each
 * of the connections is asked to end by itself; the listener, which may accept
 * a last time, goes first.) */
static void stop(struct work *work) {
  struct service *service = (struct service *)work;
  struct listener *heir = service->heir;
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
  } else if (!service->over) {
    handle_close(&service->listener->handle);
    if (phase == HOST_RUNNING || service->connections == NULL)
      end_connections(service);
  }
}

static const struct work_kind kind = {.name = "service", .stop = stop};

/* ---- its listeners ------------------------------------------------------- */

bool service_new(struct listener *listener, const char *path) {
  struct service *service = calloc(1, sizeof *service);
  char *copy = path != NULL ? strdup(path) : NULL;
  if (service == NULL || (path != NULL && copy == NULL)) {
    free(service);
    return false;
  }
  service->host = listener->handle.host;
  service->path = copy;
  service->listener = listener;
  listener->service = service;
  listener_use(listener);
  work_begin(&service->work, &kind, listener->handle.work.owner);
  return true;
}

void service_promise(struct service *service, struct listener *heir) {
  service->heir = heir;
  heir->adopts = service;
}

/* Where its script has closed the listener meanwhile nobody will follow it. */
static void leave_as_heir(struct listener *heir) {
  struct service *service = heir->adopts;
  heir->adopts = NULL;
  service->heir = NULL;
  if (!service->listener->handle.closing) return;
  forget_path(service);
  if (service->host->phase == HOST_RUNNING)
    service_pump(service);
  else
    check_end(service);
}

/* What the host closes it does because the service, too, has been stopped. */
void service_leave(struct listener *listener) {
  struct service *service = listener->service;
  if (listener->adopts != NULL) leave_as_heir(listener);
  if (service == NULL || !listener->handle.ended) return;
  if (service->heir == NULL) forget_path(service);
  check_end(service);
}
