-- proxy.lua: passes TCP connections on.
-- neap scripts/proxy.lua LISTEN TARGET [--timeout SECONDS] [--stats SECONDS]
-- Try it: neap scripts/proxy.lua 127.0.0.1:7002 127.0.0.1:7000, beside scripts/echo.lua.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"

local USAGE = [[
usage: neap scripts/proxy.lua LISTEN TARGET [--timeout SECONDS] [--stats SECONDS]
  LISTEN, TARGET      addresses: HOST:PORT, :PORT or unix:PATH
  --timeout SECONDS   for connecting to the target (default: 5)
  --stats SECONDS     print what has been passed on, so often
]]

local function fail(text)
  io.stderr:write("proxy: ", text, "\n", USAGE)
  os.exit(2)
end

local addresses, options, i = {}, { timeout = 5 }, 1
while neap.args[i] do
  local option = neap.args[i]:match("^%-%-(.+)")
  if not option then
    addresses[#addresses + 1] = neap.args[i]
  elseif option == "timeout" or option == "stats" then
    i = i + 1
    options[option] = tonumber(neap.args[i])
    if not options[option] or options[option] <= 0 then fail("--" .. option .. " needs a number of seconds") end
  else
    fail("unknown option --" .. option)
  end
  i = i + 1
end
if #addresses ~= 2 then fail("two addresses are needed: where to listen, and where to pass it on") end
for _, address in ipairs(addresses) do
  if not address:find(":%d+$") and not address:find("^unix:.") then fail("this is no address: " .. address) end
end
local listen, target = addresses[1], addresses[2]

local stats = { open = 0, total = 0, refused = 0, failed = 0, sent = 0, received = 0 }

-- One direction, until its end. That is passed on, and the other direction may go on: a half-close. An error here ends
-- both, see below. `write` waits while the reader is slow, and then nothing is read here: so it is slow for the writer
-- as well, and no memory fills.
local function pass(from, to, counter)
  local chunk, message = from:read()
  while chunk do
    stats[counter] = stats[counter] + #chunk
    assert(to:write(chunk))
    chunk, message = from:read()
  end
  if message then error(message, 0) end -- no end, but a failure
  assert(to:shutdown())
end

local server, message = net.listen(listen, function(client)
  stats.total = stats.total + 1
  local upstream <close>, why = net.connect(target, { timeout = options.timeout })
  if not upstream then
    stats.refused = stats.refused + 1
    io.stderr:write("proxy: ", why, "\n")
    return client:reset() -- to close it would look like an answer that is empty
  end
  stats.open = stats.open + 1
  -- Ends when both directions have; an error in one cancels the other, and is raised here.
  local ok = pcall(neap.group, function(group)
    group:go(pass, client, upstream, "sent")
    group:go(pass, upstream, client, "received")
  end)
  stats.open = stats.open - 1
  if ok then return end
  stats.failed = stats.failed + 1
  client:reset() -- neither side may take what it has got for all there was
  upstream:reset()
end)

if not server then
  io.stderr:write("proxy: ", message, "\n")
  os.exit(1)
end

if options.stats then
  timer.every(options.stats, function()
    print(("proxy: %d open, %d in all (%d refused, %d failed), %d bytes sent, %d received"):format(
      stats.open, stats.total, stats.refused, stats.failed, stats.sent, stats.received))
    io.stdout:flush()
  end)
end

print("proxy: listening on " .. server.address)
io.stdout:flush()
neap.ready()
