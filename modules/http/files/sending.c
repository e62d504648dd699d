/* sending.c - bursts: as much as the client's socket takes, in a thread, as the
 * file may have to be read from a disk. Between two of them the poller tells when
 * there is room again, so a client that takes its time costs no thread and no
 * memory. Where there is no sendfile, pieces go through the stack of the thread.
 *
 * The thread has a descriptor of its own: the connection may be closed, and its
 * number be another one's, at any time. */
#include "modules/http/files/sending.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif

#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "host/task.h"
#include "modules/http/client.h"
#include "modules/http/files/content.h"
#include "modules/http/request.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored */
#endif

enum { BURST = 1 << 20, PIECE = 65536 };

struct sending {
  struct job job; /* first member */
  struct descriptor *descriptor;
  int socket; /* -1: there is none yet */
  uint64_t at;
  size_t size; /* of this burst, at the most */
  size_t sent;
};

/* ---- in a thread --------------------------------------------------------- */

/* So many bytes, 0 at the end of the file, or one of libuv's statuses. */
static ssize_t send_piece(const struct sending *sending) {
  char piece[PIECE];
  size_t size = sending->size < PIECE ? sending->size : PIECE;
  ssize_t got = pread(sending->descriptor->fd, piece, size, (off_t)sending->at);
  if (got > 0)
    got =
      send(sending->socket, piece, (size_t)got, MSG_DONTWAIT | MSG_NOSIGNAL);
  return got < 0 ? uv_translate_sys_error(errno) : got;
}

/* sendfile knows no MSG_NOSIGNAL: the program ignores SIGPIPE (host/signals.c). */
static ssize_t send_some(const struct sending *sending) {
#ifdef __linux__
  off_t offset = (off_t)sending->at;
  ssize_t sent =
    sendfile(sending->socket, sending->descriptor->fd, &offset, sending->size);
  if (sent >= 0) return sent;
  if (errno != EINVAL && errno != ENOSYS) return uv_translate_sys_error(errno);
#endif
  return send_piece(sending);
}

/* It returns with what the socket has taken; only where that is nothing it asks
 * to be called again. */
static void work(struct job *job) {
  struct sending *sending = (struct sending *)job;
  ssize_t sent;
  do sent = send_some(sending);
  while (sent == UV_EINTR);
  job->again = sent == UV_EAGAIN ? JOB_WRITABLE : JOB_DONE;
  job->fd = sending->socket;
  if (sent == UV_EAGAIN) return;
  sending->sent = sent > 0 ? (size_t)sent : 0;
  if (sent <= 0) job->status = sent == 0 ? UV_EOF : (int)sent;
}

/* ---- on the loop: one burst ---------------------------------------------- */

/* At once, not when the box is collected: only then is a connection that has been
 * closed meanwhile at its end. */
static void let_go(struct job *job) {
  struct sending *sending = (struct sending *)job;
  if (sending->socket >= 0) close(sending->socket);
  if (sending->descriptor != NULL)
    descriptor_leave(job->host, sending->descriptor);
  sending->socket = -1;
  sending->descriptor = NULL;
}

static bool is_gone(const struct request *request) {
  const struct client *client = request->client;
  return client == NULL || client->phase == PHASE_OVER ||
         client->stream.handle.closing || client->stream.broken != 0;
}

static int fail(lua_State *L, int status) {
  if (status == UV_EOF)
    return luaL_error(L, "the body has failed: the file has become shorter");
  error_result(L, status, "send the file");
  return luaL_error(L, "the body has failed: %s", lua_tostring(L, -2));
}

/* Errors of the socket are the client's end, which its stream learns, too. */
static bool is_of_socket(int status) {
  return status == UV_EPIPE || status == UV_ECONNRESET ||
         status == UV_ECONNABORTED || status == UV_ETIMEDOUT ||
         status == UV_ENOTCONN || status == UV_EHOSTUNREACH ||
         status == UV_ENETUNREACH || status == UV_ENETDOWN;
}

