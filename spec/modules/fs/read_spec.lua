-- fs.read: whole files, of every kind.
local neap, test, timer, fs = require "neap", require "neap.test", require "neap.timer", require "neap.fs"

local function is_root()
  local pipe <close> = io.popen("id -u")
  return pipe:read("n") == 0
end

describe("fs.read", function()
  local dir

  before_each(function() dir = test.tempdir() end)

  it("gives all that is in a file", function()
    for _, size in ipairs { 0, 1, 4095, 4096, 8191, 8192, 8193, 100000, 3000000 } do
      local text = ("0123456789abcde\0"):rep(size // 16 + 1):sub(1, size)
      local path = dir:write("file", text)
      assert.is_true(fs.read(path) == text)
    end
  end)

  it("calls back with the same", function()
    local path = dir:write("file", "tea")
    local got
    local call = fs.read(path, function(...) got = table.pack(...) end)
    assert.is_nil(got) -- never before the call has returned
    call:join()
    assert.same({ n = 1, "tea" }, got)
    fs.read(path .. "x", {}, function(...) got = table.pack(...) end):join()
    assert.same({ n = 3, nil, "read " .. path .. "x: no such file or directory", "ENOENT" }, got)
  end)

  it("reads what has no size, as in /proc, and devices", function()
    if not io.open("/proc/self/status") then return pending("no /proc here") end
    assert.matches("\nPid:%s+%d+\n", (fs.read("/proc/self/status")))
    assert.equal("", fs.read("/dev/null"))
    assert.is_true(#fs.read("/proc/self/environ") >= 0)
  end)

  it("reads more than the file seemed to hold", function()
    -- a file that says it is one page long, and gives what there is
    local path = "/sys/kernel/mm/transparent_hugepage/enabled"
    local file = io.open(path)
    if not file then return pending("no such file here") end
    assert.equal(file:read("a"), fs.read(path))
    file:close()
  end)

  it("says what went wrong", function()
    local file = dir:write("file", "")
    for path, code in pairs {
      [dir:path_of "none"] = "ENOENT",
      [""] = "ENOENT",
      [dir.path] = "EISDIR",
      [file .. "/x"] = "ENOTDIR",
      [dir:path_of(("x"):rep(300))] = "ENAMETOOLONG",
      [dir:path_of "loop"] = "ELOOP",
    } do
      if code == "ELOOP" then assert(fs.symlink("loop", path)) end
      local text, message, got = fs.read(path)
      assert.is_nil(text)
      assert.equal(code, got)
      assert.matches("^read " .. path:gsub("%p", "%%%0") .. ": %l", message)
    end
  end)

  it("says EACCES where it may not", function()
    if is_root() then return pending("root may do everything") end
    local path = dir:write("file", "")
    assert(fs.chmod(path, 0))
    assert.equal("EACCES", (select(3, fs.read(path))))
  end)

  it("says EMFILE where no more files can be opened, and goes on when they can", function()
    local path = dir:write("file", "tea")
    local child <close> = require("spec.support.child").start({ path }, { before = "ulimit -n 40", script = [[
      local fs = require "neap.fs"
      local path, held = ..., {}
      local code
      repeat
        local file, message, why = fs.open(path)
        held[#held + 1], code = file, why
      until not file
      print(code, (select(3, fs.read(path))), (select(3, fs.write(path .. "2", ""))))
      for _, file in ipairs(held) do file:close() end
      print(fs.read(path))
      os.exit(0)
    ]] })
    assert.equal("EMFILE\tEMFILE\tEMFILE", child:line())
    assert.equal("tea", child:line())
    assert.equal(0, (child:wait()))
  end)

  it("takes a name of any bytes", function()
    for _, name in ipairs { "\255\254\n\t 'x'\"", " ", "-rf", "\127\1", "ü" } do
      local path = dir:write(name, name)
      assert.equal(name, fs.read(path))
    end
  end)

  it("fails above its limit", function()
    local path = dir:write("file", "0123456789")
    assert.equal("0123456789", fs.read(path, { limit = 10 }))
    assert.equal("EFBIG", (select(3, fs.read(path, { limit = 9 }))))
    assert.equal("EFBIG", (select(3, fs.read("/dev/zero", { limit = 1000 }))))
    assert.equal("", fs.read("/dev/null", { limit = 0 }))
  end)

  it("raises for what is wrong", function()
    for expected, arguments in pairs {
      ["bad argument #1 to 'read' (string expected, got no value)"] = {},
      ["bad argument #1 to 'read' (string expected, got number)"] = { 5 },
      ["bad argument #1 to 'read' (a path with a zero in it)"] = { "a\0b" },
      ["bad argument #2 to 'read' (unknown option 'size' (there are: limit, timeout))"] = { "a", { size = 1 } },
      ["bad argument #2 to 'read' (limit must be an integer from 0 to 9223372036854775807, not 1.5)"] =
        { "a", { limit = 1.5 } },
      ["bad argument #3 to 'read' (function expected, got number)"] = { "a", {}, 1 },
    } do
      assert.has_error(function() fs.read(table.unpack(arguments)) end, expected)
    end
  end)

  it("reads many at once", function()
    local paths = {}
    for i = 1, 50 do paths[i] = dir:write(tostring(i), ("%d "):format(i):rep(i * 100)) end
    neap.group(function(group)
      for round = 1, 4 do
        for i, path in ipairs(paths) do
          group:go(function()
            if round == i % 4 then timer.sleep(0) end
            assert.is_true(fs.read(path) == ("%d "):format(i):rep(i * 100))
          end)
        end
      end
    end)
  end)

  it("lets go at once when it is cancelled", function()
    local path = dir:write("file", ("x"):rep(1000000))
    local tasks = {}
    for i = 1, 100 do tasks[i] = neap.go(fs.read, path) end
    fs.read(path, function() error "it was called back" end):cancel()
    timer.sleep(0) -- they begin, and wait
    for i = 1, 100, 2 do tasks[i]:cancel() end
    for i = 1, 100 do
      local text = tasks[i]:join()
      if i % 2 == 0 then assert.equal(1000000, #text) end
    end
    collectgarbage()
  end)

  it("goes on in real time where time stands still", function()
    local path = dir:write("file", "tea")
    local clock <close> = test.clock()
    local began, order = timer.monotonic(), {}
    neap.group(function(group)
      group:go(function()
        timer.sleep(0.001)
        order[#order + 1] = "slept"
      end)
      group:go(function()
        for _ = 1, 5 do fs.read(path) end
        order[#order + 1] = "read"
      end)
    end)
    assert.same({ "read", "slept" }, order)
    assert.is_true(timer.monotonic() - began < 0.01)
    clock:close()
  end)
end)
