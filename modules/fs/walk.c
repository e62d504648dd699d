/* walk.c - fs.walk and fs.entries: a tree, or one level of it, as an iterator.
 *
 * A walk is C memory. A job in the thread pool goes through the tree and leaves
 * a batch of items; the iterator hands them out, and starts the next job when
 * there are no more. So at any time either a thread has the tree or nobody, and
 * what a job has found is not lost when the task that waited is cancelled. */
#include "modules/fs/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/job.h"
#include "host/option.h"
#include "host/origin.h"
#include "host/owner.h"
#include "modules/fs/fs.h"
#include "modules/fs/tree.h"

static const char class_name[] = "neap.walk";

enum {
  BATCH_ITEMS = 1000,
  BATCH_BYTES = 1 << 18,
  BATCH_NS = 20000000, /* a slow disk: what there is */
  LOOK_EVERY = 16      /* at the clock, in entries */
};

struct walk {
  struct work work; /* first member; from when it is open until it is closed */
  struct host *host;
  struct tree tree;
  struct bytes batch; /* items: a kind and a path, or a status and a path */
  size_t at;          /* the next one of the batch */
  size_t depth;       /* levels to go down; 0: all */
  struct origin origin;
  const char *name; /* of the function */
  struct walk_job *job;
  int users;       /* the box, a job */
  bool names_only; /* of the entries */
  bool is_open;    /* it has an owner */
  bool closed;
  bool ended; /* nothing is left but the batch */
};

struct walk_job {
  struct job job; /* first member */
  struct walk *walk;
  char path[]; /* for the first one, which opens it */
};

/* ---- its life ------------------------------------------------------------ */

static void leave(struct walk *walk) {
  if (--walk->users > 0) return;
  tree_close(&walk->tree);
  bytes_free(&walk->batch);
  free(walk);
}

/* While a job has the tree it is closed after that. */
static void close_walk(struct walk *walk) {
  walk->closed = true;
  if (walk->job == NULL || !walk->job->job.queued)
    tree_close(&walk->tree);
  else
    atomic_store(&walk->job->job.given_up, true);
  if (walk->is_open) work_end(&walk->work);
  walk->is_open = false;
}

static void stop(struct work *work) {
  close_walk((struct walk *)work);
}

static struct origin origin(const struct work *work) {
  return ((const struct walk *)work)->origin;
}

/* Who waits for its next batch ends it. */
static const struct work_kind work_kind = {
  .name = "walk", .stop = stop, .origin = origin, .lasts = true};

static void free_job(struct job *base) {
  struct walk_job *job = (struct walk_job *)base;
  struct walk *walk = job->walk;
  if (walk->job == job) {
    walk->job = NULL;
    if (walk->closed) tree_close(&walk->tree);
  }
  leave(walk);
}

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static bool add(struct walk *walk, const char *text, int number) {
  struct item item = {text, strlen(text), number};
  return bytes_add_item(&walk->batch, &item);
}

/* Meanwhile it may have been removed, or replaced: then there is nothing in it.
 * A loop of links is left where it closes. */
static bool is_gone(const struct walk *walk, int status) {
  return status == UV_ENOENT || status == UV_ENOTDIR ||
         (status == UV_ELOOP && tree_depth(&walk->tree) > 0);
}

static bool take_entry(struct walk *walk) {
  struct tree *tree = &walk->tree;
  bool wanted = tree->kind == KIND_DIRECTORY &&
                (walk->depth == 0 || tree_depth(tree) < walk->depth);
  if (wanted && tree_want(tree) < 0) return false;
  return add(walk, walk->names_only ? tree->name : tree->path.at,
             (int)tree->kind);
}

static bool take(struct walk *walk, enum tree_event event) {
  const struct tree *tree = &walk->tree;
  if (event == TREE_ENTRY) return take_entry(walk);
  if (event == TREE_END || event == TREE_BROKEN) walk->ended = true;
  bool failed = event == TREE_BROKEN ||
                (event == TREE_FAILED && !is_gone(walk, tree->status));
  return !failed || add(walk, tree->path.at, tree->status);
}

