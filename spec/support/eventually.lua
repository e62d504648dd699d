-- Polls until a condition holds, for what no read, join or callback can tell of: what it returned last.
local timer = require "neap.timer"

return function(condition, seconds)
  local limit = timer.monotonic() + (seconds or 20)
  local value = condition()
  while not value and timer.monotonic() < limit do
    timer.sleep(0.001)
    value = condition()
  end
  return value
end
