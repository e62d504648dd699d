/* write.c - fs.write: a whole file in one job of the thread pool.
 *
 * What is written is a string of Lua's: it is anchored until the thread has let
 * go of it, as who waits may go on before. A pipe that is full, or that nobody
 * reads, leaves the thread to others. */
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>
#include <unistd.h>

#include "host/job.h"
#include "host/option.h"
#include "modules/fs/atomic.h"
#include "modules/fs/contents.h"
#include "modules/fs/descriptor.h"
#include "modules/fs/fs.h"

struct writing {
  struct job job;
  int fd; /* -1: it is not open */
  int flags;
  mode_t mode;
  bool atomic;
  const char *data;
  size_t size; /* that are still to be written */
  char path[];
};

/* Given up before its end. */
static void done(struct job *job) {
  struct writing *writing = (struct writing *)job;
  if (writing->fd >= 0) descriptor_close(job->host, writing->fd);
  writing->fd = -1;
}

/* ---- in a thread --------------------------------------------------------- */

static int open_it(struct writing *writing) {
  int fd = descriptor_open(writing->path, writing->flags, writing->mode);
  if (fd < 0) return fd;
  writing->fd = fd;
  return 0;
}

static int close_it(struct writing *writing, int status) {
  if (writing->fd < 0) return status;
  int closed = close(writing->fd) < 0 ? descriptor_status() : 0;
  writing->fd = -1;
  return status < 0 || closed == UV_EINTR ? status : closed;
}

static void replace_it(struct writing *writing) {
  struct job *job = &writing->job;
  job->status = atomic_write(writing->path, writing->mode, writing->data,
                             writing->size, &job->given_up);
  if (job->status != UV_EAGAIN) return;
  job->again = JOB_LATER; /* too many write it */
  job->status = 0;
}

static void work(struct job *job) {
  struct writing *writing = (struct writing *)job;
  if (writing->atomic) {
    replace_it(writing);
    return;
  }
  int status = writing->fd < 0 ? open_it(writing) : 0;
  job->fd = writing->fd;
  if (status == UV_ENXIO && descriptor_is_pipe(writing->path))
    job->again = JOB_LATER; /* nobody reads it yet */
  else if (status == 0)
    status = descriptor_write_all(writing->fd, &writing->data, &writing->size,
                                  &job->given_up);
  if (status == UV_EAGAIN) job->again = JOB_WRITABLE;
  if (job->again == JOB_DONE) job->status = close_it(writing, status);
}

/* ---- fs.write(path, data [, options] [, callback]) ----------------------- */

static int finish(lua_State *L) { /* path, data, box */
  const struct writing *writing = job_at(L, 3);
  int status = job_status(L, &writing->job);
  job_done(L, 3);
  if (status < 0) return fs_error(L, status, "write", 1);
  lua_pushboolean(L, 1);
  return 1;
}

static const struct job_kind kind = {
  .wait = {"write", finish, job_interrupt}, .work = work, .done = done};

static void get_options(lua_State *L, struct writing *writing) {
  bool appends = option_flag(L, 3, "append");
  writing->atomic = option_flag(L, 3, "atomic");
  luaL_argcheck(L, !(appends && writing->atomic), 3,
                "append and atomic exclude each other");
  writing->mode = (mode_t)option_integer(L, 3, "mode", 0, 07777, 0666);
  writing->flags = O_WRONLY | O_CREAT | (appends ? O_APPEND : O_TRUNC);
}

int fs_write(lua_State *L) {
  static const char *const options[] = {"append", "atomic", "mode", "timeout",
                                        NULL};
  size_t size;
  struct writing settings = {.fd = -1};
  const char *path = fs_check_path(L, 1, &size);
  check_strings(L, 2);
  option_arguments(L, 2, options);
  get_options(L, &settings);
  int64_t timeout = option_ms(L, 3, "timeout");
  struct writing *writing = job_push(L, &kind, sizeof *writing + size + 1);
  lua_replace(L, 3);
  settings.job = writing->job;
  *writing = settings;
  memcpy(writing->path, path, size + 1);
  writing->data = lua_tolstring(L, 2, &writing->size);
  lua_pushvalue(L, 2);
  job_anchor(L, &writing->job);
  return job_start(L, &writing->job, 4, timeout);
}
