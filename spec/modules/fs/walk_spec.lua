local fs, neap, test = require "neap.fs", require "neap", require "neap.test"
local scratch = require "spec.support.scratch"
local support = require "spec.support.neap"
local unprivileged = require "spec.support.unprivileged"

local dir
before_each(function() dir = test.tempdir() end)

-- path -> kind, without the directory; fails where a parent comes after its child.
local function walk(path, options)
  local found = {}
  for one, kind in assert(fs.walk(path, options)) do
    local name = one:sub(#path + 2)
    local parent = name:match("^(.*)/[^/]*$")
    assert.is_true(parent == nil or found[parent] ~= nil, name .. " came before its parent")
    assert.is_nil(found[name], name .. " came twice")
    found[name] = kind
  end
  return found
end

describe("fs.walk", function()
  it("gives all that is below, parents first", function()
    for _, name in ipairs { "a/b/c", "a/d", "e", "a\n/ \xff" } do dir:write(name, "") end
    fs.symlink("a", dir:path_of "link")
    assert.same({
      a = "directory", ["a/b"] = "directory", ["a/b/c"] = "file", ["a/d"] = "file", e = "file",
      ["a\n"] = "directory", ["a\n/ \xff"] = "file", link = "link",
    }, walk(dir.path))
  end)

  it("goes no deeper than it is told", function()
    dir:write("a/b/c/d", "")
    assert.same({ a = "directory" }, walk(dir.path, { depth = 1 }))
    assert.same({ a = "directory", ["a/b"] = "directory" }, walk(dir.path, { depth = 2 }))
    assert.equal("file", walk(dir.path, { depth = 9 })["a/b/c/d"])
  end)

  it("follows links if it is told to, but not round and round", function()
    dir:write("a/b/c", "")
    fs.symlink("..", dir:path_of "a/up")
    fs.symlink("a/b", dir:path_of "to_b")
    fs.symlink("nowhere", dir:path_of "dangling")
    assert.same({
      a = "directory", ["a/b"] = "directory", ["a/b/c"] = "file", ["a/up"] = "directory",
      to_b = "directory", ["to_b/c"] = "file", dangling = "link",
    }, walk(dir.path, { follow = true }))
  end)

  it("starts at a link, at a path with a slash, and at '/'", function()
    dir:write("a/b", "")
    fs.symlink("a", dir:path_of "link")
    assert.same({ b = "file" }, walk(dir:path_of "link"))
    local paths = {}
    for path in assert(fs.walk(dir:path_of "a" .. "/")) do paths[#paths + 1] = path end
    assert.same({ dir:path_of "a/b" }, paths)
    for path in assert(fs.walk("/", { depth = 1 })) do assert.matches("^/[^/]+$", path) end
  end)

  it("goes down thousands of levels, also through links", function()
    local place <close> = scratch()
    local script = [[cd %s && perl -e 'for (1..3000) { mkdir "d"; chdir "d" or die }
      symlink "..", "up"; open F, ">x"']]
    if not os.execute(script:format(place.path)) then return pending("no perl here") end
    for _, follow in ipairs { false, true } do
      local count, longest = 0, 0
      for path in assert(fs.walk(place.path, { follow = follow })) do
        count = count + 1
        longest = math.max(longest, #path)
      end
      assert.equal(3002, count)
      assert.is_true(longest > 6000)
    end
  end)

  it("fails before the loop where there is no directory", function()
    local none, file = dir:path_of "none", dir:write("file", "")
    assert.same({ nil, "walk " .. none .. ": no such file or directory", "ENOENT" }, { fs.walk(none) })
    local got
    fs.walk(file, { depth = 1 }, function(...) got = { ... } end):join()
    assert.same({ nil, "walk " .. file .. ": not a directory", "ENOTDIR" }, got)
  end)

  it("raises for options it does not know", function()
    assert.error_matches(function() fs.walk(dir.path, { deep = 1 }) end,
      "unknown option 'deep' %(there are: depth, follow, on_error%)")
    assert.error_matches(function() fs.walk(dir.path, { depth = 0 }) end, "depth must be an integer, at least 1")
    assert.error_matches(function() fs.walk(dir.path, { follow = 1 }) end, "follow must be true or false")
    assert.error_matches(function() fs.walk(dir.path, { on_error = 1 }) end, "on_error must be a function")
  end)

  it("leaves out what has gone meanwhile", function()
    for i = 1, 20 do dir:write(("d%d/x"):format(i), "") end
    local count = 0
    for path, kind in assert(fs.walk(dir.path)) do
      if count == 0 then assert(fs.remove(path, { recursive = true })) end
      count = count + (kind == "directory" and 1 or 0)
    end
    assert.equal(20, count)
  end)

  it("raises at a directory that may not be read, or tells on_error and goes on", function()
    dir:write("closed/a", "")
    dir:write("open/b", "")
    fs.chmod(dir.path, 493)
    fs.chmod(dir:path_of "open", 493)
    fs.chmod(dir:path_of "closed", 0)
    local out = unprivileged([[
      local fs, timer = require "neap.fs", require "neap.timer"
      local dir = arg[1]
      print(pcall(function() for _ in fs.walk(dir) do end end))
      local seen, told = {}, {}
      local function on_error(path, message, code)
        timer.sleep(0) -- it may wait
        told[#told + 1] = path .. " | " .. message .. " | " .. code
      end
      for path in fs.walk(dir, { on_error = on_error }) do seen[#seen + 1] = path:sub(#dir + 2) end
      table.sort(seen)
      print(table.concat(seen, " "))
      print(table.concat(told, "\n"))
      print(fs.walk(dir .. "/closed"))
    ]], dir.path)
    fs.chmod(dir:path_of "closed", 448)
    if not out then return pending("no setpriv here") end
    local closed = dir:path_of "closed"
    local message = "walk " .. closed .. ": permission denied"
    local lines = {}
    for line in out:gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert.same({
      "false\tscript.lua:3: " .. message,
      "closed open open/b",
      closed .. " | " .. message .. " | EACCES",
      "nil\t" .. message .. "\tEACCES",
    }, lines)
  end)

  it("does with few descriptors, as do copy and remove", function()
    local out = support.output([[
      local fs = require "neap.fs"
      local dir <close> = assert(fs.tempdir { dir = "." })
      local deep = dir.path .. "/d"
      assert(fs.mkdir(deep .. ("/d"):rep(199), { parents = true }))
      local count = 0
      for _ in assert(fs.walk(dir.path)) do count = count + 1 end
      assert(fs.copy(deep, dir.path .. "/copy", { recursive = true }))
      assert(fs.remove(deep, { recursive = true }))
      for _ in assert(fs.walk(dir.path, { follow = true })) do count = count + 1 end
      print(count)
    ]], { setup = "ulimit -n 20" })
    assert.equal("400\n", out)
  end)

  it("is seen as a leak where it is left open", function()
    local kept
    local check <close> = test.leaks()
    local line = debug.getinfo(1, "l").currentline + 1
    kept = { assert(fs.walk("/")) }
    local leaks = check:list()
    assert.equal(1, #leaks)
    assert.equal("walk", leaks[1].kind)
    assert.matches("walk_spec.lua:" .. line .. "$", leaks[1].where)
    kept[4]:close()
    assert.same({}, check:list())
  end)

  it("holds a few descriptors, and none when it is left", function()
    local count = function()
      local list = fs.list("/proc/self/fd")
      return list and #list
    end
    if not count() then return pending("no /proc here") end
    for i = 1, 50 do dir:write(("d/"):rep(i) .. "x", "") end
    collectgarbage()
    local before = count()
    for path in assert(fs.walk(dir.path)) do
      if path:find("/x$") then break end
    end
    assert.equal(before, count())
    local task = neap.go(function()
      for _ in fs.walk(dir.path) do neap.tasks() end
    end)
    task:cancel()
    task:join()
    collectgarbage()
    test.eventually(function() return count() <= before end)
  end)
end)
