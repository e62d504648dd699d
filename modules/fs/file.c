/* file.c - the life of an open file, and what scripts see of it beside what is
 * in it. */
#include "modules/fs/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/error.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/fs/descriptor.h"

static const char class_name[] = "neap.file";

/* ---- its end ------------------------------------------------------------- */

static void close_descriptor(uv_work_t *uv) {
  struct file *file = uv->data;
  if (file->removes) unlink(file->path);
  if (close(file->fd) < 0 && errno != EINTR)
    file->close_status = descriptor_status();
}

static void on_descriptor_closed(uv_work_t *uv, int status) {
  struct file *file = uv->data;
  (void)status;
  file->fd = -1;
  handle_close(&file->handle);
  wait_wake_all(file->closers, 0);
  handle_leave(&file->handle);
}

void file_close_if_idle(struct file *file) {
  bool wanted = file->handle.ended || file->handle.closing;
  if (!wanted || file->operations > 0 || file->is_closing || file->fd < 0)
    return;
  file->is_closing = true;
  file->closing.data = file;
  handle_use(&file->handle);
  uv_queue_work(&file->handle.host->loop, &file->closing, close_descriptor,
                on_descriptor_closed);
}

/* By the host: nothing of it is waited for. */
static void on_close(struct handle *h) {
  struct file *file = (struct file *)h;
  operation_cancel_all(file);
  file_close_if_idle(file);
}

/* By the script: what has been asked for before is done, unless it may never be
 * done. */
static void end(struct handle *h) {
  struct file *file = (struct file *)h;
  if (!file->seeks) operation_cancel_all(file);
  file_close_if_idle(file);
}

static void on_free(struct handle *h) {
  struct file *file = (struct file *)h;
  inbox_free(&file->inbox);
  free(file->path);
}

static const struct work_kind kind = {
  .name = "file", .stop = handle_stop, .lasts = true};

/* ---- its beginning ------------------------------------------------------- */

int file_opened(struct opened *opened, int fd) {
  struct stat about;
  int status = fstat(fd, &about) < 0 ? descriptor_status() : 0;
  if (status == 0 && S_ISDIR(about.st_mode)) status = UV_EISDIR;
  if (status < 0) {
    close(fd);
    return status;
  }
  opened->fd = fd;
  opened->seeks = S_ISREG(about.st_mode) || S_ISBLK(about.st_mode);
  opened->awaits =
    S_ISFIFO(about.st_mode) && (opened->flags & O_ACCMODE) == O_RDONLY;
  return 0;
}

static void fill(struct file *file, struct opened *opened) {
  int access = opened->flags & O_ACCMODE;
  file->fd = opened->fd;
  file->removes = opened->removes;
  file->seeks = opened->seeks;
  file->awaits = opened->awaits;
  file->reads = access != O_WRONLY;
  file->writes = access != O_RDONLY;
  file->appends = (opened->flags & O_APPEND) != 0;
  for (int i = 0; i < 2; i++) file->turns[i].last = &file->turns[i].first;
  opened->fd = -1;
}

static int get_descriptor(const struct handle *h) {
  return ((const struct file *)h)->fd;
}

void file_push(lua_State *L, struct opened *opened, const char *path) {
  struct owner *owner = owner_here(L);
  struct box *box = handle_push_empty_box(L, class_name, 0);
  struct file *file = handle_new(host_of(L), sizeof *file);
  char *copy = file == NULL ? NULL : strdup(path);
  if (copy == NULL) {
    free(file);
    luaL_error(L, "not enough memory for a file");
    return;
  }
  uv_idle_init(&file->handle.host->loop, &file->uv);
  file->path = copy;
  fill(file, opened);
  file->handle.on_close = on_close;
  file->handle.on_free = on_free;
  file->handle.end = end;
  file->handle.descriptor = get_descriptor;
  file->handle.origin = opened->origin;
  handle_open(&file->handle, &file->uv, &kind, owner);
  handle_fill_box(box, &file->handle);
}

struct file *file_check(lua_State *L) {
  return handle_check(L, 1, class_name);
}

int file_error(lua_State *L, const struct file *file, int status,
               const char *what) {
  lua_pushfstring(L, "%s %s", what, file->path);
  if (status != UV_EBADF) return error_result(L, status, lua_tostring(L, -1));
  lua_pushnil(L);
  lua_pushfstring(L, "%s: it is not open for %s", lua_tostring(L, -2),
                  file->reads ? "writing" : "reading");
  lua_pushliteral(L, "EBADF");
  return 3;
}

/* ---- file:close([callback]) ---------------------------------------------- */

static int close_finish(lua_State *L) { /* file */
  const struct file *file =
    (struct file *)((const struct box *)lua_touserdata(L, 1))->handle;
  int status = wait_status(L);
  if (status == 0) status = file->close_status;
  if (status < 0) return file_error(L, file, status, "close");
  lua_pushboolean(L, 1);
  return 1;
}

static const struct wait close_wait = {"close", close_finish, NULL};

static int close_file(lua_State *L) {
  struct file *file = handle_check_any(L, 1, class_name);
  struct task *task = wait_begin(L, &close_wait, 2);
  handle_end(&file->handle);
  if (file->fd < 0) return wait_pass(L, task, &file->closers);
  return wait_park(L, task, &file->closers, WAIT_FOREVER);
}

static int method_close(lua_State *L) {
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  return close_file(L);
}

/* Where nothing can wait it is closed all the same, a little later. */
static int meta_close(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_isyieldable(L) || host_of(L)->blocked) return handle_method_close(L);
  lua_pushnil(L);
  return close_file(L);
}

/* ---- the class ----------------------------------------------------------- */

static int get_path(lua_State *L) {
  const struct file *file = handle_check_any(L, 1, class_name);
  lua_pushstring(L, file->path);
  return 1;
}

static const struct class_field fields[] = {
  {"closed", handle_field_closed, NULL},
  {"path", get_path, NULL},
  {NULL, NULL, NULL},
};

static const luaL_Reg methods[] = {
  {"chunks", file_chunks},     {"close", method_close}, {"lines", file_lines},
  {"pread", file_pread},       {"pwrite", file_pwrite}, {"read", file_read},
  {"seek", file_seek},         {"stat", file_stat},     {"sync", file_sync},
  {"truncate", file_truncate}, {"write", file_write},   {NULL, NULL},
};

void file_open_class(lua_State *L) {
  handle_class(L, class_name, methods, fields);
  class_open(L, class_name, methods, fields);
  lua_pushcfunction(L, meta_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
