-- Who asks for a reload gets an answer, however many ask, and whenever.
local hot, neap = require "neap.hot", require "neap"
local program = require "spec.support.program"
local start_app = require "spec.support.app"
local eventually = require "neap.test".eventually

local function hears(conn, expected)
  assert.equal(expected, (conn:read("l", { timeout = 20 })))
end

-- A version that is ready when there is a file "go".
local SLOW = "say 'loads' while not io.open 'go' do timer.sleep(0.001) end"

-- A program's text: a handler that asks for a reload when it is sent a line.
local function asking(name)
  return ([[VERSION = "%s"
    net.listen("unix:main.sock", function(conn)
      for _ in conn:lines() do
        local ok, text = hot.reload()
        conn:write { VERSION, " ", tostring(ok), " ", text, "\n" }
      end
    end)
    net.listen("unix:events.sock", { line = function(conn)
      local ok, text = hot.reload()
      conn:write { VERSION, " ", tostring(ok), " ", text, "\n" }
    end })]]):format(name)
end

describe("requests to reload", function()
  it("guarantee 14: that come at once are answered by one reload", function()
    local app <close> = start_app ""
    app:save("app.lua", "say 'loads'")
    local answers = app:eval [[
      local answers = {}
      neap.group(function(group)
        for i = 1, 100 do group:go(function() answers[i] = table.pack(hot.reload()) end) end
      end)
      return answers]]
    assert.equal(100, #answers)
    for _, answer in ipairs(answers) do assert.same({ true, answers[1][2], n = 2 }, answer) end
    assert.equal("loads,", app:said())
    assert.equal(1, app:status().reloads)
    app:ends()
  end)

  it("guarantee 14: that come during a reload are answered by one more", function()
    local app <close> = start_app ""
    local first = neap.go(app.reload, app, SLOW)
    app:hears "loads"
    local others = {}
    for i = 1, 20 do others[i] = neap.go(app.eval, app, "say 'asks' return hot.reload()") end
    local asked = ""
    while select(2, asked:gsub("asks", "")) < 20 do asked = asked .. app:hears "asks" end
    app:save("app.lua", "VERSION = 3")
    app:save("go", "")
    local _, message = first:join()
    assert.matches("^generation %d is live", message) -- what it has loaded was changed: it is loaded again
    for _, other in ipairs(others) do
      local ok, text = other:join()
      assert.is_true(ok)
      assert.equal(select(2, others[1]:join()), text)
    end
    assert.same({ 2, 3 }, { app:status().reloads, app:eval "return VERSION" })
    app:ends()
  end)

  it("guarantee 14: are all told of an error", function()
    local app <close> = start_app ""
    app:save("app.lua", "error 'boom'")
    local answers = app:eval [[
      local answers = {}
      neap.group(function(group)
        for i = 1, 10 do group:go(function() answers[i] = table.pack(hot.reload()) end) end
        hot.reload(function(...) answers[11] = table.pack(...) end):join()
      end)
      return answers]]
    assert.equal(11, #answers)
    for _, answer in ipairs(answers) do
      assert.same({ nil, "EINVAL" }, { answer[1], answer[3] })
      assert.matches("^reload: app%.lua:1: boom\nstack traceback:", answer[2])
    end
    assert.equal(1, app:status().failures)
    app:ends()
  end)

  it("guarantee 14: may come as 100 signals", function()
    local app <close> = start_app({ ["app.lua"] = [[
      counts = hot.state("counts", function() return { loads = 0 } end)
      counts.loads = counts.loads + 1
      net.listen("unix:main.sock", { line = function(conn, line) conn:write(line .. "\n") end })]] },
      { session = true })
    local conn <close> = assert(app:connect "main.sock")
    assert(os.execute(("for i in $(seq 100); do kill -HUP %d; done"):format(app.pid)))
    conn:write "one\n"
    hears(conn, "one")
    assert(app:reload()) -- after them all
    local status = app:status()
    assert.is_true(status.reloads >= 2 and status.reloads <= 101)
    assert.equal(0, status.failures)
    assert.equal(status.reloads + 1, app:eval "return counts.loads")
    app:forgets_old()
    conn:write "two\n"
    hears(conn, "two")
    assert.is_nil(app:stderr():find("not reloaded", 1, true))
    app:ends()
  end)

  it("guarantee 3: that come as signals are answered on stderr, with the line of the error", function()
    local app <close> = start_app({ ["app.lua"] = "" }, { session = true })
    app:save("app.lua", "x = 1\nerror 'boom'")
    app:signal "HUP"
    local said = "neap: not reloaded, generation 1 goes on: app.lua:2: boom\n     2 | error 'boom'\nstack traceback:\n"
    eventually(function() return assert.matches(said, app:stderr(), 1, true) end, 20)
    app:save("app.lua", "x = 2")
    app:signal "HUP"
    eventually(function() return app:stderr():find "neap: [^\n]*generation 3 is live[^\n]* %(SIGHUP%)" end, 20)
    assert.equal(2, app:eval "return x")
    app:ends()
  end)

  it("guarantee 2, 6, 14: may come from a handler: it goes on in its code, and gets its answer", function()
    for _, address in ipairs { "main.sock", "events.sock" } do
      local app <close> = start_app(asking "v1")
      local conn <close> = assert(app:connect(address))
      app:save("app.lua", asking "v2")
      conn:write "x\n"
      assert.matches("^v1 true generation 2 is live after ", (conn:read("l", { timeout = 20 })))
      app:save("app.lua", "error 'boom'")
      conn:write "x\n"
      local name = address == "main.sock" and "v1" or "v2"
      hears(conn, name .. " nil reload: app.lua:1: boom")
      conn:close()
      app:forgets_old()
      app:ends()
    end
  end)

  it("guarantee 8, 14: may come from a tick, or a task in the background: that ends with its version", function()
    local app <close> = start_app [[
      local function ask(name)
        local _ <close> = setmetatable({}, { __close = function() say(name, "ends") end })
        hot.reload()
        say "not reached"
      end
      timer.every(0.001, function() ask "tick" end)
      neap.go(ask, "task")]]
    app:save("app.lua", "say 'new'")
    local said = app:hears "new"
    if not said:find("task ends", 1, true) then said = said .. app:hears "task ends" end
    app:forgets_old()
    said = said .. app:said()
    assert.is_nil(said:find("not reached", 1, true))
    app:ends()
  end)

  it("guarantee 14: may take a callback, which gets the same in a task of its own", function()
    local app <close> = start_app [[
      net.listen("unix:main.sock", function(conn)
        local returned = false
        local task = hot.reload(function(ok, text)
          timer.sleep(0.001)
          conn:write { tostring(returned), " ", tostring(ok), " ", text, "\n" }
        end)
        returned = true
        task:join()
      end)]]
    assert.matches("^true true generation 2 is live", (app:ask "main.sock"))
    assert.has_error(function() hot.reload(1) end, "bad argument #1 to 'reload' (function expected, got number)")
    app:ends()
  end)

  it("guarantee 14: are refused when the program ends in good order", function()
    local app <close> = start_app [[
      net.listen("unix:main.sock", function(conn)
        conn:write "ready\n"
        while not io.open "go" do timer.sleep(0.001) end
        local ok, message, code = hot.reload()
        conn:write { tostring(ok), " ", message, " ", code, "\n" }
      end)]]
    local conn <close> = assert(app:connect "main.sock")
    hears(conn, "ready")
    app:signal "TERM"
    eventually(function() return not app:connect "main.sock" end, 20) -- it has begun to end
    app:save("go", "")
    hears(conn, "nil reload: the program is ending ECANCELED")
    assert.same({ 0, "", "" }, { app.child:wait() })
  end)

  it("guarantee 14: are given up, when the program ends before it is ready", function()
    local app <close> = start_app [[
      net.listen("unix:main.sock", function(conn)
        say "asks"
        local ok, message, code = hot.reload()
        conn:write { tostring(ok), " ", message, " ", code, "\n" }
      end)]]
    app:save("app.lua", SLOW)
    local conn <close> = assert(app:connect "main.sock")
    app:hears "loads"
    app:signal "TERM"
    local answer = conn:read("l", { timeout = 20 })
    assert.matches("^nil reload: ", answer)
    assert.matches(" ECANCELED$", answer)
    assert.same({ 0, "", "" }, { app.child:wait() })
  end)

  it("are refused where there is nothing to load again", function()
    local script = "print(require 'neap.hot'.reload()) print(require 'neap.hot'.status().generation)"
    for why, arguments in pairs {
      ["it has no script"] = { "-e", script }, ["the script came from standard input"] = { "-" },
      ["lines are typed into it"] = { "-i" },
    } do
      local result = program.run_neap(arguments, { input = script .. "\n" })
      assert.matches("nil\treload: " .. why .. "\tENOTSUP\n.*1\n", result.out)
      assert.same({ 0, "" }, { result.code, result.err })
    end
    local message, code = select(2, hot.reload())
    assert.same({ "reload: specs are run once", "ENOTSUP" }, { message, code })
  end)
end)
