/* file_write.c - what changes a file, or its position, in turn: write, seek,
 * sync, truncate. The string that is written is anchored: its thread may outlast
 * who waits. */
#include <lauxlib.h>
#include <unistd.h>

#include "host/option.h"
#include "host/stream/formats.h"
#include "modules/fs/descriptor.h"
#include "modules/fs/file.h"

struct change {
  struct operation operation;
  const char *data;
  size_t size; /* that are still to be written */
  off_t offset;
  int whence;
};

/* `what` is the name of the call; the box lies on top, that of the file at 1. */
static int fail_or_pass(lua_State *L, const char *what) {
  const struct change *change = job_at(L, -1);
  int status = job_status(L, &change->operation.job);
  const struct file *file = change->operation.file;
  job_done(L, lua_gettop(L));
  if (status < 0) return file_error(L, file, status, what);
  lua_pushvalue(L, 1);
  return 1;
}

static struct change *push_change(lua_State *L, struct file *file,
                                  const struct job_kind *kind, int callback) {
  struct change *change = operation_push(L, file, kind, sizeof *change);
  lua_insert(L, callback);
  return change;
}

static int start(lua_State *L, struct change *change, int callback,
                 int64_t timeout) {
  struct operation *operation = &change->operation;
  if (!operation->file->writes)
    return operation_fail(L, operation, callback, UV_EBADF);
  return operation_start(L, operation, FILE_WRITE_TURN, callback, timeout);
}

static void check_callback(lua_State *L, int index) {
  lua_settop(L, index);
  if (!lua_isnil(L, index)) luaL_checktype(L, index, LUA_TFUNCTION);
}

/* ---- file:write(data [, options] [, callback]) --------------------------- */

static void write_work(struct job *job) {
  struct change *change = (struct change *)job;
  struct file *file = change->operation.file;
  int status = file_drop_inbox(file);
  if (status == 0)
    status = descriptor_write_all(file->fd, &change->data, &change->size,
                                  &job->given_up);
  job->fd = file->fd;
  if (status == UV_EAGAIN)
    job->again = JOB_WRITABLE;
  else
    job->status = status;
}

static int write_finish(lua_State *L) {
  return fail_or_pass(L, "write");
}

static const struct job_kind write_kind = {
  .wait = {"write", write_finish, job_interrupt},
  .work = write_work,
  .free = operation_free,
  .done = operation_done};

int file_write(lua_State *L) {
  static const char *const options[] = {"timeout", NULL};
  struct file *file = file_check(L);
  luaL_argcheck(L, lua_type(L, 3) != LUA_TSTRING, 3,
                "one string, or a list of them: write { \"a\", \"b\" }");
  check_strings(L, 2);
  option_arguments(L, 2, options);
  int64_t timeout = option_ms(L, 3, "timeout");
  struct change *change = push_change(L, file, &write_kind, 4);
  change->data = lua_tolstring(L, 2, &change->size);
  lua_pushvalue(L, 2);
  job_anchor(L, &change->operation.job);
  return start(L, change, 5, timeout);
}

/* ---- file:seek([whence [, offset]] [, callback]) ------------------------- */

/* Where it is can be told without a loss of what has been read. */
static void seek_work(struct job *job) {
  struct change *change = (struct change *)job;
  struct file *file = change->operation.file;
  off_t ahead = 0;
  if (change->whence == SEEK_CUR && change->offset == 0)
    ahead = (off_t)file->inbox.size;
  else
    job->status = file_drop_inbox(file);
  if (job->status < 0) return;
  change->offset = lseek(file->fd, change->offset, change->whence);
  if (change->offset < 0)
    job->status = descriptor_status();
  else
    change->offset -= ahead;
}

static int seek_finish(lua_State *L) {
  const struct change *change = job_at(L, -1);
  int status = job_status(L, &change->operation.job);
  if (status < 0) return file_error(L, change->operation.file, status, "seek");
  lua_pushinteger(L, change->offset);
  return 1;
}

static const struct job_kind seek_kind = {
  .wait = {"seek", seek_finish, job_interrupt},
  .work = seek_work,
  .free = operation_free,
  .done = operation_done};

int file_seek(lua_State *L) {
  static const char *const names[] = {"set", "cur", "end", NULL};
  static const int kinds[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  struct file *file = file_check(L);
  int last = formats_last(L); /* strings and numbers */
  luaL_argcheck(L, last <= 3, 4, "function expected");
  lua_Integer offset = last >= 3 ? luaL_checkinteger(L, 3) : 0;
  int whence = last >= 2 ? luaL_checkoption(L, 2, NULL, names) : 1;
  check_callback(L, last + 1);
  struct change *change = push_change(L, file, &seek_kind, last + 1);
  change->offset = (off_t)offset;
  change->whence = kinds[whence];
  struct operation *operation = &change->operation;
  if (!file->seeks) return operation_fail(L, operation, last + 2, UV_ESPIPE);
  return operation_start(L, operation, FILE_TURN, last + 2, WAIT_FOREVER);
}

/* ---- file:sync([callback]) ----------------------------------------------- */

static void sync_work(struct job *job) {
  const struct change *change = (struct change *)job;
  if (fsync(change->operation.file->fd) < 0) job->status = descriptor_status();
}

static int sync_finish(lua_State *L) {
  return fail_or_pass(L, "sync");
}

static const struct job_kind sync_kind = {
  .wait = {"sync", sync_finish, job_interrupt},
  .work = sync_work,
  .free = operation_free,
  .done = operation_done};

int file_sync(lua_State *L) {
  struct file *file = file_check(L);
  check_callback(L, 2);
  struct change *change = push_change(L, file, &sync_kind, 2);
  return operation_start(L, &change->operation, FILE_WRITE_TURN, 3,
                         WAIT_FOREVER);
}

/* ---- file:truncate(size [, callback]) ------------------------------------ */

static void truncate_work(struct job *job) {
  struct change *change = (struct change *)job;
  struct file *file = change->operation.file;
  job->status = file_drop_inbox(file);
  if (job->status == 0 && ftruncate(file->fd, change->offset) < 0)
    job->status = descriptor_status();
}

static int truncate_finish(lua_State *L) {
  return fail_or_pass(L, "truncate");
}

static const struct job_kind truncate_kind = {
  .wait = {"truncate", truncate_finish, job_interrupt},
  .work = truncate_work,
  .free = operation_free,
  .done = operation_done};

int file_truncate(lua_State *L) {
  struct file *file = file_check(L);
  lua_Integer size = luaL_checkinteger(L, 2);
  luaL_argcheck(L, size >= 0, 2, "size out of range");
  check_callback(L, 3);
  struct change *change = push_change(L, file, &truncate_kind, 3);
  change->offset = (off_t)size;
  return start(L, change, 4, WAIT_FOREVER);
}
