/* server.c - listen, accept, and a task for each connection. */
#include "modules/net/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/address.h"
#include "host/error.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "modules/net/events.h"
#include "modules/net/stream.h"

static const char class_name[] = "neap.server";

enum { BACKLOG = 4096, SHED_REPORT_MS = 5000 };

/* ---- a handler that is a function ---------------------------------------- */

static int connection_over(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

static int run_connection(lua_State *L) {
  struct stream *stream = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, stream->server->handler);
  stream_push(L, stream);
  lua_callk(L, 1, 0, 0, connection_over);
  return 0;
}

static void connection_ended(struct task *task, enum task_end how) {
  struct stream *stream = task->context;
  (void)how;
  handle_end(&stream->handle);
  handle_leave(&stream->server->handle);
  stream->server = NULL;
  handle_leave(&stream->handle);
}

static const struct task_sink connection_sink = {NULL, connection_ended};

static bool serve(struct stream *stream) {
  struct task *task = task_start(stream->handle.host, stream->handle.work.owner,
                                 run_connection, stream);
  if (task == NULL) return false;
  task->sink = &connection_sink;
  task->name = "connection";
  task->origin = stream->handle.origin;
  handle_use(&stream->handle);
  return true;
}

/* ---- accept -------------------------------------------------------------- */

/* libuv keeps a descriptor in reserve: with it, it has accepted and closed
 * those who waited. They are gone; the log must not fill with them. */
static void report_shed(struct server *server, int status) {
  uint64_t now = uv_now(&server->handle.host->loop);
  if (server->last_shed != 0 && now - server->last_shed < SHED_REPORT_MS)
    return;
  server->last_shed = now;
  fprintf(stderr,
          "neap: connections are refused: %s (raise the limit with "
          "ulimit -n)\n",
          uv_strerror(status));
}

static void accept_one(struct server *server, struct stream *stream) {
  stream->server = server;
  stream->handle.origin = server->handle.origin;
  handle_use(&server->handle);
  bool served = uv_accept(&server->uv.stream, &stream->uv.stream) == 0 &&
                (server->has_events ? events_serve(stream) : serve(stream));
  if (!served) {
    handle_leave(&server->handle);
    stream->server = NULL;
    handle_close(&stream->handle);
    return;
  }
  if (stream->uv.any.type == UV_TCP) uv_tcp_nodelay(&stream->uv.tcp, 1);
  stream_start(stream);
  if (server->has_events) events_pump(stream);
}

static void on_connection(uv_stream_t *uv, int status) {
  struct server *server = uv->data;
  if (status < 0) {
    report_shed(server, status);
    return;
  }
  struct owner *owner = owner_new(server->handle.work.owner->generation);
  if (owner == NULL) return;
  struct stream *stream =
    stream_new(server->handle.host, owner, server->uv.any.type);
  if (stream == NULL)
    owner_drop(owner);
  else
    accept_one(server, stream);
}

static int listen_now(struct work *work) {
  struct server *server = (struct server *)work;
  return uv_listen(&server->uv.stream, BACKLOG, on_connection);
}

/* ---- bind ---------------------------------------------------------------- */

static int bind_tcp(struct server *server, const struct address *address) {
  struct sockaddr_storage name, bound;
  int size = sizeof bound;
  int status = address_resolve(address, true, &name);
  if (status == 0)
    status = uv_tcp_bind(&server->uv.tcp, (struct sockaddr *)&name, 0);
  if (status == 0) /* libuv keeps the error of bind for later */
    status =
      uv_tcp_getsockname(&server->uv.tcp, (struct sockaddr *)&bound, &size);
  return status;
}

static int listen_tcp(struct server *server, struct address *address) {
  int status = bind_tcp(server, address);
  bool no_v6 = address->host[0] == '\0' &&
               (status == UV_EAFNOSUPPORT || status == UV_EADDRNOTAVAIL);
  if (!no_v6) return status;
  strcpy(address->host, "0.0.0.0");
  return bind_tcp(server, address);
}

/* A socket that a dead process has left behind refuses; a live one does not.
 * (So does a file of another kind: that one is not ours to remove.) */
