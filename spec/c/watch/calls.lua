-- What holds on every system: polling; calls that are cancelled or wrong, watchers that are closed; fingerprints.
local kit = ... -- see spec/c/watch.lua
local neap, timer = require "neap", require "neap.timer"
local test, write, replace, remove_all, equal, list_of =
  kit.test, kit.write, kit.replace, kit.remove_all, kit.equal, kit.list_of
local expect, expect_soon, watch, sys, open, fingerprints =
  kit.expect, kit.expect_soon, kit.watch, kit.sys, kit.open, kit.fingerprints

-- ---- polling -----------------------------------------------------------------

test("polling", function()
  sys.mkdir("lib")
  write("lib/a.lua", "1")
  write("b.lua", "1")
  local watcher <close> = watch({ "lib/a.lua", "b.lua", "new.lua" }, { poll = 0.002 })
  write("lib/a.lua", "2") -- of the same size, and in the same tick of the clock
  expect_soon(watcher, "lib/a.lua")
  replace("b.lua", "2")
  expect_soon(watcher, "b.lua")
  write("new.lua", "1")
  expect_soon(watcher, "new.lua")
  remove_all("lib")
  expect_soon(watcher, "lib/a.lua")
  write("other.lua", "1")
  assert(watcher:set { "other.lua" })
  write("new.lua", "none of our business")
  write("other.lua", "22")
  expect(watcher, "other.lua")
end)

test("polling: many at once", function()
  local paths = {}
  for i = 1, 100 do
    paths[i] = ("f%03d.lua"):format(i)
    write(paths[i], "1")
  end
  timer.sleep(0.05) -- so that they have no past: see lookup.c
  local watcher <close> = watch(paths, { poll = 0.002 })
  for _, path in ipairs(paths) do write(path, "22") end
  expect(watcher, table.unpack(paths))
end)

-- ---- tasks, and the end ------------------------------------------------------

local modes = { {}, { poll = 0.002 } }

test("cancelled while it waits", function()
  for _, options in ipairs(modes) do
    write("a.lua", "1")
    timer.sleep(0.05)
    local watcher <close> = watch({ "a.lua" }, options.poll and options)
    local task = neap.go(watcher.wait, watcher)
    timer.sleep(0)
    task:cancel()
    equal("ECANCELED", select(3, task:join()))
    equal("ETIMEDOUT", select(3, neap.deadline(0.05, watcher.wait, watcher)))
    write("a.lua", "22")
    expect(watcher, "a.lua")
    write("a.lua", "333")
    equal("ETIMEDOUT", select(3, neap.deadline(0, watcher.wait, watcher)))
    expect(watcher, "a.lua")
  end
end)

test("cancelled while it sets", function()
  local watcher <close> = watch { "a.lua" }
  local task = neap.go(watcher.set, watcher, { "b.lua" })
  timer.sleep(0)
  task:cancel()
  task:join()
  assert(watcher:set { "b.lua" })
  write("b.lua", "1")
  expect(watcher, "b.lua")
end)

test("closed while it waits", function()
  for _, options in ipairs(modes) do
    local watcher = watch({ "a.lua" }, options.poll and options)
    local task = neap.go(function() return watcher:wait() end)
    timer.sleep(0)
    timer.sleep(0)
    watcher:close()
    watcher:close()
    local list, message, code = task:join()
    equal(nil, list)
    equal("watch: operation canceled", message)
    equal("ECANCELED", code)
    equal("ECANCELED", select(3, watcher:wait()))
    equal("ECANCELED", select(3, watcher:set { "a.lua" }))
    equal(true, watcher.closed)
  end
end)

test("closed while it sets", function()
  local watcher = open()
  local task = neap.go(function() return watcher:set { "a.lua" } end)
  timer.sleep(0)
  watcher:close()
  local _, _, code = task:join()
  assert(code == nil or code == "ECANCELED")
end)

test("set by several tasks, while another one waits", function()
  local watcher <close> = watch { "a.lua" }
  local waiting = neap.go(function() return list_of(watcher:wait()) end)
  neap.group(function(group)
    for i = 1, 20 do group:go(watcher.set, watcher, { "b" .. i, "b.lua", "x/y" .. i }) end
  end)
  write("a.lua", "no longer")
  write("b.lua", "1")
  equal("b.lua", waiting:join())
end)

test("only one may wait", function()
  local watcher <close> = watch { "a.lua" }
  local task = neap.go(function() return watcher:wait() end)
  timer.sleep(0)
  local ok, message = pcall(watcher.wait, watcher)
  equal(false, ok)
  assert(message:find("another task waits for this watcher", 1, true), message)
  task:cancel()
end)

test("forgotten", function()
  for _ = 1, 20 do assert(open():set { "a.lua" }) end
  collectgarbage()
  timer.sleep(0)
  collectgarbage()
end)

test("wrong arguments", function()
  local function fails(expected, fn, ...)
    local ok, message = pcall(fn, ...)
    equal(false, ok)
    assert(message:find(expected, 1, true), message)
  end
  fails("unknown option 'pol'", open, { pol = 1 })
  fails("quiet must be a number of seconds above 0", open, { quiet = 0 })
  fails("poll must be a number of seconds above 0", open, { poll = "1" })
  local watcher <close> = open()
  fails("path 2 is a table, not a string", watcher.set, watcher, { "a", {} })
  fails("path 1 contains a zero", watcher.set, watcher, { "a\0b" })
  fails("path 2 is no string", fingerprints, { "a", 1 })
  fails("table expected", fingerprints, "a")
  fails("function expected", fingerprints, {}, 1)
end)

-- ---- fingerprints ------------------------------------------------------------

test("fingerprints", function()
  write("a", "foobar")
  write("empty", "")
  write("big", ("foobar"):rep(100000))
  sys.symlink("a", "link")
  sys.mkfifo("fifo")
  local paths = { "a", "missing", "empty", ".", "fifo", "link", "big", "a/b" }
  local function check(list)
    equal(#paths, #list)
    equal("6:85944171f73967e8", list[1])
    equal(false, list[2])
    equal("0:cbf29ce484222325", list[3])
    equal(false, list[4])
    equal(false, list[5])
    equal(list[1], list[6])
    assert(list[7]:find("^600000:%x+$"))
    equal(false, list[8])
  end
  check(fingerprints(paths))
  local got
  local call = fingerprints(paths, function(list) got = list end)
  equal(nil, got)
  call:join()
  check(got)
  equal(0, #fingerprints({}))
end)

test("fingerprints, cancelled", function()
  local paths, tasks = {}, {}
  write("big", ("x"):rep(1 << 16))
  for i = 1, 20 do paths[i] = "big" end
  for i = 1, 20 do tasks[i] = neap.go(fingerprints, paths) end
  local call = fingerprints(paths, function() error "it was called back" end)
  timer.sleep(0)
  for _, task in ipairs(tasks) do task:cancel() end
  call:cancel()
  for _, task in ipairs(tasks) do equal("ECANCELED", select(3, task:join())) end
  collectgarbage()
  equal(fingerprints(paths)[1], fingerprints(paths)[20])
end)
