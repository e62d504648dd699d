-- Echo: a task per connection, parked in a read while its peer is silent.
local net = require "neap.net"

local server = assert(net.listen("127.0.0.1:0", function(conn)
  for chunk in conn:chunks() do
    if not conn:write(chunk) then break end
  end
end))
print(server.address)
io.stdout:flush()
