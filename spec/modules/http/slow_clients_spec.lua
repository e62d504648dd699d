-- Clients that take their time: with what they ask for, and with what they are sent. In virtual time.
local fs, http, test, timer = require "neap.fs", require "neap.http", require "neap.test", require "neap.timer"
local raw, sockets = require "spec.support.http", require "spec.support.sockets"

local function serve(options, handler)
  return assert(http.serve("127.0.0.1:0", options, handler))
end

local function echo(req) return req.target end

-- Reads without a time limit that anybody would come to.
local function connect(server)
  return raw.connect(server.address, { limit = 1e6 })
end

-- Where the kernel takes something by itself, in its own time, a limit begins anew.
local function advance_until(clock, condition)
  for _ = 1, 100 do
    clock:advance(0.5)
    if condition() then return end
  end
  error("not in 50 s", 2)
end

describe("write_timeout", function()
  local size = 32 << 20

  local function bodies()
    local path = test.tempdir():path_of "large"
    assert(fs.write(path, ("x"):rep(size)))
    return {
      file = http.file(path),
      whole = function() return ("x"):rep(size) end,
      streamed = function()
        local left = size
        return 200, function(write)
          while left > 0 do
            assert(write(("x"):rep(65536)))
            left = left - 65536
          end
        end
      end,
    }
  end

  it("closes where the client takes nothing, however its answer was made", function()
    for name, handler in pairs(bodies()) do
      for _, line in ipairs { "X: y", "Connection: close" } do
        local server <close> = serve({ write_timeout = 8, idle_timeout = 5, header_timeout = 5 }, handler)
        local clock <close> = test.clock()
        local client <close> = connect(server)
        client:send(raw.get("/", line))
        clock:advance(7.999)
        assert.equal(1, server.connections, name)
        advance_until(clock, function() return server.connections == 0 end)
      end
    end
  end)

  it("lets a client take its time that takes something", function()
    for name, handler in pairs(bodies()) do
      local server <close> = serve({ write_timeout = 8, idle_timeout = 5 }, handler)
      local clock <close> = test.clock()
      local client <close> = connect(server)
      client:send(raw.get "/")
      for _ = 1, 30 do
        clock:advance(4)
        assert.is_truthy(client.conn:read(600000))
        assert.equal(1, server.connections, name)
      end
    end
  end)

  it("ends a stream that rests, with a little that was not taken", function()
    local clock <close> = test.clock()
    local taken = 0 -- by the system and by what may wait: the first client shows how much
    local server = assert(http.serve("unix:" .. test.tempdir():path_of "s", { write_timeout = 8 }, function(req)
      return 200, function(write)
        timer.sleep(100) -- no time limit of the answer's beginning is left
        if req.path == "/all" then
          while write(("x"):rep(1000)) do taken = taken + 1000 end
        else
          for _ = 1, taken // 1000 - 30 do write(("x"):rep(1000)) end
          timer.sleep(1000)
        end
      end
    end))
    for _, target in ipairs { "/all", "/some" } do
      local client <close> = connect(server)
      client:send(raw.get(target))
      clock:advance(100)
      assert.equal(1, server.connections)
      clock:advance(8)
      assert.equal(0, server.connections)
    end
    server:close()
  end)

  it("ends the handler's task, which learns of it", function()
    local failure
    local server <close> = serve({ write_timeout = 8 }, function()
      return 200, function(write)
        local _ <close> = setmetatable({}, { __close = function() failure = "closed" end })
        repeat until not write(("x"):rep(65536))
      end
    end)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send(raw.get "/")
    clock:advance(7.999)
    assert.is_nil(failure)
    advance_until(clock, function() return failure == "closed" end)
  end)
end)

describe("a thousand clients with slow heads", function()
  it("do not keep a good one from its answers, and are gone in time", function()
    if not sockets.has_room(2300) then return pending "too few descriptors" end
    local server <close> = serve({ header_timeout = 10 }, echo)
    local clock <close> = test.clock()
    local slow = {}
    for i = 1, 1000 do
      slow[i] = connect(server)
      slow[i]:send "GET / HTTP/1.1\r\nHo"
    end
    local good <close> = connect(server)
    for second = 1, 9 do
      for _, client in ipairs(slow) do client:send "s" end
      assert.equal("/" .. second, good:expect_in_step("/" .. second).body)
      assert.equal(second - 1.0, clock:now()) -- its answer came at once
      clock:advance(1)
    end
    assert.equal(1001, server.connections)
    for _, client in ipairs(slow) do
      assert.equal(408, client:response().status)
      client:close()
    end
    clock:advance(0)
    assert.same({ 1, 10.0 }, { server.connections, clock:now() })
    good:expect_in_step()
    assert.equal(10, server.requests)
  end)
end)
