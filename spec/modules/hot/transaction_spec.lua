-- Prepare, commit, roll back: a version goes live as a whole, or nothing of it does.
local neap, net = require "neap", require "neap.net"
local start_app = require "spec.support.app"
local eventually = require "neap.test".eventually

-- What serves: a server, an interval, a loop, a sleep, state.
local function version(name)
  return ([[
    server = assert(net.listen("unix:main.sock", { line = function(conn, line)
      conn.state.lines = (conn.state.lines or 0) + 1
      conn:write(("%s %%s %%d\n"):format(line, conn.state.lines))
    end }))
    counts = hot.state("counts", function() return { 1, 2 } end)
    timer.every(0.003, function() say "tick %s" end)
    neap.go(function() while true do timer.sleep(0.003) say "loop %s" end end).name = "loop"
    timer.sleep(3600, function() end)
  ]]):format(name, name, name)
end

-- What a version starts before it fails: five lines.
local STARTS = [[
net.listen("unix:main.sock", { line = function(conn) conn:write "bad\n" end })
net.listen("unix:more.sock", function() end) net.listen("127.0.0.1:0", function() end)
timer.every(0.001, function() say "bad" end) timer.sleep(0.001, function() say "bad" end)
neap.go(function() say "bad" end) net.connect("unix:main.sock", function() say "bad" end)
hot.state("more", function() return {} end) leak = net.connect("unix:main.sock")
]]

-- One more line of a connection.
local function ask(conn, line)
  assert(conn:write(line .. "\n"))
  return conn:read("l", { timeout = 20 })
end

-- Everything is as if it had not been tried, and the next good version goes live.
local function is_refused(app, text, pattern, code)
  local conn <close> = assert(app:connect "main.sock")
  assert.equal("old a 1", ask(conn, "a"))
  local before, failures = app:inventory(), app:status().failures
  app:said()
  local ok, message, why = app:reload(text)
  assert.same({ nil, code or "EINVAL" }, { ok, why })
  assert.matches(pattern, message)
  assert.equal("old b 2", ask(conn, "b"))
  assert.equal("old c 1", app:ask("main.sock", "c"))
  app:settles(before)
  local said = app:hears "tick old" .. app:hears "loop old"
  assert.is_nil(said:find("bad", 1, true))
  assert.same({ nil, "ENOENT" }, { (app:connect "more.sock"), (select(3, app:connect "more.sock")) })
  assert.same({ { 1, 2 }, { "main:counts" } }, { app:eval "return counts, hot.status().state" })
  assert.equal(message, "reload: " .. app:status().error)
  assert(app:reload(version "good"))
  assert.equal("good d 3", ask(conn, "d"))
  app:said()
  said = app:hears "tick good" .. app:hears "loop good"
  assert.is_nil(said:find("old", 1, true))
  local status = app:status()
  assert.same({ 1, failures + 1 }, { status.reloads, status.failures })
  assert.is_nil(status.error)
end

local function refuses(text, pattern, files, options)
  return function()
    local app <close> = start_app(version "old", options)
    for name, content in pairs(files or {}) do app:save(name, content) end
    is_refused(app, text, pattern)
    app:ends()
  end
end

