-- net.listen: addresses, what takes them, and the life of a server.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

local function nothing() end

describe("net.listen", function()
  local function serves(address, pattern)
    local server <close> = sockets.listen(function(conn) conn:write("from " .. conn.address) end, address)
    assert.matches(pattern, server.address)
    local conn <close> = assert(net.connect(server.address))
    assert.matches("^from .", conn:read("a"))
    return server.address
  end

  it("takes a free port of an IPv4 address for :0", function()
    local a, b <close> = serves("127.0.0.1:0", "^127%.0%.0%.1:[1-9]%d*$"), sockets.listen(nothing)
    assert.not_equal(a, b.address)
  end)

  it("listens on IPv6", function()
    if not sockets.has_v6() then return pending("no IPv6 here") end
    serves("[::1]:0", "^%[::1%]:[1-9]%d*$")
  end)

  it("listens on all interfaces when none is named", function()
    local server <close> = sockets.listen(function(conn) conn:write("hello") end, ":0")
    local port = server.address:match("%d+$")
    local conn <close> = assert(net.connect("127.0.0.1:" .. port))
    assert.equal("hello", conn:read("a"))
    local other <close> = assert(net.connect(":" .. port)) -- and none is this machine
    assert.equal("hello", other:read("a"))
  end)

  it("knows localhost", function()
    serves("localhost:0", "^127%.0%.0%.1:")
  end)

  it("listens on a Unix socket, whose path it removes", function()
    local address = serves(sockets.unix(), "^unix:/")
    assert.is_nil(io.open(address:sub(6)))
    assert.equal("ENOENT", (select(3, net.connect(address))))
  end)

  it("listens on an abstract Unix socket", function()
    if not sockets.descriptors() then return pending("only Linux has these") end
    serves("unix:@neap-spec-" .. sockets.unix():gsub("%W", ""), "^unix:@neap%-spec%-")
  end)

  it("takes over the socket of a process that is gone, but no other file", function()
    local address = sockets.unix()
    local file = assert(io.open(address:sub(6), "w"))
    file:close()
    finally(function() os.remove(address:sub(6)) end)
    local server, message, code = net.listen(address, nothing)
    assert.same({ nil, "listen " .. address .. ": address already in use", "EADDRINUSE" }, { server, message, code })
    assert.is_truthy(io.open(address:sub(6))):close()

    os.remove(address:sub(6))
    local dead <close> = child.start({ address }, { script = "print(require 'neap.net'.listen(..., print))" })
    dead:line()
    dead:signal "KILL"
    dead:wait()
    assert.equal("ECONNREFUSED", (select(3, net.connect(address)))) -- it has left its path behind
    serves(address, "^unix:/")
  end)

  it("says that an address is taken", function()
    for _, address in ipairs { "127.0.0.1:0", sockets.unix() } do
      local first <close> = sockets.listen(nothing, address)
      local server, message, code = net.listen(first.address, nothing)
      assert.is_nil(server)
      assert.equal("listen " .. first.address .. ": address already in use", message)
      assert.equal("EADDRINUSE", code)
    end
  end)

  it("says that an address is not ours, or not known", function()
    local server, message, code = net.listen("192.0.2.1:0", nothing)
    assert.same({ nil, "listen 192.0.2.1:0: address not available", "EADDRNOTAVAIL" }, { server, message, code })
    server, message, code = net.listen("no.such.name:0", nothing)
    assert.same({ nil, "listen no.such.name:0: no such name", "EAI_NONAME" }, { server, message, code })
    server, message, code = net.listen("unix:/no/such/directory/s", nothing)
    assert.same({ nil, "listen unix:/no/such/directory/s: no such file or directory", "ENOENT" },
      { server, message, code })
  end)

  it("raises for what is no address, at the caller's line", function()
    for _, address in ipairs {
      "", "host", "host:", ":", "host:x", "host:-1", "host:65536", "host:123456", "::1:80", "[::1]", "[::1:80",
      "[::1]x:80", "[:80", "unix:", "unix:" .. ("x"):rep(200), ("x"):rep(300) .. ":1",
    } do
      for name, call in pairs { listen = function() net.listen(address, nothing) end,
                                connect = function() net.connect(address) end } do
        local ok, message = pcall(call)
        assert.is_false(ok, name .. " " .. address)
        assert.matches("^.-listen_spec%.lua:%d+: bad argument #1 to '.-" .. name .. "' %(an address is ", message)
      end
    end
    assert.has_error(function() net.listen(nil, nothing) end)
    assert.has_error(function() net.listen({}, nothing) end)
  end)

  it("raises without a handler", function()
    assert.error_matches(function() net.listen("127.0.0.1:0") end, "bad argument #2 to '.-listen'")
    assert.error_matches(function() net.listen("127.0.0.1:0", 1) end, "bad argument #2 to '.-listen'")
  end)
end)

