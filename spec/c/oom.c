/* oom.c - out of memory at the n-th allocation that tasks make, for n = 1, 2,
 * ... until a script no longer comes to it: whatever it was doing, it fails with
 * an error or gives the right result, nothing it started is left, and the host
 * goes on. Lua collects and tries again, so two in a row fail, or many more. Only
 * what tasks ask for does: the host's own code, between them, has no protected
 * call. */
#include <lualib.h>

#include "modules/hot/fingerprints.h"
#include "host/notifier.h"
#include "spec/c/failing_memory.h"

/* ---- for the driver ------------------------------------------------------ */

/* What is left of all: tasks, timers, handles, versions; without the driver and
 * its version. */
static int work_left(lua_State *L) {
  lua_pushinteger(L, memory_count_work() - 2);
  return 1;
}

/* A version that is prepared, and gone again. */
static int new_version(lua_State *L) {
  struct generation *generation = generation_new(L, modules_open);
  struct task *task =
    task_start(memory.host, &generation->background, machine_run_text,
               "x = {} for i = 1, 9 do "
               "x[i] = require('neap').go(print) end");
  if (task != NULL) task_start_staged(task);
  lua_pushinteger(L, (lua_Integer)generation->id);
  return 1;
}

static int retire_version(lua_State *L) {
  struct generation *g = memory.host->generations;
  while (g != NULL && g->id != (uint64_t)luaL_checkinteger(L, 1)) g = g->next;
  if (g != NULL) generation_retire(g, true);
  return 0;
}

/* ---- the scripts: spec/c/oom.lua ------------------------------------------ */

static char home[4096]; /* from where they are read; the test is elsewhere */

static void load_scripts(lua_State *L) {
  lua_pushfstring(L, "%s/spec/c/oom.lua", home);
  if (luaL_loadfile(L, lua_tostring(L, -1)) != LUA_OK) lua_error(L);
  lua_remove(L, -2);
}

static int run_driver(lua_State *L) { /* the name of a script */
  const char *name = lua_touserdata(L, 1);
  memory.driver = host_of(L)->current;
  lua_register(L, "new_version", new_version);
  lua_register(L, "retire_version", retire_version);
  lua_register(L, "fingerprints", hot_fingerprints);
  notifier_push_watch(L);
  lua_setglobal(L, "open_watcher");
  load_scripts(L);
  lua_pushstring(L, home);
  lua_pushstring(L, name);
  lua_pushcfunction(L, fail_at);
  lua_pushcfunction(L, work_left);
  lua_callk(L, 4, 0, 0, driver_over);
  return driver_over(L, LUA_OK, 0);
}

/* ---- run ------------------------------------------------------------------ */

static int count_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void run(const char *name, long row) {
  struct host *host = machine_open(50);
  memory.host = host;
  memory.alloc = lua_getallocf(host->L, &memory.ud);
  memory.left = 0;
  memory.row = row;
  lua_setallocf(host->L, allocate, NULL);
  driver_returned = false;
  struct task *task = task_start(host, &host->root->background, run_driver,
                                 (void *)(intptr_t)name);
  task->sink = &driver_sink;
  loop_run(host);
  assert(driver_returned);
  machine_close(host);
  static int descriptors; /* libuv keeps some, once it has them */
  if (descriptors == 0) descriptors = count_descriptors();
  assert(descriptors == count_descriptors());
}

/* All of them, or those of that name. */
static int run_all(lua_State *L) {
  static const long rows[] = {2, 3, 50};
  const char *wanted = lua_touserdata(L, 1);
  load_scripts(L);
  lua_pushstring(L, home);
  lua_call(L, 1, 1);
  for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++) {
    const char *name = lua_tostring(L, -1);
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
      if (wanted == NULL || strcmp(wanted, name) == 0) run(name, rows[row]);
    lua_pop(L, 1);
  }
  return 0;
}

int main(int argc, char **argv) {
  char directory[] = "/tmp/neap-oom-XXXXXX";
  lua_State *L = luaL_newstate(); /* knows the names */
  luaL_openlibs(L);
  int result = getcwd(home, sizeof home) != NULL ? 0 : -1;
  assert(result == 0);
  result = mkdtemp(directory) != NULL ? chdir(directory) : -1;
  assert(result == 0);
  told = tmpfile();
  signal(SIGABRT, show_told);
  signal(SIGALRM, show_told);
  real_stderr = stderr;
  stderr = told;
  lua_pushcfunction(L, run_all);
  lua_pushlightuserdata(L, argc > 1 ? argv[1] : NULL);
  int status = lua_pcall(L, 1, 0, 0);
  stderr = real_stderr;
  fclose(told);
  if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(L, -1));
  assert(status == LUA_OK);
  lua_close(L);
  result = rmdir(directory);
  assert(result == 0); /* nothing is left in it */
  puts("oom: ok");
  return 0;
}
