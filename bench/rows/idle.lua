-- Idle connections: memory of the server for each.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local COLUMNS = {
  { key = "rss", title = "B RSS", digits = 0 },
  { key = "anonymous", title = "B anonymous", digits = 0 },
}

local function measure(one, count)
  local files = count + 200
  local server, why = proc.start_server(one.command, files)
  if not server then return nil, why end
  local client = { "build/bench/idle", server.port, server.pid, count }
  local ok, lines, err = pcall(proc.numbers, proc.CLIENT_CORE, client, files)
  proc.stop(server)
  if not ok then error(lines, 0) end
  if not lines then return nil, err end
  return { rss = lines[1][1], anonymous = lines[1][2] }
end

return function(present, options)
  local count = options.quick and 2000 or 10000
  local list = contestants.choose(present, {
    { "limit", false, "build/bench/limit_echo" },
    { "neap", "neap", "bench/neap/echo.lua" },
    { "neap, events", "neap", "bench/neap/echo_events.lua" },
    { "luv", "luv", "bench/peers/echo_luv.lua" },
    { "node", "node", "bench/peers/echo.js" },
  })
  local times = math.min(options.rounds, 3)
  local entries = rounds.run("idle", list, times, function(one)
    return measure(one, count)
  end)
  return { rounds.result({
    row = "idle",
    title = ("%d idle connections: bytes of the server for each (%d rounds)")
      :format(count, times),
  }, entries, COLUMNS, { "limit", "luv", "node" }) }
end
