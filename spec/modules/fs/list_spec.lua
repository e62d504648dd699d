local fs, neap, test, timer = require "neap.fs", require "neap", require "neap.test", require "neap.timer"
local scratch = require "spec.support.scratch"

local dir
before_each(function() dir = test.tempdir() end)

describe("fs.list", function()
  it("gives names and kinds, sorted by bytes, in both forms", function()
    for _, name in ipairs { "b", "a", "B", "\xff", ".hidden", "ab", "a b" } do dir:write(name, "") end
    dir:write("c/d", "")
    os.execute(("ln -s a %s/link; mkfifo %s/fifo"):format(dir.path, dir.path))
    local expected = {
      { name = ".hidden", kind = "file" }, { name = "B", kind = "file" }, { name = "a", kind = "file" },
      { name = "a b", kind = "file" }, { name = "ab", kind = "file" }, { name = "b", kind = "file" },
      { name = "c", kind = "directory" }, { name = "fifo", kind = "fifo" }, { name = "link", kind = "link" },
      { name = "\xff", kind = "file" },
    }
    assert.same(expected, fs.list(dir.path))
    local got
    fs.list(dir.path, function(list) got = list end):join()
    assert.same(expected, got)
    assert.same({}, fs.list(fs.mkdir(dir:path_of "empty") and dir:path_of "empty"))
  end)

  it("says what it cannot read", function()
    local none, file = dir:path_of "none", dir:write("file", "")
    assert.same({ nil, "list " .. none .. ": no such file or directory", "ENOENT" }, { fs.list(none) })
    assert.same({ nil, "list " .. file .. ": not a directory", "ENOTDIR" }, { fs.list(file) })
    assert.error_matches(function() fs.list(dir.path, {}) end, "function expected")
  end)
end)

describe("fs.entries", function()
  local place
  before_each(function() place = scratch() end)
  after_each(function() place:close() end)

  local function many(count)
    assert(os.execute(("cd %s && seq 1 %d | xargs touch"):format(place.path, count)))
    return place.path
  end

  it("gives each name once, with its kind", function()
    local path = many(5000)
    local seen, count = {}, 0
    for name, kind in assert(fs.entries(path)) do
      assert.is_nil(seen[name])
      assert.equal("file", kind)
      seen[name] = true
      count = count + 1
    end
    assert.equal(5000, count)
  end)

  it("needs no memory for what has been", function()
    local path = many(10000)
    collectgarbage()
    local before, most, count = collectgarbage("count"), 0, 0
    for _ in assert(fs.entries(path)) do
      count = count + 1
      if count % 5000 == 0 then
        collectgarbage()
        most = math.max(most, collectgarbage("count"))
      end
    end
    assert.equal(10000, count)
    assert.is_true(most - before < 500, ("%.0f KB more"):format(most - before))
  end)

  it("gives way to others", function()
    local path = many(3000)
    local turns = 0
    local other = neap.go(function()
      while true do
        turns = turns + 1
        timer.sleep(0)
      end
    end)
    for _ in assert(fs.entries(path)) do end -- luacheck: ignore
    other:cancel()
    assert.is_true(turns > 3)
  end)

  it("comes with a callback, too", function()
    dir:write("a", "")
    local names = {}
    fs.entries(dir.path, function(next, _, _, closing)
      for name in next do names[#names + 1] = name end
      assert.is_function(closing.close)
    end):join()
    assert.same({ "a" }, names)
  end)

  it("is closed by the loop that is left early", function()
    local path = many(2000)
    local closing
    local next, state, control, closer = assert(fs.entries(path))
    closing = closer
    for name in next, state, control, closer do -- luacheck: ignore 512
      assert.is_string(name)
      break
    end
    assert.is_nil((next()))
    closing:close() -- once more
  end)

  it("fails before the loop where there is nothing to read", function()
    local none = dir:path_of "none"
    assert.same({ nil, "entries " .. none .. ": no such file or directory", "ENOENT" }, { fs.entries(none) })
  end)

  it("raises for two tasks that wait for the same", function()
    local path = many(3000)
    local next, _, _, closing = assert(fs.entries(path))
    local _ <close> = closing
    for _ = 1, 1000 do next() end
    local first = neap.go(next)
    local second = neap.go(function() return select(2, pcall(next)) end)
    local message
    neap.go(function() message = second:join() end):join()
    first:join()
    assert.matches("another task waits for this iterator", message)
  end)

  it("goes on where a task that waited was cancelled", function()
    local path = many(3000)
    local next, _, _, closing = assert(fs.entries(path))
    local _ <close> = closing
    local count = 0
    while count < 1000 and next() do count = count + 1 end
    local waiter = neap.go(next)
    timer.sleep(0)
    local taken = not waiter:cancel()
    waiter:join()
    while next() do count = count + 1 end
    assert.is_true(count == 3000 or (taken and count == 2999), count)
  end)
end)
