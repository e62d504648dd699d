-- Timers: CPU of a process that starts many and waits for all.
local whole = require "lib.whole"

return function(present, options)
  local count = options.quick and 200000 or 1000000
  return { whole.row("timers",
    ("%d timers over one second: ms CPU of the process"):format(count),
    present, options, {
      { "limit", false, "build/bench/limit_timers", count },
      { "limit, wheel", false, "build/bench/limit_wheel", count },
      { "neap", "neap", "bench/neap/timers.lua", count },
      { "luv", "luv", "bench/peers/timers_luv.lua", count },
      { "node", "node", "bench/peers/timers.js", count },
    }, count) }
end
