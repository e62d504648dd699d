/* file_read.c - file:read, lines and chunks.
 *
 * A thread reads into the inbox, a piece at least, until it holds what is asked
 * for; on the loop that is taken out of it before the next one has its turn. What
 * the inbox holds already is given at once, without a thread. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/option.h"
#include "host/stream/formats.h"
#include "host/task.h"
#include "modules/fs/contents.h"
#include "modules/fs/descriptor.h"
#include "modules/fs/file.h"

enum { PIECE = 65536, PIECE_MOST = 8 << 20 };

struct reading {
  struct operation operation;
  struct want want;
  struct result result;
  char *bytes, *memory; /* what has been taken, and where it lies */
};

static void let_go(struct job *job) {
  free(((struct reading *)job)->memory);
  operation_free(job);
}

/* ---- in a thread --------------------------------------------------------- */

/* One that asks for much is not given it in small pieces. */
static size_t next_size(const struct reading *reading,
                        const struct inbox *inbox) {
  const struct format *last = &reading->want.formats[reading->want.count - 1];
  size_t size = PIECE;
  if (last->kind == FORMAT_ALL) size = inbox->size;
  if (last->kind == FORMAT_COUNT && last->count > inbox->size)
    size = last->count - inbox->size;
  if (size < PIECE) return PIECE;
  return size < PIECE_MOST ? size : PIECE_MOST;
}

/* 0: it is there; or what has to be read first. */
static int read_more(struct reading *reading, struct file *file) {
  struct inbox *inbox = &file->inbox;
  bool ended = false;
  if (atomic_load(&file->stale)) {
    int status = file_drop_inbox(file);
    if (status < 0) return status;
  }
  while (inbox_scan(inbox, &reading->want, ended, &reading->result) !=
         SCAN_DONE) {
    size_t size = next_size(reading, inbox);
    char *room = inbox_room(inbox, size);
    if (room == NULL) return UV_ENOMEM;
    if (job_is_given_up(&reading->operation.job)) return UV_ECANCELED;
    ssize_t got = descriptor_read(file->fd, room, size);
    if (got < 0) return (int)got;
    ended = got == 0;
    inbox_put(inbox, (size_t)got);
  }
  return 0;
}

static void work(struct job *job) {
  struct reading *reading = (struct reading *)job;
  struct file *file = reading->operation.file;
  int status = UV_EAGAIN;
  if (file->awaits) file->awaits = !descriptor_has_input(file->fd);
  if (!file->awaits) status = read_more(reading, file);
  job->fd = file->fd;
  if (status == UV_EAGAIN)
    job->again = JOB_READABLE;
  else
    job->status = status;
}

/* ---- on the loop --------------------------------------------------------- */

/* Out of the inbox: mostly all that it holds, or little of it. */
static int take(struct reading *reading, struct inbox *inbox) {
  size_t size = reading->result.size;
  if (size < inbox->size) {
    reading->memory = malloc(size + 1);
    if (reading->memory == NULL) return UV_ENOMEM;
    if (size > 0) memcpy(reading->memory, inbox->bytes, size);
    reading->bytes = reading->memory;
    inbox_consume(inbox, size);
  } else {
    reading->memory = inbox->buffer;
    reading->bytes = inbox->bytes;
    *inbox = (struct inbox){.buffer = NULL};
  }
  return 0;
}

/* What was read for somebody who has gone is for the next one. */
static void done(struct job *job) {
  struct reading *reading = (struct reading *)job;
  struct inbox *inbox = &reading->operation.file->inbox;
  if (!job_is_given_up(job) && job->status == 0)
    job->status = take(reading, inbox);
  if (inbox->size == 0) inbox_free(inbox);
  operation_done(job);
}

/* ---- file:read([format ...] [, options] [, callback]) -------------------- */

static int push_values(lua_State *L, const char *bytes, const struct want *want,
                       const struct result *result) {
  int count = 0;
  while (count < result->count) {
    const struct span *span = &result->spans[count];
    if (!formats_push(L, bytes, &want->formats[count++], span)) break;
  }
  return count;
}

