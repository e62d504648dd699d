-- Idle HTTP connections: memory of the server for each.
local http = require "lib.http"
local proc = require "lib.proc"
local rounds = require "lib.rounds"
local tree = require "lib.tree"

local COLUMNS = {
  { key = "rss", title = "B RSS", digits = 0 },
  { key = "anonymous", title = "B anonymous", digits = 0 },
}

local function measure(present, one, count, directory)
  local files = count + 200
  local server, why = http.start(present, one, "hello", directory, files)
  if not server then return nil, why end
  local client = { "build/bench/idle", server.port, server.pid, count, "http" }
  local ok, lines, err = pcall(proc.numbers, proc.CLIENT_CORE, client, files)
  proc.stop(server)
  if not ok then error(lines, 0) end
  if not lines then return nil, err end
  return { rss = lines[1][1], anonymous = lines[1][2] }
end

return function(present, options)
  local directory, _ <close> = tree.directory()
  local count = options.quick and 2000 or 10000
  local times = math.min(options.rounds, 3)
  local entries = rounds.run("http idle", http.choose(present), times,
    function(one) return measure(present, one, count, directory) end)
  return { rounds.result({
    row = "http idle",
    title = ("HTTP idle: %d keep-alive connections after one request each: "
      .. "bytes of the server\nfor each (%d rounds)"):format(count, times),
  }, entries, COLUMNS, http.PEERS) }
end
