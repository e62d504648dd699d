-- Web applications: web.lua plain|router|file|gzip DIRECTORY, which holds what
-- lib/web.lua has written there.
local fs, http = require "neap.fs", require "neap.http"
local middleware = require "neap.http.middleware"

local kind, directory = arg[1], arg[2]
local kinds = {}

-- One function for all requests, which looks at nothing.
function kinds.plain()
  return function() return "Hello, World!" end
end

-- How a route answers: with its text, if its parameters are what they should be.
local function handler_of(text, names, values)
  local name, name2 = names[1], names[2]
  local value, value2 = values[1], values[2]
  if name2 then
    return function(req)
      local params = req.params
      return params[name] == value and params[name2] == value2 and text or 404
    end
  elseif name then
    return function(req) return req.params[name] == value and text or 404 end
  end
  return function() return text end
end

local function words_of(text, pattern)
  local words = {}
  for word in text:gmatch(pattern) do table.insert(words, word) end
  return words
end

function kinds.router()
  local app = http.router()
  for line in assert(fs.read(directory .. "/routes")):gmatch "[^\n]+" do
    local method, path, values, text = line:match "(%S+) (%S+) (%S+) (.+)"
    app:route(method, path, handler_of(text, words_of(path, ":(%w+)"),
      words_of(values, "[^,]+")))
  end
  return app
end

function kinds.file()
  local app = http.router()
  app:mount("/files", http.static(directory .. "/files"))
  return app
end

local function compressing(options)
  local text = assert(fs.read(directory .. "/files/document.json"))
  local headers = { ["content-type"] = "application/json" }
  local app = http.router()
  app:use(middleware.compress(options))
  app:get("/json", function() return 200, text, headers end)
  return app
end

function kinds.gzip() return compressing { level = 6 } end
function kinds.gzip_default() return compressing() end

local server = assert(http.serve("127.0.0.1:0", kinds[kind]()))
print(server.address)
io.stdout:flush()
