-- What must happen when something goes wrong: in a handler, at a limit, at the end. Mostly in a process of its own.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

-- "ulimit -n", if the machine allows that many.
local function descriptors(count)
  local pipe <close> = io.popen("ulimit -Hn")
  local most = pipe:read("l")
  if most ~= "unlimited" and tonumber(most) < count then return nil end
  return "ulimit -n " .. count
end

-- With ASan, which keeps freed memory to find those who use it.
local function sanitized()
  local file <close> = assert(io.open(require "spec.support.program".neap, "rb"))
  return file:read("a"):find("__asan_init", 1, true) ~= nil
end

-- A line goes there and back.
local function ask(conn, line)
  assert(conn:write(line .. "\n"))
  return conn:read("l", { timeout = 20 })
end

describe("a handler that fails", function()
  local script = [[
    local net = require "neap.net"
    local function parse(line)
      if line == "bad" then error "cannot parse this" end
      return line
    end
    local server = assert(net.listen("127.0.0.1:0", function(conn) -- line 6
      for line in conn:lines() do conn:write(parse(line) .. "\n") end
    end))
    print(server.address)
    io.stdout:flush()]]

  it("closes its connection, and no other, and is reported with its server's line", function()
    local server <close> = child.start({}, { script = script })
    local address = server:line()
    local good <close> = assert(net.connect(address))
    assert.equal("one", ask(good, "one"))
    for _ = 1, 3 do
      local bad <close> = assert(net.connect(address))
      assert.equal("fine", ask(bad, "fine"))
      assert.is_nil(ask(bad, "bad"))
    end
    assert.equal("two", ask(good, "two"))
    server:signal "TERM"
    local code, _, err = server:wait()
    assert.equal(0, code) -- it was asked to end
    local reports = 0
    for report in err:gmatch("neap: task %d+ %(connection%) failed: (.-\n%s*started at [^\n]*)") do
      assert.matches("^[^\n]*:3: cannot parse this\nstack traceback:\n.*in upvalue 'parse'\n.*:7: in .*\n"
        .. "\tstarted at [^\n]*:6", report)
      reports = reports + 1
    end
    assert.equal(3, reports)
  end)

  it("does not let an error in the other's code through", function()
    local messages = {}
    neap.on_error(function(message) messages[#messages + 1] = message end)
    finally(function() neap.on_error(nil) end)
    local server <close> = sockets.listen(function(conn)
      conn:write("words")
      error({ "not a string" })
    end)
    for _ = 1, 5 do
      local conn <close> = assert(net.connect(server.address))
      assert.equal("words", conn:read("a")) -- written before: it arrives
    end
    eventually(function() return #messages == 5 end, 20)
    assert.same({ "not a string" }, messages[1])
  end)
end)

describe("a server without descriptors", function()
  it("sheds, says so once, does not spin, and recovers", function()
    local server <close> = child.start({ "scripts/echo.lua", "127.0.0.1:0" }, { before = "ulimit -n 40" })
    local address = server:line():match("%S+$")
    local conns, served = {}, 0
    for i = 1, 60 do conns[i] = assert(net.connect(address)) end
    for _, conn in ipairs(conns) do
      if conn:write("x\n") and conn:read("l", { timeout = 20 }) == "x" then served = served + 1 end
    end
    assert.is_true(served > 10 and served < 40, served)
    local cpu = server:cpu()
    timer.sleep(0.3)
    assert.is_true(server:cpu() - cpu < 0.15, "it spins")
    for _, conn in ipairs(conns) do conn:close() end
    eventually(function()
      local conn <close> = assert(net.connect(address))
      return conn:write("back\n") and conn:read("l", { timeout = 20 }) == "back"
    end, 20)
    server:signal "TERM"
    local code, _, err = server:wait()
    assert.equal(0, code)
    assert.matches("^neap: connections are refused: too many open files %(raise the limit with ulimit %-n%)\n$", err)
  end)
end)

describe("5,000 connections", function()
  it("are served at once, and their memory returns", function()
    local limit = descriptors(5100)
    if not limit then return pending("no more than " .. io.popen("ulimit -Hn"):read("l") .. " descriptors here") end
    local server <close> = child.start({ "scripts/echo.lua", "127.0.0.1:0" }, { before = limit })
    local address = server:line():match("%S+$")
    local before = server:memory()
    local clients <close> = child.start({ address, "5000" }, { before = limit, script = [[
      local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
      local address, count = neap.args[1], tonumber(neap.args[2])
      local conns, served, failed = {}, 0, 0
      for i = 1, count do
        conns[i] = assert(net.connect(address, { timeout = 60 }))
        conns[i]:write(i .. "\n")
      end
      for i, conn in ipairs(conns) do
        if conn:read("n", { timeout = 60 }) == i then served = served + 1 end
      end
      print(served)
      io.stdout:flush()
      for _, conn in ipairs(conns) do conn:close() end]] })
    assert.equal("5000", clients:line())
    assert.equal(0, (clients:wait()))
    if not before or sanitized() then return end
    eventually(function()
      local after = server:memory()
      return assert.is_true(after - before <= 10240, ("%d KB before, %d KB after"):format(before, after))
    end, 20)
  end)
end)

describe("SIGTERM", function()
  it("lets the handler in flight end, closes what rests, accepts no more, and exits 0", function()
    local server <close> = child.start({}, { script = [[
      local net, timer = require "neap.net", require "neap.timer"
      local server = assert(net.listen("127.0.0.1:0", function(conn)
        for line in conn:lines() do
          conn:write("begun\n")
          if line == "slow" then conn:read(2) end
          conn:write("done " .. line .. "\n")
        end
        conn:write("end\n")
      end))
      local events = assert(net.listen("127.0.0.1:0", {
        line = function(conn, line)
          conn:write("begun\n")
          if line == "slow" then timer.sleep(0.05) end
          conn:write("done " .. line .. "\n")
        end,
        close = function(conn, message, code) conn:write("closed " .. tostring(code) .. "\n") end,
      }))
      print(server.address, events.address)
      io.stdout:flush()]] })
    local address, events = server:line():match("(%S+)\t(%S+)")
    local idle <close> = assert(net.connect(address))
    local busy <close> = assert(net.connect(address))
    local used <close> = assert(net.connect(address))
    assert.equal("begun", ask(used, "quick"))
    assert.equal("done quick", used:read("l"))
    assert.equal("begun", ask(busy, "slow"))
    busy:write("a") -- it is in the middle of that
    local event_idle <close> = assert(net.connect(events))
    local event_busy <close> = assert(net.connect(events))
    assert.equal("begun", ask(event_busy, "slow"))
    server:signal "TERM"
    assert.equal("end\n", idle:read("a", { timeout = 20 }))
    assert.equal("end\n", used:read("a", { timeout = 20 }))
    assert.equal("closed ECANCELED\n", event_idle:read("a", { timeout = 20 }))
    assert.equal("done slow\nclosed ECANCELED\n", event_busy:read("a", { timeout = 20 }))
    assert.equal("ECONNREFUSED", (select(3, net.connect(address))))
    busy:write("b")
    assert.equal("done slow\nend\n", busy:read("a", { timeout = 20 }))
    local code, _, err = server:wait()
    assert.same({ 0, "" }, { code, err })
  end)

  it("sends what was written first, however slow the peer is", function()
    local server <close> = child.start({}, { script = [[
      local net = require "neap.net"
      local server = assert(net.listen("127.0.0.1:0", function(conn)
        conn:write(("x"):rep(8000000), function() end)
        conn:read("l")
      end))
      print(server.address)
      io.stdout:flush()]] })
    local conn <close> = assert(net.connect(server:line()))
    assert(conn:read(1))
    server:signal "TERM"
    local got = 1
    for chunk in conn:chunks() do
      got = got + #chunk
      timer.sleep(0)
    end
    assert.equal(8000000, got)
    assert.equal(0, (server:wait()))
  end)

  it("ends one that has connections of its own", function()
    local server <close> = sockets.listen(function(conn) conn:read("a") end)
    local client <close> = child.start({ server.address }, { script = [[
      local net = require "neap.net"
      local conn = assert(net.connect(...))
      net.connect(..., function(other) other:read("a") end)
      print "connected"
      io.stdout:flush()
      conn:read("a")]] })
    client:line()
    client:signal "TERM"
    assert.same({ 0, "", "" }, { client:wait() })
  end)
end)

describe("exit", function()
  it("with connections in all states is clean", function()
    local leaver <close> = child.start({}, { script = [[
      local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
      local one = assert(net.listen("127.0.0.1:0", function(conn) conn:read("a") end))
      local two = assert(net.listen("127.0.0.1:0", { line = function() timer.sleep(60) end, close = print }))
      local kept = {}
      for _, server in ipairs { one, two, one, two } do
        kept[#kept + 1] = assert(net.connect(server.address))
        kept[#kept]:write("x\n")
      end
      neap.go(function() kept[1]:write(("x"):rep(20000000)) end)
      kept[2]:write(("x"):rep(20000000), print)
      kept[3]:read("l", print)
      timer.sleep(0.01)
      kept[2]:close()
      net.connect(one.address, print)
      net.connect("localhost:1", print)
      neap.go(function() net.connect(one.address) end)
      neap.go(function() os.exit(7) end)
      timer.sleep(60)]] })
    local code, _, err = leaver:wait()
    assert.same({ 7, "" }, { code, err })
  end)

  it("comes by itself when nothing is open any more", function()
    local script <close> = child.start({}, { script = [[
      local net = require "neap.net"
      local server
      server = assert(net.listen("127.0.0.1:0", function(conn)
        server:close()
        for line in conn:lines() do conn:write(line .. "\n") end
      end))
      local conn = assert(net.connect(server.address))
      conn:write("one\n")
      print(conn:read("l"))
      conn:close()]] })
    assert.same({ 0, "one\n", "" }, { script:wait() })
  end)
end)

describe("64 connections", function()
  it("echo through everything, with a collector that never rests", function()
    local server <close> = child.start({ "scripts/echo.lua", "127.0.0.1:0" }, { before = "export NEAP_GC=stress" })
    local address = server:line():match("%S+$")
    neap.group(function(group)
      for i = 1, 64 do
        group:go(function()
          local conn <close> = assert(net.connect(address))
          local seed = i
          for _ = 1, 8 do
            seed = (seed * 1103515245 + 12345) % 0x80000000
            local text = string.char(65 + i % 26):rep(seed % 40000 + 1)
            local sent = neap.go(function() assert(conn:write(text)) end)
            assert.is_true(text == conn:read(#text, { timeout = 60 }))
            sent:join()
          end
          if i % 4 == 0 then conn:reset() end
        end)
      end
    end)
    server:signal "TERM"
    local code, _, err = server:wait()
    assert.same({ 0, "" }, { code, err })
  end)
end)
