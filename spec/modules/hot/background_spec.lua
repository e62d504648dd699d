-- Timers, loops and whatever else serves no connection: it ends with its version, and begins with it.
local neap = require "neap"
local start_app = require "spec.support.app"
local eventually = require "neap.test".eventually

local function count(text, what)
  return select(2, text:gsub(what, "%0"))
end

describe("the background of a version", function()
  it("guarantee 8: an interval ticks as one, over many reloads", function()
    local app <close> = start_app ""
    local text = [[
      times = hot.state "times"
      local began = timer.monotonic()
      timer.every(0.01, function()
        local number = hot.status().generation
        times[#times + 1] = { after = timer.monotonic() - began, version = %d, live = number }
      end) -- %d]]
    for version = 2, 31 do
      assert(app:reload(text:format(version, version)))
      if version % 10 == 0 then -- it is the only one
        local first = app:eval "return #times"
        eventually(function() return app:eval "return #times" >= first + 3 end, 20)
      end
    end
    local times = app:eval "return times"
    assert.is_true(#times >= 9)
    local newest, ticks = 0, 0
    for _, time in ipairs(times) do
      assert.equal(time.live, time.version)
      assert.is_true(time.version >= newest) -- none of an old one after the first of a new one
      if time.version > newest then newest, ticks = time.version, 0 end
      ticks = ticks + 1
      assert.is_true(time.after > ticks * 0.01 - 0.002) -- each is due after 10 ms more, and may be late
    end
    app:ends()
  end)

  it("guarantee 8: ends, also with pcall or xpcall around its waits, and in coroutines", function()
    local app <close> = start_app [[
      local function closing(text)
        return setmetatable({}, { __close = function() timer.sleep(0.002) say(text) end })
      end
      neap.go(function()
        local _ <close> = closing "1 ends"
        while true do pcall(function() timer.sleep(0.001) error "oh" end) end
      end)
      neap.go(function()
        local _ <close> = closing "2 ends"
        while true do xpcall(timer.sleep, function() return "text" end, 0.001) end
      end)
      local wrapped = coroutine.wrap(function()
        local _ <close> = setmetatable({}, { __close = function() say "3 ends" end }) -- it cannot wait
        while true do timer.sleep(3600) end
      end)
      neap.go(function() while true do pcall(wrapped) end end)
      neap.group(function(group)
        group:go(function()
          local _ <close> = closing "4 ends"
          neap.ready()
          timer.sleep(3600)
        end)
      end)
      say "not reached"]]
    assert(app:reload "")
    app:forgets_old()
    local said = app:said()
    for i = 1, 4 do assert.equal(1, count(said, i .. " ends,"), said .. app:stderr()) end
    assert.is_nil(said:find "not reached")
    app:ends()
  end)

  it("guarantee 8: a sleep with a callback, a tick and a read do not call back what was replaced", function()
    local app <close> = start_app [[
      local function tell(what) -- and which version was live then: this is a slow machine, perhaps
        return function() say(what, hot.status().generation) end
      end
      net.listen("unix:quiet.sock", { line = function() end })
      timer.sleep(0.02, tell "sleep")
      timer.every(0.02, tell "tick")
      conn = assert(net.connect "unix:quiet.sock")
      conn:read("l", { timeout = 0.02 }, tell "read")
      neap.go(function() timer.sleep(0.02) tell "task" () end)
      neap.go(timer.sleep, 0.02):join(tell "join")]]
    assert(app:reload "timer.sleep(0.04, function() say 'new' end)")
    assert.is_nil(app:hears("new,"):find " 2,")
    app:ends()
  end)

  it("guarantee 8: a tick that runs when its version is replaced ends where it waits", function()
    local app <close> = start_app [[
      timer.every(0.001, function()
        local _ <close> = setmetatable({}, { __close = function() say "cut" end })
        say "begins"
        timer.sleep(3600)
        say "not reached"
      end)]]
    app:hears "begins"
    assert(app:reload "")
    app:forgets_old()
    assert.equal("cut,", app:said())
    app:ends()
  end)

  it("guarantee 8: starts nothing any more: that is an error", function()
    local app <close> = start_app [[
      local function try(what, fn, ...)
        local ok, message = pcall(fn, ...)
        say(what, tostring(ok), (tostring(message):gsub("^.-:%d+: ", "")))
      end
      neap.go(function()
        local _ <close> = setmetatable({}, { __close = function()
          try("go", neap.go, say, "task")
          try("every", timer.every, 0.001, function() say "tick" end)
          try("sleep", timer.sleep, 0.001, function() say "callback" end)
          try("listen", net.listen, "unix:late.sock", function() end)
          try("connect", net.connect, "unix:control")
          timer.sleep(0.001) -- it may wait
          say "over"
        end })
        timer.sleep(3600)
      end)
      neap.ready()
      timer.sleep(3600)]]
    assert(app:reload "")
    local why = " false this version of the program has been replaced,"
    assert.equal("go" .. why .. "every" .. why .. "sleep" .. why .. "listen" .. why .. "connect" .. why .. "over,",
      app:hears "over")
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 8: begins when its version goes live, in order", function()
    local app <close> = start_app ""
    local reload = neap.go(app.reload, app, [[
      first = neap.go(function() say "task" end)
      timer.sleep(0, function() say "sleep" end)
      timer.every(0.001, function() say "tick" end)
      net.connect("unix:control", function(conn) say("connected", type(conn)) end)
      say("main", first.status)
      while not io.open "go" do timer.sleep(0.002) end
      say "ready"]])
    assert.equal("main staged,", app:hears "main")
    app:eval "timer.sleep(0.01)" -- what is staged would have begun
    assert.equal("", app:said())
    app:save("go", "")
    assert(reload:join())
    local said = app:hears "connected"
    said = said .. (said:find "tick" and "" or app:hears "tick")
    assert.matches("^ready,task,", said)
    assert.equal(1, count(said, "sleep,"))
    app:ends()
  end)

  it("guarantee 8: begins at once where its main chunk waits for it", function()
    local app <close> = start_app ""
    assert(app:reload [[
      local task = neap.go(function() timer.sleep(0.001) return "joined" end)
      say(task:join())
      neap.group(function(group)
        group:go(function() timer.sleep(0.001) say "group" end)
      end)
      say((select(3, neap.deadline(0.001, timer.sleep, 3600))))
      local conn <close> = assert(net.connect "unix:control") -- the version that serves answers
      conn:write "return hot.status().generation\n"
      say(conn:read("l"):match "=(%d+)" == "1" and "answer")]])
    assert.equal("joined,group,ETIMEDOUT,answer,", app:said())
    app:ends()
  end)

  it("guarantee 8: cancelled before it began, it never does", function()
    local app <close> = start_app ""
    assert(app:reload [[
      local task = neap.go(say, "task")
      local sleep = timer.sleep(0, function() say "sleep" end)
      local tick = timer.every(0.001, function() say "tick" end)
      local server = assert(net.listen("unix:main.sock", function() end))
      task:cancel() sleep:cancel() tick:close() server:close()
      timer.sleep(0.003, function() say "over" end)]])
    assert.equal("over,", app:hears "over")
    assert.equal("ENOENT", (select(3, app:connect "main.sock")))
    app:ends()
  end)

  it("guarantee 8, 12: nothing of it is left: neither tasks nor descriptors", function()
    local text = [[
      net.listen("127.0.0.1:0", function() end)
      timer.every(0.001, function() end)
      timer.sleep(3600, function() end)
      neap.go(timer.sleep, 3600)
      conn = net.connect "unix:control" -- it outlives its version in nobody's hands]]
    local app <close> = start_app(text)
    local before = app:inventory()
    for _ = 1, 30 do assert(app:reload(text)) end
    app:forgets_old()
    local after = before:gsub("\n1 ", "\n31 ")
    app:settles(after)
    app:ends()
  end)
end)
