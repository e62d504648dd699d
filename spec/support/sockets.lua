-- Sockets for specs: both ends of a connection at hand, addresses nobody else has.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local test = require "neap.test"

local sockets = {}

-- The address of a Unix socket that does not exist yet.
function sockets.unix()
  return "unix:" .. test.tempdir():path_of "socket"
end

-- An address nobody listens on (any more).
function sockets.free_address()
  local server <close> = assert(net.listen("127.0.0.1:0", function() end))
  return server.address
end

-- A server that ends with its block, with all of its connections' handlers.
function sockets.listen(handler, address)
  local server = assert(net.listen(address or "127.0.0.1:0", handler))
  return setmetatable({ address = server.address }, { __close = function() server:close() end })
end

local pair = {}
pair.__index = pair

function pair:close()
  self.hold:cancel()
  self.near:reset()
  self.far:reset()
end

pair.__close = pair.close

-- Pieces that do not arrive together: the reader has taken the one before.
function pair:write_in_pieces(pieces)
  return neap.go(function()
    for _, piece in ipairs(pieces) do
      self.near:write(piece)
      timer.sleep(0)
      timer.sleep(0)
    end
    self.near:shutdown()
  end)
end

-- local ends <close> = sockets.pair(): what is written to ends.near is read from ends.far.
function sockets.pair(address)
  local self = setmetatable({ hold = neap.go(timer.sleep, 3600) }, pair)
  local server <close> = sockets.listen(function(conn)
    self.far = conn
    self.hold:join()
  end, address)
  self.near = assert(net.connect(server.address))
  test.eventually(function() return self.far end, 20)
  return self
end

-- Whether this process may have so many descriptors.
function sockets.has_room(count)
  local pipe <close> = io.popen("ulimit -n")
  local most = pipe:read("l")
  return most == "unlimited" or tonumber(most) >= count
end

-- Whether there is IPv6 here, at least to talk to itself.
function sockets.has_v6()
  local server = net.listen("[::1]:0", function() end)
  if server then server:close() end
  return server ~= nil
end

-- How many descriptors are open; nil where nobody can say.
function sockets.descriptors()
  local pipe <close> = io.popen("ls /proc/$PPID/fd 2>/dev/null | wc -l")
  local count = pipe:read("n")
  return count > 0 and count or nil
end

return sockets
