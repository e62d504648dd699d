-- `neap ps`, `neap status`, `neap reload`: asks programs that run, over their control sockets (cli/control.h). A socket
-- is trusted only if the process it is named after serves it, and that is our user's or root's.
local run, command, target = ... -- run: what cli/rundir.h lists
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"

local PS_SECONDS, STATUS_SECONDS, CONNECT_SECONDS = 2, 5, 5
local PID_DIGITS = 10

-- Who is interrupted has not done what was asked.
local finished = false
local _ <close> = setmetatable({}, { __close = function()
  if not finished then os.exit(130) end
end })

local function finish(code)
  finished = true
  os.exit(code)
end

local function fail(text)
  io.stderr:write("neap: ", text, "\n")
  finish(1)
end

-- ---- one program ----------------------------------------------------------------------------------------------------

-- A socket that refuses has been left behind by a process that was killed; but one that is just being opened refuses
-- for a moment, too.
local function open(path)
  local address, options = "unix:" .. path, { timeout = CONNECT_SECONDS }
  local conn, message, code = net.connect(address, options)
  if code == "ECONNREFUSED" then
    timer.sleep(0.02)
    conn, message, code = net.connect(address, options)
    if code == "ECONNREFUSED" then run.remove(path) end
  end
  if conn then return conn end
  if code == "ECONNREFUSED" or code == "ENOENT" then return nil end
  return nil, message
end

-- A connection; nil where no such program runs; nil and a message.
local function connect(program)
  local path = ("%s/%s.sock"):format(program.directory, program.pid)
  local conn, message = open(path)
  if not conn then return nil, message end
  local peer = conn.credentials
  if not peer then
    message = path .. ": it is not known who serves it"
  elseif peer.uid ~= run.uid and peer.uid ~= 0 then
    message = path .. " is served by another user"
  elseif peer.pid and tostring(peer.pid) ~= program.pid then
    message = ("%s is served by another process, %d"):format(path, peer.pid)
  else
    return conn
  end
  conn:close()
  return nil, message
end

-- Whether it went well, and what to print. nil, message, code: there is no answer. nil: nor a program.
local function ask(program, request, seconds)
  local conn <close>, message = connect(program)
  if not conn then return nil, message end
  conn:write(request .. "\n")
  local text, why, code = conn:read("a", { timeout = seconds })
  if code == "ETIMEDOUT" then return nil, why, code end
  local status, rest = (text or ""):match("^([01])\n(.*)$")
  if not status then return nil, "it ended without an answer", "EOF" end
  return status == "0", rest
end

-- ---- all programs ---------------------------------------------------------------------------------------------------

local function find_all()
  local directories, problem = run.find()
  if not directories then fail(problem) end
  local programs = {}
  for _, directory in ipairs(directories) do
    for _, file in ipairs(run.list(directory)) do
      local pid = file:match("^([1-9]%d*)%.sock$")
      if pid and #pid <= PID_DIGITS then programs[#programs + 1] = { pid = pid, directory = directory } end
    end
  end
  table.sort(programs, function(a, b) return tonumber(a.pid) < tonumber(b.pid) end)
  return programs
end

-- Asked all at once. Each is given its row, a list of fields, or `silent`, or a `problem`; those that do not run any
-- more are left out.
local function ask_all()
  local programs, found = find_all(), {}
  neap.group(function(group)
    for _, program in ipairs(programs) do
      group:go(function()
        local ok, text, code = ask(program, "ps", PS_SECONDS)
        if ok then
          program.row = {}
          for field in text:gmatch("[^\t\n]+") do table.insert(program.row, field) end
        elseif code == "ETIMEDOUT" then
          program.silent = true
        elseif code ~= "EOF" then
          program.problem = text
        end
      end)
    end
  end)
  for _, program in ipairs(programs) do
    if program.row or program.silent or program.problem then found[#found + 1] = program end
  end
  return found
end

local function list_pids(programs)
  local pids = {}
  for i, program in ipairs(programs) do pids[i] = program.pid end
  return table.concat(pids, ", ")
end

local function find_name()
  local named, silent = {}, {}
  for _, program in ipairs(ask_all()) do
    if program.row and program.row[2] == target then named[#named + 1] = program end
    if program.silent then silent[#silent + 1] = program end
  end
  if #named > 1 then
    fail(("%d programs are called '%s': %s; say which by its PID"):format(#named, target, list_pids(named)))
  elseif #named == 0 and #silent > 0 then
    fail(("no program called '%s' has answered; these are busy: %s"):format(target, list_pids(silent)))
  elseif #named == 0 then
    fail(("no program called '%s' runs here (see neap ps)"):format(target))
  end
  return named[1]
end

-- ---- the commands ---------------------------------------------------------------------------------------------------

local columns = { "PID", "NAME", "GENERATION", "UPTIME", "TASKS", "CONNECTIONS", "SCRIPT" }
local on_left = { NAME = true, SCRIPT = true }

local function width(text)
  return utf8.len(text) or #text
end

local function pad(text, size, left)
  local space = (" "):rep(size - width(text))
  return left and text .. space or space .. text
end

local function print_table(rows)
  local sizes = {}
  for _, row in ipairs(rows) do
    for i = 1, #columns do sizes[i] = math.max(sizes[i] or 0, width(row[i])) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i, column in ipairs(columns) do cells[i] = pad(row[i], sizes[i], on_left[column]) end
    print((table.concat(cells, "  "):gsub(" +$", "")))
  end
end

local function ps()
  local rows = { columns }
  for _, program in ipairs(ask_all()) do
    if program.row and #program.row == #columns then
      rows[#rows + 1] = program.row
    elseif program.problem then
      io.stderr:write("neap: ", program.problem, "\n")
    else
      rows[#rows + 1] = { program.pid, "?", "-", "-", "-", "-", "(does not answer)" }
    end
  end
  print_table(rows)
  finish(0)
end

local function ask_program(program)
  local ok, text, code = ask(program, command, command == "status" and STATUS_SECONDS or nil)
  if code == "EOF" then
    fail(command == "reload" and "the program ended while reloading" or "the program ended before it answered")
  elseif code == "ETIMEDOUT" then
    fail(("%s does not answer: it is busy (kill -USR1 %s: it says with what)"):format(program.pid, program.pid))
  elseif ok == nil and text then
    fail(text)
  elseif ok ~= nil then
    local file = ok and io.stdout or io.stderr
    file:write(text)
    finish(ok and 0 or 1)
  end
end

-- Each of these ends the program, if it has found the other one.
local function ask_target()
  if not target:find("^%d+$") then
    ask_program(find_name())
    fail(("the program called '%s' has ended"):format(target))
  end
  local pid = target:gsub("^0+", "")
  for _, program in ipairs(find_all()) do
    if program.pid == pid then ask_program(program) end
  end
  fail(("no program with the PID %s runs here (see neap ps)"):format(target))
end

if command == "ps" then ps() else ask_target() end