static int read_finish(lua_State *L) {
  const struct reading *reading = job_at(L, -1);
  int status = job_status(L, &reading->operation.job);
  int box = lua_gettop(L);
  if (status < 0) return file_error(L, reading->operation.file, status, "read");
  int count = push_values(L, reading->bytes, &reading->want, &reading->result);
  job_done(L, box);
  return count;
}

/* In a loop there is nobody to look at it. */
static int next_finish(lua_State *L) {
  const struct reading *reading = job_at(L, -1);
  int status = job_status(L, &reading->operation.job);
  if (status == 0) return read_finish(L);
  file_error(L, reading->operation.file, status, "read");
  return luaL_error(L, "%s", lua_tostring(L, -2));
}

static const struct job_kind read_kind = {
  .wait = {"read", read_finish, job_interrupt},
  .work = work,
  .free = let_go,
  .done = done};

static const struct job_kind next_kind = {
  .wait = {"read", next_finish, job_interrupt},
  .work = work,
  .free = let_go,
  .done = done};

/* What it gives lies in the inbox, and this runs at once: see is_there. */
static int there_finish(lua_State *L) {
  struct file *file =
    (struct file *)((const struct box *)lua_touserdata(L, 1))->handle;
  struct result result = file->found;
  int count = push_values(L, file->inbox.bytes, &file->want, &result);
  inbox_consume(&file->inbox, result.size);
  return count;
}

static const struct wait there_wait = {"read", there_finish, NULL};

static bool is_there(lua_State *L, struct file *file, const struct want *want,
                     int callback) {
  if (!lua_isnoneornil(L, callback) || file->inbox.size == 0 ||
      file->handle.closing || host_of(L)->credit == 0 ||
      !operation_is_free(file, FILE_TURN) || atomic_load(&file->stale))
    return false;
  file->want = *want;
  return inbox_scan(&file->inbox, want, false, &file->found) == SCAN_DONE;
}

/* Before the callback's index everything that has been given may lie. */
static int start(lua_State *L, const struct job_kind *kind, struct file *file,
                 const struct want *want, int callback, int64_t timeout) {
  if (is_there(L, file, want, callback))
    return wait_pass(L, wait_begin(L, &there_wait, callback), NULL);
  struct reading *reading = operation_push(L, file, kind, sizeof *reading);
  lua_insert(L, callback);
  reading->want = *want;
  struct operation *operation = &reading->operation;
  if (!file->reads) return operation_fail(L, operation, callback + 1, UV_EBADF);
  return operation_start(L, operation, FILE_TURN, callback + 1, timeout);
}

int file_read(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct file *file = file_check(L);
  int last = formats_last(L);
  option_arguments(L, last, options);
  struct want want = formats_check(L, last);
  want.endless = true;
  int64_t timeout = option_ms(L, last + 1, "timeout");
  return start(L, &read_kind, file, &want, last + 2, timeout);
}

/* ---- iterators: what `for` calls has more arguments, to be ignored ------- */

static int next(lua_State *L) { /* file; what it wants */
  struct want want;
  lua_settop(L, 1);
  struct file *file = file_check(L);
  memcpy(&want, lua_touserdata(L, lua_upvalueindex(1)), sizeof want);
  return start(L, &next_kind, file, &want, 2, WAIT_FOREVER);
}

static int push_iterator(lua_State *L, struct want want) {
  want.endless = true;
  memcpy(lua_newuserdatauv(L, sizeof want, 0), &want, sizeof want);
  lua_pushcclosure(L, next, 1);
  lua_pushvalue(L, 1);
  return 2;
}

int file_lines(lua_State *L) {
  file_check(L);
  int last = lua_gettop(L);
  struct want want = formats_check(L, last);
  if (last == 1) want.formats[0].kind = FORMAT_LINE;
  return push_iterator(L, want);
}

int file_chunks(lua_State *L) {
  file_check(L);
  lua_settop(L, 2);
  struct want want = {1, {{FORMAT_SOME, 0}}, true};
  if (!lua_isnil(L, 2)) {
    lua_Integer size = luaL_checkinteger(L, 2);
    luaL_argcheck(L, size > 0 && size <= UINT32_MAX, 2, "size out of range");
    want.formats[0] = (struct format){FORMAT_COUNT, (uint32_t)size};
  }
  return push_iterator(L, want);
}
