/* accept.c - takes connections from the system, and starts what serves them: a
 * task, for a handler that is a function, or a table of events. */
#include "modules/net/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/task.h"
#include "modules/net/connection.h"
#include "modules/net/events.h"
#include "modules/net/server.h"
#include "modules/net/service.h"

enum {
  ACCEPT_MOST = 64, /* in a row */
  PAUSE_MS = 100,
  SHED_REPORT_MS = 5000
};

/* ---- a handler that is a function ---------------------------------------- */

static int run_connection(lua_State *L) {
  struct connection *connection = lua_touserdata(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, connection->server->handler);
  stream_push(L, &connection->stream);
  return task_call_last(L, 1);
}

static void connection_ended(struct task *task, enum task_end how) {
  struct connection *connection = task->context;
  (void)how;
  handle_end(&connection->stream.handle);
  server_leave(connection->server);
  connection->server = NULL;
  handle_leave(&connection->stream.handle);
}

static const struct task_sink connection_sink = {NULL, connection_ended};

static bool serve(struct server *server, struct connection *connection) {
  struct handle *h = &connection->stream.handle;
  struct task *task =
    task_start(h->host, h->work.owner, run_connection, connection);
  if (task == NULL) return false;
  task->sink = &connection_sink;
  task->name = "connection";
  task->origin = h->origin;
  task->work.spec = server->handle.work.spec;
  connection->server = server;
  server_use(server);
  handle_use(h);
  return true;
}

/* ---- accept -------------------------------------------------------------- */

static void serve_socket(struct server *server, struct connection *connection) {
  struct stream *stream = &connection->stream;
  stream->handle.origin = server->handle.origin;
  stream->handle.work.spec = server->handle.work.spec;
  bool served = server->has_events ? events_serve(server->service, connection)
                                   : serve(server, connection);
  if (!served) {
    handle_close(&stream->handle);
    return;
  }
  stream->served = true;
  connection_learn_peer(connection);
  if (stream->uv.any.type == UV_TCP) uv_tcp_nodelay(&stream->uv.tcp, 1);
  stream_start(stream);
  if (server->has_events) events_pump(connection);
}

static int adopt(struct stream *stream, int fd) {
  return stream->uv.any.type == UV_TCP ? uv_tcp_open(&stream->uv.tcp, fd)
                                       : uv_pipe_open(&stream->uv.pipe, fd);
}

/* A connection that events serve outlives the version that has accepted it. */
static struct owner *new_owner(const struct server *server) {
  return owner_new(server->has_events ? server->handle.host->root
                                      : server->handle.work.owner->generation);
}

static void accept_one(struct server *server, int fd) {
  struct owner *owner = new_owner(server);
  struct connection *connection = NULL;
  if (owner != NULL)
    connection = connection_new(server->handle.host, owner,
                                server->is_unix ? UV_NAMED_PIPE : UV_TCP);
  if (connection == NULL) {
    if (owner != NULL) owner_drop(owner);
    close(fd);
  } else if (adopt(&connection->stream, fd) < 0) {
    handle_close(&connection->stream.handle);
    close(fd);
  } else {
    serve_socket(server, connection);
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

int accept_open_reserve(void) {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* There is no descriptor for who waits; in the queue it would wake us again and
 * again. The one in reserve lets it be accepted, and closed. */
static bool shed(struct server *server, int error) {
  if (server->reserve >= 0) close(server->reserve);
  int fd = next_socket(server);
  if (fd >= 0) close(fd);
  server->reserve = accept_open_reserve();
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
  clock_set(&host->clock, &server->pause, clock_ms(&host->clock) + PAUSE_MS);
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

int accept_start(struct server *server) {
  return uv_poll_start(&server->poll, UV_READABLE, on_ready);
}

void accept_stop(struct server *server) {
  struct clock *clock = &server->handle.host->clock;
  uv_poll_stop(&server->poll);
  if (!wheel_has(&server->pause)) return;
  clock_cancel(clock, &server->pause);
  clock_release(clock);
}
