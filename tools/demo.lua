-- Films hot reload: neap tools/demo.lua [OUTPUT [PACE]], `make demo`. A copy of scripts/chat.lua serves with --watch
-- while two people talk and four more ask without a pause; it is given a new command, broken, and mended. All that
-- the picture shows has been said in this run, at that time. PACE 0.1 makes the pauses ten times shorter, not what
-- neap does.
package.path = "tools/?.lua;" .. package.path
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local fs, process = require "neap.fs", require "neap.process"
local recording = require "recording"

local OUTPUT, PACE = arg[1] or "docs/images/reload.svg", tonumber(arg[2] or 1)
local MEMBERS, PATIENCE, AFTERWARDS = 4, 5, 3

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- ---- the picture ------------------------------------------------------------------

local film = recording.new { title = "A chat server is changed, broken and mended while people talk", width = 880,
  height = 548 }
local panes = {
  edit = film:pane { x = 10, y = 10, width = 430, height = 325, rows = 17, title = "the editor: chat.lua" },
  ada = film:pane { x = 450, y = 10, width = 420, height = 166, rows = 8, title = "ada" },
  bob = film:pane { x = 450, y = 186, width = 420, height = 149, rows = 7, title = "bob" },
  server = film:pane { x = 10, y = 345, width = 860, height = 166, rows = 8, title = "the server: its terminal" },
}

local began -- when filming did: the picture begins with all that has been said before

local function now()
  return began and timer.monotonic() - began or 0
end

local function show(name, style, text)
  panes[name]:line(now(), style, text)
end

local function pause(seconds)
  timer.sleep(seconds * PACE)
end

-- ---- the server ---------------------------------------------------------------------

local server = { lines = {} }

local function style_of(line)
  if line:find "not reloaded" then return "bad" end
  return line:find " is live after " and "good" or nil
end

-- What its terminal shows: it writes into a file, which is looked at all the time.
function server.follow()
  local file <close> = assert(io.open(server.directory .. "/terminal"))
  while not server.ended do
    for line in file:lines() do
      table.insert(server.lines, line)
      show("server", style_of(line), line)
    end
    file:seek "cur" -- so that it looks again
    timer.sleep(0.001)
  end
end

function server.wait_for(pattern, from)
  local deadline = timer.monotonic() + PATIENCE
  while timer.monotonic() < deadline do
    for i = from or 1, #server.lines do
      local found = server.lines[i]:match(pattern)
      if found then return found end
    end
    timer.sleep(0.001)
  end
  error("the server has not said: " .. pattern .. "\n" .. table.concat(server.lines, "\n"))
end

function server.start()
  local pipe = assert(io.popen "mktemp -d")
  server.directory = pipe:read "l"
  pipe:close()
  server.source = server.directory .. "/chat.lua"
  assert(fs.write(server.source, assert(fs.read "scripts/chat.lua")))
  assert(fs.write(server.directory .. "/terminal", ""))
  local command = "cd %s && echo $$ && exec timeout 120 %s --slow=0 run chat.lua --watch 127.0.0.1:0 >terminal 2>&1"
  server.pipe = assert(io.popen(command:format(quote(server.directory), quote(assert(process.exepath())))))
  server.pid = server.pipe:read "n"
  show("server", "said", "$ neap run chat.lua --watch 127.0.0.1:0")
  neap.go(server.follow)
  server.address = server.wait_for "^chat: listening on (%S+)"
  timer.sleep(0.3) -- watching begins after it
end

function server.stop()
  if server.pid then
    os.execute("kill -TERM " .. server.pid)
    server.pipe:close()
  end
  server.ended = true
  if server.directory then os.execute("rm -r " .. quote(server.directory)) end
end

-- ---- the members ----------------------------------------------------------------------

local load = { answers = 0, failed = 0 }

local function answer(conn, pattern)
  repeat
    local line, message = conn:read("l", { timeout = PATIENCE })
    if not line then return nil, message or "end of file" end
  until line:find(pattern)
  return true
end

local function join(name)
  local conn = assert(net.connect(server.address, { timeout = PATIENCE }))
  assert(conn:write("/nick " .. name .. "\n"))
  return conn
end

-- Asks and asks; whoever gets no answer is counted and gone.
local function ask(name)
  local conn <close> = join(name)
  assert(answer(conn, "^%* you are"))
  load.ready = (load.ready or 0) + 1
  while not load.ended do
    if not conn:write "/who\n" or not answer(conn, "^%* here: ") then
      load.failed = load.failed + 1
      return
    end
    load.answers = load.answers + 1
    timer.sleep(0.002)
  end
