-- Open connections: none is lost, each finds its code at each event, what has begun ends as it began.
local neap = require "neap"
local start_app = require "spec.support.app"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

local function ask(conn, line)
  assert(conn:write(line .. "\n"))
  return conn:read("l", { timeout = 20 })
end

local function hears(conn, expected)
  assert.equal(expected, (conn:read("l", { timeout = 20 })))
end

-- Counts the lines of each connection.
local function counter(name)
  return ([[net.listen("unix:main.sock", {
    open = function(conn) conn.state.lines = 0 end,
    line = function(conn, line)
      conn.state.lines = conn.state.lines + 1
      conn:write(("%s %%s %%d\n"):format(line, conn.state.lines))
    end,
    close = function(conn, message, code) say("%s closed", conn.state.lines, tostring(code)) end,
  })]]):format(name, name)
end

-- Answers a line when there is a file of that name.
local function waiter(name)
  return ([[net.listen("unix:main.sock", {
    line = function(conn, line)
      say("%s begins", line)
      while not io.open(line) do timer.sleep(0.001) end
      conn:write("%s " .. line .. "\n")
    end,
    close = function(conn, message, code) say("%s closed", tostring(code)) end,
  })]]):format(name, name, name)
end

-- The same, by a function for all lines of a connection.
local function long_handler(name)
  return ([[VERSION = "%s"
  net.listen("unix:main.sock", function(conn)
    for line in conn:lines() do
      say(VERSION, "begins", line)
      while not io.open(line) do timer.sleep(0.001) end
      conn:write(VERSION .. " " .. line .. "\n")
    end
  end)]]):format(name)
end

