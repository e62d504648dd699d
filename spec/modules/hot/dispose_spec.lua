-- hot.dispose and hot.handover: guarantee 16.
local net = require "neap.net"
local reloading = require "spec.support.reloading"

local head = [[hot, timer, neap = require "neap.hot", require "neap.timer", require "neap"
  log = hot.state "log"
  local function say(text) log[#log + 1] = text end ]]

local function start(text)
  return reloading.start(head .. text)
end

local function log(app)
  return table.concat(app:run "return log", " ")
end

describe("hot.dispose (guarantee 16)", function()
  it("runs once, the last one first, after the last work of its version", function()
    local app <close> = start [[
      hot.dispose(function() say "first" end)
      hot.dispose(function() timer.sleep(0.002) say "second" end)
      neap.go(function()
        local _ <close> = setmetatable({}, { __close = function() timer.sleep(0.002) say "closed" end })
        timer.sleep(1000)
      end) ]]
    assert.is_true(app:reload(head))
    app:settle()
    assert.equal("closed second first", log(app))
    assert.is_true(app:reload(head))
    app:settle()
    assert.equal("closed second first", log(app))
  end)

  it("waits for a connection that drains", function()
    local app <close> = start [[
      hot.dispose(function() say "disposed" end)
      server = require "neap.net".listen("127.0.0.1:0", function(conn)
        conn:write "ready\n"
        conn:read "l"
        say "served"
      end) ]]
    local conn <close> = assert(net.connect(app:run "return server.address"))
    assert.equal("ready", conn:read "l")
    assert.is_true(app:reload(head))
    assert.is_true(app:reload(head))
    assert.equal("", log(app))
    app:eventually "return #hot.status().generations == 2" -- the one between them is gone
    conn:write "go on\n"
    app:settle()
    assert.equal("served disposed", log(app))
  end)

  it("goes on after an error, which is reported", function()
    local app <close> = start [[
      hot.dispose(function() say "first" end)
      hot.dispose(function() error "not disposed" end)
      hot.dispose(function() say "third" end)
      hot.dispose(function() error "nor this" end) ]]
    assert.is_true(app:reload(head))
    app:settle()
    assert.equal("third first", log(app))
    assert.matches("neap: hot.dispose: app.lua:6: nor this\nhot.dispose: app.lua:4: not disposed", app:stderr())
  end)

  it("is of a version that is refused as well: what it has opened is to be closed", function()
    local app <close> = start ""
    assert.is_nil((app:reload(head .. [[ hot.dispose(function() say "disposed" end) error "boom" ]])))
    app:settle()
    assert.equal("disposed", log(app))
  end)

  it("sees its own globals", function()
    local app <close> = start [[ name = "one" hot.dispose(function() say(name .. ("x"):own()) end)
      function string.own(s) return s .. "1" end ]]
    assert.is_true(app:reload(head .. [[ name = "two" function string.own(s) return s .. "2" end ]]))
    app:settle()
    assert.equal("onex1", log(app))
  end)

  it("takes a function", function()
    local app <close> = start ""
    assert.same({ false, "code:1: bad argument #1 to 'dispose' (function expected, got table)" },
      { app:run "return pcall(function() hot.dispose {} end)" })
    assert.same({ false, "code:1: bad argument #1 to 'handover' (function expected, got nil)" },
      { app:run "return pcall(function() hot.handover() end)" })
  end)
end)

describe("hot.handover (guarantee 16)", function()
  it("runs in the old version before the commit, in order, and may wait", function()
    local app <close> = start [[
      version = "one"
      ticks = timer.every(0.001, function() log.ticks = (log.ticks or 0) + 1 end)
      hot.handover(function()
        say("first of " .. version)
        local before = log.ticks or 0
        while (log.ticks or 0) < before + 3 do timer.sleep(0.001) end -- it still works
        say(tostring(hot.status().generation))
      end)
      hot.handover(function() say "second" end) ]]
    assert.is_true(app:reload(head .. [[ version = "two" say "loaded" neap.go(function() say "began" end) ]]))
    app:settle()
    assert.equal("loaded first of one 1 second began", log(app))
    assert.is_true(app:reload(head))
    assert.equal("loaded first of one 1 second began", log(app))
  end)

  it("can free what two versions cannot hold at once", function()
    local app <close> = start [[
      held = hot.state("held")
      held.by = "one"
      hot.handover(function() held.by = nil end) ]]
    assert.is_true(app:reload(head .. [[ held = hot.state "held" neap.go(function() say(tostring(held.by)) end) ]]))
    app:eventually "return #log == 1"
    assert.equal("nil", log(app))
  end)

  it("is not run for a version that cannot be loaded", function()
    local app <close> = start [[ hot.handover(function() say "handed over" end) ]]
    assert.is_nil((app:reload(head .. 'error "boom"')))
    assert.equal("", log(app))
  end)

  it("makes the reload fail with an error, and the old version goes on", function()
    local app <close> = start [[
      hot.handover(function() say "first" if not log.good then timer.sleep(0) error "held" end end)
      hot.handover(function() say "second" end)
      timer.every(0.001, function() ticks = (ticks or 0) + 1 end) ]]
    local ok, message, code = app:reload(head .. [[ hot.dispose(function() say "new disposed" end)
      neap.go(function() say "new began" end) ]])
    assert.is_nil(ok)
    assert.equal("EINVAL", code)
    assert.matches("^reload: hot.handover: app.lua:3: held\nstack traceback:\n", message)
    app:settle()
    assert.equal("first new disposed", log(app))
    local before = app:run "return ticks or 0"
    app:eventually(("return ticks > %d"):format(before))
    app:run "log.good = true"
    assert.is_true(app:reload())
    assert.equal("first new disposed first second new began", log(app))
  end)
end)
