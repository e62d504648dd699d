-- backup.lua: makes one directory as another one is: copies what is new or has changed.
-- neap scripts/backup.lua [--jobs N] [--dry-run] FROM TO
--
-- Many files are copied at a time. On a terminal a bar shows how far it is; elsewhere there is a line for each file.
-- What only TO has is left alone. What cannot be copied is named, the rest is done, and the exit status is 1.
local neap, fs, timer = require "neap", require "neap.fs", require "neap.timer"

local USAGE = [[
usage: neap scripts/backup.lua [--jobs N] [--dry-run] FROM TO
  --jobs N     so many files at a time (default: 8)
  --dry-run    only say what would be copied
]]

local function fail(text)
  neap.stderr:write("backup: " .. text .. "\n" .. USAGE)
  os.exit(2)
end

local directories, jobs, is_dry, i = {}, 8, false, 1
while neap.args[i] do
  local argument = neap.args[i]
  if argument == "--jobs" then
    i = i + 1
    jobs = math.tointeger(tonumber(neap.args[i] or ""))
    if not jobs or jobs < 1 then fail "--jobs needs a number above 0" end
  elseif argument == "--dry-run" then
    is_dry = true
  elseif argument:find "^%-." then
    fail("unknown option " .. argument)
  else
    directories[#directories + 1] = argument
  end
  i = i + 1
end
if #directories ~= 2 then fail "two directories are needed: from which, to which" end
local from, to = directories[1], directories[2]

-- ---- what is seen of it ---------------------------------------------------------------------------------------------

local BAR = 30 -- columns
local UNITS = { "B", "KB", "MB", "GB", "TB" }
local progress = { files = 0, bytes = 0, all_files = 0, all_bytes = 0, failed = 0 }
local is_terminal = neap.stdout.is_terminal

local function size_text(bytes)
  local unit = 1
  while bytes >= 1000 and unit < #UNITS do
    bytes, unit = bytes / 1000, unit + 1
  end
  return (unit == 1 and "%d %s" or "%.1f %s"):format(bytes, UNITS[unit])
end

local function show_bar()
  local part = progress.all_bytes > 0 and progress.bytes / progress.all_bytes or 1
  local full = math.floor(part * BAR)
  neap.stdout:write(("\r[%s%s] %3d %%  %d of %d files, %s\27[K"):format(("#"):rep(full), ("."):rep(BAR - full),
    math.floor(part * 100), progress.files, progress.all_files, size_text(progress.bytes)))
end

local function say(text)
  neap.stdout:write { is_terminal and "\r\27[K" or "", text, "\n" }
end

local function complain(message)
  progress.failed = progress.failed + 1
  if is_terminal then neap.stdout:write "\r\27[K" end
  neap.stderr:write("backup: " .. message .. "\n")
end

-- ---- many at a time -------------------------------------------------------------------------------------------------

-- Calls fn with each value, and waits for the last call to end; `jobs` of them go on at a time.
local function each(values, fn)
  neap.group(function(group)
    local running = {}
    for index, value in ipairs(values) do
      local oldest = running[index % jobs]
      if oldest then oldest:join() end
      running[index % jobs] = group:go(fn, value)
    end
  end)
end

-- ---- what there is to do --------------------------------------------------------------------------------------------

-- The same file, as far as its size and the second of its last change tell.
local function is_same(entry, copy)
  if not copy or copy.kind ~= entry.stat.kind then return false end
  if copy.kind == "link" then return fs.readlink(entry.from) == fs.readlink(entry.to) end
  return copy.size == entry.stat.size and math.floor(copy.mtime) == math.floor(entry.stat.mtime)
end

local function look(entry)
  local stat, message = fs.lstat(entry.from)
  if not stat then return complain(message) end
  entry.stat = stat
  entry.wanted = entry.kind == "directory" or not is_same(entry, fs.lstat(entry.to))
end

local function find_entries()
  local entries = {}
  local function on_error(_, message) complain(message) end
  for path, kind in assert(fs.walk(from, { on_error = on_error })) do
    local name = path:sub(#from + 1):gsub("^/+", "")
    entries[#entries + 1] = { from = path, to = to .. "/" .. name, kind = kind }
  end
  each(entries, look)
  return entries
end

-- Those of a kind, or of all others; and what the files take.
local function pick(entries, wants_directories)
  local list = {}
  for _, entry in ipairs(entries) do
    if entry.wanted and (entry.kind == "directory") == wants_directories then list[#list + 1] = entry end
  end
  return list
end

-- ---- doing it -------------------------------------------------------------------------------------------------------

-- A link is copied as one, wherever it leads.
local function copy_link(entry)
  local target, message = fs.readlink(entry.from)
  if not target then return nil, message end
  fs.remove(entry.to)
  return fs.symlink(target, entry.to)
end

local function copy(entry)
  local done, message = true, nil
  if not is_dry and entry.kind == "link" then
    done, message = copy_link(entry)
  elseif not is_dry then
    done, message = fs.copy(entry.from, entry.to, { overwrite = true })
  end
  if not done then return complain(message) end
  progress.files = progress.files + 1
  progress.bytes = progress.bytes + entry.stat.size
  if not is_terminal then say(entry.from) end
end

-- Parents come before what is in them. They get their mode and times when all is in them.
local function make_directories(list)
  for _, entry in ipairs(list) do
    local made, message, code = fs.mkdir(entry.to, { mode = 448 }) -- rwx for us alone, until it is full
    if not made and code ~= "EEXIST" then complain(message) end
  end
end

local function finish_directories(list)
  for index = #list, 1, -1 do
    local entry = list[index]
    local done, message = fs.chmod(entry.to, entry.stat.mode)
    if done then done, message = fs.utime(entry.to, entry.stat.atime, entry.stat.mtime) end
    if not done then complain(message) end
  end
end

-- The same for what is not there yet.
local function real_path(path)
  local found, message = fs.realpath(path)
  if found then return found end
  local parent, name = path:match "^(.-)/*([^/]+)/*$"
  if not name then error(message, 0) end -- ""
  return real_path(parent ~= "" and parent or path:find "^/" and "/" or ".") .. "/" .. name
end

local function back_up()
  local root, message = fs.stat(from)
  if not root then error(message, 0) end
  if root.kind ~= "directory" then error(("%s is no directory"):format(from), 0) end
  local source = real_path(from):gsub("/$", "") .. "/"
  if (real_path(to) .. "/"):sub(1, #source) == source then error(("%s lies in %s"):format(to, from), 0) end
  if not is_dry then assert(fs.mkdir(to, { parents = true })) end
  local entries = find_entries()
  local directories_in, files = pick(entries, true), pick(entries, false)
  for _, entry in ipairs(files) do
    progress.all_files, progress.all_bytes = progress.all_files + 1, progress.all_bytes + entry.stat.size
  end
  if not is_dry then make_directories(directories_in) end
  local _ <close> = is_terminal and timer.every(0.1, show_bar) or nil
  each(files, copy)
  if not is_dry then finish_directories(directories_in) end
end

local done, message = pcall(back_up)
if not done then complain(tostring(message)) end
say(("%s %d of %d files, %s%s"):format(is_dry and "would copy" or "copied", progress.files, progress.all_files,
  size_text(progress.bytes), progress.failed > 0 and (", %d failed"):format(progress.failed) or ""))
os.exit(progress.failed == 0)
