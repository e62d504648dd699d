/* core.c - which spec work is of, and the tasks of one.
 *
 * Each spec has a number. What is started while a task of it runs is of the
 * same spec (see owner.h), so its tasks can be listed and cancelled, and an
 * error finds the spec that is to blame, also when that has ended. */
#include "cli/test/core.h"

#include <lauxlib.h>
#include <uv.h>

#include "host/embedded.h"
#include "host/gate.h"
#include "host/generation.h"
#include "host/host.h"
#include "host/task.h"
#include "host/wait.h"
#include "host/notifier.h"

/* ---- the spec that runs -------------------------------------------------- */

/* begin(number): from now on work is of that spec; 0: of none. */
static int begin(lua_State *L) {
  struct host *host = host_of(L);
  host->spec = (uint32_t)luaL_checkinteger(L, 1);
  host->current->work.spec = host->spec;
  return 0;
}

/* here() -> the number of the spec that the running task is of */
static int here(lua_State *L) {
  lua_pushinteger(L, host_of(L)->current->work.spec);
  return 1;
}

/* ---- its tasks ----------------------------------------------------------- */

struct search {
  lua_State *L;
  struct host *host;
  uint32_t spec;
};

static bool matches(const struct search *search, const struct work *work) {
  return task_is(work) && work->spec == search->spec &&
         (const struct task *)work != search->host->current;
}

static void add_id(struct work *work, void *data) {
  const struct search *search = data;
  if (!matches(search, work)) return;
  lua_pushboolean(search->L, 1);
  lua_rawseti(search->L, -2, (lua_Integer)((struct task *)work)->id);
}

/* tasks(number) -> { [id] = true }, without the one that asks */
static int push_tasks(lua_State *L) {
  uint32_t spec = (uint32_t)luaL_checkinteger(L, 1);
  struct search search = {L, host_of(L), spec};
  lua_newtable(L);
  generation_each_work(search.host, add_id, &search);
  return 1;
}

static void cancel_one(struct work *work, void *data) {
  if (matches(data, work)) task_cancel((struct task *)work);
}

static int cancel(lua_State *L) {
  uint32_t spec = (uint32_t)luaL_checkinteger(L, 1);
  struct search search = {L, host_of(L), spec};
  generation_each_work(search.host, cancel_one, &search);
  return 0;
}

/* ---- the rest ------------------------------------------------------------ */

static int nothing(lua_State *L) {
  (void)L;
  return 0;
}

static const struct wait turn_wait = {"turn", nothing, NULL};

/* turn(): all that is ready runs first */
static int turn(lua_State *L) {
  struct task *task = wait_begin(L, &turn_wait, 1);
  return wait_turn(L, task, NULL);
}

static int failures(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)host_of(L)->failures);
  return 1;
}

/* load("limit") -> the chunk cli/test/limit.lua */
static int load(lua_State *L) {
  embedded_load(L,
                lua_pushfstring(L, "cli/test/%s.lua", luaL_checkstring(L, 1)));
  return 1;
}

/* on_file(fn): it is told the path of every Lua file that is required */
static int on_file(lua_State *L) {
  generation_push_notes(L, generation_here(L));
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "on_file");
  return 0;
}

static int seconds(lua_State *L) {
  lua_pushnumber(L, (lua_Number)uv_hrtime() / 1e9);
  return 1;
}

static int watcher(lua_State *L) {
  notifier_push_watch(L);
  return 1;
}

static const luaL_Reg functions[] = {
  {"begin", begin},     {"cancel", cancel},   {"failures", failures},
  {"gate", gate_new},   {"here", here},       {"load", load},
  {"on_file", on_file}, {"seconds", seconds}, {"tasks", push_tasks},
  {"turn", turn},       {"watcher", watcher}, {NULL, NULL},
};

void test_push_core(lua_State *L) {
  luaL_newlib(L, functions);
  gate_open_class(L);
  test_add_limit(L);
  test_add_coverage(L);
}
