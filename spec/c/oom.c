/* oom.c - out of memory at the n-th allocation that tasks make, for n = 1, 2,
 * ... until a script no longer comes to it: whatever it was doing, it fails with
 * an error or gives the right result, nothing it started is left, and the host
 * goes on. Lua collects and tries again, so two in a row fail, or many more. Only
 * what tasks ask for does: the host's own code, between them, has no protected
 * call. */
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

static const char driver[] =
  "local neap, timer = require 'neap', require 'neap.timer'\n"
  "local fail_at, work_left, name, script = ...\n"
  "script = assert(load(script, '=' .. name))\n"
  "local function settle(n)\n" /* nothing may be left */
  "  for _ = 1, 3000 do\n"
  "    if work_left() == 0 then return end\n"
  "    collectgarbage()\n"
  "    timer.sleep(0.001)\n"
  "  end\n"
  "  for _, task in ipairs(neap.tasks()) do\n"
  "    print(task.id, task.name, task.state, task.waits, task.where)\n"
  "  end\n"
  "  io.stdout:flush()\n"
  "  error(name .. ': something is left, n = ' .. n)\n"
  "end\n"
  "local n, failures, came = 0, 0, true\n"
  "while came do\n"
  "  n = n + 1\n"
  "  fail_at(n)\n"
  "  local task = neap.go(script)\n"
  "  local ok, value = pcall(task.join, task)\n"
  "  came = fail_at(0)\n"
  "  if not ok then failures = failures + 1 end\n"
  "  if (ok or not came) and value ~= 'ok' then\n"
  "    error(('%s: n = %d: %s'):format(name, n, value))\n"
  "  end\n"
  "  settle(n)\n"
  "end\n"
  "print(('%-10s %5d allocations, %d failures'):format(name, n - 1, failures))\n"
  "assert(failures > 3, 'nothing has failed')\n";

static int run_driver(lua_State *L) { /* the name and text of a script */
  const char *const *script = lua_touserdata(L, 1);
  memory.driver = host_of(L)->current;
  lua_register(L, "new_version", new_version);
  lua_register(L, "retire_version", retire_version);
  lua_register(L, "fingerprints", hot_fingerprints);
  notifier_push_watch(L);
  lua_setglobal(L, "open_watcher");
  if (luaL_loadstring(L, driver) != LUA_OK) return lua_error(L);
  lua_pushcfunction(L, fail_at);
  lua_pushcfunction(L, work_left);
  lua_pushstring(L, script[0]);
  lua_pushstring(L, script[1]);
  lua_callk(L, 4, 0, 0, driver_over);
  return driver_over(L, LUA_OK, 0);
}

/* ---- the scripts --------------------------------------------------------- */

