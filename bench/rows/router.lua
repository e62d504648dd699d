-- 200 routes: CPU of the server for each request, and what they cost beside one
-- function that serves everything.
local bursts = require "lib.bursts"
local http = require "lib.http"
local rounds = require "lib.rounds"
local tree = require "lib.tree"
local web = require "lib.web"

local CONNECTIONS, REQUESTS, WARM_UP = 50, 8000, 24000
local HELLO = "Hello, World!"
local PLAIN = "neap, plain"

local LOADS = {
  { name = "hello", path = "hello",
    title = "GET of the same path, by a route without parameters" },
  { name = "parameter", path = "hello/World",
    title = "GET of the same path, by a route whose parameter is read" },
  { name = "all", list = { routed = "asked", plain = "plain" },
    title = "each route in turn, five methods, parameters read" },
}

local function words_of(load, one, directory, fresh)
  local words = { "-c", CONNECTIONS, "-n", REQUESTS,
    "-w", fresh and WARM_UP or REQUESTS // 10 }
  local what = { "-t", HELLO }
  if load.list then
    local list = one == PLAIN and load.list.plain or load.list.routed
    what = { "-f", directory .. "/" .. list }
  end
  return table.move(what, 1, 2, #words + 1, words)
end

local function run_load(list, load, options, directory)
  local title = "router " .. load.name
  local entries, count = bursts.run(title, list, options,
    function(server, fresh, one)
      return http.burst(server, load.path or "",
        words_of(load, one.name, directory, fresh))
    end)
  return rounds.result({
    row = title,
    title = ("Router with 200 routes, %s: %s;\n%d connections, %d bursts of %d "
      .. "requests, %d processes: µs CPU of the server for each"):format(
      load.name, load.title, CONNECTIONS, count, REQUESTS, options.rounds),
    note = PLAIN .. ": http.serve with a function that looks at nothing",
  }, entries, http.COLUMNS, { PLAIN, "bun", "fastify" })
end

return function(present, options)
  local directory, _ <close> = tree.directory()
  web.write(directory)
  local list = web.choose(present, "router", directory,
    { { PLAIN, "neap", "bench/neap/web.lua", "plain" } })
  local results = {}
  for _, load in ipairs(LOADS) do
    if not options.only or load.name == options.only then
      table.insert(results, run_load(list, load, options, directory))
    end
  end
  return results
end
