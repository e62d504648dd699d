-- Timers with luv, each closed when it has fired: timers_luv.lua COUNT
local uv = require "luv"

local total, fired = tonumber(arg[1]), 0
local function count()
  fired = fired + 1
  if fired == total then print(fired) end
end
for i = 0, total - 1 do
  local timer = uv.new_timer()
  timer:start(i % 1000, 0, function()
    timer:close()
    count()
  end)
end
uv.run()
