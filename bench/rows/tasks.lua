-- Tasks: CPU of starting one and running it to its end.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

return function(present, options)
  local count = options.quick and 300000 or 2000000
  local list = contestants.choose(present, {
    { "limit", false, "build/bench/limit_tasks", count },
    { "neap", "neap", "bench/neap/tasks.lua", count },
    { "neap, join", "neap", "bench/neap/tasks.lua", count, "join" },
    { "lua", "lua", "bench/peers/tasks.lua", count },
    { "node, async", "node", "bench/peers/tasks.js", count, "async" },
    { "node, immediate", "node", "bench/peers/tasks.js", count, "immediate" },
  })
  local function measure(one)
    local lines, err = proc.numbers(proc.SERVER_CORE, one.command)
    return lines and { ns = lines[1][1] }, err
  end
  local entries = rounds.run("tasks", list, options.rounds, measure)
  return { rounds.result({
    row = "tasks",
    title = ("Tasks started and run, 1000 at a time, %d: ns CPU for each")
      :format(count),
  }, entries, { { key = "ns", title = "ns CPU", digits = 0 } },
    { "limit", "lua", "node, async", "node, immediate" }) }
end
