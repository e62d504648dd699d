/* stream.c - the life of a stream, from its first byte to the last. */
#include "host/stream/stream.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "host/error.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

enum { LINGER_MS = 30000, PART_MS = 5000, LAST_PART_MS = 500 };

/* ---- its end ------------------------------------------------------------- */

static void wake_all(struct stream *stream, int status) {
  stream_wake_readers(stream, status);
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
  if (stream->consumer != NULL)
    stream->consumer->pump(stream);
  else
    inbox_free(&stream->inbox);
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
 * the peer is told of the end, and what it sends is thrown away for a while.
 * The program does not go on for that alone, or only for a moment, if it is told
 * to end: the answers that drain are to arrive. */
static void await_peer(struct stream *stream) {
  bool drains = stream->handle.host->phase == HOST_DRAINING;
  uv_os_fd_t fd;
  if (uv_fileno(&stream->uv.any, &fd) == 0) shutdown(fd, SHUT_WR);
  stop_linger(stream);
  stream->parting = true;
  set_linger(stream, drains ? LAST_PART_MS : PART_MS);
  if (!drains) uv_unref(&stream->uv.any);
}

void stream_part(struct stream *stream) {
  bool sent = stream_pending(stream) == 0;
  if (stream->broken != 0 || (sent && (stream->ending != 0 || !stream->unread)))
    handle_close(&stream->handle);
  else if (sent && !stream->parting)
    await_peer(stream);
}

void stream_reset(struct stream *stream) {
  struct linger hard = {1, 0};
  uv_os_fd_t fd;
  if (!stream->handle.closing && uv_fileno(&stream->uv.any, &fd) == 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  stream->handle.ended = true;
  handle_close(&stream->handle);
}

/* What has been written still goes out, as far as the peer takes it. */
static void end(struct handle *h) {
  struct stream *stream = (struct stream *)h;
  bool paused = !stream->reading;
  stream->unread = stream->kind->is_socket && stream->ending == 0 &&
                   (paused || stream->inbox.size > 0 || stream->awaits_end);
  stream_flush(stream);
  wake_all(stream, UV_ECANCELED);
  if (stream->consumer != NULL) stream->consumer->pump(stream);
  clock_hold(&h->host->clock);
  set_linger(stream, LINGER_MS);
  if (paused && stream->unread) stream_start(stream);
  stream_part(stream);
}

/* What we accepted and now rests is not in the middle of anything. What we have
 * made ends with whoever uses it, and that may be to answer a request. */
void stream_drain(struct work *work) {
  struct stream *stream = (struct stream *)work;
  if (!stream->served) {
    if (stream->handle.host->is_settled) handle_end(&stream->handle);
    return;
  }
  stream_flush(stream);
  if (stream->inbox.size > 0 || stream_pending(stream) > 0) return;
  if (stream->consumer != NULL)
    stream->consumer->pump(stream);
  else
    wait_wake_all(stream_reading(stream), UV_ECANCELED);
}

/* ---- its beginning ------------------------------------------------------- */

static void on_flush(struct flush *flush) {
  stream_flush(flush->data);
}

void stream_free(struct handle *h) {
  free(((struct stream *)h)->reader);
}

struct stream *stream_alloc(struct host *host, const struct stream_kind *kind) {
  struct stream *stream = handle_new(host, kind->size);
  if (stream == NULL) return NULL;
  stream->kind = kind;
  stream->flush.run = on_flush;
  stream->flush.data = stream;
  stream->handle.on_close = on_close;
  stream->handle.end = end;
  stream->handle.on_free = stream_free;
  return stream;
}

void stream_open(struct stream *stream, struct owner *owner) {
  handle_open(&stream->handle, &stream->uv.any, &stream->kind->work, owner);
}

struct stream *stream_new(struct host *host, struct owner *owner,
                          uv_handle_type type, const struct stream_kind *kind) {
  struct stream *stream = stream_alloc(host, kind);
  if (stream == NULL) return NULL;
  int status = type == UV_TCP ? uv_tcp_init(&host->loop, &stream->uv.tcp)
                              : uv_pipe_init(&host->loop, &stream->uv.pipe, 0);
  if (status < 0) {
    free(stream);
    return NULL;
  }
  stream_open(stream, owner);
  return stream;
}

/* ---- classes ------------------------------------------------------------- */

static const char family[] = "stream"; /* what all its classes are */

void stream_class(lua_State *L, const struct stream_kind *kind,
                  const luaL_Reg *methods, const struct class_field *fields) {
  handle_class(L, kind->class_name, methods, fields);
  class_join(L, kind->class_name, family);
}

void stream_push(lua_State *L, struct stream *stream) {
  const struct stream_kind *kind = stream->kind;
  handle_push_box(L, &stream->handle, kind->class_name, kind->values);
}

struct stream *stream_check_any(lua_State *L) {
  const struct box *box = class_check_family(L, 1, family);
  if (box->handle == NULL) luaL_error(L, "this stream has been collected");
  return (struct stream *)box->handle;
}

struct stream *stream_check(lua_State *L) {
  struct stream *stream = stream_check_any(L);
  if (stream->handle.ended)
    luaL_error(L, "this %s is closed", stream->kind->work.name);
  return stream;
}

/* ---- for all of them ----------------------------------------------------- */

int stream_field_pending(lua_State *L) {
  const struct stream *stream = stream_check_any(L);
  lua_pushinteger(L, (lua_Integer)stream_pending(stream));
  return 1;
}

int stream_error(lua_State *L, const struct stream *stream, int status,
                 const char *what) {
  stream->kind->push_name(L, stream);
  if (lua_isnil(L, -1))
    lua_pushstring(L, what);
  else
    lua_pushfstring(L, "%s %s", what, lua_tostring(L, -1));
  error_result(L, status, lua_tostring(L, -1));
  lua_rotate(L, -5, 3);
  lua_pop(L, 2); /* its name, and what was made of it */
  return 3;
}
