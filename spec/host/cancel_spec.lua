-- Cancellation: raised once where a task waits, not to be caught, and __close
-- may still wait.
local neap, timer = require "neap", require "neap.timer"
local support = require "spec.support.neap"

-- They take five seconds: the others are run in the meantime.
local endless = support.start [[
  local neap, timer = require "neap", require "neap.timer"
  local task = neap.go(function()
    local guard <close> = setmetatable({}, { __close = function()
      local inner <close> = setmetatable({}, { __close = function() print("inner") end })
      timer.sleep(1000)
      print("not reached")
    end })
    timer.sleep(1000)
  end)
  timer.sleep(0)
  task:cancel()
  print(select(3, task:join()))
]]

local endless_exit = support.start [[
  local neap, timer = require "neap", require "neap.timer"
  neap.go(function()
    local _ <close> = setmetatable({}, { __close = function() timer.sleep(1000) print "not reached" end })
    timer.sleep(1000)
  end)
  timer.sleep(0)
  neap.exit(4)
]]

local function park() timer.sleep(1000) end

local function closing(fn) return setmetatable({}, { __close = fn }) end

-- Starts it, lets it come to its first wait, cancels it, waits for its end.
local function cancel(fn, ...)
  local task = neap.go(fn, ...)
  timer.sleep(0)
  assert.is_true(task:cancel())
  return task, table.pack(task:join())
end

