/* copy.c - fs.copy: a file or a tree, as a job in pieces. A task that is
 * cancelled goes on when the thread has stopped, and has let go of the file that
 * it was about. */
#include "modules/fs/copy.h"

#include <lauxlib.h>
#include <string.h>

#include "host/option.h"
#include "modules/fs/fs.h"
#include "modules/fs/copying.h"
#include "modules/fs/pieces.h"

struct copy {
  struct job job; /* first member */
  struct copying copying;
  char paths[];
};

static bool step(void *data) {
  return copying_step(data);
}

static void work(struct job *job) {
  struct copying *copying = &((struct copy *)job)->copying;
  if (!pieces_run(job, step, copying)) copying_stop(copying);
  job->status = copying->status;
}

static void free_copy(struct job *job) {
  copying_free(&((struct copy *)job)->copying);
}

static const char *slash_before(const char *place) {
  return place[0] == '\0' ? "" : "/";
}

static int finish(lua_State *L) { /* from, to, options, box */
  const struct copy *copy = job_at(L, 4);
  int status = job_status(L, &copy->job);
  bool is_over = wait_status(L) == 0; /* or it never began */
  const char *place = is_over ? copying_place(&copy->copying) : "";
  const char *slash = slash_before(place);
  if (status < 0) {
    lua_pushfstring(L, "copy %s%s%s -> %s%s%s", lua_tostring(L, 1), slash,
                    place, lua_tostring(L, 2), slash, place);
    pieces_fail(L, status, is_over ? copy->copying.why : NULL);
  } else {
    lua_pushboolean(L, 1);
  }
  if (is_over) job_done(L, 4);
  return status < 0 ? 3 : 1;
}

static const struct job_kind kind = {
  .wait = {"copy", finish, job_interrupt_and_wait},
  .work = work,
  .free = free_copy};

static bool may_overwrite(lua_State *L, int options) {
  if (lua_isnil(L, options)) return true;
  bool is_default = lua_getfield(L, options, "overwrite") == LUA_TNIL;
  lua_pop(L, 1);
  return is_default || option_flag(L, options, "overwrite");
}

int fs_copy(lua_State *L) {
  static const char *const options[] = {"overwrite", "recursive", NULL};
  size_t from_size, to_size;
  const char *from = fs_check_path(L, 1, &from_size);
  const char *to = fs_check_path(L, 2, &to_size);
  option_arguments(L, 2, options);
  bool recursive = option_flag(L, 3, "recursive");
  bool overwrite = may_overwrite(L, 3);
  struct copy *copy =
    job_push(L, &kind, sizeof *copy + from_size + to_size + 2);
  lua_insert(L, 4);
  memcpy(copy->paths, from, from_size);
  memcpy(copy->paths + from_size + 1, to, to_size);
  copy->copying.from = copy->paths;
  copy->copying.to = copy->paths + from_size + 1;
  copy->copying.recursive = recursive;
  copy->copying.overwrite = overwrite;
  return job_start(L, &copy->job, 5, WAIT_FOREVER);
}
