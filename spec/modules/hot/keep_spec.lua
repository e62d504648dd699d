-- hot.keep: guarantee 11, an outgoing connection outlives the version that has opened it.
local net = require "neap.net"
local eventually = require "neap.test".eventually
local reloading = require "spec.support.reloading"

-- A service to connect to: it counts the lines of each connection, and notes who has gone.
local function serve()
  local service = { gone = {} }
  service.server = assert(net.listen("127.0.0.1:0", {
    open = function(conn)
      service.open = (service.open or 0) + 1
      conn.state.name, conn.state.n = service.open, 0
    end,
    line = function(conn)
      conn.state.n = conn.state.n + 1
      conn:write(("%d.%d\n"):format(conn.state.name, conn.state.n))
    end,
    close = function(conn) service.gone[#service.gone + 1] = conn.state.name end,
  }))
  service.address = service.server.address
  return setmetatable(service, { __close = function() service.server:close() end })
end

local head = [[hot, timer, neap, net = require "neap.hot", require "neap.timer", require "neap", require "neap.net"
  local ask = function(conn) conn:write "?\n" return conn:read("l", { timeout = 20 }) end
  _G.ask = ask
]]

local function start(service, text)
  return reloading.start(("address = %q "):format(service.address) .. head .. text)
end

local opened = [[
  db = hot.keep "db" or hot.keep("db", assert(net.connect(address)))
]]

describe("hot.keep (guarantee 11)", function()
  it("keeps a connection over reloads", function()
    local service <close> = serve()
    local app <close> = start(service, opened)
    assert.equal("1.1", app:run "return ask(db)")
    for i = 2, 4 do
      assert.is_true(app:reload(head .. ("address = %q "):format(service.address) .. opened))
      app:settle()
      assert.same({ "1." .. i, true }, { app:run "return ask(db), hot.keep 'db' == db" })
    end
    assert.same({ "main:db" }, app:run "return hot.status().kept")
    assert.same({}, service.gone)
  end)

  it("ends what is not kept with its version", function()
    local service <close> = serve()
    local app <close> = start(service, "other = assert(net.connect(address)) " .. opened)
    assert.same({ "1.1", "2.1" }, { app:run "return ask(other), ask(db)" })
    assert.is_true(app:reload(head .. "db = hot.keep 'db'"))
    app:settle()
    assert.equal(1, eventually(function() return service.gone[1] end, 20))
    assert.equal("2.2", app:run "return ask(db)")
  end)

  it("serves old code that is still at work, too", function()
    local service <close> = serve()
    local app <close> = start(service, opened .. [[
      server = net.listen("127.0.0.1:0", function(conn)
        conn:write "ready\n"
        conn:read "l"
        conn:write(ask(db) .. "\n")
      end) ]])
    local conn <close> = assert(net.connect(app:run "return server.address"))
    assert.equal("ready", conn:read "l")
    assert.is_true(app:reload(head .. "db = hot.keep 'db'"))
    assert.equal("1.1", app:run "return ask(db)")
    conn:write "go on\n"
    assert.equal("1.2", conn:read "l")
  end)

  it("keeps nothing for a version that is refused", function()
    local service <close> = serve()
    local app <close> = start(service, opened)
    assert.is_nil((app:reload(head .. ("address = %q "):format(service.address) .. [[
      new, db = hot.keep("new", assert(net.connect(address))), hot.keep("db", assert(net.connect(address)))
      assert(ask(new) and ask(db) and hot.keep "db" == db and hot.keep "new" == new)
      error "boom" ]])))
    app:settle()
    assert.same({ "1.1", { "main:db" }, true, "nil" },
      { app:run "return ask(db), hot.status().kept, hot.keep 'db' == db, tostring(hot.keep 'new')" })
    eventually(function() return #service.gone == 2 end, 20)
  end)

  it("closes the one that is replaced, at the commit", function()
    local service <close> = serve()
    local app <close> = start(service, opened .. "old = db")
    assert.is_true(app:reload(head .. ("address = %q "):format(service.address) .. [[
      old = hot.keep "db"
      db = hot.keep("db", assert(net.connect(address)))
      loading = old.closed or ask(old) ]]))
    assert.same({ "1.1", true, "2.1", true }, { app:run "return loading, old.closed, ask(db), hot.keep 'db' == db" })
    -- and in a version that is live
    assert.same({ true, "3.1" }, { app:run [[ local before = db
      db = hot.keep("db", assert(net.connect(address)))
      return before.closed, ask(db) ]] })
    assert.is_true(app:reload(head .. "db = hot.keep 'db'"))
    app:settle()
    assert.equal("3.2", app:run "return ask(db)")
  end)

  it("answers nothing for one that is closed, by whomever", function()
    local service <close> = serve()
    local app <close> = start(service, opened)
    assert.same({ "nil" }, { app:run "db:close() return tostring(hot.keep 'db')" })
    assert.is_true(app:reload(head .. ("address = %q "):format(service.address) .. opened))
    assert.equal("2.1", app:run "return ask(db)")
    assert.equal("nil", app:run "return tostring(hot.keep 'other')")
  end)

  it("lets go: then it ends with its version", function()
    local service <close> = serve()
    local app <close> = start(service, opened)
    assert.same({ "1.1", "nil", {} }, { app:run [[ hot.keep("db", nil)
      return ask(db), tostring(hot.keep "db"), hot.status().kept ]] })
    assert.is_true(app:reload(head))
    assert.equal(1, eventually(function() return service.gone[1] end, 20))
  end)

  it("lets go for a version only if that goes live", function()
    local service <close> = serve()
    local app <close> = start(service, opened)
    assert.is_nil((app:reload(head .. [[ hot.keep("db", nil) error "boom" ]])))
    app:settle()
    assert.same({ "1.1", true }, { app:run "return ask(db), hot.keep 'db' == db" })
    assert.is_true(app:reload(head .. [[ db = hot.keep "db" hot.keep("db", nil) mine = tostring(hot.keep "db") ]]))
    assert.same({ "nil", "nil", {} }, { app:run "return mine, tostring(hot.keep 'db'), hot.status().kept" })
    app:settle()
    assert.equal("1.2", app:run "return ask(db)")
    assert.is_true(app:reload(head))
    assert.equal(1, eventually(function() return service.gone[1] end, 20))
  end)

  it("belongs to the module that asks", function()
    local service <close> = serve()
    local app <close> = reloading.start(("address = %q "):format(service.address) .. head .. opened
      .. "other = require 'other'", {
      ["other.lua"] = [[ return { get = function() local db = require "neap.hot".keep "db" return db end } ]],
    })
    assert.same({ "nil", true }, { app:run "return tostring(other.get()), hot.keep 'db' == db" })
  end)

  it("does not close what is kept at the end of the program any later than the rest", function()
    local service <close> = serve()
    local app <close> = start(service, opened)
    assert.equal("1.1", app:run "return ask(db)")
    app.child:signal "TERM"
    assert.equal(0, (app.child:wait()))
  end)

  it("takes a name and a connection; the error is at the caller's line", function()
    local service <close> = serve()
    local app <close> = start(service, "")
    local function message(code)
      local ok, text = app:run("return pcall(function()\n" .. code .. "\nend)")
      assert.is_false(ok)
      return text
    end
    assert.equal("code:2: bad argument #1 to 'keep' (string expected, got nil)", message "hot.keep()")
    assert.equal("code:2: bad argument #2 to 'keep' (connection, child or watcher expected, got table)",
      message "hot.keep('x', {})")
    assert.equal("code:2: bad argument #2 to 'keep' (connection, child or watcher expected, got userdata)",
      message "hot.keep('x', timer.every(1, print))")
    assert.same({}, app:run "return hot.status().kept")
  end)
end)
