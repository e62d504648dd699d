/* connection.c - what scripts see of a connection beside what all streams have.
 */
#include "modules/net/connection.h"

#include <sys/socket.h>

#include "host/host.h"
#include "host/listen/accepted.h"
#include "host/option.h"
#include "modules/net/events.h"

enum { VALUE_STATE = 1, VALUES = VALUE_STATE };

static const char class_name[] = "neap.connection";

/* ---- its beginning and end ----------------------------------------------- */

static void push_name(lua_State *L, const struct stream *stream) {
  ends_push_peer(L, stream, &((const struct connection *)stream)->peer);
}

static const struct stream_kind kind = {.work = {.name = "connection",
                                                 .stop = handle_stop,
                                                 .drain = stream_drain,
                                                 .lasts = true},
                                        .class_name = class_name,
                                        .size = sizeof(struct connection),
                                        .values = VALUES,
                                        .push_name = push_name,
                                        .is_socket = true};

static void on_free(struct handle *h) {
  struct connection *connection = (struct connection *)h;
  if (connection->events != NULL) events_release(connection);
  stream_free(h);
}

static struct connection *of_stream(struct stream *stream) {
  if (stream != NULL) stream->handle.on_free = on_free;
  return (struct connection *)stream;
}

struct connection *connection_new(struct host *host, struct owner *owner,
                                  uv_handle_type type) {
  return of_stream(stream_new(host, owner, type, &kind));
}

struct connection *connection_accept(const struct listener *listener, int fd) {
  return of_stream(accepted_new(listener, fd, &kind));
}

static struct connection *check_any(lua_State *L) {
  return handle_check_any(L, 1, class_name);
}

static struct connection *check(lua_State *L) {
  return handle_check(L, 1, class_name);
}

/* ---- fields -------------------------------------------------------------- */

static int get_peer(lua_State *L) {
  const struct connection *connection = check_any(L);
  ends_push_peer(L, &connection->stream, &connection->peer);
  return 1;
}

static int get_address(lua_State *L) {
  ends_push_address(L, &check_any(L)->stream);
  return 1;
}

static int get_credentials(lua_State *L) {
  connection_push_credentials(L, check_any(L));
  return 1;
}

static int get_state(lua_State *L) {
  check_any(L);
  if (lua_getiuservalue(L, 1, VALUE_STATE) == LUA_TTABLE) return 1;
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, VALUE_STATE);
  return 1;
}

static int set_state(lua_State *L) {
  check_any(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_setiuservalue(L, 1, VALUE_STATE);
  return 0;
}

/* ---- methods ------------------------------------------------------------- */

/* What is set on a socket of another kind has no effect, and is no error. */
static int set_result(lua_State *L, const struct stream *stream, int status,
                      const char *what) {
  if (status < 0) return stream_error(L, stream, status, what);
  lua_settop(L, 1);
  return 1;
}

static int set_nodelay(lua_State *L) {
  struct stream *stream = &check(L)->stream;
  int status = 0;
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  if (stream->handle.closing)
    status = UV_ECANCELED;
  else if (stream->uv.any.type == UV_TCP)
    status = uv_tcp_nodelay(&stream->uv.tcp, lua_toboolean(L, 2));
  return set_result(L, stream, status, "nodelay");
}

static int set_keepalive(lua_State *L) {
  struct stream *stream = &check(L)->stream;
  unsigned seconds = 0;
  int status = 0;
  if (!lua_isboolean(L, 2) || lua_toboolean(L, 2)) {
    lua_Number delay = check_seconds(L, 2);
    luaL_argcheck(L, delay >= 1 && delay <= 32767, 2,
                  "false or 1 to 32767 seconds expected");
    seconds = (unsigned)delay;
  }
  if (stream->handle.closing)
    status = UV_ECANCELED;
  else if (stream->uv.any.type == UV_TCP)
    status = uv_tcp_keepalive(&stream->uv.tcp, seconds > 0, seconds);
  return set_result(L, stream, status, "keepalive");
}

static int reset(lua_State *L) {
  stream_reset(&check_any(L)->stream);
  return 0;
}

static const luaL_Reg methods[] = {
  {"chunks", stream_chunks},
  {"close", handle_method_close},
  {"keepalive", set_keepalive},
  {"lines", stream_lines},
  {"nodelay", set_nodelay},
  {"read", stream_read},
  {"reset", reset},
  {"shutdown", stream_shutdown},
  {"write", stream_write},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"address", get_address, NULL},
  {"closed", handle_field_closed, NULL},
  {"credentials", get_credentials, NULL},
  {"peer", get_peer, NULL},
  {"pending", stream_field_pending, NULL},
  {"state", get_state, set_state},
  {NULL, NULL, NULL},
};

void connection_open_class(lua_State *L) {
  stream_class(L, &kind, methods, fields);
}
