/* read.c - from the system into the inbox, from the inbox to a reader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "host/error.h"
#include "host/host.h"
#include "host/loop.h"
#include "host/option.h"
#include "host/task.h"
#include "host/wait.h"
#include "host/stream/formats.h"
#include "host/stream/stream.h"

/* ---- libuv fills the inbox ----------------------------------------------- */

static void give_buffer(uv_handle_t *uv, size_t size, uv_buf_t *buffer) {
  const struct handle *h = uv->data;
  (void)size;
  *buffer = uv_buf_init(h->host->scratch, SCRATCH_SIZE);
}

static bool is_satisfied(struct stream *stream) {
  struct result result;
  if (stream_ended(stream) != 0) return true;
  const struct want *want = &stream->reader->want;
  if (want->formats[0].kind == FORMAT_SOME) /* it stands alone */
    return stream->inbox.size > 0;
  return inbox_scan(&stream->inbox, want, false, &result) != SCAN_MORE;
}

struct task *stream_reading(const struct stream *stream) {
  return stream->reader != NULL ? stream->reader->task : NULL;
}

void stream_wake_readers(struct stream *stream, int status) {
  if (stream->reader == NULL) return;
  wait_wake_all(stream->reader->task, status);
  wait_wake_all(stream->reader->heir, status);
}

/* A reader that waits takes the bytes from where they are, in this turn. */
static void put_in(struct stream *stream, char *bytes, size_t size) {
  struct inbox *inbox = &stream->inbox;
  bool someone = stream_reading(stream) != NULL || stream->consumer != NULL;
  if (someone && inbox->size == 0)
    inbox_lend(inbox, bytes, size);
  else if (!inbox_add(inbox, bytes, size))
    stream->ending = UV_ENOMEM;
}

/* True: a task is ready to take some of it. */
static bool tell(struct stream *stream) {
  if (stream->consumer != NULL) return stream->consumer->pump(stream);
  if (stream_reading(stream) == NULL || !is_satisfied(stream)) return false;
  task_wake(stream->reader->task, 0);
  return true;
}

/* A reader, or a line that has not ended, may want more than is enough. */
static void throttle(struct stream *stream) {
  bool wanted = stream->consumer != NULL ? !stream->consumer->is_busy(stream)
                                         : stream_reading(stream) != NULL;
  bool much = stream->kind->on_demand || stream->inbox.size >= INBOX_HIGH;
  if (stream->ending != 0 || (much && !wanted)) stream_stop_reading(stream);
}

/* Where bytes and a reset come together, libuv makes a clean end of it. The
 * system tells of it once: if not now, a write has been told. */
static int true_ending(const struct stream *stream, int status) {
  uv_os_fd_t fd;
  int error = 0;
  socklen_t size = sizeof error;
  if (status != UV_EOF) return status;
  if (stream->broken == UV_ECONNRESET) return UV_ECONNRESET;
  if (uv_fileno(&stream->uv.any, &fd) == 0)
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error == ECONNRESET ? UV_ECONNRESET : UV_EOF;
}

void stream_receive(struct stream *stream, char *bytes, ssize_t size) {
  if (size < 0)
    stream->ending = true_ending(stream, (int)size);
  else if (!stream->handle.ended)
    put_in(stream, bytes, (size_t)size);
  if (stream->handle.ended) {
    stream->unread = stream->kind->is_socket;
    stream_part(stream);
    return;
  }
  bool ready = tell(stream);
  handle_use(&stream->handle);
  if (ready) loop_dispatch(stream->handle.host);
  throttle(stream);
  if (!inbox_keep(&stream->inbox)) {
    inbox_free(&stream->inbox);
    stream->ending = UV_ENOMEM;
  }
  handle_leave(&stream->handle);
}

static void on_read(uv_stream_t *uv, ssize_t size, const uv_buf_t *buffer) {
  if (size != 0) stream_receive(uv->data, buffer->base, size); /* 0: EAGAIN */
}

int stream_start(struct stream *stream) {
  const struct stream_kind *kind = stream->kind;
  int status = kind->start != NULL
                 ? kind->start(stream)
                 : uv_read_start(&stream->uv.stream, give_buffer, on_read);
  stream->reading = status == 0;
  return status;
}

/* One that has been closed meanwhile has stopped, and libuv is not to be told
 * again. */
void stream_stop_reading(struct stream *stream) {
  if (!stream->reading) return;
  stream->reading = false;
  if (stream->handle.closing) return;
  if (stream->kind->stop != NULL)
    stream->kind->stop(stream);
  else
    uv_read_stop(&stream->uv.stream);
}

void stream_resume_reading(struct stream *stream) {
  if (stream->reading || stream->ending != 0 || stream->handle.closing ||
      stream->handle.ended)
    return;
  int status = stream_start(stream);
  if (status < 0) stream->ending = status;
}

int stream_ended(const struct stream *stream) {
  if (stream->ending != 0) return stream->ending;
  if (stream->handle.closing || stream->handle.ended) return UV_ECANCELED;
  if (stream->handle.host->phase != HOST_RUNNING && stream->served)
    return UV_ECANCELED; /* no new request while the program ends */
  return 0;
}

/* ---- stream:read([format ...] [, options] [, callback]) ------------------ */