describe("a new version that fails leaves nothing, and says why:", function()
  it("guarantee 3: a syntax error", refuses("x = 1\nx = = 2\n", "^reload: app%.lua:2: unexpected symbol near '='"))

  it("guarantee 3: an error, after it has listened and started timers", refuses(STARTS .. "error 'late'",
    "^reload: app%.lua:6: late\nstack traceback:\n.*app%.lua:6: in main chunk"))

  it("guarantee 3: an error in a function of a library", refuses(STARTS .. "string.rep()",
    "^reload: app%.lua:6: bad argument #1 to 'rep'.*\nstack traceback:\n.*app%.lua:6: in main chunk"))

  it("guarantee 3: an error that is a table", refuses(STARTS .. "error { code = 7 }",
    "^reload: .*table.*\nstack traceback:\n.*app%.lua:6: in main chunk"))

  it("guarantee 3: an error that can be made a text", refuses(
    STARTS .. "error(setmetatable({}, { __tostring = function() return 'lost the key' end }))",
    "^reload: .*lost the key.*\nstack traceback:\n.*app%.lua:6: in main chunk"))

  it("guarantee 3: too many calls", refuses(STARTS .. "local function f() return 1 + f() end f()",
    "^reload: app%.lua:6: stack overflow.*\nstack traceback:\n.*app%.lua:6: in main chunk"))

  it("guarantee 3: os.exit", refuses(STARTS .. "os.exit(3)",
    "^reload: .*exit.*\nstack traceback:\n.*app%.lua:6: in main chunk"))

  it("guarantee 3: os.exit in pcall, in a task that it waits for", refuses(
    STARTS .. "neap.group(function(group)\ngroup:go(function() pcall(os.exit, true, true) end)\nend)",
    "^reload: .*exit.*\nstack traceback:\n"))

  it("guarantee 3: a required file that vanished", refuses(STARTS .. "require 'lib'",
    "^reload: app%.lua:6: module 'lib' not found:.*\nstack traceback:\n"))

  it("guarantee 3: an error in a required module", refuses(STARTS .. "require 'lib'",
    "^reload: %./lib%.lua:2: boom\nstack traceback:\n.*lib%.lua:2: in .*app%.lua:6: in main chunk",
    { ["lib.lua"] = "-- a module\nerror 'boom'\n" }))

  it("guarantee 3: a syntax error in a required module", refuses(STARTS .. "require 'lib'",
    "^reload: error loading module 'lib' from file '%./lib%.lua':\n%s*%./lib%.lua:3: .*app%.lua:6: in main chunk",
    { ["lib.lua"] = "-- a module\nlocal x\nx +\n" }))

  it("guarantee 3: a reload that it asks for itself", refuses(STARTS .. "hot.reload()",
    "^reload: app%.lua:6: cannot reload: this version is still being loaded\nstack traceback:\n"))

  it("guarantee 3: it waits for ever, also with pcall around", refuses(
    STARTS .. "while true do\npcall(timer.sleep, 3600)\nend",
    "^reload: it was not ready within 0%.2 s: it waits in sleep at app%.lua:7$", nil,
    { flags = { "--reload-limit", "0.2" } }))

  it("guarantee 3: a file that vanished", function()
    local app <close> = start_app(version "old")
    os.remove(app:path "app.lua")
    is_refused(app, nil, "^reload: .*cannot open app%.lua")
    app:ends()
  end)

  it("guarantee 3: it waits, then fails, and cleans up, for which it waits", function()
    local app <close> = start_app(version "old")
    local before = app:inventory()
    local ok, message = app:reload(STARTS .. [[
      timer.sleep(0.002)
      local _ <close> = setmetatable({}, { __close = function() timer.sleep(0.002) say "cleaned up" end })
      neap.group(function(group)
        group:go(timer.sleep, 3600)
        group:go(function() timer.sleep(0.002) error "boom" end)
      end)]])
    assert.is_nil(ok)
    assert.matches("^reload: app%.lua:10: boom\n", message)
    assert.matches("cleaned up", app:said())
    app:settles(before)
    is_refused(app, STARTS .. "error 'again'", "^reload: app%.lua:6: again\n")
    app:ends()
  end)

  it("guarantee 3, 4: an address that another process has", function()
    local other <close> = assert(net.listen("127.0.0.1:0", function() end))
    local app <close> = start_app(version "old")
    is_refused(app, STARTS .. ("assert(net.listen(%q, function() end))"):format(other.address),
      "^reload: app%.lua:6: listen " .. other.address:gsub("%p", "%%%0") .. ": address already in use\n")
    app:ends()
  end)

  it("guarantee 3: it spins, also in coroutines and pcall; it is cut", function()
    local spins = {
      "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
      "timer.sleep(0) while true do pcall(error) end",
    }
    neap.group(function(group)
      for _, text in ipairs(spins) do
        group:go(function()
          local app <close> = start_app(version "old")
          is_refused(app, STARTS .. text, "^reload: .*1.* s.*\nstack traceback:\n.*app%.lua:6: in ")
          app:ends()
        end)
      end
    end)
  end)
end)

