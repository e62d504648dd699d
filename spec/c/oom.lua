-- Runs a script over and over, until it no longer comes to the n-th allocation, which fails. Run by spec/c/oom.c, which
-- gives it `fail_at` and `work_left`, for each of the names that it returns when it is given none.
--
-- A script (they are in spec/c/oom/) returns 'ok' when all was right, and raises an error where it had no memory, or
-- where somebody else had none. It leaves nothing.
local home, name, fail_at, work_left = ...
local scripts, names = {}, {}

local function script(of, fn)
  names[#names + 1], scripts[of] = of, fn
end

for _, part in ipairs { "tasks", "modules" } do
  assert(loadfile(("%s/spec/c/oom/%s.lua"):format(home, part)))(script)
end
if not name then return names end

local neap, timer = require 'neap', require 'neap.timer'

local function settle(n) -- nothing may be left
  for _ = 1, 3000 do
    if work_left() == 0 then return end
    collectgarbage()
    timer.sleep(0.001)
  end
  for _, task in ipairs(neap.tasks()) do
    print(task.id, task.name, task.state, task.waits, task.where)
  end
  io.stdout:flush()
  error(name .. ': something is left, n = ' .. n)
end

local n, failures, came = 0, 0, true
while came do
  n = n + 1
  fail_at(n)
  local task = neap.go(scripts[name])
  local ok, value = pcall(task.join, task)
  came = fail_at(0)
  if not ok then failures = failures + 1 end
  if (ok or not came) and value ~= 'ok' then
    error(('%s: n = %d: %s'):format(name, n, value))
  end
  settle(n)
end
print(('%-10s %5d allocations, %d failures'):format(name, n - 1, failures))
assert(failures > 3, 'nothing has failed')
