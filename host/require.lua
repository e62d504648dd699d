-- A `require` that may wait: what a module does while it loads may wait, so the
-- loader must be called from Lua. A module that two tasks want is loaded once,
-- the second waits for the first. Otherwise as in Lua's loadlib.c.
local current, gate = ... -- () -> id of the running task; () -> a gate
local package, error, type, ipairs, concat = package, error, type, ipairs, table.concat
local loading = {} -- name -> { task = id, gate = gate }

local function find(name)
  local tried = {}
  if type(package.searchers) ~= "table" then error("'package.searchers' must be a table", 3) end
  for _, searcher in ipairs(package.searchers) do
    local loader, where = searcher(name)
    if type(loader) == "function" then return loader, where end
    if type(loader) == "string" then tried[#tried + 1] = "\n\t" .. loader end
  end
  error(("module '%s' not found:%s"):format(name, concat(tried)), 3)
end

local function load(name)
  local loader, where = find(name)
  local open = gate()
  loading[name] = { task = current(), gate = open }
  local done <close> = setmetatable({}, { __close = function()
    loading[name] = nil
    open:open()
  end })
  local value = loader(name, where)
  local loaded = package.loaded
  if value ~= nil then loaded[name] = value end
  if loaded[name] == nil then loaded[name] = true end
  return loaded[name], where
end

function require(name)
  if type(name) == "number" then name = tostring(name) end
  if type(name) ~= "string" then
    error(("bad argument #1 to 'require' (string expected, got %s)"):format(name == nil and "no value" or type(name)), 2)
  end
  while not package.loaded[name] and loading[name] do
    if loading[name].task == current() then error(("loop or previous error loading module '%s'"):format(name), 2) end
    loading[name].gate:wait()
  end
  local value = package.loaded[name]
  if value then return value end
  return load(name)
end
