-- Headers that tell a browser what this site never does, so that nobody can make it. What the handler says stands.
local core = ...
local concat, find, format, gsub, lower, next, sort, tostring, type =
  table.concat, string.find, string.format, string.gsub, string.lower, next, table.sort, tostring, type
local options = core.load "modules/http/middleware/options.lua"

-- Those of helmet 8, but for two that plain HTTP cannot keep: strict-transport-security, and the directive
-- upgrade-insecure-requests.
local CSP = {
  ["default-src"] = "'self'", ["base-uri"] = "'self'", ["font-src"] = "'self' https: data:",
  ["form-action"] = "'self'", ["frame-ancestors"] = "'self'", ["img-src"] = "'self' data:",
  ["object-src"] = "'none'", ["script-src"] = "'self'", ["script-src-attr"] = "'none'",
  ["style-src"] = "'self' https: 'unsafe-inline'",
}
local HSTS = "max-age=31536000; includeSubDomains"

local defaults = {
  ["content-security-policy"] = CSP,
  ["cross-origin-opener-policy"] = "same-origin",
  ["cross-origin-resource-policy"] = "same-origin",
  ["origin-agent-cluster"] = "?1",
  ["referrer-policy"] = "no-referrer",
  ["x-content-type-options"] = "nosniff",
  ["x-dns-prefetch-control"] = "off",
  ["x-download-options"] = "noopen",
  ["x-frame-options"] = "SAMEORIGIN",
  ["x-permitted-cross-domain-policies"] = "none",
  ["x-xss-protection"] = "0",
}

-- Sent where they are asked for.
local others = {
  ["content-security-policy-report-only"] = true, ["cross-origin-embedder-policy"] = true,
  ["permissions-policy"] = true, ["reporting-endpoints"] = true, ["strict-transport-security"] = true,
}

local function is_policy(name)
  return name == "content-security-policy" or name == "content-security-policy-report-only"
end

-- ---- the value of one header ------------------------------------------------------

-- default-src first, so that it can be read; a directive that is true has no value.
local function policy(given)
  local all, names = {}, {}
  for name, value in next, CSP do all[name] = value end
  for name, value in next, given do all[name] = value end
  for name, value in next, all do
    if value then names[#names + 1] = name end
  end
  sort(names, function(a, b)
    if (a == "default-src") ~= (b == "default-src") then return a == "default-src" end
    return a < b
  end)
  for i, name in next, names do
    names[i] = all[name] == true and name or name .. " " .. all[name]
  end
  return concat(names, "; ")
end

local function is_directive(name, value)
  if type(name) ~= "string" or not find(name, "^[%l-]+$") then return false end
  if value == true or value == false then return true end
  return options.is_value(value) and value ~= "" and not find(value, ";", 1, true)
end

-- What it must be, where it is not that; nil: it is good.
local function wrong(name, value)
  if value == false or type(value) == "function" then return nil end
  if name == "strict-transport-security" and value == true then return nil end
  if is_policy(name) and type(value) == "table" then
    for directive, source in next, value do
      if not is_directive(directive, source) then
        return format("a table of directives (the one that is none: %s)", tostring(directive))
      end
    end
    return nil
  end
  if not options.is_value(value) or value == "" then return "a text for a header, false, or a function" end
end

local function value_of(name, value)
  if value == true then return HSTS end
  if is_policy(name) and type(value) == "table" then return policy(value) end
  return value
end

-- ---- all of them ------------------------------------------------------------------

-- x_frame_options is x-frame-options: a name that needs no brackets in a table.
local function name_of(key)
  return type(key) == "string" and gsub(lower(key), "_", "-")
end

local rules = {}
for _, known in next, { defaults, others } do
  for name in next, known do
    rules[gsub(name, "-", "_")] = function(value) return wrong(name, value) end
  end
end

-- For an error, options are named as they were given.
local function rules_for(given)
  local all = {}
  for key, rule in next, rules do all[key] = rule end
  if type(given) ~= "table" then return all end
  for key in next, given do
    local name = name_of(key)
    local rule = name and rules[gsub(name, "-", "_")]
    if rule then all[key] = rule end
  end
  return all
end

-- Names and values, one behind the other; values may be functions of the request.
local function list_of(given)
  local all, names, list = {}, {}, {}
  for name, value in next, defaults do all[name] = value end
  for key, value in next, given do all[name_of(key)] = value end
  for name, value in next, all do
    if value then names[#names + 1] = name end
  end
  sort(names)
  for _, name in next, names do
    list[#list + 1] = name
    list[#list + 1] = value_of(name, all[name])
  end
  return list
end

local function security_headers(given)
  given = options.check("security_headers", given, rules_for(given))
  local list = list_of(given)
  local count = #list
  return function(req, next_handler)
    local response = next_handler(req)
    local headers = response.headers
    for i = 1, count, 2 do
      local name, value = list[i], list[i + 1]
      if headers[name] == nil then
        if type(value) == "function" then value = value(req) or nil end
        headers[name] = value
      end
    end
    return response
  end
end

return { security_headers = security_headers }
