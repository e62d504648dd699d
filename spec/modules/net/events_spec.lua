-- A connection that is served by a table of events: one at a time, in order.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

local function nothing() end

-- Errors of the handlers, which belong to the spec: what on_error is told.
local function collect_errors()
  local messages = {}
  neap.on_error(function(message) messages[#messages + 1] = tostring(message) end)
  finally(function() neap.on_error(nil) end)
  return messages
end

-- Serves one connection, writes the text to it and ends it: what has happened, as text.
local function events_of(text, names)
  local steps, events, over = {}, {}, false
  local function step(name)
    return function(_, ...)
      local values = table.pack(...)
      for i = 1, values.n do values[i] = tostring(values[i]) end
      steps[#steps + 1] = table.concat({ name, table.unpack(values, 1, values.n) }, " ")
      if name == "close" then over = true end
    end
  end
  for _, name in ipairs(names) do events[name] = step(name) end
  local server <close> = sockets.listen(events)
  local conn <close> = assert(net.connect(server.address))
  conn:write(text)
  conn:shutdown()
  eventually(function() return over end)
  return steps
end

describe("a table of events", function()
  it("is told of the beginning, each line and the end", function()
    assert.same({ "open", "line one", "line ", "line two", "line last", "close" },
      events_of("one\n\ntwo\nlast", { "open", "line", "close" }))
    assert.same({ "open", "close" }, events_of("", { "open", "line", "close" }))
    assert.same({ "line one", "close" }, events_of("one\n", { "line", "close" }))
  end)

  it("is told of all data", function()
    local steps = events_of("one\ntwo", { "open", "data", "close" })
    assert.same({ "open", "data one\ntwo", "close" }, steps)
  end)

  it("answers", function()
    local server <close> = sockets.listen { line = function(conn, line) conn:write(line:upper() .. "\n") end }
    local conn <close> = assert(net.connect(server.address))
    for i = 1, 10 do
      conn:write("line " .. i .. "\n")
      assert.equal("LINE " .. i, conn:read("l"))
    end
  end)

  it("runs one event of a connection at a time, in order, though each may wait", function()
    local running, most, total, got = 0, 0, 0, {}
    local server <close> = sockets.listen {
      open = function(conn)
        timer.sleep(0.002)
        conn.state.lines = {}
      end,
      line = function(conn, line)
        running = running + 1
        most = math.max(most, running)
        total = total + 1
        local lines = conn.state.lines
        if #lines % 5 == 0 then timer.sleep(0.001) end
        lines[#lines + 1] = line
        running = running - 1
      end,
      close = function(conn) got[conn.state.lines[1]] = table.concat(conn.state.lines, " ") end,
    }
    neap.group(function(group)
      for i = 1, 5 do
        group:go(function()
          local conn <close> = assert(net.connect(server.address))
          for j = 0, 19 do
            conn:write(i * 100 + j .. "\n")
            if j % 3 == 0 then timer.sleep(0) end
          end
        end)
      end
    end)
    eventually(function() return total == 100 and got["100"] and got["500"] end)
    for i = 1, 5 do
      local expected = {}
      for j = 0, 19 do expected[j + 1] = tostring(i * 100 + j) end
      eventually(function() return got[tostring(i * 100)] end)
      assert.equal(table.concat(expected, " "), got[tostring(i * 100)])
    end
    assert.is_true(most > 1 and most <= 5, most) -- of different connections at once
  end)

  it("keeps conn.state from event to event, for each connection its own", function()
    local server <close> = sockets.listen {
      line = function(conn, line)
        collectgarbage()
        conn.state.text = (conn.state.text or "") .. line
        conn:write(conn.state.text .. "\n")
      end,
    }
    local a <close> = assert(net.connect(server.address))
    local b <close> = assert(net.connect(server.address))
    for _, conn in ipairs { a, b, a, b } do conn:write("x\n") assert(conn:read("l")) end
    a:write("y\n")
    assert.equal("xxy", a:read("l"))
  end)

  it("looks its functions up at each event", function()
    local events = { line = function(conn) conn:write("old\n") end }
    local server <close> = sockets.listen(events)
    local conn <close> = assert(net.connect(server.address))
    conn:write("x\n")
    assert.equal("old", conn:read("l"))
    events.line = function(c) c:write("new\n") end
    conn:write("x\n")
    assert.equal("new", conn:read("l"))
    events.line, events.data = nil, function(c, data) c:write("data " .. data) end
    conn:write("x\n")
    assert.equal("data x", conn:read("l"))
  end)

  it("is told why it ended", function()
    local results = {}
    local server <close> = sockets.listen {
      line = function(conn, line) if line == "close" then conn:close() end end,
      close = function(conn, ...) results[#results + 1] = table.pack(conn.closed, ...) end,
    }
    local function close_of(act)
      local count = #results
      local conn <close> = assert(net.connect(server.address))
      act(conn)
      eventually(function() return #results > count end)
      return results[#results]
    end
    assert.same({ n = 1, false }, close_of(function(conn) conn:close() end)) -- it may still be written to
    assert.same({ n = 1, true }, close_of(function(conn) conn:write("close\n") end))
    local reset = close_of(function(conn)
      conn:write("x\n")
      timer.sleep(0.005)
      conn:reset()
    end)
    assert.same({ 3, "ECONNRESET" }, { reset.n, reset[3] })
    assert.matches("^connection.*: connection reset by peer$", reset[2])
  end)

  it("can still write when its peer has ended", function()
    local server <close> = sockets.listen {
      line = nothing,
      close = function(conn)
        timer.sleep(0)
        conn:write("goodbye")
      end,
    }
    local conn <close> = assert(net.connect(server.address))
    conn:shutdown()
    assert.equal("goodbye", conn:read("a"))
  end)

  it("is closed at once when another task closes it, though its peer does not read", function()
    local conn, closed
    local server <close> = sockets.listen {
      open = function(c) conn = c end,
      line = nothing,
      close = function() closed = true end,
    }
    local peer <close> = assert(net.connect(server.address))
    eventually(function() return conn end)
    conn:write(("x"):rep(8000000), nothing)
    timer.sleep(0.002)
    conn:close()
    eventually(function() return closed end)
    assert.equal(8000000, #peer:read("a")) -- and what was written still arrives
  end)

  it("drops a line that does not end", function()
    local result
    local server <close> = sockets.listen { line = nothing, close = function(_, ...) result = table.pack(...) end }
    local conn <close> = assert(net.connect(server.address))
    conn:write(("x"):rep(2 << 20), nothing)
    eventually(function() return result end)
    assert.same({ 2, "EMSGSIZE" }, { result.n, result[2] })
    assert.matches(": message too long$", result[1])
  end)

  it("gets a line of more than an inbox, after others", function()
    local got = {}
    local server <close> = sockets.listen { line = function(_, line) got[#got + 1] = #line end }
    local conn <close> = assert(net.connect(server.address))
    conn:write("first\n" .. ("x"):rep(900000) .. "\nlast\n")
    eventually(function() return #got == 3 end)
    assert.same({ 5, 900000, 4 }, got)
  end)

  it("stops reading while an event is slow, and goes on", function()
    local go_on, got = false, 0
    local server <close> = sockets.listen {
      data = function(_, data)
        got = got + #data
        while not go_on do timer.sleep(0.001) end
      end,
    }
    local conn <close> = assert(net.connect(server.address))
    local sent, piece = 0, ("x"):rep(65536)
    local writer = neap.go(function()
      for _ = 1, 400 do
        assert(conn:write(piece))
        sent = sent + #piece
      end
    end)
    local before
    repeat -- until it moves no more
      before = sent
      timer.sleep(0.02)
    until sent == before and sent > 0
    assert.is_true(sent < 400 * #piece, "what nobody serves was taken")
    go_on = true
    writer:join()
    eventually(function() return got == 400 * #piece end)
  end)

  it("closes its connection after an error, and no other", function()
    local errors, closed = collect_errors(), {}
    local server <close> = sockets.listen {
      line = function(conn, line)
        if line == "bad" then
          conn:write("last words\n")
          error("bad line", 0)
        end
        conn:write(line .. "\n")
      end,
      close = function(_, ...) closed[#closed + 1] = select("#", ...) end,
    }
    local good <close> = assert(net.connect(server.address))
    local bad <close> = assert(net.connect(server.address))
    bad:write("bad\nnever\n")
    assert.equal("last words\n", bad:read("a"))
    good:write("good\n")
    assert.equal("good", good:read("l"))
    eventually(function() return #closed == 1 and #errors == 1 end)
    assert.same({ 0 }, closed)
    assert.same({ "bad line" }, errors)
  end)

  it("ends with an error in open or close as well", function()
    local errors, closed = collect_errors(), 0
    local server <close> = sockets.listen {
      open = function() error("in open", 0) end,
      line = nothing,
      close = function()
        closed = closed + 1
        error("in close", 0)
      end,
    }
    local conn <close> = assert(net.connect(server.address))
    assert.is_nil(conn:read())
    eventually(function() return #errors == 2 end)
    assert.equal(1, closed)
    assert.same({ "in open", "in close" }, errors)
  end)

  it("leaves reading to the events", function()
    local message
    local server <close> = sockets.listen {
      line = function(conn) message = select(2, pcall(conn.read, conn)) conn:close() end,
    }
    local conn <close> = assert(net.connect(server.address))
    conn:write("x\n")
    assert.is_nil(conn:read())
    assert.matches("this connection is served by events: it has no read$", message)
  end)

  it("raises for what it does not know", function()
    local function listen(events)
      return function() net.listen("127.0.0.1:0", events) end
    end
    assert.error_matches(listen { line = nothing, lien = nothing },
      "bad argument #2 to '.-listen' %(unknown event 'lien' %(there are: open, line, data, close%)%)")
    assert.error_matches(listen { nothing }, "unknown event '1'")
    assert.error_matches(listen { line = nothing, data = nothing }, "either 'line' or 'data'")
    assert.error_matches(listen { open = nothing }, "either 'line' or 'data'")
    assert.error_matches(listen {}, "either 'line' or 'data'")
    assert.error_matches(listen { line = "x" }, "event 'line' is not a function")
  end)
end)
