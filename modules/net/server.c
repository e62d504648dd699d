/* server.c - net.listen: what becomes of those who are accepted. */
#include "modules/net/server.h"

#include <lauxlib.h>

#include "host/host.h"
#include "host/task.h"
#include "modules/net/connection.h"
#include "modules/net/events.h"

/* ---- a handler that is a function ---------------------------------------- */

static int run_connection(lua_State *L) {
  struct connection *connection = lua_touserdata(L, 1);
  listener_push_handler(L, connection->server);
  stream_push(L, &connection->stream);
  return task_call_last(L, 1);
}

static void connection_ended(struct task *task, enum task_end how) {
  struct connection *connection = task->context;
  (void)how;
  handle_end(&connection->stream.handle);
  listener_leave(connection->server);
  connection->server = NULL;
  handle_leave(&connection->stream.handle);
}

static const struct task_sink connection_sink = {NULL, connection_ended};

static bool serve(struct listener *listener, struct connection *connection) {
  struct handle *h = &connection->stream.handle;
  struct task *task =
    task_start(h->host, h->work.owner, run_connection, connection);
  if (task == NULL) return false;
  task->sink = &connection_sink;
  task->name = "connection";
  task->origin = h->origin;
  task->work.spec = listener->handle.work.spec;
  connection->server = listener;
  listener_use(listener);
  handle_use(h);
  return true;
}

/* ---- those who are accepted ---------------------------------------------- */

static void serve_socket(struct listener *listener,
                         struct connection *connection) {
  struct stream *stream = &connection->stream;
  bool served = listener->shares ? events_serve(listener->service, connection)
                                 : serve(listener, connection);
  if (!served) {
    handle_close(&stream->handle);
    return;
  }
  stream->served = true;
  stream_start(stream);
  if (listener->shares) events_pump(connection);
}

static void accept_one(struct listener *listener, int fd,
                       const struct sockaddr *peer) {
  struct connection *connection = connection_accept(listener, fd);
  if (connection == NULL) return;
  peer_set(&connection->peer, peer);
  serve_socket(listener, connection);
}

/* What was no line yet may be data for the next one. */
static bool differs(const struct listener *old, const struct listener *heir) {
  return ((const struct server *)old)->by_line !=
         ((const struct server *)heir)->by_line;
}

static void pump(struct served *served) {
  events_pump(served->connection);
}

static const struct listener_kind kind = {
  .work = {.name = "server", .stop = handle_stop, .start = listener_start},
  .class_name = "neap.server",
  .size = sizeof(struct server),
  .accept = accept_one,
  .pump = pump,
  .differs = differs};

/* ---- net.listen(address, handler) ---------------------------------------- */

int net_listen(lua_State *L) {
  struct address address;
  struct listener *listener;
  bool by_line = false, has_events = lua_istable(L, 2);
  address_check(L, 1, &address);
  if (has_events)
    by_line = events_check(L, 2);
  else if (!lua_isfunction(L, 2))
    return luaL_typeerror(L, 2, "function or table of events");
  int status = listener_open(L, &kind, &address, has_events, &listener);
  if (status < 0) return listener_error(L, status);
  ((struct server *)listener)->by_line = by_line;
  status = listener_begin(L, listener, 2);
  return status < 0 ? listener_error(L, status) : 1;
}

/* ---- the class ----------------------------------------------------------- */

static const luaL_Reg methods[] = {
  {"close", handle_method_close},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"address", listener_field_address, NULL},
  {"closed", handle_field_closed, NULL},
  {NULL, NULL, NULL},
};

void server_open_class(lua_State *L) {
  listener_class(L, &kind, methods, fields);
}
