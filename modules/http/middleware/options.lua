-- Checks of what middleware is made with. Errors are those of the line that makes it: each check is called by the
-- function that a script calls, and by nobody else.
local core = ...
local error, find, format, gsub, next, sub, tostring, type =
  error, string.find, string.format, string.gsub, next, string.sub, tostring, type
local checks = core.load "modules/http/checks.lua"
local as_integer, is_token, names_of = checks.as_integer, checks.is_token, checks.names_of

local options = { as_integer = as_integer, is_token = is_token }

local function show(value)
  local kind = type(value)
  if kind == "string" then return format('"%s"', gsub(sub(value, 1, 60), "[%c\127-\255]", "?")) end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(value) end
  return "a " .. kind
end

options.show = show

function options.fail(name, text, level)
  error(format("bad argument #1 to '%s' (%s)", name, text), (level or 1) + 2)
end

local function copy(given)
  local own = {}
  for key, value in next, given do own[key] = value end
  return own
end

-- The table of options, or an empty one. A rule is a function that is given the value, and returns what it should be
-- where it is not that; or nil, and the value to be taken instead.
function options.check(name, given, rules)
  if given == nil then return {} end
  if type(given) ~= "table" then options.fail(name, "table expected, got " .. type(given), 2) end
  local own
  for key, value in next, given do
    local rule = rules[key]
    if not rule then
      options.fail(name, format("unknown option %s (there are: %s)", type(key) == "string" and format("'%s'", key)
        or show(key), names_of(rules)), 2)
    end
    local expected, other = rule(value)
    if expected then options.fail(name, format("%s must be %s, not %s", key, expected, show(value)), 2) end
    if other then
      own = own or copy(given)
      own[key] = other
    end
  end
  return own or given
end

-- ---- rules ------------------------------------------------------------------------

function options.flag(value)
  if type(value) ~= "boolean" then return "true or false" end
end

function options.func(value)
  if type(value) ~= "function" then return "a function" end
end

function options.string(value)
  if type(value) ~= "string" then return "a string" end
end

function options.integer(least, most)
  return function(value)
    local integer = as_integer(value)
    if not integer or integer < least or integer > most then
      return format("an integer from %d to %d", least, most)
    end
    return nil, integer
  end
end

-- What may be sent as the value of a header.
function options.is_value(value)
  return type(value) == "string" and not find(value, "[%c]") and not find(value, "^ ") and not find(value, " $")
end

function options.header_name(value)
  if not is_token(value) then return "the name of a header" end
end

-- A list of strings, each of which passes.
function options.list(value, passes)
  if type(value) ~= "table" then return false end
  local count = 0
  for _ in next, value do count = count + 1 end
  if count ~= #value then return false end
  for i = 1, count do
    if not passes(value[i]) then return false, value[i] end
  end
  return true
end

return options
