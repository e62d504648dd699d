-- neap spec/support/reload_block.lua FILE LINE: runs the Lua block of a file of documentation that begins at LINE as a
-- program, reloads it, and exits with 0 if its second version goes live and nothing has failed. It gets free ports.
local neap, hot, http = require "neap", require "neap.hot", require "neap.http"
local net, timer = require "neap.net", require "neap.timer"
local blocks = require "spec.support.blocks"

local function fail(text)
  io.stderr:write(text, "\n")
  neap.exit(1)
end

local function find()
  for _, block in ipairs(blocks.read(arg[1])) do
    if block.line == tonumber(arg[2]) then return block end
  end
end

-- Somebody is there to connect to.
local function copy(module) return setmetatable({}, { __index = module }) end
local own = { ["neap.net"] = copy(net), ["neap.http"] = copy(http) }
local function anywhere(address) return (address:gsub(":[78]%d%d%d$", ":0")) end
own["neap.net"].listen = function(address, ...) return net.listen(anywhere(address), ...) end
own["neap.http"].serve = function(address, ...) return http.serve(anywhere(address), ...) end
own["neap.net"].connect = function(_, ...)
  local server <close> = assert(net.listen("127.0.0.1:0", function(conn) conn:read() end))
  return net.connect(server.address, ...)
end

local env = setmetatable({ print = function() end }, { __index = _G })
function env.require(name) return own[name] or require(name) end

neap.on_error(function(err, trace) fail(("%s\n%s"):format(err, trace)) end)
local versions = hot.state("versions of " .. arg[2], function() return { count = 0 } end)
versions.count = versions.count + 1
local block = find()
assert(load(("\n"):rep(block.line - 1) .. block.text, "@" .. block.path, "t", env))()

neap.go(function()
  timer.sleep(0.02)
  if versions.count == 1 then fail(select(2, hot.reload())) end -- well done, this task ends in it
  neap.exit(0)
end)
