-- Ways to save a file: each is told of once, when the file is whole. And what is none of our business.
local kit = ... -- see spec/c/watch.lua
local neap, timer = require "neap", require "neap.timer"
local LIMIT, test, write, replace, equal, list_of =
  kit.LIMIT, kit.test, kit.write, kit.replace, kit.equal, kit.list_of
local expect, expect_nothing, watch, count_watches, sys, core =
  kit.expect, kit.expect_nothing, kit.watch, kit.count_watches, kit.sys, kit.core
local load_watch = kit.load_watch

-- ---- ways to save ------------------------------------------------------------

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
