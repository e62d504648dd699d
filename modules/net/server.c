/* server.c - listen, accept, and a task for each connection. */
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
#include "host/option.h"
#include "host/task.h"
#include "modules/net/bind.h"
#include "modules/net/events.h"
#include "modules/net/stream.h"

static const char class_name[] = "neap.server";

enum {
  BACKLOG = 4096,
  ACCEPT_MOST = 64, /* in a row */
  PAUSE_MS = 100,
  SHED_REPORT_MS = 5000
};

/* ---- a handler that is a function ---------------------------------------- */

static int run_connection(lua_State *L) {
  struct stream *stream = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, stream->server->handler);
  stream_push(L, stream);
  return task_call_last(L, 1);
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

static void serve_socket(struct server *server, struct stream *stream) {
  stream->server = server;
  stream->handle.origin = server->handle.origin;
  handle_use(&server->handle);
  if (!(server->has_events ? events_serve(stream) : serve(stream))) {
    handle_leave(&server->handle);
    stream->server = NULL;
    handle_close(&stream->handle);
    return;
  }
  stream_learn_peer(stream);
  if (stream->uv.any.type == UV_TCP) uv_tcp_nodelay(&stream->uv.tcp, 1);
  stream_start(stream);
  if (server->has_events) events_pump(stream);
}

static int adopt(struct stream *stream, int fd) {
  return stream->uv.any.type == UV_TCP ? uv_tcp_open(&stream->uv.tcp, fd)
                                       : uv_pipe_open(&stream->uv.pipe, fd);
}

static void accept_one(struct server *server, int fd) {
  struct owner *owner = owner_new(server->handle.work.owner->generation);
  struct stream *stream = NULL;
  if (owner != NULL)
    stream = stream_new(server->handle.host, owner,
                        server->is_unix ? UV_NAMED_PIPE : UV_TCP);
  if (stream == NULL) {
    if (owner != NULL) owner_drop(owner);
    close(fd);
  } else if (adopt(stream, fd) < 0) {
    handle_close(&stream->handle);
    close(fd);
  } else {
    serve_socket(server, stream);
  }
}

/* (libuv makes it non-blocking when it adopts it.) */
static int next_socket(const struct server *server) {
#ifdef __linux__
  return accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
#else
  int fd = accept(server->fd, NULL, NULL);
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
#endif
}

/* The log must not fill with them. */
static void report_shed(struct server *server, int error) {
  uint64_t now = uv_now(&server->handle.host->loop);
  if (server->last_shed != 0 && now - server->last_shed < SHED_REPORT_MS)
    return;
  server->last_shed = now;
  fprintf(stderr,
          "neap: connections are refused: %s (raise the limit with "
          "ulimit -n)\n",
          uv_strerror(uv_translate_sys_error(error)));
}

static int open_reserve(void) {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* There is no descriptor for who waits; in the queue it would wake us again and
 * again. The one in reserve lets it be accepted, and closed. */
static bool shed(struct server *server, int error) {
  if (server->reserve >= 0) close(server->reserve);
  int fd = next_socket(server);
  if (fd >= 0) close(fd);
  server->reserve = open_reserve();
  report_shed(server, error);
  return fd >= 0;
}

static void on_ready(uv_poll_t *uv, int status, int events);

static void on_pause(struct timeout *timeout) {
  struct server *server = timeout->data;
  clock_release(&server->handle.host->clock);
  uv_poll_start(&server->poll, UV_READABLE, on_ready);
}

/* The system lacks something: those who wait stay in its queue for a while. */
static void pause_accepting(struct server *server) {
  struct host *host = server->handle.host;
  uv_poll_stop(&server->poll);
  server->pause.fire = on_pause;
  server->pause.data = server;
  clock_hold(&host->clock);
  clock_set(&host->clock, &server->pause, uv_now(&host->loop) + PAUSE_MS);
}

static bool is_empty(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

static void on_ready(uv_poll_t *uv, int status, int events) {
  struct server *server = uv->data;
  (void)status, (void)events; /* whatever it is, accept will tell */
  for (int i = 0; i < ACCEPT_MOST; i++) {
    int fd = next_socket(server);
    int error = fd < 0 ? errno : 0;
    if (error == 0)
      accept_one(server, fd);
    else if (is_empty(error))
      return;
    else if (error == EINTR || error == ECONNABORTED)
      continue;
    else if ((error != EMFILE && error != ENFILE) || !shed(server, error)) {
      pause_accepting(server);
      return;
    }
  }
}

static int listen_now(struct work *work) {
  struct server *server = (struct server *)work;
  if (listen(server->fd, BACKLOG) < 0) return uv_translate_sys_error(errno);
  return uv_poll_start(&server->poll, UV_READABLE, on_ready);
}

/* ---- net.listen(address, handler) ---------------------------------------- */

static void on_close(struct handle *h) {
  struct server *server = (struct server *)h;
  uv_poll_stop(&server->poll);
  if (wheel_has(&server->pause)) {
    clock_cancel(&h->host->clock, &server->pause);
    clock_release(&h->host->clock);
  }
  close(server->fd);
  if (server->reserve >= 0) close(server->reserve);
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

/* Its socket is bound, but does not listen yet. */
static int new_server(struct host *host, struct owner *owner,
                      const struct address *address, struct server **result) {
  int fd = bind_socket(address);
  if (fd < 0) return fd;
  struct server *server = handle_new(host, sizeof *server);
  int status = UV_ENOMEM;
  if (server != NULL) status = uv_poll_init(&host->loop, &server->poll, fd);
  if (status < 0) {
    free(server);
    close(fd);
    return status;
  }
  server->fd = fd;
  server->reserve = open_reserve();
  server->is_unix = address->is_unix;
  if (address->is_unix && address->host[0] != '@')
    server->path = strdup(address->host);
  server->handler = LUA_NOREF;
  server->handle.on_close = on_close;
  server->handle.on_free = on_free;
  handle_open(&server->handle, &server->poll, &kind, owner);
  *result = server;
  return 0;
}

static int start(struct server *server) {
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
  struct server *server;
  address_check(L, 1, &address);
  bool has_events = lua_istable(L, 2);
  if (!has_events && !lua_isfunction(L, 2))
    return luaL_typeerror(L, 2, "function or table of events");
  lua_settop(L, 2);
  if (has_events) events_check(L, 2);
  struct origin origin = origin_here(L);
  int status = new_server(host_of(L), owner_here(L), &address, &server);
  if (status < 0) return listen_error(L, status);
  server->has_events = has_events;
  server->handle.origin = origin;
  handle_push_box(L, &server->handle, class_name, 0);
  lua_pushvalue(L, 2);
  server->handler = luaL_ref(L, LUA_REGISTRYINDEX);
  status = start(server);
  if (status == 0) return 1;
  server->handle.rooted = false;
  handle_close(&server->handle);
  return listen_error(L, status);
}

/* ---- the class ----------------------------------------------------------- */

static int get_address(lua_State *L) {
  struct server *server = handle_check_any(L, 1, class_name);
  struct sockaddr_storage name;
  socklen_t size = sizeof name;
  char text[ADDRESS_TEXT];
  memset(&name, 0, sizeof name);
  if (server->handle.closing ||
      getsockname(server->fd, (struct sockaddr *)&name, &size) < 0)
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
