-- Servers under load in bursts of a fraction of a second, which go round: noise
-- lasts longer than a turn of them. Some bursts a process, then a fresh one.
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local bursts = {}

local EACH, QUICK_EACH = 10, 4

-- A contestant may have a function `start` instead of a command.
local function start(one)
  if one.start then return one.start() end
  return proc.start_server(one.command)
end

local function stop(one)
  if one.server then proc.stop(one.server) end
  one.server = nil
end

local function measure(one, each, burst)
  local err
  local fresh = not one.server
  if fresh then
    one.server, err = start(one)
    if not one.server then return nil, err end
    one.left = each
  end
  local sample, why = burst(one.server, fresh, one)
  one.left = one.left - 1
  if not sample or one.left == 0 then stop(one) end
  return sample, why
end

-- burst(server, fresh, contestant) gives a sample, or nil and a message; fresh:
-- the process has just been started. Returns the entries, and how many bursts
-- each had.
function bursts.run(title, list, options, burst)
  local each = options.quick and QUICK_EACH or EACH
  local count = options.rounds * each
  local ok, entries = pcall(rounds.run, title, list, count, function(one)
    return measure(one, each, burst)
  end)
  for _, one in ipairs(list) do stop(one) end
  if not ok then error(entries, 0) end
  return entries, count
end

return bursts
