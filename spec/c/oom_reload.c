/* oom_reload.c - guarantee 3 when memory runs out: the n-th allocation that a
 * reload makes fails, for n = 1, 2, ... until it no longer comes to it. Either
 * the old version goes on, with all that it had and nothing of the new one, or
 * the new one is live: what the request answers is true. And the next reload
 * works. Who is not part of the reload is given what it asks for. With every
 * n: test_oom_reload 1 (ten seconds). */
#include "host/chunk.h"
#include "host/owner.h"
#include "spec/c/failing_memory.h"

static lua_Integer version;
static char directory[] = "/tmp/neap-oom-XXXXXX", path[64];

/* The connections that the driver serves are of the root, like the reloader. */
static bool is_of_reload(const struct task *task) {
  return task->work.owner->generation != memory.host->root ||
         owner_is_background(task->work.owner);
}

/* ---- what a version sees: version(), backend ------------------------------ */

static int get_version(lua_State *L) {
  lua_pushinteger(L, version);
  return 1;
}

static int run_version(lua_State *L) {
  lua_register(L, "version", get_version);
  lua_settop(L, 0);
  if (chunk_load(L, path, "main") != LUA_OK) return lua_error(L);
  lua_callk(L, 0, 0, 0, machine_over);
  return 0;
}

static const char app[] =
  "local neap, net = require 'neap', require 'neap.net'\n"
  "local hot, timer = require 'neap.hot', require 'neap.timer'\n"
  "local v = version()\n"
  "local address = hot.state 'address'\n"
  "local function init() return { n = 0, version = v, list = { 1 } } end\n"
  "local state = hot.state('s', init, v, function(copy, before)\n"
  "  assert(before == copy.version)\n"
  "  return { n = copy.n + 1, version = v, list = copy.list }\n"
  "end)\n"
  "hot.state('of ' .. v, function() timer.sleep(0) return {} end)\n"
  "if not hot.keep 'db' then\n"
  "  hot.keep('db', assert(net.connect(address.backend)))\n"
  "end\n"
  "hot.keep('fresh', assert(net.connect(address.backend)))\n"
  "timer.every(1000, print)\n"
  "timer.sleep(1000, print)\n"
  "neap.go(function() timer.sleep(1000) end)\n"
  "hot.handover(function() timer.sleep(0) end)\n"
  "hot.dispose(function() end)\n"
  "local function ask(name)\n"
  "  local conn = hot.keep(name)\n"
  "  assert(conn:write '?\\n')\n"
  "  return (assert(conn:read('l', { timeout = 1000 })))\n"
  "end\n"
  "local server = assert(net.listen('127.0.0.1:0', {\n"
  "  line = function(conn)\n"
  "    conn:write { v, ' ', state.version, ' ', state.n, ' ',\n"
  "      state.list[1], ' ', ask 'db', ' ', ask 'fresh', '\\n' }\n"
  "  end,\n"
  "}))\n"
  "if not address.server then address.server = server.address end\n"
  "assert(net.listen('127.0.0.1:0', function(conn) conn:close() end))\n"
  "timer.sleep(0)\n";

/* ---- for the driver ------------------------------------------------------- */

static int set_version(lua_State *L) {
  version = luaL_checkinteger(L, 1);
  return 0;
}

/* How much there is of all: tasks, timers, handles, versions, descriptors. */
static int work_left(lua_State *L) {
  lua_pushinteger(L, memory_count_work());
  int open = 0;
  for (int fd = 0; fd < 500; fd++) open += fcntl(fd, F_GETFD) >= 0;
  lua_pushinteger(L, open);
  return 2;
}

