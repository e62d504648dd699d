/* job.c - a list of paths, on its way through a thread.
 *
 * A job has its own copy of the paths: so a task that is cancelled goes on at
 * once, and the thread never touches what Lua could free. The job lives until
 * both have let go of it: the box, on the stack of who waits, and libuv. */
#include "modules/hot/job.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "host/class.h"
#include "host/error.h"
#include "host/host.h"
#include "host/task.h"

static const char class_name[] = "neap.hot.job";

struct job {
  struct task *waiter; /* first member, see job_interrupt */
  const struct job_kind *kind;
  uv_work_t uv;
  struct answers answers;
  char *paths;  /* each with a zero at its end */
  size_t *ends; /* of the answers */
  size_t count;
  void *memo;
  int users; /* the box, libuv */
};

static void leave(struct job *job) {
  if (--job->users > 0) return;
  free(job->answers.bytes);
  free(job->paths);
  free(job->ends);
  free(job->memo);
  free(job);
}

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static bool make_room(struct answers *answers, size_t size) {
  size_t room = answers->room == 0 ? 1024 : answers->room;
  while (room - answers->size < size) room *= 2;
  if (room == answers->room) return true;
  char *bytes = realloc(answers->bytes, room);
  if (bytes == NULL) return false;
  answers->bytes = bytes;
  answers->room = room;
  return true;
}

void answers_add(struct answers *answers, const void *bytes, size_t size) {
  if (answers->failed || size == 0) return;
  if (!make_room(answers, size)) {
    answers->failed = true;
    return;
  }
  memcpy(answers->bytes + answers->size, bytes, size);
  answers->size += size;
}

void answers_repeat(struct answers *answers, size_t start, size_t size) {
  if (answers->failed || size == 0) return;
  answers->failed = !make_room(answers, size);
  if (!answers->failed) answers_add(answers, answers->bytes + start, size);
}

static void work(uv_work_t *uv) {
  struct job *job = uv->data;
  const char *path = job->paths;
  for (size_t i = 0; i < job->count; i++, path += strlen(path) + 1) {
    job->kind->work(path, job->memo, &job->answers);
    job->ends[i] = job->answers.size;
  }
}

/* ---- on the loop: still no Lua ------------------------------------------- */

static void after(uv_work_t *uv, int status) {
  struct job *job = uv->data;
  if (job->waiter != NULL) task_wake(job->waiter, status);
  leave(job);
}

/* Nobody waits for it any more; it need not begin, if it has not. */
bool job_interrupt(struct task *task) {
  struct job *job = (struct job *)task->parked;
  uv_cancel((uv_req_t *)&job->uv);
  return false;
}

/* ---- the answers --------------------------------------------------------- */

int job_finish(lua_State *L) { /* paths, box */
  const struct job *job = *(struct job **)lua_touserdata(L, 2);
  int status = wait_status(L);
  if (status == 0 && job->answers.failed) status = UV_ENOMEM;
  if (status < 0) return error_result(L, status, job->kind->wait.name);
  lua_createtable(L, (int)job->count, 0);
  size_t start = 0;
  for (size_t i = 0; i < job->count; i++) {
    size_t size = job->ends[i] - start;
    if (size == 0)
      lua_pushboolean(L, 0);
    else
      job->kind->push(L, job->answers.bytes + start, size);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    start = job->ends[i];
  }
  return 1;
}

/* ---- start --------------------------------------------------------------- */

/* Pushes them all as one string, so that whatever runs while memory is
 * allocated cannot change them; returns how many there are. */
static size_t pack_paths(lua_State *L) {
  luaL_Buffer packed;
  size_t count = (size_t)lua_rawlen(L, 1);
  luaL_buffinit(L, &packed);
  for (size_t i = 1; i <= count; i++) {
    size_t size;
    if (lua_rawgeti(L, 1, (lua_Integer)i) != LUA_TSTRING)
      luaL_error(L, "path %d is no string", (int)i);
    if (strlen(lua_tolstring(L, -1, &size)) != size)
      luaL_error(L, "path %d contains a zero", (int)i);
    luaL_addvalue(&packed);
    luaL_addchar(&packed, '\0');
  }
  luaL_pushresult(&packed);
  return count;
}

/* The string with the paths lies on top, and is replaced by the box. */
static struct job *push_job(lua_State *L, const struct job_kind *kind,
                            size_t count) {
  struct job **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL; /* for collect, should the next lines raise */
  class_set(L, class_name);
  lua_insert(L, -2);
  size_t size;
  const char *packed = lua_tolstring(L, -1, &size);
  struct job *job = *box = calloc(1, sizeof *job);
  if (job == NULL) luaL_error(L, "not enough memory for a job");
  job->uv.data = job;
  job->users = 1;
  job->kind = kind;
  job->count = count;
  job->paths = malloc(size + 1);
  job->ends = calloc(count + 1, sizeof *job->ends);
  job->memo = calloc(1, kind->memo_size + 1);
  if (job->paths == NULL || job->ends == NULL || job->memo == NULL)
    luaL_error(L, "not enough memory for a job");
  memcpy(job->paths, packed, size);
  lua_pop(L, 1);
  return job;
}

int job_start(lua_State *L, const struct job_kind *kind) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  struct job *job = push_job(L, kind, pack_paths(L));
  lua_insert(L, 2);
  struct task *task = wait_begin(L, &kind->wait, 3); /* paths, box, callback */
  uv_loop_t *loop = &host_of(L)->loop;
  int status = uv_queue_work(loop, &job->uv, work, after);
  if (status < 0) return wait_fail(L, task, status);
  job->users++;
  return wait_park(L, task, &job->waiter, WAIT_FOREVER);
}

/* ---- the class ----------------------------------------------------------- */

static int collect(lua_State *L) {
  struct job **box = lua_touserdata(L, 1);
  if (*box != NULL) leave(*box);
  *box = NULL;
  return 0;
}

static const luaL_Reg methods[] = {
  {NULL, NULL},
};

void job_open_class(lua_State *L) {
  class_open(L, class_name, methods, NULL);
  lua_pushcfunction(L, collect);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
