-- Writes plain data as JSON, keys in order, so that two runs can be diffed.
local json = {}

local encode

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n" }

local function string_of(text)
  return '"' .. text:gsub('[%c"\\]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function list_of(list)
  local items = {}
  for i, value in ipairs(list) do items[i] = encode(value) end
  return "[" .. table.concat(items, ",") .. "]"
end

local function object_of(object)
  local keys, items = {}, {}
  for key in pairs(object) do table.insert(keys, key) end
  table.sort(keys)
  for i, key in ipairs(keys) do
    items[i] = string_of(key) .. ":" .. encode(object[key])
  end
  return "{" .. table.concat(items, ",\n") .. "}"
end

function encode(value)
  local kind = math.type(value) or type(value)
  if kind == "string" then return string_of(value) end
  if kind == "integer" or kind == "boolean" then return tostring(value) end
  if kind == "float" then
    local finite = value == value and math.abs(value) < math.huge
    return finite and ("%.6g"):format(value) or "null"
  end
  if kind ~= "table" then error("no JSON for " .. kind) end
  if #value > 0 then return list_of(value) end
  return object_of(value)
end

json.encode = encode

return json
