-- fs.open, and files that are open.
local neap, test, timer, fs = require "neap", require "neap.test", require "neap.timer", require "neap.fs"

local GIB = 1 << 30

describe("fs.open", function()
  local dir, path

  before_each(function()
    dir = test.tempdir()
    path = dir:write("file", "one\ntwo\nthree\n")
  end)

  it("opens as io.open does", function()
    for how, expected in pairs {
      r = { "one", "EBADF", "one\ntwo\nthree\n" },
      w = { "EBADF", true, "new" },
      a = { "EBADF", true, "one\ntwo\nthree\nnew" },
      ["r+"] = { "one", true, "one\nnew\nthree\n" },
      ["w+"] = { nil, true, "new" },
      ["a+b"] = { "one", true, "one\ntwo\nthree\nnew" },
    } do
      dir:write("file", "one\ntwo\nthree\n")
      local file <close> = assert(fs.open(path, how))
      local line, _, code = file:read("l")
      assert.equal(expected[1], line or code)
      local done, _, why = file:write("new")
      assert.equal(expected[2], done == file or why)
      assert.equal(expected[3], dir:read "file")
    end
  end)

  it("makes a file that must be new", function()
    for _, how in ipairs { "wx", "w+x", "ax", "a+xb" } do
      local new = dir:path_of(how)
      do
        local file <close> = assert(fs.open(new, how, { mode = 384 }))
        assert(file:write("x"))
      end
      assert.equal(384, fs.stat(new).mode)
      local file, message, code = fs.open(new, how)
      assert.is_nil(file)
      assert.equal("EEXIST", code)
      assert.equal("open " .. new .. ": file already exists", message)
    end
  end)

  it("says what went wrong, and raises for what is wrong", function()
    assert.equal("ENOENT", (select(3, fs.open(path .. "x"))))
    assert.equal("EISDIR", (select(3, fs.open(dir.path))))
    assert.equal("EISDIR", (select(3, fs.open(dir.path, "w"))))
    for _, how in ipairs { "", "x", "rx", "rw", "w++x!" } do
      assert.has_error(function() fs.open(path, how) end, "bad argument #2 to 'open' (invalid mode)")
    end
    assert.has_error(function() fs.open(path, 5) end, "bad argument #2 to 'open' (invalid mode)")
    assert.has_error(function() fs.open("a\0") end, "bad argument #1 to 'open' (a path with a zero in it)")
  end)

  it("takes options and a callback, or either", function()
    for _, arguments in ipairs { { path }, { path, "r" }, { path, {} }, { path, "r", {} } } do
      local got
      arguments[#arguments + 1] = function(file)
        got = file:read("l")
        file:close()
      end
      fs.open(table.unpack(arguments)):join()
      assert.equal("one", got)
    end
  end)
end)

describe("a file", function()
  local dir, path

  before_each(function()
    dir = test.tempdir()
    path = dir:write("file", "one\ntwo\nthree\n")
  end)

  it("is read by io's formats", function()
    local texts = {
      "one\ntwo\n\nfour", "1 2.5 -3e2 0x10 0x.8p1\t\n +7", "12abc", "0x", "1e", "- 5", "\n\n", "", "a\0b\n\0",
      ("long line "):rep(30000) .. "\nshort\n" .. ("x"):rep(70000),
    }
    local formats = { { "l" }, { "L" }, { "n" }, { "a" }, { 3 }, { 0 }, { 100000 }, { "n", "l" }, { "n", "n", "L", 2 },
      { "l", 0, "a" }, { "*l", "*n" } }
    for _, text in ipairs(texts) do
      dir:write("file", text)
      for _, wanted in ipairs(formats) do
        local theirs <close> = io.open(path, "rb")
        local ours <close> = assert(fs.open(path))
        for _ = 1, 6 do
          assert.same(table.pack(theirs:read(table.unpack(wanted))), table.pack(ours:read(table.unpack(wanted))))
        end
      end
    end
  end)

  it("gives a piece without a format, and nil at its end", function()
    local file <close> = assert(fs.open(path))
    assert.equal("one", file:read("l"))
    assert.equal("two\nthree\n", file:read())
    assert.same({ n = 1 }, table.pack(file:read()))
    assert(fs.write(path, "four", { append = true }))
    assert.equal("four", file:read()) -- it has grown
  end)

  it("has lines and chunks", function()
    local lines = {}
    for i = 1, 3000 do lines[i] = ("line %d"):format(i) end
    dir:write("file", table.concat(lines, "\n"))
    local file <close> = assert(fs.open(path))
    local count = 0
    for line in file:lines() do
      count = count + 1
      if line ~= lines[count] then error(("line %d is %q"):format(count, line)) end
    end
    assert.equal(3000, count)
    file:seek("set")
    local sizes, text = {}, {}
    for chunk in file:chunks(10000) do sizes[#sizes + 1], text[#text + 1] = #chunk, chunk end
    assert.equal(table.concat(lines, "\n"), table.concat(text))
    for i = 1, #sizes - 1 do assert.equal(10000, sizes[i]) end
    file:seek("set")
    local size = 0
    for chunk in file:chunks() do size = size + #chunk end
    assert.equal(#table.concat(lines, "\n"), size)
    file:seek("set")
    local next_line, state = file:lines("L", 4)
    assert.same({ "line 1\n", "line" }, { next_line(state) })
  end)

  it("raises in a loop what a read would say", function()
    local file <close> = assert(fs.open(path, "a"))
    local message = "read " .. path .. ": it is not open for reading"
    local ok, err = pcall(function() for _ in file:lines() do end end) -- luacheck: ignore
    assert.is_false(ok)
    assert.matches(message, err, 1, true)
  end)

  it("is written and read at one position", function()
    local file <close> = assert(fs.open(path, "r+"))
    assert.equal(0, file:seek())
    assert.equal("one", file:read("l"))
    assert.equal(4, file:seek())
    assert.equal(file, file:write("TWO"))
    assert.equal(7, file:seek("cur"))
    assert.equal("\nthree\n", file:read("a"))
    assert.equal(14, file:seek("end"))
    assert(file:write { "four", 4, "\n" })
    assert.equal(3, file:seek("set", 3))
    assert.equal(5, file:seek("cur", 2))
    assert.equal("WO", file:read("l"))
    assert.equal(19, file:seek("end", -1))
    assert.equal("\n", file:read("a"))
    local position, message, code = file:seek("set", -1)
    assert.is_nil(position)
    assert.same({ "seek " .. path .. ": invalid argument", "EINVAL" }, { message, code })
    assert.equal("one\nTWO\nthree\nfour4\n", dir:read "file")
  end)

  it("is read and written at any position, beside that", function()
    local file <close> = assert(fs.open(path, "r+"))
    assert.equal("one", file:read("l")) -- all of it has been read ahead
    assert.equal("three", file:pread(5, 8))
    assert.equal("three\n", file:pread(1000, 8))
    assert.same({ n = 1 }, table.pack(file:pread(1, 14)))
    assert.equal("", file:pread(0, 14))
    assert.equal(file, file:pwrite("TWO", 4))
    assert.equal("TWO", file:read("l"))
    neap.group(function(group)
      for i = 0, 99 do
        group:go(function() assert(file:pwrite({ ("%02d"):format(i) }, 100 + 2 * i)) end)
      end
    end)
    neap.group(function(group)
      for i = 0, 99 do
        group:go(function() assert.equal(("%02d"):format(i), file:pread(2, 100 + 2 * i)) end)
      end
    end)
    local other <close> = assert(fs.open(path, "a"))
    assert.equal("EINVAL", (select(3, other:pwrite("x", 0))))
    assert.equal("EBADF", (select(3, other:pread(1, 0))))
  end)

  it("is cut, and written to the disk", function()
    local file <close> = assert(fs.open(path, "r+"))
    file:read("l")
    assert.equal(file, file:truncate(6))
    assert.equal("tw", file:read("a"))
    assert.equal(file, file:truncate(8))
    assert.equal("\0\0", file:read("a"))
    assert.equal(file, file:sync())
    assert.equal(8, file:stat().size)
    assert.equal("file", file:stat().kind)
    assert.has_error(function() file:truncate(-1) end, "bad argument #1 to 'truncate' (size out of range)")
    local other <close> = assert(fs.open(path))
    assert.same({ nil, "truncate " .. path .. ": it is not open for writing", "EBADF" }, { other:truncate(0) })
  end)

  it("may be bigger than 4 GiB", function()
    local file <close> = assert(fs.open(path, "w+"))
    if not file:pwrite("far", 5 * GIB) then return pending("no such big files here") end
    assert.equal(5 * GIB + 3, file:seek("end"))
    assert.equal(5 * GIB, file:seek("set", 5 * GIB))
    assert.equal("far", file:read("a"))
    assert.equal(file, file:write(" away"))
    assert.equal("\0\0far away", file:pread(100, 5 * GIB - 2))
    assert.equal(5 * GIB + 8, file:stat().size)
    assert.equal(5 * GIB + 8, fs.stat(path).size)
    assert.equal("EFBIG", (select(3, fs.read(path, { limit = GIB }))))
  end)

  it("does what it is asked for in that order, whoever asks", function()
    local file <close> = assert(fs.open(path, "w+"))
    local order = {}
    for i = 1, 50 do
      file:write(("%02d\n"):format(i), function(result) order[#order + 1] = result == file and i end)
    end
    assert.equal(0, file:seek("set"))
    neap.group(function(group)
      for i = 1, 50 do
        group:go(function() assert.equal(("%02d"):format(i), file:read("l")) end)
      end
    end)
    for i = 1, 50 do assert.equal(i, order[i]) end
  end)

  it("goes on in order when some of it is cancelled", function()
    local file <close> = assert(fs.open(path, "w+"))
    local tasks = {}
    for i = 1, 60 do tasks[i] = neap.go(function() file:write(("%02d "):format(i)) end) end
    timer.sleep(0)
    for i = 1, 60, 2 do tasks[i]:cancel() end
    for _, task in ipairs(tasks) do task:join() end
    file:seek("set")
    local last = 0
    for number in file:read("a"):gmatch("%d+") do
      assert.is_true(tonumber(number) > last)
      last = tonumber(number)
    end
    assert.equal(60, last)
    file:seek("set")
    neap.go(function() file:read("l") end):cancel()
    assert.equal("0", file:read(1):sub(1, 1))
  end)

  it("is closed once, after what it was asked for", function()
    local file = assert(fs.open(path, "w"))
    local written
    for _ = 1, 10 do file:write(("x"):rep(100000), function(result) written = result == file end) end
    assert.is_false(file.closed)
    assert.is_true(file:close())
    assert.is_true(written)
    assert.is_true(file.closed)
    assert.is_true(file:close())
    assert.equal(path, file.path)
    assert.equal(1000000, fs.stat(path).size)
    for _, name in ipairs { "read", "write", "seek", "sync", "lines", "chunks", "stat" } do
      assert.has_error(function() file[name](file, "x") end, "this file is closed")
    end
    local got
    file:close(function(...) got = ... end):join()
    assert.is_true(got)
    assert.has_error(function() file.path = "x" end, "cannot set field 'path' of a neap.file")
  end)

  it("is closed where nothing can wait, too", function()
    local file = assert(fs.open(path))
    local sorted = { 2, 1 }
    table.sort(sorted, function(a, b)
      local closing <close> = file -- luacheck: ignore
      return a < b
    end)
    assert.same({ 1, 2 }, sorted)
    assert.is_true(file.closed)
    file:close()
  end)

  it("is closed with a task that is cancelled", function()
    local kept
    local task = neap.go(function()
      local file <close> = assert(fs.open(path))
      kept = file
      timer.sleep(60)
    end)
    test.eventually(function() return kept end)
    task:cancel()
    task:join()
    assert.is_true(kept.closed)
  end)

  it("is closed if nobody was there to take it, before the collector finds it", function()
    if not fs.stat "/proc/self/fd" then return pending("no /proc here") end
    local name = dir:write("file", "")
    collectgarbage "stop"
    local restart <close> = setmetatable({}, { __close = function() collectgarbage "restart" end })
    local function is_open()
      for _, entry in ipairs(assert(fs.list "/proc/self/fd")) do
        if fs.readlink("/proc/self/fd/" .. entry.name) == name then return true end
      end
      return false
    end
    for _ = 1, 20 do
      local call = fs.open(name, function() error "it was given" end)
      local before = os.clock()
      repeat until os.clock() > before + 0.001 -- a thread opens it
      call:cancel()
    end
    test.eventually(function() return not is_open() end)
    assert.is_not_nil(restart)
  end)

  it("that is forgotten is closed and told of", function()
    local child <close> = test.spawn_neap([[
      local fs = require "neap.fs"
      local function forget(path)
        local file = assert(fs.open(path))
        return nil
      end
      forget(...)
      collectgarbage()
      collectgarbage()
      require "neap.timer".sleep(0.01)
    ]], { path }, { flags = { "--leaks" }, ready = false })
    assert.equal(0, (child:wait()))
    assert.matches("neap: leak: a file created at .-:3 was forgotten", child:stderr())
  end)

  it("is a leak of a spec that leaves it open", function()
    local leaks = test.leaks()
    local file = assert(fs.open(path))
    local found = leaks:list()
    assert.equal(1, #found)
    assert.equal("file", found[1].kind)
    assert.matches("file_spec%.lua:%d+", found[1].where)
    file:close()
    assert.same({}, leaks:list())
  end)

  it("ends with the program, in the middle of its work", function()
    for _, ending in ipairs { "os.exit(3)", "error 'enough'", "neap.go(os.exit, 3)" } do
      local child <close> = test.spawn_neap(([[
        local neap, fs = require "neap", require "neap.fs"
        local file = assert(fs.open(..., "w+"))
        for _ = 1, 10 do neap.go(function() file:write(("x"):rep(1000000)) end) end
        for _ = 1, 50 do fs.read("/etc/passwd", print) end
        require "neap.timer".sleep(0)
        %s
      ]]):format(ending), { path }, { ready = false })
      assert.equal(ending:find("exit") and 3 or 1, (child:wait()))
      assert.is_nil(child:stderr():find("Sanitizer"))
    end
  end)
end)
