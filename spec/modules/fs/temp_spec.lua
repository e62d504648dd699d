local fs, neap, test, timer = require "neap.fs", require "neap", require "neap.test", require "neap.timer"
local start_app = require "spec.support.app"
local support = require "spec.support.neap"

local dir
before_each(function() dir = test.tempdir() end)

local function exists(path)
  return fs.lstat(path) ~= nil
end

-- What it takes to be gone: a thread, in the background.
local function gone(path)
  test.eventually(function() return not exists(path) end)
end

describe("fs.tempdir", function()
  it("is a directory of one's own, removed with all in it when it is closed", function()
    local temp = assert(fs.tempdir { dir = dir.path })
    local info = fs.stat(temp.path)
    assert.equal("directory", info.kind)
    assert.equal(448, info.mode) -- 0700
    assert.matches("^" .. dir.path:gsub("%p", "%%%0") .. "/neap%-%w+$", temp.path)
    fs.mkdir(temp.path .. "/a/b", { parents = true })
    assert.is_false(temp.closed)
    assert.is_true(temp:close())
    assert.is_true(temp.closed)
    assert.is_false(exists(temp.path))
    assert.is_true(temp:close())
  end)

  it("comes with a callback, too, and is closed with one", function()
    local path
    fs.tempdir({ dir = dir.path, prefix = "x" }, function(temp)
      path = temp.path
      local got
      temp:close(function(...) got = { ... } end):join()
      assert.same({ true }, got)
    end):join()
    assert.matches("/x%w+$", path)
    assert.is_false(exists(path))
  end)

  it("goes with its block, and when that fails", function()
    local path
    pcall(function()
      local temp <close> = assert(fs.tempdir { dir = dir.path })
      path = temp.path
      error "it fails"
    end)
    assert.is_string(path)
    assert.is_false(exists(path))
  end)

  it("goes when nobody holds it", function()
    local path = assert(fs.tempdir { dir = dir.path }).path
    collectgarbage()
    collectgarbage()
    gone(path)
  end)

  it("does not stay when whoever asked for it is cancelled", function()
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = neap.go(fs.tempdir, { dir = dir.path })
      tasks[20 + i] = neap.go(fs.tempfile, { dir = dir.path })
    end
    timer.sleep(0)
    for i = 1, 40 do tasks[i]:cancel() end
    for i = 1, 40 do tasks[i]:join() end
    tasks = nil -- luacheck: ignore
    test.eventually(function()
      collectgarbage()
      return #fs.list(dir.path) == 0
    end)
  end)

  it("does not stay until the collector finds it, if nobody was there to take it", function()
    collectgarbage "stop"
    local restart <close> = setmetatable({}, { __close = function() collectgarbage "restart" end })
    for i = 1, 20 do
      local make = i % 2 == 0 and fs.tempdir or fs.tempfile
      local call = make({ dir = dir.path }, function() error "it was given" end)
      local before = os.clock()
      repeat until os.clock() > before + 0.001 -- a thread makes it
      call:cancel()
    end
    test.eventually(function() return #fs.list(dir.path) == 0 end)
    assert.is_not_nil(restart)
  end)

  it("is gone when somebody else has removed it", function()
    local temp = assert(fs.tempdir { dir = dir.path })
    fs.remove(temp.path)
    assert.is_true(temp:close())
  end)

  it("is another one each time, also many at once", function()
    local seen = {}
    neap.group(function(group)
      for _ = 1, 50 do
        group:go(function()
          local temp <close> = assert(fs.tempdir { dir = dir.path })
          assert.is_nil(seen[temp.path])
          seen[temp.path] = true
        end)
      end
    end)
    assert.same({}, fs.list(dir.path))
  end)

  it("says where it cannot be made", function()
    local none = dir:path_of "none"
    assert.same({ nil, "tempdir " .. none .. ": no such file or directory", "ENOENT" }, { fs.tempdir { dir = none } })
    assert.same({ nil, "tempfile " .. none .. ": no such file or directory", "ENOENT" }, { fs.tempfile { dir = none } })
    assert.error_matches(function() fs.tempdir { dri = "/" } end, "unknown option 'dri' %(there are: dir, prefix%)")
    assert.error_matches(function() fs.tempdir { dir = 5 } end, "dir must be a string, not number")
    assert.error_matches(function() fs.tempdir { dir = "" } end, "dir is empty")
    assert.error_matches(function() fs.tempdir { prefix = "a/b" } end, "prefix is the beginning of a name")
    assert.error_matches(function() fs.tempdir { prefix = ("x"):rep(300) } end, "prefix is too long")
  end)

  it("ends with the program, in each way that it can end", function()
    local make = [[
      local fs = require "neap.fs"
      kept = { assert(fs.tempdir { dir = arg[1] }), assert(fs.tempfile { dir = arg[1] }) }
      assert(fs.mkdir(kept[1].path .. "/a"))
    ]]
    for _, ending in ipairs { "", "os.exit(0)", "error 'it fails'", "require('neap.timer').sleep(0) kept = nil" } do
      support.run(make .. ending, { args = { dir.path } })
      assert.same({}, fs.list(dir.path), ending)
    end
  end)

  it("ends with the version of the program that has made it", function()
    local app <close> = start_app ""
    local make = [[
      fs = require "neap.fs"
      kept = { assert(fs.tempdir { dir = %q }), assert(fs.tempfile { dir = %q }) } -- version %d
    ]]
    assert(app:reload(make:format(dir.path, dir.path, 2)))
    local first = fs.list(dir.path)
    assert.equal(2, #first)
    assert(app:reload(make:format(dir.path, dir.path, 3)))
    test.eventually(function() return #fs.list(dir.path) == 2 end)
    for _, entry in ipairs(fs.list(dir.path)) do
      for _, old in ipairs(first) do assert.not_equal(old.name, entry.name) end
    end
    app:ends()
    assert.same({}, fs.list(dir.path))
  end)

  it("lies in TMPDIR, absolute, though that is not", function()
    local out = support.output([[
      local fs = require "neap.fs"
      assert(fs.mkdir "tmp")
      local temp <close> = assert(fs.tempdir())
      print(temp.path == fs.realpath "tmp" .. "/" .. temp.path:match "[^/]+$")
    ]], { env = { TMPDIR = "tmp" } })
    assert.equal("true\n", out)
  end)
end)

describe("fs.tempfile", function()
  it("is a new file, to be read and written, removed when it is closed", function()
    local file = assert(fs.tempfile { dir = dir.path, prefix = "draft-" })
    assert.matches("/draft%-%w+$", file.path)
    local info = fs.stat(file.path)
    assert.same({ "file", 384, 0 }, { info.kind, info.mode, info.size }) -- 0600
    assert(file:write "text")
    assert(file:seek("set", 0))
    assert.equal("text", file:read("a"))
    assert.is_true(file:close())
    assert.is_false(exists(file.path))
  end)

  it("goes with its block, and when nobody holds it", function()
    local path
    do
      local file <close> = assert(fs.tempfile { dir = dir.path })
      path = file.path
    end
    assert.is_false(exists(path))
    fs.tempfile({ dir = dir.path }, function(file) path = file.path end):join()
    collectgarbage()
    collectgarbage()
    gone(path)
  end)
end)
