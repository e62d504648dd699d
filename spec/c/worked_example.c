/* worked_example.c - the module of docs/add-a-module.md, as it stands there,
 * linked with the host, and run with the spec that stands there too. */
#undef NDEBUG
#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "host/generation.h"
#include "host/loop.h"
#include "modules/modules.h"

int open_checksum(lua_State *L);

/* ---- docs/add-a-module.md ---- */
/* checksum.c - module `neap.checksum`: crc32, computed in the thread pool.
 *
 * A job is C memory, as all is that libuv and its threads touch. It lives until
 * both have let go of it: the box, which lies on the stack of the task that
 * waits, and libuv. The string it reads lies on that stack too: so a task goes
 * on only when the thread has finished. */
#include <lauxlib.h>
#include <stdlib.h>
#include <uv.h>

#include "host/error.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"

static const char class_name[] = "neap.checksum.job";

struct job {
  struct task *waiter; /* first member, see interrupt */
  uv_work_t uv;
  const char *data; /* a string on the waiter's stack */
  size_t size;
  uint32_t crc;
  int users; /* the box, libuv */
};

static void leave(struct job *job) {
  if (--job->users == 0) free(job);
}

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static void work(uv_work_t *uv) {
  struct job *job = uv->data;
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < job->size; i++) {
    crc ^= (unsigned char)job->data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  job->crc = ~crc;
}

/* ---- on the loop: still no Lua ------------------------------------------- */

static void after(uv_work_t *uv, int status) {
  struct job *job = uv->data;
  if (job->waiter != NULL) task_wake(job->waiter, status);
  leave(job);
}

/* ---- checksum.crc32(data [, callback]) ----------------------------------- */

static int finish(lua_State *L) { /* data, box */
  const struct job *job = *(struct job **)lua_touserdata(L, 2);
  int status = wait_status(L);
  if (status < 0) return error_result(L, status, "crc32");
  lua_pushinteger(L, job->crc);
  return 1;
}

/* Cancelled. A job that no thread has begun ends at once; in either case
 * `after` will wake the task: true. */
static bool interrupt(struct task *task) {
  struct job *job = (struct job *)task->parked;
  uv_cancel((uv_req_t *)&job->uv);
  return true;
}

static const struct wait crc32_wait = {"crc32", finish, interrupt};

static struct job *push_job(lua_State *L) {
  struct job **box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = NULL; /* for collect, should the next lines raise */
  luaL_setmetatable(L, class_name);
  struct job *job = calloc(1, sizeof *job);
  if (job == NULL) luaL_error(L, "not enough memory for a checksum");
  job->uv.data = job;
  job->users = 1;
  *box = job;
  return job;
}

static int checksum_crc32(lua_State *L) {
  size_t size;
  const char *data = luaL_checklstring(L, 1, &size); /* check the arguments */
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  struct job *job = push_job(L); /* then allocate */
  lua_insert(L, 2);
  job->data = data;
  job->size = size;
  struct task *task = wait_begin(L, &crc32_wait, 3); /* data, box, callback */
  uv_loop_t *loop = &host_of(L)->loop; /* then start: nothing raises any more */
  int status = uv_queue_work(loop, &job->uv, work, after);
  if (status < 0) return wait_fail(L, task, status);
  job->users++;
  return wait_park(L, task, &job->waiter, WAIT_FOREVER);
}

/* ---- the module ---------------------------------------------------------- */

static int collect(lua_State *L) {
  struct job **box = lua_touserdata(L, 1);
  if (*box != NULL) leave(*box);
  *box = NULL;
  return 0;
}

static const luaL_Reg functions[] = {
  {"crc32", checksum_crc32},
  {NULL, NULL},
};

int open_checksum(lua_State *L) {
  if (luaL_newmetatable(L, class_name)) {
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
  }
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}
/* ---- until here ---- */

static int open_all(lua_State *L) {
  modules_open(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open_checksum); /* the line in modules/modules.c */
  lua_setfield(L, -2, "neap.checksum");
  lua_pop(L, 1);
  return 0;
}

/* describe and it are busted's, in short: what is in them is called. */
static const char script[] =
  "local count = 0\n"
  "local function describe(_, fn) fn() end\n"
  "local function it(_, fn) fn() count = count + 1 end\n"
  "local env = { describe = describe, it = it, assert = require 'luassert' }\n"
  "setmetatable(env, { __index = _G })\n"
  "local blocks = require 'spec.support.blocks'\n"
  "for _, block in ipairs(blocks.read 'docs/add-a-module.md') do\n"
  "  if block.text:find('describe(', 1, true) then\n"
  "    local lines = ('\\n'):rep(block.line - 1) .. block.text\n"
  "    assert(load(lines, '@docs/add-a-module.md', 't', env))()\n"
  "  end\n"
  "end\n"
  "assert(count >= 3, 'the specs of docs/add-a-module.md are gone')\n";

static int script_over(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

static int run(lua_State *L) {
  if (luaL_loadbuffer(L, script, sizeof script - 1, "@script") != LUA_OK)
    return lua_error(L);
  lua_callk(L, 0, 0, 0, script_over);
  return 0;
}

int main(void) {
  struct host *host = malloc(sizeof *host);
  assert(host != NULL && host_open(host, open_all) == 0);
  struct owner *owner = &host->root->background;
  assert(task_start(host, owner, run, NULL) != NULL);
  loop_run(host);
  int code = host_exit_code(host);
  if (!host_close(host)) return 1;
  free(host);
  return code;
}
