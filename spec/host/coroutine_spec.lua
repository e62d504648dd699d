-- Coroutines that scripts make: they may wait, and are Lua's in all else.
local neap, timer = require "neap", require "neap.timer"

local function pause(...)
  timer.sleep(0)
  return ...
end

local function closing(fn) return setmetatable({}, { __close = fn }) end

describe("a coroutine that waits", function()
  it("is a generator like any other", function()
    local function numbers(limit)
      return coroutine.wrap(function()
        for i = 1, limit do
          pause()
          coroutine.yield(i, i * i)
          pause()
        end
      end)
    end
    local seen = {}
    for i, square in numbers(4) do seen[i] = pause(square) end
    assert.same({ 1, 4, 9, 16 }, seen)
  end)

  it("passes values in and out, nils and all", function()
    local co = coroutine.create(function(...)
      local given = table.pack(pause(...))
      local second = table.pack(pause(coroutine.yield(given.n, pause(...))))
      return second.n, pause(table.unpack(second, 1, second.n))
    end)
    assert.same({ n = 5, true, 3, nil, 1, nil }, table.pack(coroutine.resume(co, nil, 1, nil)))
    assert.same({ n = 4, true, 2, nil, nil }, table.pack(coroutine.resume(co, nil, nil)))
    assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(co) })
    assert.equal("dead", coroutine.status(co))
  end)

  it("passes many values", function()
    local numbers = {}
    for i = 1, 3000 do numbers[i] = i end
    local wrapped = coroutine.wrap(function(...) return pause(coroutine.yield(pause(...))) end)
    assert.equal(3000, select("#", wrapped(table.unpack(numbers))))
    assert.equal(3000, select("#", wrapped(table.unpack(numbers))))
  end)

  it("may be nested: each yields to its own resumer", function()
    local function inner()
      pause()
      coroutine.yield "inner 1"
      pause()
      return "inner 2"
    end
    local function outer()
      local co = coroutine.wrap(inner)
      coroutine.yield(pause(co()))
      coroutine.yield(pause(co()))
      return "outer"
    end
    local co = coroutine.wrap(outer)
    assert.same({ "inner 1", "inner 2", "outer" }, { co(), co(), co() })
  end)

  it("may be nested deeply", function()
    local function nest(n)
      if n == 0 then return pause("bottom") end
      return coroutine.wrap(nest)(n - 1)
    end
    assert.equal("bottom", nest(100))
  end)

  it("tells its errors as ever", function()
    local function fail()
      pause()
      error("boom", 0)
    end
    local co = coroutine.create(fail)
    assert.same({ false, "boom" }, { coroutine.resume(co) })
    assert.equal("dead", coroutine.status(co))
    local ok, message = pcall(coroutine.wrap(fail))
    assert.is_false(ok)
    assert.matches("boom$", message)
    local value = {}
    assert.same({ false, value }, { pcall(coroutine.wrap(function() error(pause(value)) end)) })
  end)

  it("closes its variables when it fails in wrap, and may change the error there", function()
    local closed
    local wrapped = coroutine.wrap(function()
      local _ <close> = closing(function(_, err)
        closed = err
        error("changed", 0)
      end)
      pause()
      error("first", 0)
    end)
    local _, message = pcall(wrapped)
    assert.equal("first", closed)
    assert.matches("changed$", message)
  end)

  it("is suspended between its yields, and so can be closed", function()
    local closed = false
    local co = coroutine.create(function()
      local _ <close> = closing(function() closed = true end)
      pause()
      coroutine.yield(1)
    end)
    assert.same({ true, 1 }, { coroutine.resume(co) })
    assert.equal("suspended", coroutine.status(co))
    assert.is_true(coroutine.close(co))
    assert.is_true(closed)
  end)

  it("has the status that the script expects", function()
    local co, inside
    co = coroutine.create(function()
      pause()
      inside = { coroutine.status(co), coroutine.running() == co, coroutine.isyieldable() }
      coroutine.yield()
    end)
    coroutine.resume(co)
    assert.same({ "running", true, true }, inside)
    assert.equal("suspended", coroutine.status(co))
  end)

  it("cannot be taken up by another task while it waits", function()
    local co = coroutine.create(function()
      timer.sleep(0.002)
      return "value"
    end)
    local owner = neap.go(function() return coroutine.resume(co) end)
    timer.sleep(0)
    local ok, message = coroutine.resume(co)
    assert.is_false(ok)
    assert.equal("cannot resume non-suspended coroutine", message)
    assert.same({ true, "value" }, { owner:join() })
  end)

  it("of a task is its own, whether it waits, is to begin, or has ended", function()
    local kept
    local function cannot_be_used()
      assert.equal("normal", coroutine.status(kept))
      assert.same(
        { false, "cannot resume non-suspended coroutine" },
        { coroutine.resume(kept) }
      )
      assert.has_error(function() coroutine.close(kept) end, "cannot close a normal coroutine")
    end
    local function keep(...)
      kept = coroutine.running()
      timer.sleep(0.005)
      return ...
    end

    local task = neap.go(keep, "value")
    timer.sleep(0)
    cannot_be_used()
    assert.matches("in function <[^\n]*coroutine_spec", debug.traceback(kept))
    assert.equal("value", task:join())
    assert.equal("dead", coroutine.status(kept))

    local other, called = neap.go(timer.sleep, 0.005), 0
    timer.sleep(0)
    local callbacks = {}
    for i = 1, 3 do -- one of them has the coroutine now
      callbacks[i] = other:join(function(result) called = called + (result and 1 or 0) end)
    end
    cannot_be_used()
    for i = 1, 3 do callbacks[i]:join() end
    assert.equal(3, called)

    task = neap.go(function()
      kept = coroutine.running()
      error "on purpose"
    end)
    assert.is_false(pcall(task.join, task))
    assert.equal("dead", coroutine.status(kept))
    assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(kept) })
  end)

  it("can be begun in one task and go on in another", function()
    local co = coroutine.wrap(function()
      for i = 1, 4 do coroutine.yield(pause(i)) end
    end)
    local values = {}
    for i = 1, 4 do values[i] = neap.go(co):join() end
    assert.same({ 1, 2, 3, 4 }, values)
  end)

  it("cannot be closed by another task while it waits: what it waits for lies on its stack", function()
    local co
    local task = neap.go(function()
      co = coroutine.create(function()
        local inner = neap.go(timer.sleep, 0.005)
        return inner:join()
      end)
      return coroutine.resume(co)
    end)
    timer.sleep(0)
    timer.sleep(0)
    assert.equal("normal", coroutine.status(co))
    assert.same({ false, "cannot close a normal coroutine" }, { pcall(coroutine.close, co) })
    collectgarbage()
    assert.same({ true, true }, { task:join() })
    assert.is_true(coroutine.close(co))
  end)

  it("has the status and the close that Lua's have", function()
    local function fails(co) return select(2, pcall(coroutine.close, co)) end
    local outer, inner
    inner = coroutine.create(function()
      return coroutine.status(outer), coroutine.status(inner), fails(outer), fails(inner)
    end)
    outer = coroutine.create(function() return coroutine.resume(inner) end)
    assert.equal("suspended", coroutine.status(outer))
    assert.same({
      true, true, "normal", "running", "cannot close a normal coroutine", "cannot close a running coroutine",
    }, { coroutine.resume(outer) })
    assert.equal("dead", coroutine.status(outer))
    assert.is_true(coroutine.close(outer))
    assert.is_true(coroutine.close(coroutine.create(print)))
    local failing = coroutine.create(function()
      local _ <close> = closing(function() error("in close", 0) end)
      coroutine.yield()
    end)
    coroutine.resume(failing)
    assert.same({ false, "in close" }, { coroutine.close(failing) })
    assert.equal("dead", coroutine.status(failing))
    assert.matches("coroutine expected", fails(1))
  end)
