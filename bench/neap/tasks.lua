-- CPU of starting a task and running it, ns: tasks.lua COUNT [join]
-- 1,000 at a time; then one turn of the loop, or a join of each.
local neap, timer = require "neap", require "neap.timer"

local turns = tonumber(arg[1]) // 1000
local done = 0
local function work() done = done + 1 end

local function by_turn(count)
  for _ = 1, count do
    for _ = 1, 1000 do neap.go(work) end
    timer.sleep(0)
  end
end

local function by_join(count)
  local tasks = {}
  for _ = 1, count do
    for i = 1, 1000 do tasks[i] = neap.go(work) end
    for i = 1, 1000 do tasks[i]:join() end
  end
end

local run = arg[2] == "join" and by_join or by_turn
run(turns // 10 + 1)
done = 0
local start = os.clock()
run(turns)
local seconds = os.clock() - start
assert(done == turns * 1000)
print(("%.2f"):format(seconds / (turns * 1000) * 1e9))
