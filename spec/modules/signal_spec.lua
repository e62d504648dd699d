-- neap.signal: handlers and waits. What would end the specs, or depends on who takes it, happens in a neap of its own.
local neap, process, signal = require "neap", require "neap.process", require "neap.signal"
local test, timer = require "neap.test", require "neap.timer"
local reloading = require "spec.support.reloading"

local function send(name) assert(process.kill(process.pid, name)) end

describe("signal.on", function()
  it("calls a function, with the name, in a task that may wait", function()
    local got = {}
    local handler <close> = signal.on("SIGUSR2", function(...)
      timer.sleep(0)
      got[#got + 1] = table.pack(...)
    end)
    send "USR2"
    test.eventually(function() return #got == 1 end)
    assert.same({ { n = 1, "USR2" } }, got)
    assert.is_false(handler.closed)
  end)

  it("runs once more for what comes while it runs, however much that is", function()
    local runs, at_once, most, gate = 0, 0, 0, true
    local _ <close> = signal.on("USR2", function()
      runs, at_once = runs + 1, at_once + 1
      most = math.max(most, at_once)
      test.eventually(function() return not gate end)
      at_once = at_once - 1
    end)
    send "USR2"
    test.eventually(function() return runs == 1 end)
    for _ = 1, 3 do
      send "USR2"
      timer.sleep(0.001)
    end
    gate = false
    test.eventually(function() return runs == 2 end)
    timer.sleep(0.005)
    assert.same({ 2, 1 }, { runs, most })
  end)

  it("has any number of handlers, and no more than are open", function()
    local got = {}
    local one <close> = signal.on("WINCH", function() got[#got + 1] = "one" end)
    local two <close> = signal.on("WINCH", function() got[#got + 1] = "two" end)
    send "WINCH"
    test.eventually(function() return #got == 2 end)
    one:close()
    one:close()
    assert.is_true(one.closed)
    send "WINCH"
    test.eventually(function() return #got == 3 end)
    timer.sleep(0.002)
    table.sort(got)
    assert.same({ "one", "two", "two" }, got)
    two:close()
  end)

  it("goes on after a handler that fails, which is reported", function()
    local child = test.spawn_neap [[
      local process, signal, timer = require "neap.process", require "neap.signal", require "neap.timer"
      local count = 0
      signal.on("USR2", function()
        count = count + 1
        if count == 1 then error "boom" end
        print "again"
        os.exit(0)
      end)
      process.kill(process.pid, "USR2")
      timer.sleep(0.01)
      process.kill(process.pid, "USR2")
      timer.sleep(30)
    ]]
    local code, out, err = child:wait()
    assert.same({ 0, "again\n" }, { code, out })
    assert.matches("boom", err)
    assert.matches("USR2", err)
  end)

  it("does not keep the program alive", function()
    assert.equal(0, (test.spawn_neap("require 'neap.signal'.on('USR2', print)"):wait()))
  end)

  it("raises for what is no signal, or can be taken by nobody", function()
    local function message(...) return select(2, pcall(signal.on, ...)) end
    assert.matches("unknown signal 'FOO' %(there are: ABRT, .*WINCH", message("FOO", print))
    assert.matches("KILL cannot be taken: no program can", message("KILL", print))
    assert.matches("STOP cannot be taken", message("SIGSTOP", print))
    assert.matches("SEGV cannot be taken: it says that the program itself is broken", message("SEGV", print))
    assert.matches("CHLD cannot be taken: children are waited for", message("CHLD", print))
    assert.matches("cannot be taken: the program uses it itself", message("URG", print))
    assert.matches("function expected, got no value", message "TERM")
    assert.matches("string expected, got table", message({}, print))
    assert.matches("no signal's number", message(1000, print))
  end)
end)

describe("signal.wait", function()
  it("waits for the first of several, and says which came", function()
    neap.go(send, "USR2")
    assert.equal("USR2", signal.wait("HUP", "SIGUSR2"))
    neap.go(send, "HUP")
    assert.equal("HUP", signal.wait("HUP", "SIGUSR2"))
  end)

  it("calls back with the same", function()
    local got
    local call = signal.wait("WINCH", function(...) got = table.pack(...) end)
    timer.sleep(0)
    send "WINCH"
    call:join()
    assert.same({ n = 1, "WINCH" }, got)
  end)

  it("wakes all who wait", function()
    local tasks = {}
    for i = 1, 3 do tasks[i] = neap.go(signal.wait, "WINCH") end
    timer.sleep(0)
    send "WINCH"
    for i = 1, 3 do assert.equal("WINCH", tasks[i]:join()) end
  end)

  it("keeps what comes between two waits, as one", function()
    assert.is_nil((signal.wait("USR2", { timeout = 0 })))
    send "USR2"
    send "USR2"
    timer.sleep(0.001)
    assert.equal("USR2", signal.wait "USR2")
    assert.same({ nil, "wait for USR2, WINCH: timed out", "ETIMEDOUT" },
      { signal.wait("USR2", "WINCH", { timeout = 0.001 }) })
  end)

  it("ends when its task is cancelled", function()
    local task = neap.go(signal.wait, "TERM")
    timer.sleep(0)
    task:cancel()
    task:join()
  end)

  it("keeps the program alive", function()
    local child = test.spawn_neap([[
      require "neap".go(function() print(require "neap.signal".wait "USR2") end)
      require "neap.timer".sleep(0)
      print "waiting" io.stdout:flush()
    ]], nil, { ready = "waiting" })
    child:signal "USR2"
    assert.same({ 0, "waiting\nUSR2\n", "" }, { child:wait() })
  end)

  it("raises without a name", function()
    assert.has_error(function() signal.wait() end, "bad argument #1 to 'wait' (string expected, got no value)")
    assert.has_error(function() signal.wait("TERM", { time = 1 }) end)
    assert.has_error(function() signal.wait("TERM", {}, 5) end)
  end)
end)

describe("a signal that the program has a use for itself", function()
  local function run(text, ...)
    local head = "local neap, signal, timer = require 'neap', require 'neap.signal', require 'neap.timer' "
    text = head .. text .. " timer.sleep(0) print 'ready' io.stdout:flush() timer.sleep(30)"
    local child = test.spawn_neap(text, nil, { ready = "ready" })
    for _, name in ipairs { ... } do child:signal(name) end
    return child
  end

  it("ends it no more when a script takes it", function()
    for _, name in ipairs { "TERM", "INT", "HUP" } do
      local child = run([[signal.on("]] .. name .. [[", function(name) print(name) io.stdout:flush() end)]], name)
      assert.equal(name, child:line())
      assert.is_true(child:signal "KILL")
      assert.equal(137, (child:wait()))
    end
  end)

  it("can still end it in good order, by the script", function()
    local child = run([[
      local handler
      handler = signal.on("TERM", function()
        print "cleaned up"
        handler:close()
        local process = require "neap.process"
        process.kill(process.pid, "TERM")
      end) ]], "TERM")
    local code, out = child:wait()
    assert.same({ 0, "ready\ncleaned up\n" }, { code, out })
  end)

  it("has its meaning again when nobody takes it", function()
    local child = run([[ signal.on("TERM", print):close() ]], "TERM")
    assert.equal(0, (child:wait()))
    child = run([[ signal.on("USR2", print):close() ]], "USR2")
    assert.equal(128 + 12, (child:wait()))
    child = run([[ signal.on("USR1", print):close() ]], "USR1")
    test.eventually(function() return child:stderr():find("tasks", 1, true) end, 20)
  end)

  it("or took, does not end it before it has ended itself", function()
    local child = run([[
      local process = require "neap.process"
      signal.on("USR2", print)
      neap.go(function()
        local last <close> = setmetatable({}, { __close = function()
          process.kill(process.pid, "USR2")
          timer.sleep(0.01)
          print "all has been closed"
        end })
        timer.sleep(30)
      end) ]], "TERM")
    local code, out = child:wait()
    assert.same({ 0, "ready\nall has been closed\n" }, { code, out })
  end)

  it("ends it after a wait is over: a second Ctrl-C", function()
    local child = run([[ neap.go(function() print(signal.wait("INT", "TERM")) io.stdout:flush() end) ]], "INT")
    assert.equal("INT", child:line())
    child:signal "INT"
    assert.equal(0, (child:wait()))
  end)

  it("is taken where Lua does not give way, as soon as it does", function()
    local child = run([[ signal.on("TERM", function() print "taken" os.exit(0) end)
      timer.sleep(0.01, function()
        local process = require "neap.process"
        process.kill(process.pid, "TERM")
        for _ = 1, 1e6 do end
        print "went on"
      end) ]])
    local code, out = child:wait()
    assert.same({ 0, "ready\nwent on\ntaken\n" }, { code, out })
  end)
end)

describe("signals, over a reload,", function()
  local head = [[
    hot, signal, neap = require "neap.hot", require "neap.signal", require "neap"
    process = require "neap.process"
    got = hot.state("got", function() return {} end) ]]

  local function signalled(app, count)
    app:run "process.kill(process.pid, 'USR2')"
    return app:eventually(("return #got == %d and got"):format(count))
  end

  it("are those of the version that is live", function()
    local app <close> = reloading.start(head .. "signal.on('USR2', function() got[#got + 1] = 'first' end)")
    assert.same({ "first" }, signalled(app, 1))
    assert.is_true(app:reload(head .. "signal.on('USR2', function() got[#got + 1] = 'second' end)"))
    assert.same({ "first", "second" }, signalled(app, 2))
    assert.is_nil((app:reload(head .. "signal.on('USR2', function() got[#got + 1] = 'third' end) error 'boom'")))
    assert.same({ "first", "second", "second" }, signalled(app, 3))
  end)

  it("are not lost, nor end the program, while versions change", function()
    local text = head .. [[
      signal.on("USR2", function() got[#got + 1] = hot.status().generation end) -- %d
      if #got == 0 then got[1] = 0 end]]
    local app <close> = reloading.start(text:format(0))
    for i = 1, 20 do
      assert.is_true(app:reload(text:format(i)))
      app:run "count = #got process.kill(process.pid, 'USR2')"
      assert.is_true(app:eventually "return #got > count")
    end
  end)

  it("end the waits of a version that is replaced", function()
    local app <close> = reloading.start(head .. "neap.go(function() signal.wait 'USR2' got[1] = 'woken' end)")
    assert.is_true(app:reload(head .. "signal.on('USR2', function() got[#got + 1] = 'second' end)"))
    app:settle()
    assert.same({ "second" }, signalled(app, 1))
  end)
end)
