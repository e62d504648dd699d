-- Spawn: CPU of running a short program, reading what it writes, and waiting
-- for its end. What the program itself costs is not in it.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

return function(present, options)
  local count = options.quick and 300 or 1000
  local list = contestants.choose(present, {
    { "limit, uv_spawn", false, "build/bench/limit_spawn", count },
    { "neap", "neap", "bench/neap/spawn.lua", count },
    { "luv", "luv", "bench/peers/spawn_luv.lua", count },
    { "node", "node", "bench/peers/spawn.js", count },
  })
  local function measure(one)
    local lines, err = proc.numbers(proc.SERVER_CORE, one.command)
    return lines and { us = lines[1][1] }, err
  end
  local entries = rounds.run("spawn", list, options.rounds, measure)
  return { rounds.result({
    row = "spawn",
    title = ("Programs run, 16 at a time, %d: us CPU for each, without "
      .. "what the program itself takes"):format(count),
  }, entries, { { key = "us", title = "us CPU", digits = 0 } },
    { "limit, uv_spawn", "luv", "node" }) }
end
