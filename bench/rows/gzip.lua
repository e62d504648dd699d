-- 100 KB of JSON, compressed for each request: CPU of the server.
local bursts = require "lib.bursts"
local http = require "lib.http"
local rounds = require "lib.rounds"
local tree = require "lib.tree"
local web = require "lib.web"

local CONNECTIONS, REQUESTS, WARM_UP = 10, 100, 300

local COLUMNS = table.move(http.COLUMNS, 1, #http.COLUMNS, 1, {})
table.insert(COLUMNS, { key = "bytes", title = "B sent", digits = 0 })

return function(present, options)
  local directory, _ <close> = tree.directory()
  local size = web.write(directory)
  local list = web.choose(present, "gzip", directory, {
    { "neap, default", "neap", "bench/neap/web.lua", "gzip_default" },
    { "bun, libdeflate", "bun", "bench/peers/web_bun.js", "gzip",
      "libdeflate" },
  })
  local entries, count = bursts.run("gzip", list, options,
    function(server, fresh)
      return http.burst(server, "json", { "-c", CONNECTIONS, "-n", REQUESTS,
        "-w", fresh and WARM_UP or REQUESTS // 10,
        "-h", "Accept-Encoding: gzip",
        "-b", directory .. "/files/document.json", "-z" })
    end)
  return { rounds.result({
    row = "gzip",
    title = ("JSON of %d B compressed as gzip, level 6; %d connections, %d "
      .. "bursts of %d requests,\n%d processes: µs CPU of the server for each")
      :format(size, CONNECTIONS, count, REQUESTS, options.rounds),
    note = "neap, default: without a level",
  }, entries, COLUMNS, { "nginx", "bun", "fastify" }) }
end