static const char driver[] =
  "local neap, timer = require 'neap', require 'neap.timer'\n"
  "local net, hot = require 'neap.net', require 'neap.hot'\n"
  "local fail_at, set_version, work_left, step, most = ...\n"
  "local address, opened = hot.state 'address', 0\n"
  "local backend = assert(net.listen('127.0.0.1:0', function(conn)\n"
  "  opened = opened + 1\n"
  "  local number = opened\n"
  "  for _ in conn:lines() do conn:write(number .. '\\n') end\n"
  "end))\n"
  "address.backend = backend.address\n"
  "set_version(0)\n"
  "assert(hot.reload())\n"
  "local parked = assert(net.connect(address.server))\n"
  "local function ask(conn)\n"
  "  assert(conn:write '?\\n')\n"
  "  return (assert(conn:read('l', { timeout = 20 })))\n"
  "end\n"
  "local live, migrated, base, open, n\n"
  "local function show()\n"
  "  for _, task in ipairs(neap.tasks()) do\n"
  "    print(task.generation, task.id, task.name, task.state, task.waits,\n"
  "      task.where)\n"
  "  end\n"
  "  for _, g in ipairs(hot.status().generations) do\n"
  "    print('generation', g.id, g.state)\n"
  "  end\n"
  "  io.stdout:flush()\n"
  "end\n"
  "local function settle()\n"
  "  local count, fd\n"
  "  for i = 1, 3000 do\n"
  "    count, fd = work_left()\n"
  "    if count == base and fd == open then return end\n"
  "    if i % 20 == 0 then collectgarbage() end\n"
  "    timer.sleep(i < 20 and 0 or 0.001)\n"
  "  end\n"
  "  show()\n"
  "  error(('%d: %d of work, not %d; %d descriptors, not %d'):format(n,\n"
  "    count, base, fd, open))\n"
  "end\n"
  "local function check(conn, what)\n"
  "  local v, version, count, one, db, fresh =\n"
  "    ask(conn):match('^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$')\n"
  "  if tonumber(v) ~= live or version ~= v or tonumber(count) ~= migrated\n"
  "    or one ~= '1' or db ~= '1' then\n"
  "    show()\n"
  "    error(('%d: %s: version %s answers with a state of version %s, '\n"
  "      .. 'migrated %s times, not %d and %d'):format(n, what, v, version,\n"
  "      count, live, migrated))\n"
  "  end\n"
  "end\n"
  "local next_version, failures = 0, 0\n"
  "local function reload(at)\n"
  "  next_version = next_version + 1\n"
  "  set_version(next_version)\n"
  "  fail_at(at)\n"
  "  local ok, text = hot.reload()\n"
  "  local came = fail_at(0)\n"
  "  if ok then live, migrated = next_version, migrated + 1 end\n"
  "  return ok, text, came\n"
  "end\n"
  "live, migrated, n = 0, 0, 0\n"
  "for _ = 1, 3 do assert(reload(0)) timer.sleep(0.01) end\n"
  "base, open = work_left()\n"
  "settle()\n"
  "check(parked, 'at first')\n"
  "local came = true\n"
  "n = 1 - step\n"
  "while came and n < most do\n"
  "  n = n + step\n"
  "  local states = #hot.status().state\n"
  "  local ok, text\n"
  "  ok, text, came = reload(n)\n"
  "  if not ok then\n"
  "    failures = failures + 1\n"
  "    if not text:find 'memory' then error(n .. ': ' .. text) end\n"
  "  end\n"
  "  settle()\n"
  "  check(parked, text)\n"
  "  local conn <close> = assert(net.connect(address.server))\n"
  "  check(conn, text)\n"
  "  conn:close()\n"
  "  if not ok and #hot.status().state ~= states then\n"
  "    error(n .. ': it has left a state')\n"
  "  end\n"
  "  ok, text = reload(0)\n"
  "  if not ok then error(n .. ': the next one failed: ' .. text) end\n"
  "  settle()\n"
  "  check(parked, 'the next')\n"
  "end\n"
  "print(('reload     %5d allocations, %d failures'):format(n, failures))\n"
  "assert(failures > 3, 'nothing has failed')\n"
  "hot.status()\n";

struct run {
  long row;
  int step, most; /* every step-th allocation, up to that one */
};

static int run_driver(lua_State *L) {
  const struct run *run = lua_touserdata(L, 1);
  memory.driver = host_of(L)->current;
  if (luaL_loadbuffer(L, driver, strlen(driver), "=driver") != LUA_OK)
    return lua_error(L);
  lua_pushcfunction(L, fail_at);
  lua_pushcfunction(L, set_version);
  lua_pushcfunction(L, work_left);
  lua_pushinteger(L, run->step);
  lua_pushinteger(L, run->most);
  lua_callk(L, 5, 0, 0, driver_over);
  return driver_over(L, LUA_OK, 0);
}

/* ---- run ------------------------------------------------------------------ */

static void write_app(void) {
  char *made = mkdtemp(directory);
  assert(made != NULL);
  snprintf(path, sizeof path, "%s/app.lua", directory);
  FILE *file = fopen(path, "w");
  assert(file != NULL);
  size_t written = fwrite(app, 1, strlen(app), file);
  assert(written == strlen(app));
  fclose(file);
}

static void run(const struct run *how) {
  struct host *host = machine_open(50);
  host->program.main = run_version;
  host->program.limit = 10;
  memory.host = host;
  memory.alloc = lua_getallocf(host->L, &memory.ud);
  memory.left = 0;
  memory.row = how->row;
  memory.counts = is_of_reload;
  lua_setallocf(host->L, allocate, NULL);
  driver_returned = false;
  struct task *task = task_start(host, &host->root->background, run_driver,
                                 (void *)(intptr_t)how);
  task->sink = &driver_sink;
  loop_run(host);
  if (!driver_returned) show_told(SIGABRT);
  machine_close(host);
}

int main(int argc, char **argv) {
#ifdef __SANITIZE_ADDRESS__
  struct run runs[] = {{2, 17, 100000}, {3, 61, 100000}, {50, 101, 100000}};
#else
  struct run runs[] = {{2, 3, 100000}, {3, 13, 100000}, {50, 17, 100000}};
#endif
  if (argc > 1) runs[0].step = atoi(argv[1]);
  told = tmpfile();
  signal(SIGABRT, show_told);
  signal(SIGALRM, show_told);
  real_stderr = stderr;
  stderr = told;
  write_app();
  for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) run(&runs[i]);
  unlink(path);
  rmdir(directory);
  stderr = real_stderr;
  fclose(told);
  puts("oom_reload: ok");
  return 0;
}
