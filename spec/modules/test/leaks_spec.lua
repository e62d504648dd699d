local neap, net, test, timer = require "neap", require "neap.net", require "neap.test", require "neap.timer"

-- The line of who calls, and so many below it.
local function line(below)
  return ("spec/modules/test/leaks_spec.lua:%d"):format(debug.getinfo(2, "l").currentline + (below or 0))
end

local function nothing() end

describe("test.leaks", function()
  local check
  before_each(function() check = test.leaks() end)
  after_each(function() check:finish() end)

  -- What there is, without what the text of a field would say.
  local function kinds()
    local list = {}
    for i, leak in ipairs(check:list()) do list[i] = leak.kind end
    table.sort(list)
    return list
  end

  it("finds nothing where nothing is left", function()
    neap.go(timer.sleep, 0.001):join()
    timer.every(1, nothing):close()
    timer.sleep(60, nothing):cancel()
    do
      local server <close> = assert(net.listen("127.0.0.1:0", function(conn) conn:read() end))
      local conn <close> = assert(net.connect(server.address))
      conn:write "x"
    end
    assert.same({}, check:list())
  end)

  it("finds a server and a connection", function()
    local server, at_server = assert(net.listen("127.0.0.1:0", { line = nothing })), line()
    local conn, at_conn = assert(net.connect(server.address)), line()
    local list = check:list()
    table.sort(list, function(a, b) return a.kind .. a.where < b.kind .. b.where end)
    assert.equal("connection", list[1].kind)
    assert.same({ kind = "server", where = at_server }, list[3])
    assert.is_true(list[1].where == at_conn or list[2].where == at_conn)
    conn:close()
    server:close()
    assert.same({}, check:list())
  end)

  it("finds timers", function()
    local interval, at_interval = timer.every(60, nothing), line()
    local sleep, at_sleep = timer.sleep(60, nothing), line()
    assert.same({ { kind = "timer", where = at_interval }, { kind = "timer", where = at_sleep } }, check:list())
    interval:close()
    sleep:cancel()
    assert.same({}, check:list())
  end)

  it("finds a task that waits, and says where and for what", function()
    local where
    local function wait()
      where = line(1)
      timer.sleep(3600)
    end
    local task, started = neap.go(wait), line()
    task.name = "waiter"
    timer.sleep(0)
    local list = check:list()
    assert.same({ { kind = "task", name = "waiter", where = where, started = started, waits = "sleep" } }, list)
    assert.equal(("a task (waiter), started at %s, waits in a sleep at %s"):format(started, where), tostring(list[1]))
    task:cancel()
    assert.same({}, check:list())
  end)

  it("finds a task that waits forever", function()
    local sleeper = neap.go(timer.sleep, 3600)
    local waiting = neap.go(sleeper.join, sleeper)
    timer.sleep(0)
    assert.same({ "sleep", "join" }, { check:list()[1].waits, check:list()[2].waits })
    waiting:cancel()
    sleeper:cancel()
  end)

  it("finds a call with a callback", function()
    local server <close> = assert(net.listen("127.0.0.1:0", function(conn) conn:read() end))
    local conn <close> = assert(net.connect(server.address))
    conn:read(nothing)
    local reads = 0
    for _, leak in ipairs(check:list()) do
      if leak.name == "callback" and leak.waits == "read" then reads = reads + 1 end
    end
    assert.equal(1, reads)
  end)

  it("gives what ends by itself the time for it", function()
    neap.go(function() for _ = 1, 10 do timer.sleep(0) end end)
    assert.same({}, check:list())
  end)

  it("does not count what was there before", function()
    local interval = timer.every(60, nothing)
    local server = assert(net.listen("127.0.0.1:0", nothing))
    do
      local later <close> = test.leaks()
      assert.same({}, later:list())
      assert.same({ "server", "timer" }, kinds())
    end
    interval:close()
    server:close()
  end)

  it("is not deceived by memory that is used again", function()
    local interval = timer.every(60, nothing)
    local later = test.leaks()
    interval:close()
    local another = timer.every(60, nothing)
    assert.equal(1, #later:finish())
    another:close()
  end)

  it("may be in many places at once, but not in too many", function()
    local checks = {}
    local ok, err
    repeat
      ok, err = pcall(test.leaks)
      checks[#checks + 1] = ok and err or nil
    until not ok
    assert.matches("16 checks for leaks are under way", err)
    for _, one in ipairs(checks) do one:finish() end
    local one = test.leaks()
    local interval = timer.every(60, nothing)
    assert.equal(1, #one:finish())
    interval:close()
  end)

  it("lets go of one that is forgotten", function()
    for _ = 1, 40 do
      test.leaks()
      collectgarbage()
    end
  end)

  it("closes what ends with its spec, and only what is younger", function()
    local before = test.server(nothing)
    local later = test.leaks()
    local after = test.server(nothing)
    assert.same({}, later:finish())
    assert.is_nil((net.connect(after.address)))
    local conn <close> = net.connect(before.address)
    assert.is_truthy(conn)
  end)

  it("fails at its end", function()
    local interval, where
    local expected
    local _, err = pcall(function()
      local _ <close> = test.leaks()
      interval, where = timer.every(60, nothing), line()
    end)
    expected = ("1 leak:\n  a timer of %s was left open"):format(where)
    assert.equal(expected, tostring(err):match "1 leak.*")
    assert.matches("leaks_spec.lua:%d+: 1 leak", tostring(err))
    interval:close()
  end)

  it("does not hide another error", function()
    local interval
    local _, err = pcall(function()
      local _ <close> = test.leaks()
      interval = timer.every(60, nothing)
      error("the real one", 0)
    end)
    assert.equal("the real one", err)
    interval:close()
  end)

  it("can be stopped, and later say what is still there", function()
    local ended, stays = timer.every(60, nothing), timer.every(60, nothing)
    local where = line(-1)
    check:stop()
    check:stop()
    local later = timer.every(60, nothing)
    ended:close()
    assert.same({ { kind = "timer", where = where } }, check:finish())
    stays:close()
    later:close()
  end)

  it("ends once", function()
    local interval = timer.every(60, nothing)
    local list = check:finish()
    interval:close()
    assert.equal(1, #list)
    assert.equal(list, check:finish())
    assert.equal(list, check:list())
    check:close()
  end)
end)
