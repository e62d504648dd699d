-- What becomes of an error: it ends its task, is told, and harms nobody else.
local support = require "spec.support.neap"

local prelude = 'local neap, timer = require "neap", require "neap.timer" '

-- Runs it (line 1 is ours, too), and expects status 1.
local function failing(text, options)
  local status, out, err = support.run(prelude .. text, options)
  assert.equal(1, status)
  return err, out
end

local function output(text) return support.output(prelude .. text) end

describe("an error in a task", function()
  it("is told with its traceback, and where the task comes from", function()
    local err = failing [[
      local function inner() error "boom" end
      local function outer() inner() end
      local task = neap.go(function()
        outer()
      end)
      task.name = "worker"
      timer.sleep(0)
    ]]
    assert.equal(([[
neap: task 2 (worker) failed: script.lua:1: boom
stack traceback:
	[C]: in function 'error'
	script.lua:1: in upvalue 'inner'
	script.lua:2: in upvalue 'outer'
	script.lua:4: in function <script.lua:3>
	started at script.lua:3 by task 1
]]), (err:gsub("local 'inner'", "upvalue 'inner'"):gsub("local 'outer'", "upvalue 'outer'")))
  end)

  it("is told with the traceback of the task that has failed, and of those that waited for it", function()
    local err = failing [[
      local function work()
        timer.sleep(0)
        error("boom", 0)
      end
      local function wait() neap.deadline(5, function() work() end) end
      neap.group(function(group)
        group:go(function() wait() end)
      end)
    ]]
    assert.equal([[
neap: boom
stack traceback:
	[C]: in function 'error'
	script.lua:3: in function 'work'
	script.lua:5: in function <script.lua:5>
	awaited by:
	[C]: in function 'neap.deadline'
	script.lua:5: in function 'wait'
	script.lua:7: in function <script.lua:7>
	awaited by:
	[C]: in function 'neap.group'
	script.lua:6: in main chunk
	[C]: in ?
]], (err:gsub("upvalue '", "function '"):gsub("local '", "function '")))
    err = failing [[
      local _, first = pcall(neap.deadline, 5, function() error("boom", 0) end)
      neap.go(error, first, 0)
      timer.sleep(0)
      error("another", 0)
    ]]
    assert.is_nil(err:find("awaited", 1, true))
  end)

  it("shows the line also after it has waited", function()
    local err = failing [[

      neap.go(function()
        timer.sleep(0.001)
        local x = nil + 1
      end)
    ]]
    assert.matches("script.lua:4: attempt to perform arithmetic on a nil value\nstack traceback:\n", err)
    assert.matches("script.lua:4: in function <script.lua:2>", err)
  end)

  it("is told for each task, and ends no other one", function()
    local err, out = failing [[
      for i = 1, 5 do neap.go(function() timer.sleep(0.001) error("e" .. i, 0) end) end
      timer.sleep(0.01)
      print "alive"
    ]]
    assert.equal("alive\n", out)
    for i = 1, 5 do assert.matches("failed: e" .. i .. "\n", err) end
  end)

  it("may be any value", function()
    local err = failing [[
      neap.go(error, { 1 }) neap.go(error, { status = 503, message = "away" })
      neap.go(error) neap.go(error, true) neap.go(error, 42) neap.go(error, print)
      neap.go(error, setmetatable({}, { __tostring = function() return "it tells" end }))
      neap.go(error, setmetatable({}, { __name = "My.Type" }))
    ]]
    local messages = {}
    for message in err:gmatch("failed: ([^\n]*)\n") do messages[#messages + 1] = message end
    assert.same({
      "(error object is a table value)", "(error object is a table value): away",
      "(error object is a nil value)", "(error object is a boolean value)", "42",
      "(error object is a function value)", "it tells", "(error object is a table value)",
    }, messages)
  end)

  it("that cannot be made readable is told all the same, and the host lives", function()
    local err, out = failing [[
      neap.go(error, setmetatable({}, { __tostring = function() error "no" end }))
      neap.go(error, setmetatable({}, { __tostring = function() return 1 end }))
      neap.go(error, setmetatable({}, { __tostring = function() timer.sleep(1) end }))
      timer.sleep(0.01)
      print "alive"
    ]]
    assert.equal("alive\n", out)
    local _, count = err:gsub("failed: ", "")
    assert.equal(3, count)
  end)

  it("that is a stack overflow is one like any other", function()
    local err, out = failing [[
      neap.go(function() local function f() return 1 + f() end f() end)
      neap.go(function() local t = {} setmetatable(t, { __index = function(_, k) return t[k] end }) return t.x end)
      neap.go(function() local function f() return pcall(f) end f() end):join()
      neap.go(function() local function f() coroutine.wrap(f)() end f() end)
      neap.go(function() local function f() table.sort({ 1, 2 }, f) end f() end)
      neap.go(function() print(string.rep("x", -1), pcall(string.rep, "x", 1 << 60)) end):join()
      timer.sleep(0.01)
      print "alive"
    ]]
    assert.matches("alive\n$", out)
    local _, count = err:gsub("stack overflow", "")
    assert.is_true(count >= 3)
  end)

  it("that is a stack overflow can be caught, also while waiting deep inside", function()
    local out = output [[
      local function f(n)
        if n % 1000 == 0 then timer.sleep(0) end
        return 1 + f(n + 1)
      end
      local ok, message = pcall(f, 1)
      print(ok, message:match "stack overflow")
      timer.sleep(0)
      print "alive"
    ]]
    assert.equal("false\tstack overflow\nalive\n", out)
  end)

  it("in __close goes to the task, in the place of the first", function()
    local err = failing [[
      local function guard(text)
        return setmetatable({}, { __close = function() timer.sleep(0) error(text, 0) end })
      end
      neap.go(function() local _ <close> = guard "one" end)
      neap.go(function() local _ <close> = guard "two" error "lost" end)
    ]]
    assert.matches("failed: one\n", err)
    assert.matches("failed: two\n", err)
    assert.not_matches("failed: [^\n]*lost", err)
  end)

  it("in __gc is a warning, and changes nothing", function()
    local status, out, err = support.run(prelude .. [[
      setmetatable({}, { __gc = function() error "in gc" end })
      collectgarbage() collectgarbage()
      setmetatable({}, { __gc = function() timer.sleep(1) end })
      collectgarbage() collectgarbage()
      setmetatable({}, { __gc = function() print(pcall(timer.sleep, 1)) end })
      collectgarbage() collectgarbage()
      local at_end = setmetatable({}, { __gc = function() print(pcall(neap.go, print)) error "at end" end })
      print "alive"
    ]], { flags = { "-W" } })
    assert.equal(0, status)
    assert.matches("Lua warning: error in __gc", err)
    assert.matches("^false\t[^\n]*cannot wait[^\n]*\nalive\nfalse\t[^\n]*ending\n$", out)
  end)

  it("whose task is joined belongs to the joiner", function()
    local err = failing [[
      local task = neap.go(function() timer.sleep(0) error "inner" end)
      neap.go(function() task:join() end)
    ]]
    local _, count = err:gsub("failed:", "")
    assert.equal(1, count)
    assert.matches("task 3 %(task%) failed: script.lua:1: inner\n", err)
  end)
end)

describe("on_error", function()
  it("is given the error, the traceback and what is known of the task; nothing is printed", function()
    local status, out, err = support.run(prelude .. [[
      local value = {}
      neap.on_error(function(e, trace, info)
        print(e == value, trace:match "^stack traceback:\n.*script.lua:%d+: in function" ~= nil)
        print(math.type(info.id), info.name, info.started, info.parent)
      end)
      local task = neap.go(function() error(value) end)
      task.name = "worker"
    ]])
    assert.equal("", err)
    assert.equal("true\ttrue\ninteger\tworker\tscript.lua:6\t1\n", out)
    assert.equal(1, status) -- it has failed all the same
  end)

  it("may wait", function()
    local _, out = failing [[
      neap.on_error(function(e) timer.sleep(0.001) print(e) end)
      neap.go(error, "one")
      neap.go(error, "two")
    ]]
    assert.equal("one\ntwo\n", out)
  end)

  it("is told of a callback, of a tick, and of the main chunk", function()
    local _, out = failing [[
      neap.on_error(function(e, _, info) print(info.name, e) end)
      timer.sleep(0.001, function() error("in callback", 0) end)
      local every
      every = timer.every(0.002, function() every:close() error("in tick", 0) end)
      error("in main", 0)
    ]]
    assert.equal("main\tin main\ncallback\tin callback\nevery\tin tick\n", out)
  end)

  it("that fails is told with what it should have handled", function()
    local err, out = failing [[
      neap.on_error(function(e) timer.sleep(0) error("handler: " .. e, 0) end)
      neap.go(function() error("original", 0) end)
      timer.sleep(0.01)
      print "alive"
    ]]
    assert.equal("alive\n", out)
    assert.matches("failed: original\nstack traceback:", err)
    assert.matches("\nneap: and on_error failed: handler: original\n$", err)
  end)

  it("can be taken back", function()
    local err, out = failing [[
      neap.on_error(print)
      neap.on_error(nil)
      neap.go(error, "e")
    ]]
    assert.equal("", out)
    assert.matches("failed: e\n", err)
  end)

  it("is not asked for a cancellation, or for an error that a joiner takes", function()
    local out = output [[
      neap.on_error(print)
      local task, failed = neap.go(timer.sleep, 1000), neap.go(error, "taken")
      print(pcall(failed.join, failed))
      task:cancel()
    ]]
    assert.equal("false\ttaken\n", out)
  end)

  it("needs a function", function()
    local out = output "print(pcall(neap.on_error, 1))"
    assert.equal("false\tbad argument #1 to 'neap.on_error' (function expected, got number)\n", out)
  end)
end)
