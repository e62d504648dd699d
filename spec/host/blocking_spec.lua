-- A task that holds the loop in C: the report names the function, by its value, and what to use instead.
local support = require "spec.support.neap"

-- Each blocks for so long, longer than the limit, in line 1 of the function; somebody else is alive.
local prelude = [[
local neap, timer = require "neap", require "neap.timer"
local other = timer.every(1000, print)
local function late(fn, ...) neap.go(fn, ...):join() other:close() end
]]

-- What is told of that task: others may be late where others have the processor.
local function report(text, options)
  options = options or {}
  options.flags = { "--slow", "0.06" }
  local status, out, err = support.run(prelude .. text, options)
  assert.equal(0, status)
  return err:gsub("neap: task 1 %(main%) has held the loop for over 60 ms[^\n]*\n", ""), out
end

-- The program has to be given the processor twice while it is blocked, and not to lose it before. So it is blocked for
-- longer, where that has not been long enough: on a busy machine. Returns what the script has written.
local function tells(pattern, text, pipe)
  local err, out
  local seconds = 0.2
  repeat
    err, out = report(text:gsub("SECONDS", seconds), { pipe = pipe and pipe:gsub("SECONDS", seconds) })
    seconds = 2 * seconds
  until err:find(pattern) or seconds > 8
  assert.matches(pattern, err)
  return out
end

local function named(name, instead, ...)
  return tells(("^neap: task 2 %%(task%%) has held the loop for over 60 ms in %s, at script.lua:4%s\n$")
    :format(name, instead and ": use " .. instead or ""), ...)
end

describe("the report of a task that holds the loop", function()
  it("names os.execute, also by another name, through pcall and in a coroutine", function()
    named("os.execute", "neap.process.run", 'late(function() os.execute "sleep SECONDS" end)')
    named("os.execute", "neap.process.run",
      'local run = os.execute late(function() pcall(run, "sleep SECONDS") end)')
    named("os.execute", "neap.process.run",
      'late(function() coroutine.wrap(function() os.execute "sleep SECONDS" end)() end)')
  end)

  it("names where the task was started, if nothing but C runs in it", function()
    tells("over 60 ms in os.execute, started at script.lua:3: use neap.process.run\n$",
      'late(os.execute, "sleep SECONDS")')
  end)

  it("names io.popen's reads, its lines and its close; nothing of what was read is lost", function()
    assert.equal("hello\n\n", named("file:read", "neap.process.spawn",
      'late(function() local f = io.popen "sleep SECONDS; echo hello" print(f:read "a") end)'))
    assert.equal("hello\n", named("file:lines", "neap.process.spawn",
      'late(function() for l in io.popen "sleep SECONDS; echo hello":lines() do print(l) end end)'))
    assert.equal("nil\texit\t3\n", named("file:close", "neap.process.run",
      'late(function() print(io.popen("sleep SECONDS; exit 3"):close()) end)'))
  end)

  it("names reads of standard input", function()
    local function reading(name, instead, text)
      named(name, instead, ("late(function() io.open('started', 'w'):close() %s end)"):format(text),
        "{ until [ -e started ]; do sleep 0.01; done; sleep SECONDS; echo line; }")
    end
    reading("io.read", "neap.stdin", 'assert(io.read() == "line")')
    reading("file:read", "neap.stdin", 'assert(io.stdin:read "l" == "line")')
    reading("file:lines", "neap.stdin", 'for line in io.lines() do assert(line == "line") end')
  end)

  it("names functions of other libraries in C, and methods", function()
    named("luv.sleep", "neap.timer.sleep",
      'local uv = require "luv" late(function() uv.sleep(math.floor(1000 * SECONDS)) end)')
    named("string.find", nil, [[late(function() ("a"):rep(12000):find ".-b" end)]])
  end)

  it("names none where Lua itself is slow, though it calls quick ones all the time", function()
    tells("^neap: task 2 %(task%) has held the loop for over 60 ms, at script.lua:5\n$", [[
late(function() local e = timer.monotonic() + SECONDS
  repeat string.format("%d", 1) until timer.monotonic() > e
end)]])
  end)
end)
