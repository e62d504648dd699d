-- hot.wait: what becomes of a version, for what goes on in it.
local neap, hot, timer = require "neap", require "neap.hot", require "neap.timer"
local start_app = require "spec.support.app"

-- A connection to it is told all news, until they are final. It is of the version that it has found.
local TELLS = [[
server = assert(net.listen("unix:news.sock", function(conn)
  conn:write "ready\n"
  repeat
    local news, message, code = hot.wait { timeout = 60 }
    local status = hot.status()
    conn:write { news or code, " ", status.here, " ", status.generation, " ", status.error and "error" or "fine", "\n" }
  until news ~= "failed" and news ~= "mended"
  conn:write { "again ", hot.wait(), "\n" }
end))
]]

local function connect(app)
  local conn = assert(app:connect "news.sock")
  assert.equal("ready", conn:read("l", { timeout = 20 }))
  return conn
end

local function line(conn)
  return conn:read("l", { timeout = 20 })
end

describe("hot.wait", function()
  it("tells of reloads that fail, and of the one that does not", function()
    local app <close> = start_app(TELLS)
    local one <close> = connect(app)
    local two <close> = connect(app)
    app:reload "this is no Lua"
    assert.equal("failed 1 1 error", line(one))
    assert.equal("failed 1 1 error", line(two))
    app:reload "error 'no'"
    assert.equal("failed 1 1 error", line(one))
    assert(app:reload(TELLS))
    assert.equal("replaced 1 4 fine", line(one))
    assert.equal("again replaced", line(one))
    one:close()
    two:close()
    app:forgets_old()
    app:ends()
  end)

  it("tells that a fault was undone", function()
    local app <close> = start_app(TELLS, { flags = { "--watch" } })
    local conn <close> = connect(app)
    app:save("app.lua", "this is no Lua")
    assert.equal("failed 1 1 error", line(conn))
    app:save("app.lua", TELLS)
    assert.equal("mended 1 1 fine", line(conn))
    app:ends()
    assert.equal("ending 1 1 fine", line(conn))
    assert.equal("again ending", line(conn))
  end)

  it("holds up no end", function()
    local app <close> = start_app(TELLS)
    local conn <close> = connect(app)
    app:signal "TERM"
    assert.equal("ending 1 1 fine", line(conn))
    assert.equal("again ending", line(conn))
    assert.equal(0, (app.child:wait()))
  end)

  it("is cancelled, and is late, as other waits are", function()
    local task = neap.go(hot.wait)
    timer.sleep(0)
    assert.equal("news", (function()
      for _, one in ipairs(neap.tasks()) do
        if one.id == task.id then return one.waits end
      end
    end)())
    task:cancel()
    assert.equal("ECANCELED", select(3, task:join()))
    assert.same({ nil, "hot.wait: timed out", "ETIMEDOUT", n = 3 }, table.pack(hot.wait { timeout = 0.001 }))
    local got
    local call = hot.wait({ timeout = 0.001 }, function(...) got = { select("#", ...), select(3, ...) } end)
    assert.is_nil(got)
    call:join()
    assert.same({ 3, "ETIMEDOUT" }, got)
    hot.wait(function() error "called" end):cancel()
    assert.has_error(function() hot.wait { limit = 1 } end)
  end)

  it("does not wait in a version that is still being loaded", function()
    local app <close> = start_app ""
    local ok, message = app:reload "hot.wait()"
    assert.is_nil(ok)
    assert.matches("app.lua:1: cannot wait for news: this version is still being loaded", message, 1, true)
    app:ends()
  end)

  it("calls back in the background of a version, and not beyond it", function()
    local app <close> = start_app [[hot.wait(function(news) say(news) end)]]
    app:reload "no Lua"
    app:hears "failed,"
    assert(app:reload [[neap.go(function() hot.wait(function(news) say("2", news) end) end)]])
    assert(app:reload "")
    app:forgets_old()
    assert.equal("", app:said())
    app:ends()
  end)
end)