end)

describe("a coroutine that does not wait", function()
  it("yields in a row", function()
    local wrapped = coroutine.wrap(function(...)
      local sum = 0
      for _, value in ipairs { ... } do sum = sum + value end
      while true do sum = sum + coroutine.yield(sum) end
    end)
    assert.equal(3, wrapped(1, 2))
    for i = 1, 1000 do wrapped(i) end
    assert.equal(3 + 500500 + 7, wrapped(7))
  end)

  it("yields light userdata and whatever else, and it is not taken for a wait", function()
    local values = { 1, "a", false, print, {}, coroutine.create(print), io.stdout }
    for _, value in ipairs(values) do
      assert.equal(value, coroutine.wrap(function() coroutine.yield(value) end)())
    end
  end)

  it("cannot be resumed when it is dead, runs or is the current one", function()
    local co = coroutine.create(function() end)
    coroutine.resume(co)
    assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(co) })
    local wrapped = coroutine.wrap(function() end)
    wrapped()
    assert.error_matches(wrapped, "cannot resume dead coroutine")
    co = coroutine.create(function() return coroutine.resume(co) end)
    assert.same({ true, false, "cannot resume non-suspended coroutine" }, { coroutine.resume(co) })
    local self = coroutine.running()
    assert.same({ false, "cannot resume non-suspended coroutine" }, { coroutine.resume(self) })
  end)

  it("needs the arguments that Lua's needs", function()
    assert.error_matches(function() coroutine.resume(1) end, "bad argument #1 to 'resume' %(coroutine expected, got n")
    assert.error_matches(function() coroutine.wrap(1) end, "function expected, got number")
  end)
end)

describe("a task", function()
  local support = require "spec.support.neap"

  it("is no coroutine to its script: as in Lua's main chunk nobody can yield", function()
    local function look()
      local co, is_main = coroutine.running()
      return type(co), is_main, coroutine.isyieldable(), coroutine.isyieldable(co), coroutine.status(co)
    end
    local expected = { "thread", true, false, false, "running" }
    assert.same(expected, { neap.go(look):join() })
    local values
    timer.sleep(0, function() values = { look() } end)
    while not values do timer.sleep(0) end
    assert.same(expected, values)
    assert.same({ false, "attempt to yield from outside a coroutine" }, { neap.go(pcall, coroutine.yield, 1):join() })
  end)

  it("that yields has failed, and runs its __close, which may wait", function()
    local status, out, err = support.run [[
      local neap, timer = require "neap", require "neap.timer"
      neap.go(function() timer.sleep(0.005) print("other") end)
      local _ <close> = setmetatable({}, { __close = function() timer.sleep(0.001) print("closed") end })
      coroutine.yield(1)
    ]]
    assert.equal(1, status)
    assert.equal("closed\nother\n", out)
    assert.matches("attempt to yield from outside a coroutine", err)
  end)
end)
