-- What is told of files, however they are saved. Run by spec/c/watch.c, which
-- gives it `sys`, `open`, `core`, `load_watch` and `fingerprints`; with a name it
-- runs only the tests whose names contain it. What happens before a wait is told
-- by it: so most of these tests need no second task, and no time but the quiet.
local neap, timer = require "neap", require "neap.timer"
local sys, open, core, load_watch, fingerprints = sys, open, core, load_watch, fingerprints -- luacheck: ignore 113
local wanted = ...

local LIMIT = 20 -- seconds: longer than any machine takes
local is_linux = core.notifier(true) ~= nil
local home = sys.getcwd()
local root = os.tmpname()
os.remove(root)
sys.mkdir(root)

local tests, count = {}, 0

local function test(name, fn)
  tests[#tests + 1] = { name = name, fn = fn }
end

-- ---- files -------------------------------------------------------------------

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local function replace(path, text)
  write(path .. ".new~", text)
  assert(os.rename(path .. ".new~", path))
end

local function remove_all(path)
  os.execute(("rm -rf '%s'"):format(path))
end

-- ---- what is expected --------------------------------------------------------

local function equal(expected, got)
  if expected ~= got then error(("expected %s, got %s"):format(expected, got), 2) end
end

local function list_of(list)
  return list and table.concat(list, " ") or nil
end

-- The next burst is about exactly these files.
local function expect(watcher, ...)
  local list, message = neap.deadline(LIMIT, watcher.wait, watcher)
  if not list then error(message, 2) end
  equal(table.concat({ ... }, " "), list_of(list))
end

-- Nothing has been told before this.
local function expect_nothing(watcher, sentinel)
  replace(sentinel, "sentinel")
  expect(watcher, sentinel)
end

-- Until they are told of, one burst after the other.
local function expect_soon(watcher, path)
  repeat
    local list = assert(neap.deadline(LIMIT, watcher.wait, watcher))
    for _, changed in ipairs(list) do
      if changed == path then return end
    end
  until false
end

local function watch(paths, options)
  local watcher = open(options)
  assert(watcher:set(paths))
  equal(options ~= nil and options.poll ~= nil, watcher.polling)
  return watcher
end

-- How many directories this process watches.
local function count_watches()
  local all = 0
  for fd = 0, 200 do
    local file <close> = io.open("/proc/self/fdinfo/" .. fd)
    for line in file and file:lines() or function() end do
      if line:find("^inotify wd") then all = all + 1 end
    end
  end
  return all
end

-- ---- ways to save ------------------------------------------------------------

if is_linux then

test("rename over", function()
  write("a.lua", "1")
  write("b.lua", "1")
  local watcher <close> = watch { "a.lua", "b.lua" }
  for i = 1, 3 do
    replace("b.lua", i)
    expect(watcher, "b.lua")
  end
end)

test("in place", function()
  write("a.lua", "1")
  local watcher <close> = watch { "a.lua" }
  for i = 1, 3 do
    write("a.lua", i)
    expect(watcher, "a.lua")
  end
  local file <close> = assert(io.open("a.lua", "a"))
  file:write("more"):close()
  expect(watcher, "a.lua")
end)

test("delete and create", function()
  write("a.lua", "1")
  write("b.lua", "1")
  local watcher <close> = watch { "a.lua", "b.lua" }
  os.remove("a.lua")
  write("a.lua", "2")
  expect(watcher, "a.lua")
  expect_nothing(watcher, "b.lua")
  os.remove("a.lua")
  expect(watcher, "a.lua")
  write("a.lua", "3")
  expect(watcher, "a.lua")
end)

test("in slices, with pauses, in one open", function()
  write("a.lua", "1")
  for _, mode in ipairs { "w", "a", "r+" } do
    local watcher <close> = watch { "a.lua" }
    local is_closed = false
    local task = neap.go(function()
      local file <close> = assert(io.open("a.lua", mode))
      for _ = 1, 5 do
        file:write("slice")
        file:flush()
        timer.sleep(0.03) -- longer than the quiet period
      end
      is_closed = true
    end)
    expect(watcher, "a.lua")
    equal(true, is_closed)
    task:join()
  end
end)

test("in slices, a new file", function()
  local watcher <close> = watch { "new.lua" }
  local is_closed = false
  neap.go(function()
    local file <close> = assert(io.open("new.lua", "w"))
    timer.sleep(0.05) -- it is there, and empty
    file:write("all")
    is_closed = true
  end)
  expect(watcher, "new.lua")
  equal(true, is_closed)
end)

test("a file that stays open", function()
  write("a.lua", "1")
  local watcher <close> = watch { "a.lua" }
  local file <close> = assert(io.open("a.lua", "w"))
  file:write("2")
  file:flush()
  local began = timer.monotonic()
  expect(watcher, "a.lua")
  assert(timer.monotonic() - began >= 0.49)
end)

test("200 files at once", function()
  local paths = {}
  for i = 1, 200 do
    paths[i] = ("f%03d.lua"):format(i)
    write(paths[i], "1")
  end
  local watcher <close> = watch(paths)
  for i, path in ipairs(paths) do (i % 2 == 0 and write or replace)(path, "2") end
  expect(watcher, table.unpack(paths))
  for _, path in ipairs(paths) do
    os.remove(path)
    write(path, "3")
  end
  expect(watcher, table.unpack(paths))
  expect_nothing(watcher, "f200.lua")
end)

test("touch, chmod", function()
  write("a.lua", "1")
  local watcher <close> = watch { "a.lua" }
  sys.touch("a.lua")
  expect(watcher, "a.lua") -- it might have: the content is for others to compare
  sys.chmod("a.lua", 0)
  expect(watcher, "a.lua")
  sys.chmod("a.lua", 420)
  expect(watcher, "a.lua")
end)

test("hard links and symbolic links are whole at once", function()
  write("one", "1")
  local notifier <close> = core.notifier(true)
  local number, is_new = notifier:add(".", true)
  equal(true, is_new)
  equal(number, (notifier:add(sys.getcwd(), true)))
  local id = notifier:expect(number, "a.lua")
  equal(id, notifier:expect(number, "a.lua"))
  local function told(expected_done, expected_written)
    local done, written, lost = notifier:read(LIMIT)
    equal(expected_done and id, done[1])
    equal(expected_written and id, written[1])
    equal(false, lost)
  end
  sys.link("one", "a.lua")
  told(id, nil)
  os.remove("a.lua")
  sys.symlink("one", "a.lua")
  told(id, nil)
  os.remove("a.lua")
  told(id, nil)
  local file <close> = assert(io.open("a.lua", "w"))
  told(nil, id)
  file:write("text"):flush()
  told(nil, id)
  file:close()
  told(id, nil)
end)

-- ---- what is none of our business --------------------------------------------

test("temporary and backup files wake nobody", function()
  write("a.lua", "1")
  local reads = 0
  local open_counted = load_watch(setmetatable({ notifier = function(with)
    local notifier = core.notifier(with)
    return setmetatable({ read = function(_, seconds)
      reads = reads + 1
      return notifier:read(seconds)
    end }, { __index = function(_, name)
      return function(_, ...) return notifier[name](notifier, ...) end
    end })
  end }, { __index = core }))
  local watcher <close> = open_counted()
  watcher:set { "a.lua" }
  local task = neap.go(function() return list_of(watcher:wait()) end)
  timer.sleep(0)
  equal(1, reads)
  for _, name in ipairs { "a.lua~", ".a.lua.swp", "4913", "#a.lua#", ".#a.lua", "a.lua.bak", "b.lua" } do
    write(name, "x")
    write(name, "y")
    os.rename(name, name .. "2")
    os.remove(name .. "2")
  end
  for _ = 1, 10 do timer.sleep(0.001) end
  equal(1, reads)
  write("a.lua", "2")
  equal("a.lua", task:join())
end)

test("what is no longer wanted", function()
  sys.mkdir("sub")
  local before = count_watches()
  local watcher <close> = watch { "a.lua", "sub/b.lua" }
  equal(before + 2, count_watches())
  assert(watcher:set { "a.lua" })
  equal(before + 1, count_watches())
  write("sub/b.lua", "1")
  expect_nothing(watcher, "a.lua")
  assert(watcher:set {})
  equal(before, count_watches())
  for _ = 1, 50 do assert(watcher:set { "a.lua", "sub/b.lua", "sub/b.lua" }) end
  equal(before + 2, count_watches())
  write("a.lua", "1")
  write("sub/b.lua", "2")
  expect(watcher, "a.lua", "sub/b.lua")
  watcher:close()
  equal(before, count_watches())
end)

test("told of, but dropped before anybody asks", function()
  local watcher <close> = watch { "a.lua", "b.lua" }
  write("a.lua", "1")
  timer.sleep(0.001)
  assert(watcher:set { "b.lua" })
  expect_nothing(watcher, "b.lua")
end)

-- ---- the way to a file -------------------------------------------------------

test("a directory is deleted and comes back", function()
  sys.mkdir("lib")
  sys.mkdir("lib/sub")
  write("lib/sub/a.lua", "1")
  write("b.lua", "1")
  local watcher <close> = watch { "lib/sub/a.lua", "b.lua" }
  for i = 1, 3 do
    remove_all("lib")
    expect_soon(watcher, "lib/sub/a.lua")
    sys.mkdir("lib")
    expect_soon(watcher, "lib/sub/a.lua")
    sys.mkdir("lib/sub")
    write("lib/sub/a.lua", i)
    expect_soon(watcher, "lib/sub/a.lua")
    write("lib/sub/a.lua", "again")
    expect(watcher, "lib/sub/a.lua")
  end
  remove_all("lib") -- all at once, as git does it
  sys.mkdir("lib")
  sys.mkdir("lib/sub")
  write("lib/sub/a.lua", "last")
  expect(watcher, "lib/sub/a.lua")
  expect_nothing(watcher, "b.lua")
  write("lib/sub/a.lua", "and later")
  expect(watcher, "lib/sub/a.lua")
end)

test("a directory is moved away, another one comes", function()
  sys.mkdir("one")
  sys.mkdir("two")
  write("one/a.lua", "1")
  write("two/a.lua", "2")
  local path = root .. "/tree/one/a.lua"
  local watcher <close> = watch { path }
  os.rename("one", "old")
  os.rename("two", "one")
  expect(watcher, path)
  write("one/a.lua", "3")
  expect(watcher, path)
  write("old/a.lua", "none of our business")
  expect_nothing(watcher, path)
end)

test("neither file nor directory is there yet", function()
  local watcher <close> = watch { "x/y/z.lua", "new.lua" }
  write("new.lua", "1")
  expect(watcher, "new.lua")
  sys.mkdir("x")
  sys.mkdir("x/y")
  write("x/y/z.lua", "1")
  expect(watcher, "x/y/z.lua")
  write("x/y/z.lua", "2")
  expect(watcher, "x/y/z.lua")
end)

test("a name on the way is a file, then a directory", function()
  write("x", "a file")
  local watcher <close> = watch { "x/a.lua" }
  os.remove("x")
  sys.mkdir("x")
  write("x/a.lua", "1")
  expect(watcher, "x/a.lua")
  write("x/a.lua", "2")
  expect(watcher, "x/a.lua")
end)

test("links", function()
  sys.mkdir("real")
  sys.mkdir("other")
  write("real/a.lua", "1")
  write("other/b.lua", "1")
  sys.symlink("real/a.lua", "link")
  sys.symlink(root .. "/tree/link", "chain")
  local watcher <close> = watch { "link", "chain" }
  write("real/a.lua", "2")
  expect(watcher, "link", "chain")
  replace("real/a.lua", "3")
  expect(watcher, "link", "chain")
  sys.symlink("other/b.lua", "new") -- turned to another file
  os.rename("new", "link")
  expect(watcher, "link", "chain")
  replace("other/b.lua", "2")
  expect(watcher, "link", "chain")
  write("real/a.lua", "none of our business")
  os.remove("chain")
  write("chain", "now a file")
  expect(watcher, "chain")
end)

test("a link to a directory is turned", function()
  for _, name in ipairs { "r1", "r2" } do
    sys.mkdir(name)
    write(name .. "/a.lua", name)
  end
  sys.symlink("r1", "current")
  local watcher <close> = watch { "current/a.lua", "./current/../r1/a.lua" }
  sys.symlink("r2", "new")
  os.rename("new", "current")
  expect(watcher, "current/a.lua", "./current/../r1/a.lua")
  write("r2/a.lua", "2")
  expect(watcher, "current/a.lua")
  write("r1/a.lua", "2")
  expect(watcher, "./current/../r1/a.lua")
end)

test("links in a circle, and to nothing", function()
  sys.symlink("b", "a")
  sys.symlink("a", "b")
  sys.symlink("missing/c", "c")
  local watcher <close> = watch { "a", "c", "", "/", ".", ("x"):rep(300), ("x/"):rep(3000) }
  sys.mkdir("missing")
  write("missing/c", "1")
  expect(watcher, "c")
  os.remove("b")
  write("b", "1")
  expect(watcher, "a")
end)

-- ---- when something is lost --------------------------------------------------

test("more happens than the system keeps", function()
  write("a.lua", "1")
  write("b.lua", "1")
  local watcher <close> = watch { "a.lua", "b.lua" }
  local limit = assert(io.open("/proc/sys/fs/inotify/max_queued_events")):read("n")
  if limit > 20000 then return end
  for _ = 1, limit // 3 + 1 do
    write("noise", "x")
    os.remove("noise")
  end
  expect(watcher, "a.lua", "b.lua")
  write("a.lua", "2")
  expect(watcher, "a.lua")
end)

-- Runs it while stderr goes to a file; returns what was written.
local function told(fn)
  sys.stderr(root .. "/stderr")
  local ok, message = pcall(fn)
  sys.stderr()
  assert(ok, message)
  local file <close> = assert(io.open(root .. "/stderr"))
  return file:read("a")
end

test("no descriptor is left", function()
  local open_fresh = load_watch(core)
  write("a.lua", "1")
  local first, second
  local text = told(function()
    local n = sys.nofile(0)
    first, second = open_fresh(), open_fresh { poll = 0.001 }
    local third <close> = open_fresh()
    assert(third:set { "a.lua" })
    sys.nofile(n)
  end)
  equal("neap: watch: too many open files (raise fs.inotify.max_user_instances, or ulimit -n): "
    .. "files are polled every 0.5 s instead\n", text)
  equal(true, first.polling)
  assert(second:set { "a.lua" })
  write("a.lua", "22")
  expect(second, "a.lua")
  first:close()
  second:close()
end)

-- A notifier whose method answers no; from the n-th call on.
local function broken(method, n, ...)
  local answer = table.pack(nil, ...)
  return setmetatable({ notifier = function(with)
    local notifier = core.notifier(with)
    if not with then return notifier end
    return setmetatable({}, { __index = function(_, name)
      return function(_, ...)
        if name == method then n = n - 1 end
        if name == method and n < 0 then return table.unpack(answer, 1, answer.n) end
        return notifier[name](notifier, ...)
      end
    end })
  end }, { __index = core })
end

test("no watch is left", function()
  write("a.lua", "1")
  local text = told(function()
    local watcher <close> = load_watch(broken("add", 0, "watch .: no space left on device", "ENOSPC")) {}
    watcher.interval = 0.002
    equal(false, watcher.polling)
    assert(watcher:set { "a.lua" })
    equal(true, watcher.polling)
    expect(watcher, "a.lua") -- it might have changed
    write("a.lua", "22")
    expect(watcher, "a.lua")
  end)
  equal("neap: watch .: no space left on device (raise fs.inotify.max_user_watches): "
    .. "files are polled every 0.002 s instead\n", text)
end)

test("no watch is left while it waits", function()
  for method, n in pairs { add = 2, read = 1 } do -- it adds a new directory twice
    write("a.lua", "1")
    told(function()
      local watcher <close> = load_watch(broken(method, n, "watch: it broke", "EIO")) {}
      watcher.interval = 0.002
      assert(watcher:set { "a.lua" })
      equal(false, watcher.polling)
      write("a.lua", "22")
      expect(watcher, "a.lua")
      write("a.lua", "333")
      expect_soon(watcher, "a.lua")
      equal(true, watcher.polling)
    end)
  end
end)

end -- of what only Linux has

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

-- ---- all of them -------------------------------------------------------------

local ok, message = pcall(function()
  for _, one in ipairs(tests) do
    if not wanted or one.name:find(wanted, 1, true) then
      sys.mkdir(root .. "/tree")
      sys.chdir(root .. "/tree")
      local passed, text = xpcall(one.fn, debug.traceback)
      sys.chdir(home)
      remove_all(root .. "/tree")
      if not passed then error(one.name .. ": " .. tostring(text), 0) end
      count = count + 1
    end
  end
end)
remove_all(root)
assert(ok, message)
print(("watch: %d tests"):format(count))
