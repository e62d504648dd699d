-- A table of strings, numbers, booleans and such tables, as Lua that makes it again.
local format, type = string.format, type

local serialize

local function serialize_table(value)
  local parts = {}
  for key, content in pairs(value) do
    parts[#parts + 1] = "[" .. serialize(key) .. "]=" .. serialize(content)
  end
  return "{" .. table.concat(parts, ",\n") .. "}"
end

function serialize(value)
  if type(value) == "table" then return serialize_table(value) end
  if value == nil then return "nil" end
  return format("%q", value)
end

return serialize
