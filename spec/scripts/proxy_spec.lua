-- scripts/proxy.lua, as a program between two ends that the spec holds.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

local function start(target, ...)
  local proxy = child.start { "scripts/proxy.lua", "127.0.0.1:0", target, ... }
  return proxy, proxy:line():match("^proxy: listening on (.+)$")
end

-- A server, a proxy before it, and a function that gives both ends of a new connection through them.
local function with_proxy(fn, ...)
  local arrived, hold = {}, neap.go(timer.sleep, 3600)
  local server <close> = sockets.listen(function(conn)
    arrived[#arrived + 1] = conn
    hold:join()
  end)
  local proxy <close>, address = start(server.address, ...)
  local opened <close> = setmetatable({}, { __close = function(conns)
    for _, conn in ipairs(conns) do conn:close() end
    hold:cancel()
  end })
  fn(function()
    local near = assert(net.connect(address))
    eventually(function() return arrived[1] end, 20)
    opened[#opened + 1], opened[#opened + 2] = near, arrived[1]
    return near, table.remove(arrived, 1)
  end, proxy)
  proxy:signal "TERM"
  local code, _, err = proxy:wait()
  assert.same({ 0, "" }, { code, err })
end

describe("scripts/proxy.lua", function()
  it("passes on what either side sends", function()
    with_proxy(function(connect)
      local near, far = connect()
      near:write("question\n")
      assert.equal("question", far:read("l", { timeout = 20 }))
      far:write("answer\n")
      assert.equal("answer", near:read("l", { timeout = 20 }))
      local other, other_far = connect()
      other_far:write("to the other\n")
      assert.equal("to the other", other:read("l", { timeout = 20 }))
    end)
  end)

  it("passes a half-close on, in both directions", function()
    with_proxy(function(connect)
      local near, far = connect()
      near:write(("x"):rep(2000000), function() end)
      near:shutdown(function() end)
      assert.equal(2000000, #far:read("a"))
      far:write(("y"):rep(2000000), function() end)
      far:shutdown(function() end)
      assert.equal(2000000, #near:read("a"))

      local client, server = connect() -- and the other way round
      server:shutdown()
      assert.is_nil(client:read())
      client:write("last\n")
      client:shutdown()
      assert.equal("last\n", server:read("a"))
    end)
  end)

  it("ends one side when the other fails", function()
    with_proxy(function(connect)
      for side = 1, 2 do
        local ends = { connect() }
        ends[1]:write("x")
        ends[2]:read(1)
        ends[2]:write("y")
        ends[1]:read(1)
        ends[side]:reset()
        local text, _, code = ends[3 - side]:read({ timeout = 20 })
        assert.is_nil(text)
        assert.equal("ECONNRESET", code)
        ends[3 - side]:close()
      end
    end)
  end)

  it("is as slow as the reader", function()
    with_proxy(function(connect)
      local near, far = connect()
      local sent = 0
      local writer = neap.go(function()
        for _ = 1, 600 do
          assert(near:write(("x"):rep(65536)))
          sent = sent + 65536
        end
        near:shutdown()
      end)
      local before
      repeat
        before = sent
        timer.sleep(0.03)
      until sent == before and sent > 0
      assert.is_true(sent < 600 * 65536, "the proxy took it all")
      assert.equal(600 * 65536, #far:read("a"))
      writer:join()
      far:close() -- as long as it may answer, the proxy would not end
    end)
  end)

  it("resets a client whose target cannot be reached, and says so", function()
    local nobody = sockets.free_address()
    local proxy <close>, address = start(nobody)
    for _ = 1, 2 do
      local conn <close>, _, code = net.connect(address)
      if conn then _, _, code = conn:read { timeout = 20 } end
      assert.equal("ECONNRESET", code) -- perhaps before the connection is seen to stand
    end
    proxy:signal "TERM"
    local message = ("proxy: connect %s: connection refused\n"):format(nobody)
    assert.same({ 0, "", message .. message }, { proxy:wait() })
  end)

  it("prints its counters when it is asked to", function()
    with_proxy(function(connect, proxy)
      local near, far = connect()
      near:write("12345")
      far:read(5)
      far:write("123")
      near:read(3)
      local line
      repeat line = proxy:line() until line:find("5 bytes sent, 3")
      assert.equal("proxy: 1 open, 1 in all (0 refused, 0 failed), 5 bytes sent, 3 received", line)
      near:close()
      far:close()
      repeat line = proxy:line() until line:find("0 open")
      assert.equal("proxy: 0 open, 1 in all (0 refused, 0 failed), 5 bytes sent, 3 received", line)
    end, "--stats", "0.02")
  end)

  it("says what is wrong with its arguments", function()
    for expected, arguments in pairs {
      ["two addresses are needed"] = { "127.0.0.1:0" }, ["this is no address: x"] = { "127.0.0.1:0", "x" },
      ["unknown option %-%-stat"] = { "127.0.0.1:0", "127.0.0.1:1", "--stat" },
      ["%-%-timeout needs a number of seconds"] = { "127.0.0.1:0", "127.0.0.1:1", "--timeout", "soon" },
      ["%-%-stats needs a number of seconds"] = { "127.0.0.1:0", "127.0.0.1:1", "--stats" },
    } do
      local proxy <close> = child.start { "scripts/proxy.lua", table.unpack(arguments) }
      local code, out, err = proxy:wait()
      assert.same({ 2, "" }, { code, out })
      assert.matches("^proxy: " .. expected .. ".*\nusage: neap scripts/proxy%.lua LISTEN TARGET .*\n$", err)
    end
  end)
end)
