-- One way to wait, two forms of it; and a wait passes through whatever Lua has.
local neap, test, timer = require "neap", require "neap.test", require "neap.timer"

-- Waits, for a turn, and returns its arguments.
local function pause(...)
  timer.sleep(0)
  return ...
end

local function closing(fn) return setmetatable({}, { __close = fn }) end

describe("a call with a callback", function()
  -- What a call gives in both forms; ... are its arguments.
  local function both(call, ...)
    local waited = table.pack(call(...))
    local called
    local arguments = table.pack(...)
    arguments[arguments.n + 1] = function(...)
      assert(not called, "called twice")
      called = table.pack(...)
    end
    call(table.unpack(arguments, 1, arguments.n + 1))
    assert.is_nil(called)
    local limit = timer.monotonic() + 20
    while not called and timer.monotonic() < limit do timer.sleep(0.001) end
    return waited, called
  end

  local function same(...)
    local waited, called = both(...)
    assert.same(waited, called)
    return waited
  end

  it("gives what the other form returns: sleep", function()
    assert.same({ n = 1, true }, same(timer.sleep, 0.001))
    assert.same({ n = 1, true }, same(timer.sleep, 0))
  end)

  it("gives what the other form returns: join", function()
    local done = neap.go(function() return 1, nil, 3, nil end)
    done:join()
    assert.same({ n = 4, 1, nil, 3, nil }, same(done.join, done))
    local empty = neap.go(function() end)
    empty:join()
    assert.same({ n = 0 }, same(empty.join, empty))
    local parked = neap.go(timer.sleep, 1000)
    assert.equal("ETIMEDOUT", same(parked.join, parked, { timeout = 0.002 })[3])
    parked:cancel()
    assert.equal("ECANCELED", same(parked.join, parked)[3])
  end)

  it("never calls back before it has returned, though the result is there", function()
    local task = neap.go(function() return "result" end)
    task:join()
    local order = {}
    local waiter = task:join(function(value) order[#order + 1] = value end)
    order[#order + 1] = "returned"
    assert.same({ "returned" }, order)
    waiter:join()
    assert.same({ "returned", "result" }, order)
  end)

  it("calls back in a task of its own, which may wait", function()
    local task, done = neap.go(pause, "value"), neap.go(timer.sleep, 1000)
    local result
    task:join(function(value)
      timer.sleep(0.001)
      result = pause(value)
      done:cancel()
    end)
    done:join()
    assert.equal("value", result)
  end)

  it("returns an object that can cancel: then nobody is called", function()
    local called = false
    local task = neap.go(pause)
    local waiter = task:join(function() called = true end)
    assert.is_true(waiter:cancel())
    waiter:join()
    task:join()
    assert.is_false(called)
    assert.equal("cancelled", waiter.status)
    assert.equal("done", task.status)

    local timed = timer.sleep(0.001, function() called = true end)
    assert.is_true(timed:cancel())
    assert.is_false(timed:cancel())
    timer.sleep(0.005)
    assert.is_false(called)
  end)

  it("keeps what it needs alive until then", function()
    local value
    do
      local task = neap.go(function()
        timer.sleep(0.002)
        return "value"
      end)
      task:join(function(v) value = v end)
    end
    for _ = 1, 3 do collectgarbage() end
    while not value do timer.sleep(0.001) end
    assert.equal("value", value)
  end)

  it("is the only form outside of what can wait", function()
    local value
    local task = neap.go(pause, "value")
    table.sort({ 2, 1 }, function(a, b)
      if not value then task:join(function(v) value = v end) end
      return a < b
    end)
    task:join()
    timer.sleep(0)
    assert.equal("value", value)
  end)
end)

describe("a limit", function()
  it("begins when the call is made, also when the task has held the loop before", function()
    local task <const> = neap.go(timer.sleep, 3600)
    local start = timer.monotonic()
    while timer.monotonic() - start < 0.03 do end
    start = timer.monotonic()
    assert.equal("ETIMEDOUT", select(3, task:join { timeout = 0.02 }))
    assert.is_true(timer.monotonic() - start >= 0.02)
    task:cancel()
  end)
end)

describe("a wait passes through", function()
  it("pcall and xpcall, with values and errors", function()
    assert.same({ true, 1, 2 }, { pcall(pause, 1, 2) })
    assert.same({ true, 1, 2 }, { xpcall(pause, print, 1, 2) })
    local function fail(err)
      pause()
      error(err, 0)
    end
    assert.same({ false, "e" }, { pcall(fail, "e") })
    assert.same({ false, "handled e" }, { xpcall(fail, function(e) return "handled " .. e end, "e") })
    assert.same({ true, false, "e" }, { pcall(pcall, fail, "e") })
  end)

  it("iterators", function()
    local function count(limit, i)
      pause()
      if i < limit then return i + 1 end
    end
    local seen = {}
    for i in count, 3, 0 do seen[#seen + 1] = i end
    assert.same({ 1, 2, 3 }, seen)
    seen = {}
    for key, value in pairs(setmetatable({}, { __pairs = function() return pause(next, { a = 1 }) end })) do
      seen[key] = pause(value)
    end
    assert.same({ a = 1 }, seen)
  end)

  it("metamethods", function()
    local calls = {}
    local meta = {}
    for _, name in ipairs { "add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "band", "bor", "bxor", "shl",
      "shr", "bnot", "concat", "len", "index", "call" } do
      meta["__" .. name] = function() return pause(name) end
    end
    meta.__eq = function() return pause(true) end
    meta.__lt = function() return pause(true) end
    meta.__le = function() return pause(false) end
    meta.__newindex = function(_, key, value) calls[pause(key)] = value end
    local a, b = setmetatable({}, meta), setmetatable({}, meta)
    assert.same({ "add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "band", "bor", "bxor" },
      { a + b, a - b, a * b, a / b, a % b, a ^ b, -a, a // b, a & b, a | b, a ~ b })
    assert.same({ "shl", "shr", "bnot", "concat", "len", "index", "call" },
      { a << b, a >> b, ~a, a .. b, #a, a.x, (a()) })
    assert.same({ true, true, false, true }, { a == b, a < b, a <= b, a > b })
    a.key = "value"
    assert.same({ key = "value" }, calls)
    assert.equal("concat", ("x" .. "y") .. a)
  end)

  it("__close, at the end of a block, of a loop, and after an error", function()
    local order = {}
    local function note(text)
      return closing(function(_, err) order[#order + 1] = pause(text .. (err and " " .. err or "")) end)
    end
    do
      local _ <close> = note "block"
    end
    for i in function(_, i) return (i or 0) < 1 and 1 or nil end, nil, nil, note "loop" do pause(i) end
    pcall(function()
      local _ <close> = note "error"
      error("e", 0)
    end)
    local function returns()
      local _ <close> = note "return"
      return pause(1, 2, 3)
    end
    assert.same({ 1, 2, 3 }, { returns() })
    assert.same({ "block", "loop", "error e", "return" }, order)
  end)

  it("dofile and load, called and while they read", function()
    assert.same({ 1, 2 }, { assert(load("local pause = ... return pause(1, 2)"))(pause) })
    local name = test.tempdir():write("a.lua", "require('neap.timer').sleep(0) return 'file'")
    assert.equal("file", dofile(name))
  end)

  it("a deep stack", function()
    local function deep(n)
      if n == 0 then return pause("bottom") end
      return (deep(n - 1))
    end
    assert.equal("bottom", deep(10000))
    local function protected(n)
      if n == 0 then return pause("bottom") end
      return select(2, pcall(protected, n - 1))
    end
    assert.equal("bottom", protected(150))
  end)
end)

describe("where Lua cannot be suspended", function()
  -- Runs the function there, and returns the message of its error.
  local function message_in(run, fn)
    local ok, message
    run(function()
      if ok == nil then ok, message = pcall(fn) end
    end)
    assert.is_false(ok)
    return message
  end

  local places = {
    ["table.sort"] = function(fn)
      table.sort({ 3, 2, 1 }, function(a, b)
        fn()
        return a < b
      end)
    end,
    ["string.gsub"] = function(fn) string.gsub("a", "a", fn) end,
    ["load"] = function(fn) load(function() fn() end) end,
    ["a finalizer"] = function(fn)
      setmetatable({}, { __gc = fn }) -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end,
    ["a coroutine in table.sort"] = function(fn)
      table.sort({ 3, 2, 1 }, function(a, b)
        coroutine.wrap(fn)()
        return a < b
      end)
    end,
  }

  for name, run in pairs(places) do
    it(name .. ", a wait raises an error that names the way out", function()
      local text = name == "a finalizer" and "a finalizer cannot wait"
        or "cannot wait here.*pass a callback or use neap.go"
      assert.matches(text, message_in(run, function() timer.sleep(0.001) end))
      assert.matches(text, message_in(run, function() neap.group(function() end) end))
      assert.matches(text, message_in(run, function() neap.deadline(1, pause) end))
      local task = neap.go(pause, "value")
      assert.matches(text, message_in(run, function() task:join() end))
      assert.equal("value", task:join())
    end)

    it(name .. ", a wait that fails has started nothing", function()
      local ran = false
      message_in(run, function() neap.group(function() ran = true end) end)
      message_in(run, function() neap.deadline(1, function() ran = true end) end)
      for _ = 1, 5 do timer.sleep(0) end
      assert.is_false(ran)
    end)
  end

  it("a task can be started", function()
    local task
    string.gsub("a", "a", function() task = neap.go(pause, "value") end)
    assert.equal("value", task:join())
  end)

  it("not even a task can be started in a finalizer: it may interrupt anything", function()
    local started = 0
    local function count() started = started + 1 end
    for _ = 1, 20 do
      setmetatable({}, { __gc = function() for _ = 1, 50 do neap.go(count) end end })
    end
    for _ = 1, 100 do neap.tasks() end -- counts them, allocates, and then writes them down
    collectgarbage()
    collectgarbage()
    local function start() return pcall(timer.sleep, 0, count) end
    local ok, message
    setmetatable({}, { __gc = function() ok, message = start() end })
    collectgarbage()
    collectgarbage()
    assert.same({ false, "a finalizer cannot wait, nor start anything" }, { ok, message })
    timer.sleep(0.002)
    assert.equal(0, started)
  end)

  it("a coroutine that does not wait works as ever", function()
    local values = {}
    string.gsub("abc", "%w", function(letter)
      local co = coroutine.wrap(function() coroutine.yield(letter) end)
      values[#values + 1] = co()
    end)
    assert.same({ "a", "b", "c" }, values)
  end)
end)
