-- Timers that call one function: timers.lua COUNT
local timer = require "neap.timer"

local total, fired = tonumber(arg[1]), 0
local function count()
  fired = fired + 1
  if fired == total then print(fired) end
end
for i = 0, total - 1 do timer.sleep((i % 1000) / 1000, count) end