describe("a connection that events serve", function()
  it("guarantee 5, 7: stays; its next line runs new code, its state is kept", function()
    local app <close> = start_app(counter "v1")
    local conns = {}
    for i = 1, 10 do
      conns[i] = assert(app:connect "main.sock")
      assert.equal("v1 a 1", ask(conns[i], "a"))
    end
    for version = 2, 4 do
      assert(app:reload(counter("v" .. version)))
      for _, conn in ipairs(conns) do
        assert.equal(("v%d b %d"):format(version, version), ask(conn, "b"))
      end
      app:forgets_old() -- nothing of it is held by them
    end
    for _, conn in ipairs(conns) do conn:close() end
    local said = ""
    for _ = 1, 10 do
      if not said:find(("v4 closed 4 nil,"):rep(10), 1, true) then said = said .. app:hears "v4 closed 4 nil," end
    end
    app:ends()
  end)

  it("guarantee 7: keeps what has come of a line", function()
    local app <close> = start_app(counter "v1")
    local conn <close> = assert(app:connect "main.sock")
    assert.equal("v1 a 1", ask(conn, "a"))
    for version = 2, 4 do
      conn:write("be")
      app:eval "" -- it has read that
      assert(app:reload(counter("v" .. version)))
      conn:write("gun")
      app:eval ""
      assert(app:reload(counter("v" .. version)))
      assert.equal(("v%d begun %d"):format(version, version), ask(conn, ""))
    end
    app:ends()
  end)

  it("guarantee 6, 7: ends the event that runs in the code it began in; those that wait run in the new code", function()
    local app <close> = start_app(waiter "v1")
    local conn <close> = assert(app:connect "main.sock")
    conn:write "one\ntwo\nthree\n"
    app:hears "v1 begins one"
    assert(app:reload(waiter "v2"))
    local old = app:status().generations[1]
    assert.same({ 1, "draining", 1 }, { old.id, old.state, #old.tasks })
    assert.same({ "connection", "app.lua:1" }, { old.tasks[1].name, old.tasks[1].where })
    app:save("one", "")
    hears(conn, "v1 one")
    app:hears "v2 begins two"
    app:forgets_old()
    assert(app:reload(waiter "v3"))
    app:save("two", "")
    app:save("three", "")
    hears(conn, "v2 two")
    hears(conn, "v3 three")
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 6: ends its first event in the code it began in", function()
    local text = [[net.listen("unix:main.sock", {
      open = function(conn)
        say "opens"
        while not io.open "go" do timer.sleep(0.001) end
        conn.state.opened_by = "%s"
      end,
      line = function(conn, line) conn:write("%s " .. conn.state.opened_by .. "\n") end
    })]]
    local app <close> = start_app(text:format("v1", "v1"))
    local conn <close> = assert(app:connect "main.sock")
    conn:write "x\n"
    app:hears "opens"
    assert(app:reload(text:format("v2", "v2")))
    app:save("go", "")
    hears(conn, "v2 v1")
    app:ends()
  end)

  it("guarantee 5, 7: never goes back to an older version, and misses no line", function()
    local app <close> = start_app(counter "v1")
    local seen, over = {}, false
    neap.group(function(group)
      for _ = 1, 5 do
        group:go(function()
          local conn <close> = assert(app:connect "main.sock")
          local newest, count = 0, 0
          repeat
            local last = over
            count = count + 1
            local version, lines = ask(conn, "x"):match "^v(%d+) x (%d+)$"
            assert.equal(count, tonumber(lines))
            assert.is_true(tonumber(version) >= newest)
            newest = tonumber(version)
            seen[newest] = (seen[newest] or 0) + 1
          until last
          assert.equal(20, newest)
        end)
      end
      for version = 2, 20 do
        assert(app:reload(counter("v" .. version)))
        eventually(function() return seen[version] end, 20)
      end
      over = true
    end)
    assert.equal(20, #seen)
    app:ends()
  end)

  it("guarantee 5: finds other events in the new version: of lines, of data, without some", function()
    local app <close> = start_app(counter "v1")
    local conn <close> = assert(app:connect "main.sock")
    assert.equal("v1 a 1", ask(conn, "a"))
    assert(app:reload [[net.listen("unix:main.sock", {
      data = function(conn, data) conn:write("v2 " .. #data .. "\n") end })]])
    conn:write "hello"
    hears(conn, "v2 5")
    assert(app:reload(counter "v3"))
    assert.equal("v3 b 2", ask(conn, "b"))
    conn:write "partial"
    app:eval ""
    assert(app:reload [[net.listen("unix:main.sock", {
      data = function(conn, data) conn:write("v4 " .. #data .. "\n") end })]])
    hears(conn, "v4 7") -- what was no line yet is data
    app:ends()
  end)

  it("guarantee 5: ends when its server is gone: at rest at once, else after its event", function()
    local app <close> = start_app(waiter "v1")
    local resting <close> = assert(app:connect "main.sock")
    local half <close> = assert(app:connect "main.sock")
    local busy <close> = assert(app:connect "main.sock")
    half:write "half a li"
    busy:write "go\n"
    app:hears "v1 begins go"
    assert(app:reload "")
    assert.is_nil((resting:read("l", { timeout = 20 })))
    assert.is_nil((half:read("l", { timeout = 20 })))
    assert.equal("ETIMEDOUT", (select(3, busy:read("l", { timeout = 0.01 }))))
    app:save("go", "")
    hears(busy, "v1 go")
    assert.is_nil((busy:read("l", { timeout = 20 })))
    app:forgets_old()
    assert.equal(3, select(2, app:said():gsub("v1 closed %w+,", "")))
    app:ends()
  end)

  it("guarantee 5: ends when a function serves its address from now on; that one serves who comes", function()
    local app <close> = start_app(waiter "v1")
    local resting <close> = assert(app:connect "main.sock")
    local busy <close> = assert(app:connect "main.sock")
    busy:write "go\n"
    app:hears "v1 begins go"
    assert(app:reload(long_handler "v2"))
    assert.is_nil((resting:read("l", { timeout = 20 })))
    app:save("go", "")
    hears(busy, "v1 go")
    assert.is_nil((busy:read("l", { timeout = 20 })))
    local new <close> = assert(app:connect "main.sock")
    assert.equal("v2 go", ask(new, "go"))
    assert(app:reload(counter "v3"))
    assert.equal("v2 go", ask(new, "go")) -- it goes on
    assert.equal("v3 x 1", app:ask("main.sock", "x"))
    app:ends()
  end)
end)

describe("a handler that is one function", function()
  it("guarantee 6, 7: goes on in its own code, and pins its version, until it returns", function()
    local app <close> = start_app(long_handler "v1")
    local conns = {}
    for version = 1, 3 do
      conns[version] = assert(app:connect "main.sock")
      conns[version]:write(version .. "\n")
      app:hears(("v%d begins %d"):format(version, version))
      assert(app:reload(long_handler("v" .. version + 1)))
    end
    local generations = app:status().generations
    assert.equal(4, #generations)
    for version = 1, 3 do
      local old = generations[version]
      assert.same({ version, "draining", 1, 1 }, { old.id, old.state, #old.tasks, #old.handles })
      assert.same({ "connection", "app.lua:2" }, { old.tasks[1].name, old.tasks[1].where })
      assert.same({ "connection", "app.lua:2" }, { old.handles[1].kind, old.handles[1].where })
    end
    for _, version in ipairs { 2, 3, 1 } do
      app:save(tostring(version), "")
      hears(conns[version], ("v%d %d"):format(version, version))
      assert.equal(("v%d 2"):format(version), ask(conns[version], "2")) -- its next lines, too
      conns[version]:close()
      eventually(function()
        for _, generation in ipairs(app:status().generations) do
          if generation.id == version then return false end
        end
        return true
      end, 20)
    end
    assert.equal(1, #app:status().generations)
    app:ends()
  end)

  it("guarantee 6: may start what it needs, and what it has started goes on", function()
    local app <close> = start_app [[
      net.listen("unix:main.sock", function(conn)
        local before = neap.go(function() timer.sleep(0.02) return "task" end)
        conn:write "ready\n"
        conn:read "l"
        local after = neap.go(function() timer.sleep(0.001) return "another" end)
        local ticks, woken = 0, false
        local interval = timer.every(0.001, function() ticks = ticks + 1 end)
        timer.sleep(0.001, function() woken = true end)
        local other <close> = assert(net.connect "unix:control")
        other:write "return hot.status().generation\n"
        local generation = other:read("l"):match "=(%d+)"
        while ticks < 2 or not woken do timer.sleep(0.001) end
        interval:close()
        conn:write { before:join(), " ", after:join(), " ", generation, "\n" }
      end)]]
    local conn <close> = assert(app:connect "main.sock")
    hears(conn, "ready")
    assert(app:reload "")
    conn:write "x\n"
    hears(conn, "task another 2")
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 6: what it leaves behind ends, then its version", function()
    local app <close> = start_app [[
      net.listen("unix:main.sock", function(conn)
        neap.go(function()
          while not io.open "go" do timer.sleep(0.001) end
          say "done"
        end)
        conn:write "ready\n"
      end)]]
    local conn <close> = assert(app:connect "main.sock")
    hears(conn, "ready")
    assert.is_nil((conn:read()))
    assert(app:reload "")
    assert.equal(2, #app:status().generations)
    app:save("go", "")
    app:hears "done"
    app:forgets_old()
    app:ends()
  end)
end)

describe("an outgoing connection", function()
  -- Serves in the process of the specs: one connection, which it holds.
  local function backend()
    local self = { ended = false, count = 0 }
    self.server = sockets.listen(function(conn)
      self.count = self.count + 1
      for line in conn:lines() do conn:write("backend " .. line .. "\n") end
      self.ended = true
    end)
    return setmetatable(self, { __close = function() self.server:__close() end })
  end

  it("guarantee 11: ends with its version", function()
    local other = backend()
    finally(function() getmetatable(other.server).__close() end)
    local app <close> = start_app(([[
      conn = assert(net.connect(%q))
      conn:write "x\n"
      say((conn:read "l"))]]):format(other.server.address))
    app:hears "backend x"
    assert.is_false(other.ended)
    assert(app:reload "")
    eventually(function() return other.ended end, 20)
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 11: but not while a request in flight uses it", function()
    local other = backend()
    finally(function() getmetatable(other.server).__close() end)
    local text = [[
      shared = assert(net.connect(%q))
      net.listen("unix:main.sock", %s)]]
    local handler = [[
      conn:write "ready\n"
      while not io.open "go" do timer.sleep(0.001) end
      shared:write "x\n"
      conn:write(shared:read "l" .. "\n")]]
    for i, served in ipairs {
      ("function(conn) %s end"):format(handler),
      ("{ open = function(conn) %s end, line = function() end }"):format(handler),
    } do
      local app <close> = start_app(text:format(other.server.address, served))
      local conn <close> = assert(app:connect "main.sock")
      hears(conn, "ready")
      other.ended = false
      assert(app:reload "")
      app:eval "timer.sleep(0.005)"
      assert.is_false(other.ended)
      app:save("go", "")
      hears(conn, "backend x")
      eventually(function() return other.ended end, 20)
      app:forgets_old()
      assert.equal(i, other.count)
      app:ends()
    end
  end)

  it("guarantee 11: that a request has opened is the request's", function()
    local other = backend()
    finally(function() getmetatable(other.server).__close() end)
    local app <close> = start_app(([[
      net.listen("unix:main.sock", function(conn)
        local own <close> = assert(net.connect(%q))
        conn:write "ready\n"
        for line in conn:lines() do
          own:write(line .. "\n")
          conn:write(own:read "l" .. "\n")
        end
      end)]]):format(other.server.address))
    local conn <close> = assert(app:connect "main.sock")
    hears(conn, "ready")
    assert(app:reload "")
    assert(app:reload "")
    assert.equal("backend x", ask(conn, "x"))
    assert.is_false(other.ended)
    conn:close()
    eventually(function() return other.ended end, 20)
    app:forgets_old()
    app:ends()
  end)
end)
