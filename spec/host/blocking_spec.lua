-- A task that holds the loop in C: the report names the function, by its value, and what to use instead.
local support = require "spec.support.neap"

-- Each blocks for 0.2 s, three times the limit, in line 1 of the function; somebody else is alive.
local prelude = [[
local neap, timer = require "neap", require "neap.timer"
local other = timer.every(1000, print)
local function late(fn, ...) neap.go(fn, ...):join() other:close() end
]]

local function report(text, options)
  options = options or {}
  options.flags = { "--slow", "0.06" }
  local status, out, err = support.run(prelude .. text, options)
  assert.equal(0, status)
  return err, out
end

local function named(name, instead, err)
  local text = ("^neap: task 2 %%(task%%) has held the loop for over 60 ms in %s, at script.lua:4%s\n$")
    :format(name, instead and ": use " .. instead or "")
  assert.matches(text, err)
end

describe("the report of a task that holds the loop", function()
  it("names os.execute, also by another name, through pcall and in a coroutine", function()
    named("os.execute", "neap.process.run", (report 'late(function() os.execute "sleep 0.2" end)'))
    named("os.execute", "neap.process.run",
      (report 'local run = os.execute late(function() pcall(run, "sleep 0.2") end)'))
    named("os.execute", "neap.process.run",
      (report 'late(function() coroutine.wrap(function() os.execute "sleep 0.2" end)() end)'))
  end)

  it("names where the task was started, if nothing but C runs in it", function()
    assert.matches("over 60 ms in os.execute, started at script.lua:3: use neap.process.run\n$",
      (report 'late(os.execute, "sleep 0.2")'))
  end)

  it("names io.popen's reads, its lines and its close; nothing of what was read is lost", function()
    local err, out = report 'late(function() local f = io.popen "sleep 0.2; echo hello" print(f:read "a") end)'
    named("file:read", "neap.process.spawn", err)
    assert.equal("hello\n\n", out)
    err, out = report 'late(function() for l in io.popen "sleep 0.2; echo hello":lines() do print(l) end end)'
    named("file:lines", "neap.process.spawn", err)
    assert.equal("hello\n", out)
    err, out = report 'late(function() print(io.popen("sleep 0.2; exit 3"):close()) end)'
    named("file:close", "neap.process.run", err)
    assert.equal("nil\texit\t3\n", out)
  end)

  it("names reads of standard input", function()
    local function reading(text)
      return (report(("late(function() io.open('started', 'w'):close() %s end)"):format(text),
        { pipe = "{ until [ -e started ]; do sleep 0.01; done; sleep 0.2; echo line; }" }))
    end
    named("io.read", "neap.stdin", reading 'assert(io.read() == "line")')
    named("file:read", "neap.stdin", reading 'assert(io.stdin:read "l" == "line")')
    named("file:lines", "neap.stdin", reading 'for line in io.lines() do assert(line == "line") end')
  end)

  it("names functions of other libraries in C, and methods", function()
    named("luv.sleep", "neap.timer.sleep",
      (report 'local uv = require "luv" late(function() uv.sleep(200) end)'))
    named("string.find", nil, (report [[late(function() ("a"):rep(12000):find ".-b" end)]]))
  end)

  it("names none where Lua itself is slow, though it calls quick ones all the time", function()
    local err = report [[
late(function() local e = timer.monotonic() + 0.2
  repeat string.format("%d", 1) until timer.monotonic() > e
end)]]
    assert.matches("^neap: task 2 %(task%) has held the loop for over 60 ms, at script.lua:5\n$", err)
  end)
end)
