-- Reads lines and runs each, as lua does, in the main task: a line may wait, and
-- what it started goes on while the next one is typed. The end of input is the
-- end of the program.
local open, read = ...
local stdout, stderr = io.stdout, io.stderr
local load, pcall, xpcall, select, tostring = load, pcall, xpcall, select, tostring
local traceback, getmetatable, type, exit = debug.traceback, debug.getmetatable, type, os.exit
local globals = _G

-- Its object is closed after each line, so that a line which reads standard
-- input itself finds nobody there.
local function read_line(prompt)
  stdout:write(prompt)
  stdout:flush()
  local input <close> = open()
  local line = ""
  repeat
    if input then input:wait() end
    local part = read()
    if part == "" and line == "" then return nil end
    line = line .. part
  until part == "" or part:sub(-1) == "\n"
  return (line:gsub("\n$", ""))
end

local function prompt(name, default)
  local value = globals[name]
  return value == nil and default or tostring(value)
end

-- A statement may go on in the next lines.
local function complete(text)
  while true do
    local chunk, message = load(text, "=stdin")
    if chunk or message:sub(-5) ~= "<eof>" then return chunk, message end
    local line = read_line(prompt("_PROMPT2", ">> "))
    if not line then return nil, message end
    text = text .. "\n" .. line
  end
end

local function read_chunk()
  local line = read_line(prompt("_PROMPT", "> "))
  if not line then return end
  line = line:gsub("^=", "return ")
  local chunk = load("return " .. line .. ";", "=stdin")
  if chunk then return true, chunk end
  return true, complete(line)
end

local function to_message(err)
  if type(err) == "string" or type(err) == "number" then return tostring(err) end
  local meta = getmetatable(err)
  if meta and meta.__tostring then return tostring(err) end
  return ("(error object is a %s value)"):format(type(err))
end

-- The traceback ends where our own lines begin.
local function explain(err)
  local text = traceback(to_message(err), 2)
  return (text:gsub("\n\t%[C%]: in function 'xpcall'\n\tneap:cli/repl%.lua:.*", "\n\t[C]: in ?"))
end

local function show(ok, ...)
  if not ok then
    stderr:write(..., "\n")
  elseif select("#", ...) > 0 then
    local printed, message = pcall(globals.print, ...)
    if not printed then stderr:write("error calling 'print' (", to_message(message), ")\n") end
  end
end

for more, chunk, message in read_chunk do
  if chunk then
    show(xpcall(chunk, explain))
  elseif more then
    stderr:write(message, "\n")
  end
end
stdout:write("\n")
exit(true)
