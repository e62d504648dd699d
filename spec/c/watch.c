/* watch.c - runs spec/c/watch.lua in a task that is given what neap.hot is made
 * of, and a few system calls; then closes a host while a job and a wait are in
 * flight. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "host/embedded.h"
#include "host/fingerprint.h"
#include "modules/hot/fingerprints.h"
#include "host/notifier.h"
#include "spec/c/machine.h"

/* ---- fingerprints, in C -------------------------------------------------- */

static void test_fingerprints(void) {
  static const char bytes[] = "foobar";
  char text[FINGERPRINT_TEXT];
  struct fingerprint whole = fingerprint_bytes(bytes, 6);
  struct fingerprint pieces = fingerprint_bytes(NULL, 0);
  fingerprint_format(&pieces, text);
  assert(strcmp(text, "0:cbf29ce484222325") == 0);
  fingerprint_add(&pieces, bytes, 2);
  fingerprint_add(&pieces, bytes + 2, 4);
  assert(whole.size == pieces.size && whole.hash == pieces.hash);
  fingerprint_format(&whole, text); /* as in FNV's own table of tests */
  assert(strcmp(text, "6:85944171f73967e8") == 0);
}

/* ---- system calls for the script ----------------------------------------- */

static int result(lua_State *L, int status) {
  if (status < 0)
    return luaL_error(L, "%s: %s", lua_tostring(L, 1), strerror(errno));
  return 0;
}

static int sys_mkdir(lua_State *L) {
  return result(L, mkdir(luaL_checkstring(L, 1), 0755));
}

static int sys_mkfifo(lua_State *L) {
  return result(L, mkfifo(luaL_checkstring(L, 1), 0644));
}

static int sys_symlink(lua_State *L) {
  return result(L, symlink(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
}

static int sys_link(lua_State *L) {
  return result(L, link(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
}

static int sys_chmod(lua_State *L) {
  mode_t mode = (mode_t)luaL_checkinteger(L, 2);
  return result(L, chmod(luaL_checkstring(L, 1), mode));
}

static int sys_chdir(lua_State *L) {
  return result(L, chdir(luaL_checkstring(L, 1)));
}

static int sys_getcwd(lua_State *L) {
  char path[4096];
  lua_pushstring(L, getcwd(path, sizeof path));
  return 1;
}

static int sys_touch(lua_State *L) {
  return result(L, utimensat(AT_FDCWD, luaL_checkstring(L, 1), NULL, 0));
}

/* nofile(): no descriptor can be opened any more; nofile(n): as it was. Returns
 * what n is. */
static int sys_nofile(lua_State *L) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  lua_pushinteger(L, (lua_Integer)limit.rlim_cur);
  limit.rlim_cur = (rlim_t)luaL_optinteger(L, 1, 0);
  setrlimit(RLIMIT_NOFILE, &limit);
  return 1;
}

static const luaL_Reg functions[] = {
  {"chdir", sys_chdir},
  {"chmod", sys_chmod},
  {"getcwd", sys_getcwd},
  {"link", sys_link},
  {"mkdir", sys_mkdir},
  {"mkfifo", sys_mkfifo},
  {"nofile", sys_nofile},
  {"stderr", machine_stderr},
  {"symlink", sys_symlink},
  {"touch", sys_touch},
  {NULL, NULL},
};

/* ---- the script ---------------------------------------------------------- */

/* load_watch(core): as notifier_push_watch, over functions of a test */
static int load_watch(lua_State *L) {
  embedded_load(L, "host/watch.lua");
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static void set_globals(lua_State *L) {
  luaL_newlib(L, functions);
  lua_setglobal(L, "sys");
  notifier_push_core(L);
  lua_setglobal(L, "core");
  notifier_push_watch(L);
  lua_setglobal(L, "open");
  lua_register(L, "load_watch", load_watch);
  lua_register(L, "fingerprints", hot_fingerprints);
}

static int run_script(lua_State *L) {
  const char *name = lua_touserdata(L, 1);
  set_globals(L);
  if (luaL_loadfile(L, "spec/c/watch.lua") != LUA_OK) return lua_error(L);
  if (name != NULL) lua_pushstring(L, name);
  lua_callk(L, name != NULL ? 1 : 0, 0, 0, machine_over);
  return 0;
}

/* As NEAP_GC=stress for the program. */
static void set_gc_mode(lua_State *L) {
  const char *mode = getenv("NEAP_GC");
  if (mode == NULL) return;
  if (strcmp(mode, "generational") == 0) lua_gc(L, LUA_GCGEN, 0, 0);
  if (strcmp(mode, "stress") == 0) lua_gc(L, LUA_GCINC, 1, 1000, 1);
}

static int test_script(const char *name) {
  struct host *host = machine_open(50);
  set_gc_mode(host->L);
  assert(task_start(host, &host->root->background, run_script,
                    (void *)(intptr_t)name) != NULL);
  loop_run(host);
  int code = host_exit_code(host);
  machine_close(host);
  return code;
}

/* ---- the end, in the middle of it ---------------------------------------- */

static const char busy[] =
  "local neap = require 'neap'\n"
  "local paths = {}\n"
  "for i = 1, 1000 do paths[i] = 'spec/c/watch.c' end\n"
  "for i = 1, 20 do neap.go(fingerprints, paths) end\n"
  "local all = { open(), open(), open { poll = 0.001 } }\n"
  "assert(all[1]:set(paths))\n"
  "for i = 1, 2 do neap.go(function() all[i]:set(paths) all[i]:wait() end) end\n"
  "neap.go(function() all[3]:set(paths) all[3]:wait() end)\n"
  "require 'neap.timer'.sleep(0)\n"
  "reached = true\n"
  "fingerprints(paths)\n";

static bool has_reached(struct host *host) {
  lua_getglobal(host->L, "reached");
  bool reached = lua_toboolean(host->L, -1);
  lua_pop(host->L, 1);
  return reached;
}

static int run_busy(lua_State *L) {
  set_globals(L);
  lua_pushcfunction(L, machine_run_text);
  lua_pushlightuserdata(L, (void *)(intptr_t)busy);
  lua_callk(L, 1, 0, 0, machine_over);
  return 0;
}

/* `turns` of the loop after all has begun. */
static void test_close(int turns) {
  struct host *host = machine_open(20);
  task_start(host, &host->root->background, run_busy, NULL);
  while (!has_reached(host) || turns-- > 0) {
    loop_dispatch(host);
    uv_run(&host->loop, UV_RUN_NOWAIT);
    clock_advance(&host->clock);
  }
  machine_close(host);
}

int main(int argc, char **argv) {
  test_fingerprints();
  int code = test_script(argc > 1 ? argv[1] : NULL);
  for (int turns = 0; turns < 4; turns++) test_close(turns);
  return code;
}