static int fill(struct walk *walk, struct job *job) {
  uint64_t limit = uv_hrtime() + BATCH_NS;
  for (int i = 1; !walk->ended && i <= BATCH_ITEMS; i++) {
    if (!take(walk, tree_next(&walk->tree))) return UV_ENOMEM;
    if (job_is_given_up(job) || walk->batch.size > BATCH_BYTES) break;
    if (i % LOOK_EVERY == 0 && uv_hrtime() > limit) break;
  }
  return 0;
}

static int open_tree(struct walk_job *job) {
  int fd = open(job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return uv_translate_sys_error(errno);
  return tree_open(&job->walk->tree, fd, job->path);
}

static void open_work(struct job *base) {
  struct walk_job *job = (struct walk_job *)base;
  base->status = open_tree(job);
  if (base->status == 0) base->status = fill(job->walk, base);
}

static void fill_work(struct job *base) {
  base->status = fill(((struct walk_job *)base)->walk, base);
}

/* ---- the iterator -------------------------------------------------------- */

static int next_item(lua_State *L);

static int fail_with(lua_State *L, const struct walk *walk, int status,
                     const char *path) {
  lua_pushfstring(L, "%s %s", walk->name, path);
  return error_result(L, status, lua_tostring(L, -1));
}

static int after_error(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  lua_settop(L, 2);
  return next_item(L);
}

/* Told to on_error, and the walk goes on; or raised, as io.lines does it. */
static int give_error(lua_State *L, const struct walk *walk,
                      const struct item *item) {
  lua_pushlstring(L, item->text, item->size);
  int path = lua_gettop(L);
  fail_with(L, walk, item->number, lua_tostring(L, path));
  if (lua_isnil(L, 2)) return luaL_error(L, "%s", lua_tostring(L, -2));
  lua_pushvalue(L, 2);
  lua_pushvalue(L, path);
  lua_pushvalue(L, -4); /* the message */
  lua_pushvalue(L, -4); /* the code */
  lua_callk(L, 3, 0, 0, after_error);
  return after_error(L, LUA_OK, 0);
}

/* Box, on_error [, box of a job]. */
static int take_finish(lua_State *L) {
  struct walk *walk = *(struct walk **)lua_touserdata(L, 1);
  struct item item;
  if (walk->closed || walk->at == walk->batch.size) {
    lua_pushnil(L);
    return 1;
  }
  walk->at = bytes_item(&walk->batch, walk->at, &item);
  if (item.number < 0) return give_error(L, walk, &item);
  lua_pushlstring(L, item.text, item.size);
  lua_pushstring(L, kind_name((enum kind)item.number));
  return 2;
}

static int fill_finish(lua_State *L) {
  struct walk *walk = *(struct walk **)lua_touserdata(L, 1);
  const struct walk_job *job = job_at(L, 3);
  int status = job_status(L, &job->job);
  job_done(L, 3);
  if (walk->closed) {
    lua_pushnil(L);
    return 1;
  }
  if (status < 0) {
    fail_with(L, walk, status, walk->tree.path.at);
    close_walk(walk);
    return luaL_error(L, "%s", lua_tostring(L, -2));
  }
  lua_settop(L, 2);
  return next_item(L); /* there may be none: a thousand empty directories */
}

static const struct wait take_wait = {"walk", take_finish, NULL};
static const struct job_kind fill_kind = {
  .wait = {"walk", fill_finish, job_interrupt_and_wait},
  .work = fill_work,
  .free = free_job};

static struct walk_job *push_job(lua_State *L, const struct job_kind *kind,
                                 struct walk *walk, size_t size) {
  struct walk_job *job = job_push(L, kind, sizeof *job + size);
  job->walk = walk;
  walk->users++;
  walk->job = job;
  walk->batch.size = walk->at = 0;
  return job;
}

static int next_item(lua_State *L) { /* box, on_error */
  struct walk *walk = *(struct walk **)lua_touserdata(L, 1);
  if (walk->job != NULL && walk->job->job.waiter != NULL)
    return luaL_error(L, "another task waits for this iterator");
  if (walk->at < walk->batch.size || walk->ended || walk->closed) {
    struct task *task = wait_begin(L, &take_wait, 3);
    if (walk->at == walk->batch.size) close_walk(walk);
    return wait_pass(L, task, NULL);
  }
  struct walk_job *job = push_job(L, &fill_kind, walk, 0);
  return job_start(L, &job->job, 4, WAIT_FOREVER);
}

static int next_of_closure(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(2));
  return next_item(L);
}

