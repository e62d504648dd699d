-- For specs of middleware: a router with some of it, and one request after the other, each on a connection of its own.
local http = require "neap.http"
local raw = require "spec.support.http"

local support = {}

-- A router with this middleware. "/" says hello, the others are for what middleware has to cope with.
function support.app(...)
  local app = http.router()
  if select("#", ...) > 0 then app:use(...) end
  app:get("/", function() return "hello" end)
  app:post("/", function(req) return assert(req:body()) end)
  app:get("/bad", function() error("a mistake", 0) end)
  app:get("/stream", function()
    local pieces = { "one ", "two ", "three" }
    return { body = function() return table.remove(pieces, 1) end, headers = { vary = "Accept" } }
  end)
  return app
end

-- The answer to a request as spec.support.http makes it, { head = true } behind that of a HEAD.
function support.ask(app, bytes, options)
  local server <close> = assert(http.serve("127.0.0.1:0", app))
  local client <close> = raw.connect(server.address)
  client:send_later(bytes)
  return client:response(options)
end

-- The error of fn(...) is raised at the line that calls it, and says so.
function support.refuses(text, fn, ...)
  local arguments = table.pack(...)
  local line = debug.getinfo(1, "l").currentline + 1
  local ok, message = pcall(function() local _ = fn(table.unpack(arguments, 1, arguments.n)) end)
  if ok then error("this raises nothing", 2) end
  if not message:find(text, 1, true) then error(("%q is not in %q"):format(text, message), 2) end
  if not message:find("middleware.lua:" .. line .. ":", 1, true) then error("raised elsewhere: " .. message, 2) end
end

return support
