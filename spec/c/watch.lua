-- What is told of files, however they are saved. Run by spec/c/watch.c, which
-- gives it `sys`, `open`, `core`, `load_watch` and `fingerprints`; with a name it
-- runs only the tests whose names contain it. What happens before a wait is told
-- by it: so most of these tests need no second task, and no time but the quiet.
--
-- The tests are in spec/c/watch/, a file a theme; each has a directory of its own.
local neap = require "neap"
local sys, open, core, load_watch, fingerprints = sys, open, core, load_watch, fingerprints -- luacheck: ignore 113
local wanted = ...

local LIMIT = 20 -- seconds: longer than any machine takes
local is_linux = core.notifier(true) ~= nil
local home = sys.getcwd()
local root = os.tmpname()
os.remove(root)
sys.mkdir(root)

local tests, count = {}, 0

local function test(name, fn)
  tests[#tests + 1] = { name = name, fn = fn }
end

-- ---- files -------------------------------------------------------------------

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local function replace(path, text)
  write(path .. ".new~", text)
  assert(os.rename(path .. ".new~", path))
end

local function remove_all(path)
  os.execute(("rm -rf '%s'"):format(path))
end

-- ---- what is expected --------------------------------------------------------

local function equal(expected, got)
  if expected ~= got then error(("expected %s, got %s"):format(expected, got), 2) end
end

local function list_of(list)
  return list and table.concat(list, " ") or nil
end

-- The next burst is about exactly these files.
local function expect(watcher, ...)
  local list, message = neap.deadline(LIMIT, watcher.wait, watcher)
  if not list then error(message, 2) end
  equal(table.concat({ ... }, " "), list_of(list))
end

-- Nothing has been told before this.
local function expect_nothing(watcher, sentinel)
  replace(sentinel, "sentinel")
  expect(watcher, sentinel)
end

-- Until they are told of, one burst after the other.
local function expect_soon(watcher, path)
  repeat
    local list = assert(neap.deadline(LIMIT, watcher.wait, watcher))
    for _, changed in ipairs(list) do
      if changed == path then return end
    end
  until false
end

local function watch(paths, options)
  local watcher = open(options)
  assert(watcher:set(paths))
  equal(options ~= nil and options.poll ~= nil, watcher.polling)
  return watcher
end

-- How many directories this process watches.
local function count_watches()
  local all = 0
  for fd = 0, 200 do
    local file <close> = io.open("/proc/self/fdinfo/" .. fd)
    for line in file and file:lines() or function() end do
      if line:find("^inotify wd") then all = all + 1 end
    end
  end
  return all
end

-- ---- all of them -------------------------------------------------------------

local kit = {
  LIMIT = LIMIT, root = root, test = test,
  sys = sys, open = open, core = core, load_watch = load_watch, fingerprints = fingerprints,
  write = write, replace = replace, remove_all = remove_all, watch = watch, count_watches = count_watches,
  equal = equal, list_of = list_of, expect = expect, expect_nothing = expect_nothing, expect_soon = expect_soon,
}

local function add(part)
  assert(loadfile(("spec/c/watch/%s.lua"):format(part)))(kit)
end

if is_linux then
  add "saving"
  add "ways"
  add "lost"
end
add "calls"

local ok, message = pcall(function()
  for _, one in ipairs(tests) do
    if not wanted or one.name:find(wanted, 1, true) then
      sys.mkdir(root .. "/tree")
      sys.chdir(root .. "/tree")
      local passed, text = xpcall(one.fn, debug.traceback)
      sys.chdir(home)
      remove_all(root .. "/tree")
      if not passed then error(one.name .. ": " .. tostring(text), 0) end
      count = count + 1
    end
  end
end)
remove_all(root)
assert(ok, message)
print(("watch: %d tests"):format(count))
