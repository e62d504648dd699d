-- The end of a connection: closed, reset, forgotten, used too late; and what it tells of itself before.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

describe("conn:close", function()
  it("does nothing the second time", function()
    local ends <close> = sockets.pair()
    assert.is_false(ends.near.closed)
    assert.equal(0, select("#", ends.near:close()))
    assert.is_true(ends.near.closed)
    ends.near:close()
    ends.near:reset()
    assert.is_nil(ends.far:read())
  end)

  it("happens at the end of a block", function()
    local ends <close> = sockets.pair()
    do
      local _ <close> = ends.near
      ends.near:write("bye")
    end
    assert.equal("bye", ends.far:read("a"))
  end)

  it("sends what was written, without waiting", function()
    local ends <close> = sockets.pair()
    ends.near:write(("x"):rep(5000000), function() end)
    ends.near:close()
    assert.equal(5000000, #ends.far:read("a"))
  end)

  it("sends what was written though nobody has read what came", function()
    local ends <close> = sockets.pair()
    local talker = neap.go(function()
      return ends.far:write(("y"):rep(3000000)) -- more than is taken from the system
    end)
    timer.sleep(0.005)
    ends.near:write(("x"):rep(5000000), function() end)
    ends.near:close()
    local got = 0
    for chunk in ends.far:chunks() do
      got = got + #chunk
      timer.sleep(0)
    end
    assert.equal(5000000, got)
    talker:cancel()
  end)

  it("makes those who wait go on with ECANCELED", function()
    local ends <close> = sockets.pair()
    local near, results = ends.near, {}
    local function go(name, fn)
      return neap.go(function() results[name] = table.pack(fn()) end)
    end
    local tasks = {
      go("read", function() return near:read("l") end),
      go("write", function() return near:write(("x"):rep(20000000)) end),
      go("write again", function() return near:write("y") end),
      go("shutdown", function() return near:shutdown() end),
    }
    timer.sleep(0.002)
    local peer = near.peer
    near:close()
    for _, task in ipairs(tasks) do task:join() end
    for name, result in pairs(results) do
      assert.same({ nil, "ECANCELED" }, { result[1], result[3] })
      assert.equal(("%s %s: operation canceled"):format(name:match("%a+"), peer), result[2])
    end
    assert.is_truthy(results.read and results.write and results["write again"] and results.shutdown)
  end)

  it("makes callbacks that wait run with ECANCELED", function()
    local ends <close> = sockets.pair()
    local code
    local call = ends.near:read(function(_, _, c) code = c end)
    ends.near:close()
    call:join()
    assert.equal("ECANCELED", code)
  end)

  it("in a handler that goes on does not matter", function()
    local server <close> = sockets.listen(function(conn)
      conn:write("x")
      conn:close()
      timer.sleep(0.001)
    end)
    local conn <close> = assert(net.connect(server.address))
    assert.equal("x", conn:read("a"))
  end)
end)

describe("a closed connection", function()
  it("raises when it is used, at the caller's line", function()
    local ends <close> = sockets.pair()
    local near = ends.near
    near:close()
    for name, call in pairs {
      read = function() near:read() end, read_callback = function() near:read("l", function() end) end,
      write = function() near:write("x") end, shutdown = function() near:shutdown() end,
      chunks = function() near:chunks() end, lines = function() near:lines() end,
      nodelay = function() near:nodelay(true) end, keepalive = function() near:keepalive(10) end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok, name)
      assert.matches("^.-close_spec%.lua:%d+: this connection is closed$", message)
    end
  end)

  it("still has its fields", function()
    local ends <close> = sockets.pair()
    ends.near.state.name = "moon"
    local peer = ends.near.peer
    ends.near:close()
    assert.equal("moon", ends.near.state.name)
    assert.equal(peer, ends.near.peer) -- for messages
    assert.is_nil(ends.near.address)
    assert.equal(0, ends.near.pending)
    assert.is_nil(ends.near.nonsense)
  end)

  it("can be seen by a finalizer that comes after its own", function()
    local results = {}
    do
      local holder = setmetatable({}, { __gc = function(self)
        results[1] = pcall(self.conn.read, self.conn)
        results[2] = pcall(function() return self.conn.peer end)
        results[3] = self.conn.closed
        self.conn:close()
        results[4] = true
      end })
      local server <close> = sockets.listen(function(conn) conn:read() end)
      holder.conn = assert(net.connect(server.address))
    end
    eventually(function()
      collectgarbage()
      return results[4]
    end)
    assert.same({ false, false, true, true }, results)
  end)
end)

describe("conn:reset", function()
  it("shows the peer an error, not an end, whatever came before", function()
    local ends <close> = sockets.pair()
    ends.near:write("some\nmore")
    assert.equal("some", ends.far:read("l"))
    ends.near:reset()
    assert.is_true(ends.near.closed)
    assert.error_matches(function() ends.near:write("x") end, "this connection is closed")
    local text, message, code = ends.far:read("a")
    assert.is_nil(text)
    assert.matches("^read.*: connection reset by peer$", message)
    assert.equal("ECONNRESET", code)
    assert.equal("more", ends.far:read()) -- which is still there
    assert.equal("ECONNRESET", (select(3, ends.far:read())))
  end)

  it("makes those who wait go on", function()
    local ends <close> = sockets.pair()
    local code
    local task = neap.go(function() code = select(3, ends.near:read()) end)
    timer.sleep(0)
    ends.near:reset()
    task:join()
    assert.equal("ECANCELED", code)
  end)
end)

describe("a connection", function()
  it("knows its addresses", function()
    local ends <close> = sockets.pair()
    assert.equal(ends.near.address, ends.far.peer)
    assert.equal(ends.near.peer, ends.far.address)
    assert.matches("^127%.0%.0%.1:%d+$", ends.near.address)
    if sockets.has_v6() then
      local v6 <close> = sockets.pair("[::1]:0")
      assert.matches("^%[::1%]:%d+$", v6.near.address)
      assert.equal(v6.near.address, v6.far.peer)
    end
    local path = sockets.unix()
    local unix <close> = sockets.pair(path)
    assert.equal(path, unix.near.peer)
    assert.equal(path, unix.far.address)
  end)

  it("has a state for the script", function()
    local ends <close> = sockets.pair()
    ends.near.state.x = 1
    collectgarbage()
    assert.equal(1, ends.near.state.x)
    ends.near.state = { x = 2 }
    assert.equal(2, ends.near.state.x)
    assert.same({}, ends.far.state)
    assert.error_matches(function() ends.near.state = 1 end, "table expected")
    assert.error_matches(function() ends.near.sate = 1 end, "cannot set field 'sate'")
  end)

  it("has nodelay and keepalive", function()
    for _, address in ipairs { "127.0.0.1:0", sockets.unix() } do -- no error where they have no effect
      local ends <close> = sockets.pair(address)
      local near = ends.near
      assert.equal(near, near:nodelay(false))
      assert.equal(near, near:nodelay(true))
      assert.equal(near, near:keepalive(30))
      assert.equal(near, near:keepalive(false))
      for _, call in ipairs {
        function() near:nodelay() end, function() near:nodelay(1) end, function() near:keepalive() end,
        function() near:keepalive(true) end, function() near:keepalive(0) end, function() near:keepalive(-5) end,
        function() near:keepalive(1e6) end,
      } do
        assert.error_matches(call, "bad argument #1")
      end
    end
  end)
end)

describe("a forgotten connection", function()
  it("is closed by the collector", function()
    local open = 0
    local server <close> = sockets.listen(function(conn)
      open = open + 1
      conn:read("a")
      open = open - 1
    end)
    local weak = setmetatable({}, { __mode = "v" })
    do
      local conns = {}
      for i = 1, 5 do
        conns[i] = assert(net.connect(server.address))
        weak[i] = conns[i]
      end
      conns[1].state.self = conns[1] -- a cycle
      eventually(function() return open == 5 end)
    end
    eventually(function()
      collectgarbage()
      return open == 0
    end)
    assert.is_nil(next(weak))
  end)

  it("is not forgotten while a task waits for it", function()
    local server <close> = sockets.listen(function(conn)
      conn:read("l")
      conn:write("answer\n")
    end)
    local answer
    local function ask()
      local conn = assert(net.connect(server.address))
      conn:write("question\n")
      conn:read("l", function(line) answer = line end)
    end
    ask()
    eventually(function()
      collectgarbage()
      return answer
    end)
  end)

  it("is reported by --leaks, with the line that created it", function()
    local leaky <close> = child.start({}, { flags = { "--leaks" }, script = [[
      local net = require "neap.net"
      local server = assert(net.listen("127.0.0.1:0", function(conn) conn:read("a") end))
      do
        local closed = assert(net.connect(server.address))
        closed:close()
        local forgotten = assert(net.connect(server.address)) -- line 6
      end
      collectgarbage()
      collectgarbage()
      server:close()
      print "done"]] })
    local code, out, err = leaky:wait()
    assert.same({ 0, "done\n" }, { code, out })
    assert.matches("^neap: leak: a connection created at [^\n]*:6 was forgotten without being closed\n$", err)
  end)
end)
