-- The options of http.file and http.static, checked once, when the handler is made.
local core = ...
local error, find, floor, format, ipairs, lower, pairs, tostring, type =
  error, string.find, math.floor, string.format, ipairs, string.lower, pairs, tostring, type
local answer, checks = core.load "modules/http/files/answer.lua", core.load "modules/http/checks.lua"

local COMMON = { etag = "boolean", headers = "table", immutable = "boolean", max_age = "number" }
local KINDS = {
  file = { type = "string", download = "string or true" },
  static = { types = "table", index = "string or false", list = "boolean or function", precompressed = "boolean",
    dotfiles = "boolean" },
}

-- They say how the body is to be read: nobody else may.
local OURS = { "accept-ranges", "content-encoding", "content-length", "content-range", "etag", "transfer-encoding" }

local function fits(value, expected)
  local kind = type(value)
  if kind == expected then return true end
  if expected == "boolean or function" then return kind == "boolean" or kind == "function" end
  return expected == "string or true" and (kind == "string" or value == true)
    or expected == "string or false" and (kind == "string" or value == false)
end

-- Errors are raised where the function of that name was called: `level`, as seen from who calls this.
local function refuse(name, level, text, ...)
  error(format("bad argument #2 to '%s' (%s)", name, format(text, ...)), level + 1)
end

local function check(name, options, level)
  if options ~= nil and type(options) ~= "table" then
    refuse(name, level, "table expected, got %s", type(options))
  end
  for key, value in pairs(options or {}) do
    local expected = COMMON[key] or KINDS[name][key]
    if not expected then
      refuse(name, level, "unknown option '%s' (there are: %s)", tostring(key), checks.names_of(COMMON, KINDS[name]))
    end
    if not fits(value, expected) then
      refuse(name, level, "option '%s': %s expected, got %s", key, expected, type(value))
    end
  end
end

local function check_line(name, option, value, level)
  if find(value, "[%c\127]") then refuse(name, level + 1, "option '%s': no control bytes", option) end
end

local function check_headers(name, headers, level)
  local own = {}
  for key, value in pairs(headers or {}) do
    if not checks.is_token(key) then
      refuse(name, level, "option 'headers': '%s' is no name of a header", tostring(key))
    end
    if type(value) ~= "string" and type(value) ~= "number" then
      refuse(name, level, "option 'headers': '%s' has a value that is a %s", key, type(value))
    end
    check_line(name, "headers", value, level)
    own[lower(key)] = value
  end
  for _, key in ipairs(OURS) do
    if own[key] then refuse(name, level, "option 'headers': '%s' is that of the file", key) end
  end
  return own
end

local function check_types(name, types, level)
  local own = {}
  for extension, value in pairs(types or {}) do
    if type(extension) ~= "string" or type(value) ~= "string" then
      refuse(name, level, "option 'types': extensions and types are strings")
    end
    check_line(name, "types", value, level)
    own[lower((extension:gsub("^%.", "")))] = value
  end
  return own
end

-- What cache-control says.
local function check_age(name, max_age, immutable, level)
  if max_age == nil then
    if immutable then refuse(name, level, "option 'immutable': only with 'max_age'") end
    return
  end
  if not (max_age >= 0 and max_age <= 1e9) then refuse(name, level, "option 'max_age': 0 to 1e9 seconds") end
  return format("max-age=%d%s", floor(max_age), immutable and ", immutable" or "")
end

local function check_index(name, index, level)
  if index == nil then return "index.html" end
  if not index then return end
  if index == "" or index:find "[/%z]" then refuse(name, level, "option 'index': the name of a file") end
  return index
end

-- What the handler goes by.
return function(name, path, options, level)
  level = level + 1
  if type(path) ~= "string" then
    error(format("bad argument #1 to '%s' (string expected, got %s)", name, type(path)), level)
  end
  if path == "" or path:find "%z" then error(format("bad argument #1 to '%s' (no path)", name), level) end
  check(name, options, level + 1)
  options = options or {}
  if options.type then check_line(name, "type", options.type, level) end
  local download = options.download
  if download == true then download = path:match "[^/]*$" end
  return {
    etag = options.etag ~= false, headers = check_headers(name, options.headers, level + 1),
    cache_control = check_age(name, options.max_age, options.immutable, level + 1), type = options.type,
    types = check_types(name, options.types, level + 1), disposition = download and answer.disposition(download),
    index = check_index(name, options.index, level + 1), list = options.list or false,
    precompressed = options.precompressed == true, dotfiles = options.dotfiles == true,
  }
end
