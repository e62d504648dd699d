/* events.c - from what has happened to a connection to the function for it. */
#include "modules/net/events.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/error.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/task.h"
#include "modules/net/connection.h"
#include "modules/net/server.h"

enum event { EVENT_NONE, EVENT_OPEN, EVENT_INPUT, EVENT_CLOSE };

struct events {
  int box;                 /* a reference to it, made by the first event */
  enum event event;        /* that is served now, or EVENT_NONE */
  struct listener *server; /* by this one, also when another follows it */
  bool was_opened, was_closed;
};

/* ---- the table ----------------------------------------------------------- */

bool events_check(lua_State *L, int index) {
  static const char *const names[] = {"open", "line", "data", "close", NULL};
  bool has[4] = {false};
  luaL_checktype(L, index, LUA_TTABLE);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    int i = 0;
    while (names[i] != NULL && strcmp(names[i], key) != 0) i++;
    if (names[i] == NULL)
      luaL_argerror(L, index,
                    lua_pushfstring(L,
                                    "unknown event '%s' (there "
                                    "are: open, line, data, close)",
                                    luaL_tolstring(L, -2, NULL)));
    if (!lua_isfunction(L, -1))
      luaL_argerror(L, index,
                    lua_pushfstring(L, "event '%s' is not a function", key));
    has[i] = true;
    lua_pop(L, 1);
  }
  luaL_argcheck(L, has[1] != has[2], index,
                "a table of events has either 'line' or 'data'");
  return has[1];
}

/* An event ends in the version in which its task was started. */
static struct server *server_of(const struct connection *connection) {
  struct listener *listener = connection->events->server;
  if (listener == NULL) listener = connection->served.service->listener;
  return (struct server *)listener;
}

static bool push_handler(lua_State *L, const struct connection *connection,
                         const char *name) {
  listener_push_handler(L, &server_of(connection)->listener);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  return lua_isfunction(L, -1);
}

/* The script may have changed its table. */
static void look_again(lua_State *L, const struct connection *connection) {
  server_of(connection)->by_line = push_handler(L, connection, "line");
  lua_pop(L, 1);
}

/* ---- one event: the body of its task ------------------------------------- */

static void push_box(lua_State *L, struct connection *connection) {
  struct events *events = connection->events;
  if (events->box != LUA_NOREF) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, events->box);
    return;
  }
  stream_push(L, &connection->stream);
  lua_pushvalue(L, -1);
  events->box = luaL_ref(L, LUA_REGISTRYINDEX);
}

static bool is_by_line(const struct connection *connection) {
  return server_of(connection)->by_line;
}

static const struct want *wanted(const struct connection *connection) {
  static const struct want line = {1, {{FORMAT_LINE, 0}}, false};
  static const struct want some = {1, {{FORMAT_SOME, 0}}, false};
  return is_by_line(connection) ? &line : &some;
}

static int run_open(lua_State *L, struct connection *connection) {
  look_again(L, connection);
  if (!push_handler(L, connection, "open")) return 0;
  push_box(L, connection);
  return task_call_last(L, 1);
}

static int run_input(lua_State *L, struct connection *connection) {
  struct stream *stream = &connection->stream;
  struct inbox *inbox = &stream->inbox;
  struct result result;
  look_again(L, connection);
  enum scan scan = inbox_scan(inbox, wanted(connection),
                              stream_ended(stream) == UV_EOF, &result);
  if (scan == SCAN_TOO_LONG) {
    stream->ending = UV_EMSGSIZE;
    inbox_consume(inbox, inbox->size);
  }
  if (scan != SCAN_DONE || !result.spans[0].found) return 0;
  const char *name = is_by_line(connection) ? "line" : "data";
  bool handled = push_handler(L, connection, name);
  push_box(L, connection);
  lua_pushlstring(L, inbox->bytes, result.spans[0].size);
  inbox_consume(inbox, result.size);
  if (inbox->size < INBOX_HIGH) stream_resume_reading(stream);
  return handled ? task_call_last(L, 2) : 0;
}

static int run_close(lua_State *L, struct connection *connection) {
  const struct stream *stream = &connection->stream;
  int why = stream->ending != 0 ? stream->ending : stream->broken;
  if (!push_handler(L, connection, "close")) return 0;
  push_box(L, connection);
  if (why == 0 && !stream->handle.ended) why = UV_ECANCELED; /* the host */
  if (why == 0 || why == UV_EOF) return task_call_last(L, 1);
  stream_error(L, stream, why, "connection"); /* ..., nil, message, code */
  lua_remove(L, -3);
  return task_call_last(L, 3);
}

