/* generation.c - versions of a program: prepared beside each other, switched in
 * one turn, each with a realm of its own, and gone with their last work. */
#include "spec/c/generation_run.h"

static void test_prepare(void) {
  run("local id = prepare [[\n"
      "  local neap, timer = require 'neap', require 'neap.timer'\n"
      "  note 'main'\n"
      "  neap.go(function() note 'first' timer.sleep(0) note 'waited' end)\n"
      "  neap.go(function() note 'second' end)\n"
      "  timer.sleep(0.005)\n" /* the main chunk itself may wait */
      "  note 'prepared'\n"
      "]]\n"
      "assert(state(id) == 'preparing')\n"
      "await 'main prepared'\n"
      "assert(commit(id) == 0)\n"
      "assert(state(id) == 'live')\n"
      "turn()\n"
      "expect 'first second waited'\n"
      "retire(id)\n"
      "wait_for_end(id)\n");
}

static void test_prepare_timers(void) {
  run("local id = prepare [[\n"
      "  local neap, timer = require 'neap', require 'neap.timer'\n"
      "  timer.sleep(0, function() note 'timer' end)\n"
      "  timer.sleep(0.001, function() note 'never' end):cancel()\n"
      "  timer.every(0.001, function() note 'never' end):close()\n"
      "  local every\n"
      "  every = timer.every(0.002, function() note 'tick' every:close() end)\n"
      "]]\n"
      "timer.sleep(0.02)\n"
      "expect ''\n"
      "commit(id)\n"
      "timer.sleep(0.02)\n"
      "expect 'timer tick'\n"
      "retire(id)\n"
      "wait_for_end(id)\n");
}

/* What its main chunk waits for cannot be left to the commit. */
static void test_prepare_waits(void) {
  run(
    "local id = prepare [[\n"
    "  local neap = require 'neap'\n"
    "  local staged = neap.go(function() note 'staged' end)\n"
    "  neap.go(function() note 'joined' return 1 end):join()\n"
    "  neap.group(function(group) group:go(function() note 'member' end) end)\n"
    "  note(neap.deadline(1000, function() return 'deadline' end))\n"
    "  note(staged.status)\n"
    "  local cancelled = neap.go(function() note 'never' end)\n"
    "  cancelled:cancel()\n"
    "  note(select(3, cancelled:join()))\n"
    "  note 'prepared'\n"
    "]]\n"
    "await 'joined member deadline staged ECANCELED prepared'\n"
    "commit(id)\n"
    "turn()\n"
    "expect 'staged'\n"
    "retire(id)\n"
    "wait_for_end(id)\n");
}

static void test_commit_retires(void) {
  run("local old = prepare [[\n"
      "  local neap, timer = require 'neap', require 'neap.timer'\n"
      "  timer.every(0.001, function() note 'old tick' end)\n"
      "  timer.sleep(0.01, function() note 'old timer' end)\n"
      "  neap.go(function()\n"
      "    local _ <close> = setmetatable({}, { __close = function()\n"
      "      timer.sleep(0.001)\n" /* it may wait, and starts nothing */
      "      local ok, message = pcall(neap.go, print)\n"
      "      note(message)\n"
      "    end })\n"
      "    pcall(timer.sleep, 1000)\n"
      "    note 'never'\n"
      "  end)\n"
      "]]\n"
      "commit(old)\n"
      "turn()\n"
      "notes()\n"
      "local new = prepare \"note 'new'\"\n"
      "turn()\n"
      "commit(new)\n"
      "assert(state(old) == 'retired' and state(new) == 'live')\n"
      "notes()\n"
      "await 'this version of the program has been replaced'\n"
      "wait_for_end(old)\n"
      "timer.sleep(0.02)\n"
      "expect ''\n"
      "retire(new)\n");
}

