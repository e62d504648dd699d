-- Tasks one after the other: those that have not begun share a coroutine with
-- the one before them, and must not notice.
local neap, timer = require "neap", require "neap.timer"
local support = require "spec.support.neap"

-- Starts them all in one turn, after who waits for each: how each has ended.
local function run(functions)
  local tasks, waiting, ends = {}, {}, {}
  for i = 1, #functions do
    waiting[i] = neap.go(function() ends[i] = table.pack(pcall(tasks[i].join, tasks[i])) end)
  end
  for i, fn in ipairs(functions) do tasks[i] = neap.go(fn) end
  for i = 1, #functions do waiting[i]:join() end
  return ends, tasks
end

describe("tasks of one turn", function()
  it("run in order, whatever they do", function()
    local order, functions = {}, {}
    local does = {
      function() end,
      function() timer.sleep(0) end,
      function() error "on purpose" end,
      function() timer.sleep(1000, function() end):cancel() end,
      function() pcall(error, "caught") end,
      function() coroutine.wrap(function() timer.sleep(0) end)() end,
    }
    for i = 1, 60 do
      functions[i] = function()
        order[#order + 1] = i
        does[i % #does + 1]()
      end
    end
    local ends = run(functions)
    for i = 1, 60 do
      assert.equal(i, order[i])
      assert.equal(i % #does ~= 2, ends[i][1])
    end
  end)

  it("run in order with callbacks among them", function()
    local order = {}
    local function note(i) order[#order + 1] = i end
    for i = 1, 30, 3 do
      neap.go(note, i)
      timer.sleep(0, function() note "timer" end)
      neap.go(note, i + 1)
      neap.group(function(group) group:go(note, i + 2) end)
    end
    timer.sleep(0.01)
    local last, timers = 0, 0
    for _, i in ipairs(order) do
      if i == "timer" then
        timers = timers + 1
      else
        assert.equal(last + 1, i)
        last = i
      end
    end
    assert.equal(30, last)
    assert.equal(10, timers)
  end)

  it("have results and errors of their own", function()
    local ends = run {
      function() return 1, 2, 3 end,
      function() return end,
      function() error({ "mine" }) end,
      function() return nil, "x" end,
      function() local function deep() return 1 + deep() end return deep() end,
      function() return "last" end,
    }
    assert.same({ n = 4, true, 1, 2, 3 }, ends[1])
    assert.same({ n = 1, true }, ends[2])
    assert.same({ n = 2, false, { "mine" } }, ends[3])
    assert.same({ n = 3, true, nil, "x" }, ends[4])
    assert.is_false(ends[5][1])
    assert.matches("stack overflow", ends[5][2])
    assert.same({ n = 2, true, "last" }, ends[6])
  end)

  it("have a name, an id and a line of their own", function()
    local seen = {}
    local function look()
      for _, task in ipairs(neap.tasks()) do
        if task.state == "running" then seen[#seen + 1] = task end
      end
    end
    local _, tasks = run { look, look, look }
    for i = 1, 3 do
      assert.equal(tasks[i].id, seen[i].id)
      assert.matches("run_spec.lua:%d+$", seen[i].where)
    end
  end)

  it("may cancel those that come after them", function()
    local tasks, ran = {}, {}
    local function cancel_next(i)
      ran[i] = true
      if i % 2 == 1 then tasks[i + 1]:cancel() end
    end
    for i = 1, 10 do tasks[i] = neap.go(cancel_next, i) end
    for i = 1, 10 do
      local _, _, code = tasks[i]:join()
      assert.equal(i % 2 == 1, ran[i] == true)
      assert.equal(i % 2 == 0 and "ECANCELED" or nil, code)
    end
  end)

  it("start others for the next turn", function()
    local order = {}
    local function note(i) order[#order + 1] = i end
    run {
      function() note(1) neap.go(note, 4) end,
      function() note(2) neap.go(note, 5) end,
      function() note(3) neap.go(note, 6) end,
    }
    timer.sleep(0)
    assert.same({ 1, 2, 3, 4, 5, 6 }, order)
  end)

  it("leave no hook to the next one", function()
    local calls, before = 0, nil
    run {
      function() debug.sethook(function() calls = calls + 1 end, "l") end,
      function() before = debug.gethook() calls = 0 local _ = 1 end,
      function() local _ = 1 end,
    }
    assert.is_nil(before)
    assert.equal(0, calls)
  end)

  it("keep nothing that an earlier one had", function()
    local weak, gone = setmetatable({}, { __mode = "k" }), nil
    local function with(value) weak[value] = true end
    local function look()
      collectgarbage()
      gone = next(weak) == nil
    end
    neap.go(with, {})
    neap.go(with, {})
    neap.go(look):join()
    assert.is_true(gone)
  end)

  it("are each told apart by what fails", function()
    local status, _, err = support.run [[
      local neap = require "neap"
      local function fail(i) error("failed " .. i) end
      neap.go(function() end)
      neap.go(fail, 1)
      neap.go(function() end)
      neap.go(fail, 2)
    ]]
    assert.equal(1, status)
    local _, count = err:gsub("failed: [^\n]+failed %d\n", "")
    assert.equal(2, count)
    assert.matches("started at [^\n]+:4 by task 1\n.*started at [^\n]+:6 by task 1\n", err)
  end)

  it("do not run after one of them ends the program", function()
    local status, out, err = support.run [[
      local neap, timer = require "neap", require "neap.timer"
      neap.go(print, "first")
      neap.go(function()
        local _ <close> = setmetatable({}, { __close = function()
          timer.sleep(0)
          print "closed"
        end })
        neap.exit(3)
      end)
      neap.go(print, "second")
      timer.sleep(0, function() print "third" end)
    ]]
    assert.equal("", err)
    assert.equal(3, status)
    assert.equal("first\nclosed\n", out)
  end)

  it("can be so many that there is no seat for some", function()
    local count, wrong = 0, 0
    local total = os.getenv "NEAP_GC" == "stress" and 1000 or 105000
    local function check(i, ...)
      count = count + 1
      if i ~= count or select("#", ...) ~= 7 or select(7, ...) ~= i then wrong = wrong + 1 end
    end
    collectgarbage()
    local before = collectgarbage "count"
    for i = 1, total do neap.go(check, i, 1, 2, 3, 4, 5, 6, i) end
    while count < total do timer.sleep(0) end
    assert.equal(0, wrong)
    timer.sleep(0) -- the seats are given back when the turn is over
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 6000)
  end)
end)
