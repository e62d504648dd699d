/* generation_run.h - how a test drives versions of a program: its driver is a
 * task of the root generation, which is given the machinery as functions:
 * prepare, commit, retire, serve ... What the versions note, it is told. */
#ifndef SPEC_GENERATION_RUN_H
#define SPEC_GENERATION_RUN_H

#include <string.h>

#include "host/generation.h"
#include "spec/c/machine.h"

static const char notes_key = 0;

/* ---- what every version sees --------------------------------------------- */

/* note(text): for the driver */
static int note(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &notes_key);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  return 0;
}

/* dispose(fn): to run after the last work of this version */
static int set_dispose(lua_State *L) {
  lua_settop(L, 1);
  generation_set(L, host_of(L)->current->work.owner->generation,
                 GENERATION_DISPOSE);
  return 0;
}

static int run_main(lua_State *L) {
  lua_register(L, "note", note);
  lua_register(L, "dispose", set_dispose);
  return machine_run_text(L);
}

/* ---- what the driver sees ------------------------------------------------ */

static struct generation *find(lua_State *L) {
  struct generation *g = host_of(L)->generations;
  uint64_t id = (uint64_t)luaL_checkinteger(L, 1);
  while (g != NULL && g->id != id) g = g->next;
  return g;
}

/* Texts are literals of the driver: they live as long as its function. */
static struct task *start(struct owner *owner, const char *text) {
  struct task *task = task_start(owner->generation->host, owner, run_main,
                                 (void *)(intptr_t)text);
  assert(task != NULL);
  return task;
}

/* prepare(text): a version with that main chunk; its id */
static int prepare(lua_State *L) {
  const char *text = luaL_checkstring(L, 1);
  struct generation *g = generation_new(L, modules_open);
  assert(g->state == GENERATION_PREPARING);
  task_start_staged(start(&g->background, text));
  lua_pushinteger(L, (lua_Integer)g->id);
  return 1;
}

static int commit(lua_State *L) {
  struct generation *g = find(L), *old = host_of(L)->live;
  int status = generation_commit(g);
  assert((status == 0) == (host_of(L)->live == g));
  if (status < 0) assert(host_of(L)->live == old);
  lua_pushinteger(L, status);
  return 1;
}

static int retire(lua_State *L) {
  generation_retire(find(L), true);
  return 0;
}

/* serve(id, text): a task whose owner is a connection of that version */
static int serve(lua_State *L) {
  struct generation *g = find(L);
  start(owner_new(g), luaL_checkstring(L, 2));
  return 0;
}

/* state(id): nothing once it is dead */
static int state(lua_State *L) {
  static const char *const names[] = {"preparing", "live", "retired"};
  const struct generation *g = find(L);
  if (g == NULL) return 0;
  lua_pushstring(L, names[g->state]);
  return 1;
}

static int count(lua_State *L) {
  int n = 0;
  for (struct generation *g = host_of(L)->generations; g != NULL; g = g->next)
    n++;
  lua_pushinteger(L, n);
  return 1;
}

/* notes(): all that was noted, in one text */
static int notes(lua_State *L) {
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &notes_key);
  int list = lua_gettop(L);
  for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(L, list); i++) {
    if (i > 1) luaL_addchar(&buffer, ' ');
    lua_rawgeti(L, list, i);
    luaL_addvalue(&buffer);
  }
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &notes_key);
  luaL_pushresult(&buffer);
  return 1;
}

static const luaL_Reg functions[] = {
  {"commit", commit}, {"count", count},     {"note", note},
  {"notes", notes},   {"prepare", prepare}, {"retire", retire},
  {"serve", serve},   {"state", state},     {NULL, NULL},
};

static bool driver_returned;

static int driver_over(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  driver_returned = true;
  return 0;
}

static int run_driver(lua_State *L) {
  const char *text = lua_touserdata(L, 1);
  if (luaL_loadbuffer(L, text, strlen(text), "=driver") != LUA_OK)
    return lua_error(L);
  lua_callk(L, 0, 0, 0, driver_over);
  return driver_over(L, LUA_OK, 0);
}

/* Runs the driver in a fresh host, to its end. */
static void run(const char *driver) {
  struct host *host = machine_open(60);
  lua_State *L = host->L;
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &notes_key);
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  luaL_dostring(
    L, "neap, timer, net = require 'neap', require 'neap.timer', "
       "require 'neap.net'\n"
       "function turn(n) for _ = 1, n or 5 do timer.sleep(0) end end\n"
       "function expect(text)\n"
       "  local got = notes()\n"
       "  if got ~= text then error('noted: ' .. got, 2) end\n"
       "end\n"
       "function await(text)\n" /* so much, however long it takes */
       "  local got = notes()\n"
       "  while #got < #text do\n"
       "    timer.sleep(0.001)\n"
       "    local more = notes()\n"
       "    got = got .. ((got == '' or more == '') and '' or ' ') .. more\n"
       "  end\n"
       "  if got ~= text then error('noted: ' .. got, 2) end\n"
       "end\n"
       "function wait_for_end(id)\n"
       "  while state(id) do timer.sleep(0.001) end\n"
       "end\n"
       "function used()\n"
       "  for _ = 1, 3 do collectgarbage() end\n"
       "  return collectgarbage 'count'\n"
       "end\n");
  driver_returned = false;
  task_start(host, &host->root->background, run_driver,
             (void *)(intptr_t)driver);
  loop_run(host);
  assert(driver_returned || host->exit_code == 0); /* it has called exit */
  machine_close(host);
}

#endif
