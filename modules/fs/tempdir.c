/* tempdir.c - fs.tempdir: a directory that is removed with all that is in it.
 *
 * It is C memory with users: the box, and whoever is about to make or remove it.
 * It is removed when it is closed, when its owner ends, and when its last user
 * leaves, whichever comes first: also if the task that asked for it is cancelled
 * before it has it. */
#include "modules/fs/temp.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <uv.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "host/origin.h"
#include "host/owner.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/fs/fs.h"
#include "modules/fs/removal.h"

static const char class_name[] = "neap.tempdir";

struct temp {
  struct work work; /* first member; from when it is had until it is gone */
  struct host *host;
  struct task *waiters; /* for its end */
  struct removal removal;
  uv_work_t uv; /* the removal */
  struct origin origin;
  char *path; /* absolute; NULL until it is made; malloc */
  int users;
  bool more;     /* to be removed */
  bool is_owned; /* `work` has begun */
  bool closing, gone;
};

struct making {
  struct job job; /* first member */
  struct temp *temp;
  struct temp_place place;
  char memory[];
};

/* ---- its end ------------------------------------------------------------- */

static void begin_removal(struct temp *temp);

static void leave(struct temp *temp) {
  if (--temp->users > 0) return;
  if (temp->path != NULL && !temp->closing) {
    begin_removal(temp);
    return;
  }
  free(temp->path);
  free(temp);
}

static void end_removal(struct temp *temp) {
  removal_free(&temp->removal);
  temp->gone = true;
  wait_wake_all(temp->waiters, 0);
  if (temp->is_owned) work_end(&temp->work);
  temp->is_owned = false;
  leave(temp);
}

static void removal_work(uv_work_t *uv) { /* in a thread */
  struct temp *temp = uv->data;
  uint64_t limit = uv_hrtime() + 20000000;
  do temp->more = removal_step(&temp->removal);
  while (temp->more && uv_hrtime() < limit);
}

static void after_removal(uv_work_t *uv, int status) {
  struct temp *temp = uv->data;
  if (temp->more && status == 0)
    status = uv_queue_work(&temp->host->loop, uv, removal_work, after_removal);
  else
    status = UV_EOF;
  if (status < 0) end_removal(temp);
}

static void begin_removal(struct temp *temp) {
  temp->closing = true;
  temp->users++;
  temp->uv.data = temp;
  temp->removal =
    (struct removal){.path = temp->path, .recursive = true, .status = 0};
  int status =
    uv_queue_work(&temp->host->loop, &temp->uv, removal_work, after_removal);
  if (status < 0) end_removal(temp);
}

static void stop(struct work *work) {
  struct temp *temp = (struct temp *)work;
  if (!temp->closing) begin_removal(temp);
}

static struct origin origin(const struct work *work) {
  return ((const struct temp *)work)->origin;
}

static const struct work_kind work_kind = {
  .name = "temporary directory", .stop = stop, .origin = origin, .lasts = true};

/* ---- close([callback]) --------------------------------------------------- */

static struct temp *temp_at(lua_State *L) {
  return *(struct temp **)class_check(L, 1, class_name);
}

static int close_finish(lua_State *L) { /* box */
  const struct temp *temp = temp_at(L);
  int status = wait_status(L);
  if (status == 0) status = temp->removal.status;
  if (status == UV_ENOENT) status = 0; /* somebody else has removed it */
  if (status == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushfstring(L, "remove %s", temp->path);
  return error_result(L, status, lua_tostring(L, -1));
}

static const struct wait close_wait = {"close", close_finish, NULL};

static int close_temp(lua_State *L) { /* box, callback or nil */
  struct temp *temp = temp_at(L);
  struct task *task = wait_begin(L, &close_wait, 2);
  if (!temp->closing) begin_removal(temp);
  if (temp->gone) return wait_pass(L, task, NULL);
  return wait_park(L, task, &temp->waiters, WAIT_FOREVER);
}

static int method_close(lua_State *L) {
  temp_at(L);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  return close_temp(L);
}

/* Where nothing can wait it goes all the same, a little later. */
static int meta_close(lua_State *L) {
  struct temp *temp = temp_at(L);
  lua_settop(L, 1);
  if (lua_isyieldable(L) && !host_of(L)->blocked) {
    lua_pushnil(L);
    return close_temp(L);
  }
  if (!temp->closing) begin_removal(temp);
  return 0;
}

static int collect(lua_State *L) {
  struct temp **box = lua_touserdata(L, 1);
  if (*box == NULL) return 0;
  struct temp *temp = *box;
  *box = NULL;
  leave(temp);
  return 0;
}

/* ---- fs.tempdir ---------------------------------------------------------- */

static int make(const char *path) {
  return mkdir(path, 0700) == 0 ? 0 : uv_translate_sys_error(errno);
}

static void work(struct job *job) {
  struct making *making = (struct making *)job;
  job->status = temp_make(&making->place, make, &making->temp->path);
}

/* Made for nobody, it is removed; the collector may come late. */
static void done(struct job *job) {
  struct temp *temp = ((struct making *)job)->temp;
  if (job_is_given_up(job) && temp->path != NULL && !temp->closing)
    begin_removal(temp);
}

static void free_making(struct job *job) {
  leave(((struct making *)job)->temp);
}

static int finish(lua_State *L) { /* directory, box, box of the job */
  const struct making *making = job_at(L, 3);
  struct temp *temp = making->temp;
  int status = job_status(L, &making->job);
  if (status < 0) return fs_error(L, status, "tempdir", 1);
  struct owner *owner = owner_here(L);
  work_begin(&temp->work, &work_kind, owner);
  temp->is_owned = true;
  job_done(L, 3);
  lua_settop(L, 2);
  return 1;
}

static const struct job_kind kind = {.wait = {"tempdir", finish, job_interrupt},
                                     .work = work,
                                     .free = free_making,
                                     .done = done};

static struct temp *push_temp(lua_State *L) {
  struct temp **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  class_set(L, class_name);
  struct temp *temp = *box = calloc(1, sizeof *temp);
  if (temp == NULL) luaL_error(L, "not enough memory for a directory");
  temp->host = host_of(L);
  temp->origin = origin_here(L);
  temp->users = 1;
  return temp;
}

int fs_tempdir(lua_State *L) {
  struct temp_place place;
  temp_arguments(L, &place);
  struct temp *temp = push_temp(L);
  struct making *making =
    job_push(L, &kind, sizeof *making + temp_place_size(&place));
  making->place = temp_place_copy(&place, making->memory);
  making->temp = temp;
  temp->users++;
  lua_insert(L, 3);
  lua_replace(L, 2); /* directory, box, box of the job, callback */
  return job_start(L, &making->job, 4, WAIT_FOREVER);
}

static int field_path(lua_State *L) {
  lua_pushstring(L, temp_at(L)->path);
  return 1;
}

static int field_closed(lua_State *L) {
  lua_pushboolean(L, temp_at(L)->closing);
  return 1;
}

static const luaL_Reg methods[] = {
  {"close", method_close},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"closed", field_closed, NULL},
  {"path", field_path, NULL},
  {NULL, NULL, NULL},
};

void tempdir_open_class(lua_State *L) {
  class_open(L, class_name, methods, fields);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, meta_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
