/* file_at.c - file:pread and file:pwrite: at a position, whatever goes on beside
 * them, and without a turn. */
#include <lauxlib.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/option.h"
#include "modules/fs/descriptor.h"
#include "modules/fs/file.h"

enum { ROOM_FIRST = 65536, AT_ONCE = 8 << 20 };

struct transfer {
  struct operation operation;
  off_t offset;
  size_t size;      /* that are asked for, or to be written */
  size_t got, room; /* that have been read, that fit */
  char *text;
  const char *data;
};

static void let_go(struct job *job) {
  free(((struct transfer *)job)->text);
  operation_free(job);
}

/* ---- in a thread --------------------------------------------------------- */

/* Whoever asks for more than there is pays for what there is. */
static bool make_room(struct transfer *transfer) {
  size_t room = transfer->room * 2;
  if (transfer->got < transfer->room) return true;
  if (room == 0) room = ROOM_FIRST;
  if (room > transfer->size) room = transfer->size;
  char *text = realloc(transfer->text, room + 1);
  if (text == NULL) return false;
  transfer->text = text;
  transfer->room = room;
  return true;
}

static void pread_work(struct job *job) {
  struct transfer *transfer = (struct transfer *)job;
  const struct file *file = transfer->operation.file;
  while (transfer->got < transfer->size && !job_is_given_up(job)) {
    if (!make_room(transfer)) {
      job->status = UV_ENOMEM;
      return;
    }
    size_t size = transfer->room - transfer->got;
    ssize_t got = pread(file->fd, transfer->text + transfer->got,
                        size < AT_ONCE ? size : AT_ONCE,
                        transfer->offset + (off_t)transfer->got);
    if (got < 0 && descriptor_status() == UV_EINTR) continue;
    if (got < 0) job->status = descriptor_status();
    if (got <= 0) return;
    transfer->got += (size_t)got;
  }
}

static void pwrite_work(struct job *job) {
  struct transfer *transfer = (struct transfer *)job;
  const struct file *file = transfer->operation.file;
  while (transfer->size > 0 && !job_is_given_up(job)) {
    size_t size = transfer->size < AT_ONCE ? transfer->size : AT_ONCE;
    ssize_t written = pwrite(file->fd, transfer->data, size, transfer->offset);
    if (written < 0 && descriptor_status() == UV_EINTR) continue;
    if (written < 0) {
      job->status = descriptor_status();
      return;
    }
    transfer->data += written;
    transfer->size -= (size_t)written;
    transfer->offset += written;
  }
}

static void pwrite_done(struct job *job) {
  atomic_store(&((struct transfer *)job)->operation.file->stale, true);
  operation_done(job);
}

/* ---- file:pread(count, offset [, callback]) ------------------------------ */

static int pread_finish(lua_State *L) { /* file, count, offset, box */
  const struct transfer *transfer = job_at(L, 4);
  int status = job_status(L, &transfer->operation.job);
  if (status < 0)
    return file_error(L, transfer->operation.file, status, "pread");
  if (transfer->got == 0 && transfer->size > 0)
    lua_pushnil(L);
  else
    lua_pushlstring(L, transfer->text, transfer->got);
  job_done(L, 4);
  return 1;
}

static const struct job_kind pread_kind = {
  .wait = {"pread", pread_finish, job_interrupt},
  .work = pread_work,
  .free = let_go,
  .done = operation_done};

/* Index 4 is the box's then, index 5 the callback's. */
static struct transfer *push_transfer(lua_State *L, struct file *file,
                                      const struct job_kind *kind) {
  lua_Integer offset = luaL_checkinteger(L, 3);
  luaL_argcheck(L, offset >= 0, 3, "offset out of range");
  lua_settop(L, 4);
  if (!lua_isnil(L, 4)) luaL_checktype(L, 4, LUA_TFUNCTION);
  struct transfer *transfer = operation_push(L, file, kind, sizeof *transfer);
  lua_insert(L, 4);
  transfer->offset = (off_t)offset;
  return transfer;
}

int file_pread(lua_State *L) {
  struct file *file = file_check(L);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_argcheck(L, count >= 0, 2, "count out of range");
  struct transfer *transfer = push_transfer(L, file, &pread_kind);
  transfer->size = (size_t)count;
  struct operation *operation = &transfer->operation;
  if (!file->reads) return operation_fail(L, operation, 5, UV_EBADF);
  if (!file->seeks) return operation_fail(L, operation, 5, UV_ESPIPE);
  return operation_start(L, operation, FILE_NO_TURN, 5, WAIT_FOREVER);
}

/* ---- file:pwrite(data, offset [, callback]) ------------------------------ */

static int pwrite_finish(lua_State *L) { /* file, data, offset, box */
  const struct transfer *transfer = job_at(L, 4);
  int status = job_status(L, &transfer->operation.job);
  if (status < 0)
    return file_error(L, transfer->operation.file, status, "pwrite");
  job_done(L, 4);
  lua_pushvalue(L, 1);
  return 1;
}

static const struct job_kind pwrite_kind = {
  .wait = {"pwrite", pwrite_finish, job_interrupt},
  .work = pwrite_work,
  .free = operation_free,
  .done = pwrite_done};

/* (Linux would append to a file that is open for appending, wherever.) */
int file_pwrite(lua_State *L) {
  struct file *file = file_check(L);
  check_strings(L, 2);
  struct transfer *transfer = push_transfer(L, file, &pwrite_kind);
  struct operation *operation = &transfer->operation;
  transfer->data = lua_tolstring(L, 2, &transfer->size);
  lua_pushvalue(L, 2);
  job_anchor(L, &operation->job);
  if (!file->writes) return operation_fail(L, operation, 5, UV_EBADF);
  if (!file->seeks) return operation_fail(L, operation, 5, UV_ESPIPE);
  if (file->appends) return operation_fail(L, operation, 5, UV_EINVAL);
  atomic_store(&file->stale, true);
  return operation_start(L, operation, FILE_NO_TURN, 5, WAIT_FOREVER);
}
