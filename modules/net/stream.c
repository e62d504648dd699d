/* stream.c - the life of a connection, and what scripts see of it beside
 * reading and writing. */
#include "modules/net/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/net/events.h"

enum { LINGER_MS = 30000, PART_MS = 5000 };

static const char class_name[] = "neap.connection";

enum { VALUE_STATE = 1, VALUES = VALUE_STATE };

/* ---- its end ------------------------------------------------------------- */

static void wake_all(struct stream *stream, int status) {
  wait_wake_all(stream->reader, status);
  wait_wake_all(stream->writers, status);
  wait_wake_all(stream->shutter, status);
}

static void stop_linger(struct stream *stream) {
  struct clock *clock = &stream->handle.host->clock;
  if (!wheel_has(&stream->linger)) return;
  clock_cancel(clock, &stream->linger);
  if (!stream->parting) clock_release(clock);
}

static void on_close(struct handle *h) {
  struct stream *stream = (struct stream *)h;
  flush_remove(&stream->flush);
  stop_linger(stream);
  wake_all(stream, UV_ECANCELED);
  stream_drop_outbox(stream);
  if (stream->events != NULL)
    events_pump(stream);
  else
    inbox_free(&stream->inbox);
}

static void on_free(struct handle *h) {
  struct stream *stream = (struct stream *)h;
  if (stream->events != NULL) events_release(stream);
}

static void on_linger(struct timeout *timeout) {
  struct stream *stream = timeout->data;
  if (!stream->parting) clock_release(&stream->handle.host->clock);
  handle_close(&stream->handle); /* the peer takes too long */
}

static void set_linger(struct stream *stream, uint64_t ms) {
  struct host *host = stream->handle.host;
  stream->linger.fire = on_linger;
  stream->linger.data = stream;
  clock_set(&host->clock, &stream->linger, clock_ms(&host->clock) + ms);
}

/* All has been handed to the system. Closing now would make it reset the
 * connection, because of what nobody has read, and drop what is on its way. So
 * the peer is told of the end, and what it sends is thrown away for a while;
 * the program does not go on for that alone. */
static void await_peer(struct stream *stream) {
  uv_os_fd_t fd;
  if (uv_fileno(&stream->uv.any, &fd) == 0) shutdown(fd, SHUT_WR);
  stop_linger(stream);
  stream->parting = true;
  set_linger(stream, PART_MS);
  uv_unref(&stream->uv.any);
}

void stream_part(struct stream *stream) {
  bool sent = stream_pending(stream) == 0;
  if (stream->broken != 0 || (sent && (stream->ending != 0 || !stream->unread)))
    handle_close(&stream->handle);
  else if (sent && !stream->parting)
    await_peer(stream);
}

/* What has been written still goes out, as far as the peer takes it. */
static void end(struct handle *h) {
  struct stream *stream = (struct stream *)h;
  bool paused = !stream->reading;
  stream->unread = stream->ending == 0 && (paused || stream->inbox.size > 0);
  stream_flush(stream);
  wake_all(stream, UV_ECANCELED);
  if (stream->events != NULL) events_pump(stream);
  clock_hold(&h->host->clock);
  set_linger(stream, LINGER_MS);
  if (paused && stream->unread) stream_start(stream);
  stream_part(stream);
}

bool stream_is_served(const struct stream *stream) {
  return stream->server != NULL || stream->service != NULL;
}

/* A connection that rests is not in the middle of anything. One that we have
 * made ends with whoever uses it, and that may be to answer a request. */
static void drain(struct work *work) {
  struct stream *stream = (struct stream *)work;
  if (!stream_is_served(stream)) return;
  stream_flush(stream);
  if (stream->inbox.size > 0 || stream_pending(stream) > 0) return;
  if (stream->events != NULL)
    events_pump(stream);
  else
    wait_wake_all(stream->reader, UV_ECANCELED);
}

static const struct work_kind kind = {
  .name = "connection", .stop = handle_stop, .drain = drain, .lasts = true};

/* ---- its beginning ------------------------------------------------------- */

static void on_flush(struct flush *flush) {
  stream_flush(flush->data);
}

struct stream *stream_new(struct host *host, struct owner *owner,
                          uv_handle_type type) {
  struct stream *stream = handle_new(host, sizeof *stream);
  if (stream == NULL) return NULL;
  int status = type == UV_TCP ? uv_tcp_init(&host->loop, &stream->uv.tcp)
                              : uv_pipe_init(&host->loop, &stream->uv.pipe, 0);
  if (status < 0) {
    free(stream);
    return NULL;
  }
  stream->flush.run = on_flush;
  stream->flush.data = stream;
  stream->handle.on_close = on_close;
  stream->handle.on_free = on_free;
  stream->handle.end = end;
  handle_open(&stream->handle, &stream->uv.any, &kind, owner);
  return stream;
}

void stream_push(lua_State *L, struct stream *stream) {
  handle_push_box(L, &stream->handle, class_name, VALUES);
}

struct stream *stream_check_any(lua_State *L) {
  return handle_check_any(L, 1, class_name);
}

struct stream *stream_check(lua_State *L) {
  return handle_check(L, 1, class_name);
}

/* ---- fields -------------------------------------------------------------- */

static int get_peer(lua_State *L) {
  stream_push_peer(L, stream_check_any(L));
  return 1;
}

static int get_address(lua_State *L) {
  stream_push_address(L, stream_check_any(L));
  return 1;
}

static int get_credentials(lua_State *L) {
  stream_push_credentials(L, stream_check_any(L));
  return 1;
}

static int get_pending(lua_State *L) {
  const struct stream *stream = stream_check_any(L);
  lua_pushinteger(L, (lua_Integer)stream_pending(stream));
  return 1;
}

static int get_state(lua_State *L) {
  stream_check_any(L);
  if (lua_getiuservalue(L, 1, VALUE_STATE) == LUA_TTABLE) return 1;
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, 1, VALUE_STATE);
  return 1;
}

static int set_state(lua_State *L) {
  stream_check_any(L);
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
  struct stream *stream = stream_check(L);
  int status = 0;
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  if (stream->handle.closing)
    status = UV_ECANCELED;
  else if (stream->uv.any.type == UV_TCP)
    status = uv_tcp_nodelay(&stream->uv.tcp, lua_toboolean(L, 2));
  return set_result(L, stream, status, "nodelay");
}

static int set_keepalive(lua_State *L) {
  struct stream *stream = stream_check(L);
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

/* Drops what has not been sent: the peer sees a reset, not an end. */
static int reset(lua_State *L) {
  struct stream *stream = stream_check_any(L);
  struct linger hard = {1, 0};
  uv_os_fd_t fd;
  if (!stream->handle.closing && uv_fileno(&stream->uv.any, &fd) == 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  stream->handle.ended = true;
  handle_close(&stream->handle);
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
  {"pending", get_pending, NULL},
  {"state", get_state, set_state},
  {NULL, NULL, NULL},
};

void stream_open_class(lua_State *L) {
  handle_class(L, class_name, methods, fields);
}
