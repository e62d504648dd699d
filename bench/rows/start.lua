-- Start: wall time and memory of a program that runs an empty script.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local COLUMNS = {
  { key = "wall", title = "ms wall" },
  { key = "cpu", title = "ms CPU" },
  { key = "rss", title = "max KiB", digits = 0 },
}

-- The medians of some runs in a row are one sample.
local function measure(one, runs)
  local command = proc.with({ "build/bench/start", runs },
    table.unpack(one.command))
  local lines, err = proc.numbers(proc.NO_CORE, command)
  if not lines then return nil, err end
  local wall, cpu, rss = {}, {}, {}
  for i, line in ipairs(lines) do
    if line[4] ~= 0 then return nil, "exit status " .. line[4] end
    wall[i], cpu[i], rss[i] = line[1] / 1e3, line[2] / 1e3, line[3]
  end
  return { wall = rounds.median(wall), cpu = rounds.median(cpu),
    rss = rounds.median(rss) }
end

return function(present, options)
  local runs = options.quick and 5 or 20
  local list = contestants.choose(present, {
    { "limit", false, "/bin/true" },
    { "neap", "neap", "bench/neap/empty.lua" },
    { "lua", "lua", "bench/neap/empty.lua" },
    { "node", "node", "bench/peers/empty.js" },
  })
  local entries = rounds.run("start", list, options.rounds, function(one)
    return measure(one, runs)
  end)
  return { rounds.result({
    row = "start",
    title = ("Start and end of an empty script, %d runs a round (limit: "
      .. "/bin/true): ms wall"):format(runs),
  }, entries, COLUMNS, { "limit", "lua", "node" }) }
end
