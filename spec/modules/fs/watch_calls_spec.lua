-- fs.watch: its callback, its reader, its end.
local fs, neap, test, timer = require "neap.fs", require "neap", require "neap.test", require "neap.timer"
local watching = require "spec.support.watching"
local write, read = watching.write, watching.read

local QUICK = { gather = 0.001 }

describe("fs.watch", function()
  local path, file

  before_each(function()
    path = watching.directory()
    file = path .. "/file"
  end)

  describe("with a callback", function()
    it("calls it for each change, one after the other", function()
      local seen, running = {}, 0
      local watcher <close> = assert(fs.watch(path, QUICK, function(change)
        assert(running == 0)
        running = running + 1
        timer.sleep(0.002) -- it may wait
        running = running - 1
        seen[#seen + 1] = change.kind .. change.path:sub(#path + 1)
      end))
      for i = 1, 5 do write(file .. i, "1") end
      test.eventually(function() return #seen == 5 end)
      assert.same({ "created/file1", "created/file2", "created/file3", "created/file4", "created/file5" }, seen)
      assert.is_false(watcher.closed)
    end)

    it("gathers what happens while it runs", function()
      local seen, hold = {}, neap.go(timer.sleep, 60)
      local watcher <close> = assert(fs.watch(path, QUICK, function(change)
        seen[#seen + 1] = change.kind .. change.path:sub(#path + 1)
        hold:join()
      end))
      write(file, "1")
      test.eventually(function() return seen[1] end)
      for i = 1, 20 do
        write(file, tostring(i))
        timer.sleep(0.005)
      end
      assert.equal(1, #seen)
      hold:cancel()
      test.eventually(function() return seen[2] end, watching.limit)
      write(path .. "/sentinel", "1")
      test.eventually(function() return seen[#seen] == "created/sentinel" end, watching.limit)
      -- The last ones may be looked at, or not even that, when it returns: on a busy machine they are told after it.
      assert.is_true(#seen >= 3 and #seen <= 5, table.concat(seen, " "))
      for i = 2, #seen - 1 do assert.equal("changed/file", seen[i]) end
      assert.equal("created/file", seen[1])
      assert.is_false(watcher.closed)
    end)

    it("goes on after one that has raised, which is reported", function()
      local child <close> = test.spawn_neap([[
        local fs, path = require "neap.fs", require "neap".args[1]
        local n, watcher = 0
        watcher = assert(fs.watch(path, { gather = 0.001 }, function(change)
          n = n + 1
          print(change.kind)
          if n == 3 then return watcher:close() end
          error("number " .. n)
        end))
        print "ready"
      ]], { file }, { ready = "ready" })
      for i = 1, 3 do
        write(file, tostring(i))
        assert.equal(i == 1 and "created" or "changed", child:line())
      end
      local code, _, err = child:wait()
      assert.equal(1, code)
      assert.is_truthy(err:find("number 1", 1, true) and err:find("number 2", 1, true))
    end)

    it("may close its watcher, and is not called again", function()
      local seen, watcher = 0, nil
      watcher = assert(fs.watch(path, QUICK, function()
        seen = seen + 1
        watcher:close()
      end))
      for i = 1, 5 do write(file .. i, "1") end
      test.eventually(function() return watcher.closed end)
      local other <close> = assert(fs.watch(path, QUICK))
      write(file, "1")
      read(other)
      assert.equal(1, seen)
    end)

    it("is not read", function()
      local watcher <close> = assert(fs.watch(path, QUICK, function() end))
      assert.has_error(function() watcher:read() end, "this watcher has a callback: it is not read")
      assert.has_error(function() watcher:changes() end, "this watcher has a callback: it is not read")
    end)
  end)

  describe("its reader", function()
    it("waits, or is called back with the same", function()
      local watcher <close> = assert(fs.watch(file, QUICK))
      local got
      local call = watcher:read(function(...) got = { ... } end)
      assert.is_nil(got)
      write(file, "1")
      call:join()
      assert.same({ { path = file, kind = "created" } }, got)
    end)

    it("waits for so long", function()
      local watcher <close> = assert(fs.watch(file, QUICK))
      assert.same({ nil, "watch " .. file .. ": timed out", "ETIMEDOUT" }, { watcher:read { timeout = 0.001 } })
      write(file, "1")
      assert.equal("created", read(watcher).kind)
    end)

    it("may be cancelled, and nothing is lost", function()
      local watcher <close> = assert(fs.watch(file, QUICK))
      for i = 1, 10 do
        local task = neap.go(watcher.read, watcher)
        timer.sleep(0)
        write(file, tostring(i))
        task:cancel()
        assert.equal("ECANCELED", select(3, task:join()))
        assert.equal(i == 1 and "created" or "changed", read(watcher).kind)
      end
      assert.equal("ETIMEDOUT", select(3, neap.deadline(0, watcher.read, watcher)))
    end)

    it("is one at a time", function()
      local watcher <close> = assert(fs.watch(file, QUICK))
      local task = neap.go(watcher.read, watcher)
      timer.sleep(0)
      assert.has_error(function() watcher:read() end, "another task reads from this watcher")
      task:cancel()
    end)

    it("ends when the watcher is closed", function()
      local watcher = assert(fs.watch(file, QUICK))
      local task = neap.go(watcher.read, watcher)
      timer.sleep(0)
      watcher:close()
      watcher:close()
      assert.same({ nil, "watch " .. file .. ": operation canceled", "ECANCELED" }, { task:join() })
      assert.is_true(watcher.closed)
      assert.equal(file, watcher.path)
      assert.has_error(function() watcher:read() end, "this watcher is closed")
    end)

    it("iterates, and closes the watcher when it is left", function()
      local watcher = assert(fs.watch(path, QUICK))
      local kinds = {}
      write(file, "1")
      for change in watcher:changes() do
        kinds[#kinds + 1] = change.kind
        if #kinds == 1 then write(file, "22") end
        if #kinds == 2 then os.remove(file) end
        if #kinds == 3 then break end
      end
      assert.same({ "created", "changed", "removed" }, kinds)
      assert.is_true(watcher.closed)
    end)

    it("iterates until somebody closes the watcher", function()
      local watcher = assert(fs.watch(path, QUICK))
      local n = 0
      neap.go(function()
        timer.sleep(0)
        watcher:close()
      end)
      for _ in watcher:changes() do n = n + 1 end
      assert.equal(0, n)
    end)
  end)

  it("is found by a check for leaks", function()
    local check <close> = test.leaks()
    local watcher = assert(fs.watch(path))
    local line = ("spec/modules/fs/watch_calls_spec.lua:%d"):format(debug.getinfo(1, "l").currentline - 1)
    assert.same({ { kind = "watcher", where = line } }, check:list())
    watcher:close()
    assert.same({}, check:list())
  end)

  it("is closed when it is forgotten, or cancelled while it starts", function()
    for _ = 1, 20 do assert(fs.watch(path, { recursive = true })) end
    collectgarbage()
    collectgarbage()
    for _ = 1, 20 do
      local task = neap.go(fs.watch, path)
      timer.sleep(0)
      task:cancel()
      task:join()
    end
    test.eventually(function()
      local count = 0
      for fd = 0, 200 do
        local info <close> = io.open("/proc/self/fdinfo/" .. fd)
        for line in info and info:lines() or function() end do
          if line:find "^inotify wd" then count = count + 1 end
        end
      end
      collectgarbage()
      return count == 0
    end)
  end)

  it("keeps a program alive that would be told, and no other", function()
    local child <close> = test.spawn_neap([[
      local fs, neap = require "neap.fs", require "neap"
      local one, two = assert(fs.watch(neap.args[1])), assert(fs.watch(neap.args[1], { recursive = true }))
      print(one:read { timeout = 0.01 })
      kept = two
    ]], { path }, { ready = "timed out" })
    assert.equal(0, (child:wait()))
    local other <close> = test.spawn_neap([[
      local fs, neap, watcher = require "neap.fs", require "neap"
      watcher = assert(fs.watch(neap.args[1], function(change)
        print(change.kind)
        watcher:close()
      end))
      print "ready"
    ]], { path }, { ready = "ready" })
    write(file, "1")
    assert.equal("created", other:line())
    assert.equal(0, (other:wait()))
  end)

  it("gathers in time that stands still", function()
    local clock <close> = test.clock()
    local watcher <close> = assert(fs.watch(path, { gather = 3600 }))
    local began = timer.monotonic()
    write(file, "1")
    assert.equal("created", watcher:read().kind)
    local waited = timer.monotonic() - began
    assert.is_true(math.abs(waited - 3600) < 1e-6, waited)
    assert.is_truthy(clock)
  end)

  it("takes any time to gather, and still tells at its end", function()
    local watcher <close> = assert(fs.watch(path, { gather = 1e9 }))
    write(file, "1")
    assert.equal("ETIMEDOUT", select(3, watcher:read { timeout = 0.01 }))
    local clock <close> = test.clock()
    assert.equal("created", watcher:read().kind)
    assert.is_truthy(clock)
  end)

  it("raises for wrong arguments", function()
    local function fails(message, ...)
      local arguments = table.pack(...)
      assert.has_error(function() fs.watch(table.unpack(arguments, 1, arguments.n)) end, message)
    end
    fails("bad argument #1 to 'watch' (string expected, got no value)")
    fails("bad argument #1 to 'watch' (a path with a zero in it)", "a\0b")
    fails("bad argument #2 to 'watch' (unknown option 'deep' (there are: gather, recursive))", path, { deep = true })
    fails("bad argument #2 to 'watch' (recursive must be a boolean, not a number)", path, { recursive = 1 })
    fails("bad argument #2 to 'watch' (gather must be a number of seconds from 0 to 1e9, not x)", path,
      { gather = "x" })
    fails("bad argument #3 to 'watch' (function expected, got boolean)", path, {}, true)
    local watcher <close> = assert(fs.watch(path))
    assert.has_error(function() watcher:read { time = 1 } end,
      "bad argument #1 to 'read' (unknown option 'time' (there are: timeout))")
  end)

  it("fails where there can be no such path", function()
    assert.same({ nil, "watch : no such file or directory", "ENOENT" }, { fs.watch "" })
    assert.equal("ENAMETOOLONG", select(3, fs.watch(("x/"):rep(5000))))
    local watcher <close> = assert(fs.watch(path .. "/no/such/thing"))
    assert.equal("ETIMEDOUT", select(3, watcher:read { timeout = 0 }))
  end)
end)
