--- echo.lua: sends back what it receives.
--- neap scripts/echo.lua [address]; try it: printf 'hello\n' | nc 127.0.0.1 7000
local neap, net = require "neap", require "neap.net"

local server = assert(net.listen(neap.args[1] or "127.0.0.1:7000", function(conn)
  for chunk in conn:chunks() do -- ends when the peer does
    if not conn:write(chunk) then break end -- waits while the peer is slow
  end
end))

print("echo: listening on " .. server.address)
io.stdout:flush()
neap.ready()