static const char *const scripts[][2] = {
  {"fs", "local fs, neap = require 'neap.fs', require 'neap'\n"
         "local path = os.tmpname()\n"
         "local removed <close> = setmetatable({}, {__close = function()\n"
         "  os.remove(path)\n"
         "end})\n"
         "assert(fs.write(path, {'one\\n', 2, '\\nthree'}))\n"
         "assert(fs.write(path, {'one\\n', 2, '\\nthree'}, {atomic = true}))\n"
         "assert(fs.read(path) == 'one\\n2\\nthree')\n"
         "local file <close> = assert(fs.open(path, 'r+'))\n"
         "assert(file:read('l') == 'one')\n"
         "for line in file:lines() do\n"
         "  assert(line == '2')\n"
         "  break\n"
         "end\n"
         "local call = file:read('a', function(text)\n"
         "  assert(text == nil or text:lower() == 'three')\n"
         "end)\n"
         "assert(file:pwrite('O', 0) and file:pread(3, 0) == 'One')\n"
         "call:join()\n"
         "assert(file:seek('set', 2) == 2 and file:write('E'))\n"
         "assert(fs.open('/none') == nil and file:stat().size == 11)\n"
         "return 'ok'"},
  {"go", "local neap, timer = require 'neap', require 'neap.timer'\n"
         "local tasks = {}\n"
         "for i = 1, 5 do\n"
         "  tasks[i] = neap.go(function(...)\n"
         "    timer.sleep(0)\n"
         "    return i, ...\n"
         "  end, nil, 'x')\n"
         "  tasks[i].name = 'task ' .. i\n"
         "end\n"
         "for i = 1, 5 do\n"
         "  local n, none, x = tasks[i]:join()\n"
         "  assert(n == i and none == nil and x == 'x')\n"
         "end\n"
         "return 'ok'"},
  {"values", "local neap = require 'neap'\n"
             "local list = {}\n"
             "for i = 1, 300 do list[i] = i end\n"
             "local task = neap.go(function(...) return ... end,\n"
             "  table.unpack(list))\n"
             "assert(select('#', task:join()) == 300)\n"
             "return 'ok'"},
  {"cancel", "local neap, timer = require 'neap', require 'neap.timer'\n"
             "local closed = 0\n"
             "local function run()\n"
             "  local _ <close> = setmetatable({}, { __close = function()\n"
             "    timer.sleep(0)\n"
             "    closed = closed + 1\n"
             "  end })\n"
             "  coroutine.wrap(function() pcall(timer.sleep, 1000) end)()\n"
             "end\n"
             "neap.group(function(group)\n"
             "  local a, b = group:go(run), group:go(run)\n"
             "  timer.sleep(0)\n"
             "  timer.sleep(0)\n"
             "  a:cancel()\n"
             "  b:cancel()\n"
             "  assert(select(3, a:join()) == 'ECANCELED')\n"
             "  assert(select(3, b:join()) == 'ECANCELED')\n"
             "end)\n"
             "assert(closed == 2)\n"
             "return 'ok'"},
  {"group", "local neap, timer = require 'neap', require 'neap.timer'\n"
            "local done = 0\n"
            "local a, b = neap.group(function(group, ...)\n"
            "  for i = 1, 4 do\n"
            "    group:go(function(by)\n"
            "      timer.sleep(0)\n"
            "      done = done + by\n"
            "    end, 1)\n"
            "  end\n"
            "  return ...\n"
            "end, 1, 2)\n"
            "assert(done == 4 and a == 1 and b == 2)\n"
            "local ok, message = pcall(neap.group, function(group)\n"
            "  group:go(timer.sleep, 1000)\n"
            "  group:go(function() timer.sleep(0) error('e', 0) end)\n"
            "  timer.sleep(1000)\n"
            "end)\n"
            "assert(not ok)\n"
            "if message ~= 'e' then error(message, 0) end\n"
            "return 'ok'"},
  {"deadline", "local neap, timer = require 'neap', require 'neap.timer'\n"
               "local a, b = neap.deadline(1000, function(...)\n"
               "  timer.sleep(0)\n"
               "  return ...\n"
               "end, 1, 2)\n"
               "assert(a == 1 and b == 2)\n"
               "local closed\n"
               "local _, _, code = neap.deadline(0, function()\n"
               "  local _ <close> = setmetatable({}, { __close = function()\n"
               "    closed = true\n"
               "  end })\n"
               "  timer.sleep(1000)\n"
               "end)\n"
               "assert(code == 'ETIMEDOUT' and closed)\n"
               "return 'ok'"},
  {"timer", "local neap, timer = require 'neap', require 'neap.timer'\n"
            "local called, ticks = 0, 0\n"
            "local done = neap.go(timer.sleep, 0.1)\n" /* at most */
            "for _ = 1, 3 do\n"
            "  timer.sleep(0.0001, function() called = called + 1 end)\n"
            "end\n"
            "timer.sleep(0.0001, function() end):cancel()\n"
            "local every <close> = timer.every(0.0001, function()\n"
            "  ticks = ticks + 1\n"
            "  local garbage = { ticks }\n"
            "  if ticks >= 3 then done:cancel() end\n"
            "end)\n"
            "done:join()\n"
            "timer.sleep(0.001)\n"
            "assert(ticks >= 3)\n"
            "return 'ok'"},
  {"callbacks", "local neap, timer = require 'neap', require 'neap.timer'\n"
                "local called = 0\n"
                "local task = neap.go(function() timer.sleep(0) return 1 end)\n"
                "local all = {}\n"
                "for i = 1, 3 do\n"
                "  all[i] = task:join({ timeout = 1000 }, function(value)\n"
                "    timer.sleep(0)\n"
                "    called = called + value\n"
                "  end)\n"
                "end\n"
                "for i = 1, 3 do all[i]:join() end\n"
                "assert(called == 3)\n"
                "return 'ok'"},
  {"require",
   "package.loaded.slow = nil\n"
   "package.preload.slow = function(name, extra)\n"
   "  require 'neap.timer'.sleep(0)\n"
   "  return { name = name, extra = extra }\n"
   "end\n"
   "local neap = require 'neap'\n"
   "local a, b = neap.go(require, 'slow'), neap.go(require, 'slow')\n"
   "local first, second = a:join(), b:join()\n"
   "assert(first == second and first.name == 'slow')\n"
   "return 'ok'"},
  {"load",
   "local text = {}\n"
   "for i = 1, 20 do text[i] = 'local v' .. i .. ' = { ' .. i .. ' }' end\n"
   "local chunk = assert(load(table.concat(text, '\\n')))\n"
   "chunk()\n"
   "assert(#string.rep('x', 100000) == 100000)\n"
   "return 'ok'"},
  {"errors", "local neap, timer = require 'neap', require 'neap.timer'\n"
             "local told = 0\n"
             "neap.on_error(function(err, trace, info)\n"
             "  timer.sleep(0)\n"
             "  told = told + #tostring(info.id .. trace) * 0 + 1\n"
             "end)\n"
             "local function fail()\n"
             "  timer.sleep(0)\n"
             "  error(setmetatable({}, { __tostring = function()\n"
             "    return 'made ' .. 'now'\n"
             "  end }))\n"
             "end\n"
             "local a, b = neap.go(fail), neap.go(function() fail() end)\n"
             "local ok = pcall(a.join, a)\n"
             "assert(not ok)\n"
             "for _ = 1, 5 do timer.sleep(0) end\n"
             "neap.go(error, 'e')\n"
             "for _ = 1, 5 do timer.sleep(0) end\n"
             "return 'ok'"},
  {"coroutines", "local timer = require 'neap.timer'\n"
                 "local function numbers(n)\n"
                 "  return coroutine.wrap(function()\n"
                 "    for i = 1, n do\n"
                 "      timer.sleep(0)\n"
                 "      coroutine.yield(i, { i })\n"
                 "    end\n"
                 "  end)\n"
                 "end\n"
                 "local sum = 0\n"
                 "for i, list in numbers(5) do sum = sum + i + list[1] end\n"
                 "assert(sum == 30)\n"
                 "local co = coroutine.create(numbers)\n"
                 "local ok, result = coroutine.resume(co, 1)\n"
                 "if not ok then error(result, 0) end\n"
                 "assert(result() == 1)\n"
                 "return 'ok'"},
  {"tasks", "local neap, timer = require 'neap', require 'neap.timer'\n"
            "neap.group(function(group)\n"
            "  local other = group:go(timer.sleep, 0.001)\n"
            "  timer.sleep(0)\n"
            "  local tasks = neap.tasks()\n"
            "  assert(#tasks >= 4 and tasks[#tasks].waits == 'sleep')\n"
            "end)\n"
            "return 'ok'"},
  {"versions", "local timer = require 'neap.timer'\n"
               "local id\n"
               "local _ <close> = setmetatable({}, { __close = function()\n"
               "  if id then retire_version(id) end\n"
               "end })\n"
               "id = new_version()\n"
               "timer.sleep(0)\n"
               "timer.sleep(0)\n"
               "return 'ok'"},
  {"watch",
   "local name = 'file'\n" /* the directory of temporary files may be full */
   "io.open(name, 'w'):close()\n"
   "local paths = { name, 'none', './file' }\n"
   "local list = fingerprints(paths)\n"
   "assert(list[1] and not list[2] and list[3])\n"
   "local _ <close> = setmetatable({}, { __close = function()\n"
   "  os.remove(name)\n"
   "end })\n"
   "for _, options in ipairs { {}, { poll = 0.001 } } do\n"
   "  local watcher <close> = open_watcher(options)\n"
   "  watcher.quiet = 0.001\n"
   "  assert(watcher:set(paths))\n"
   "  io.open(name, 'a'):write 'x':close()\n"
   "  local list = watcher:wait()\n"
   "  assert(#list == 2 and list[1] == name)\n"
   "end\n"
   "return 'ok'"},
  {"echo", "local neap, net = require 'neap', require 'neap.net'\n"
           "local server <close> = assert(net.listen('127.0.0.1:0',\n"
           "  function(conn)\n"
           "    for chunk in conn:chunks() do assert(conn:write(chunk)) end\n"
           "  end))\n"
           "local conn <close> = assert(net.connect(server.address,\n"
           "  { timeout = 1000 }))\n"
           "assert(conn:write { 'he', 'llo\\n', '42 ' })\n"
           "local line, message = conn:read('l', { timeout = 1000 })\n"
           "if not line then error(message) end\n" /* the server has failed */
           "assert(line == 'hello')\n"
           "assert(conn:read('n') == 42)\n"
           "assert(conn:write(string.rep('x', 100000)))\n"
           "assert(conn:shutdown())\n"
           "local rest = conn:read 'a'\n"
           "if not rest or #rest ~= 100001 then error 'short' end\n"
           "return 'ok'"},
  {"events", "local neap, net = require 'neap', require 'neap.net'\n"
             "local server <close> = assert(net.listen('127.0.0.1:0', {\n"
             "  open = function(conn) conn.state.lines = 0 end,\n"
             "  line = function(conn, line)\n"
             "    conn.state.lines = conn.state.lines + 1\n"
             "    conn:write { conn.state.lines, ' ', line, '\\n' }\n"
             "  end,\n"
             "  close = function(conn) conn.state.lines = nil end,\n"
             "}))\n"
             "local conn <close> = assert(net.connect(server.address))\n"
             "for i = 1, 3 do\n"
             "  assert(conn:write 'line\\n')\n"
             "  local line, message = conn:read 'l'\n"
             "  if not line then error(message or 'closed') end\n"
             "  assert(line == i .. ' line')\n"
             "end\n"
             "return 'ok'"},
  {"datagrams", "local neap, net = require 'neap', require 'neap.net'\n"
                "local server <close> = assert(net.udp('127.0.0.1:0'))\n"
                "local client <close> = assert(net.udp())\n"
                "local task = neap.go(function()\n"
                "  for data, from in server:messages() do\n"
                "    assert(server:send({ data, '!' }, from))\n"
                "  end\n"
                "end)\n"
                "for i = 1, 3 do\n"
                "  assert(client:send(i, server.address))\n"
                "  local data, message = client:receive()\n"
                "  if not data then error(message) end\n"
                "  assert(data == i .. '!')\n"
                "  client:receive(function() end):cancel()\n"
                "end\n"
                "server:close()\n"
                "return 'ok'"},
  {"names", "local net = require 'neap.net'\n"
            "local found, message = net.lookup('localhost')\n"
            "assert(found and #found > 0, message)\n"
            "net.lookup('localhost', function() end):join()\n"
            "assert(net.lookup('::1')[1] == '::1')\n"
            "assert(net.reverse('127.0.0.1:7'))\n"
            "assert(#net.interfaces() > 0)\n"
            "return 'ok'"},
  {"json",
   "local json = require 'neap.json'\n"
   "local list = {}\n"
   "for i = 1, 20 do list[i] = { i, ('x'):rep(400), json.null } end\n"
   "local text = json.encode({ a = list, b = { c = {} } }, { sorted = true })\n"
   "local value = json.decode(text)\n"
   "assert(#value.a == 20 and value.a[20][3] == json.null)\n"
   "assert(json.encode(value, { sorted = true }) == text)\n"
   "value = json.decode('{\"a\\\\u0000b\":[12345678901234567890]}')\n"
   "assert(value['a\\0b'][1] > 1e18)\n"
   "local nothing, message = json.decode '[1,\\n x]'\n"
   "assert(nothing == nil and message:find 'line 2, column 2')\n"
   "local ok, message = pcall(json.encode, { a = { list, print } })\n"
   "assert(not ok)\n"
   "if not message:find('$.a[2]: cannot', 1, true) then error(message, 0) end\n"
   "return 'ok'"},
  {"process", "local process = require 'neap.process'\n"
              "local options = { stdin = 'x', env = { NAME = 'value' } }\n"
              "local result, message = process.run({ 'cat' }, options)\n"
              "if not result then error(message) end\n"
              "assert(result.status == 0 and result.stdout == 'x')\n"
              "local child <close> = assert(process.spawn({ 'cat' }))\n"
              "assert(child.stdin:write 'one\\n')\n"
              "assert(child.stdout:read 'l' == 'one')\n"
              "child.stdin:close()\n"
              "assert(child:wait() == 0)\n"
              "return 'ok'"},
  {"signals", "local neap, signal = require 'neap', require 'neap.signal'\n"
              "neap.group(function(group)\n"
              "  local handler <close> = signal.on('WINCH', print)\n"
              "  group:go(signal.wait, 'INT', 'TERM', { timeout = 0.001 })\n"
              "  signal.wait('INT', function() end):cancel()\n"
              "  local name, message, code = signal.wait('TERM',\n"
              "    { timeout = 0 })\n"
              "  if code ~= 'ETIMEDOUT' then error(message) end\n"
              "end)\n"
              "return 'ok'"},
  {"file", "local neap, http = require 'neap', require 'neap.http'\n"
           "neap.on_error(function() end)\n"
           "local name = 'file'\n"
           "local removed <close> = setmetatable({}, { __close = function()\n"
           "  os.remove(name)\n"
           "end })\n"
           "for _, size in ipairs { 10, 100000 } do\n"
           "  local file = io.open(name, 'w')\n"
           "  file:write(('x'):rep(size)):close()\n"
           "  local app = http.router()\n"
           "  app:get('/', http.file(name))\n"
           "  local response, message = app:request '/'\n"
           "  local body = response and response:body()\n"
           "  if not body or #body ~= size then error(message or 'short') end\n"
           "end\n"
           "return 'ok'"},
  {"http",
   "local neap, net = require 'neap', require 'neap.net'\n"
   "local http = require 'neap.http'\n"
   "neap.on_error(function() end)\n"
   "local function echo(req)\n"
   "  local body = assert(req:body())\n"
   "  local list = { req.method, req.path, req.query.a, req:header 'x-a' }\n"
   "  list[#list + 1] = req.headers['x-a'] .. body .. #req.id\n"
   "  if req.path ~= '/b' then return 200, list, { ['x-b'] = { '1', '2' } } end\n"
   "  local pieces = { 'one', 'two' }\n"
   "  return { trailers = function() return { x = 'y' } end,\n"
   "    body = function(write) write 'a' return table.remove(pieces, 1) end }\n"
   "end\n"
   "local server <close> = assert(http.serve('127.0.0.1:0', echo))\n"
   "local conn <close> = assert(net.connect(server.address))\n"
   "local function line()\n"
   "  return (assert(conn:read 'L', 'closed'):gsub('\\r\\n', ''))\n"
   "end\n"
   "local function answer()\n"
   "  local status, length, id = line():match '^HTTP/1.1 (%d+)'\n"
   "  for text in line do\n"
   "    if text == '' then break end\n"
   "    length = text:match '^Content%-Length: (%d+)' or length\n"
   "    id = id or text:match '^X%-Request%-Id: .+-%d+$'\n"
   "  end\n"
   "  local body = length and conn:read(tonumber(length))\n"
   "  return status, body, id\n"
   "end\n"
   "assert(conn:write { 'POST /a?a=b HTTP/1.1\\r\\nHost: a\\r\\nX-A: c\\r\\n',\n"
   "  'Content-Length: 4\\r\\n\\r\\nmoonGET /b?a=b HTTP/1.1\\r\\nHost: a\\r\\n',\n"
   "  'X-A: c\\r\\nConnection: close\\r\\n\\r\\n' })\n"
   "local status, body, id = answer()\n"
   "if status == '500' then\n"
   "  if body ~= 'Internal Server Error\\n' or not id then return '500' end\n"
   "elseif not body or not body:find '^POST/abccmoon%d+$' then\n"
   "  if body then return 'first: ' .. body end\n"
   "  error 'closed'\n"
   "end\n"
   "local second = answer()\n"
   "local rest = assert(conn:read 'a', 'closed')\n"
   "if second == '500' then return rest == '' and error '500' or rest end\n"
   "if rest:find('0\\r\\n', 1, true) then\n"
   "  local all = '1\\r\\na\\r\\n3\\r\\none\\r\\n1\\r\\na\\r\\n3\\r\\ntwo\\r\\n1\\r\\na\\r\\n'\n"
   "  if rest ~= all .. '0\\r\\nx: y\\r\\n\\r\\n' then return 'second: ' .. rest end\n"
   "else\n"
   "  error 'cut'\n"
   "end\n"
   "if status == '500' then error '500' end\n"
   "return 'ok'"},
};