static bool is_stale(const struct sockaddr_un *name, socklen_t size) {
  struct stat info;
  if (lstat(name->sun_path, &info) < 0 || !S_ISSOCK(info.st_mode)) return false;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  bool refused = connect(fd, (const struct sockaddr *)name, size) < 0 &&
                 errno == ECONNREFUSED;
  close(fd);
  return refused;
}

/* We bind it ourselves: libuv would remove the path when any handle of the
 * socket is closed, also one whose socket lives on in another. */
static int listen_unix(struct server *server, const char *path) {
  struct sockaddr_un name;
  socklen_t size = address_unix(path, &name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return uv_translate_sys_error(errno);
  int failed = bind(fd, (struct sockaddr *)&name, size);
  if (failed && errno == EADDRINUSE && path[0] != '@' &&
      is_stale(&name, size) && unlink(path) == 0)
    failed = bind(fd, (struct sockaddr *)&name, size);
  int status =
    failed ? uv_translate_sys_error(errno) : uv_pipe_open(&server->uv.pipe, fd);
  if (status < 0) {
    close(fd);
    return status;
  }
  if (path[0] != '@') server->path = strdup(path);
  return 0;
}

/* ---- net.listen(address [, options], handler) ---------------------------- */

static void on_close(struct handle *h) {
  struct server *server = (struct server *)h;
  if (server->path != NULL) unlink(server->path);
  free(server->path);
  server->path = NULL;
}

/* Connections use their server for its handler, so it goes with the last. */
static void on_free(struct handle *h) {
  const struct server *server = (const struct server *)h;
  if (h->host->L != NULL)
    luaL_unref(h->host->L, LUA_REGISTRYINDEX, server->handler);
}

static const struct work_kind kind = {"server", handle_stop, NULL, listen_now};

static struct server *new_server(lua_State *L, bool is_unix) {
  struct host *host = host_of(L);
  struct owner *owner = owner_here(L);
  struct server *server = handle_new(host, sizeof *server);
  if (server == NULL) luaL_error(L, "not enough memory for a server");
  server->handler = LUA_NOREF;
  server->handle.on_close = on_close;
  server->handle.on_free = on_free;
  server->handle.origin = origin_here(L);
  if (is_unix)
    uv_pipe_init(&host->loop, &server->uv.pipe, 0);
  else
    uv_tcp_init(&host->loop, &server->uv.tcp);
  handle_open(&server->handle, &server->uv.any, &kind, owner);
  return server;
}

static int start(struct server *server, struct address *address) {
  int status = address->is_unix ? listen_unix(server, address->host)
                                : listen_tcp(server, address);
  if (status < 0) return status;
  server->handle.rooted = true;
  server->handle.work.staged = owner_is_staged(server->handle.work.owner);
  return server->handle.work.staged ? 0 : listen_now(&server->handle.work);
}

static int listen_error(lua_State *L, int status) {
  lua_pushfstring(L, "listen %s", lua_tostring(L, 1));
  return error_result(L, status, lua_tostring(L, -1));
}

int net_listen(lua_State *L) {
  struct address address;
  int status = address_parse(luaL_checkstring(L, 1), &address);
  lua_settop(L, 2);
  bool has_events = !lua_isfunction(L, 2);
  if (has_events) events_check(L, 2);
  if (status < 0)
    return luaL_argerror(L, 1,
                         "an address is \"host:port\", \":port\", "
                         "\"[v6]:port\" or \"unix:/path\"");
  struct server *server = new_server(L, address.is_unix);
  server->has_events = has_events;
  handle_push_box(L, &server->handle, class_name, 0);
  lua_pushvalue(L, 2);
  server->handler = luaL_ref(L, LUA_REGISTRYINDEX);
  status = start(server, &address);
  if (status == 0) return 1;
  server->handle.rooted = false;
  handle_close(&server->handle);
  return listen_error(L, status);
}

/* ---- the class ----------------------------------------------------------- */

static int get_address(lua_State *L) {
  struct server *server = handle_check_any(L, 1, class_name);
  struct sockaddr_storage name;
  uv_os_fd_t fd;
  socklen_t size = sizeof name;
  char text[ADDRESS_TEXT];
  memset(&name, 0, sizeof name);
  if (server->handle.closing || uv_fileno(&server->uv.any, &fd) < 0 ||
      getsockname(fd, (struct sockaddr *)&name, &size) < 0)
    return 0;
  address_format((struct sockaddr *)&name, text);
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
