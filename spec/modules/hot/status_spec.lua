-- hot.status, and what it is to show: guarantees 10 (what pins a version), 17 (what needs a restart), 18.
local net, timer = require "neap.net", require "neap.timer"
local eventually = require "neap.test".eventually
local reloading = require "spec.support.reloading"

local head = [[hot, timer, neap, net = require "neap.hot", require "neap.timer", require "neap", require "neap.net" ]]

local function start(text, files, flags)
  return reloading.start(head .. text, files, flags)
end

local function says(app, text)
  return eventually(function() return assert.matches(text, app:stderr(), 1, true) end, 20)
end

describe("hot.status", function()
  it("tells which version is live, since when, and why", function()
    local before = timer.now()
    local app <close> = start ""
    local first = app:run "return hot.status()"
    assert.same({ 1, 0, 0 }, { first.generation, first.reloads, first.failures })
    assert.is_true(app:reload(head))
    assert.is_true(app:reload(head))
    local status = app:run "return hot.status()"
    assert.same({ 3, 2, 0, "hot.reload", 2, false },
      { status.generation, status.reloads, status.failures, status.why, status.files, status.watching })
    assert.is_true(before - 1 < status.started and status.started <= status.since and status.since <= timer.now() + 1)
    assert.same({ {}, {}, {}, {} }, { status.state, status.kept, status.pins, status.restart })
    assert.is_nil(status.error)
  end)

  it("has the last error, until a reload succeeds", function()
    local app <close> = start ""
    app:reload(head .. "\nlocal x = nil + 1")
    local status = app:run "return hot.status()"
    assert.same({ 1, 0, 1 }, { status.generation, status.reloads, status.failures })
    assert.matches("^app.lua:2: attempt to perform arithmetic on a nil value\nstack traceback:\n", status.error)
    app:reload "this is no Lua"
    status = app:run "return hot.status()"
    assert.equal(2, status.failures)
    assert.matches("^app.lua:1: syntax error near", status.error)
    assert.is_true(app:reload(head))
    status = app:run "return hot.status()"
    assert.same({ 1, 2, "nil" }, { status.reloads, status.failures, tostring(status.error) })
  end)

  it("lists the versions with what they do, and where that was started", function()
    local app <close> = start [[
      server = net.listen("127.0.0.1:0", function(conn)
        conn:write "ready\n"
        conn:read "l"
      end)]]
    local conn <close> = assert(net.connect(app:run "return server.address"))
    assert.equal("ready", conn:read "l")
    assert.is_true(app:reload(head .. [[
      ticking = timer.every(1000, print)
      task = neap.go(function() timer.sleep(1000) end)
      task.name = "sleeper"
      outgoing = net.listen("127.0.0.1:0", print) ]]))
    local generations
    eventually(function()
      generations = app:run "return hot.status().generations"
      return #generations == 2
    end, 20)
    local function names(list, field)
      local all = {}
      for i, work in ipairs(list) do all[i] = work[field] .. " " .. work.where end
      table.sort(all)
      return all
    end
    local old, new = generations[1], generations[2]
    assert.same({ 1, "draining", 2, "live" }, { old.id, old.state, new.id, new.state })
    assert.same({ "connection app.lua:1" }, names(old.tasks, "name"))
    assert.same({ "connection app.lua:1" }, names(old.handles, "kind"))
    assert.same({ "server ./control.lua:23", "server app.lua:4" }, names(new.handles, "kind"))
    local sleeper = {}
    for _, task in ipairs(new.tasks) do if task.name == "sleeper" then sleeper = task end end
    assert.same({ "task", "app.lua:2", "integer" }, { sleeper.kind, sleeper.where, math.type(sleeper.id) })
    conn:write "go on\n"
    app:settle()
  end)

  it("shows the version that is being loaded", function()
    local app <close> = start ""
    app:write("app.lua", head .. [[ while not hot.state("go").on do timer.sleep(0.001) end ]])
    app:run "hot.reload(function(...) outcome = { ... } end)"
    app:eventually [[
      local generations = hot.status().generations
      return #generations == 2 and generations[2].state == "preparing" and generations[2].tasks[1].name == "main" ]]
    assert.equal(1, app:run "return hot.status().generation")
    app:run "hot.state('go').on = true"
    app:eventually "return hot.status().generation == 2"
  end)
end)

describe("what pins a version (guarantee 10)", function()
  -- What the version leaves in the state "s" is found after the next commit, at that path.
  for what, case in pairs {
    ["a function"] = { "s.hooks = { on_line = function() return a_global end }", "main:s.hooks.on_line" },
    ["a function by what it calls"] = {
      "local function helper() return a_global end s[1] = function() return helper() end", "main:s[1]",
    },
    ["a coroutine"] = {
      "s.co = coroutine.create(function() coroutine.yield(a_global) end) coroutine.resume(s.co)", "main:s.co",
    },
    ["a coroutine that has not begun"] = { "s.co = coroutine.create(function() return a_global end)", "main:s.co" },
    ["a metatable"] = {
      "s['a b'] = setmetatable({}, { __index = function() return a_global end })",
      'main:s["a b"]<metatable>.__index',
    },
    ["its globals"] = { "s.env = _G", "main:s.env" },
    ["a key"] = { "s[function() return a_global end] = true", "main:s<key>" },
  } do
    it("is found: " .. what, function()
      local app <close> = start("s = hot.state 's' s.data = { 1, { 2 } } s.self = s a_global = {} " .. case[1])
      assert.is_true(app:reload(head .. "s = hot.state 's'"))
      app:eventually "return #hot.status().pins > 0"
      local pins = app:run "return hot.status().pins"
      assert.same({ path = case[2], generation = 1 }, pins[1])
      assert.matches("neap: state " .. case[2] .. " holds something of generation 1", app:stderr(), 1, true)
      app:run "for k in next, s do s[k] = nil end"
      assert.is_true(app:reload())
      app:eventually "return #hot.status().pins == 0"
    end)
  end

  it("is no data, no function of the live version, and no library function", function()
    local app <close> = start [[ s = hot.state("s", function() return { list = { 1, "x" }, [{}] = 2.5 } end) ]]
    assert.is_true(app:reload(head .. [[ s = hot.state "s"
      s.own, s.print = function() return s end, print s.meta = setmetatable({}, { __index = function() end }) ]]))
    app:run "hot.state('s').seen = true"
    app:settle()
    assert.same({}, app:run "for _ = 1, 100 do timer.sleep(0) end return hot.status().pins")
    assert.equal("", app:stderr())
  end)

  it("lets go: a version that nothing holds is collected", function()
    local app <close> = start [[ s = hot.state "s"
      collected = hot.state "collected"
      local _ = setmetatable({}, { __gc = function() collected[#collected + 1] = 1 end })
      s.held = function() return _ end ]]
    assert.is_true(app:reload(head .. [[ s, collected = hot.state "s", hot.state "collected"
      marker = setmetatable({}, { __gc = function() collected[#collected + 1] = 2 end })
      server = net.listen("127.0.0.1:0", function(conn) accepted = conn end)
      ticking = timer.every(0.001, function() ticks = (ticks or 0) + 1 end)
      task = neap.go(function() _ENV.own = neap.tasks() timer.sleep(1000) end)
      sleeping = timer.sleep(1000, print)
      neap.on_error(function() print(marker) end)
      hot.dispose(function() print(marker) end)
      hot.handover(function() print(marker) end)
      outgoing = net.connect(server.address)
      pcall(function() later = require "none" end) ]]))
    app:settle()
    assert.same({}, app:run "collectgarbage() collectgarbage() return collected")
    app:run "s.held = nil"
    app:eventually "collectgarbage() return #collected == 1"
    assert.is_true(app:reload(head .. "collected = hot.state 'collected'"))
    app:settle()
    app:eventually "collectgarbage() return #collected == 2"
  end)
end)

describe("what cannot be reloaded (guarantee 17)", function()
  it("is named: a C module that has changed", function()
    local lpeg = package.searchpath("lpeg", package.cpath) or package.searchpath("lfs", package.cpath)
    if not lpeg then return pending "no C module is installed" end
    local name = lpeg:match "(%w+)%.so$"
    local file <close> = assert(io.open(lpeg, "rb"))
    local bytes = file:read "a"
    local text = ("package.cpath = './?.so' m = require '%s' "):format(name)
    local app <close> = start(text, { [name .. ".so"] = bytes })
    assert.is_true(app:reload(head .. text))
    assert.same({}, app:run "return hot.status().restart")
    app:write(name .. ".so", bytes .. "\0")
    assert.is_true(app:reload(head .. text))
    assert.same({ ("./%s.so has changed"):format(name) }, app:run "return hot.status().restart")
  end)
end)

describe("watching (guarantee 18)", function()
  it("is not done unless asked: a save changes nothing, and no descriptor is there for it", function()
    local app <close> = start("version = 1")
    app:write("app.lua", head .. "version = 2")
    app:write("control.lua", "error 'bad'")
    app:run "for _ = 1, 50 do timer.sleep(0.001) end" -- five times what a watcher waits for a burst to end
    assert.same({ 1, 1, false }, { app:run "return version, hot.status().generation, hot.status().watching" })
    local pipe <close> = io.popen(("ls -l /proc/%d/fd 2>/dev/null"):format(app.child.pid))
    assert.is_nil(pipe:read("a"):find "inotify")
  end)
end)

describe("hot.depends", function()
  it("names a file whose change is a reload under --watch, also one that does not exist yet", function()
    local text = head .. [[
      hot.depends("data.txt", "later/late.txt")
      local file <close> = io.open "data.txt"
      data = file:read "a"
      late = io.open "later/late.txt" and true ]]
    local app <close> = start(text:sub(#head + 1), { ["data.txt"] = "one" }, { "--watch" })
    assert.equal("one", app:run "return data")
    app:write("data.txt", "two")
    app:eventually "return data == 'two'"
    says(app, "data.txt changed")
    app:write("later/late.txt", "")
    app:eventually "return late"
    says(app, "late.txt changed")
  end)

  it("is not needed for what a later version requires, or wanted to", function()
    local app <close> = start("version = 1", { ["b.lua"] = "return 1" }, { "--watch" })
    app:write("app.lua", head .. "version = require 'b'")
    says(app, "app.lua changed")
    app:write("b.lua", "return 2")
    app:eventually "return version == 2"
    app:write("b.lua", "return require 'c'")
    says(app, "module 'c' not found")
    app:write("c.lua", "return 3")
    app:eventually "return version == 3"
    says(app, "mended: generation")
  end)

  it("is not needed for what is read by a reload that was asked for", function()
    local text = "if hot.state('more').on then version = require 'd' end"
    local app <close> = start(text, { ["d.lua"] = "return 1" }, { "--watch" })
    app:run "hot.state('more').on = true"
    assert.is_true(app:reload())
    assert.equal(1, app:run "return version")
    app:write("d.lua", "return 2")
    app:eventually "return version == 2"
  end)

  it("takes paths; the error is at the caller's line", function()
    local app <close> = start ""
    assert.same({ false, "code:1: bad argument #2 to 'depends' (string expected, got nil)" },
      { app:run "return pcall(function() hot.depends('x', nil) end)" })
  end)
end)

describe("hot.reload", function()
  it("takes a callback, which is a task of its own and gets the same values", function()
    local app <close> = start ""
    app:run [[ log = hot.state "log"
      local returned
      hot.reload(function(...) log[1] = table.pack(...) timer.sleep(0) log[2] = returned end)
      returned = true ]]
    app:eventually "return hot.status().generation == 2"
    -- the task was a background task of the version that is gone: what is no request ends with its version
    app:settle()
  end)

  it("asks for a function; the error is at the caller's line", function()
    local app <close> = start ""
    assert.same({ false, "code:1: bad argument #1 to 'reload' (function expected, got table)" },
      { app:run "return pcall(function() hot.reload {} end)" })
  end)

  it("cannot be called by a version that is still loaded", function()
    local app <close> = start ""
    local ok, message = app:reload(head .. "\nhot.reload()")
    assert.is_nil(ok)
    assert.matches("app.lua:2: cannot reload: this version is still being loaded", message, 1, true)
  end)
end)
