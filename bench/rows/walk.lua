-- Walk: CPU and time of a process that goes through a tree once.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local COLUMNS = {
  { key = "cpu", title = "ms CPU", digits = 0 },
  { key = "wall", title = "ms wall", digits = 0 },
  { key = "rss", title = "MiB", digits = 0 },
}

-- The process prints how many entries it has seen; then comes what it has cost.
local function measure(one, count)
  local command = proc.with({ "build/bench/start", 1 },
    table.unpack(one.command))
  local lines, err = proc.numbers(proc.NO_CORE, command)
  if not lines then return nil, err end
  if #lines ~= 2 or lines[1][1] ~= count then
    return nil, "it has not seen all"
  end
  local wall, cpu, rss, code = table.unpack(lines[2])
  if code ~= 0 then return nil, "exit status " .. code end
  return { wall = wall / 1e3, cpu = cpu / 1e3, rss = rss / 1024 }
end

return function(present, options)
  local count = options.quick and 20000 or 100000
  local tree = "build/bench/tree" .. count
  assert(proc.run(proc.NO_CORE, { "build/bench/limit_walk", tree, count }))
  local list = contestants.choose(present, {
    { "limit", false, "build/bench/limit_walk", tree },
    { "neap", "neap", "bench/neap/walk.lua", tree },
    { "luv", "luv", "bench/peers/walk_luv.lua", tree },
    { "node", "node", "bench/peers/walk.js", tree },
    { "node, sync", "node", "bench/peers/walk.js", tree, "sync" },
  })
  local entries = rounds.run("walk", list, options.rounds, function(one)
    return measure(one, count)
  end)
  return { rounds.result({
    row = "walk",
    title = ("A tree of %d entries walked: ms CPU of the process")
      :format(count),
  }, entries, COLUMNS, { "limit", "luv", "node", "node, sync" }) }
end
