local fs, neap, test, timer = require "neap.fs", require "neap", require "neap.test", require "neap.timer"
local scratch = require "spec.support.scratch"
local support = require "spec.support.neap"
local unprivileged = require "spec.support.unprivileged"

local dir
before_each(function() dir = test.tempdir() end)

local function exists(path)
  return fs.lstat(path) ~= nil
end

-- All that is below, as "name kind".
local function tree(path)
  local list = {}
  for one, kind in assert(fs.walk(path)) do list[#list + 1] = one:sub(#path + 2) .. " " .. kind end
  table.sort(list)
  return list
end

local function perl(path, script)
  return os.execute(("cd %s && perl -e '%s'"):format(path, script))
end

describe("fs.mkdir", function()
  it("makes a directory, in both forms", function()
    local path = dir:path_of "a"
    assert.is_true(fs.mkdir(path))
    assert.equal("directory", fs.stat(path).kind)
    local expected = { nil, "mkdir " .. path .. ": file already exists", "EEXIST" }
    assert.same(expected, { fs.mkdir(path) })
    local got
    fs.mkdir(path, function(...) got = { ... } end):join()
    assert.same(expected, got)
    assert.equal("ENOENT", select(3, fs.mkdir(dir:path_of "b/c")))
  end)

  it("makes its parents, and takes what is there", function()
    assert.is_true(fs.mkdir(dir:path_of "a/b/c", { parents = true }))
    assert.is_true(fs.mkdir(dir:path_of "a/b/c", { parents = true }))
    assert.is_true(fs.mkdir(dir.path .. "//d///e//", { parents = true }))
    assert.same({ "a directory", "a/b directory", "a/b/c directory", "d directory", "d/e directory" }, tree(dir.path))
    assert.is_true(fs.mkdir("/", { parents = true }))
    assert.is_true(fs.mkdir(".", { parents = true }))
  end)

  it("does not take a file for a directory", function()
    local file = dir:write("file", "")
    assert.equal("EEXIST", select(3, fs.mkdir(file, { parents = true })))
    assert.equal("ENOTDIR", select(3, fs.mkdir(file .. "/a", { parents = true })))
    assert.equal("ENOTDIR", select(3, fs.mkdir(file .. "/a/b/c", { parents = true })))
    assert.equal("ENOENT", select(3, fs.mkdir("", { parents = true })))
  end)

  it("gives it the permissions that are asked for", function()
    assert(fs.mkdir(dir:path_of "a/b", { parents = true, mode = 448 }))
    assert.equal(448, fs.stat(dir:path_of "a/b").mode)
    assert.error_matches(function() fs.mkdir("x", { mode = "rwx" }) end, "mode must be an integer from 0 to 4095")
    assert.error_matches(function() fs.mkdir("x", { mode = 1 << 20 }) end, "mode must be an integer from 0 to 4095")
    assert.error_matches(function() fs.mkdir("x", { parent = true }) end, "unknown option 'parent'")
  end)

  it("is done by many at once", function()
    neap.group(function(group)
      for _ = 1, 20 do group:go(function() assert(fs.mkdir(dir:path_of "a/b/c/d/e", { parents = true })) end) end
    end)
  end)
end)

describe("fs.remove", function()
  it("removes a file, a link, and an empty directory, in both forms", function()
    local file = dir:write("file", "")
    fs.symlink("file", dir:path_of "link")
    fs.mkdir(dir:path_of "empty")
    assert.is_true(fs.remove(dir:path_of "link"))
    assert.is_true(exists(file))
    local got
    fs.remove(file, function(...) got = { ... } end):join()
    assert.same({ true }, got)
    assert.is_true(fs.remove(dir:path_of "empty"))
    assert.same({}, fs.list(dir.path))
    assert.same({ nil, "remove " .. file .. ": no such file or directory", "ENOENT" }, { fs.remove(file) })
    assert.equal("ENOENT", select(3, fs.remove(file, { recursive = true })))
  end)

  it("removes a tree only if it is told to", function()
    dir:write("a/b/c", "")
    local a = dir:path_of "a"
    assert.same({ nil, "remove " .. a .. ": directory not empty", "ENOTEMPTY" }, { fs.remove(a) })
    assert.is_true(fs.remove(a .. "/", { recursive = true }))
    assert.is_false(exists(a))
    dir:write("file", "")
    assert.is_true(fs.remove(dir:path_of "file", { recursive = true }))
  end)

  it("leaves what links lead to", function()
    local other = test.tempdir()
    other:write("kept", "text")
    dir:write("a/b", "")
    fs.symlink(other.path, dir:path_of "a/link")
    assert.is_true(fs.remove(dir:path_of "a", { recursive = true }))
    assert.equal("text", other:read "kept")
    fs.symlink(other.path, dir:path_of "link")
    assert.is_true(fs.remove(dir:path_of "link", { recursive = true }))
    assert.equal("text", other:read "kept")
    fs.symlink(other.path, dir:path_of "link")
    assert.equal("ENOTDIR", select(3, fs.remove(dir:path_of "link" .. "/", { recursive = true })))
    assert.equal("text", other:read "kept")
  end)

  it("refuses what cannot be meant", function()
    assert.same({ nil, "remove /: the root directory is not removed", "EINVAL" },
      { fs.remove("/", { recursive = true }) })
    for _, path in ipairs { ".", "..", dir.path .. "/.", dir.path .. "/a/..", dir.path .. "/./" } do
      assert.same({ nil, "remove " .. path .. ": '.' and '..' are not removed: give the directory its name", "EINVAL" },
        { fs.remove(path, { recursive = true }) })
    end
    assert.equal("ENOENT", select(3, fs.remove("")))
    assert.equal("ENOENT", select(3, fs.remove(dir:path_of "...", { recursive = true })))
  end)

  it("never leaves the tree, though directories turn into links meanwhile", function()
    local place <close> = scratch()
    local other <close> = scratch()
    assert(fs.mkdir(other.path .. "/kept"))
    -- another process makes a tree, and swaps a directory in it for a link, over and over
    local swap = [[cd %s && perl -e '
      my $end = time + 10;
      while (!-e "stop" && time < $end) {
        mkdir "tree"; mkdir "tree/d"; mkdir "tree/d/$_" for 1 .. 20;
        for (1 .. 50) {
          rename "tree/d", "tree/m"; symlink $ARGV[0], "tree/d"; unlink "tree/d"; rename "tree/m", "tree/d";
        }
      }' %s]]
    local swapping = io.popen(swap:format(place.path, other.path))
    local ending = timer.monotonic() + 0.5
    repeat fs.remove(place.path .. "/tree", { recursive = true }) -- or it fails, and that is all
    until timer.monotonic() > ending
    assert(fs.mkdir(place.path .. "/stop"))
    swapping:close() -- waits for it
    assert.equal("directory", (fs.stat(other.path .. "/kept") or {}).kind)
  end)

  it("stays where it began, though the working directory changes", function()
    local place <close> = scratch()
    local out = support.output([[
      local found, lfs = pcall(require, "lfs")
      if not found then return end
      local fs, neap, timer = require "neap.fs", require "neap", require "neap.timer"
      assert(lfs.chdir(arg[1]))
      os.execute("mkdir -p a/t b/t && cd a/t && seq 1 20000 | xargs touch")
      lfs.chdir "a"
      local task = neap.go(fs.remove, "t", { recursive = true })
      timer.sleep(0.005)
      lfs.chdir "../b"
      print(task:join())
      print(fs.lstat(arg[1] .. "/a/t") == nil, fs.lstat(arg[1] .. "/b/t") ~= nil)
    ]], { args = { place.path } })
    if out == "" then return pending("no lfs here") end
    assert.equal("true\ntrue\ttrue\n", out)
  end)

  it("removes a tree of thousands of levels, and a directory of thousands of names", function()
    local place <close> = scratch()
    local deep = [[for (1..3000) { mkdir "d"; chdir "d" or die } open F, ">x"]]
    if not perl(place.path, deep) then return pending("no perl here") end
    assert.is_true(fs.remove(place.path .. "/d", { recursive = true }))
    assert(perl(place.path, [[mkdir "d"; for (1..10000) { open F, ">d/$_" }]]))
    assert.is_true(fs.remove(place.path .. "/d", { recursive = true }))
    assert.same({}, fs.list(place.path))
  end)

  it("removes what it can, and names the first thing that it cannot", function()
    fs.chmod(dir.path, 511)
    local out = unprivileged([[
      local fs = require "neap.fs"
      local dir = arg[1] .. "/tree"
      assert(fs.mkdir(dir .. "/closed/a", { parents = true }))
      for i = 1, 5 do assert(fs.mkdir(dir .. "/d" .. i)) end
      assert(fs.mkdir(dir .. "/empty", { mode = 0 }))
      assert(fs.chmod(dir .. "/closed", 256 + 64))
      print(fs.remove(dir, { recursive = true }))
      for _, entry in ipairs(fs.list(dir)) do print(entry.name) end
      assert(fs.chmod(dir .. "/closed", 448))
      print(fs.remove(dir, { recursive = true }))
    ]], dir.path)
    if not out then return pending("no setpriv here") end
    local lines = {}
    for line in out:gmatch("[^\n]+") do lines[#lines + 1] = line end
    if io.popen("id -u"):read("n") == 0 or #lines == 3 then
      assert.same({ "nil\tremove " .. dir:path_of "tree/closed/a" .. ": permission denied\tEACCES", "closed", "true" },
        lines)
    end
  end)

  it("stops soon when it is cancelled, and nothing goes on behind its back", function()
    local place <close> = scratch()
    local path = place.path .. "/d"
    if not perl(place.path, [[mkdir "d"; for (1..20000) { open F, ">d/$_" }]]) then return pending("no perl here") end
    local task = neap.go(fs.remove, path, { recursive = true })
    timer.sleep(0)
    assert.is_true(task:cancel())
    task:join()
    local left = fs.list(path)
    if left then
      timer.sleep(0.01)
      assert.equal(#left, #assert(fs.list(path)))
    end
  end)

  it("raises for options it does not know", function()
    assert.error_matches(function() fs.remove("a", { force = true }) end,
      "unknown option 'force' %(there are: recursive%)")
    assert.error_matches(function() fs.remove("a", { recursive = 1 }) end, "recursive must be true or false")
  end)
end)
