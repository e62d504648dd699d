/* process.c - module `neap.process`: what the system says of this process. */
#include <lauxlib.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "host/error.h"
#include "host/host.h"
#include "host/signal_names.h"
#include "modules/modules.h"
#include "modules/process/process.h"

enum { PATH_SIZE = 4096, TITLE_SIZE = 4096 };

/* ---- cwd, chdir, title --------------------------------------------------- */

static int process_cwd(lua_State *L) {
  char path[PATH_SIZE];
  size_t size = sizeof path;
  int status = uv_cwd(path, &size);
  if (status < 0) return error_result(L, status, "cwd");
  lua_pushlstring(L, path, size);
  return 1;
}

static const char *check_text(lua_State *L, int index) {
  size_t size;
  const char *text = luaL_checklstring(L, index, &size);
  luaL_argcheck(L, strlen(text) == size, index, "it contains a zero");
  return text;
}

static int process_chdir(lua_State *L) {
  const char *path = check_text(L, 1);
  int status = uv_chdir(path);
  if (status < 0)
    return error_result(L, status, lua_pushfstring(L, "chdir %s", path));
  lua_pushboolean(L, 1);
  return 1;
}

static int process_title(lua_State *L) {
  char title[TITLE_SIZE];
  if (!lua_isnoneornil(L, 1)) {
    int status = uv_set_process_title(check_text(L, 1));
    if (status < 0) return error_result(L, status, "title");
  }
  int status = uv_get_process_title(title, sizeof title);
  if (status < 0) return error_result(L, status, "title");
  lua_pushstring(L, title);
  return 1;
}

static int process_exepath(lua_State *L) {
  char path[PATH_SIZE];
  size_t size = sizeof path;
  int status = uv_exepath(path, &size);
  if (status < 0) return error_result(L, status, "exepath");
  lua_pushlstring(L, path, size);
  return 1;
}

/* ---- memory, cpu, uptime, hostname, parallelism -------------------------- */

static void set_bytes(lua_State *L, const char *name, uint64_t bytes) {
  lua_pushinteger(L, (lua_Integer)bytes);
  lua_setfield(L, -2, name);
}

static uint64_t bytes_of_lua(lua_State *L) {
  return (uint64_t)lua_gc(L, LUA_GCCOUNT) * 1024 +
         (uint64_t)lua_gc(L, LUA_GCCOUNTB);
}

/* What the system allows us: of the machine, or of a control group. */
static uint64_t limit(void) {
  uint64_t total = uv_get_total_memory();
  uint64_t constrained = uv_get_constrained_memory();
  return constrained > 0 && constrained < total ? constrained : total;
}

static int process_memory(lua_State *L) {
  size_t rss = 0;
  struct rusage usage;
  uv_resident_set_memory(&rss);
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  uint64_t peak = (uint64_t)usage.ru_maxrss;
#else
  uint64_t peak = (uint64_t)usage.ru_maxrss * 1024;
#endif
  lua_createtable(L, 0, 5);
  set_bytes(L, "rss", rss);
  set_bytes(L, "peak", peak > rss ? peak : rss);
  set_bytes(L, "lua", bytes_of_lua(L));
  set_bytes(L, "limit", limit());
  set_bytes(L, "free", uv_get_free_memory());
  return 1;
}

static lua_Number seconds_of(struct timeval time) {
  return (lua_Number)time.tv_sec + (lua_Number)time.tv_usec / 1e6;
}

static int process_cpu(lua_State *L) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  lua_pushnumber(L, seconds_of(usage.ru_utime));
  lua_pushnumber(L, seconds_of(usage.ru_stime));
  return 2;
}

static int process_uptime(lua_State *L) {
  const struct host *host = host_of(L);
  double machine = 0;
  uv_uptime(&machine);
  lua_pushnumber(L, (lua_Number)(uv_hrtime() - host->opened) / 1e9);
  lua_pushnumber(L, machine);
  return 2;
}

static int process_hostname(lua_State *L) {
  char name[UV_MAXHOSTNAMESIZE];
  size_t size = sizeof name;
  int status = uv_os_gethostname(name, &size);
  if (status < 0) return error_result(L, status, "hostname");
  lua_pushlstring(L, name, size);
  return 1;
}

static int process_parallelism(lua_State *L) {
#if UV_VERSION_HEX >= 0x012c00
  lua_pushinteger(L, (lua_Integer)uv_available_parallelism());
#else
  lua_pushinteger(L, (lua_Integer)sysconf(_SC_NPROCESSORS_ONLN));
#endif
  return 1;
}

/* ---- kill(pid [, signal]) ------------------------------------------------ */

static int process_kill(lua_State *L) {
  lua_Integer pid = luaL_checkinteger(L, 1);
  luaL_argcheck(L, pid > 0 || (pid < -1 && pid > INT32_MIN), 1,
                "a process, or the negative of a group");
  luaL_argcheck(L, pid <= INT32_MAX, 1, "no process has this number");
  bool asks = lua_type(L, 2) == LUA_TNUMBER && lua_tonumber(L, 2) == 0;
  int number = asks ? 0 : SIGTERM;
  if (!asks && !lua_isnoneornil(L, 2)) number = signal_check(L, 2);
  int status = uv_kill((int)pid, number);
  if (status < 0) {
    lua_pushfstring(L, "kill %I", (LUAI_UACINT)pid);
    return error_result(L, status, lua_tostring(L, -1));
  }
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg functions[] = {
  {"chdir", process_chdir},
  {"cpu", process_cpu},
  {"cwd", process_cwd},
  {"exepath", process_exepath},
  {"hostname", process_hostname},
  {"kill", process_kill},
  {"memory", process_memory},
  {"parallelism", process_parallelism},
  {"run", process_run},
  {"spawn", process_spawn},
  {"title", process_title},
  {"uptime", process_uptime},
  {NULL, NULL},
};

int open_process(lua_State *L) {
  luaL_newlib(L, functions);
  lua_pushinteger(L, getpid());
  lua_setfield(L, -2, "pid");
  process_open_run(L);
  process_open_spawn(L);
  process_push_env(L);
  lua_setfield(L, -2, "env");
  return 1;
}
