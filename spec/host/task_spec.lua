-- Tasks: started with neap.go, waited for with task:join().
local neap, timer = require "neap", require "neap.timer"
local support = require "spec.support.neap"

local function nothing() end

local function park() timer.sleep(1000) end

describe("a task", function()
  it("runs after the one that started it gives way", function()
    local order = {}
    local task = neap.go(function() order[#order + 1] = "task" end)
    order[#order + 1] = "starter"
    task:join()
    assert.same({ "starter", "task" }, order)
  end)

  it("runs in the order in which they were started", function()
    local order, tasks = {}, {}
    for i = 1, 100 do tasks[i] = neap.go(function() order[#order + 1] = i end) end
    for i = 1, 100 do tasks[i]:join() end
    for i = 1, 100 do assert.equal(i, order[i]) end
  end)

  it("is given its arguments, nils and all", function()
    local task = neap.go(function(...) return select("#", ...), ... end, nil, 1, nil, "x", nil)
    local values = table.pack(task:join())
    assert.same({ n = 6, 5, nil, 1, nil, "x", nil }, values)
  end)

  it("is given many arguments, and returns many", function()
    local numbers = {}
    for i = 1, 5000 do numbers[i] = i end
    local values = table.pack(neap.go(function(...) return ... end, table.unpack(numbers)):join())
    assert.equal(5000, values.n)
    assert.equal(1, values[1])
    assert.equal(5000, values[5000])
  end)

  it("may start others, without end", function()
    local function chain(n) return n == 0 and "end" or neap.go(chain, n - 1):join() end
    assert.equal("end", chain(1000))
  end)

  it("needs a function", function()
    assert.error_matches(function() neap.go() end, "bad argument #1 to 'go' %(function expected, got no value%)")
    assert.error_matches(function() neap.go {} end, "function expected, got table")
  end)

  it("has an id, a name and a status", function()
    local task, other = neap.go(park), neap.go(nothing)
    assert.equal("integer", math.type(task.id))
    assert.is_true(other.id > task.id)
    assert.equal("task", task.name)
    assert.equal("ready", task.status)
    other:join()
    assert.equal("done", other.status)
    assert.equal("waiting", task.status)
    task:cancel()
    task:join()
    assert.equal("cancelled", task.status)
    local failed = neap.go(error, "x")
    pcall(failed.join, failed)
    assert.equal("failed", failed.status)
  end)

  it("knows that it runs", function()
    local task
    task = neap.go(function() return task.status end)
    assert.equal("running", task:join())
  end)

  it("can be renamed, while it lives", function()
    local task = neap.go(park)
    task.name = "sleeper"
    assert.equal("sleeper", task.name)
    task.name = ("long"):rep(100)
    assert.equal(("long"):rep(100), task.name)
    assert.error_matches(function() task.name = {} end, "string expected, got table")
    task:cancel()
    task:join()
    assert.is_nil(task.name)
    task.name = "too late"
    assert.is_nil(task.name)
  end)

  it("has no other fields", function()
    local task = neap.go(nothing)
    assert.is_nil(task.nothing)
    assert.error_matches(function() task.colour = 1 end, "cannot set field 'colour' of a neap.task")
    assert.error_matches(function() task.id = 1 end, "cannot set field 'id' of a neap.task")
    assert.error_matches(function() task.join {} end, "neap.task expected, got table")
    task:join()
  end)

  it("runs on when nobody holds it", function()
    local done = false
    neap.go(function()
      timer.sleep(0)
      collectgarbage()
      timer.sleep(0)
      done = true
    end)
    collectgarbage()
    for _ = 1, 10 do timer.sleep(0) end
    assert.is_true(done)
  end)

  it("has no hook of its own from the task before it", function()
    local seen = 0
    neap.go(function() debug.sethook(function() seen = seen + 1 end, "l") end):join()
    seen = 0
    local hook
    neap.go(function() hook = debug.gethook() end):join()
    assert.same({ nil, 0 }, { hook, seen })
  end)

  it("leaves no memory behind", function()
    local function run()
      for _ = 1, 2000 do neap.go(nothing) end
      timer.sleep(0)
    end
    local function used()
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    run()
    local before = used()
    for _ = 1, 10 do run() end
    assert.is_true(used() - before < 100)
  end)
end)

describe("join", function()
  it("returns the results: none, one, nil, several", function()
    assert.equal(0, select("#", neap.go(function() end):join()))
    assert.same({ n = 1, "one" }, table.pack(neap.go(function() return "one" end):join()))
    assert.same({ n = 1 }, table.pack(neap.go(function() return nil end):join()))
    assert.same({ n = 3, nil, false, nil }, table.pack(neap.go(function() return nil, false, nil end):join()))
  end)

  it("keeps values as they are", function()
    local key = {}
    local a, b, c = neap.go(function() return key, 1, 1.0 end):join()
    assert.equal(key, a)
    assert.equal("integer", math.type(b))
    assert.equal("float", math.type(c))
  end)

  it("can be asked again, also long after the end", function()
    local task = neap.go(function() return 1, 2 end)
    for _ = 1, 3 do assert.same({ 1, 2 }, { task:join() }) end
    timer.sleep(0)
    collectgarbage()
    assert.same({ 1, 2 }, { task:join() })
  end)

  it("wakes all who wait, in their order", function()
    local order, joiners = {}, {}
    local task = neap.go(function()
      timer.sleep(0)
      return "value"
    end)
    for i = 1, 50 do
      joiners[i] = neap.go(function()
        local value = task:join()
        order[#order + 1] = i
        return value
      end)
    end
    for i = 1, 50 do assert.equal("value", joiners[i]:join()) end
    for i = 1, 50 do assert.equal(i, order[i]) end
  end)

  it("raises the error of a task that failed, for each who asks", function()
    local value = setmetatable({}, { __tostring = function() return "an object" end })
    local task = neap.go(function()
      timer.sleep(0)
      error(value)
    end)
    local joiners = {}
    for i = 1, 3 do joiners[i] = neap.go(function() return pcall(task.join, task) end) end
    for i = 1, 3 do assert.same({ false, value }, { joiners[i]:join() }) end
    assert.same({ false, value }, { pcall(task.join, task) })
  end)

  it("raises errors that are not strings, nil too", function()
    for _, value in ipairs { 1, true, print } do
      local task = neap.go(error, value)
      local ok, err = pcall(task.join, task)
      assert.is_false(ok)
      assert.equal(value, err)
    end
    local task = neap.go(error, nil)
    assert.same({ n = 2, false, nil }, table.pack(pcall(task.join, task)))
  end)

  it("of a cancelled task is a failure with a code", function()
    local task = neap.go(park)
    task:cancel()
    local value, message, code = task:join()
    assert.is_nil(value)
    assert.equal("ECANCELED", code)
    assert.matches("^join: ", message)
  end)

  it("of itself is an error", function()
    local task
    task = neap.go(function() return pcall(function() task:join() end) end)
    local ok, message = task:join()
    assert.is_false(ok)
    assert.matches("task_spec.lua:%d+: a task cannot join itself", message)
  end)

  it("takes a timeout", function()
    local task = neap.go(park)
    local value, message, code = task:join { timeout = 0.01 }
    assert.is_nil(value)
    assert.equal("join: timed out", message)
    assert.equal("ETIMEDOUT", code)
    assert.equal("waiting", task.status)
    assert.equal("ETIMEDOUT", select(3, task:join { timeout = 0 }))
    task:cancel()
  end)

  it("returns the results when they come before the timeout", function()
    local task = neap.go(function() return 7 end)
    assert.equal(7, task:join { timeout = 1000 })
    assert.equal(7, task:join { timeout = 0 })
  end)

  it("knows its options", function()
    local task = neap.go(nothing)
    local _, message = pcall(function() task:join { timout = 1 } end)
    local text = "task_spec.lua:%d+: bad argument #1 to 'join' %(unknown option 'timout' %(there are: timeout%)%)$"
    assert.matches(text, message)
    assert.error_matches(function() task:join { 1 } end, "unknown option '1'")
    for _, bad in ipairs { -1, 0 / 0, 1 / 0, "soon", {}, true, 1e10 } do
      local function join() task:join { timeout = bad } end
      assert.error_matches(join, "timeout must be a number of seconds from 0 to 1e9")
    end
    assert.error_matches(function() task:join(1) end, "table expected, got number")
    assert.error_matches(function() task:join({}, 1) end, "function expected, got number")
    task:join()
  end)
end)

describe("a script ends", function()
  it("when its last task has", function()
    local out = support.output [[
      local neap, timer = require "neap", require "neap.timer"
      neap.go(function() timer.sleep(0.01) print("task") end)
      print("main")
    ]]
    assert.equal("main\ntask\n", out)
  end)

  it("with status 1 if any task has failed, after all others", function()
    local status, out, err = support.run [[
      local neap, timer = require "neap", require "neap.timer"
      neap.go(function() timer.sleep(0.01) print("other") end)
      neap.go(function() error("boom") end)
      print("main")
    ]]
    assert.equal(1, status)
    assert.equal("main\nother\n", out)
    assert.matches("^neap: task %d+ %(task%) failed: script.lua:3: boom\nstack traceback:", err)
    assert.matches("\n\tstarted at script.lua:3 by task 1\n$", err)
  end)

  it("with status 0 if somebody has taken the error", function()
    support.output [[
      local neap = require "neap"
      local task = neap.go(error, "boom")
      assert(not pcall(task.join, task))
    ]]
  end)

  it("at once with status 1 if its main chunk fails and nothing is alive", function()
    local status, _, err = support.run "local x = nil + 1"
    assert.equal(1, status)
    assert.matches("^neap: script.lua:1: attempt to perform arithmetic on a nil value\nstack traceback:\n", err)
  end)

  it("with its other tasks, though its main chunk has failed", function()
    local status, out = support.run [[
      local neap, timer = require "neap", require "neap.timer"
      neap.go(function() timer.sleep(0.01) print("task") end)
      error("main")
    ]]
    assert.equal(1, status)
    assert.equal("task\n", out)
  end)
end)
