/* remove.c - fs.remove: a removal, as a job in pieces. A task that is cancelled
 * goes on when the thread has stopped: nothing is removed behind its back. */
#include "modules/fs/remove.h"

#include <lauxlib.h>
#include <string.h>
#include <uv.h>

#include "host/option.h"
#include "modules/fs/fs.h"
#include "modules/fs/pieces.h"
#include "modules/fs/removal.h"

struct remove {
  struct job job; /* first member */
  struct removal removal;
  char path[];
};

static bool step(void *data) {
  return removal_step(data);
}

static void work(struct job *job) {
  struct remove *remove = (struct remove *)job;
  pieces_run(job, step, &remove->removal);
  job->status = remove->removal.status;
}

static void free_removal(struct job *job) {
  removal_free(&((struct remove *)job)->removal);
}

static int finish(lua_State *L) { /* path, options, box */
  const struct remove *remove = job_at(L, 3);
  const struct removal *removal = &remove->removal;
  int status = job_status(L, &remove->job);
  if (wait_status(L) == 0 && status < 0) {
    const char *path = removal->failed != NULL ? removal->failed : remove->path;
    lua_pushfstring(L, "remove %s", path);
    pieces_fail(L, status, removal->why);
  } else if (status < 0) {
    lua_pushfstring(L, "remove %s", lua_tostring(L, 1));
    pieces_fail(L, status, NULL);
  } else {
    lua_pushboolean(L, 1);
  }
  if (wait_status(L) == 0) job_done(L, 3);
  return status < 0 ? 3 : 1;
}

static const struct job_kind kind = {
  .wait = {"remove", finish, job_interrupt_and_wait},
  .work = work,
  .free = free_removal};

int fs_remove(lua_State *L) {
  static const char *const options[] = {"recursive", NULL};
  size_t size;
  const char *path = fs_check_path(L, 1, &size);
  option_arguments(L, 1, options);
  bool recursive = option_flag(L, 2, "recursive");
  struct remove *remove = job_push(L, &kind, sizeof *remove + size + 1);
  lua_insert(L, 3);
  memcpy(remove->path, path, size);
  remove->removal.path = remove->path;
  remove->removal.recursive = recursive;
  return job_start(L, &remove->job, 4, WAIT_FOREVER);
}
