-- hot.state: guarantee 9, a table that all versions share, and its migration.
local program = require "spec.support.program"
local reloading = require "spec.support.reloading"
local test = require "neap.test"

local head = [[hot, timer, neap = require "neap.hot", require "neap.timer", require "neap" ]]

local function start(text, files)
  return reloading.start(head .. text, files)
end

-- An attempt to reload that has to fail: what it says. The old version goes on, and another reload works.
local function refused(app, text)
  local generation = app:run "return hot.status().generation"
  local ok, message, code = app:reload(head .. text)
  assert.is_nil(ok)
  assert.equal("EINVAL", code)
  assert.equal(generation, app:run "return hot.status().generation")
  app:settle()
  return message
end

local function accepted(app, text)
  local ok, message = app:reload(head .. text)
  assert.is_true(ok, message)
  return message
end

describe("hot.state (guarantee 9)", function()
  it("is the same table in each version, and init is called once", function()
    local app <close> = start [[
      inits = hot.state("inits")
      users = hot.state("users", function() inits.n = (inits.n or 0) + 1 return { first = "ann" } end)
    ]]
    local address = app:run "users.second = 'bob' users.self = users return tostring(users)"
    for _ = 1, 3 do
      accepted(app, [[
        users = hot.state("users", function() error "again" end)
        inits = hot.state("inits")
      ]])
      assert.same({ address, "ann", "bob", true, 1 },
        { app:run "return tostring(users), users.first, users.second, users.self == users, inits.n" })
    end
    assert.equal(address, app:run "return tostring(hot.state 'users')") -- without init, and later
  end)

  it("is an empty table without init, or when init returns nothing", function()
    local app <close> = start [[ a = hot.state "a"  b = hot.state("b", function() end) ]]
    assert.same({ {}, {} }, { app:run "return a, b" })
    assert.is_false(app:run "return a == b")
  end)

  it("is read and written by old code that is still at work, and by the new", function()
    local app <close> = start [[
      users = hot.state("users")
      go, result = false, hot.state("result")
      server = require "neap.net".listen("127.0.0.1:0", function(conn)
        conn:write "ready\n"
        conn:read "l"
        result.seen = users.new
        users.old = true
        result.asked = hot.state("users") == users
        result.made = hot.state("made by old", function() return { 1 } end)
      end)
    ]]
    local conn <close> = assert(require "neap.net".connect(app:run "return server.address"))
    assert.equal("ready", conn:read "l")
    accepted(app, [[ users, result = hot.state "users", hot.state "result"
      require "neap.net".listen("127.0.0.1:0", function() end) ]])
    app:run "users.new = 'new'"
    assert.equal(2, app:run "return #hot.status().generations")
    conn:write "go\n"
    assert.is_nil(conn:read "l") -- until it has been closed
    assert.same({ "new", true, true, 1 },
      { app:run "return result.seen, result.asked, users.old, hot.state('made by old')[1]" })
  end)

  it("keeps what old code writes while the new version is loaded", function()
    local app <close> = start [[ list = hot.state("list", nil, 1)
      timer.every(0.0005, function() list[#list + 1] = "x" end) ]]
    accepted(app, [[
      list = hot.state("list", nil, 2, function(copy) hot.state("seen").n = #copy return copy end)
      before = #list
      timer.sleep(0.02)
      mid = #list ]])
    local before, mid, first, after = app:run "return before, mid, hot.state('seen').n, #list"
    assert.is_true(mid > before)
    assert.is_true(first >= mid)
    assert.equal(first, after)
  end)

  it("waits in init, and who asks meanwhile gets the same", function()
    local app <close> = start [[
      calls, got = 0, {}
      function init() calls = calls + 1 timer.sleep(0.005) return { calls } end
      tasks = {}
      for i = 1, 3 do tasks[i] = neap.go(function() got[i] = hot.state("slow", init) end) end
    ]]
    assert.same({ 1, true, true, 1 }, { app:run [[
      for i = 1, 3 do tasks[i]:join() end
      return calls, got[1] == got[2], got[2] == got[3], got[3][1] ]] })
    -- the same of a version that is being loaded
    accepted(app, [[
      calls, got, tasks = 0, {}, {}
      function init() calls = calls + 1 timer.sleep(0.005) return { calls } end
      for i = 1, 2 do
        timer.sleep(0, function() tasks[i] = neap.go(function() got[i] = hot.state("new", init) end) end)
      end
      got[3] = hot.state("new", init) ]])
    assert.same({ true, 1 }, { app:run [[
      while not tasks[2] do timer.sleep(0) end
      for i = 1, 2 do tasks[i]:join() end
      return got[1] == got[2] and got[2] == got[3], calls ]] })
  end)

  it("is made by the next one who asks when init fails", function()
    local app <close> = start [[
      calls = 0
      function init()
        calls = calls + 1
        timer.sleep(0)
        if calls == 1 then error("no luck", 0) end
        return { calls }
      end ]]
    assert.same({ false, "no luck", 2 }, { app:run [[
      local second
      local task = neap.go(function() second = hot.state("x", init) end)
      local ok, message = pcall(hot.state, "x", init)
      task:join()
      return ok, message, second[1] ]] })
  end)

  it("of a version that is refused has never been there", function()
    local app <close> = start ""
    assert.matches("app.lua:2: boom",
      refused(app, 'hot.state("new", function() return { bad = true } end)\nerror "boom"'), 1, true)
    assert.same({}, app:run "return hot.status().state")
    accepted(app, 'new = hot.state("new", function() return { good = true } end)')
    assert.same({ good = true }, app:run "return new")
  end)

  it("belongs to the module that asks", function()
    local app <close> = reloading.start([[
      hot = require "neap.hot"
      mine, room, last = hot.state "users", require "chat.room", require "last"
    ]], {
      ["chat/room.lua"] = [[ local m = { users = require "neap.hot".state("users") } return m ]],
      ["last.lua"] = [[ return require "neap.hot".state("users", function() return { last = true } end) ]],
    })
    assert.same({ { "chat.room:users", "last:users", "main:users" }, false, true },
      { app:run "return hot.status().state, mine == room.users, last.last" })
    assert.same({ true, true }, { app:run "return hot.state('users') == mine, room.users ~= last" })
  end)

  it("asks for a string, functions, and a table from init; the error is at the caller's line", function()
    local app <close> = start ""
    local function message(code)
      local ok, text = app:run("return pcall(function()\n" .. code .. "\nend)")
      assert.is_false(ok)
      return text
    end
    assert.equal("code:2: bad argument #1 to 'state' (string expected, got nil)", message "hot.state()")
    assert.equal("code:2: bad argument #1 to 'state' (string expected, got number)", message "hot.state(1)")
    assert.equal("code:2: bad argument #2 to 'state' (function expected, got table)", message "hot.state('x', {})")
    assert.equal("code:2: bad argument #4 to 'state' (function expected, got boolean)",
      message "hot.state('x', nil, 1, true)")
    assert.matches("^code:2: init of state 'x' must return a table, not a number$",
      message "hot.state('x', function() return 1 end)")
    assert.same({}, app:run "return hot.status().state")
  end)
end)

describe("the migration of a state (guarantee 9)", function()
  local old = [[ state = hot.state("s", function()
    local shared = { "shared" }
    local t = setmetatable({ a = shared, b = shared, [shared] = "key", n = 1 }, { __index = { default = "d" } })
    t.self = t
    return t
  end, 1) ]]

  it("gets a deep copy, and what it returns takes effect with the commit", function()
    local app <close> = start(old)
    local address = app:run "kept = state.a return tostring(state)"
    accepted(app, [[
      seen = {}
      state = hot.state("s", nil, 2, function(copy, version)
        local s = hot.state("s", nil, 2)
        seen = { copy ~= s, copy.self == copy, copy.a == copy.b, copy.a ~= s.a, copy[copy.a], copy.default, version,
                 rawequal(getmetatable(copy), getmetatable(s)), s.n }
        copy.a[1] = "changed"
        return { m = copy.n + 1, a = copy.a }
      end)
      loading = { n = state.n, m = state.m }
    ]])
    assert.same({ true, true, true, true, "key", "d", 1, true, 1 }, app:run "return seen")
    assert.same({ n = 1 }, app:run "return loading")
    assert.same({ { m = 2, a = { "changed" } }, address }, { app:run "return state, tostring(state)" })
    -- and it is of that version from now on
    accepted(app, [[ state = hot.state("s", nil, 2, error) ]])
    assert.equal(2, app:run "return state.m")
  end)

  it("may change the copy and return nothing", function()
    local app <close> = start [[ state = hot.state("s", function() return { list = { 1 } } end) ]]
    accepted(app, [[ state = hot.state("s", nil, 2, function(copy) copy.list[2] = 2 copy.new = true end) ]])
    assert.same({ list = { 1, 2 }, new = true }, app:run "return state")
  end)

  for what, migrate in pairs {
    ["app.lua:2: bad migration"] = 'copy.n = 99 copy.a[1] = "bad"\n error "bad migration"',
    ["migrate returned a number"] = "return 1",
    ["cannot wait"] = "timer.sleep(0)",
    ["os.exit(3) was called while it was loaded"] = "os.exit(3)",
    ["os.exit(4) was called while it was loaded"] = "neap.exit(4)",
  } do
    it("changes nothing: " .. what, function()
      local app <close> = start(old .. [[ other = hot.state("other", function() return { 1 } end, 1) ]])
      local message = refused(app, ([[ hot.state("other", nil, 2, function() return { 2 } end)
        hot.state("s", nil, 2, function(copy) %s end) ]]):format(migrate:gsub("^(.*)\n", "%1 ")))
      assert.matches(what, message, 1, true)
      assert.same({ 1, "shared", { 1 }, true },
        { app:run "return state.n, state.a[1], other, hot.state('s', nil, 1) == state" })
      accepted(app, [[ state = hot.state("s", nil, 2, function() return { good = true } end)
        other = hot.state("other", nil, 1) ]])
      assert.same({ { good = true }, { 1 } }, { app:run "return state, other" })
    end)
  end

  it("may start a task, which begins with the version", function()
    local app <close> = start(old .. [[ log = hot.state "log" ]])
    accepted(app, [[
      log = hot.state "log"
      state = hot.state("s", nil, 2, function(copy)
        neap.go(function() log[#log + 1] = hot.status().generation log[#log + 1] = state.n end)
        log[#log + 1] = "migrated"
        copy.n = 2
      end) ]])
    app:eventually "return #log == 3"
    assert.same({ "migrated", 2, 2 }, app:run "return log")
    refused(app, [[ hot.state("s", nil, 3, function()
      neap.go(function() hot.state("log").bad = true end)
      error "x"
    end) ]])
    assert.is_nil(app:run "return log.bad")
  end)

  it("is asked for where the version differs", function()
    local app <close> = start(old)
    assert.matches("app.lua:1: state 's' has version 1: to make it 2, pass a function that migrates it",
      refused(app, [[hot.state("s", nil, 2)]]), 1, true)
    assert.matches("state 's' has version 1", refused(app, [[hot.state("s")]]), 1, true)
    assert.same({ false, "code:1: state 's' has version 1, and only a new version of the program can make it 2" },
      { app:run "return pcall(function() hot.state('s', nil, 2, print) end)" })
  end)

  it("is done once in a version, whoever asks", function()
    local app <close> = start(old)
    accepted(app, [[ calls = 0
      local function migrate(copy) calls = calls + 1 copy.n = copy.n + 1 end
      state = hot.state("s", nil, 2, migrate)
      hot.state("s", nil, 2, migrate) ]])
    assert.same({ 1, 2 }, { app:run "return calls, state.n" })
  end)

  it("is undone by nothing that comes after it in the same reload", function()
    local app <close> = start(old .. "hot.handover(function() error 'no' end)")
    refused(app, [[ hot.state("s", nil, 2, function(copy) copy.n = 99 end) ]])
    assert.equal(1, app:run "return state.n")
  end)
end)

describe("neap.hot where nothing can be loaded again", function()
  it("has states, and says why there is no reload", function()
    local text = [[
      local hot = require "neap.hot"
      local s = hot.state("x", function() return { 1 } end)
      print(s == hot.state "x", s[1], hot.status().state[1])
      print(hot.reload())
      hot.reload(function(...) print("callback", ...) end)
    ]]
    local path = test.tempdir():write("script.lua", text)
    local pipe <close> = assert(io.popen(("%s - < %s 2>&1"):format(program.neap, path)))
    local out = pipe:read "a"
    assert.equal("true\t1\tmain:x\n"
      .. "nil\treload: the script came from standard input\tENOTSUP\n"
      .. "callback\tnil\treload: the script came from standard input\tENOTSUP\n", out)
  end)

  it("is a spec", function()
    local hot = require "neap.hot"
    local name = "of a spec " .. os.time()
    local s = hot.state(name, function() return { 1 } end)
    assert.equal(s, hot.state(name))
    local ok, message, code = hot.reload()
    assert.is_nil(ok)
    assert.equal("reload: specs are run once", message)
    assert.equal("ENOTSUP", code)
  end)
end)
