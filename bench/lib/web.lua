-- Web applications: what they serve, written into a directory that all of them
-- read, and how they are started. See bench/neap/web.lua.
local contestants = require "lib.contestants"
local http = require "lib.http"
local json = require "lib.json"
local proc = require "lib.proc"

local web = {}

web.FILE_SIZE, web.JSON_SIZE = 64 * 1024, 100 * 1024

-- ---- 200 routes ------------------------------------------------------------------

local RESOURCES = { "users", "teams", "projects", "issues", "notes", "orders",
  "products", "invoices", "payments", "customers", "articles", "images",
  "events", "messages", "devices", "reports", "tags", "accounts" }

-- Of each of them.
local ACTIONS = { "GET", "POST", "GET /search", "GET /:id", "PUT /:id",
  "PATCH /:id", "DELETE /:id", "GET /:id/comments", "POST /:id/comments",
  "GET /:id/comments/:comment", "DELETE /:id/comments/:comment" }

local ROUTES = { "GET /hello", "GET /hello/:name" }
for _, resource in ipairs(RESOURCES) do
  for _, action in ipairs(ACTIONS) do
    local method, rest = action:match "(%u+) ?(.*)"
    table.insert(ROUTES, ("%s /%s%s"):format(method, resource, rest))
  end
end
assert(#ROUTES == 200)

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

-- Each route has a text of its own, of the length of "Hello, World!", and takes
-- only its own parameters: so it is seen when another one answers. "routes" has
-- method, path, values of the parameters, text of each route; "asked" the
-- requests for them, as http_load wants them, and "plain" the same with the text
-- of who knows no routes. Neighbours in them are of different resources.
local function write_routes(directory)
  local routes, asked, plain = {}, {}, {}
  for i, route in ipairs(ROUTES) do
    local method, path = route:match "(%S+) (%S+)"
    local values = {}
    local target = path:gsub(":%w+", function(name)
      table.insert(values, name == ":name" and "World" or 1000 * #values + i)
      return values[#values]
    end)
    local text = i <= 2 and "Hello, World!" or ("Hello, no %03d"):format(i)
    local place = i * 77 % #ROUTES + 1
    routes[i] = ("%s %s %s %s\n"):format(method, path,
      #values > 0 and table.concat(values, ",") or "-", text)
    asked[place] = ("%s %s %s\n"):format(method, target, text)
    plain[place] = ("%s %s Hello, World!\n"):format(method, target)
  end
  write(directory .. "/routes", table.concat(routes))
  write(directory .. "/asked", table.concat(asked))
  write(directory .. "/plain", table.concat(plain))
end

-- ---- files -----------------------------------------------------------------------

-- The same numbers each time, and everywhere.
local function numbers()
  local state = 1
  return function(most)
    state = (state * 48271) % 2147483647
    return state % most + 1
  end
end

local WORDS = {}
for word in ([[tea water cup kettle leaf green black morning slow river stone
  paper letter window garden small first other quiet north light round table
  winter summer bread salt copper glass thread]]):gmatch "%a+" do
  table.insert(WORDS, word)
end

local function sentence(random)
  local words = {}
  for i = 1, 4 + random(8) do words[i] = WORDS[random(#WORDS)] end
  return table.concat(words, " ")
end

-- A list of items as an API gives it, of 100 KB.
local function document()
  local random, items, size = numbers(), {}, 0
  while true do
    local item = json.encode {
      id = random(1000000), title = sentence(random), text = sentence(random),
      price = random(100000) / 100, stock = random(500),
      tags = { WORDS[random(#WORDS)], WORDS[random(#WORDS)] },
      active = random(2) == 1, created = 1700000000 + random(30000000),
    }:gsub("\n", "")
    size = size + #item + 1
    if size > web.JSON_SIZE then break end
    table.insert(items, item)
  end
  return '{"items":[' .. table.concat(items, ",") .. "]}"
end

-- Returns the size of the JSON.
function web.write(directory)
  assert(os.execute(("mkdir '%s/files'"):format(directory)))
  write_routes(directory)
  local line = "console.log('0123456789 abcdefghijklm');\n"
  write(directory .. "/files/app.js",
    (line:rep(web.FILE_SIZE // #line + 1):sub(1, web.FILE_SIZE)))
  local text = document()
  write(directory .. "/files/document.json", text)
  return #text
end

-- ---- who serves them ---------------------------------------------------------------

local function start(present, one, directory)
  if one.name ~= "nginx" then return proc.start_server(one.command) end
  return proc.start_server(http.nginx(present, directory,
    "bench/peers/web_nginx.conf"))
end

-- Those of `kind` who are there; extra: a list of { name, host, script, kind,
-- word... } beside the usual ones, behind neap.
function web.choose(present, kind, directory, extra)
  local list = { { "neap", "neap", "bench/neap/web.lua", kind, directory } }
  for _, entry in ipairs(extra) do
    table.insert(list, { entry[1], entry[2], entry[3], entry[4], directory,
      table.unpack(entry, 5) })
  end
  table.insert(list, { "bun", "bun", "bench/peers/web_bun.js", kind,
    directory })
  table.insert(list, { "fastify", "fastify", "bench/peers/web_fastify.mjs",
    kind, directory })
  -- nginx needs neap for its port.
  if kind ~= "router" and present.neap then
    table.insert(list, { "nginx", "nginx" })
  end
  local chosen = contestants.choose(present, list)
  for _, one in ipairs(chosen) do
    function one.start() return start(present, one, directory) end
  end
  return chosen
end

return web
