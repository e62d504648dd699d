local neap, net, test, timer = require "neap", require "neap.net", require "neap.test", require "neap.timer"

describe("test.server", function()
  local function echo(conn)
    for chunk in conn:chunks() do conn:write(chunk) end
  end

  it("serves with a function", function()
    local server = test.server(echo)
    local conn = assert(server:connect())
    conn:write "hello"
    assert.equal("hello", conn:read(5))
    assert.equal(1, #server.connections)
    assert.matches("^127%.0%.0%.1:%d+$", server.address)
  end)

  it("serves with a table of events", function()
    local events = { line = function(conn, line) conn:write(conn.state.greeting .. line .. "\n") end }
    function events.open(conn) conn.state.greeting = "hello " end
    local server = test.server(events)
    local conn = assert(server:connect())
    conn:write "moon\n"
    assert.equal("hello moon", conn:read "l")
    function events.line(other) other:write "changed\n" end
    conn:write "moon\n"
    assert.equal("changed", conn:read "l")
    assert.equal(1, #server.connections)
  end)

  it("serves without an open event, and one that can be called", function()
    local server = test.server { data = function(conn, chunk) conn:write(chunk) end }
    local conn = assert(server:connect())
    conn:write "x"
    assert.equal("x", conn:read())
    assert.equal(1, #server.connections)
    server = test.server(setmetatable({}, { __call = function(_, accepted) accepted:write "called" end }))
    assert.equal("called", server:connect():read "a")
  end)

  it("has a port of its own", function()
    assert.not_equal(test.server(echo).address, test.server(echo).address)
  end)

  it("listens where it is told to", function()
    local dir = test.tempdir()
    local server = test.server(echo, { address = "unix:" .. dir:path_of "s" })
    assert(server:connect()):write "x"
    assert.equal("unix:" .. dir.path .. "/s", server.address)
  end)

  it("ends with its connections, at both ends", function()
    local ended
    local server = test.server(function(conn)
      conn:read()
      ended = true
    end)
    local conn = assert(server:connect())
    local reader = neap.go(conn.read, conn)
    test.eventually(function() return #server.connections == 1 end)
    timer.sleep(0) -- the reader waits
    server:close()
    assert.equal("ECANCELED", select(3, reader:join()))
    assert.is_true(test.eventually(function() return ended end))
    assert.equal("ECONNREFUSED", select(3, net.connect(server.address)))
    server:close()
  end)

  it("ends with its block", function()
    local address
    do
      local server <close> = test.server(echo)
      address = server.address
    end
    assert.is_nil(net.connect(address))
  end)

  it("says why a connection fails", function()
    local server = test.server(echo)
    server:close()
    local conn, _, code = server:connect { timeout = 5 }
    assert.same({ nil, "ECONNREFUSED" }, { conn, code })
  end)

  it("raises for what is no handler, no option, no address", function()
    assert.has_error(function() test.server(5) end,
      "bad argument #1 to 'server' (function or table of events expected, got number)")
    assert.has_error(function() test.server(echo, { port = 1 }) end, "unknown option 'port'")
    assert.has_error(function() test.server(echo, 5) end, "bad argument 'options' (table expected, got number)")
    local server = test.server(echo)
    local _, err = pcall(test.server, echo, { address = server.address })
    assert.matches("address already in use", err)
  end)

  it("reports what its handler raises, as any server does", function()
    local captured <close> = test.capture()
    local message
    neap.on_error(function(err) message = err end)
    local server = test.server(function() error("broken", 0) end)
    assert.is_nil((server:connect():read()))
    timer.sleep(0)
    neap.on_error(nil)
    captured:close()
    assert.equal("broken", message)
  end)
end)
