/* server.c - net.listen: a socket that listens, and what is to serve it. */
#include "modules/net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/error.h"
#include "host/generation.h"
#include "host/host.h"
#include "modules/net/accept.h"
#include "modules/net/bind.h"
#include "modules/net/events.h"
#include "modules/net/service.h"

static const char class_name[] = "neap.server";

enum { BACKLOG = 4096 };

static bool address_of(const struct server *server, char text[ADDRESS_TEXT]) {
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  memset(&name, 0, sizeof name);
  if (getsockname(server->fd, (struct sockaddr *)&name, &size) < 0)
    return false;
  address_format((struct sockaddr *)&name, text);
  return true;
}

/* ---- as work of its owner ------------------------------------------------ */

static void check_handler(struct server *server) {
  lua_State *L = server->handle.host->L;
  if (server->callers > 0 || !server->handle.closing) return;
  if (L != NULL) luaL_unref(L, LUA_REGISTRYINDEX, server->handler);
  server->handler = LUA_NOREF;
}

void server_use(struct server *server) {
  server->callers++;
  handle_use(&server->handle);
}

void server_leave(struct server *server) {
  server->callers--;
  check_handler(server);
  handle_leave(&server->handle);
}

static void on_close(struct handle *h) {
  struct server *server = (struct server *)h;
  accept_stop(server);
  close(server->fd);
  if (server->reserve >= 0) close(server->reserve);
  service_leave(server);
  check_handler(server);
}

static int start(struct work *work) {
  return accept_start((struct server *)work);
}

static const struct work_kind kind = {
  .name = "server", .stop = handle_stop, .start = start};

/* ---- its socket: a new one, or that of the version before ---------------- */

/* The address as it was asked for, in numbers: "127.0.0.1:0". */
static void format_asked(const struct address *address,
                         char text[ADDRESS_TEXT]) {
  struct sockaddr_storage name;
  memset(&name, 0, sizeof name);
  text[0] = '\0';
  if (address->is_unix)
    address_unix(address->host, (struct sockaddr_un *)&name);
  else if (address_resolve(address, true, &name) < 0)
    return;
  address_format((struct sockaddr *)&name, text);
}

/* The one of the live version at this address. Where the system chooses the
 * port, the n-th server gets that of the n-th. */
static struct server *find_server(struct host *host, const char *asked) {
  struct work *work = host->live->background.first;
  for (; work != NULL; work = work->next) {
    struct server *server = (struct server *)work;
    char bound[ADDRESS_TEXT];
    if (work->kind != &kind || server->service == NULL) continue;
    if (server->handle.closing || server->service->heir != NULL) continue;
    if (strcmp(server->asked, asked) == 0) return server;
    if (address_of(server, bound) && strcmp(bound, asked) == 0) return server;
  }
  return NULL;
}

static struct server *predecessor(struct owner *owner, const char *asked) {
  struct host *host = owner->generation->host;
  if (!owner_is_staged(owner) || host->live == NULL) return NULL;
  return find_server(host, asked);
}

static int inherit_socket(const struct server *from) {
  int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
  return fd < 0 ? uv_translate_sys_error(errno) : fd;
}

/* Only listen(2) finds out that the address is taken. Who connects before the
 * server has been started waits in the system's queue. */
static int open_alone(const struct address *address, bool shares) {
  int fd = bind_socket(address, shares);
  if (fd < 0 || listen(fd, BACKLOG) == 0) return fd;
  int status = uv_translate_sys_error(errno);
  close(fd);
  return status;
}

/* Has the live version a server at this port, but not at this address? Then it
 * lets others share the port, or no longer. */
static bool share_port(struct host *host, const char *asked, bool shares) {
  const char *port = strrchr(asked, ':');
  struct work *work = host->live->background.first;
  bool found = false;
  for (; work != NULL; work = work->next) {
    const struct server *server = (const struct server *)work;
    char bound[ADDRESS_TEXT];
    if (work->kind != &kind || server->is_unix || server->handle.closing ||
        !address_of(server, bound) || strcmp(strrchr(bound, ':'), port) != 0)
      continue;
    if (strcmp(bound, asked) == 0) return false;
    bind_share(server->fd, shares);
    found = true;
  }
  return found;
}

