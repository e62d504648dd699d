-- TCP echo: CPU of the server for each round trip.
local bursts = require "lib.bursts"
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local CONNECTIONS = 64

local SIZES = {
  { name = "64 B", bytes = 64, warm_up = 40000, trips = 20000 },
  { name = "16 KiB", bytes = 16384, warm_up = 20000, trips = 10000 },
}

local COLUMNS = {
  { key = "cpu", title = "µs CPU" },
  { key = "busy", title = "busy %", digits = 0 },
  { key = "client", title = "client", digits = 2 },
}

local function burst(server, size, fresh)
  local lines, err = proc.numbers(proc.CLIENT_CORE, {
    "build/bench/load", server.port, server.pid, size.bytes, CONNECTIONS,
    fresh and size.warm_up or size.trips // 10, size.trips,
  })
  if not lines then return nil, err end
  local cpu, wall, client = table.unpack(lines[1])
  return { cpu = cpu / 1e3, client = client / 1e3, busy = cpu / wall * 100 }
end

local function run_size(list, size, options)
  local title = "echo " .. size.name
  local entries, count = bursts.run(title, list, options,
    function(server, fresh) return burst(server, size, fresh) end)
  return rounds.result({
    row = title,
    title = ("TCP echo, %s, %d connections, %d bursts of %d round trips, %d "
      .. "processes:\nµs CPU of the server for each"):format(size.name,
      CONNECTIONS, count, size.trips, options.rounds),
  }, entries, COLUMNS, { "limit", "luv", "luv, try", "node" })
end

return function(present, options)
  local list = contestants.choose(present, {
    { "limit", false, "build/bench/limit_echo" },
    { "neap", "neap", "bench/neap/echo.lua" },
    { "luv", "luv", "bench/peers/echo_luv.lua" },
    { "luv, try", "luv", "bench/peers/echo_luv_try.lua" },
    { "node", "node", "bench/peers/echo.js" },
  })
  local results = {}
  for i, size in ipairs(SIZES) do
    results[i] = run_size(list, size, options)
  end
  return results
end
