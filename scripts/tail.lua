-- tail.lua: prints the end of files, and what is added to them, through rotation.
-- neap scripts/tail.lua [-n LINES] FILE...
--
-- A file may be missing, be renamed, replaced or cut off: it is followed by its name. What was written to the old one
-- before the new one came is printed first. A reader who is slow is waited for: nothing piles up here.
local neap, fs = require "neap", require "neap.fs"

local BLOCK = 64 * 1024 -- bytes that are read at once
local LINE_LIMIT = 1024 * 1024 -- bytes: a longer one is printed in parts

local USAGE = [[
usage: neap scripts/tail.lua [-n LINES] FILE...
  -n LINES    so many lines of each file first (default: 10)
]]

local function fail(text)
  neap.stderr:write("tail: " .. text .. "\n" .. USAGE)
  os.exit(2)
end

local paths, lines, i = {}, 10, 1
while neap.args[i] do
  local argument = neap.args[i]
  if argument == "-n" then
    i = i + 1
    lines = math.tointeger(tonumber(neap.args[i] or ""))
    if not lines or lines < 0 then fail "-n needs a number of lines" end
  elseif argument:find "^%-." then
    fail("unknown option " .. argument)
  else
    paths[#paths + 1] = argument
  end
  i = i + 1
end
if #paths == 0 then fail "which file?" end

local function note(path, text)
  neap.stderr:write(("tail: %s: %s\n"):format(path, text))
end

-- ---- printing -------------------------------------------------------------------------------------------------------

local printed -- the path that was printed last

local function print_from(path, text)
  local title = #paths > 1 and printed ~= path and ("%s==> %s <==\n"):format(printed and "\n" or "", path) or ""
  printed = path
  if not neap.stdout:write { title, text } then os.exit(0) end -- nobody reads any more
end

-- With several files only whole lines are printed, or two files would be mixed within one.
local function add(follower, text)
  if #paths == 1 then return print_from(follower.path, text) end
  text = follower.rest .. text
  local last = #text > LINE_LIMIT and #text or (text:find "\n[^\n]*$" or 0)
  follower.rest = text:sub(last + 1)
  if last > 0 then print_from(follower.path, text:sub(1, last)) end
end

-- ---- one file -------------------------------------------------------------------------------------------------------

-- Where its last `lines` lines begin: read backwards, block by block.
local function find_end(file, size)
  local at, missing = size, lines
  if missing == 0 then return size end
  while at > 0 do
    local from = math.max(0, at - BLOCK)
    local block = file:pread(at - from, from) or "" -- it may have been cut off meanwhile
    for place = #block, 1, -1 do
      local is_last = from + place == size -- it ends the last line: there is none behind it
      if block:byte(place) == 10 and not is_last then
        missing = missing - 1
        if missing == 0 then return from + place end
      end
    end
    at = from
  end
  return 0
end

local function open(follower, from_end)
  local file, message, code = fs.open(follower.path)
  if not file then
    if code ~= follower.failure then note(follower.path, message:match ": (.*)$" or message) end
    follower.failure = code
    return
  end
  if assert(file:stat()).kind ~= "file" then -- a pipe, a terminal: these have no end to be seen
    file:close()
    note(follower.path, "is no file")
    os.exit(1)
  end
  if follower.failure then note(follower.path, "is there") end
  follower.file, follower.failure = file, nil
  follower.at = from_end and find_end(file, assert(file:stat()).size) or 0
end

-- Prints what is there.
local function drain(follower)
  while true do
    local text, message = follower.file:pread(BLOCK, follower.at)
    if message then error(message, 0) end
    if not text then return end
    follower.at = follower.at + #text
    add(follower, text)
  end
end

-- True: the name now belongs to another file.
local function is_replaced(follower)
  local now, old = fs.stat(follower.path), assert(follower.file:stat())
  if now and now.ino == old.ino and now.dev == old.dev then
    if now.size < follower.at then
      note(follower.path, "was cut off")
      follower.at = 0
      drain(follower)
    end
    return false
  end
  return now ~= nil -- until there is a new one the old one may still be written
end

local function look(follower)
  if not follower.file then open(follower, false) end
  if not follower.file then return end
  drain(follower)
  while is_replaced(follower) do
    drain(follower) -- what was added after we had looked, and before it was replaced
    follower.file:close()
    follower.file = nil
    note(follower.path, "was replaced")
    open(follower, false)
    if not follower.file then return end
    drain(follower)
  end
end

local function follow(path)
  local follower = { path = path, rest = "" }
  local watcher <close> = assert(fs.watch(path)) -- first, so that nothing happens between looking and watching
  open(follower, true)
  look(follower)
  for _ in watcher:changes() do look(follower) end
end

neap.group(function(group)
  for _, path in ipairs(paths) do group:go(follow, path) end
end)
