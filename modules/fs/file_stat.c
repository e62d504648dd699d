/* file_stat.c - file:stat: what the system knows of a file that is open, whatever
 * its name is by now. */
#include <lauxlib.h>

#include "modules/fs/file.h"
#include "modules/fs/info.h"

struct asking {
  struct operation operation;
  struct info info;
};

static void work(struct job *job) {
  struct asking *asking = (struct asking *)job;
  job->status = info_get(asking->operation.file->fd, "", true, &asking->info);
}

static int finish(lua_State *L) { /* file, box */
  const struct asking *asking = job_at(L, 2);
  int status = job_status(L, &asking->operation.job);
  if (status < 0) return file_error(L, asking->operation.file, status, "stat");
  info_push(L, &asking->info);
  return 1;
}

static const struct job_kind kind = {.wait = {"stat", finish, job_interrupt},
                                     .work = work,
                                     .free = operation_free,
                                     .done = operation_done};

/* file:stat([callback]) */
int file_stat(lua_State *L) {
  struct file *file = file_check(L);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  struct asking *asking = operation_push(L, file, &kind, sizeof *asking);
  lua_insert(L, 2);
  return operation_start(L, &asking->operation, FILE_NO_TURN, 3, WAIT_FOREVER);
}
