-- The loop: nobody starves another, nothing sleeps on ready work, and tasks that
-- nothing can ever wake are told so.
local support = require "spec.support.neap"

local function run(text, options)
  return support.output('local neap, timer = require "neap", require "neap.timer"\n' .. text, options)
end

describe("the loop", function()
  it("lets timers fire though tasks keep waking each other", function()
    local out = run [[
      local over, rounds = false, 0
      local function ping()
        if over then return end
        rounds = rounds + 1
        neap.go(ping)
      end
      for _ = 1, 3 do neap.go(ping) end
      timer.sleep(0.02)
      over = true
      print(rounds > 10)
    ]]
    assert.equal("true\n", out)
  end)

  it("lets timers fire though a task always finds its result there", function()
    local out = run [[
      local done = neap.go(function() return 1 end)
      done:join()
      local over = false
      timer.sleep(0.01, function() over = true end)
      local joins = 0
      while not over do joins = joins + done:join() end -- it never has to wait
      print(joins > 100)
    ]]
    assert.equal("true\n", out)
  end)

  it("lets others run while a task always finds its result there", function()
    local out = run [[
      local done = neap.go(function() end)
      done:join()
      local others = 0
      local other = neap.go(function() for _ = 1, 10 do others = others + 1 timer.sleep(0) end end)
      for _ = 1, 100 * 10 do done:join() end
      print(others)
      other:join()
    ]]
    assert.is_true(tonumber(out) >= 3)
  end)

  it("lets each task run once before any runs twice", function()
    local out = run [[
      local order, tasks = {}, {}
      for i = 1, 3 do
        tasks[i] = neap.go(function()
          for _ = 1, 3 do order[#order + 1] = i timer.sleep(0) end
        end)
      end
      for _, task in ipairs(tasks) do task:join() end
      print(table.concat(order))
    ]]
    assert.equal("123123123\n", out)
  end)

  it("does not sleep while something is ready", function()
    local out = run [[
      timer.sleep(1000, function() print "never" end)
      local start = timer.monotonic()
      for _ = 1, 2000 do timer.sleep(0) end
      print(timer.monotonic() - start < 5)
      neap.exit(0)
    ]]
    assert.equal("true\n", out)
  end)

  it("does not burn the processor while it waits", function()
    local out = run [[
      timer.every(0.05, function() end)
      local before = os.clock()
      timer.sleep(0.25)
      print(os.clock() - before < 0.1)
      neap.exit(0)
    ]]
    assert.equal("true\n", out)
  end)
end)

describe("a deadlock", function()
  it("of two tasks that join each other is an error at the line where one waits", function()
    local status, out, err = support.run [[
      local neap = require "neap"
      local a, b
      a = neap.go(function()
        b:join()
      end)
      b = neap.go(function()
        a:join()
      end)
    ]]
    assert.equal(1, status)
    assert.equal("", out)
    assert.matches("^neap: task %d+ %(task%) failed: script.lua:7: deadlock: nothing can end this join\n", err)
    assert.matches("task 2 %(task%) failed: script.lua:7: deadlock", err) -- it is told by whom it had joined
  end)

  it("is an error of the call, also where that has a callback", function()
    local status, out, err = support.run [[
      local neap = require "neap"
      local a, b
      a = neap.go(function() return pcall(function() b:join() end) end)
      b = neap.go(function() return pcall(function() a:join() end) end)
      a:join(print)
      b:join(print)
    ]]
    assert.equal(1, status)
    assert.matches("^neap: task %d+ %(callback%) failed: deadlock: nothing can end this join\n", err)
    assert.not_matches("Unknown", out .. err)
  end)

  it("can be caught, and then the program goes on", function()
    local out = run [[
      local a, b
      a = neap.go(function() return b:join() end)
      b = neap.go(function()
        local ok, message = pcall(function() a:join() end)
        return message
      end)
      print(a:join())
    ]]
    assert.equal("script.lua:5: deadlock: nothing can end this join\n", out)
  end)

  it("of the main chunk is one as well", function()
    local status, _, err = support.run [[
      local neap = require "neap"
      neap.group(function(group)
        local first, second
        first = group:go(function() second:join() end)
        second = group:go(function() first:join() end)
      end)
    ]]
    assert.equal(1, status)
    assert.matches("^neap: script.lua:5: deadlock: nothing can end this join\nstack traceback:", err)
  end)

  it("is none while a timer, which may do something, is alive", function()
    local out = run [[
      local a, b
      a = neap.go(function() b:join() end)
      b = neap.go(function() a:join() end)
      timer.sleep(0.01, function() a:cancel() end)
      print(select(3, a:join()))
      b:join()
    ]]
    assert.equal("ECANCELED\n", out)
  end)

  it("runs __close handlers, which may wait", function()
    local status, out = support.run [[
      local neap, timer = require "neap", require "neap.timer"
      local a, b
      a = neap.go(function() b:join() end)
      b = neap.go(function()
        local _ <close> = setmetatable({}, { __close = function() timer.sleep(0.001) print "closed" end })
        a:join()
      end)
    ]]
    assert.equal(1, status)
    assert.equal("closed\n", out)
  end)

  it("fails the spec that waits, at once, naming the line", function()
    local spec = [[
      local neap = require "neap"
      it("waits for ever", function()
        local a, b
        a = neap.go(function() b:join() end)
        b = neap.go(function() a:join() end)
        a:join()
      end)
      it("goes on", function() end)
    ]]
    local status, out = support.run("", {
      files = { ["a_spec.lua"] = spec },
      flags = { "test", "-o", "plainTerminal", "a_spec.lua" },
    })
    assert.equal(1, status)
    assert.matches("1 success / ", out)
    assert.matches("a_spec.lua:5: deadlock: nothing can end this join", out)
  end)
end)
