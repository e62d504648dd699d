-- Scripts for spec/c/oom.lua: tasks, what they wait for and end with, and what Lua itself asks memory for.
-- luacheck: ignore 113 211 212 213
local script = ...

script("go", function()
  local neap, timer = require 'neap', require 'neap.timer'
  local tasks = {}
  for i = 1, 5 do
    tasks[i] = neap.go(function(...)
      timer.sleep(0)
      return i, ...
    end, nil, 'x')
    tasks[i].name = 'task ' .. i
  end
  for i = 1, 5 do
    local n, none, x = tasks[i]:join()
    assert(n == i and none == nil and x == 'x')
  end
  return 'ok'
end)

script("values", function()
  local neap = require 'neap'
  local list = {}
  for i = 1, 300 do list[i] = i end
  local task = neap.go(function(...) return ... end,
    table.unpack(list))
  assert(select('#', task:join()) == 300)
  return 'ok'
end)

script("cancel", function()
  local neap, timer = require 'neap', require 'neap.timer'
  local closed = 0
  local function run()
    local _ <close> = setmetatable({}, { __close = function()
      timer.sleep(0)
      closed = closed + 1
    end })
    coroutine.wrap(function() pcall(timer.sleep, 1000) end)()
  end
  neap.group(function(group)
    local a, b = group:go(run), group:go(run)
    timer.sleep(0)
    timer.sleep(0)
    a:cancel()
    b:cancel()
    assert(select(3, a:join()) == 'ECANCELED')
    assert(select(3, b:join()) == 'ECANCELED')
  end)
  assert(closed == 2)
  return 'ok'
end)

script("group", function()
  local neap, timer = require 'neap', require 'neap.timer'
  local done = 0
  local a, b = neap.group(function(group, ...)
    for i = 1, 4 do
      group:go(function(by)
        timer.sleep(0)
        done = done + by
      end, 1)
    end
    return ...
  end, 1, 2)
  assert(done == 4 and a == 1 and b == 2)
  local ok, message = pcall(neap.group, function(group)
    group:go(timer.sleep, 1000)
    group:go(function() timer.sleep(0) error('e', 0) end)
    timer.sleep(1000)
  end)
  assert(not ok)
  if message ~= 'e' then error(message, 0) end
  return 'ok'
end)

script("deadline", function()
  local neap, timer = require 'neap', require 'neap.timer'
  local a, b = neap.deadline(1000, function(...)
    timer.sleep(0)
    return ...
  end, 1, 2)
  assert(a == 1 and b == 2)
  local closed
  local _, _, code = neap.deadline(0, function()
    local _ <close> = setmetatable({}, { __close = function()
      closed = true
    end })
    timer.sleep(1000)
  end)
  assert(code == 'ETIMEDOUT' and closed)
  return 'ok'
end)

script("timer", function()
  local neap, timer = require 'neap', require 'neap.timer'
  local called, ticks = 0, 0
  local done = neap.go(timer.sleep, 0.1) -- at most
  for _ = 1, 3 do
    timer.sleep(0.0001, function() called = called + 1 end)
  end
  timer.sleep(0.0001, function() end):cancel()
  local every <close> = timer.every(0.0001, function()
    ticks = ticks + 1
    local garbage = { ticks }
    if ticks >= 3 then done:cancel() end
  end)
  done:join()
  timer.sleep(0.001)
  assert(ticks >= 3)
  return 'ok'
end)

script("callbacks", function()
  local neap, timer = require 'neap', require 'neap.timer'
  local called = 0
  local task = neap.go(function() timer.sleep(0) return 1 end)
  local all = {}
  for i = 1, 3 do
    all[i] = task:join({ timeout = 1000 }, function(value)
      timer.sleep(0)
      called = called + value
    end)
  end
  for i = 1, 3 do all[i]:join() end
  assert(called == 3)
  return 'ok'
end)

script("require", function()
  package.loaded.slow = nil
  package.preload.slow = function(name, extra)
    require 'neap.timer'.sleep(0)
    return { name = name, extra = extra }
  end
  local neap = require 'neap'
  local a, b = neap.go(require, 'slow'), neap.go(require, 'slow')
  local first, second = a:join(), b:join()
  assert(first == second and first.name == 'slow')
  return 'ok'
end)

script("load", function()
  local text = {}
  for i = 1, 20 do text[i] = 'local v' .. i .. ' = { ' .. i .. ' }' end
  local chunk = assert(load(table.concat(text, '\n')))
  chunk()
  assert(#string.rep('x', 100000) == 100000)
  return 'ok'
end)

script("errors", function()
  local neap, timer = require 'neap', require 'neap.timer'
  local told = 0
  neap.on_error(function(err, trace, info)
    timer.sleep(0)
    told = told + #tostring(info.id .. trace) * 0 + 1
  end)
  local function fail()
    timer.sleep(0)
    error(setmetatable({}, { __tostring = function()
      return 'made ' .. 'now'
    end }))
  end
  local a, b = neap.go(fail), neap.go(function() fail() end)
  local ok = pcall(a.join, a)
  assert(not ok)
  for _ = 1, 5 do timer.sleep(0) end
  neap.go(error, 'e')
  for _ = 1, 5 do timer.sleep(0) end
  return 'ok'
end)

script("coroutines", function()
  local timer = require 'neap.timer'
  local function numbers(n)
    return coroutine.wrap(function()
      for i = 1, n do
        timer.sleep(0)
        coroutine.yield(i, { i })
      end
    end)
  end
  local sum = 0
  for i, list in numbers(5) do sum = sum + i + list[1] end
  assert(sum == 30)
  local co = coroutine.create(numbers)
  local ok, result = coroutine.resume(co, 1)
  if not ok then error(result, 0) end
  assert(result() == 1)
  return 'ok'
end)

script("tasks", function()
  local neap, timer = require 'neap', require 'neap.timer'
  neap.group(function(group)
    local other = group:go(timer.sleep, 0.001)
    timer.sleep(0)
    local tasks = neap.tasks()
    assert(#tasks >= 4 and tasks[#tasks].waits == 'sleep')
  end)
  return 'ok'
end)

script("versions", function()
  local timer = require 'neap.timer'
  local id
  local _ <close> = setmetatable({}, { __close = function()
    if id then retire_version(id) end
  end })
  id = new_version()
  timer.sleep(0)
  timer.sleep(0)
  return 'ok'
end)
