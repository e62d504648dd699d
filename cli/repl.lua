-- Reads lines and runs each in a task of its own: it may wait, and what it started goes on while the next one is
-- typed. The end of input is the end of the program. On a terminal lines are edited, results are shown as Lua has them,
-- and Ctrl-C ends the line that runs; from anything else it does as lua does.
local core = ...
local neap = require "neap"
local stdout, stderr = io.stdout, io.stderr
local load, pcall, xpcall, tostring = load, pcall, xpcall, tostring
local traceback, getmetatable, type, exit = debug.traceback, debug.getmetatable, type, os.exit
local getenv, pack, unpack, require, preload = os.getenv, table.pack, table.unpack, require, package.preload
local globals, rawget, rawset = _G, rawget, rawset

local is_terminal = core.is_terminal()
local coloured = is_terminal and (getenv "NO_COLOR" or "") == "" and getenv "TERM" ~= "dumb"

local function part(name, ...)
  return core.load_part(("cli/repl/%s.lua"):format(name))(...)
end

local function complain(text)
  stderr:write("neap: ", text, "\n")
end

-- ---- an editor, where there is one ----------------------------------------------------------------------------------

local editor, history, completer
local viewer -- of results

local function open_editor()
  local why
  if getenv "TERM" == "dumb" or not core.open_editor then return end
  editor, why = core.open_editor()
  if not editor then return complain("lines are not edited: " .. why) end
  history = part("history", core, complain)
  for _, entry in ipairs { history.entries() } do editor:remember(entry) end
end

local function remember(entry)
  if history and history.add(entry) then editor:remember(entry) end
end

-- ---- lines ----------------------------------------------------------------------------------------------------------

local current -- the task of the line that runs, or that completes one
local waiting -- what is waited at for the next line

-- In a task of its own, so that it can be cancelled without us. Returns as pcall does; nothing where it was cancelled.
local function run_task(name, fn, ...)
  current = neap.go(fn, ...)
  current.name = name
  core.interrupt_line(current.id)
  local results = pack(pcall(current.join, current))
  core.interrupt_line(nil)
  local cancelled = current.status == "cancelled"
  current = nil
  if not cancelled then return unpack(results, 1, results.n) end
end

-- It may run an __index of the script: what that does wrong is no concern of the line.
local function answer(text)
  completer = completer or part("complete", viewer)
  local good, insert, list = run_task("complete", completer.complete, text, editor:columns())
  if good then editor:answer(insert, list) else editor:answer() end
end

local function edit_line(prompt, input)
  editor:begin(prompt)
  while true do
    local step, text = editor:step()
    if step == "keys" then
      input:wait()
    elseif step == "complete" then
      answer(text)
    else
      return step, text
    end
  end
end

local function read_plain(prompt, input)
  stdout:write(prompt)
  stdout:flush()
  local line = ""
  repeat
    if input then input:wait() end
    local piece = core.read_input()
    if piece == "" and line == "" then return "end" end
    line = line .. piece
  until piece == "" or piece:sub(-1) == "\n"
  return "line", (line:gsub("\n$", ""))
end

-- Its object is closed after each line, so that a line which reads standard input itself finds nobody there.
local function read_line(prompt)
  local input <close> = core.open_input()
  local _ <close> = setmetatable({}, { __close = function() waiting = nil end })
  waiting = input
  return (editor and input and edit_line or read_plain)(prompt, input)
end

-- One that cannot be shown would end the program.
local function prompt(name, default)
  local good, text = pcall(function() return tostring(globals[name]) end)
  return good and globals[name] ~= nil and text or default
end

-- What a text is: a chunk that returns its value, if it has one. Else nil, what is wrong, and whether more of it would
-- help.
local function compile(text)
  local chunk, wanting = load("return " .. text, "=stdin")
  if chunk then return chunk end
  local statement, message = load(text, "=stdin")
  if statement then return statement end
  return nil, message, message:sub(-5) == "<eof>" or wanting:sub(-5) == "<eof>"
end

