-- What bench/saves.lua changes while it serves: reload.lua PORT PORT2 TICKS
-- Each line is answered with the version and how many lines there were; each
-- tick of the interval leaves the version in the file TICKS.
local VERSION = 0

local hot, net = require "neap.hot", require "neap.net"
local timer = require "neap.timer"
local count = hot.state("count", function() return { lines = 0 } end)

local events = {
  line = function(conn)
    count.lines = count.lines + 1
    conn:write(("version %d lines %d\n"):format(VERSION, count.lines))
  end,
}

timer.every(0.05, function()
  local file <close> = assert(io.open(arg[3], "a"))
  file:write(VERSION, "\n")
end)

local server = assert(net.listen("127.0.0.1:" .. arg[1], events))
local second
-- second server
second = assert(net.listen("127.0.0.1:" .. arg[2], events))
-- end
print(second and second.address, server.address)
io.stdout:flush()