end

local function count_answers()
  film:status(now(), ("%d more members ask /who all the time: %d answers, %d failed"):format(MEMBERS,
    load.answers, load.failed))
end

local function start_load()
  for i = 1, MEMBERS do neap.go(ask, "m" .. i) end
  while load.ready ~= MEMBERS do timer.sleep(0.001) end
end

local person = {}
person.__index = person

-- Their window shows what they type and what comes.
local function enter(name)
  local self = setmetatable({ name = name, conn = join(name), heard = 0 }, person)
  show(name, "said", "> /nick " .. name)
  neap.go(function()
    for line in self.conn:lines() do
      self.heard = self.heard + 1
      show(name, line:find "no such command" and "bad" or nil, line)
    end
    if not load.ended then error(name .. " was dropped") end
  end)
  timer.sleep(0.05)
  return self
end

-- The time is told when it has been answered or heard, by `other`.
function person:say(text, other)
  local heard = (other or self).heard
  show(self.name, "said", "> " .. text)
  assert(self.conn:write(text .. "\n"))
  local deadline = timer.monotonic() + PATIENCE
  while (other or self).heard == heard do
    assert(timer.monotonic() < deadline, text .. ": nobody has heard it")
    timer.sleep(0.001)
  end
end

-- ---- the edits --------------------------------------------------------------------------

-- Shows the lines that go and come, saves, and waits for what the server says.
local function edit(title, old, new, expected, what)
  local text = assert(fs.read(server.source))
  local first, last = text:find(old, 1, true)
  assert(first, title .. ": this is not in chat.lua")
  if #server.lines > 1 then show("edit", nil, "") end
  show("edit", "dim", "-- " .. title)
  local kept = new:sub(-#old) == old -- it is only put before that
  for line in (kept and "" or old):gmatch "[^\n]+" do show("edit", "bad", "- " .. line) end
  for line in (kept and new:sub(1, -#old - 1) or new):gmatch "[^\n]+" do show("edit", "good", "+ " .. line) end
  pause(2.2)
  local from = #server.lines + 1
  local saved = timer.monotonic()
  assert(fs.write(server.source, text:sub(1, first - 1) .. new .. text:sub(last + 1)))
  server.wait_for(expected, from)
  show("edit", "said", ("saved: %s %.0f ms later"):format(what, (timer.monotonic() - saved) * 1000))
end

local COMMAND = [[
function commands.time(conn)
  tell(conn, "* it is " .. os.date "%H:%M:%S")
end

]]
local BEFORE = "function commands.quit(conn)"
local ABOVE = "function commands%.who.-\nend\n"
local SECONDS = [[  tell(conn, "* it is " .. os.date "%H:%M:%S")]]
local BROKEN = [[  tell(conn, "* it is " .. os.date "%H:%M"]]
local MINUTES = [[  tell(conn, "* it is " .. os.date "%H:%M")]]

local function play()
  server.start()
  for line in assert(fs.read(server.source)):match(ABOVE):gmatch "[^\n]+" do show("edit", nil, "  " .. line) end
  start_load()
  local ada = enter "ada"
  local bob = enter "bob"
  began = timer.monotonic()
  count_answers()
  local ticks = timer.every(math.max(1.5 * PACE, 0.01), count_answers)
  pause(1.5) ada:say("hello bob", bob)
  pause(1.5) bob:say("what time is it?", ada)
  pause(1.2) ada:say "/time"
  pause(1.3) edit("a new command", BEFORE, COMMAND .. BEFORE, "is live after", "live")
  pause(1.5) ada:say "/time"
  pause(2.0) edit("no seconds, and a mistake", SECONDS, BROKEN, "not reloaded", "refused")
  pause(1.5) bob:say("still there?", ada)
  pause(1.2) ada:say "/time"
  pause(2.0) edit("mended", BROKEN, MINUTES, "mended: .* is live after", "live")
  pause(1.5) ada:say "/time"
  pause(1.0) bob:say("nobody noticed", ada)
  pause(1.0)
  ticks:close()
  count_answers()
  load.ended = true
  assert(load.failed == 0, "requests have failed")
  local seconds = now() + AFTERWARDS
  ada.conn:close()
  bob.conn:close()
  return film:svg(seconds)
end

local ok, svg = xpcall(play, debug.traceback)
load.ended = true
server.stop()
if ok then assert(fs.write(OUTPUT, svg)) else io.stderr:write("demo: ", svg, "\n") end
os.exit(ok and 0 or 1, true)
