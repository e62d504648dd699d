-- Who serves HTTP, and the load on them. See bench/http/load.c.
local contestants = require "lib.contestants"
local ports = require "lib.ports"
local proc = require "lib.proc"

local http = {}

-- Names to compare with.
http.PEERS = { "limit", "nginx", "bun", "node" }

-- Of what http.burst gives.
http.COLUMNS = {
  { key = "cpu", title = "µs CPU" },
  { key = "rate", title = "a second", digits = 0 },
  { key = "busy", title = "busy %", digits = 0 },
  { key = "client", title = "client" },
}

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- nginx cannot choose a port; its configuration is written anew for each start.
function http.nginx(present, directory, configuration)
  local root = present.nginx_root
  local port = ports.free(present)
  local values = { PORT = port, ROOT = root, DIRECTORY = directory,
    LIBRARIES = present.nginx_libraries }
  local text = read(configuration):gsub("%f[%u]%u+%f[%U]", values)
  local file <close> = assert(io.open(directory .. "/nginx.conf", "w"))
  file:write(text)
  file:close()
  return proc.with(present.nginx, "-p", directory, "-c", "nginx.conf")
end

-- A server of `kind` ("hello" ...); files: descriptors it may open. nginx has all
-- kinds at once, and keeps its files in `directory`.
function http.start(present, one, kind, directory, files)
  local command
  if one.name == "nginx" then
    command = http.nginx(present, directory, "bench/peers/http_nginx.conf")
  else
    command = proc.with(one.command, kind)
  end
  return proc.start_server(command, files)
end

-- nginx needs neap for its port.
function http.choose(present)
  local list = {
    { "limit", false, "build/bench/limit_http" },
    { "neap", "neap", "bench/neap/http.lua" },
    { "bun", "bun", "bench/peers/http_bun.js" },
    { "node", "node", "bench/peers/http_node.mjs" },
  }
  if present.neap then table.insert(list, 3, { "nginx", "nginx" }) end
  return contestants.choose(present, list)
end

-- ns for each request: CPU of the server, wall, CPU of the load; what else it
-- says. `path` has no slash at its beginning.
function http.load(server, path, options)
  local command = proc.with({ "build/bench/http_load", "-p", "/" .. path },
    table.unpack(options))
  local lines, err = proc.numbers(proc.CLIENT_CORE,
    proc.with(command, server.port, server.pid))
  if not lines then return nil, err end
  return lines[1]
end

-- The same in µs, as a sample: one burst.
function http.burst(server, path, options)
  local numbers, err = http.load(server, path, options)
  if not numbers then return nil, err end
  local cpu, wall, client, bytes = table.unpack(numbers)
  return { cpu = cpu / 1e3, wall = wall / 1e3, client = client / 1e3,
    busy = cpu / wall * 100, rate = 1e9 / wall, bytes = bytes }
end

return http
