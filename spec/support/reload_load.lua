-- A program that is reloaded under load, and what that costs: small in the specs, at full size in bench/reload.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local asking = require "spec.support.asking"
local child = require "spec.support.child"
local test = require "neap.test"
local reloading = require "spec.support.reloading"

local loads = {}

local SECONDS = 60 -- for each step; a program that does not answer is no bench

-- Some of everything, in globals: what a version leaves behind in one of them is there a thousand times.
local service = [[
hot, timer, neap, net = require "neap.hot", require "neap.timer", require "neap", require "neap.net"
hits = hot.state("hits", function() return { n = 0 } end)
hits.n = hits.n + 1
moved = hot.state("moved", function() return { list = {} } end, hits.n, function(copy) copy.n = hits.n end)
function string.trim(s) return s:match "^%s*(.-)%s*$" end
data = {}
for i = 1, 200 do data[i] = { i, tostring(i) } end
server = assert(net.listen("127.0.0.1:0", function(conn) conn:write(("x "):trim()) end))
events = assert(net.listen("127.0.0.1:0", { line = function(conn, line) conn:write(line) end }))
db = hot.keep "db" or hot.keep("db", assert(net.connect(events.address)))
own = assert(net.connect(events.address))
interval = timer.every(0.005, function() ticks = (ticks or 0) + 1 end)
task = neap.go(function() while true do pcall(timer.sleep, 0.02) end end)
late = timer.sleep(3600, print)
neap.on_error(function() end)
hot.dispose(function() data = nil end)
hot.handover(function() timer.sleep(0) end)
helper = require "helper"
]]

-- What the program uses: KB of Lua after a full collection, KB of resident memory, descriptors.
local function usage(app)
  app:settle()
  local lua = app:run "collectgarbage() collectgarbage() return collectgarbage 'count'"
  return { lua = lua, resident = app.child:memory(), descriptors = app:descriptors() }
end

-- After so many reloads, and after ten.
function loads.many(reloads)
  local app <close> = reloading.start(service, { ["helper.lua"] = "return { server = server }" })
  local began, first = app.child:cpu(), nil
  for i = 1, reloads do
    local ok, text = app:reload()
    if not ok then error(text) end
    if i == 10 then first = usage(app) end
  end
  local last = usage(app)
  last.cpu = (app.child:cpu() - began) / reloads
  -- the other ends of connections that were closed follow, a moment later
  pcall(test.eventually, function()
    last.descriptors = app:descriptors()
    return (last.descriptors or 0) <= (first.descriptors or 0)
  end)
  last.versions = #app:run "return hot.status().generations"
  return first, last
end

local versioned = [[
local net = require "neap.net"
server = assert(net.listen("127.0.0.1:0", { line = function(conn) conn:write "%d\n" end }))
]]

-- `ask` is called over and over by each of the clients, and gives the version that has answered, or nil and why not.
-- Each version is live until it has been seen.
local function reload_under_load(clients, versions, new_client)
  local app <close> = reloading.start(versioned:format(0))
  local address = app:run "return server.address"
  local result = { asked = 0, errors = 0, back = 0, seen = 0, versions = versions }
  local seen, stop, tasks = {}, false, {}
  local function over() return stop end
  for i = 1, clients do
    tasks[i] = neap.go(function()
      local ask <close> = new_client(address)
      asking(ask, result, seen, over)
    end)
  end
  for version = 0, versions do
    if version > 0 then assert(app:reload(versioned:format(version))) end
    test.eventually(function() return seen[version] or result.errors > 0 end, SECONDS)
  end
  stop = true
  for i = 1, clients do tasks[i]:join() end
  return result
end

local function client(ask, close)
  return setmetatable({}, { __call = ask, __close = close or function() end })
end

local function read_version(conn)
  local ok, message = conn:write "?\n"
  if not ok then return nil, message end
  local line
  line, message = conn:read("l", { timeout = SECONDS })
  return tonumber(line), message or "it was closed"
end

-- So many connections, each asks all the time.
function loads.lines(connections, versions)
  return reload_under_load(connections, versions, function(address)
    local conn = assert(net.connect(address))
    return client(function() return read_version(conn) end, function() conn:close() end)
  end)
end

-- A new connection for each question.
function loads.connects(clients, versions)
  return reload_under_load(clients, versions, function(address)
    return client(function()
      local conn <close>, message = net.connect(address)
      if not conn then return nil, message end
      return read_version(conn)
    end)
  end)
end

-- How long the commits take beside so many connections that are silent: a sorted list, in seconds.
function loads.commits(connections, reloads)
  local app <close> = reloading.start(versioned:format(0))
  local address = app:run "return server.address"
  local parked <close> = setmetatable({}, { __close = function(list)
    for _, conn in ipairs(list) do conn:reset() end
  end })
  for i = 1, connections do parked[i] = assert(net.connect(address)) end
  assert(read_version(parked[connections]))
  local seconds = {}
  for version = 1, reloads do
    assert(app:reload(versioned:format(version)))
    seconds[version] = app:run "return require 'neap.hot'.status().commit"
    assert(read_version(parked[version % connections + 1]) == version)
  end
  table.sort(seconds)
  return seconds
end

-- How long it takes from the save of chat.lua to the first answer by the new code, to somebody who was there before.
-- Saves follow each other at once, or after so many seconds.
function loads.saves(count, pause)
  local file <close> = assert(io.open "scripts/chat.lua")
  local text = file:read "a"
  local directory <close> = test.tempdir()
  local function save(version)
    local changed, places = text:gsub('"%* here: "', ('"* here %d: "'):format(version))
    assert(places == 1)
    directory:write("chat.lua", changed)
  end
  save(0)
  local options = { flags = { "--watch" }, before = "cd " .. directory.path }
  local chat <close> = child.start({ "chat.lua", "127.0.0.1:0" }, options)
  local conn <close> = assert(net.connect(chat:line():match "%S+$"))
  assert(conn:read("l", { timeout = SECONDS }))
  local function version()
    assert(conn:write "/who\n")
    local line, message = conn:read("l", { timeout = SECONDS })
    if not line then error(("%s; %s"):format(message or "it was closed", chat:stderr())) end
    return tonumber(line:match "^%* here (%d+):")
  end
  assert(version() == 0)
  local seconds = {}
  for i = 1, count do
    if pause then timer.sleep(pause) end
    local began = timer.monotonic()
    save(i)
    while version() ~= i do
      if timer.monotonic() - began > SECONDS then error("the save was not seen: " .. chat:stderr()) end
      timer.sleep(0.0002)
    end
    seconds[i] = timer.monotonic() - began
  end
  table.sort(seconds)
  return seconds
end

return loads
