local fs, test = require "neap.fs", require "neap.test"

local dir, file
before_each(function()
  dir = test.tempdir()
  file = dir:write("file", "text")
end)

describe("fs.symlink, fs.readlink", function()
  it("makes a link with any text, and reads it", function()
    local path = dir:path_of "link"
    assert.is_true(fs.symlink("some/where \xff\n", path))
    assert.equal("some/where \xff\n", fs.readlink(path))
    local long = ("x/"):rep(2000)
    assert.is_true(fs.symlink(long, dir:path_of "long"))
    local got
    fs.readlink(dir:path_of "long", function(text) got = text end):join()
    assert.equal(long, got)
  end)

  it("says what is there already, and what is no link", function()
    assert.same({ nil, "symlink a -> " .. file .. ": file already exists", "EEXIST" }, { fs.symlink("a", file) })
    assert.same({ nil, "readlink " .. file .. ": invalid argument", "EINVAL" }, { fs.readlink(file) })
    assert.equal("ENOENT", select(3, fs.readlink(dir:path_of "none")))
  end)

  it("reads links whose length the system does not tell", function()
    if not fs.lstat("/proc/self/exe") then return pending("no /proc here") end
    assert.matches("neap$", fs.readlink("/proc/self/exe"))
  end)
end)

describe("fs.link", function()
  it("gives a file one more name", function()
    local other = dir:path_of "other"
    assert.is_true(fs.link(file, other))
    assert.equal(fs.stat(file).ino, fs.stat(other).ino)
    assert.equal(2, fs.stat(file).nlink)
    local expected = { nil, "link " .. file .. " -> " .. other .. ": file already exists", "EEXIST" }
    assert.same(expected, { fs.link(file, other) })
    local got
    fs.link(file, other, function(...) got = { ... } end):join()
    assert.same(expected, got)
    assert.equal("ENOENT", select(3, fs.link(dir:path_of "none", dir:path_of "x")))
  end)
end)

describe("fs.rename", function()
  it("renames, over what is there", function()
    local to = dir:write("to", "old")
    assert.is_true(fs.rename(file, to))
    assert.equal("text", dir:read "to")
    assert.same({ nil, "rename " .. file .. " -> " .. to .. ": no such file or directory", "ENOENT" },
      { fs.rename(file, to) })
  end)

  it("says why it cannot", function()
    fs.mkdir(dir:path_of "full/a", { parents = true })
    fs.mkdir(dir:path_of "empty")
    assert.equal("ENOTEMPTY", select(3, fs.rename(dir:path_of "empty", dir:path_of "full")))
    assert.equal("EISDIR", select(3, fs.rename(file, dir:path_of "full")))
    assert.equal("ENOTDIR", select(3, fs.rename(dir:path_of "full", file)))
    assert.equal("EINVAL", select(3, fs.rename(dir:path_of "full", dir:path_of "full/a/b")))
  end)

  it("does not copy from one file system to another", function()
    local here, place = fs.stat(dir.path).dev, nil
    for _, path in ipairs { "/dev/shm", "/tmp", "/var/tmp", "." } do
      local info = fs.access(path, "w") and fs.stat(path)
      if info and info.dev ~= here then place = path end
    end
    if not place then return pending("only one file system here") end
    local other <close> = assert(fs.tempdir { dir = place })
    assert.equal("EXDEV", select(3, fs.rename(file, other.path .. "/file")))
    assert.is_true(fs.copy(file, other.path .. "/file"))
    assert.equal(4, fs.stat(other.path .. "/file").size)
  end)
end)

describe("fs.realpath", function()
  it("gives the path without links and dots", function()
    local real = fs.realpath(dir.path)
    fs.symlink("file", dir:path_of "link")
    assert.equal(real .. "/file", fs.realpath(dir.path .. "/./link"))
    assert.equal("/", fs.realpath "/..")
    assert.same({ nil, "realpath /none: no such file or directory", "ENOENT" }, { fs.realpath("/none") })
    fs.symlink("loop", dir:path_of "loop")
    assert.equal("ELOOP", select(3, fs.realpath(dir:path_of "loop")))
  end)
end)
