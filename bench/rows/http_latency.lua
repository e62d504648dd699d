-- HTTP at a fixed rate, well below what any of them can do: how long an answer
-- takes, and CPU of a server that is mostly idle.
local http = require "lib.http"
local proc = require "lib.proc"
local rounds = require "lib.rounds"
local tree = require "lib.tree"

local RATE, CONNECTIONS = 2000, 20

local COLUMNS = {
  { key = "p99", title = "µs p99", digits = 0 },
  { key = "p50", title = "p50", digits = 0 },
  { key = "longest", title = "longest", digits = 0 },
  { key = "cpu", title = "µs CPU" },
}

local function measure(present, one, seconds, directory)
  local server, why = http.start(present, one, "hello", directory)
  if not server then return nil, why end
  local ok, numbers, err = pcall(http.load, server, "hello", {
    "-c", CONNECTIONS, "-r", RATE, "-n", RATE * seconds, "-w", RATE,
    "-t", "Hello, World!",
  })
  proc.stop(server)
  if not ok then error(numbers, 0) end
  if not numbers then return nil, err end
  return { cpu = numbers[1] / 1e3, p50 = numbers[4] / 1e3,
    p99 = numbers[5] / 1e3, longest = numbers[6] / 1e3 }
end

return function(present, options)
  local directory, _ <close> = tree.directory()
  local seconds = options.quick and 1 or 4
  local entries = rounds.run("http latency", http.choose(present),
    options.rounds, function(one)
      return measure(present, one, seconds, directory)
    end)
  return { rounds.result({
    row = "http latency",
    title = ("HTTP latency: %d requests a second over %d connections, %d s, "
      .. "whatever is still\nunanswered: µs from when it was due to its answer")
      :format(RATE, CONNECTIONS, seconds),
  }, entries, COLUMNS, http.PEERS) }
end
