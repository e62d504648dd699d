-- What files, forms, middleware and app:request check alike of what they are given.
local concat, find, math_type, next, sort, tointeger, type =
  table.concat, string.find, math.type, next, table.sort, math.tointeger, type

local checks = {}

-- The keys of some tables, for errors.
function checks.names_of(...)
  local list = {}
  for _, known in next, { ... } do
    for name in next, known do list[#list + 1] = name end
  end
  sort(list)
  return concat(list, ", ")
end

-- 1e6 is one, too, as everywhere in Lua; nil: it is none.
function checks.as_integer(value)
  return math_type(value) and tointeger(value) or nil
end

-- The name of a header, say (RFC 9110, 5.6.2).
function checks.is_token(value)
  return type(value) == "string" and find(value, "^[%w!#$%%&'*+.^_`|~-]+$") ~= nil
end

return checks
