-- fs.write: whole files, in place and at their end.
local neap, test, timer, fs = require "neap", require "neap.test", require "neap.timer", require "neap.fs"

describe("fs.write", function()
  local dir, path

  before_each(function()
    dir = test.tempdir()
    path = dir:path_of "file"
  end)

  it("replaces what is in a file", function()
    for _, text in ipairs { "", "tea", ("0123456789abcde\0"):rep(200000), "\0", "" } do
      assert.is_true(fs.write(path, text))
      assert.is_true(dir:read "file" == text)
    end
  end)

  it("calls back with the same", function()
    local got
    local call = fs.write(path, "tea", function(...) got = table.pack(...) end)
    assert.is_nil(got)
    call:join()
    assert.same({ n = 1, true }, got)
    fs.write(dir.path, "tea", {}, function(...) got = table.pack(...) end):join()
    assert.same({ n = 3, nil, "write " .. dir.path .. ": illegal operation on a directory", "EISDIR" }, got)
  end)

  it("takes a list of strings, and numbers", function()
    local many = {}
    for i = 1, 10000 do many[i] = i .. "\n" end
    assert(fs.write(path, many))
    assert.equal(table.concat(many), dir:read "file")
    assert(fs.write(path, { "a", 1, 2.5, "" }))
    assert.equal("a12.5", dir:read "file")
    assert(fs.write(path, {}))
    assert.equal("", dir:read "file")
    assert(fs.write(path, 42))
    assert.equal("42", dir:read "file")
  end)

  it("appends, each call whole", function()
    neap.group(function(group)
      for i = 0, 9 do
        group:go(function()
          for _ = 1, 20 do assert(fs.write(path, { i, ":", ("x"):rep(100), "\n" }, { append = true })) end
        end)
      end
    end)
    local counts = {}
    for line in dir:read("file"):gmatch("[^\n]*\n") do
      local digit = line:match("^(%d):" .. ("x"):rep(100) .. "\n$")
      counts[digit] = (counts[digit] or 0) + 1
    end
    for i = 0, 9 do assert.equal(20, counts[tostring(i)]) end
  end)

  it("gives a new file its mode, an old one keeps its own", function()
    assert(fs.write(path, "", { mode = 384 })) -- rw-------
    assert.equal(384, fs.stat(path).mode)
    assert(fs.write(path, "", { mode = 448 }))
    assert.equal(384, fs.stat(path).mode)
  end)

  it("says what went wrong", function()
    local file = dir:write("other", "")
    assert(fs.symlink("loop", dir:path_of "loop"))
    for name, code in pairs {
      [dir:path_of "none/x"] = "ENOENT",
      [""] = "ENOENT",
      [dir.path] = "EISDIR",
      [file .. "/x"] = "ENOTDIR",
      [dir:path_of(("x"):rep(300))] = "ENAMETOOLONG",
      [dir:path_of "loop"] = "ELOOP",
    } do
      for _, atomic in ipairs { false, true } do
        local done, message, got = fs.write(name, "x", { atomic = atomic })
        assert.is_nil(done)
        assert.equal(code, got)
        assert.matches("^write " .. name:gsub("%p", "%%%0") .. ": %l", message)
      end
    end
    assert.same({ "loop", "other" }, { fs.list(dir.path)[1].name, fs.list(dir.path)[2].name })
    assert.is_nil(fs.list(dir.path)[3]) -- no litter
  end)

  it("says EACCES where it may not", function()
    if fs.access("/etc/passwd", "w") then return pending("root may do everything") end
    dir:write("file", "old")
    assert(fs.chmod(path, 256)) -- r--------
    for _, atomic in ipairs { false, true } do
      assert.equal("EACCES", (select(3, fs.write(path, "x", { atomic = atomic }))))
    end
    assert.equal("old", dir:read "file")
  end)

  it("says ENOSPC where there is no room", function()
    if not fs.stat("/dev/full") then return pending("no /dev/full here") end
    assert.same({ nil, "write /dev/full: no space left on device", "ENOSPC" }, { fs.write("/dev/full", "x") })
    assert.is_true(fs.write("/dev/full", ""))
    assert.is_true(fs.write("/dev/null", ("x"):rep(100000)))
  end)

  it("says EFBIG where a file may not become so big", function()
    local child <close> = require("spec.support.child").start({ dir.path }, {
      before = "ulimit -f 8",
      script = [[
        local fs = require "neap.fs"
        local path = ... .. "/file"
        for _, atomic in ipairs { false, true } do
          print(select(3, fs.write(path, ("x"):rep(100000), { atomic = atomic })))
        end
        local file <close> = assert(fs.open(path, "w"))
        print(select(3, file:write(("x"):rep(100000))), select(3, file:truncate(100000)))
      ]],
    })
    for _ = 1, 2 do assert.equal("EFBIG", child:line()) end
    assert.equal("EFBIG\tEFBIG", child:line())
    assert.equal(0, (child:wait()))
  end)

  it("takes a name of any bytes", function()
    for _, name in ipairs { "\255\254\n\t 'x'\"", " ", "-rf", "\127\1", "ü", ("ü"):rep(127) } do
      for _, atomic in ipairs { false, true } do
        assert(fs.write(dir:path_of(name), name, { atomic = atomic }))
        assert.equal(name, dir:read(name))
      end
    end
  end)

  it("raises for what is wrong", function()
    for expected, arguments in pairs {
      ["bad argument #1 to 'write' (string expected, got nil)"] = { n = 2, nil, "x" },
      ["bad argument #1 to 'write' (a path with a zero in it)"] = { "a\0b", "x" },
      ["bad argument #2 to 'write' (string expected, got no value)"] = { "a" },
      ["bad argument #2 to 'write' (element 2 of the list is a table, not a string)"] = { "a", { "x", {} } },
      ["bad argument #3 to 'write' (unknown option 'safe' (there are: append, atomic, mode, timeout))"] =
        { "a", "x", { safe = true } },
      ["bad argument #3 to 'write' (atomic must be true or false, not 1)"] = { "a", "x", { atomic = 1 } },
      ["bad argument #3 to 'write' (mode must be an integer from 0 to 4095, not 4096)"] = { "a", "x", { mode = 4096 } },
      ["bad argument #3 to 'write' (append and atomic exclude each other)"] =
        { "a", "x", { append = true, atomic = true } },
    } do
      assert.has_error(function() fs.write(table.unpack(arguments, 1, arguments.n or #arguments)) end, expected)
    end
  end)

  it("keeps what it writes when it is cancelled, until the thread has let go", function()
    local tasks = {}
    for i = 1, 40 do
      tasks[i] = neap.go(function() fs.write(path .. i, { ("x"):rep(500000), i }, { atomic = i % 2 == 0 }) end)
    end
    fs.write(path, "x", function() error "it was called back" end):cancel()
    timer.sleep(0)
    for _, task in ipairs(tasks) do task:cancel() end
    for _, task in ipairs(tasks) do task:join() end
    collectgarbage()
    collectgarbage()
    test.eventually(function() -- no litter
      for _, entry in ipairs(fs.list(dir.path)) do assert.is_nil(entry.name:match("^%.")) end
      return true
    end)
  end)
end)
