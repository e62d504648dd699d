/* worked_example.c - the module of docs/add-a-module.md, as it stands there,
 * linked with the host, and run with the spec that stands there too. */
#undef NDEBUG
#include <assert.h>
#include <lauxlib.h>
#include <stdlib.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/loop.h"
#include "host/task.h"
#include "modules/modules.h"

int open_checksum(lua_State *L);

/* ---- docs/add-a-module.md ---- */
/* checksum.c - module `neap.checksum`: crc32, computed in the thread pool.
 *
 * The thread reads the string where Lua has it, and may do so for a while after
 * the task that waits was cancelled: so the job anchors it. */
#include <lauxlib.h>

#include "host/error.h"
#include "host/job.h"
#include "host/wait.h"

enum { BLOCK = 1 << 16 };

struct checksum {
  struct job job; /* first member */
  const char *data;
  size_t size;
  uint32_t crc;
};

/* ---- in a thread: no Lua, no host ---------------------------------------- */

static void work(struct job *job) {
  struct checksum *sum = (struct checksum *)job;
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < sum->size; i++) {
    if (i % BLOCK == 0 && job_is_given_up(job)) return;
    crc ^= (unsigned char)sum->data[i];
    for (int bit = 0; bit < 8; bit++)
      crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  sum->crc = ~crc;
}

/* ---- checksum.crc32(data [, callback]) ----------------------------------- */

static int finish(lua_State *L) { /* data, box */
  const struct checksum *sum = job_at(L, 2);
  int status = job_status(L, &sum->job);
  if (status < 0) return error_result(L, status, "crc32");
  lua_pushinteger(L, sum->crc);
  return 1;
}

static const struct job_kind crc32_kind = {
  .wait = {"crc32", finish, job_interrupt}, .work = work};

static int checksum_crc32(lua_State *L) {
  size_t size;
  const char *data = luaL_checklstring(L, 1, &size); /* check the arguments */
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  struct checksum *sum = job_push(L, &crc32_kind, sizeof *sum); /* allocate */
  lua_insert(L, 2); /* data, box, callback */
  lua_pushvalue(L, 1);
  job_anchor(L, &sum->job);
  sum->data = data;
  sum->size = size;
  return job_start(L, &sum->job, 3, WAIT_FOREVER); /* then start */
}

/* ---- the module ---------------------------------------------------------- */

static const luaL_Reg functions[] = {
  {"crc32", checksum_crc32},
  {NULL, NULL},
};

int open_checksum(lua_State *L) {
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
