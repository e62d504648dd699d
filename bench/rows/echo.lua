-- TCP echo: CPU of the server for each round trip.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local CONNECTIONS = 64
local BURSTS, QUICK_BURSTS = 10, 4 -- of a process; then comes a fresh one

-- Bursts are short and go round: noise lasts longer than a turn of them.
local SIZES = {
  { name = "64 B", bytes = 64, warm_up = 40000, trips = 20000 },
  { name = "16 KiB", bytes = 16384, warm_up = 20000, trips = 10000 },
}

local COLUMNS = {
  { key = "cpu", title = "µs CPU" },
  { key = "busy", title = "busy %", digits = 0 },
  { key = "client", title = "client", digits = 2 },
}

local function burst(one, size, warm_up)
  local lines, err = proc.numbers(proc.CLIENT_CORE, {
    "build/bench/load", one.server.port, one.server.pid, size.bytes,
    CONNECTIONS, warm_up, size.trips,
  })
  if not lines then return nil, err end
  local cpu, wall, client = table.unpack(lines[1])
  return { cpu = cpu / 1e3, client = client / 1e3, busy = cpu / wall * 100 }
end

local function stop(one)
  if one.server then proc.stop(one.server) end
  one.server = nil
end

local function measure(one, size, bursts)
  local err
  local warm_up = size.trips // 10
  if not one.server then
    one.server, err = proc.start_server(one.command)
    if not one.server then return nil, err end
    one.left, warm_up = bursts, size.warm_up
  end
  local sample, why = burst(one, size, warm_up)
  one.left = one.left - 1
  if not sample or one.left == 0 then stop(one) end
  return sample, why
end

local function run_size(list, size, options)
  local title = "echo " .. size.name
  local bursts = options.quick and QUICK_BURSTS or BURSTS
  local count = options.rounds * bursts
  local ok, entries = pcall(rounds.run, title, list, count, function(one)
    return measure(one, size, bursts)
  end)
  for _, one in ipairs(list) do stop(one) end
  if not ok then error(entries, 0) end
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
