-- Checks what the compiler cannot: that the floors of the house stay apart
-- (host/ below modules/ below cli/), that no module reaches into another one,
-- and that a C file stays one concept: short, and with its idea written on top.
-- Runs under neap and plain Lua, from the root of the repository.

local rank = { host = 1, modules = 2, cli = 3 }
local WARN_LINES, MAX_LINES = 400, 500

local failures = 0

local function fail(format, ...)
  failures = failures + 1
  io.stderr:write(format:format(...), "\n")
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

-- modules/net/tcp.c and modules/net.h belong to the module "net".
local function module_of(path)
  return path:match("^modules/([^/.]+)")
end

-- What all modules may include: where they are declared.
local COMMON = "modules/modules.h"

local function check_include(path, line, target)
  local beside = path:match("^(.*/)") .. target
  if exists(beside) then target = beside end
  local from, to = path:match("^[^/]+"), target:match("^[^/]+")
  if not rank[to] then return end -- a library's header
  if rank[to] > rank[from] then
    fail("%s:%d: %s/ includes %s, which is above it", path, line, from, target)
  elseif from == "modules" and to == "modules" and target ~= COMMON
    and path ~= "modules/modules.c" and module_of(path) ~= module_of(target) then
    fail("%s:%d: a module includes another one's %s (what two share belongs into host/)", path, line, target)
  end
end

local function check(path)
  local text = read(path)
  local opening = text:match("^/%*(.-)%*/") or text:match("^//([^\n]*)") or ""
  if select(2, opening:gsub("%a+", "")) < 5 then
    fail("%s:1: does not begin with a comment that says what it is", path)
  end
  local number = 0
  for line in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local target = line:match('^%s*#%s*include%s*[<"]([^">]+)[">]')
    if target then check_include(path, number, target) end
  end
  if number > MAX_LINES then
    fail("%s: %d lines are more than one concept (limit %d)", path, number, MAX_LINES)
  elseif number > WARN_LINES then
    io.stderr:write(("%s: warning: %d lines, aim at %d\n"):format(path, number, WARN_LINES))
  end
end

local files = {}
local list <close> = assert(io.popen("find host modules cli -name '*.[ch]' 2>/dev/null"))
for path in list:lines() do files[#files + 1] = path end
table.sort(files)
for _, path in ipairs(files) do check(path) end

if failures > 0 then os.exit(1) end
print(("floors: %d files in their place"):format(#files))
