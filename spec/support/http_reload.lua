-- A server that is saved while it answers: small in the specs, at full size in bench/.
local neap = require "neap"
local asking = require "spec.support.asking"
local raw = require "spec.support.http"
local reloading = require "spec.support.reloading"
local test = require "neap.test"

local SECONDS = 60 -- for each step

-- Each version answers with a number: its own plus that of the module it requires.
local app = [[
local http, timer = require "neap.http", require "neap.timer"
local number, dependency = %d, require "dependency"
server = assert(http.serve("127.0.0.1:0", function(req)
  if req.path == "/slow" then timer.sleep(0.002) end
  if req.path == "/stream" then
    return { body = function(write)
      write(tostring(number))
      timer.sleep(0.001)
      write(" " .. dependency)
    end }
  end
  return ("%%d %%d"):format(number, dependency)
end))
]]

-- Of half of the broken versions the handler is what is broken; of the others, the dependency.
local function broken(n)
  return n % 3 == 0 and "error 'broken'" or n % 3 == 1 and "return (" or "server = require 'neap.http'.serve()"
end

local paths = { "/", "/slow", "/stream" }

local function version_of(response)
  if response.status ~= 200 then return nil, ("%d: %s"):format(response.status, response.body) end
  local a, b = response.body:match "^(%d+) (%d+)$"
  return a and a + b, response.body
end

-- One that stays, and asks for one thing after the other.
local function keep(address)
  local client = raw.connect(address, { limit = SECONDS })
  local n = 0
  return function()
    n = n + 1
    local ok, message = client:send(raw.get(paths[n % 3 + 1]))
    if not ok then return nil, message end
    local response = client:response()
    if response.headers.connection then return nil, "it is to be closed" end
    return version_of(response)
  end, client
end

-- A new connection for each request.
local function connect(address)
  return function()
    local client <close> = raw.connect(address, { limit = SECONDS })
    client:send(raw.get("/", "Connection: close"))
    local response = client:response()
    client:expect_closed()
    return version_of(response)
  end
end

-- So many clients of both kinds ask all the time, while the program or what it requires is saved so many times; every
-- `bad`-th save is preceded by a broken one. Counts what has happened.
return function(keeping, connecting, saves, bad)
  local program <close> = reloading.start(app:format(0), { ["dependency.lua"] = "return 0" }, { "--watch" })
  local address = program:run "return server.address"
  local result = { asked = 0, errors = 0, back = 0, seen = 0, broken = 0 }
  local seen, stop, tasks = {}, false, {}
  local function over() return stop end
  for i = 1, keeping + connecting do
    tasks[i] = neap.go(function()
      local ask, client <close> = (i <= keeping and keep or connect)(address) -- luacheck: ignore
      asking(function()
        local ok, version, message = pcall(ask)
        if not ok then return nil, version end
        return version, message
      end, result, seen, over)
    end)
  end
  test.eventually(function() return seen[0] or result.errors > 0 end, SECONDS)
  for version = 1, saves do
    local name = version % 2 == 0 and "dependency.lua" or "app.lua"
    if version % bad == 0 then
      program:write(name, broken(version))
      test.eventually(function()
        return select(2, program:stderr():gsub("not reloaded", "")) > result.broken or result.errors > 0
      end, SECONDS)
      result.broken = result.broken + 1
    end
    program:write(name, name == "app.lua" and app:format((version + 1) // 2) or "return " .. version // 2)
    test.eventually(function() return seen[version] or result.errors > 0 end, SECONDS)
  end
  stop = true
  for i = 1, #tasks do tasks[i]:join() end
  return result
end