static int run_event(lua_State *L) {
  struct connection *connection = lua_touserdata(L, 1);
  switch (connection->events->event) {
    case EVENT_OPEN: return run_open(L, connection);
    case EVENT_INPUT: return run_input(L, connection);
    default: return run_close(L, connection);
  }
}

/* ---- the next event ------------------------------------------------------ */

static bool has_input(struct connection *connection) {
  struct stream *stream = &connection->stream;
  struct result result;
  int ending = stream_ended(stream);
  if (stream->inbox.size == 0) return false;
  if (stream->handle.ended || stream->handle.closing) return false;
  return inbox_scan(&stream->inbox, wanted(connection), ending == UV_EOF,
                    &result) != SCAN_MORE;
}

static enum event next_event(struct connection *connection) {
  const struct stream *stream = &connection->stream;
  struct events *events = connection->events;
  bool closed = stream->handle.ended || stream->handle.closing;
  if (!events->was_opened) return EVENT_OPEN;
  if (has_input(connection)) return EVENT_INPUT;
  if (events->was_closed) return EVENT_NONE;
  if (closed || stream->ending != 0) return EVENT_CLOSE;
  if (connection->served.service->over) return EVENT_CLOSE;
  bool draining = stream->handle.host->phase != HOST_RUNNING;
  if (draining && stream->inbox.size == 0) return EVENT_CLOSE;
  return EVENT_NONE;
}

static void ended(struct task *task, enum task_end how);

static const struct task_sink sink = {NULL, ended};

/* In the version that serves now: what the event starts belongs to that one. */
static struct task *start_event(struct connection *connection) {
  const struct service *service = connection->served.service;
  struct owner *owner = owner_new(service->work.owner->generation);
  if (owner == NULL) return NULL;
  struct task *task = task_start(service->host, owner, run_event, connection);
  if (task == NULL) {
    owner_drop(owner);
    return NULL;
  }
  task->sink = &sink;
  task->name = "connection";
  task->origin = service->listener->handle.origin;
  task->work.spec = service->listener->handle.work.spec;
  return task;
}

bool events_pump(struct connection *connection) {
  struct events *events = connection->events;
  if (connection->served.service == NULL || events->event != EVENT_NONE)
    return false;
  enum event event = next_event(connection);
  if (event == EVENT_NONE) return false;
  struct task *task = start_event(connection);
  if (task == NULL) {
    if (event == EVENT_CLOSE) handle_close(&connection->stream.handle);
    return false;
  }
  events->event = event;
  events->server = connection->served.service->listener;
  listener_use(events->server);
  events->was_opened = true;
  if (event == EVENT_CLOSE) events->was_closed = true;
  handle_use(&connection->stream.handle);
  return true;
}

void events_release(struct connection *connection) {
  struct events *events = connection->events;
  lua_State *L = connection->stream.handle.host->L;
  if (L != NULL) luaL_unref(L, LUA_REGISTRYINDEX, events->box);
  connection->stream.consumer = NULL;
  connection->events = NULL;
  free(events);
  inbox_free(&connection->stream.inbox);
  service_remove(&connection->served);
}

/* A failed event closes its connection. After the last one nothing is left. */
static void ended(struct task *task, enum task_end how) {
  struct connection *connection = task->context;
  struct stream *stream = &connection->stream;
  struct events *events = connection->events;
  bool over = events->event == EVENT_CLOSE;
  events->event = EVENT_NONE;
  listener_leave(events->server);
  events->server = NULL;
  if (how != TASK_RETURNED || over) handle_end(&stream->handle);
  if (over)
    events_release(connection);
  else if (!events_pump(connection))
    stream_resume_reading(stream); /* for the rest of a long line */
  handle_leave(&stream->handle);
}

/* ---- the consumer of its input ------------------------------------------- */

static bool pump(struct stream *stream) {
  return events_pump((struct connection *)stream);
}

static bool is_busy(const struct stream *stream) {
  return ((const struct connection *)stream)->events->event != EVENT_NONE;
}

static const struct stream_consumer consumer = {pump, is_busy};

bool events_serve(struct service *service, struct connection *connection) {
  struct events *events = calloc(1, sizeof *events);
  if (events == NULL) return false;
  events->box = LUA_NOREF;
  connection->events = events;
  connection->stream.consumer = &consumer;
  service_add(service, &connection->served, connection);
  return true;
}