/* ---- begin --------------------------------------------------------------- */

static int open_finish(lua_State *L) { /* path, on_error, box, job */
  struct walk *walk = *(struct walk **)lua_touserdata(L, 3);
  const struct walk_job *job = job_at(L, 4);
  int status = job_status(L, &job->job);
  if (status < 0) return fail_with(L, walk, status, lua_tostring(L, 1));
  struct owner *owner = owner_here(L);
  job_done(L, 4);
  lua_settop(L, 3);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, next_of_closure, 2);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 3);
  work_begin(&walk->work, &work_kind, owner);
  walk->is_open = true;
  return 4;
}

/* Its thread is left to itself: nobody else has the tree. */
static const struct job_kind open_kind = {
  .wait = {"walk", open_finish, job_interrupt},
  .work = open_work,
  .free = free_job};

static struct walk *push_walk(lua_State *L) {
  struct walk **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL;
  class_set(L, class_name);
  struct walk *walk = *box = calloc(1, sizeof *walk);
  if (walk == NULL) luaL_error(L, "not enough memory for a walk");
  walk->host = host_of(L);
  walk->users = 1;
  walk->origin = origin_here(L);
  return walk;
}

/* At 1 lies the path, at 2 on_error or nil, at 3 a callback or nil. */
static int start(lua_State *L, const struct walk *walk) {
  size_t size;
  const char *path = fs_check_path(L, 1, &size);
  struct walk *made = push_walk(L);
  lua_insert(L, 3);
  made->name = walk->name;
  made->names_only = walk->names_only;
  made->depth = walk->depth;
  made->tree.follow = walk->tree.follow;
  struct walk_job *job = push_job(L, &open_kind, made, size + 1);
  lua_insert(L, 4);
  memcpy(job->path, path, size);
  return job_start(L, &job->job, 5, WAIT_FOREVER);
}

static size_t check_depth(lua_State *L, int index) {
  if (lua_isnil(L, index) || lua_getfield(L, index, "depth") == LUA_TNIL)
    return 0;
  int is_integer;
  lua_Integer depth = lua_tointegerx(L, -1, &is_integer);
  luaL_argcheck(L, is_integer && depth >= 1, index,
                "depth must be an integer, at least 1");
  return (size_t)depth;
}

static void push_on_error(lua_State *L, int index) {
  lua_pushnil(L);
  if (lua_isnil(L, index)) return;
  int type = lua_getfield(L, index, "on_error");
  luaL_argcheck(L, type == LUA_TNIL || type == LUA_TFUNCTION, index,
                "on_error must be a function");
}

int fs_walk(lua_State *L) {
  static const char *const options[] = {"depth", "follow", "on_error", NULL};
  struct walk walk = {.name = "walk"};
  size_t size;
  fs_check_path(L, 1, &size);
  option_arguments(L, 1, options);
  walk.depth = check_depth(L, 2);
  walk.tree.follow = option_flag(L, 2, "follow");
  push_on_error(L, 2);
  lua_replace(L, 2);
  lua_settop(L, 3);
  return start(L, &walk);
}

int fs_entries(lua_State *L) {
  const struct walk walk = {.name = "entries", .names_only = true, .depth = 1};
  size_t size;
  fs_check_path(L, 1, &size);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushnil(L);
  lua_insert(L, 2);
  return start(L, &walk);
}

/* ---- the class ----------------------------------------------------------- */

static int method_close(lua_State *L) {
  struct walk **box = class_check(L, 1, class_name);
  if (*box != NULL && !(*box)->closed) close_walk(*box);
  return 0;
}

static int collect(lua_State *L) {
  struct walk **box = lua_touserdata(L, 1);
  struct walk *walk = *box;
  if (walk == NULL) return 0;
  *box = NULL;
  if (!walk->closed) close_walk(walk);
  leave(walk);
  return 0;
}

static const luaL_Reg methods[] = {
  {"close", method_close},
  {NULL, NULL},
};

void walk_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pushcfunction(L, method_close);
  lua_setfield(L, -2, "__close");
  lua_pop(L, 1);
}
