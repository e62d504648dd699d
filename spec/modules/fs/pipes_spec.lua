-- What may keep its reader or writer waiting: pipes with names, and terminals. No thread is held by them.
local neap, test, timer, fs = require "neap", require "neap.test", require "neap.timer", require "neap.fs"

describe("a pipe", function()
  local dir, path

  before_each(function()
    dir = test.tempdir()
    path = dir:path_of "pipe"
    assert(os.execute("mkfifo " .. path))
  end)

  it("is read when somebody writes it, to its end", function()
    local order = {}
    local reader = neap.go(function()
      local text = fs.read(path)
      order[#order + 1] = "read"
      return text
    end)
    timer.sleep(0.02) -- it waits for a writer
    local file <close> = assert(fs.open(path, "w"))
    for _, text in ipairs { "one ", "two ", "three" } do
      order[#order + 1] = text
      assert(file:write(text))
      timer.sleep(0.002)
    end
    file:close()
    assert.equal("one two three", reader:join())
    assert.same({ "one ", "two ", "three", "read" }, order)
  end)

  it("is written when somebody reads it, as far as that one goes", function()
    local text = ("0123456789abcdef"):rep(50000) -- more than a pipe holds
    local writer = neap.go(fs.write, path, text)
    timer.sleep(0.02) -- it waits for a reader
    assert.is_true(fs.read(path) == text)
    assert.is_true(writer:join())
  end)

  it("stalls no thread: 64 reads and 64 writes of such wait, files are read meanwhile", function()
    local file = dir:write("file", "tea")
    assert(os.execute("mkfifo " .. path .. "2"))
    local tasks, stalled = {}, 128
    for i = 1, 64 do
      tasks[i] = neap.go(fs.read, path)
      tasks[64 + i] = neap.go(fs.write, path .. "2", "x")
    end
    for _, task in ipairs(tasks) do
      neap.go(function()
        task:join()
        stalled = stalled - 1
      end)
    end
    for _ = 1, 20 do
      assert.equal("tea", fs.read(file))
      assert.is_true(fs.write(file, "tea"))
      assert.equal(128, stalled) -- none was needed for that
    end
    for _, task in ipairs(tasks) do task:cancel() end
    for _, task in ipairs(tasks) do task:join() end
  end)

  it("is given up when it takes too long", function()
    for _, call in ipairs {
      { "read", fs.read, path },
      { "write", fs.write, path, "x" },
      { "open", fs.open, path, "w" },
    } do
      local arguments = table.pack(table.unpack(call, 3))
      arguments[#arguments + 1] = { timeout = 0.01 }
      assert.same({ nil, call[1] .. " " .. path .. ": timed out", "ETIMEDOUT" },
        { call[2](table.unpack(arguments)) })
    end
  end)

  it("takes no longer where time stands still", function()
    local clock <close> = test.clock()
    local before = timer.monotonic()
    assert.equal("ETIMEDOUT", (select(3, fs.read(path, { timeout = 3600 }))))
    assert.is_true(timer.monotonic() - before >= 3600)
    clock:close()
  end)

  it("is open for reading at once, and gives what comes", function()
    local reader <close> = assert(fs.open(path))
    assert.equal("ETIMEDOUT", (select(3, reader:read("l", { timeout = 0.002 }))))
    local writer <close> = assert(fs.open(path, "w"))
    assert(writer:write("one\ntw"))
    assert.equal("one", reader:read("l"))
    assert.equal("ETIMEDOUT", (select(3, reader:read("l", { timeout = 0.002 }))))
    assert(writer:write("o\nthree"))
    assert.equal("two", reader:read("l")) -- nothing was lost
    writer:close()
    assert.equal("three", reader:read("l"))
    assert.same({ n = 1 }, table.pack(reader:read("l")))
    assert.equal("ESPIPE", (select(3, reader:seek())))
    assert.equal("ESPIPE", (select(3, reader:pread(1, 0))))
    assert.equal("fifo", reader:stat().kind)
  end)

  it("is read and written at once by who has opened it for both", function()
    local both <close> = assert(fs.open(path, "r+"))
    local reader = neap.go(function() return both:read("l") end)
    timer.sleep(0)
    assert(both:write("tea\n")) -- does not stand in line behind the read
    assert.equal("tea", reader:join())
  end)

  it("says EPIPE when its reader has gone", function()
    local reader = assert(fs.open(path))
    local writer <close> = assert(fs.open(path, "w"))
    reader:close()
    local done, message, code = writer:write("x")
    assert.is_nil(done)
    assert.same({ "write " .. path .. ": broken pipe", "EPIPE" }, { message, code })
  end)

  it("ends what waits for it when it is closed", function()
    local other = path .. "2"
    assert(os.execute("mkfifo " .. other))
    local reader = assert(fs.open(path))
    local idle <close> = assert(fs.open(other))
    local writer = assert(fs.open(other, "w"))
    local results = {}
    neap.group(function(group)
      group:go(function() results[1] = table.pack(reader:read("l")) end)
      group:go(function() results[2] = table.pack(reader:read("l")) end)
      group:go(function() results[3] = table.pack(writer:write(("x"):rep(1000000))) end)
      group:go(function()
        timer.sleep(0.01)
        assert.is_true(reader:close())
        assert.is_true(writer:close())
      end)
    end)
    for i = 1, 2 do assert.same({ n = 3, nil, "read " .. path .. ": operation canceled", "ECANCELED" }, results[i]) end
    assert.same({ n = 3, nil, "write " .. other .. ": operation canceled", "ECANCELED" }, results[3])
    assert.is_false(idle.closed)
  end)

  it("is closed with any number of tasks waiting for it", function()
    local child <close> = require("spec.support.child").start({ path }, {
      before = "ulimit -s 512", -- KB
      script = [[
        local fs = require "neap.fs"
        local path = ...
        local reader <close> = assert(fs.open(path))
        local writer = assert(fs.open(path, "w"))
        local calls, canceled = {}, 0
        for i = 1, 20000 do
          calls[i] = writer:write(i == 1 and ("x"):rep(100000) or "x", function(_, _, code)
            if code == "ECANCELED" then canceled = canceled + 1 end
          end)
        end
        assert(writer:close())
        for _, call in ipairs(calls) do call:join() end
        print(canceled)
      ]],
    })
    assert.equal("20000", child:line())
    assert.equal(0, (child:wait()))
  end)

  it("keeps no program from ending", function()
    local child <close> = test.spawn_neap([[
      local neap, fs, timer = require "neap", require "neap.fs", require "neap.timer"
      local path = ...
      neap.go(fs.read, path)
      neap.go(fs.write, path .. "x", "y")
      local file = fs.open(path)
      file:read("l", print)
      timer.sleep(0.01)
      os.exit(4)
    ]], { path }, { ready = false })
    assert.equal(4, (child:wait()))
    assert.equal("", child:stderr())
  end)
end)