describe("a server", function()
  it("can be closed, twice, and gives its address back", function()
    local server = assert(net.listen("127.0.0.1:0", nothing))
    local address = server.address
    assert.is_false(server.closed)
    server:close()
    server:close()
    assert.is_true(server.closed)
    assert.is_nil(server.address)
    assert.equal("ECONNREFUSED", (select(3, net.connect(address))))
    assert(net.listen(address, nothing)):close()
  end)

  it("closes at the end of its block", function()
    local address
    do
      local server <close> = assert(net.listen("127.0.0.1:0", nothing))
      address = server.address
    end
    assert.equal("ECONNREFUSED", (select(3, net.connect(address))))
  end)

  it("lives on when nobody holds it", function()
    local address, stop
    do
      local server = assert(net.listen("127.0.0.1:0", function(conn) conn:write(conn:read("l") .. "!") end))
      address = server.address
      stop = function() server:close() end
    end
    collectgarbage()
    collectgarbage()
    local conn <close> = assert(net.connect(address))
    conn:write("hello\n")
    assert.equal("hello!", conn:read("a"))
    stop()
  end)

  it("that is closed leaves its connections alone", function()
    local server <close> = assert(net.listen("127.0.0.1:0", function(conn)
      for line in conn:lines() do conn:write(line .. "!\n") end
    end))
    local conn <close> = assert(net.connect(server.address))
    conn:write("one\n")
    assert.equal("one!", conn:read("l"))
    server:close()
    conn:write("two\n")
    assert.equal("two!", conn:read("l"))
  end)

  it("can be closed by its own handler", function()
    local server
    server = assert(net.listen("127.0.0.1:0", function(conn)
      server:close()
      conn:write("last")
    end))
    local conn <close> = assert(net.connect(server.address))
    assert.equal("last", conn:read("a"))
    assert.is_true(server.closed)
  end)

  it("runs a handler for each connection, and closes it when that returns", function()
    local running, most = 0, 0
    local server <close> = sockets.listen(function(conn)
      running = running + 1
      most = math.max(most, running)
      conn:write(conn:read("l"))
      running = running - 1
    end)
    local conns = {}
    for i = 1, 20 do conns[i] = assert(net.connect(server.address)) end
    eventually(function() return running == 20 end)
    for i = 20, 1, -1 do
      conns[i]:write(i .. "\n")
      assert.equal(tostring(i), conns[i]:read("a"))
      conns[i]:close()
    end
    assert.same({ 20, 0 }, { most, running })
  end)

  it("closes the connection of a handler that is cancelled", function()
    local handler
    local server <close> = sockets.listen(function(conn)
      for _, task in ipairs(neap.tasks()) do
        if task.state == "running" then handler = task end
      end
      neap.deadline(0.001, function() conn:read() end)
    end)
    local conn <close> = assert(net.connect(server.address))
    assert.is_nil(conn:read())
    assert.equal("connection", handler.name)
    timer.sleep(0)
  end)

  it("has no other fields, and keeps those it has", function()
    local server <close> = assert(net.listen("127.0.0.1:0", nothing))
    assert.is_nil(server.nonsense)
    assert.error_matches(function() server.address = "x" end, "cannot set field 'address' of a neap.server")
    assert.has_error(function() server.close({}) end)
  end)
end)
