-- A `require` that may wait: what a module does while it loads may wait, so the
-- loader must be called from Lua. A module that two tasks want is loaded once,
-- the second waits for the first. Otherwise as in Lua's loadlib.c.
local current, gate, load_chunk, take_native = ... -- () -> id of the running task; () -> a gate; see require.c
local package, error, type, ipairs, pcall = package, error, type, ipairs, pcall
local concat, setmetatable, tostring = table.concat, setmetatable, tostring
local gmatch, gsub = string.gmatch, string.gsub
local separator = package.config:sub(1, 1)
local loading = {} -- name -> { task = id, gate = gate }
local waits = {} -- id of a task -> the name that it waits for

-- As Lua's, but what it reads is noted, and also what was not there: see chunk.h.
package.searchers[2] = function(name)
  if type(package.path) ~= "string" then error("'package.path' must be a string", 2) end
  local tried = {}
  local file = gsub(gsub(name, "%.", separator), "%%", "%%%%")
  for template in gmatch(package.path, "[^;]+") do
    local path = gsub(template, "%?", file)
    local loader, message = load_chunk(path, name)
    if loader then return loader, path end
    if message then
      error(("error loading module '%s' from file '%s':\n\t%s"):format(name, path, message), 0)
    end
    tried[#tried + 1] = "no file '" .. path .. "'"
  end
  return concat(tried, "\n\t")
end

local C_SEARCHER = 3 -- the first one that finds modules in C

local function find(name)
  local tried = {}
  if type(package.searchers) ~= "table" then error("'package.searchers' must be a table", 4) end
  for i, searcher in ipairs(package.searchers) do
    local ok, loader, where = pcall(searcher, name)
    if not ok then error(loader, 0) end -- and the line it names is not one of ours
    if type(loader) == "function" then
      if i >= C_SEARCHER and type(where) == "string" then loader = take_native(where, loader) end
      return loader, where
    end
    if type(loader) == "string" then tried[#tried + 1] = "\n\t" .. loader end
  end
  error(("module '%s' not found:%s"):format(name, concat(tried)), 4)
end

local function load(name)
  local entry = { task = current(), gate = gate() }
  local _ <close> = setmetatable({}, { __close = function()
    loading[name] = nil
    entry.gate:open()
  end })
  loading[name] = entry
  local loader, where = find(name) -- a searcher may wait, too
  local value = loader(name, where)
  local loaded = package.loaded
  if value ~= nil then loaded[name] = value end
  if loaded[name] == nil then loaded[name] = true end
  return loaded[name], where
end

-- The task that loads it waits, in the end, for one that this task loads.
local function is_circle(name, me)
  while loading[name] do
    if loading[name].task == me then return true end
    name = waits[loading[name].task]
  end
end

local function wait_for(name, me)
  local _ <close> = setmetatable({}, { __close = function() waits[me] = nil end })
  waits[me] = name
  loading[name].gate:wait()
end

-- It is called by a function in C, the `require` that a script sees: as with
-- Lua's, a chunk that ends with `return require "x"` keeps its line.
return function(name)
  if type(name) == "number" then name = tostring(name) end
  if type(name) ~= "string" then
    local got = name == nil and "no value" or type(name)
    error(("bad argument #1 to 'require' (string expected, got %s)"):format(got), 3)
  end
  while not package.loaded[name] and loading[name] do
    if is_circle(name, current()) then error(("loop or previous error loading module '%s'"):format(name), 3) end
    wait_for(name, current())
  end
  local value = package.loaded[name]
  if value then return value end
  return load(name)
end
