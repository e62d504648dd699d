-- Spawn: CPU of a process that runs many programs, and theirs.
local proc = require "lib.proc"
local whole = require "lib.whole"

return function(present, options)
  local count = options.quick and 200 or 1000
  return { whole.row("spawn",
    ("%d programs run, 8 at a time (/bin/true): ms CPU, theirs included")
      :format(count),
    present, options, {
      { "limit", false, "build/bench/limit_spawn", count },
      { "neap", "neap", "bench/neap/spawn.lua", count },
      { "luv", "luv", "bench/peers/spawn_luv.lua", count },
      { "node", "node", "bench/peers/spawn.js", count },
      { "bun", "bun", "bench/peers/spawn.js", count },
    }, count, proc.NO_CORE) }
end
