-- test.clock: what sleeps for long is over at once, and exact.
local neap, net, test, timer = require "neap", require "neap.net", require "neap.test", require "neap.timer"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"
local support = require "spec.support.neap"
local time = os.time -- as the code under test may do

describe("test.clock", function()
  it("makes an hour a moment, exactly", function()
    local clock <close> = test.clock()
    local real, monotonic, now, seconds = clock:real(), timer.monotonic(), timer.now(), time()
    assert.equal(0, clock:now())
    timer.sleep(3600)
    assert.equal(3600, clock:now())
    assert.equal(3600, timer.monotonic() - monotonic)
    assert.equal(3600, timer.now() - now)
    assert.equal(3600, os.time() - seconds)
    assert.equal(3600, time() - seconds)
    assert.is_true(clock:real() - real < 1)
  end)

  it("stands still while a task runs", function()
    local clock <close> = test.clock()
    local start, limit = timer.monotonic(), clock:real() + 0.005
    while clock:real() < limit do assert.equal(start, timer.monotonic()) end
    for _ = 1, 1000 do timer.sleep(0) end
    assert.equal(0, clock:now())
  end)

  it("begins at the time it is given", function()
    local clock <close> = test.clock(86400)
    assert.equal(86400, os.time())
    assert.equal("1970-01-02 00:00:00", os.date("!%F %T"))
    assert.equal(os.date("%c", 86400), os.date())
    clock:advance(1.5)
    assert.equal(86401, os.time())
    assert.equal(86401.5, timer.now())
    assert.equal("01", os.date("!%S"))
    assert.equal(2, os.date("!*t").day)
  end)

  it("leaves alone what names a time", function()
    local table, date = os.time { year = 2000, month = 1, day = 1 }, os.date("!%Y", 0)
    local clock <close> = test.clock(5)
    assert.equal(table, os.time { year = 2000, month = 1, day = 1 })
    assert.equal(date, os.date("!%Y", 0))
    assert.equal("number", type(os.clock()))
    clock:close()
    assert.has_error(function() time(5) end, "bad argument #1 to 'time' (table expected, got number)")
    local _, message = pcall(function() local _ = os.date("*t", {}) end)
    assert.matches("clock_spec.lua:%d+: bad argument #2 to 'date'", message)
  end)

  it("runs each timer at its own moment, in order", function()
    local clock <close> = test.clock()
    local log, done = {}, 0
    for _, seconds in ipairs { 30, 5, 86400, 5, 0.001, 1e7 } do
      neap.go(function()
        timer.sleep(seconds)
        log[#log + 1] = clock:now()
        done = done + 1
      end)
    end
    while done < 6 do timer.sleep(1e6) end
    assert.same({ 0.001, 5, 5, 30, 86400, 1e7 }, log)
  end)

  it("is followed by intervals", function()
    local clock <close> = test.clock()
    local ticks = {}
    local every <close> = timer.every(0.25, function() ticks[#ticks + 1] = clock:now() end)
    clock:advance(1)
    assert.same({ 0.25, 0.5, 0.75, 1 }, ticks)
    every:close()
    clock:advance(10)
    assert.equal(4, #ticks)
  end)

  it("runs a year of them", function()
    local clock <close> = test.clock()
    local hours = 0
    local every <close> = timer.every(3600, function() hours = hours + 1 end)
    clock:advance(365 * 86400)
    every:close()
    assert.equal(365 * 24, hours)
  end)

  it("is followed by deadlines, groups and joins with a limit", function()
    local clock <close> = test.clock()
    local _, message, code = neap.deadline(20, timer.sleep, 100)
    assert.same({ "deadline of 20.0 s: timed out", "ETIMEDOUT" }, { message, code })
    assert.equal(20, clock:now())
    neap.group(function(group)
      for i = 1, 10 do group:go(timer.sleep, i) end
    end)
    assert.equal(30, clock:now())
  end)

  it("calls back at the same moment what is due now", function()
    local clock <close> = test.clock()
    local at = {}
    timer.sleep(7)
    for i = 1, 3 do timer.sleep(0, function() at[i] = clock:now() end) end
    clock:advance(0)
    assert.same({ 7, 7, 7 }, at)
  end)

  it("runs any number of timers at one moment", function()
    local clock <close> = test.clock()
    local count = 0
    for _ = 1, 3000 do
      timer.sleep(10, function()
        assert.equal(10, clock:now())
        count = count + 1
      end)
    end
    clock:advance(10)
    assert.equal(3000, count)
  end)

  it("jumps to no timer that was cancelled", function()
    local clock <close> = test.clock()
    for i = 1, 100 do timer.sleep(i * i, print):cancel() end
    timer.sleep(20000)
    assert.equal(20000, clock:now())
    timer.sleep(1, print):cancel()
    local server <close> = sockets.listen(function(conn) conn:write(conn:read("l")) end)
    local conn <close> = assert(net.connect(server.address))
    conn:write("still\n")
    assert.equal("still", conn:read("l", { timeout = 1 }))
    assert.equal(20000, clock:now())
  end)
end)

describe("clock:advance", function()
  it("returns when all is done that is due, and tells the time", function()
    local clock <close> = test.clock()
    local log = {}
    neap.go(function()
      timer.sleep(5)
      log[#log + 1] = "woken"
      for _ = 1, 10 do timer.sleep(0) end
      timer.sleep(0, function()
        timer.sleep(0)
        log[#log + 1] = "and what it started"
      end)
      timer.sleep(0.001)
      log[#log + 1] = "later"
    end)
    assert.equal(4.999, clock:advance(4.999))
    assert.same({}, log)
    assert.equal(5, clock:advance(0.001))
    assert.same({ "woken", "and what it started" }, log)
    clock:advance(1)
    assert.equal(3, #log)
  end)

  it("works where there is no timer", function()
    local clock <close> = test.clock()
    clock:advance(1e6)
    assert.equal(1e6, clock:now())
    clock:advance(0)
    assert.equal(1e6, clock:now())
  end)

  it("may be called by several tasks", function()
    local clock <close> = test.clock()
    local log, tasks = {}, {}
    for i, seconds in ipairs { 3, 1, 2, 1 } do
      tasks[i] = neap.go(function()
        local now = clock:advance(seconds)
        log[#log + 1] = { i, now }
      end)
    end
    for _, task in ipairs(tasks) do task:join() end
    assert.same({ { 2, 1 }, { 4, 1 }, { 3, 2 }, { 1, 3 } }, log)
  end)

  it("takes a callback", function()
    local clock <close> = test.clock()
    local got
    local call = clock:advance(60, function(...) got = { ... } end)
    assert.is_nil(got)
    call:join()
    assert.same({ 60 }, got)
    clock:advance(60, error):cancel()
    timer.sleep(100)
    assert.equal(160, clock:now())
  end)

  it("can be cancelled, and ends with its clock", function()
    local clock <close> = test.clock()
    local task = neap.go(clock.advance, clock, 10)
    timer.sleep(5)
    task:cancel()
    assert.equal(5, clock:now())
    local late = neap.go(clock.advance, clock, 10)
    timer.sleep(1)
    clock:close()
    assert.same({ nil, "advance: operation canceled", "ECANCELED" }, { late:join() })
  end)

  it("needs seconds", function()
    local clock <close> = test.clock()
    for _, bad in ipairs { -1, 0 / 0, 1e10, "soon", {} } do
      assert.has_error(function() clock:advance(bad) end)
    end
    assert.has_error(function() clock:advance(1, 2) end)
  end)
end)

describe("a clock and real I/O", function()
  it("lets bytes arrive before any time limit is over", function()
    local clock <close> = test.clock()
    local server <close> = sockets.listen(function(conn)
      for line in conn:lines() do conn:write(line .. "\n") end
    end)
    local conn <close> = assert(net.connect(server.address, { timeout = 0.001 }))
    for i = 1, 300 do
      assert(conn:write(i .. "\n"))
      assert.equal(tostring(i), conn:read("l", { timeout = 0.001 }))
    end
    assert.equal(0, clock:now())
  end)

  it("lets much arrive that no task waits for piece by piece", function()
    local text = ("0123456789abcdef"):rep(1 << 18)
    local clock <close> = test.clock()
    local server <close> = sockets.listen(function(conn)
      assert(conn:write(text, { timeout = 0.001 }))
    end)
    local conn <close> = assert(net.connect(server.address))
    assert.is_true(text == conn:read("a", { timeout = 0.001 }))
    assert.equal(0, clock:now())
  end)

  it("waits for the thread pool", function()
    local clock <close> = test.clock()
    local server <close> = sockets.listen(function() end)
    local name = server.address:gsub("^127%.0%.0%.1", "localhost")
    local conn <close> = assert(net.connect(name, { timeout = 0.001 }))
    assert.is_truthy(conn)
    assert.equal(0, clock:now())
  end)

  it("waits for no peer", function()
    local ends <close> = sockets.pair()
    local clock <close> = test.clock()
    local _, _, code = ends.far:read("l", { timeout = 30 })
    assert.equal("ETIMEDOUT", code)
    assert.equal(30, clock:now())
    _, _, code = ends.near:write(("x"):rep(8 << 20), { timeout = 5 }) -- nobody reads
    assert.equal("ETIMEDOUT", code)
    assert.equal(35, clock:now())
  end)

  it("lets datagrams arrive before any time limit is over", function()
    local _ <close> = test.clock()
    local server <close> = assert(net.udp("127.0.0.1:0"))
    local client <close> = assert(net.udp())
    local task = neap.go(function()
      for data, from in server:messages() do server:send(data, from) end
    end)
    for i = 1, 20 do
      assert(client:send(i, server.address))
      assert.equal(tostring(i), (client:receive { timeout = 0.001 }))
    end
    assert.equal("ETIMEDOUT", (select(3, client:receive { timeout = 3600 })))
    server:close()
    task:join()
  end)

  it("lets a name be looked up before any time limit is over", function()
    local _ <close> = test.clock()
    assert(net.lookup("localhost", { timeout = 0.001 }))
  end)

  it("serves a chat that falls silent for a day", function()
    local clock <close> = test.clock()
    local server <close> = sockets.listen(function(conn)
      while true do
        local line, _, code = conn:read("l", { timeout = 60 })
        if code == "ETIMEDOUT" then return conn:write("too long\n") end
        if not line then return end
        conn:write("you said " .. line .. "\n")
      end
    end)
    local conn <close> = assert(net.connect(server.address))
    for _ = 1, 24 do
      clock:advance(59)
      assert(conn:write("hello\n"))
      assert.equal("you said hello", conn:read("l"))
    end
    assert.equal("too long", conn:read("l"))
    assert.equal(24 * 59 + 60, clock:now())
    assert.is_nil(conn:read("l"))
  end)

  it("waits in real time where no timer is set", function()
    local program = [[
      local net, test = require "neap.net", require "neap.test"
      clock = test.clock()
      local server = assert(net.listen("127.0.0.1:0", function(conn) print(conn:read("l"), clock:now()) os.exit(0) end))
      os.execute(("(sleep 0.1; echo hi >/dev/tcp/%s) & exit"):format((server.address:gsub(":", "/"))))
    ]]
    program = program:gsub("os.execute(%b())", [[os.execute("bash -c '" .. %1 .. "'")]])
    assert.equal("hi\t0.0\n", support.output(program))
  end)
end)

describe("the end of a clock", function()
  it("comes with its block, also where that fails", function()
    for _ = 1, 2 do
      pcall(function()
        local _ <close> = test.clock(0)
        error "failed"
      end)
    end
    assert.is_true(os.time() > 1e9)
    assert.is_true(math.abs(timer.now() - os.time()) < 2)
  end)

  it("lets time pass again, from where it stood", function()
    local before = timer.monotonic()
    local fired
    do
      local clock <close> = test.clock()
      timer.sleep(1000.02, function() fired = timer.monotonic() end)
      clock:advance(1000)
    end
    local start = timer.monotonic()
    assert.is_true(start - before >= 1000)
    assert.is_true(eventually(function() return fired end) - start >= 0.02 - 0.001)
    timer.sleep(0.01)
    assert.is_true(timer.monotonic() - start >= 0.01)
    for _, task in ipairs(neap.tasks()) do assert.is_true(task.since == nil or task.since > -1) end
  end)

  it("comes when nobody holds it", function()
    do local _ = test.clock() end
    collectgarbage()
    collectgarbage()
    local clock <close> = test.clock()
    assert.equal(0, clock:now())
  end)

  it("leaves an object that says so", function()
    local clock <close> = test.clock()
    clock:close()
    clock:close()
    assert.has_error(function() clock:now() end, "this clock is closed")
    assert.has_error(function() clock:advance(1) end, "this clock is closed")
    assert.is_true(clock:real() > 0)
    local other <close> = test.clock()
    clock:close() -- does not end the other one
    assert.has_error(function() clock:now() end, "this clock is closed")
    assert.equal(0, other:now())
  end)

  it("must come before another one begins", function()
    local _ <close> = test.clock()
    assert.error_matches(test.clock, "there is another clock: it was started at .*clock_spec.lua:%d+")
  end)

  it("comes with the program", function()
    assert.equal("over\t10.0\n", support.output [[
      local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
      local clock = test.clock()
      neap.go(function()
        local _ <close> = setmetatable({}, { __close = function() timer.sleep(1) end })
        clock:advance(1000)
      end)
      timer.every(1, function() end)
      timer.sleep(10)
      print("over", clock:now())
      os.exit(0)
    ]])
  end)

  it("needs a time that is one", function()
    for _, bad in ipairs { -1, 0 / 0, 1e13, "noon", {} } do
      assert.has_error(function() test.clock(bad) end)
    end
    local _ <close> = test.clock() -- none of them has begun
  end)
end)

it("a wait that nothing can end is found with a clock, too", function()
  local _, _, err = support.run [[
    local neap, test = require "neap", require "neap.test"
    local clock <close> = test.clock()
    clock:advance(10)
    local main
    local task = neap.go(function() main:join() end)
    main = neap.go(function() task:join() end)
    main:join()
  ]]
  assert.matches("deadlock", err)
end)
