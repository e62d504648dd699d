/* write.c - from a writer into the outbox, from there to the socket. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "host/error.h"
#include "host/host.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "host/stream/stream.h"

size_t stream_pending(const struct stream *stream) {
  return stream->outbox_size +
         uv_stream_get_write_queue_size(&stream->uv.stream);
}

#ifdef SIOCOUTQ
size_t stream_in_flight(const struct stream *stream) {
  uv_os_fd_t fd;
  int size = 0;
  if (uv_fileno(&stream->uv.any, &fd) < 0 || ioctl(fd, SIOCOUTQ, &size) < 0)
    return SIZE_MAX;
  return (size_t)size;
}
#else
size_t stream_in_flight(const struct stream *stream) {
  (void)stream;
  return SIZE_MAX;
}
#endif

/* ---- to the socket ------------------------------------------------------- */

struct rest {
  uv_write_t uv;
  char data[]; /* what the socket did not take at once */
};

static void on_written(uv_write_t *uv, int status) {
  struct stream *stream = uv->handle->data;
  free(uv);
  stream->handle.host->peer_requests--;
  if (status < 0 && stream->broken == 0) stream->broken = status;
  size_t pending = stream_pending(stream);
  if (stream->broken != 0 || pending <= OUTBOX_HIGH / 2)
    wait_wake_all(stream->writers, 0);
  if (stream->consumer != NULL && !stream->handle.ended)
    stream->consumer->pump(stream); /* it may have waited for this */
  bool over = stream->broken != 0 || pending == 0;
  if (over && stream->handle.ended)
    stream_part(stream);
  else if (over && stream->handle.host->phase == HOST_DRAINING)
    work_drain(&stream->handle.work); /* it has waited for this */
}

/* Queues what is left of the buffers after `sent` bytes. */
static int send_rest(struct stream *stream, const uv_buf_t *buffers, int count,
                     size_t sent) {
  size_t size = 0;
  for (int i = 0; i < count; i++) size += buffers[i].len;
  struct rest *rest = malloc(sizeof *rest + size - sent);
  if (rest == NULL) return UV_ENOMEM;
  uv_buf_t all = uv_buf_init(rest->data, (unsigned)(size - sent));
  char *to = rest->data;
  for (int i = 0; i < count; i++) {
    size_t skip = sent < buffers[i].len ? sent : buffers[i].len;
    if (buffers[i].len > skip)
      memcpy(to, buffers[i].base + skip, buffers[i].len - skip);
    to += buffers[i].len - skip;
    sent -= skip;
  }
  int status = uv_write(&rest->uv, &stream->uv.stream, &all, 1, on_written);
  if (status == 0)
    stream->handle.host->peer_requests++;
  else
    free(rest);
  return status;
}

static int send_now(struct stream *stream, const uv_buf_t *buffers, int count) {
  size_t size = 0;
  for (int i = 0; i < count; i++) size += buffers[i].len;
  int sent = uv_try_write(&stream->uv.stream, buffers, (unsigned)count);
  if (sent == UV_EAGAIN) sent = 0; /* something is queued before it */
  if (sent < 0) return sent;
  if ((size_t)sent == size) return 0;
  return send_rest(stream, buffers, count, (size_t)sent);
}

void stream_drop_outbox(struct stream *stream) {
  buffers_give(&stream->handle.host->buffers, stream->outbox);
  stream->outbox = NULL;
  stream->outbox_size = 0;
}

void stream_flush(struct stream *stream) {
  flush_remove(&stream->flush);
  if (stream->outbox_size == 0 || stream->handle.closing) return;
  uv_buf_t buffer = uv_buf_init(stream->outbox, (unsigned)stream->outbox_size);
  int status = send_now(stream, &buffer, 1);
  stream_drop_outbox(stream);
  if (status < 0 && stream->broken == 0) stream->broken = status;
}

/* ---- into the outbox ----------------------------------------------------- */

static int gather(struct stream *stream, const char *data, size_t size) {
  struct host *host = stream->handle.host;
  if (stream->outbox == NULL) stream->outbox = buffers_take(&host->buffers);
  if (stream->outbox == NULL) return UV_ENOMEM;
  memcpy(stream->outbox + stream->outbox_size, data, size);
  stream->outbox_size += size;
  return 0;
}

/* A big string is not copied to be sent: what has been gathered goes before it,
 * in the same system call. */
static int send_behind(struct stream *stream, const char *data, size_t size) {
  uv_buf_t buffers[2] = {
    uv_buf_init(stream->outbox, (unsigned)stream->outbox_size),
    uv_buf_init((char *)data, (unsigned)size),
  };
  int first = stream->outbox_size == 0 ? 1 : 0;
  int status = send_now(stream, buffers + first, 2 - first);
  stream_drop_outbox(stream);
  return status;
}

