-- watchrun.lua: runs a command, and again whenever something has changed.
-- neap scripts/watchrun.lua [PATH...] -- COMMAND [ARGUMENT...]
-- Try it: neap scripts/watchrun.lua scripts -- luacheck scripts
--
-- A run that is still going when something changes is cancelled, with all that it has started.
local neap, fs, process = require "neap", require "neap.fs", require "neap.process"

local USAGE = [[
usage: neap scripts/watchrun.lua [--gather SECONDS] [--ignore PATTERN] [PATH...] -- COMMAND [ARGUMENT...]
  PATH                files and directories, with all in them (default: .)
  --gather SECONDS    changes within so much time are one (default: 0.1)
  --ignore PATTERN    a Lua pattern of paths that do not matter (beside .git); may be repeated
]]

local function fail(text)
  neap.stderr:write("watchrun: " .. text .. "\n" .. USAGE)
  os.exit(2)
end

-- ---- the command line -----------------------------------------------------------------------------------------------

local paths, ignored, gather, i = {}, {}, 0.1, 1
local function value(option)
  i = i + 1
  return neap.args[i] or fail(option .. " needs a value")
end

while neap.args[i] and neap.args[i] ~= "--" do
  local argument = neap.args[i]
  if argument == "--gather" then
    gather = tonumber(value(argument))
    if not gather or gather < 0 then fail "--gather needs a number of seconds" end
  elseif argument == "--ignore" then
    ignored[#ignored + 1] = value(argument)
    if not pcall(string.find, "", ignored[#ignored]) then fail("this is no pattern: " .. ignored[#ignored]) end
  elseif argument:find "^%-." then
    fail("unknown option " .. argument)
  else
    paths[#paths + 1] = argument
  end
  i = i + 1
end
local command = table.move(neap.args, i + 1, #neap.args, 1, {})
if #command == 0 then fail "which command? It stands behind --" end
if #paths == 0 then paths[1] = "." end

local function matters(path)
  if ("/" .. path .. "/"):find("/.git/", 1, true) then return false end
  for _, pattern in ipairs(ignored) do
    if path:find(pattern) then return false end
  end
  return true
end

-- ---- running --------------------------------------------------------------------------------------------------------

local function say(text, ...)
  neap.stderr:write("watchrun: " .. text:format(...) .. "\n")
end

local last -- the process of the last run

-- As a task: cancelled, it ends the command, which it closes.
local function run()
  local child <close>, message = process.spawn(command, { stdin = "null", stdout = "inherit", stderr = "inherit" })
  if not child then return say("%s", message) end
  last = child
  local status, signal = child:wait()
  if signal then
    say("%s was ended by SIG%s", command[1], signal)
  elseif status ~= 0 then
    say("%s has failed with %d", command[1], status)
  end
end

local current

local function run_again(path)
  local was_going = current:cancel()
  say("%s has changed%s", path, was_going and ": cancelled" or "")
  current:join()
  if last then last:wait() end -- it has been asked to end, and may take its time
  current = neap.go(run)
end

local is_restarting = false
local function on_change(change)
  -- Before the first run, or between two: the one that is to begin will see it.
  if not current or is_restarting or not matters(change.path) then return end
  is_restarting = true
  run_again(change.path)
  is_restarting = false
end

-- First: so that nothing is missed that happens while the first run goes on.
for _, path in ipairs(paths) do
  local watcher, message = fs.watch(path, { recursive = true, gather = gather }, on_change)
  if not watcher then
    neap.stderr:write("watchrun: " .. message .. "\n")
    os.exit(1)
  end
end
current = neap.go(run)
neap.ready()
