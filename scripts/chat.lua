-- chat.lua: a room where everybody hears everybody.
-- neap scripts/chat.lua [ADDRESS]; join it: nc 127.0.0.1 7001
--
-- A table of events serves it: no task waits for a member, and what one of them says is a line. What is known of a
-- member is in conn.state, what is known of the room in one table. Both outlive a change of this file (--watch).
local neap, hot, net = require "neap", require "neap.hot", require "neap.net"

local LINE_LIMIT = 1000 -- bytes; who says more at once is not a person
local UNREAD_LIMIT = 256 * 1024 -- bytes that wait for a member who does not read: then they are dropped

local room = hot.state "room" -- name -> connection

-- With a callback nobody waits: so the room is not as slow as its slowest member. What piles up for one who does not
-- read is bounded: they are dropped, and the others learn of it in `close`.
local function ignore() end

local function tell(conn, text)
  if conn.closed then return end
  if conn.pending > UNREAD_LIMIT then
    conn:reset()
  else
    conn:write(text .. "\n", ignore)
  end
end

local function tell_others(conn, text)
  for _, other in pairs(room) do
    if other ~= conn then tell(other, text) end
  end
end

local function names()
  local list = {}
  for name in pairs(room) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

local guests = 0

local function free_name()
  repeat guests = guests + 1 until not room["guest" .. guests]
  return "guest" .. guests
end

local commands = {}

function commands.nick(conn, name)
  local old = conn.state.name
  if not name:find("^[%w_-]+$") or #name > 20 then
    tell(conn, "* a name has up to 20 letters and digits")
  elseif room[name] then
    tell(conn, "* " .. name .. " is taken")
  else
    room[old], room[name], conn.state.name = nil, conn, name
    tell(conn, "* you are " .. name)
    tell_others(conn, "* " .. old .. " is now " .. name)
  end
end

function commands.who(conn)
  tell(conn, "* here: " .. names())
end

function commands.quit(conn)
  tell(conn, "* bye")
  conn:close() -- sends what has been written first
end

local events = {
  open = function(conn)
    conn:keepalive(60) -- finds out who has vanished
    local name = free_name()
    conn.state.name = name
    room[name] = conn
    tell(conn, "* welcome, " .. name .. ". /nick NAME, /who, /quit; here: " .. names())
    tell_others(conn, "* " .. name .. " has joined")
  end,

  line = function(conn, line)
    line = line:gsub("%c", "") -- also the "\r" that telnet sends
    if #line > LINE_LIMIT then
      tell(conn, "* too long: a line has up to " .. LINE_LIMIT .. " bytes")
      return conn:close()
    end
    local name, rest = line:match("^/(%S*)%s*(.-)%s*$")
    if not name then
      if line ~= "" then tell_others(conn, conn.state.name .. ": " .. line) end
    elseif commands[name] then
      commands[name](conn, rest)
    else
      tell(conn, "* no such command: /" .. name)
    end
  end,

  -- However it ended: it has quit, vanished, or was dropped.
  close = function(conn)
    local name = conn.state.name
    room[name] = nil
    tell_others(conn, "* " .. name .. " has left")
  end,
}

local ok, server, message = pcall(net.listen, neap.args[1] or "127.0.0.1:7001", events)
if not ok or #neap.args > 1 then
  io.stderr:write("usage: neap scripts/chat.lua [ADDRESS]   (HOST:PORT, :PORT or unix:PATH)\n")
  os.exit(2)
elseif not server then
  io.stderr:write("chat: ", message, "\n")
  os.exit(1)
end

print("chat: listening on " .. server.address)
io.stdout:flush()
neap.ready()
