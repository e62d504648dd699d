-- HTTP: CPU of the server for each request.
local bursts = require "lib.bursts"
local http = require "lib.http"
local rounds = require "lib.rounds"
local tree = require "lib.tree"

local MIB = 1024 * 1024
local HELLO = "Hello, World!"

-- What a browser sends; with Host they are ten.
local HEADERS = {
  "Connection: keep-alive",
  "Cache-Control: max-age=0",
  "Upgrade-Insecure-Requests: 1",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
    .. "(KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Referer: http://127.0.0.1/some/other/page?with=a&query=string",
  "Accept-Encoding: gzip, deflate, br",
  "Accept-Language: en-US,en;q=0.9,de;q=0.8",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
}

-- Requests: of a burst, and to warm a process up.
local LOADS = {
  { name = "hello", text = HELLO, connections = 50,
    requests = 20000, warm_up = 40000,
    title = "GET, \"Hello, World!\"" },
  { name = "headers", text = HELLO, connections = 50, headers = HEADERS,
    requests = 20000, warm_up = 40000,
    title = "GET with ten headers, of which the handler reads two" },
  { name = "pipelined", kind = "hello", text = HELLO, connections = 50,
    depth = 16, requests = 80000, warm_up = 160000,
    title = "GET, 16 requests sent at once" },
  { name = "json", length = 1027, connections = 50,
    requests = 10000, warm_up = 30000,
    title = "GET, a table of 1 KB encoded as JSON" },
  { name = "in", text = tostring(MIB), upload = MIB, connections = 10,
    requests = 300, warm_up = 300,
    title = "PUT of 1 MiB, read in pieces and counted" },
  { name = "out", length = MIB, connections = 10,
    requests = 300, warm_up = 300,
    title = "GET, 1 MiB in 16 pieces, chunked" },
}

local function words_of(load, fresh)
  local words = { "-c", load.connections, "-n", load.requests,
    "-d", load.depth or 1,
    "-w", fresh and load.warm_up or load.requests // 10 }
  for _, header in ipairs(load.headers or {}) do
    table.move({ "-h", header }, 1, 2, #words + 1, words)
  end
  for letter, key in pairs { t = "text", l = "length", u = "upload" } do
    table.move({ load[key] and "-" .. letter, load[key] }, 1, 2, #words + 1,
      words)
  end
  return words
end

local function run_load(present, load, options, directory)
  local kind = load.kind or load.name
  local list = http.choose(present)
  for _, one in ipairs(list) do
    function one.start() return http.start(present, one, kind, directory) end
  end
  local title = "http " .. load.name
  local entries, count = bursts.run(title, list, options,
    function(server, fresh)
      return http.burst(server, kind, words_of(load, fresh))
    end)
  return rounds.result({
    row = title,
    title = ("HTTP %s: %s;\n%d connections, %d bursts of %d requests, %d "
      .. "processes: µs CPU of the server for each"):format(load.name,
      load.title, load.connections, count, load.requests, options.rounds),
  }, entries, http.COLUMNS, http.PEERS)
end

return function(present, options)
  local directory, _ <close> = tree.directory()
  local results = {}
  for _, load in ipairs(LOADS) do
    if not options.only or load.name == options.only then
      table.insert(results, run_load(present, load, options, directory))
    end
  end
  return results
end
