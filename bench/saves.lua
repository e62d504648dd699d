-- Changes a service while it is under load, and prints what became of it, one
-- "NAME NUMBER..." a line: neap bench/saves.lua NAME=VALUE...
--
-- port, port2  of the service, and of the server that goes away at the end
-- pid          of the service
-- file, ticks  its source, and the file that its interval writes to
-- saves, more  how many: timed, and then for the growth of its memory
-- proto        "line" or "http"
-- hup          "yes": SIGHUP after each save
-- renames      "yes": every other save is a file that is renamed over it
--
-- 20 connections ask all the time, each again 5 ms after an answer; and each
-- 5 ms a new connection asks once. An answer is "version V lines N".
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"

local CONNECTIONS, PAUSE = 20, 0.005
local PATIENCE = 2 -- seconds: for an answer, and for a version to come
local GIVE_UP = 3 -- versions that nobody sees
local WARM_UP, SETTLE, WINDOW = 1, 0.3, 0.5

local options = {}
for _, word in ipairs(arg) do
  local name, value = word:match "^(%w+)=(.*)$"
  options[name] = math.tointeger(tonumber(value)) or value
end

local QUESTION = options.proto == "http"
    and "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" or "?\n"
local address = "127.0.0.1:" .. options.port

local answers, failed, refused, dropped, back = 0, 0, 0, 0, 0
local lines = 0 -- the most that an answer has counted
local seen = {} -- version -> { at = when it answered first, lines = }
local asking = true

-- ---- the load -----------------------------------------------------------------

-- The version that answers, and the lines it has counted; or nil.
local function ask(conn)
  if not conn:write(QUESTION) then return end
  local deadline = timer.monotonic() + PATIENCE
  while true do
    local left = deadline - timer.monotonic()
    local line = left > 0 and conn:read("l", { timeout = left })
    if not line then return end
    local version, count = line:match "^version (%d+) lines (%d+)"
    if version then return tonumber(version), tonumber(count) end
  end
end

local function note(version, count)
  answers = answers + 1
  seen[version] = seen[version] or { at = timer.monotonic(), lines = count }
  if count > lines then lines = count end
end

local function connect()
  local conn = net.connect(address, { timeout = PATIENCE })
  if not conn then failed, refused = failed + 1, refused + 1 end
  return conn
end

-- Asks until the service ends the connection; or we do.
local function keep_asking(conn, slot)
  while asking do
    local version, count = ask(conn)
    if not version then return false end
    note(version, count)
    if slot.version and version < slot.version then back = back + 1 end
    slot.version = version
    timer.sleep(PAUSE)
  end
  return true
end

local slots = {}

local function member(slot)
  while asking do
    local conn <close> = connect()
    if conn and not keep_asking(conn, slot) then
      slot.dropped = true
      failed, dropped = failed + 1, dropped + 1
    end
    timer.sleep(PAUSE)
  end
end

local function visit()
  local conn <close> = connect()
  if not conn then return end
  local version, count = ask(conn)
  if version then note(version, count) else failed = failed + 1 end
end

local function start_load()
  for i = 1, CONNECTIONS do
    slots[i] = {}
    neap.go(member, slots[i])
  end
  timer.every(PAUSE, function() neap.go(visit) end)
end

-- ---- the source ----------------------------------------------------------------

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local source = read(options.file)

local function save(version)
  local text = source:gsub("VERSION = %d+", "VERSION = " .. version)
  local began = timer.monotonic()
  if options.renames == "yes" and version % 2 == 0 then
    write(options.file .. ".new", text)
    began = timer.monotonic()
    assert(os.rename(options.file .. ".new", options.file))
  else
    write(options.file, text)
  end
  if options.hup == "yes" then os.execute("kill -HUP " .. options.pid) end
  return began
end

-- When it has answered, or nil. The counting of lines goes on, or not.
local lost = 0

local function save_and_wait(version)
  local before = lines
  local began = save(version)
  while not seen[version] and timer.monotonic() < began + PATIENCE do timer.sleep(0.001) end
  if not seen[version] then return end
  if seen[version].lines < before then lost = lost + 1 end
  return seen[version].at - began
end

-- ---- what is found -----------------------------------------------------------------

-- All of the process and its children, KiB.
local function memory(pid)
  local sum = tonumber(read(("/proc/%s/status"):format(pid)):match "VmRSS:%s*(%d+)")
  for child in read(("/proc/%s/task/%s/children"):format(pid, pid)):gmatch "%d+" do
    local ok, more = pcall(memory, child) -- it may have ended meanwhile
    sum = sum + (ok and more or 0)
  end
  return sum
end

-- How many versions tick beside the newest that does.
local function count_old_timers()
  local skip = #read(options.ticks)
  timer.sleep(WINDOW)
  local known, count = {}, 0
  for tick in read(options.ticks):sub(skip + 1):gmatch "%d+" do
    if not known[tick] then known[tick], count = true, count + 1 end
  end
  assert(count > 0, "the interval has stopped")
  return count - 1
end

-- Connections that are still those of the beginning, and get this version.
local function count_kept(version)
  local count = 0
  for _, slot in ipairs(slots) do
    if not slot.dropped and slot.version == version then count = count + 1 end
  end
  return count
end

-- Of 20 requests to the second server, how many are answered.
local function ask_second()
  local count = 0
  for _ = 1, 20 do
    local conn <close> = net.connect("127.0.0.1:" .. options.port2, { timeout = PATIENCE })
    if conn and ask(conn) then count = count + 1 end
  end
  return count
end

-- ---- the run ------------------------------------------------------------------------

local function main()
  start_load()
  timer.sleep(WARM_UP)
  assert(ask_second() == 20, "the second server does not answer")

  local version, times = 0, {}
  for _ = 1, options.saves do
    version = version + 1
    times[#times + 1] = save_and_wait(version)
    timer.sleep(0.1 + math.random() * 0.1)
  end
  timer.sleep(SETTLE)
  for i, seconds in ipairs(times) do times[i] = ("%.3f"):format(seconds * 1000) end
  print("ms " .. table.concat(times, " "))
  print("missed " .. options.saves - #times)
  print("failed " .. failed)
  print("refused " .. refused)
  print("dropped " .. dropped)
  print("back " .. back)
  print("answers " .. answers)
  print("kept " .. count_kept(version))
  print("state " .. (#times > 0 and lost == 0 and 1 or 0))
  print("timers " .. count_old_timers())

  local before, unseen = memory(options.pid), 0
  for _ = 1, options.more do
    version = version + 1
    if not save_and_wait(version) then unseen = unseen + 1 end
    if unseen == GIVE_UP then break end
    timer.sleep(0.02)
  end
  timer.sleep(SETTLE)
  if unseen == 0 then print("growth " .. memory(options.pid) - before) end

  source = source:gsub("[^\n]*second server\n.-\n[^\n]*end\n", "", 1)
  version = version + 1
  local live = save_and_wait(version)
  timer.sleep(SETTLE)
  if live then print("ghosts " .. ask_second()) end
end

-- The load would keep it alive.
local ok, message = pcall(main)
if not ok then io.stderr:write("saves: ", tostring(message), "\n") end
os.exit(ok and 0 or 1, true)
