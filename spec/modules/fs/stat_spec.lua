local fs, neap, test = require "neap.fs", require "neap", require "neap.test"
local unprivileged = require "spec.support.unprivileged"

local dir, file
before_each(function()
  dir = test.tempdir()
  file = dir:write("file", "hello")
end)

-- The same function in both forms: they must give the same.
local function both(name, ...)
  local waited = table.pack(fs[name](...))
  local arguments, got = table.pack(...), nil
  arguments[arguments.n + 1] = function(...) got = table.pack(...) end
  local call = fs[name](table.unpack(arguments, 1, arguments.n + 1))
  assert.is_nil(got)
  call:join()
  assert.same(waited, got)
  return table.unpack(waited, 1, waited.n)
end

describe("fs.stat", function()
  it("tells all that is known, in both forms", function()
    local info = both("stat", file)
    assert.equal("file", info.kind)
    assert.equal(5, info.size)
    assert.equal(1, info.nlink)
    for _, name in ipairs { "size", "mode", "uid", "gid", "nlink", "ino", "dev", "rdev", "blocks", "blksize" } do
      assert.equal("integer", math.type(info[name]), name)
    end
    for _, name in ipairs { "atime", "mtime", "ctime" } do assert.equal("float", math.type(info[name]), name) end
    assert.is_true(info.btime == nil or math.type(info.btime) == "float")
    assert.is_true(math.abs(info.mtime - os.time()) < 60)
  end)

  it("knows the kinds", function()
    os.execute(("mkfifo %s/fifo; ln -s file %s/link"):format(dir.path, dir.path))
    assert.equal("directory", fs.stat(dir.path).kind)
    assert.equal("fifo", fs.stat(dir:path_of "fifo").kind)
    assert.equal("char", fs.stat("/dev/null").kind)
    assert.equal("file", fs.stat(dir:path_of "link").kind)
    assert.equal("link", fs.lstat(dir:path_of "link").kind)
    assert.equal(4, fs.lstat(dir:path_of "link").size)
  end)

  it("says what is not there, and what leads nowhere", function()
    local none = dir:path_of "none"
    assert.same({ nil, "stat " .. none .. ": no such file or directory", "ENOENT" }, { both("stat", none) })
    assert.equal("ENOTDIR", select(3, fs.stat(file .. "/a")))
    assert.equal("ENOENT", select(3, fs.stat("")))
    assert.equal("ENAMETOOLONG", select(3, fs.stat(dir:path_of(("x"):rep(256)))))
    assert.equal("ENAMETOOLONG", select(3, fs.stat(("a/"):rep(3000))))
    fs.symlink("b", dir:path_of "a")
    fs.symlink("a", dir:path_of "b")
    assert.equal("ELOOP", select(3, fs.stat(dir:path_of "a")))
    assert.equal("link", fs.lstat(dir:path_of "a").kind)
  end)

  it("knows sizes above 4 GiB", function()
    local big = dir:path_of "big"
    os.execute("truncate -s 5G " .. big)
    assert.equal(5 << 30, fs.stat(big).size)
    assert.equal("integer", math.type(fs.stat(big).size))
  end)

  it("raises for what is no path", function()
    assert.error_matches(function() fs.stat() end, "bad argument #1 to '.-stat' %(string expected")
    assert.error_matches(function() fs.stat({}) end, "string expected")
    assert.error_matches(function() fs.stat("a\0b") end, "bad argument #1")
    assert.error_matches(function() fs.stat("a", 5) end, "bad argument #2 to '.-stat' %(function expected")
    assert.error_matches(function() fs.stat("a", {}) end, "bad argument #2 to '.-stat' %(function expected")
  end)

  it("takes every byte but zero", function()
    local bytes = {}
    for byte = 1, 255 do
      if string.char(byte) ~= "/" then bytes[#bytes + 1] = string.char(byte) end
    end
    local name = table.concat(bytes)
    dir:write("x", "")
    assert(fs.rename(dir:path_of "x", dir.path .. "/" .. name))
    assert.equal("file", fs.stat(dir.path .. "/" .. name).kind)
    local names = {}
    for _, entry in ipairs(fs.list(dir.path)) do names[entry.name] = entry.kind end
    assert.equal("file", names[name])
  end)

  it("may be cancelled while it waits", function()
    local task = neap.go(fs.stat, file)
    local call = fs.stat(file, function() error "not reached" end)
    task:cancel()
    call:cancel()
    task:join()
    call:join()
  end)
end)

describe("fs.access", function()
  it("says what is allowed, and that something is there", function()
    assert.is_true(both("access", file))
    assert.is_true(both("access", file, "rw"))
    assert.is_true(fs.access(dir.path, "rwx"))
    assert.same({ nil, "access " .. file .. ": permission denied", "EACCES" }, { both("access", file, "x") })
    assert.equal("ENOENT", select(3, fs.access(dir:path_of "none")))
  end)

  it("knows who asks", function()
    fs.chmod(dir.path, 493)
    fs.chmod(file, 384) -- 0600
    local out = unprivileged([[
      local fs = require "neap.fs"
      print(fs.access(arg[1]), select(3, fs.access(arg[1], "r")), select(3, fs.access(arg[2], "w")))
    ]], file, dir.path)
    if not out then return pending("no setpriv here") end
    if io.popen("id -u"):read("n") == 0 then assert.equal("true\tEACCES\tEACCES\n", out) end
  end)

  it("raises for what it does not know", function()
    assert.error_matches(function() fs.access(file, "rq") end, "access is asked for as")
    assert.error_matches(function() fs.access(file, "r", {}) end, "function expected")
  end)
end)

describe("fs.chmod, fs.chown", function()
  it("sets permissions, in both forms", function()
    assert.is_true(both("chmod", file, 420))
    assert.equal(420, fs.stat(file).mode)
    assert.is_true(fs.chmod(file, 0xfff))
    assert.equal(0xfff, fs.stat(file).mode)
    assert.equal("ENOENT", select(3, fs.chmod(dir:path_of "none", 420)))
  end)

  it("follows links", function()
    fs.symlink("file", dir:path_of "link")
    assert(fs.chmod(dir:path_of "link", 256))
    assert.equal(256, fs.stat(file).mode)
  end)

  it("raises for what are no permissions, and no ids", function()
    assert.error_matches(function() fs.chmod(file, 4096) end, "permission bits lie from 0")
    assert.error_matches(function() fs.chmod(file, -1) end, "permission bits lie from 0")
    assert.error_matches(function() fs.chmod(file, 1.5) end, "number has no integer representation")
    assert.error_matches(function() fs.chmod(file) end, "bad argument #2")
    assert.error_matches(function() fs.chown(file, -2, 0) end, "no id of a user")
    assert.error_matches(function() fs.chown(file, 0, 1 << 32) end, "no id of a user")
    assert.error_matches(function() fs.chown(file, 0) end, "bad argument #3")
  end)

  it("gives a file away, or says that it may not", function()
    local info = fs.stat(file)
    assert.is_true(both("chown", file, info.uid, info.gid))
    assert.is_true(fs.chown(file, -1, -1))
    assert.equal(info.uid, fs.stat(file).uid)
    local out = unprivileged([[
      local fs = require "neap.fs"
      print(fs.chown("/etc/passwd", 65534, 65534))
    ]])
    if not out then return pending("no setpriv here") end
    assert.equal("nil\tchown /etc/passwd: operation not permitted\tEPERM\n", out)
  end)
end)

describe("fs.utime", function()
  it("sets times, with fractions, and before 1970", function()
    assert.is_true(both("utime", file, 1700000000, 1600000000.25))
    local info = fs.stat(file)
    assert.equal(1700000000, info.atime)
    assert.equal(1600000000.25, info.mtime)
    assert(fs.utime(file, 0, -1.5))
    assert.equal(-1.5, fs.stat(file).mtime)
  end)

  it("sets what stat has told", function()
    local other = dir:write("other", "")
    local info = fs.stat(file)
    assert(fs.utime(other, info.atime, info.mtime))
    assert.equal(info.mtime, fs.stat(other).mtime)
  end)

  it("says what is not there, and raises for what is no time", function()
    assert.equal("ENOENT", select(3, fs.utime(dir:path_of "none", 0, 0)))
    assert.error_matches(function() fs.utime(file, 0) end, "bad argument #3")
    assert.error_matches(function() fs.utime(file, 0, 0 / 0) end, "no time")
    assert.error_matches(function() fs.utime(file, math.huge, 0) end, "no time")
    assert.error_matches(function() fs.utime(file, math.maxinteger, 0) end, "no time")
  end)
end)

describe("fs.space", function()
  it("tells how much there is, in bytes", function()
    local space = both("space", dir.path)
    assert.equal("integer", math.type(space.total))
    assert.is_true(space.total >= space.free and space.free >= space.available)
    assert.same({ nil, "space /none: no such file or directory", "ENOENT" }, { fs.space("/none") })
  end)
end)