-- False at the end. Else a text, which may have grown by what follows it, and its chunk, or nil and what is wrong with
-- it; or nothing, where it was given up.
local function read_chunk()
  local how, text = read_line(prompt("_PROMPT", "> "))
  if how ~= "line" then return how ~= "end" end
  while true do
    local chunk, message, is_open = compile((text:gsub("^%s*=", "return ")))
    if chunk or not is_open then return true, text, chunk, message end
    local line
    how, line = read_line(prompt("_PROMPT2", ">> "))
    if how == "end" then return true, text, nil, message end
    if how == "interrupted" then return true end
    text = text .. "\n" .. line
  end
end

-- ---- what a line has done -------------------------------------------------------------------------------------------

local function has_text(err)
  local meta = getmetatable(err)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

local function to_message(err)
  if type(err) == "string" or type(err) == "number" then return tostring(err) end
  if has_text(err) then
    local good, text = pcall(tostring, err)
    return good and text or "(error object whose __tostring fails)"
  end
  return ("(error object is a %s value)"):format(type(err))
end

-- The traceback ends where our own lines begin.
local function explain(err, level)
  local text = traceback(to_message(err), level or 2)
  return (text:gsub("\n\t%[C%]: in function 'xpcall'\n\tneap:cli/repl%.lua:.*", "\n\t[C]: in ?"))
end

-- On a terminal: what error is, instead of that it is; and no traceback that says nothing but "this line".
local function explain_briefly(err)
  if type(err) == "table" and not has_text(err) then
    err = viewer.show({ width = 80, coloured = false }, 1, { err })
  end
  local text = explain(err, 3):gsub("\n\t%[C%]: in %?$", "")
  return (text:gsub("\nstack traceback:\n\t%[C%]: in function 'error'\n\tstdin:%d+: in main chunk$", "")
    :gsub("\nstack traceback:\n\tstdin:%d+: in main chunk$", "")
    :gsub("\n\tstdin:%d+: in main chunk$", ""))
end

local function show_error(text)
  if coloured then text = ("\27[31m%s\27[0m"):format(text) end
  stderr:write(text, "\n")
end

local function print_all(...)
  local printed, message = pcall(globals.print, ...)
  if not printed then stderr:write("error calling 'print' (", to_message(message), ")\n") end
end

local function show(results)
  if not is_terminal then return print_all(unpack(results, 2, results.n)) end
  local options = { width = editor and editor:columns() or 80, coloured = coloured }
  stdout:write(viewer.show(options, results.n - 1, { unpack(results, 2, results.n) }), "\n")
end

local function run(chunk)
  local results = pack(xpcall(chunk, is_terminal and explain_briefly or explain))
  if not results[1] then
    show_error(results[2])
  elseif results.n > 1 then
    show(results)
  end
end

local function run_line(chunk)
  local good, message = run_task("line", run, chunk)
  if good == nil then
    stdout:write("\n") -- after the ^C that the terminal shows
    show_error("interrupted")
  elseif not good then
    show_error(to_message(message))
  end
end

-- ---- Ctrl-C ---------------------------------------------------------------------------------------------------------

local function answer_interrupts()
  while true do
    core.interrupt_wait()
    if current then
      current:cancel()
    elseif editor and waiting then
      editor:interrupt()
      waiting:wake()
    elseif not editor then
      stdout:write("\n", prompt("_PROMPT", "> "))
      stdout:flush()
    end
  end
end

-- ---- what only lines have -------------------------------------------------------------------------------------------

-- fs, net, timer ... are required when they are first named; help() is loaded when it is first called.
local function add_globals()
  local help
  local function ask(...)
    help = help or part("help", core, coloured)
    help(...)
  end
  if getmetatable(globals) then return end -- a script has its own ideas
  setmetatable(globals, { __index = function(t, key)
    if type(key) ~= "string" then return nil end
    if key == "help" then return ask end
    local name = key == "neap" and key or "neap." .. key
    if not preload[name] then return nil end
    local module = require(name)
    rawset(t, key, module)
    return module
  end })
end

add_globals()
viewer = part("show")
if is_terminal then
  stdout:write("Each line is a task: it may wait. help() says more, Ctrl-D ends the program.\n")
  open_editor()
  core.interrupt_take()
  neap.go(answer_interrupts).name = "interrupts"
end
local _ <close> = editor

while true do
  local more, text, chunk, message = read_chunk()
  if not more then break end
  if text then remember(text) end
  if chunk then
    run_line(chunk)
  elseif text then
    show_error(message)
  end
end
if editor then editor:close() else stdout:write("\n") end
exit(true)