describe("cancel", function()
  it("ends a task that has not begun, without running it", function()
    local ran = false
    local task = neap.go(function() ran = true end)
    assert.is_true(task:cancel())
    assert.equal("ECANCELED", select(3, task:join()))
    assert.is_false(ran)
  end)

  it("ends a task that waits, where it waits", function()
    local after = false
    local task, values = cancel(function()
      park()
      after = true
    end)
    assert.same({ n = 3, nil, "join: operation canceled", "ECANCELED" }, values)
    assert.equal("cancelled", task.status)
    assert.is_false(after)
  end)

  it("ends a task whose result is there already, but which has not gone on yet", function()
    local first, second
    local reached = false
    first = neap.go(function()
      timer.sleep(0)
      second:cancel()
    end)
    second = neap.go(function()
      timer.sleep(0) -- both are ready now, the first one runs first
      reached = true
    end)
    first:join()
    assert.equal("ECANCELED", select(3, second:join()))
    assert.is_false(reached)
  end)

  it("of itself takes effect at the next wait", function()
    local steps = {}
    local task
    task = neap.go(function()
      task:cancel()
      steps[#steps + 1] = "after cancel"
      timer.sleep(0)
      steps[#steps + 1] = "after wait"
    end)
    assert.equal("ECANCELED", select(3, task:join()))
    assert.same({ "after cancel" }, steps)
  end)

  it("of itself leaves a task alone that never waits again", function()
    local task
    task = neap.go(function()
      task:cancel()
      return "result"
    end)
    assert.equal("result", task:join())
    assert.equal("done", task.status)
  end)

  it("is true while the task lives, and may be asked again", function()
    local task = neap.go(park)
    timer.sleep(0)
    assert.is_true(task:cancel())
    assert.is_true(task:cancel())
    task:join()
    assert.is_false(task:cancel())
    assert.equal("cancelled", task.status)
  end)

  it("of a task that has ended changes nothing", function()
    local task = neap.go(function() return 1 end)
    assert.equal(1, task:join())
    assert.is_false(task:cancel())
    assert.equal("done", task.status)
    assert.equal(1, task:join())
  end)

  it("is not an error: nothing is reported, and the exit status is 0", function()
    support.output [[
      local neap, timer = require "neap", require "neap.timer"
      local task = neap.go(timer.sleep, 1000)
      timer.sleep(0)
      task:cancel()
    ]]
  end)

  it("reaches a task that joins another; that one goes on", function()
    local inner = neap.go(park)
    local outer = cancel(function() inner:join() end)
    assert.equal("cancelled", outer.status)
    assert.equal("waiting", inner.status)
    inner:cancel()
  end)
end)

describe("a cancellation passes", function()
  local caught
  before_each(function() caught = nil end)

  it("pcall", function()
    local task = cancel(function() caught = table.pack(pcall(park)) end)
    assert.equal("cancelled", task.status)
    assert.is_nil(caught)
  end)

  it("xpcall, and its handler is not asked", function()
    local handled
    local task = cancel(function() caught = table.pack(xpcall(park, function(err) handled = err end)) end)
    assert.equal("cancelled", task.status)
    assert.is_nil(caught)
    assert.is_nil(handled)
  end)

  it("coroutine.wrap and coroutine.resume", function()
    local task = cancel(function()
      local co = coroutine.wrap(function() caught = table.pack(pcall(park)) end)
      caught = table.pack(pcall(co))
    end)
    assert.equal("cancelled", task.status)
    task = cancel(function()
      caught = table.pack(coroutine.resume(coroutine.create(park)))
    end)
    assert.equal("cancelled", task.status)
    assert.is_nil(caught)
  end)

  it("all of them, one in the other", function()
    local depth = 0
    local function nest(n)
      if n == 0 then
        depth = depth + 1
        return park()
      end
      pcall(coroutine.wrap(function() xpcall(nest, print, n - 1) end))
      caught = true
    end
    local task = cancel(nest, 20)
    assert.equal(1, depth)
    assert.equal("cancelled", task.status)
    assert.is_nil(caught)
  end)

  it("a coroutine that is closed: its __close handlers run, innermost first", function()
    local order = {}
    cancel(function()
      local _ <close> = closing(function() order[#order + 1] = "task" end)
      coroutine.wrap(function()
        local _ <close> = closing(function() order[#order + 1] = "wrap" end)
        coroutine.resume(coroutine.create(function()
          local _ <close> = closing(function() order[#order + 1] = "resume" end)
          park()
        end))
      end)()
    end)
    assert.same({ "resume", "wrap", "task" }, order)
  end)
end)

describe("__close, while a task is cancelled,", function()
  it("may wait, and what it does is done in full", function()
    local steps = {}
    local task = cancel(function()
      local _ <close> = closing(function()
        for i = 1, 3 do
          timer.sleep(0.001)
          steps[#steps + 1] = i
        end
        steps[#steps + 1] = neap.go(function()
          timer.sleep(0)
          return "joined"
        end):join()
      end)
      park()
    end)
    assert.same({ 1, 2, 3, "joined" }, steps)
    assert.equal("cancelled", task.status)
  end)

  it("is given the cancellation as its error", function()
    local err
    cancel(function()
      local _ <close> = closing(function(_, e) err = e end)
      park()
    end)
    assert.equal("task cancelled", tostring(err))
  end)

  it("may use pcall as ever", function()
    local ok, message
    cancel(function()
      local _ <close> = closing(function()
        ok, message = pcall(function()
          timer.sleep(0)
          error("inside", 0)
        end)
      end)
      park()
    end)
    assert.is_false(ok)
    assert.equal("inside", message)
  end)

  it("makes the task a failed one when it raises", function()
    local task = neap.go(function()
      local _ <close> = closing(function()
        timer.sleep(0)
        error("in __close", 0)
      end)
      park()
    end)
    timer.sleep(0)
    task:cancel()
    assert.same({ false, "in __close" }, { pcall(task.join, task) })
    assert.equal("failed", task.status)
  end)

  it("is not cancelled once more by a second cancel", function()
    local finished
    local task = neap.go(function()
      local _ <close> = closing(function()
        local start = timer.monotonic()
        timer.sleep(0.02)
        timer.sleep(0.01)
        finished = timer.monotonic() - start
      end)
      park()
    end)
    timer.sleep(0)
    task:cancel()
    timer.sleep(0)
    timer.sleep(0)
    task:cancel()
    task:cancel()
    task:join()
    assert.is_true(finished >= 0.03)
  end)

  it("runs where a task was cancelled before it began to wait", function()
    local closed = false
    local task
    task = neap.go(function()
      task:cancel()
      local _ <close> = closing(function()
        timer.sleep(0.001)
        closed = true
      end)
      timer.sleep(0)
    end)
    task:join()
    assert.is_true(closed)
  end)

  it("may not wait for ever", function()
    local status, out, err = endless()
    assert.equal("inner\nECANCELED\n", out)
    assert.equal("", err)
    assert.equal(0, status)
  end)

  it("may not wait for ever when the program ends, either", function()
    local status, out, err = endless_exit()
    assert.equal("", out)
    assert.equal("", err)
    assert.equal(4, status)
  end)
end)