/* ---- run ------------------------------------------------------------------ */

static int count_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void run(const char *const script[2], long row) {
  struct host *host = machine_open(50);
  memory.host = host;
  memory.alloc = lua_getallocf(host->L, &memory.ud);
  memory.left = 0;
  memory.row = row;
  lua_setallocf(host->L, allocate, NULL);
  driver_returned = false;
  struct task *task = task_start(host, &host->root->background, run_driver,
                                 (void *)(intptr_t)script);
  task->sink = &driver_sink;
  loop_run(host);
  assert(driver_returned);
  machine_close(host);
  static int descriptors; /* libuv keeps some, once it has them */
  if (descriptors == 0) descriptors = count_descriptors();
  assert(descriptors == count_descriptors());
}

int main(int argc, char **argv) {
  static const long rows[] = {2, 3, 50};
  char directory[] = "/tmp/neap-oom-XXXXXX";
  int result = mkdtemp(directory) != NULL ? chdir(directory) : -1;
  assert(result == 0);
  told = tmpfile();
  signal(SIGABRT, show_told);
  signal(SIGALRM, show_told);
  real_stderr = stderr;
  stderr = told;
  for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
      if (argc < 2 || strcmp(argv[1], scripts[i][0]) == 0)
        run(scripts[i], rows[row]);
  stderr = real_stderr;
  fclose(told);
  result = rmdir(directory);
  assert(result == 0); /* nothing is left in it */
  puts("oom: ok");
  return 0;
}
