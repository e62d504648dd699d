local test = require "neap.test"

describe("test.tempdir", function()
  local function exists(path)
    return os.rename(path, path) == true
  end

  it("is a directory, and gone when it is closed", function()
    local dir = test.tempdir()
    assert.is_true(exists(dir.path))
    dir:write("a", "text")
    dir:close()
    assert.is_false(exists(dir.path))
    dir:close()
  end)

  it("is another one each time", function()
    assert.not_equal(test.tempdir().path, test.tempdir().path)
  end)

  it("goes with its block, and when that fails", function()
    local path
    pcall(function()
      local dir <close> = test.tempdir()
      path = dir.path
      error "it fails"
    end)
    assert.is_false(exists(path))
  end)

  it("writes and reads files, whole", function()
    local dir = test.tempdir()
    local text = "zero \0 and \r\n"
    local path = dir:write("a.bin", text)
    assert.equal(dir:path_of "a.bin", path)
    assert.equal(text, dir:read "a.bin")
    dir:write("a.bin", "less")
    assert.equal("less", dir:read "a.bin")
    dir:write("empty", "")
    assert.equal("", dir:read "empty")
  end)

  it("makes the directories that a name has", function()
    local dir = test.tempdir()
    dir:write("a/b/c.lua", "return 'c'")
    dir:write("a/b/d.lua", "return 'd'")
    assert.equal("c", dofile(dir.path .. "/a/b/c.lua"))
    assert.equal("d", dofile(dir:path_of "a/b/d.lua"))
  end)

  it("says what it cannot read", function()
    local dir = test.tempdir()
    local text, message = dir:read "none"
    assert.is_nil(text)
    assert.matches("none: No such file", message)
  end)

  it("removes links and not what they point to, and what it may not read", function()
    local other, dir = test.tempdir(), test.tempdir()
    other:write("kept", "text")
    os.execute(("ln -s %s %s/link; mkdir %s/closed"):format(other.path, dir.path, dir.path))
    dir:close()
    assert.equal("text", other:read "kept")
  end)

  it("raises for names that lead out of it", function()
    local dir = test.tempdir()
    for _, name in ipairs { "/etc/passwd", "../a", "a/../../b", ".." } do
      assert.has_error(function() dir:write(name, "") end, ("'%s' lies outside of the directory"):format(name))
      assert.has_error(function() dir:path_of(name) end)
      assert.has_error(function() dir:read(name) end)
    end
    assert.has_error(function() dir:read() end, "bad argument 'name' (string expected, got nil)")
    assert.is_string(dir:path_of "a..b/.hidden")
  end)
end)
