local fs, neap, test, timer = require "neap.fs", require "neap", require "neap.test", require "neap.timer"
local scratch = require "spec.support.scratch"

local dir
before_each(function() dir = test.tempdir() end)

local function names(path)
  local list = {}
  for _, entry in ipairs(assert(fs.list(path))) do list[#list + 1] = entry.name end
  return list
end

describe("fs.copy", function()
  it("copies a file: bytes, permissions and times; in both forms", function()
    local text = ("zero \0 and \r\n"):rep(50000)
    local from, to = dir:write("from", text), dir:path_of "to"
    fs.chmod(from, 416)
    fs.utime(from, 1000, 2000.5)
    assert.is_true(fs.copy(from, to))
    assert.equal(text, dir:read "to")
    local info = fs.stat(to)
    assert.same({ 416, 2000.5, #text }, { info.mode, info.mtime, info.size })
    local got
    fs.copy(from, dir:path_of "other", function(...) got = { ... } end):join()
    assert.same({ true }, got)
    assert.same({ "from", "other", "to" }, names(dir.path))
  end)

  it("copies an empty one, and one whose size the system does not tell", function()
    assert.is_true(fs.copy(dir:write("empty", ""), dir:path_of "to"))
    assert.equal("", dir:read "to")
    if not fs.stat("/proc/self/status") then return end
    assert.is_true(fs.copy("/proc/self/status", dir:path_of "status"))
    assert.matches("Name:", dir:read "status")
  end)

  it("replaces what is there, unless it is told not to", function()
    local from, to = dir:write("from", "new"), dir:write("to", "old")
    fs.link(to, dir:path_of "second")
    assert.same({ nil, "copy " .. from .. " -> " .. to .. ": file already exists", "EEXIST" },
      { fs.copy(from, to, { overwrite = false }) })
    assert.equal("old", dir:read "to")
    assert.is_true(fs.copy(from, to))
    assert.equal("new", dir:read "to")
    assert.equal("old", dir:read "second") -- the name was replaced, not the bytes
    assert.is_true(fs.copy(from, dir:path_of "fresh", { overwrite = false }))
    assert.same({ "fresh", "from", "second", "to" }, names(dir.path))
  end)

  it("replaces a link, and does not write through it", function()
    local kept = dir:write("kept", "kept")
    fs.symlink("kept", dir:path_of "link")
    assert.is_true(fs.copy(dir:write("from", "new"), dir:path_of "link"))
    assert.equal("kept", dir:read "kept")
    assert.equal("file", fs.lstat(dir:path_of "link").kind)
    fs.symlink("kept", dir:path_of "source")
    assert.is_true(fs.copy(dir:path_of "source", dir:path_of "copy")) -- the path given is followed
    assert.equal("file", fs.lstat(dir:path_of "copy").kind)
    assert.is_true(fs.stat(kept).size == 4)
  end)

  it("refuses a file onto itself, by any name", function()
    local from = dir:write("from", "text")
    fs.link(from, dir:path_of "hard")
    for _, to in ipairs { from, dir.path .. "/./from", dir:path_of "hard" } do
      assert.same({ nil, "copy " .. from .. " -> " .. to .. ": they are the same", "EINVAL" }, { fs.copy(from, to) })
    end
    assert.equal("text", dir:read "from")
  end)

  it("says what it cannot copy, and leaves nothing of it", function()
    local from, none = dir:write("from", "text"), dir:path_of "none"
    local sub = dir:path_of "sub"
    fs.mkdir(sub)
    os.execute("mkfifo " .. dir:path_of "fifo")
    assert.same({ nil, "copy " .. none .. " -> " .. sub .. ": no such file or directory", "ENOENT" },
      { fs.copy(none, sub) })
    assert.equal("EISDIR", select(3, fs.copy(from, sub)))
    assert.equal("ENOENT", select(3, fs.copy(from, none .. "/a")))
    assert.equal("ENOTDIR", select(3, fs.copy(from, from .. "/a")))
    assert.equal("ENAMETOOLONG", select(3, fs.copy(from, dir:path_of(("x"):rep(300)))))
    local _, message, code = fs.copy(sub, none)
    assert.matches("a directory is copied with 'recursive'", message)
    assert.equal("EISDIR", code)
    for _, special in ipairs { dir:path_of "fifo", "/dev/zero" } do
      _, message, code = fs.copy(special, none)
      assert.matches("only files, directories, links and fifos are copied", message)
      assert.equal("EINVAL", code)
    end
    _, message, code = fs.copy(from, dir:path_of "fifo")
    assert.matches("something else than a file is there", message)
    assert.equal("EEXIST", code)
    assert.same({ "fifo", "from", "sub" }, names(dir.path))
  end)

  it("leaves no half of a file where the disk is full", function()
    local small = dir:path_of "small"
    fs.mkdir(small)
    if not os.execute(("mount -t tmpfs -o size=256k tmpfs %s 2>/dev/null"):format(small)) then
      return pending("no right to mount here")
    end
    finally(function() os.execute("umount " .. small) end)
    local from = dir:write("from", ("x"):rep(1 << 20))
    dir:write("small/old", "old")
    assert.equal("ENOSPC", select(3, fs.copy(from, dir:path_of "small/new")))
    assert.equal("ENOSPC", select(3, fs.copy(from, dir:path_of "small/old")))
    assert.equal("old", dir:read "small/old")
    assert.same({ "old" }, names(small))
  end)

  it("keeps holes, also in files above 4 GiB", function()
    local big = dir:path_of "big"
    os.execute(("truncate -s 5G %s && printf end | dd of=%s bs=1 seek=%d conv=notrunc 2>/dev/null"):format(big, big,
      (5 << 30) - 3))
    local to = dir:path_of "copy"
    assert.is_true(fs.copy(big, to))
    local info = fs.stat(to)
    assert.equal(5 << 30, info.size)
    assert.is_true(info.blocks < 10000, info.blocks)
    local file <close> = io.open(to, "rb")
    file:seek("set", (5 << 30) - 4)
    assert.equal("\0end", file:read("a"))
    os.execute("truncate -s 6G " .. big) -- a hole at the end
    assert.is_true(fs.copy(big, to))
    assert.equal(6 << 30, fs.stat(to).size)
  end)

  it("stops soon when it is cancelled, and leaves nothing", function()
    local place <close> = scratch()
    local big = place.path .. "/big"
    os.execute("head -c 200000000 /dev/zero > " .. big)
    local task = neap.go(fs.copy, big, place.path .. "/to")
    timer.sleep(0.005)
    local cancelled = task:cancel()
    task:join()
    if cancelled then assert.same({ "big" }, names(place.path)) end
  end)

  it("raises for options it does not know", function()
    assert.error_matches(function() fs.copy("a", "b", { force = true }) end,
      "unknown option 'force' %(there are: overwrite, recursive%)")
    assert.error_matches(function() fs.copy("a") end, "bad argument #2")
    assert.error_matches(function() fs.copy("a", "b\0") end, "bad argument #2")
  end)
end)

describe("fs.copy, of a tree", function()
  local from, to
  before_each(function()
    from, to = dir:path_of "from", dir:path_of "to"
    dir:write("from/a/b", "b")
    dir:write("from/c", "c")
    fs.symlink("a/b", dir:path_of "from/link")
    fs.symlink("nowhere", dir:path_of "from/dangling")
    fs.mkdir(dir:path_of "from/empty", { mode = 320 })
  end)

  it("copies all of it, links as links", function()
    os.execute("mkfifo " .. dir:path_of "from/fifo")
    fs.utime(dir:path_of "from/a", 1, 2)
    fs.chmod(dir:path_of "from/a", 488)
    assert.is_true(fs.copy(from, to, { recursive = true }))
    assert.equal("b", dir:read "to/a/b")
    assert.equal("c", dir:read "to/c")
    assert.equal("a/b", fs.readlink(dir:path_of "to/link"))
    assert.equal("nowhere", fs.readlink(dir:path_of "to/dangling"))
    assert.equal("fifo", fs.stat(dir:path_of "to/fifo").kind)
    assert.equal(320, fs.stat(dir:path_of "to/empty").mode)
    local info = fs.stat(dir:path_of "to/a")
    assert.same({ 488, 2.0 }, { info.mode, info.mtime })
  end)

  it("puts it over what is there", function()
    dir:write("to/a/old", "old")
    dir:write("to/c", "old")
    dir:write("to/link", "old")
    assert.is_true(fs.copy(from, to, { recursive = true }))
    assert.same({ "b", "old" }, names(dir:path_of "to/a"))
    assert.equal("c", dir:read "to/c")
    assert.equal("link", fs.lstat(dir:path_of "to/link").kind)
    local c = dir:path_of "from"
    assert.same({ nil, "copy " .. c .. " -> " .. to .. ": file already exists", "EEXIST" },
      { fs.copy(c, to, { recursive = true, overwrite = false }) })
  end)

  it("does not write through a link in the target", function()
    local other = test.tempdir()
    fs.mkdir(to)
    fs.symlink(other.path, dir:path_of "to/a")
    local _, message, code = fs.copy(from, to, { recursive = true })
    assert.equal("ENOTDIR", code)
    assert.equal("copy " .. from .. "/a -> " .. to .. "/a: not a directory", message)
    assert.same({}, names(other.path))
  end)

  it("refuses to copy a directory into itself", function()
    for _, into in ipairs { from, from .. "/new", from .. "/a/new", from .. "/a", dir.path .. "/from/../from/a/x" } do
      assert.same({ nil, "copy " .. from .. " -> " .. into .. ": a directory is not copied into itself", "EINVAL" },
        { fs.copy(from, into, { recursive = true }) })
    end
    fs.symlink("from/a", dir:path_of "inside")
    assert.equal("EINVAL", select(3, fs.copy(from, dir:path_of "inside/x", { recursive = true })))
    assert.is_true(fs.copy(dir:path_of "from/a", dir:path_of "from/a2", { recursive = true }))
  end)

  it("ends with the first failure, and names both sides of it", function()
    local socket = assert(require "neap.net".listen("unix:" .. from .. "/a/socket", function() end))
    finally(function() socket:close() end)
    local place = "/a/socket"
    assert.same({ nil, ("copy %s%s -> %s%s: only files, directories, links and fifos are copied"):format(from, place,
      to, place), "EINVAL" }, { fs.copy(from, to, { recursive = true }) })
  end)

  it("copies thousands of levels", function()
    local place <close> = scratch()
    local script = [[cd %s && mkdir from && cd from && perl -e 'for (1..3000) { mkdir "d"; chdir "d" or die }
      open F, ">x"']]
    if not os.execute(script:format(place.path)) then return pending("no perl here") end
    assert.is_true(fs.copy(place.path .. "/from", place.path .. "/to", { recursive = true }))
    local count = 0
    for _ in assert(fs.walk(place.path .. "/to")) do count = count + 1 end
    assert.equal(3001, count)
  end)

  it("does not keep others from the pool's threads", function()
    for i = 1, 300 do dir:write(("from/many/%d"):format(i), ("x"):rep(10000)) end
    local copies = {}
    for i = 1, 8 do copies[i] = neap.go(fs.copy, from, to .. i, { recursive = true }) end
    timer.sleep(0)
    assert.equal("directory", fs.stat(from).kind) -- while they go on
    for i = 1, 8 do assert.is_true(copies[i]:join()) end
  end)
end)
