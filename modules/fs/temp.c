/* temp.c - fs.tempdir: a directory that is removed with all that is in it.
 *
 * It is C memory with users: the box, and whoever is about to make or remove it.
 * It is removed when it is closed, when its owner ends, and when its last user
 * leaves, whichever comes first: also if the task that asked for it is cancelled
 * before it has it. */
#include "modules/fs/temp.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "host/option.h"
#include "host/origin.h"
#include "host/owner.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/fs/arguments.h"
#include "modules/fs/filecopy.h"
#include "modules/fs/removal.h"

static const char class_name[] = "neap.tempdir";

enum { TRIES = 100, PREFIX_MOST = 200 };

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
  const char *prefix;
  char directory[]; /* then the prefix */
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

static int temp_close(lua_State *L) {
  struct temp *temp = temp_at(L);
  if (!lua_isfunction(L, 2)) lua_settop(L, 1); /* __close gives an error */
  lua_settop(L, 2);
  struct task *task = wait_begin(L, &close_wait, 2);
  if (!temp->closing) begin_removal(temp);
  if (temp->gone) return wait_pass(L, task, NULL);
  return wait_park(L, task, &temp->waiters, WAIT_FOREVER);
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

static char *join(const char *base, const char *path, const char *end) {
  size_t size = strlen(base) + strlen(path) + strlen(end) + 3;
  char *joined = malloc(size);
  const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
  if (joined == NULL) return NULL;
  snprintf(joined, size, "%s%s%s%s%s", base, base[0] == '\0' ? "" : "/", path,
           slash, end);
  return joined;
}

/* Absolute, as the working directory may change. */
static char *make_name(const struct making *making) {
  char unique[UNIQUE_SIZE + 1], name[512];
  if (unique_name(unique) < 0) return NULL;
  snprintf(name, sizeof name, "%s%s", making->prefix, unique);
  if (making->directory[0] == '/') return join("", making->directory, name);
  char *base = getcwd(NULL, 0);
  char *path = base == NULL ? NULL : join(base, making->directory, name);
  free(base);
  return path;
}

static void work(struct job *job) {
  struct making *making = (struct making *)job;
  for (int i = 0; i < TRIES; i++) {
    char *path = make_name(making);
    job->status = path == NULL             ? UV_ENOMEM
                  : mkdir(path, 0700) == 0 ? 0
                                           : uv_translate_sys_error(errno);
    if (job->status == 0) making->temp->path = path;
    if (job->status == 0) return;
    free(path);
    if (job->status != UV_EEXIST) return;
  }
}

/* Made for nobody, it is removed. */
static void free_making(struct job *job) {
  leave(((struct making *)job)->temp);
}

static int finish(lua_State *L) { /* options, box, box of the job */
  const struct making *making = job_at(L, 3);
  struct temp *temp = making->temp;
  int status = job_status(L, &making->job);
  if (status < 0) {
    lua_pushfstring(L, "tempdir %s", making->directory);
    return error_result(L, status, lua_tostring(L, -1));
  }
  struct owner *owner = owner_here(L);
  work_begin(&temp->work, &work_kind, owner);
  temp->is_owned = true;
  job_done(L, 3);
  lua_settop(L, 2);
  return 1;
}

static const struct job_kind kind = {.wait = {"tempdir", finish, job_interrupt},
                                     .work = work,
                                     .free = free_making};

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

/* Both push what they return. */
static const char *push_directory(lua_State *L, int options) {
  const char *directory = getenv("TMPDIR");
  if (directory == NULL || directory[0] == '\0') directory = "/tmp";
  directory = option_path(L, options, "dir", directory);
  luaL_argcheck(L, directory[0] != '\0', options, "dir is empty");
  return directory;
}

static const char *push_prefix(lua_State *L, int options) {
  const char *prefix = option_path(L, options, "prefix", "neap-");
  luaL_argcheck(L, strchr(prefix, '/') == NULL, options,
                "prefix is the beginning of a name, without '/'");
  luaL_argcheck(L, strlen(prefix) <= PREFIX_MOST, options,
                "prefix is too long");
  return prefix;
}

int fs_tempdir(lua_State *L) {
  static const char *const options[] = {"dir", "prefix", NULL};
  option_arguments(L, 0, options);
  const char *directory = push_directory(L, 1);
  const char *prefix = push_prefix(L, 1);
  size_t size = strlen(directory) + 1, prefix_size = strlen(prefix) + 1;
  struct temp *temp = push_temp(L);
  struct making *making =
    job_push(L, &kind, sizeof *making + size + prefix_size);
  making->temp = temp;
  temp->users++;
  memcpy(making->directory, directory, size);
  making->prefix = memcpy(making->directory + size, prefix, prefix_size);
  lua_pushvalue(L, 2); /* the callback */
  lua_replace(L, 4);
  lua_replace(L, 3);
  lua_replace(L, 2);
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
  {"close", temp_close},
  {NULL, NULL},
};

static const struct class_field fields[] = {
  {"closed", field_closed, NULL},
  {"path", field_path, NULL},
  {NULL, NULL, NULL},
};

void temp_open_class(lua_State *L) {
  class_open(L, class_name, methods, fields);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, temp_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