int stream_gather(struct stream *stream, const char *data, size_t size) {
  if (size == 0) return 0;
  if (stream->handle.closing) return UV_ECANCELED;
  stream->given += size;
  flush_add(stream->handle.host, &stream->flush);
  if (stream->outbox_size + size <= BUFFER_SIZE)
    return gather(stream, data, size);
  return send_behind(stream, data, size);
}

/* The first write of a turn goes out now, those after it are gathered: being on
 * the list of those to be flushed tells them apart. */
static int put_out(struct stream *stream, const char *data, size_t size) {
  if (size == 0) return 0;
  if (flush_is_added(&stream->flush)) return stream_gather(stream, data, size);
  stream->given += size;
  flush_add(stream->handle.host, &stream->flush);
  return send_behind(stream, data, size);
}

/* ---- stream:write(data [, options] [, callback]) ------------------------- */

static int write_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, 1);
  const struct stream *stream = (const struct stream *)box->handle;
  int status = stream->broken != 0 ? stream->broken : wait_status(L);
  if (status == 0 && stream->handle.closing) status = UV_ECANCELED;
  if (status != 0) return stream_error(L, stream, status, "write");
  lua_pushvalue(L, 1);
  return 1;
}

static const struct wait write_wait = {"write", write_finish, NULL};

void stream_check_data(lua_State *L) {
  check_strings(L, 2);
  luaL_argcheck(L, lua_rawlen(L, 2) <= INT32_MAX, 2,
                "more than 2 GB in one write");
}

static int send_string(lua_State *L, struct stream *stream) {
  size_t size;
  const char *data = lua_tolstring(L, 2, &size);
  if (stream->handle.closing) return UV_ECANCELED;
  if (stream->broken != 0) return stream->broken;
  if (stream->shut) return UV_EPIPE;
  if (stream_pending(stream) > OUTBOX_MOST) {
    handle_close(&stream->handle);
    return UV_ENOBUFS;
  }
  return put_out(stream, data, size);
}

int stream_write(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct stream *stream = stream_check(L);
  luaL_argcheck(L, lua_type(L, 3) != LUA_TSTRING, 3,
                "one string, or a list of them: write { \"a\", \"b\" }");
  option_arguments(L, 2, options);
  int64_t timeout = option_ms(L, 3, "timeout");
  stream_check_data(L);
  struct task *task = wait_begin(L, &write_wait, 4);
  int status = send_string(L, stream);
  if (status < 0) {
    if (!stream->shut) stream->broken = status;
    return wait_fail(L, task, status);
  }
  if (stream_pending(stream) > OUTBOX_HIGH)
    return wait_park(L, task, &stream->writers, timeout);
  return wait_pass(L, task, NULL);
}

/* ---- stream:shutdown([options] [, callback]) ----------------------------- */

static void on_shutdown(uv_shutdown_t *uv, int status) {
  struct stream *stream = uv->handle->data;
  free(uv);
  stream->handle.host->peer_requests--;
  bool is_pipe = status == UV_ENOTSOCK; /* its reader sees an end if we close */
  wait_wake_all(stream->shutter, is_pipe ? 0 : status);
  if (is_pipe) handle_close(&stream->handle);
}

static int shutdown_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, 1);
  const struct stream *stream = (const struct stream *)box->handle;
  int status = wait_status(L);
  if (status != 0) return stream_error(L, stream, status, "shutdown");
  lua_pushvalue(L, 1);
  return 1;
}

static const struct wait shutdown_wait = {"shutdown", shutdown_finish, NULL};

int stream_shutdown(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct stream *stream = stream_check(L);
  option_arguments(L, 1, options);
  int64_t timeout = option_ms(L, 2, "timeout");
  if (stream->shutter != NULL)
    return luaL_error(L, "another task shuts this %s down",
                      stream->kind->work.name);
  struct task *task = wait_begin(L, &shutdown_wait, 3);
  if (stream->shut) return wait_pass(L, task, &stream->shutter);
  stream_flush(stream);
  uv_shutdown_t *uv = malloc(sizeof *uv);
  int status = uv == NULL ? UV_ENOMEM : stream->broken;
  if (status == 0 && stream->handle.closing) status = UV_ECANCELED;
  if (status == 0) status = uv_shutdown(uv, &stream->uv.stream, on_shutdown);
  if (status == 0) {
    stream->shut = true;
    task->host->peer_requests++;
    return wait_park(L, task, &stream->shutter, timeout);
  }
  free(uv);
  return wait_fail(L, task, status);
}
