-- HTTP: http.lua hello|headers|json|in|out, what each request is answered with.
local http, json = require "neap.http", require "neap.json"

local CHUNKS, CHUNK = 16, ("."):rep(64 * 1024)
local JSON = { ["content-type"] = "application/json" }

local handlers = {}

function handlers.hello()
  return "Hello, World!"
end

function handlers.headers(req)
  local agent, language =
    req:header "user-agent", req:header "accept-language"
  return agent and language and "Hello, World!" or 400
end

function handlers.json()
  local items = {}
  for i = 1, 10 do
    items[i] = { id = 1000 + i, name = "Item number " .. 1000 + i,
      price = i + 0.25, stock = i * 7, tags = { "red", "small" },
      active = i % 2 == 0 }
  end
  return 200, json.encode { page = 1, total = 250, items = items }, JSON
end

handlers["in"] = function(req)
  local size = 0
  for chunk in req:chunks() do size = size + #chunk end
  return tostring(size)
end

function handlers.out()
  local left = CHUNKS
  return 200, function()
    left = left - 1
    return left >= 0 and CHUNK or nil
  end
end

local server = assert(http.serve("127.0.0.1:0", handlers[arg[1]]))
print(server.address)
io.stdout:flush()
