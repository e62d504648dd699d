-- echo.lua: sends back what it receives.
-- neap scripts/echo.lua [ADDRESS]; try it: printf 'hello\n' | nc 127.0.0.1 7000
local neap, net = require "neap", require "neap.net"

-- Each connection has a task of its own, which may wait; it is closed when the function returns.
local function echo(conn)
  for chunk in conn:chunks() do -- ends when the peer does
    if not conn:write(chunk) then break end -- waits while the peer is slow; fails when it is gone
  end
end

-- A failure that is to be expected is a value (the address is taken); what is no address at all raises an error.
local ok, server, message = pcall(net.listen, neap.args[1] or "127.0.0.1:7000", echo)
if not ok or #neap.args > 1 then
  io.stderr:write("usage: neap scripts/echo.lua [ADDRESS]   (HOST:PORT, :PORT or unix:PATH)\n")
  os.exit(2)
elseif not server then
  io.stderr:write("echo: ", message, "\n")
  os.exit(1)
end

print("echo: listening on " .. server.address)
io.stdout:flush()
neap.ready() -- from here on it serves, until it is told to end
