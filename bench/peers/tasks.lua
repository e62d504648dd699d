-- CPU of making a coroutine and running it, ns: tasks.lua COUNT
local count = tonumber(arg[1])
local done = 0
local function work() done = done + 1 end

local function run(times)
  local create, resume = coroutine.create, coroutine.resume
  for _ = 1, times do resume(create(work)) end
end

run(count // 10)
done = 0
local start = os.clock()
run(count)
local seconds = os.clock() - start
assert(done == count)
print(("%.2f"):format(seconds / count * 1e9))