/* From "127.0.0.1:80" to ":80": until the commit the port is needed for both. */
static int open_socket(struct owner *owner, const struct address *address,
                       const char *asked) {
  struct host *host = owner->generation->host;
  int fd = open_alone(address, false);
  if (fd != UV_EADDRINUSE || address->is_unix || !owner_is_staged(owner) ||
      host->live == NULL || !share_port(host, asked, true))
    return fd;
  fd = open_alone(address, true);
  share_port(host, asked, false);
  if (fd >= 0) bind_share(fd, false);
  return fd;
}

/* ---- net.listen(address, handler) ---------------------------------------- */

/* Takes the descriptor, in any case. */
static struct server *new_server(struct owner *owner, int fd) {
  struct host *host = owner->generation->host;
  struct server *server = handle_new(host, sizeof *server);
  if (server == NULL || uv_poll_init(&host->loop, &server->poll, fd) < 0) {
    free(server);
    close(fd);
    return NULL;
  }
  server->fd = fd;
  server->reserve = accept_open_reserve();
  server->handler = LUA_NOREF;
  server->handle.on_close = on_close;
  handle_open(&server->handle, &server->poll, &kind, owner);
  return server;
}

/* Two tables of events share the connections; a function serves its own. */
static bool join_service(struct server *server, struct server *before,
                         const struct address *address) {
  const char *path = NULL;
  if (before == NULL && address->is_unix && address->host[0] != '@')
    path = address->host;
  bool shares = before != NULL && before->has_events && server->has_events;
  if (!shares && !service_new(server, path)) {
    if (path != NULL) unlink(path);
    return false;
  }
  if (before == NULL) return true;
  service_promise(before->service, server);
  server->handle.work.inherits = true;
  return true;
}

/* The address and the handler lie on the stack; pushes the server. */
static int open_server(lua_State *L, const struct address *address,
                       struct server **result) {
  struct owner *owner = owner_here(L);
  char asked[ADDRESS_TEXT];
  format_asked(address, asked);
  struct server *before = predecessor(owner, asked);
  int fd = before != NULL ? inherit_socket(before)
                          : open_socket(owner, address, asked);
  if (fd < 0) return fd;
  struct server *server = new_server(owner, fd);
  if (server == NULL) return UV_ENOMEM;
  strcpy(server->asked, asked);
  server->is_unix = address->is_unix;
  server->has_events = lua_istable(L, 2);
  *result = server;
  return join_service(server, before, address) ? 0 : UV_ENOMEM;
}

static int start_now(struct server *server) {
  server->handle.rooted = true;
  server->handle.work.staged = owner_is_staged(server->handle.work.owner);
  return server->handle.work.staged ? 0 : accept_start(server);
}

static int listen_error(lua_State *L, int status) {
  lua_pushfstring(L, "listen %s", lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

int net_listen(lua_State *L) {
  struct address address;
  struct server *server = NULL;
  bool by_line = false;
  address_check(L, 1, &address);
  if (lua_istable(L, 2))
    by_line = events_check(L, 2);
  else if (!lua_isfunction(L, 2))
    return luaL_typeerror(L, 2, "function or table of events");
  lua_settop(L, 2);
  struct origin origin = origin_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  int status = open_server(L, &address, &server);
  if (status == 0) {
    server->by_line = by_line;
    server->handle.origin = origin;
    handle_fill_box(box, &server->handle);
    lua_pushvalue(L, 2);
    server->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    status = start_now(server);
    if (status == 0) return 1;
    server->handle.rooted = false;
  }
  if (server != NULL) handle_end(&server->handle);
  return listen_error(L, status);
}

/* ---- the class ----------------------------------------------------------- */

static int get_address(lua_State *L) {
  const struct server *server = handle_check_any(L, 1, class_name);
  char text[ADDRESS_TEXT];
  if (server->handle.closing || !address_of(server, text)) return 0;
  lua_pushstring(L, text);
  return 1;
}

static const luaL_Reg methods[] = {
  {"close", handle_method_close},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"address", get_address, NULL},
  {"closed", handle_field_closed, NULL},
  {NULL, NULL, NULL},
};

void server_open_class(lua_State *L) {
  handle_class(L, class_name, methods, fields);
}