/* A connection ends in the code in which it began, and keeps that alive. */
static void test_serving_drains(void) {
  run("local text = [[\n"
      "  local neap, timer = require 'neap', require 'neap.timer'\n"
      "  neap.go(function() timer.sleep(0.015) note(version .. ' task') end)\n"
      "  timer.sleep(0.01)\n"
      "  note(version .. ' served')\n"
      "]]\n"
      "local old = prepare \"version = 'old'\"\n"
      "turn()\n"
      "commit(old)\n"
      "serve(old, text)\n"
      "turn()\n"
      "local new = prepare \"version = 'new'\"\n"
      "turn()\n"
      "commit(new)\n"
      "serve(new, text)\n"
      "turn()\n"
      "assert(state(old) == 'retired')\n"
      "wait_for_end(old)\n"
      "while #neap.tasks() > 1 do timer.sleep(0.001) end\n"
      "local got = ' ' .. notes()\n" /* each has its own pace */
      "assert(#got == #' old served new served old task new task', got)\n"
      "assert(got:find ' old served.* old task', got)\n"
      "assert(got:find ' new served.* new task', got)\n"
      "assert(state(new) == 'live')\n"
      "retire(new)\n");
}

static void test_failed(void) {
  run("local live = prepare \"note 'live'\"\n"
      "turn()\n"
      "commit(live)\n"
      "local before = count()\n"
      "for _, ending in ipairs { \"error 'x'\", 'os.exit(3)',\n"
      "                           'timer.sleep(1000)', 'x = = 1' } do\n"
      "  local id = prepare([[\n"
      "    local neap, timer = require 'neap', require 'neap.timer'\n"
      "    local net = require 'neap.net'\n"
      "    neap.on_error(function() end)\n"
      "    for i = 1, 10 do\n"
      "      neap.go(function() note 'never' end)\n"
      "      timer.sleep(0, function() note 'never' end)\n"
      "      timer.every(0.001, function() note 'never' end)\n"
      "      net.listen('127.0.0.1:0', function() note 'never' end)\n"
      "    end\n"
      "    neap.go(timer.sleep, 1000):join(function() note 'never' end)\n"
      "    load(]] .. string.format('%q', ending) .. [[)()\n"
      "  ]])\n"
      "  turn()\n"
      "  expect(live and 'live' or '')\n"
      "  live = nil\n"
      "  retire(id)\n"
      "  wait_for_end(id)\n"
      "  assert(count() == before, ending .. count() .. ' not ' .. before)\n"
      "end\n"
      "timer.sleep(0.01)\n"
      "expect ''\n"
      "assert(#neap.tasks() == 1)\n"
      "retire(1)\n");
}

static void test_realms(void) {
  run("local text = [[\n"
      "  local timer = require 'neap.timer'\n"
      "  local name = ...\n"
      "  assert(global == nil and string.mine == nil)\n"
      "  assert(package.loaded.mine == nil and getmetatable(nil) == nil)\n"
      "  assert(_G == require '_G' and string == require 'string')\n"
      "  local value = {}\n"
      "  global, string.mine, math.pi = value, value, 3\n"
      "  package.loaded.mine = value\n"
      "  debug.setmetatable(nil, { __index = function() return value end })\n"
      "  debug.setmetatable(0, { __len = function() return value end })\n"
      "  debug.setmetatable(print, { __index = value })\n"
      "  value.x = 'x'\n"
      "  local file = io.tmpfile()\n"
      "  io.output(file)\n"
      "  for _ = 1, 20 do\n"
      "    timer.sleep(0)\n" /* the others run in between */
      "    assert(global == value and ('').mine == value and math.pi == 3)\n"
      "    assert(require 'mine' == value and (nil).y == value)\n"
      "    assert(#5 == value and print.x == 'x' and io.output() == file)\n"
      "    assert(require 'neap.timer' == timer)\n"
      "  end\n"
      "  note 'ok'\n"
      "]]\n"
      "local ids = {}\n"
      "for i = 1, 5 do ids[i] = prepare(text) end\n"
      "for _ = 1, 40 do\n"
      "  timer.sleep(0)\n"
      "  assert(global == nil and ('').mine == nil and math.pi > 3.1)\n"
      "  assert(not pcall(function() return (nil).x end))\n"
      "  assert(io.output() == io.stdout)\n"
      "end\n"
      "expect 'ok ok ok ok ok'\n"
      "for i = 1, 5 do retire(ids[i]) end\n"
      "wait_for_end(ids[5])\n"
      "assert(count() == 1)\n");
}