/* What has gone out counts as what was written. */
static void account(struct request *request, struct content *content,
                    size_t sent) {
  content->first += sent;
  request->written += sent;
  if (request->client != NULL) request->client->stream.given += sent;
}

/* That can change; so much has been promised that it is worth a while. */
static bool is_starved(int status) {
  return status == UV_EMFILE || status == UV_ENFILE || status == UV_ENOMEM ||
         status == UV_ENOBUFS;
}

static int finish(lua_State *L) { /* request, content, box */
  struct request *request = lua_touserdata(L, 1);
  const struct sending *sending = job_at(L, 3);
  int status = job_status(L, &sending->job);
  request->is_sending = false;
  if (status == 0) account(request, lua_touserdata(L, 2), sending->sent);
  job_done(L, 3);
  if (status == 0 || is_gone(request)) return 0;
  lua_pushboolean(L, is_starved(status));
  if (is_starved(status)) return 1;
  if (!is_of_socket(status)) return fail(L, status);
  client_break(request->client, status);
  return 0;
}

static const struct job_kind kind = {
  .wait = {"response body", finish, job_interrupt},
  .work = work,
  .free = let_go,
  .done = let_go};

/* -> true: there is no descriptor to be had. */
static int start_burst(lua_State *L) { /* request, content */
  struct request *request = lua_touserdata(L, 1);
  const struct content *content = lua_touserdata(L, 2);
  uint64_t left = content->end - content->first;
  uv_os_fd_t fd;
  struct sending *sending = job_push(L, &kind, sizeof *sending);
  sending->socket = -1;
  if (uv_fileno(&request->client->stream.uv.any, &fd) == 0)
    sending->socket = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (sending->socket < 0) {
    int status = uv_translate_sys_error(errno);
    lua_pushboolean(L, is_starved(status));
    return is_starved(status) ? 1 : fail(L, status);
  }
  sending->job.owns_fd = true;
  sending->descriptor = content->descriptor;
  content->descriptor->users++;
  sending->at = content->first;
  sending->size = left < BURST ? (size_t)left : BURST;
  request->is_sending = true;
  timeouts_arm(request->client);
  lua_pushnil(L);
  return job_start(L, &sending->job, 4, WAIT_FOREVER);
}

/* ---- until what was written before has gone, or for a moment -------------- */

enum { MOMENT_MS = 50 };

static int waited(lua_State *L) {
  (void)L;
  return 0;
}

static const struct wait pause_wait = {"response body", waited, NULL};

static int pause_for(lua_State *L) { /* request, milliseconds */
  struct request *request = lua_touserdata(L, 1);
  int64_t limit_ms = lua_tointeger(L, 2);
  lua_pushnil(L);
  struct task *task = wait_begin(L, &pause_wait, 3);
  timeouts_arm(request->client);
  return wait_park(L, task, &request->writers, limit_ms);
}

/* ---- all of it ----------------------------------------------------------- */

static int next(lua_State *L, int status, lua_KContext context);

static void call_pause(lua_State *L, int64_t limit_ms) {
  lua_pushcfunction(L, pause_for);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, limit_ms);
  lua_callk(L, 2, 1, 0, next);
}

static void call_burst(lua_State *L) {
  lua_pushcfunction(L, start_burst);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_callk(L, 2, 1, 0, next);
}

static int next(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  struct request *request = lua_touserdata(L, 1);
  const struct content *content = lua_touserdata(L, 2);
  while (!is_gone(request) && content->first < content->end) {
    struct stream *stream = &request->client->stream;
    if (content->descriptor == NULL) return luaL_error(L, "the file is closed");
    stream_flush(stream);
    bool starved = lua_toboolean(L, 3); /* what the burst before has said */
    lua_settop(L, 2);
    if (stream_pending(stream) > 0)
      call_pause(L, WAIT_FOREVER);
    else if (starved)
      call_pause(L, MOMENT_MS);
    else
      call_burst(L);
  }
  return 0;
}

int sending_run(lua_State *L) {
  return next(L, LUA_OK, 0);
}
