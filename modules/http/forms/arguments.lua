-- What methods are called with, checked as C does it elsewhere. A method is called by C, which the script has called:
-- its caller is level 3.
local core = ...
local error, find, floor, format, math_type, pairs, type =
  error, string.find, math.floor, string.format, math.type, pairs, type
local go = require "neap".go
local checks = core.load "modules/http/checks.lua"

local function bad(level, index, name, text, ...)
  error(format("bad argument #%d to '%s' (%s)", index, name, format(text, ...)), level + 1)
end

local kinds = {
  flag = { "true or false", function(value) return type(value) == "boolean" end },
  path = { "a path", function(value)
    return type(value) == "string" and value ~= "" and not find(value, "\0", 1, true)
  end },
  size = { "an integer from 0 on", function(value)
    local integer = checks.as_integer(value)
    return integer and integer >= 0 and integer
  end },
  time = { "a number of seconds", function(value) return type(value) == "number" and value >= 0 and value <= 1e9 end },
}

-- A table that nobody else has. `known`: option -> its kind. Level is that of the caller of whoever calls.
local function check_options(level, index, name, options, known)
  local result = {}
  if options == nil then return result end
  if type(options) ~= "table" then bad(level + 1, index, name, "table expected, got %s", type(options)) end
  for key, value in pairs(options) do
    local kind = kinds[known[key]]
    if not kind then bad(level + 1, index, name, "unknown option '%s' (there are: %s)", key, checks.names_of(known)) end
    local good = kind[2](value)
    if not good then bad(level + 1, index, name, "%s must be %s", key, kind[1]) end
    result[key] = math_type(good) and good or value
  end
  return result
end

local function check_callback(level, index, name, callback)
  if callback ~= nil and type(callback) ~= "function" then
    bad(level + 1, index, name, "function expected, got %s", type(callback))
  end
end

-- [options] [callback], of which the first is the argument `index`.
local function check(level, index, name, options, callback, known)
  if type(options) == "function" and callback == nil then options, callback = nil, options end
  check_callback(level + 1, index + 1, name, callback)
  return check_options(level + 1, index, name, options, known), callback
end

local function milliseconds(seconds)
  return seconds and floor(seconds * 1000 + 0.999) or -1
end

-- Waits, or calls back later.
local function run(callback, fn, ...)
  if not callback then return fn(...) end
  return go(function(...) callback(fn(...)) end, ...)
end

return {
  bad = bad, callback = check_callback, check = check, milliseconds = milliseconds, options = check_options, run = run,
}