/* Two versions may not even share a loaded module that is still loading. */
static void test_require(void) {
  run("local text = [[\n"
      "  package.preload.slow = function()\n"
      "    note 'loading'\n"
      "    require('neap.timer').sleep(0.005)\n"
      "    return {}\n"
      "  end\n"
      "  require 'slow'\n"
      "]]\n"
      "local a, b = prepare(text), prepare(text)\n"
      "timer.sleep(0.02)\n"
      "expect 'loading loading'\n"
      "retire(a)\n"
      "retire(b)\n");
}

static void test_dispose(void) {
  run("local id = prepare [[\n"
      "  local timer = require 'neap.timer'\n"
      "  dispose(function()\n"
      "    note 'dispose'\n"
      "    timer.sleep(0.002)\n"
      "    note(global)\n"
      "  end)\n"
      "  global = 'disposed'\n"
      "]]\n"
      "turn()\n"
      "commit(id)\n"
      "serve(id, \"require('neap.timer').sleep(0.1) note 'served'\")\n"
      "turn()\n"
      "local new = prepare ''\n"
      "commit(new)\n"
      "turn()\n"
      "expect ''\n"
      "wait_for_end(id)\n"
      "await 'served dispose disposed'\n"
      "retire(new)\n"
      "wait_for_end(new)\n");
}

/* Who listens first has the address, also before it goes live. */
static void test_address_in_use(void) {
  run("local probe = assert(net.listen('127.0.0.1:0', function() end))\n"
      "local text = (\"address = %q\\n\"):format(probe.address) .. [[\n"
      "  local server, message =\n"
      "    require('neap.net').listen(address, function() end)\n"
      "  note(message and message:match('[^:]*$') or 'bound')\n"
      "]]\n"
      "probe:close()\n"
      "timer.sleep(0.001)\n"
      "local first, second = prepare(text), prepare(text)\n"
      "turn()\n"
      "expect 'bound  address already in use'\n"
      "assert(commit(first) == 0)\n"
      "assert(state(first) == 'live' and state(second) == 'preparing')\n"
      "retire(second)\n"
      "wait_for_end(second)\n"
      "assert(state(first) == 'live')\n"
      "retire(first)\n"
      "wait_for_end(first)\n");
}

static void test_thousand_commits(void) {
  run("local text = [[\n"
      "  local neap, timer = require 'neap', require 'neap.timer'\n"
      "  local net = require 'neap.net'\n"
      "  data = {}\n"
      "  for i = 1, 100 do data[i] = { i } end\n"
      "  timer.every(0.001, function() end)\n"
      "  timer.sleep(1000, print)\n"
      "  neap.go(function() timer.sleep(1000) end)\n"
      "  net.listen('127.0.0.1:0', function() end)\n"
      "  neap.on_error(function() end)\n"
      "  dispose(function() timer.sleep(0) end)\n"
      "]]\n"
      "local function some(n)\n"
      "  for _ = 1, n do\n"
      "    local id = prepare(text)\n"
      "    turn(2)\n"
      "    assert(commit(id) == 0)\n"
      "    turn(2)\n"
      "  end\n"
      "  turn(20)\n"
      "  return used()\n"
      "end\n"
      "local before = some(50)\n"
      "local after = some(1000)\n"
      "assert(after - before < 100, after - before)\n"
      "assert(count() == 2)\n"
      "assert(#neap.tasks() == 2)\n"
      "retire(1050)\n");
}

/* At the very end what was prepared, is retired or serves is gone as well. */
static void test_exit(void) {
  run(
    "local live = prepare \"require('neap.timer').every(1, print)\"\n"
    "turn()\n"
    "commit(live)\n"
    "serve(live, \"require('neap.timer').sleep(1000)\")\n"
    "prepare \"require('neap').go(print) require('neap.timer').sleep(1000)\"\n"
    "turn()\n"
    "neap.exit(0)\n");
}

int main(void) {
  test_prepare();
  test_prepare_timers();
  test_prepare_waits();
  test_commit_retires();
  test_serving_drains();
  test_failed();
  test_realms();
  test_require();
  test_dispose();
  test_address_in_use();
  test_thousand_commits();
  test_exit();
  puts("generation: ok");
  return 0;
}
