-- Echo with a table of events: a silent connection has no task.
local net = require "neap.net"

local server = assert(net.listen("127.0.0.1:0", {
  data = function(conn, chunk) conn:write(chunk) end,
}))
print(server.address)
io.stdout:flush()
