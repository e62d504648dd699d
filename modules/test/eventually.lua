-- test.eventually: polls, for what no read, join or callback can tell of. It sleeps between two tries, so that it also
-- ends where time is virtual.
local core = ...
local busted = core.busted
local error, pcall, tostring, type = error, pcall, tostring, type
local pack, unpack = table.pack, table.unpack
local timer = require "neap.timer"

local TIMEOUT = 5
local SHORT, LONG, PATIENCE = 0.001, 0.01, 100 -- so many short pauses first

local function describe(results)
  if not results[1] then return "it raised: " .. tostring(results[2]) end
  return "it returned " .. tostring(results[2])
end

return function(fn, timeout)
  if not busted.is_callable(fn) then
    error(("bad argument #1 to 'eventually' (function expected, got %s)"):format(type(fn)), 2)
  end
  if timeout ~= nil and type(timeout) ~= "number" then
    error(("bad argument #2 to 'eventually' (number expected, got %s)"):format(type(timeout)), 2)
  end
  timeout = timeout or TIMEOUT
  local limit = timer.monotonic() + timeout
  local tries = 0
  while true do
    local late = timer.monotonic() >= limit -- before the last try, not after it
    local results = pack(pcall(fn))
    if results[1] and results[2] then return unpack(results, 2, results.n) end
    if late then
      busted.fail(("not within %g s: %s"):format(timeout, describe(results)), 1)
    end
    tries = tries + 1
    timer.sleep(tries == 1 and 0 or tries <= PATIENCE and SHORT or LONG)
  end
end