/* As io.read: after the first nil nothing more is read. */
static int push_result(lua_State *L, struct stream *stream,
                       const struct result *result) {
  size_t size = result->size;
  int count = 0;
  while (count < result->count) {
    const struct span *span = &result->spans[count];
    const struct format *format = &stream->reader->want.formats[count++];
    bool found = formats_push(L, stream->inbox.bytes, format, span);
    if (stream->inbox.size < result->size) /* a finalizer has closed it */
      return stream_error(L, stream, UV_ECANCELED, "read");
    if (found) continue;
    size = span->start + span->size;
    break;
  }
  inbox_consume(&stream->inbox, size); /* nothing, where that has raised */
  if (stream->inbox.size < INBOX_HIGH && !stream->kind->on_demand)
    stream_resume_reading(stream);
  return count;
}

static int read_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, 1);
  struct stream *stream = (struct stream *)box->handle;
  struct stream_reader *reader = stream->reader;
  struct result result;
  int ending = stream_ended(stream);
  if (reader->heir != NULL) task_wake(reader->heir, 0);
  enum scan scan =
    inbox_scan(&stream->inbox, &reader->want, ending == UV_EOF, &result);
  if (scan == SCAN_DONE) return push_result(L, stream, &result);
  int status = wait_status(L);
  if (scan == SCAN_TOO_LONG) status = UV_EMSGSIZE;
  if (ending != 0) status = ending;
  return stream_error(L, stream, status, "read");
}

/* It goes without what it has waited for. */
static bool read_interrupt(struct task *task) {
  const struct stream_reader *reader = (struct stream_reader *)task->parked;
  struct stream *stream = reader->stream;
  if (stream->kind->on_demand) stream_stop_reading(stream);
  if (reader->heir != NULL) task_wake(reader->heir, 0);
  return false;
}

static const struct wait read_wait = {"read", read_finish, read_interrupt};

static int start_read(lua_State *L, struct stream *stream,
                      const struct want *want, int callback, int64_t timeout);

struct inheritance { /* on the stack of the heir, on top */
  struct want want;
  int64_t timeout;
};

/* The one before it has left: now it reads itself. */
static int inherit_finish(lua_State *L) {
  const struct box *box = lua_touserdata(L, 1);
  struct stream *stream = (struct stream *)box->handle;
  int status = wait_status(L);
  if (status != 0) return stream_error(L, stream, status, "read");
  const struct inheritance *kept = lua_touserdata(L, -1);
  return start_read(L, stream, &kept->want, lua_gettop(L) + 1, kept->timeout);
}

static const struct wait inherit_wait = {"read", inherit_finish, NULL};

/* A version of the program follows another, which still reads the same: that is
 * about to end. */
static bool may_inherit(lua_State *L, const struct stream *stream,
                        int callback) {
  if (!stream->kind->on_demand || stream->reader->heir != NULL) return false;
  if (!lua_isnoneornil(L, callback)) return false;
  return stream->reader->task->work.owner->generation !=
         owner_here(L)->generation;
}

static int inherit(lua_State *L, struct stream *stream, const struct want *want,
                   int callback, int64_t timeout) {
  lua_settop(L, callback - 1); /* there is none */
  struct inheritance *kept = lua_newuserdatauv(L, sizeof *kept, 0);
  *kept = (struct inheritance){*want, timeout};
  struct task *task = wait_begin(L, &inherit_wait, callback + 1);
  return wait_park(L, task, &stream->reader->heir, timeout);
}

static void make_reader(lua_State *L, struct stream *stream) {
  stream->reader = calloc(1, sizeof *stream->reader);
  if (stream->reader == NULL) luaL_error(L, "not enough memory");
  stream->reader->stream = stream;
}

static int start_read(lua_State *L, struct stream *stream,
                      const struct want *want, int callback, int64_t timeout) {
  const char *name = stream->kind->work.name;
  if (stream->consumer != NULL)
    return luaL_error(L, "this %s is served by events: it has no read", name);
  if (stream->reader == NULL) make_reader(L, stream);
  if (stream->reader->task != NULL) {
    if (may_inherit(L, stream, callback))
      return inherit(L, stream, want, callback, timeout);
    return luaL_error(L, "another task waits for this %s's input", name);
  }
  struct task *task = wait_begin(L, &read_wait, callback);
  stream->reader->want = *want;
  if (is_satisfied(stream)) return wait_pass(L, task, &stream->reader->task);
  stream_resume_reading(stream);
  return wait_park(L, task, &stream->reader->task, timeout);
}

int stream_read(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct stream *stream = stream_check(L);
  int last = formats_last(L);
  option_arguments(L, last, options);
  struct want want = formats_check(L, last);
  int64_t timeout = option_ms(L, last + 1, "timeout");
  return start_read(L, stream, &want, last + 2, timeout);
}

/* ---- iterators: what `for` calls has more arguments, to be ignored ------- */

static int next_of(lua_State *L, enum format_kind kind) {
  struct want want = {1, {{kind, 0}}, false};
  lua_settop(L, 1);
  struct stream *stream = stream_check_any(L);
  if (stream->handle.ended) /* in the loop: that ends it */
    return stream_error(L, stream, UV_ECANCELED, "read");
  return start_read(L, stream, &want, 2, WAIT_FOREVER);
}

static int next_chunk(lua_State *L) {
  return next_of(L, FORMAT_SOME);
}

static int next_line(lua_State *L) {
  return next_of(L, FORMAT_LINE);
}

static int push_iterator(lua_State *L, lua_CFunction next) {
  stream_check(L);
  lua_settop(L, 1);
  lua_pushcfunction(L, next);
  lua_insert(L, 1);
  return 2;
}

int stream_chunks(lua_State *L) {
  return push_iterator(L, next_chunk);
}

int stream_lines(lua_State *L) {
  return push_iterator(L, next_line);
}
