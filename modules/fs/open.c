/* open.c - fs.open. A pipe that nobody reads is tried again and again until
 * somebody does; the others are open at once. */
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>

#include "host/job.h"
#include "host/option.h"
#include "modules/fs/contents.h"
#include "modules/fs/descriptor.h"
#include "modules/fs/file.h"
#include "modules/fs/fs.h"

struct opening {
  struct job job;
  struct opened opened;
  mode_t mode;
  char path[];
};

static void let_go(struct job *job) {
  struct opening *opening = (struct opening *)job;
  if (opening->opened.fd >= 0) descriptor_close(job->host, opening->opened.fd);
  opening->opened.fd = -1;
}

/* The collector may come late. */
static void done(struct job *job) {
  if (job_is_given_up(job)) let_go(job);
}

static void work(struct job *job) {
  struct opening *opening = (struct opening *)job;
  int fd = descriptor_open(opening->path, opening->opened.flags, opening->mode);
  if (fd >= 0)
    job->status = file_opened(&opening->opened, fd);
  else if (fd == UV_ENXIO && descriptor_is_pipe(opening->path))
    job->again = JOB_LATER;
  else
    job->status = fd;
}

static int finish(lua_State *L) { /* path, how, box */
  struct opening *opening = job_at(L, 3);
  int status = job_status(L, &opening->job);
  if (status < 0) return fs_error(L, status, "open", 1);
  file_push(L, &opening->opened, lua_tostring(L, 1));
  job_done(L, 3);
  return 1;
}

static const struct job_kind kind = {.wait = {"open", finish, job_interrupt},
                                     .work = work,
                                     .free = let_go,
                                     .done = done};

/* As io.open has it: r, w or a, then "+", and "b" for old scripts; and "x": the
 * file must be new. */
static int check_how(lua_State *L, int index) {
  const char *how = luaL_optstring(L, index, "r");
  static const int flags[] = {0, O_CREAT | O_TRUNC, O_CREAT | O_APPEND};
  static const char kinds[] = "rwa";
  const char *kind_ = *how == '\0' ? NULL : strchr(kinds, *how);
  bool both = false, is_new = false;
  for (const char *c = how + 1; kind_ != NULL && *c != '\0'; c++) {
    if (*c == '+')
      both = true;
    else if (*c == 'x' && *how != 'r')
      is_new = true;
    else if (*c != 'b')
      kind_ = NULL;
  }
  luaL_argcheck(L, kind_ != NULL, index, "invalid mode");
  int access = *how == 'r' ? O_RDONLY : O_WRONLY;
  return flags[kind_ - kinds] | (both ? O_RDWR : access) |
         (is_new ? O_EXCL : 0);
}

/* fs.open(path [, how] [, options] [, callback]) */
int fs_open(lua_State *L) {
  static const char *const options[] = {"mode", "timeout", NULL};
  size_t size;
  const char *path = fs_check_path(L, 1, &size);
  if (lua_type(L, 2) != LUA_TSTRING && !lua_isnil(L, 2)) {
    luaL_argcheck(L, lua_type(L, 2) != LUA_TNUMBER, 2, "invalid mode");
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  option_arguments(L, 2, options);
  int flags = check_how(L, 2);
  mode_t mode = (mode_t)option_integer(L, 3, "mode", 0, 07777, 0666);
  int64_t timeout = option_ms(L, 3, "timeout");
  struct opening *opening = job_push(L, &kind, sizeof *opening + size + 1);
  lua_replace(L, 3);
  opening->opened =
    (struct opened){.fd = -1, .flags = flags, .origin = origin_here(L)};
  opening->mode = mode;
  memcpy(opening->path, path, size + 1);
  return job_start(L, &opening->job, 4, timeout);
}
