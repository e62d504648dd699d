-- neap.timer: sleep, every, now, monotonic. Time is the subject here, so some of it passes; no spec depends on how much
-- at most. Where it is virtual it is exact.
local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
local support = require "spec.support.neap"

local seconds = "must be a number of seconds from 0 to 1e9"

describe("sleep", function()
  it("waits as long as it is told, never less", function()
    for _, time in ipairs { 0, 0.0001, 0.001, 0.0015, 0.01, 0.02 } do
      local start = timer.monotonic()
      assert.is_true(timer.sleep(time))
      assert.is_true(timer.monotonic() - start >= time)
    end
  end)

  it("of nothing lets the others run", function()
    local ran = false
    neap.go(function() ran = true end)
    timer.sleep(0)
    assert.is_true(ran)
  end)

  it("is never early with a callback, and says true", function()
    local start = timer.monotonic()
    local took, value
    timer.sleep(0.005, function(...)
      took = timer.monotonic() - start
      value = table.pack(...)
    end)
    while not took do timer.sleep(0.001) end
    assert.is_true(took >= 0.005)
    assert.same({ n = 1, true }, value)
  end)

  it("wakes in the order of time, whatever the order in which it was asked", function()
    local order = {}
    local clock <close> = test.clock()
    for _, time in ipairs { 30, 5, 20, 1, 10, 15, 25 } do
      neap.go(function()
        timer.sleep(time)
        assert.equal(time, clock:now())
        order[#order + 1] = time
      end)
    end
    clock:advance(30)
    assert.same({ 1, 5, 10, 15, 20, 25, 30 }, order)
  end)

  it("takes integers and fractions", function()
    assert.is_true(timer.sleep(0))
    assert.is_true(timer.sleep(0.0))
    timer.sleep(1, function() end):cancel()
    timer.sleep(1e9, function() end):cancel()
  end)

  it("takes nothing else", function()
    for _, bad in ipairs { -1, -0.001, 0 / 0, 1 / 0, -1 / 0, 1e10, math.maxinteger, math.mininteger } do
      assert.error_matches(function() timer.sleep(bad) end, seconds)
      assert.error_matches(function() timer.sleep(bad, print) end, seconds)
    end
    for _, bad in ipairs { "soon", {}, true, print } do
      assert.error_matches(function() timer.sleep(bad) end, "bad argument #1 to 'sleep' %(number expected")
    end
    assert.error_matches(function() timer.sleep() end, "number expected, got no value")
    assert.error_matches(function() timer.sleep(1, 2) end, "bad argument #2 to 'sleep' %(function expected, got number")
    assert.error_matches(function() timer.sleep(1, {}) end, "function expected, got table")
  end)

  it("is cancelled once", function()
    local called = false
    local sleep = timer.sleep(0.001, function() called = true end)
    assert.is_true(sleep:cancel())
    assert.is_false(sleep:cancel())
    local another = timer.sleep(0.002, function() end)
    assert.is_false(sleep:cancel()) -- another one may use its memory now
    timer.sleep(0.005)
    assert.is_false(called)
    assert.is_false(another:cancel())
  end)

  it("may be cancelled by its own callback, which does not mind", function()
    local answer
    local sleep
    sleep = timer.sleep(0.001, function()
      answer = sleep:cancel()
      timer.sleep(0)
    end)
    while answer == nil do timer.sleep(0.001) end
    assert.is_false(answer)
  end)

  it("keeps its function alive, and the program", function()
    assert.equal("late\n", support.output [[
      require("neap.timer").sleep(0.02, function() print "late" end)
      collectgarbage()
    ]])
  end)
end)

describe("many timers", function()
  it("fire in order, across all levels of the wheel", function()
    local clock <close> = test.clock()
    local fired = 0
    for i = 1, 2000 do
      local time = i * 7919 % 400 * 10 ^ (i % 8) / 1000 -- to 46 days
      timer.sleep(time, function()
        assert.equal(time, clock:now())
        fired = fired + 1
      end)
    end
    clock:advance(1e7)
    assert.equal(2000, fired)
  end)

  it("that are due in the same millisecond keep their order", function()
    local clock <close> = test.clock()
    local order, count = {}, 3000
    for i = 1, count do timer.sleep(0.02, function() order[#order + 1] = i end) end
    clock:advance(0.02)
    for i = 1, count do assert.equal(i, order[i]) end
  end)

  it("may be set and cancelled in any number", function()
    local function used()
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    local function churn()
      local timers = {}
      for i = 1, 5000 do timers[i] = timer.sleep(1 + i % 100, print) end
      for i = 1, 5000 do timers[i]:cancel() end
    end
    churn()
    local before = used()
    for _ = 1, 10 do churn() end
    assert.is_true(used() - before < 50)
  end)
end)

describe("every", function()
  -- Lets it tick n times with this function, then closes it.
  local function tick(period, n, fn)
    local count, done = 0, nil
    local every
    every = timer.every(period, function()
      count = count + 1
      if count >= n then every:close() end
      if fn then fn(count) end
      if count >= n then done = true end
    end)
    while not done do timer.sleep(0.001) end
    return every
  end

  it("ticks until it is closed, and not at once", function()
    local start = timer.monotonic()
    local first
    tick(0.005, 3, function(n) first = first or (n == 1 and timer.monotonic() - start) end)
    assert.is_true(first >= 0.005)
    assert.is_true(timer.monotonic() - start >= 0.015)
  end)

  it("does not drift: the n-th tick is due n periods after the start", function()
    local clock <close> = test.clock()
    tick(0.0033, 1000, function(n) assert.equal((n * 33 + 9) // 10 / 1000, clock:now()) end)
  end)

  it("does not pile up: what was missed is left out", function()
    local count = 0
    local every <close> = timer.every(0.002, function() count = count + 1 end)
    local limit = timer.monotonic() + 0.05
    while timer.monotonic() < limit do end -- nobody can tick
    count = 0
    timer.sleep(0)
    timer.sleep(0)
    timer.sleep(0)
    assert.is_true(count <= 2)
    every:close()
  end)

  it("does not start a tick while the last one runs", function()
    local clock <close> = test.clock()
    local started = {}
    local every <close> = timer.every(1, function()
      started[#started + 1] = clock:now()
      timer.sleep(4.5)
    end)
    clock:advance(20)
    every:close()
    assert.same({ 1, 6, 11, 16 }, started)
  end)

  it("goes on after a tick that has failed", function()
    local status, out, err = support.run [[
      local timer = require "neap.timer"
      local n = 0
      local every
      every = timer.every(0.001, function()
        n = n + 1
        if n == 3 then every:close() print "third" end
        error("tick " .. n, 0)
      end)
    ]]
    assert.equal(1, status)
    assert.equal("third\n", out)
    for n = 1, 3 do assert.matches("neap: task %d+ %(every%) failed: tick " .. n, err) end
    assert.matches("started at script.lua:4", err)
  end)

  it("may be closed any number of times, also by its own tick and while that runs", function()
    local every = tick(0.001, 1, function() timer.sleep(0.003) end)
    every:close()
    every:close()
    local never = timer.every(0.001, function() error "never" end)
    never:close()
    never:close()
    timer.sleep(0.005)
  end)

  it("closes with its variable", function()
    local count = 0
    do
      local _ <close> = timer.every(0.001, function() count = count + 1 end)
      while count == 0 do timer.sleep(0.001) end
    end
    local now = count
    timer.sleep(0.005)
    assert.equal(now, count)
  end)

  it("lives on when nobody holds it", function()
    local count = 0
    do
      local every
      every = timer.every(0.001, function()
        count = count + 1
        if count == 3 then every:close() end
      end)
    end
    for _ = 1, 3 do collectgarbage() end
    while count < 3 do timer.sleep(0.001) end
  end)

  it("lets go of its function when it is closed", function()
    local weak = setmetatable({}, { __mode = "k" })
    do
      local fn = function() return weak end
      weak[fn] = true
      timer.every(100, fn):close()
      timer.sleep(100, fn):cancel()
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)

  it("may be closed when all is over, by a finalizer that comes late", function()
    assert.equal("nil\tfalse\n", support.output [[
      kept = setmetatable({}, { __gc = function(self) print(self.tick:close(), self.sleep:cancel()) end })
      local timer = require "neap.timer" -- what it has is finalized before that
      kept.tick, kept.sleep = timer.every(1, print), timer.sleep(1, print)
      os.exit(0)
    ]])
  end)

  it("needs seconds and a function", function()
    for _, bad in ipairs { -1, 0 / 0, 1 / 0, 1e10 } do
      assert.error_matches(function() timer.every(bad, print) end, seconds)
    end
    assert.error_matches(function() timer.every(0, print) end, "an interval cannot be zero")
    assert.error_matches(function() timer.every(1) end, "bad argument #2 to 'every' %(function expected, got no value")
    assert.error_matches(function() timer.every(print) end, "bad argument #1 to 'every' %(number expected")
  end)

  it("with a period shorter than a millisecond ticks, and starves nobody", function()
    local count = 0
    local every <close> = timer.every(1e-9, function() count = count + 1 end)
    timer.sleep(0.01)
    assert.is_true(count > 1)
    every:close()
  end)
end)

describe("the clocks", function()
  it("tell the time of day", function()
    local before, now, after = os.time(), timer.now(), os.time()
    assert.equal("float", math.type(now))
    assert.is_true(now >= before and now < after + 1)
  end)

  it("tell a time that never goes back", function()
    local last = timer.monotonic()
    assert.equal("float", math.type(last))
    for _ = 1, 1000 do
      local now = timer.monotonic()
      assert.is_true(now >= last)
      last = now
    end
  end)

  it("tell more than milliseconds", function()
    local start = timer.monotonic()
    local distinct = 0
    local last = start
    while timer.monotonic() - start < 0.001 do
      local now = timer.monotonic()
      if now ~= last then distinct = distinct + 1 end
      last = now
    end
    assert.is_true(distinct > 2)
  end)

  it("may call one function for many, some of them cancelled, and again from it", function()
    local called, sleeps = 0, {}
    local function call()
      called = called + 1
      if called == 50 then timer.sleep(0, call) end -- the last one but this
    end
    for i = 1, 100 do sleeps[i] = timer.sleep(0.001 * (i % 3), call) end
    for i = 1, 100, 2 do assert.is_true(sleeps[i]:cancel()) end
    test.eventually(function() return called >= 51 end)
    timer.sleep(0.002)
    assert.equal(51, called)
    for i = 1, 100 do assert.is_false(sleeps[i]:cancel()) end
  end)

  it("goes on after its connection, and others call the same function", function()
    local net, called = require "neap.net", 0
    local function call() called = called + 1 end
    timer.sleep(0.02, call)
    local server <close> = assert(net.listen("127.0.0.1:0", function(conn)
      for _ = 1, 3 do timer.sleep(0.02, call) end
      timer.every(0.001, call):close()
      conn:read()
    end))
    local conn = assert(net.connect(server.address))
    timer.sleep(0.005)
    timer.sleep(0.02, call)
    conn:close()
    test.eventually(function() return called >= 5 end)
    timer.sleep(0.002)
    assert.equal(5, called)
  end)
end)
