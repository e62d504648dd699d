-- hello.lua: the smallest web service.
-- neap scripts/hello.lua [PORT or ADDRESS]; try it: curl 'http://127.0.0.1:8080/hello?name=moon'
--
-- Made to be changed while it runs: `neap run scripts/hello.lua --watch`, then change an answer, save, and ask again.
local neap, http = require "neap", require "neap.http"

-- A handler is given a request and returns the answer: a text; or a status, a text and headers. Each request is a task
-- of its own, so it may wait.
local routes = {}

routes["GET /"] = function()
  return "hello. There are also /hello?name=moon, /time, and POST /upper\n"
end

routes["GET /hello"] = function(req)
  return ("hello, %s\n"):format(req.query.name or "world")
end

routes["GET /time"] = function()
  return 200, os.date "!%Y-%m-%d %H:%M:%S UTC\n", { ["cache-control"] = "no-store" }
end

-- curl --data tea http://127.0.0.1:8080/upper
routes["POST /upper"] = function(req)
  local text = assert(req:body()) -- whoever sends too much, or too slowly, is told so: 413, 408
  return text:upper() .. "\n"
end

local function handler(req)
  local method = req.method == "HEAD" and "GET" or req.method -- of a HEAD only the headers are sent
  local route = routes[method .. " " .. req.path]
  if route then return route(req) end
  return 404, "there is nothing at " .. req.path .. "\n"
end

local address = (neap.args[1] or "8080"):gsub("^%d+$", "127.0.0.1:%0")
local ok, server, message = pcall(http.serve, address, handler)
if not ok or #neap.args > 1 then
  io.stderr:write("usage: neap scripts/hello.lua [PORT or ADDRESS]   (HOST:PORT, :PORT or unix:PATH)\n")
  os.exit(2)
elseif not server then
  io.stderr:write("hello: ", message, "\n")
  os.exit(1)
end

print("hello: listening on " .. (server.address:find "^unix:" and "" or "http://") .. server.address)
io.stdout:flush()
neap.ready()
