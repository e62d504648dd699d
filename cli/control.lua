-- The server of the control socket. It runs in the root realm, in tasks of the root generation, and so outlives every
-- version of the program. Each request is an event: nothing waits between them, so an idle or silent client has no
-- task; and nothing here keeps a finished program alive.
local control = ...
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local date = os.date

local ROOT = 0 -- the generation of our own tasks
local REQUEST_MOST, REQUEST_SECONDS = 64, 5
local ANSWER_SECONDS = 30
local RETRY_SECONDS = 1

local function warn(message)
  io.stderr:write("neap: ", message, ": neap ps, status and reload will not find this program\n")
end

-- ---- what is told ---------------------------------------------------------------------------------------------------

-- Names, paths and errors are anybody's; they shall not play with the terminal (see answer) or with our lines.
local function clean(value)
  return (tostring(value):gsub("%c", "?"))
end

-- The lines after the first are set in.
local function indent(text)
  return (text:gsub("%s+$", ""):gsub("\n", "\n  "))
end

-- As ps shows it: 05:42, 01:05:42, 12-01:05:42.
local function uptime()
  local seconds = math.floor(control.uptime())
  local text = ("%02d:%02d"):format(seconds // 60 % 60, seconds % 60)
  local hours = seconds // 3600
  if hours == 0 then return text end
  text = ("%02d:%s"):format(hours % 24, text)
  return hours < 24 and text or ("%d-%s"):format(hours // 24, text)
end

local function count_tasks()
  local count = 0
  for _, task in ipairs(neap.tasks()) do
    if task.generation ~= ROOT then count = count + 1 end
  end
  return count
end

-- "task 5 (connection) at app.lua:12"
local function holders(generation)
  local list = {}
  for _, task in ipairs(generation.tasks) do
    list[#list + 1] = ("task %s (%s) at %s"):format(task.id, task.name, task.where or "?")
  end
  for _, handle in ipairs(generation.handles) do
    list[#list + 1] = ("%s of %s"):format(handle.kind, handle.where or "?")
  end
  return #list > 0 and table.concat(list, ", ") or "nothing"
end

local requests = {}

function requests.ps()
  local fields = { control.pid, control.name, control.reload().status().generation or "-", uptime(), count_tasks(),
    control.connections(), control.script }
  for i, field in ipairs(fields) do fields[i] = clean(field) end
  return true, table.concat(fields, "\t")
end

function requests.status()
  local status = control.reload().status()
  local lines = {}
  local function add(name, value) lines[#lines + 1] = name .. ": " .. value end
  local function add_list(name, list)
    if #list > 0 then add(name, clean(table.concat(list, ", "))) end
  end
  add("pid", control.pid)
  add("name", clean(control.name))
  add("script", clean(control.script))
  add("generation", status.generation or "none") -- the first one cannot be loaded, and is watched
  add("uptime", uptime())
  add("live since", date("%Y-%m-%d %H:%M:%S", status.since // 1 | 0))
  add("why", clean(status.why))
  add("tasks", count_tasks())
  add("connections", control.connections())
  add("reloads", status.reloads)
  add("failed reloads", status.failures)
  if status.error then add("last error", indent(status.error)) end
  add("watching", status.watching and ("%d files"):format(status.files or 0) or "no")
  for _, generation in ipairs(status.generations) do
    if generation.state == "draining" then
      add("draining", ("generation %d, held by %s"):format(generation.id, clean(holders(generation))))
    elseif generation.state == "preparing" then
      add("preparing", ("generation %d"):format(generation.id))
    end
  end
  for _, pin in ipairs(status.pins) do
    add("pinned", ("generation %s, by %s"):format(pin.generation, clean(pin.path)))
  end
  add_list("state kept", status.state)
  add_list("handles kept", status.kept)
  add_list("restart needed", status.restart)
  return true, table.concat(lines, "\n")
end

function requests.reload()
  return control.reload().request("neap reload")
end

-- ---- one request ----------------------------------------------------------------------------------------------------

local silent = {} -- connection -> when it must have sent its request

local function answer(conn, ok, text)
  if conn.closed then return end
  text = tostring(text or ""):gsub("[\0-\8\11-\31\127]", "?") -- all but tabs and line breaks
  if text ~= "" and text:sub(-1) ~= "\n" then text = text .. "\n" end
  conn:write({ ok and "0\n" or "1\n", text }, { timeout = ANSWER_SECONDS })
  conn:close()
end

local function close_silent()
  local now, next_limit = timer.monotonic(), nil
  for conn, limit in pairs(silent) do
    if limit <= now then
      silent[conn] = nil
      answer(conn, false, "no request came")
    elseif not next_limit or limit < next_limit then
      next_limit = limit
    end
  end
  if next_limit then control.call_after(next_limit - now, close_silent) end
end

local function open(conn)
  control.unref(conn)
  silent[conn] = timer.monotonic() + REQUEST_SECONDS
  control.call_after(REQUEST_SECONDS, close_silent)
end

local function is_ours(conn)
  local peer = conn.credentials
  return peer and (peer.uid == control.uid or peer.uid == 0)
end

local function serve(conn, name)
  if not is_ours(conn) then return answer(conn, false, "this program belongs to another user") end
  local request = requests[name]
  if not request then return answer(conn, false, "unknown request '" .. clean(name) .. "'") end
  local returned, ok, text = pcall(request)
  if not returned then return answer(conn, false, ok) end
  answer(conn, ok, text)
end

local function read(conn, chunk)
  local state = conn.state
  if state.asked then return end
  local text = (state.text or "") .. chunk
  local line = text:match("^[^\n]*")
  if #line > REQUEST_MOST then
    state.asked, silent[conn] = true, nil
    answer(conn, false, "the request is too long")
  elseif #line < #text then
    state.asked, silent[conn] = true, nil
    serve(conn, line)
  else
    state.text = text
  end
end

-- ---- the socket -----------------------------------------------------------------------------------------------------

local directory, problem = control.make()
if not directory then
  if problem then warn(problem) end
  return
end

local path = ("%s/%d.sock"):format(directory, control.pid)

-- Where there is no descriptor for it now, there may be later.
local function listen()
  local server, message, code = net.listen("unix:" .. path, {
    open = open,
    data = read,
    close = function(conn) silent[conn] = nil end,
  })
  if server then
    control.unref(server)
    control.protect(path)
  elseif code == "EMFILE" or code == "ENFILE" then
    control.call_after(RETRY_SECONDS, listen)
  else
    warn(message)
  end
end

listen()