describe("a version that is loaded", function()
  it("guarantee 1, 3: while it waits the old one serves, then it is live as a whole", function()
    local app <close> = start_app(version "old")
    local reload = neap.go(app.reload, app, [[say "loads"
      server = net.listen("unix:main.sock", { line = function(conn, line) conn:write("new " .. line .. "\n") end })
      timer.every(0.001, function() say "new ticks" end)
      while not io.open "go" do timer.sleep(0.001) end
      say "is ready"]])
    app:hears "loads"
    assert.equal("old a 1", app:ask("main.sock", "a"))
    assert.is_nil((app:hears "tick old" .. app:hears "loop old"):find "new ticks")
    assert.equal("preparing", app:status().generations[2].state)
    app:save("go", "")
    assert.equal(true, (reload:join()))
    assert.matches("^.*is ready,.*new ticks,$", app:hears "new ticks")
    assert.equal("new b", app:ask("main.sock", "b"))
    app:ends()
  end)

  it("guarantee 3: may take longer than it computes, as where others have the machine", function()
    local app <close> = start_app(version "old")
    assert.equal(true, (app:reload 'os.execute "sleep 2.1"'))
    app:ends()
  end)

  it("guarantee 3: is ready when it says so; what follows is its background, an error there no failure", function()
    local app <close> = start_app(version "old")
    assert(app:reload [[
      neap.ready()
      neap.ready()
      local _ <close> = setmetatable({}, { __close = function() timer.sleep(0.002) say "over" end })
      while true do timer.sleep(0.001) say "goes on" end]])
    app:hears "goes on"
    assert(app:reload "neap.ready() timer.sleep(0.001) error 'too late to refuse it'")
    app:hears "over"
    eventually(function() return app:stderr():find("too late to refuse it", 1, true) end, 20)
    assert.matches("neap: generation 3: app%.lua:1: too late", app:stderr())
    assert.same({ 3, 0 }, { app:eval "return hot.status().generation, hot.status().failures" })
  end)

  it("guarantee 3: is not refused for what it has said it is ready for", function()
    local app <close> = start_app(version "old", { flags = { "--reload-limit", "0.2" } })
    assert(app:reload "neap.ready() timer.sleep(0.3) say 'still there'")
    app:hears "still there"
    app:ends()
  end)

  it("guarantee 13: is loaded again if its files change meanwhile", function()
    local app <close> = start_app { ["app.lua"] = "x = 0", ["lib.lua"] = "return 1" }
    local text = [[
      x = require "lib"
      say("loads", x)
      while not io.open "go" do timer.sleep(0.001) end -- %d]]
    local reload = neap.go(app.reload, app, text:format(1))
    app:hears "loads 1,"
    app:save("lib.lua", "return 2")
    app:save("go", "")
    local ok, message = reload:join()
    assert.is_true(ok)
    assert.matches("^generation 3 is live", message)
    assert.equal(2, app:eval "return x")
    assert.equal("loads 2,", app:said())
    os.remove(app:path "go")
    reload = neap.go(app.reload, app, text:format(2))
    app:hears "loads 2,"
    app:save("app.lua", "x = 'entry'")
    app:save("go", "")
    assert.is_true((reload:join()))
    assert.equal("entry", app:eval "return x")
    app:ends()
  end)

  it("guarantee 13: is given up if they never stop changing", function()
    local app <close> = start_app { ["app.lua"] = version "old", ["lib.lua"] = "return 0" }
    is_refused(app, STARTS .. [[
      local n = require "lib"
      local file <close> = assert(io.open("lib.lua", "w"))
      file:write("return ", n + 1)]], "^reload: its files keep changing while it is loaded$")
    app:ends()
  end)

  it("guarantee 12: that fails again and again leaves no more than one does", function()
    local app <close> = start_app(version "old")
    local before = app:inventory()
    for _ = 1, 20 do assert.is_nil((app:reload(STARTS .. "error 'no'"))) end
    app:settles(before)
    assert.same({ 1, 20 }, { app:eval "return hot.status().generation, hot.status().failures" })
    app:ends()
  end)
end)
