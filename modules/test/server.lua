-- test.server: a service on an address that nobody else has. It ends with its spec, and with all of its connections.
local core = ...
local busted = core.busted
local error, getmetatable, ipairs, next, setmetatable, type = error, getmetatable, ipairs, next, setmetatable, type
local net = require "neap.net"

local server = {}

-- A new connection: it is in server.connections from its first event on.
local function add(self, conn)
  self.connections[#self.connections + 1] = conn
end

local function wrap_function(self, handler)
  return function(conn)
    add(self, conn)
    return handler(conn)
  end
end

-- Each event is looked up when it happens, as net.listen does.
local function wrap_events(self, events)
  local own = {}
  for name, event in next, events do
    own[name] = type(event) ~= "function" and event or function(...) return events[name](...) end
  end
  function own.open(conn)
    add(self, conn)
    if events.open then return events.open(conn) end
  end
  return own
end

function server:connect(options)
  local conn, message, code = net.connect(self.address, options)
  if not conn then return nil, message, code end
  self.clients[#self.clients + 1] = conn
  return conn
end

local function reset_all(list)
  for _, conn in ipairs(list) do
    if not conn.closed then conn:reset() end
  end
end

function server:close()
  self.listener:close()
  reset_all(self.clients)
  reset_all(self.connections)
end

busted.class("neap.test.server", server)

return function(handler, options)
  options = busted.check_options(options, { "address" }, 1)
  local metatable = getmetatable(handler)
  local self = setmetatable({ connections = {}, clients = {} }, server)
  if type(handler) == "table" and not (metatable and metatable.__call) then
    handler = wrap_events(self, handler)
  elseif busted.is_callable(handler) then
    handler = wrap_function(self, handler)
  else
    error(("bad argument #1 to 'server' (function or table of events expected, got %s)"):format(type(handler)), 2)
  end
  local listener, message = net.listen(options.address or "127.0.0.1:0", handler)
  if not listener then error(message, 2) end
  self.listener = listener
  self.address = listener.address
  return busted.close_after(self)
end
