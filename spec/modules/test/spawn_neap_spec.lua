local neap, net, test, timer = require "neap", require "neap.net", require "neap.test", require "neap.timer"

describe("test.spawn_neap", function()
  local SLEEP = "require 'neap.timer'.sleep(3600)"

  local function is_alive(pid)
    return os.execute(("kill -0 %d 2>/dev/null"):format(pid)) == true
  end

  it("runs a text to its end", function()
    local child = test.spawn_neap("print(...) io.stderr:write('oh') os.exit(3)", { "a b", 5 })
    assert.same({ 3, "a b\t5\n", "oh" }, { child:wait() })
    assert.same({ 3, "a b\t5\n", "oh" }, { child:wait() })
  end)

  it("runs a file", function()
    local dir = test.tempdir()
    local child = test.spawn_neap(dir:write("some name.lua", "print 'from a file'"))
    assert.equal("from a file\n", select(2, child:wait()))
  end)

  it("is ready when its control socket answers", function()
    local child = test.spawn_neap("io.stderr:write 'before' " .. SLEEP)
    assert.equal("before", child:stderr())
    assert.is_true(child.ready)
  end)

  it("is ready when it says so", function()
    local child = test.spawn_neap("print 'first' print 'listening at 7' print 'third' io.stdout:flush()" .. SLEEP, {},
      { ready = "^listening at (%d)" })
    assert.equal("listening at 7", child.ready)
    assert.equal("third", child:line())
  end)

  it("need not be ready", function()
    local child = test.spawn_neap("print 'x'", {}, { ready = false })
    assert.is_nil(child.ready)
    assert.equal(0, (child:wait()))
  end)

  it("fails where it does not get ready in time, and kills it", function()
    local ok, err = pcall(test.spawn_neap, "io.write 'so far' io.stdout:flush()" .. SLEEP, {},
      { ready = "never", timeout = 0.3 })
    assert.is_false(ok)
    assert.matches("the child is not ready: it still runs\nstdout: so far\nstderr: $", tostring(err))
  end)

  it("fails where it ends before it is ready", function()
    local ok, err = pcall(test.spawn_neap, "error 'broken'", {}, { ready = "never" })
    assert.is_false(ok)
    assert.matches("it has ended with 1\nstdout: \nstderr: .*broken", tostring(err))
  end)

  it("gives its lines, one after the other", function()
    local child = test.spawn_neap("print 'one' print() io.write 'three'")
    assert.same({ "one", "", "three" }, { child:line(), child:line(), child:line() })
    assert.is_nil(child:line())
    assert.equal("one\n\nthree", child:output())
  end)

  it("raises when no line comes in time", function()
    local child = test.spawn_neap(SLEEP)
    local ok, err = pcall(child.line, child, 0.01)
    assert.is_false(ok)
    assert.matches("has not written a line: it still runs", err)
    ok, err = pcall(child.wait, child, 0.01)
    assert.is_false(ok)
    assert.matches("has not ended: it still runs", err)
  end)

  it("gets signals", function()
    local child = test.spawn_neap(SLEEP)
    assert.is_true(child:signal "TERM")
    assert.equal(0, (child:wait()))
    assert.is_false(child:signal "TERM")
    child = test.spawn_neap(SLEEP)
    child:signal "KILL"
    assert.equal(128 + 9, (child:wait()))
    assert.has_error(function() child:signal "NONE" end)
  end)

  it("has the signals as they are by default", function()
    local child = test.spawn_neap("os.execute 'kill -PIPE $$; echo survived'")
    assert.equal("", select(2, child:wait()))
  end)

  it("writes as much as it likes before anybody reads", function()
    local child = test.spawn_neap("io.write(('x'):rep(1 << 20)) io.stderr:write(('y'):rep(1 << 20))")
    local code, out, err = child:wait()
    assert.same({ 0, 1 << 20, 1 << 20 }, { code, #out, #err })
  end)

  it("does not hold the loop: it is served by the spec", function()
    local server = test.server { line = function(conn, line) conn:write(line:upper() .. "\n") end }
    local child = test.spawn_neap([[
      local conn = assert(require "neap.net".connect(...))
      conn:write "moon\n"
      print(conn:read "l")
    ]], { server.address })
    assert.equal("MOON", child:line())
    assert.equal(0, (child:wait()))
  end)

  it("serves the spec", function()
    local child = test.spawn_neap([[
      local function answer(conn, line) conn:write(line .. "!\n") end
      local server = require "neap.net".listen("127.0.0.1:0", { line = answer })
      print(server.address)
      io.stdout:flush()
    ]], nil, { ready = "." })
    local conn <close> = assert(net.connect(child.ready))
    conn:write "tea\n"
    assert.equal("tea!", conn:read "l")
  end)

  it("goes by real time, where that of the spec is virtual", function()
    local clock <close> = test.clock()
    local child = test.spawn_neap("require 'neap.timer'.sleep(0.1) print 'awake'")
    assert.equal("awake", child:line())
    assert.equal(0, (child:wait()))
    assert.equal(0, clock:now())
  end)

  it("tells all who wait", function()
    local child = test.spawn_neap(SLEEP)
    local one, two = neap.go(child.wait, child), neap.go(child.wait, child)
    timer.sleep(0)
    child:signal "TERM"
    assert.same({ 0, 0 }, { (one:join()), (two:join()) })
  end)

  it("is killed when it is closed, and leaves nothing", function()
    local child = test.spawn_neap(SLEEP)
    assert.is_true(is_alive(child.pid))
    child:close()
    assert.is_false(is_alive(child.pid))
    child:close()
    local path
    do
      local another <close> = test.spawn_neap(SLEEP)
      path = another.directory.path
    end
    assert.is_nil(os.rename(path, path))
  end)

  it("is killed when it is forgotten", function()
    local pid
    do
      local child = test.spawn_neap(SLEEP)
      pid = child.pid
      child.process:close()
    end
    assert.is_false(is_alive(pid))
  end)

  it("tells who waits when it is closed", function()
    local child = test.spawn_neap(SLEEP)
    local waiter = neap.go(pcall, child.wait, child)
    timer.sleep(0)
    child:close()
    assert.same({ false, "the child has been closed" }, { waiter:join() })
  end)

  it("gets flags, an environment, a directory", function()
    local dir = test.tempdir()
    local child = test.spawn_neap("print(os.getenv 'TEA', os.getenv 'HOME', GREETING) os.execute 'pwd -P'", {},
      { flags = { "-e", "GREETING = 'hi'" }, env = { TEA = "green", HOME = false }, cwd = dir.path })
    local _, out = child:wait()
    assert.matches("^green\tnil\thi\n", out)
    assert.matches(dir.path:match "[^/]+$", out, 1, true)
  end)

  it("says what cannot be started", function()
    local ok, err = pcall(test.spawn_neap, "", {}, { program = "/nonexistent/neap" })
    assert.is_false(ok)
    assert.matches("spawn /nonexistent/neap: no such file or directory", err)
    ok, err = pcall(test.spawn_neap, "", {}, { cwd = "/nonexistent/nowhere" })
    assert.is_false(ok)
    assert.matches("no such file or directory", err)
  end)

  it("raises for wrong arguments", function()
    assert.has_error(function() test.spawn_neap() end, "bad argument #1 to 'spawn_neap' (string expected, got nil)")
    assert.has_error(function() test.spawn_neap("", 5) end,
      "bad argument #2 to 'spawn_neap' (table expected, got number)")
    assert.has_error(function() test.spawn_neap("", {}, { tea = 1 }) end, "unknown option 'tea'")
  end)
end)
