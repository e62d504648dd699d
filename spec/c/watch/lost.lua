-- Where the system does not tell all, or has nothing left to tell it with: nothing is missed, files are polled, and
-- somebody is told.
local kit = ... -- see spec/c/watch.lua
local root, test, write, equal, expect, expect_soon =
  kit.root, kit.test, kit.write, kit.equal, kit.expect, kit.expect_soon
local watch, sys, core, load_watch = kit.watch, kit.sys, kit.core, kit.load_watch

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
