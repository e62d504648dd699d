-- What is known of busted: when a spec is over, how one is failed. Stock busted's `finally` keeps one function, ours
-- or the spec's: so we listen to the events that busted publishes. Without busted nothing is closed but by hand.
local debug, package = debug, package
local error, ipairs, next, pcall, rawget, rawset, tostring, type =
  error, ipairs, next, pcall, rawget, rawset, tostring, type
local remove = table.remove
local busted = {}

local KEY = "neap.test" -- in busted's table: each file of specs loads this module anew, busted itself is there once
local FIRST = { priority = 1 } -- before those who look at what a spec has left behind

-- The table of the stock module, once its runner has been started.
local function find()
  local module = package.loaded.busted
  return type(module) == "table" and type(module.subscribe) == "function" and module or nil
end

-- ---- closing --------------------------------------------------------------------------------------------------------

-- The newest first, those that came after the first `keep`. All of them, whatever the others do: the first error.
local function close_all(list, keep)
  local failure
  while #list > keep do
    local object = remove(list)
    local ok, err = pcall(object.close, object)
    if not ok then failure = failure or err end
  end
  return failure
end

-- Whether a function on the stack sees a `finally`: only a spec that runs does. For when its start was not heard.
local function in_spec()
  local level = 2
  local info = debug.getinfo(level, "f")
  while info do
    for i = 1, 255 do
      local name, value = debug.getupvalue(info.func, i)
      if not name then break end
      if name == "_ENV" and type(value) == "table" and value.finally then return true end
    end
    level = level + 1
    info = debug.getinfo(level, "f")
  end
  return false
end

-- A callback of busted's returns true as its second value, or those after it are not called.
local function start(module)
  local record = { spec = {}, file = {}, running = false }
  -- As an after_each that fails: an error of the spec itself would be too late for its report.
  local function report(failure, element, parent)
    if failure == nil then return end
    local own = { descriptor = "after_each", name = element.name, trace = element.trace, attributes = {} }
    module.publish({ "error", "after_each" }, own, parent, tostring(failure), element.trace)
  end
  rawset(module, KEY, record)
  module.subscribe({ "test", "start" }, function()
    record.running = true
    return nil, true
  end)
  module.subscribe({ "test", "end" }, function(element, parent)
    record.running = false
    report(close_all(record.spec, 0), element, parent)
    return nil, true
  end, FIRST)
  module.subscribe({ "file", "end" }, function(element)
    report(close_all(record.file, 0), element)
    return nil, true
  end, FIRST)
  return record
end

local function get_record()
  local module = find()
  return module and (rawget(module, KEY) or start(module))
end

-- object:close() will be called when the running spec is over; when its file is, for what is made outside of a spec.
-- Returns the object.
function busted.close_after(object)
  local record = get_record()
  if not record then return object end
  local list = (record.running or in_spec()) and record.spec or record.file
  list[#list + 1] = object
  return object
end

-- How much the running spec has registered; and what came later is closed now.
function busted.registered()
  local record = get_record()
  return record and #record.spec or 0
end

function busted.close_since(count)
  local record = get_record()
  local failure = record and close_all(record.spec, count)
  if failure ~= nil then error(failure, 0) end
end

-- ---- failing --------------------------------------------------------------------------------------------------------

-- As an assertion fails, at the line that `level` says: 1 is the caller of whoever calls this.
function busted.fail(message, level)
  local module = find()
  if module and type(module.fail) == "function" then module.fail(message, level + 2) end
  error(message, level + 2)
end

-- A callable, as busted takes them.
function busted.is_callable(value)
  if type(value) == "function" then return true end
  local metatable = debug.getmetatable(value)
  return metatable ~= nil and type(metatable.__call) == "function"
end

-- A class for `<close>` variables: the stubs and the reference call it by this name.
function busted.class(name, methods)
  methods.__name = name
  methods.__index = methods
  methods.__close = methods.__close or methods.close
  return methods
end

-- Options of ours: unknown keys raise.
function busted.check_options(options, names, level)
  if options == nil then return {} end
  if type(options) ~= "table" then
    error(("bad argument 'options' (table expected, got %s)"):format(type(options)), level + 2)
  end
  for key in next, options do
    local known = false
    for _, name in ipairs(names) do known = known or key == name end
    if not known then error(("unknown option '%s'"):format(tostring(key)), level + 2) end
  end
  return options
end

return busted
