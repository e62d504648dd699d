-- Timers: CPU of a process that starts many and waits for all.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local COLUMNS = {
  { key = "cpu", title = "ms CPU", digits = 0 },
  { key = "wall", title = "ms wall", digits = 0 },
  { key = "rss", title = "MiB", digits = 0 },
}

-- The process prints how many have fired; then comes what it has cost.
local function measure(one, count)
  local command = proc.with({ "build/bench/start", 1 },
    table.unpack(one.command))
  local lines, err = proc.numbers(proc.SERVER_CORE, command)
  if not lines then return nil, err end
  if #lines ~= 2 or lines[1][1] ~= count then
    return nil, "not all have fired"
  end
  local wall, cpu, rss, code = table.unpack(lines[2])
  if code ~= 0 then return nil, "exit status " .. code end
  return { wall = wall / 1e3, cpu = cpu / 1e3, rss = rss / 1024 }
end

return function(present, options)
  local count = options.quick and 200000 or 1000000
  local list = contestants.choose(present, {
    { "limit", false, "build/bench/limit_timers", count },
    { "limit, wheel", false, "build/bench/limit_wheel", count },
    { "neap", "neap", "bench/neap/timers.lua", count },
    { "luv", "luv", "bench/peers/timers_luv.lua", count },
    { "node", "node", "bench/peers/timers.js", count },
  })
  local entries = rounds.run("timers", list, options.rounds, function(one)
    return measure(one, count)
  end)
  return { rounds.result({
    row = "timers",
    title = ("%d timers over one second: ms CPU of the process")
      :format(count),
  }, entries, COLUMNS, { "limit", "limit, wheel", "luv", "node" }) }
end
