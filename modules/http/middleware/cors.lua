-- Who else's pages may read our answers: the headers of the Fetch standard (3.2), and answers to its preflights.
--
-- A refusal is the lack of these headers: the browser refuses then. What depends on the Origin says so in Vary, also
-- where there was none: or a cache would give one site's answer to another. What does not has its headers always: or a
-- cache would give what it has kept of a request without an Origin to one that needs them (Fetch, 3.2.5).
local core = ...
local concat, find, format, gmatch, ipairs, lower, tostring, type =
  table.concat, string.find, string.format, string.gmatch, ipairs, string.lower, tostring, type
local options = core.load "modules/http/middleware/options.lua"

local METHODS = { "GET", "HEAD", "PUT", "PATCH", "POST", "DELETE" }

-- ---- what it is made with ---------------------------------------------------------

-- RFC 6454, 6.2, as browsers send it.
local function is_origin(value)
  if value == "null" then return true end
  if type(value) ~= "string" or not find(value, "^%l[%l%d+.-]*://[%l%d%[][%l%d._:%]-]*$") then return false end
  return not find(value, "^http://.*:80$") and not find(value, "^https://.*:443$")
end

local function origins_rule(value)
  local kind = type(value)
  if value == "*" or kind == "function" or is_origin(value) then return nil end
  local good, culprit = options.list(value, is_origin)
  if good then return nil end
  local text = '"*", an origin ("https://shop.example"), a list of origins, or a function'
  return culprit and format("%s (the one that is none: %s)", text, options.show(culprit)) or text
end

local function names_rule(value)
  if value == "*" or options.list(value, options.is_token) then return nil end
  return '"*", or a list of names'
end

local rules = {
  origins = origins_rule, methods = names_rule, headers = names_rule, expose = names_rule,
  credentials = options.flag, private_network = options.flag, max_age = options.integer(0, 31536000),
}

-- With credentials a "*" is no wildcard, but a name (Fetch, 3.2.5): and to let all the world act in the name of those
-- who are logged in is never what is wanted.
local function check(given)
  if not given.credentials then return end
  if (given.origins or "*") == "*" then
    options.fail("cors", "credentials need origins: a list or a function, and not \"*\"", 2)
  end
  for _, key in ipairs { "methods", "headers", "expose" } do
    if given[key] == "*" then options.fail("cors", format('with credentials %s cannot be "*"', key), 2) end
  end
end

-- ---- Vary -------------------------------------------------------------------------

local function has(value, name)
  for entry in gmatch(value, "[^, \t]+") do
    if entry == "*" or lower(entry) == name then return true end
  end
  return false
end

local function vary(headers, name)
  local value = headers.vary
  if type(value) == "table" then value = concat(value, ", ") end
  if value == nil or value == "" then
    headers.vary = name
  elseif not has(tostring(value), lower(name)) then
    headers.vary = value .. ", " .. name
  end
end

-- ---- origins ----------------------------------------------------------------------

-- A function that gives what access-control-allow-origin says to an origin, or nil.
local function matcher(origins)
  if origins == "*" then return function() return "*" end end
  if type(origins) == "function" then
    return function(origin, req) return is_origin(origin) and origins(origin, req) and origin or nil end
  end
  local set = {}
  for _, origin in ipairs(type(origins) == "table" and origins or { origins }) do set[origin] = origin end
  return function(origin) return set[origin] end
end

local function joined(value)
  if type(value) ~= "table" then return value end
  return value[1] and concat(value, ", ") or nil
end

-- ---- preflights -------------------------------------------------------------------

-- A list of names is given back as it was asked for, and only if it is one.
local function names_asked(req)
  local value = req:header "access-control-request-headers"
  if value and find(value, "^[%w!#$%%&'*+.^_`|~, -]+$") then return value end
end

local function answer_preflight(self, req, allowed)
  local headers = {}
  if self.varies then vary(headers, "Origin") end
  if not self.headers then vary(headers, "Access-Control-Request-Headers") end
  if not allowed then return { status = 204, headers = headers } end
  headers["access-control-allow-origin"] = allowed
  if self.credentials then headers["access-control-allow-credentials"] = "true" end
  headers["access-control-allow-methods"] = self.methods
  headers["access-control-allow-headers"] = self.headers or names_asked(req)
  if self.max_age then headers["access-control-max-age"] = tostring(self.max_age) end
  if self.private_network and req:header "access-control-request-private-network" == "true" then
    headers["access-control-allow-private-network"] = "true"
  end
  return { status = 204, headers = headers }
end

local function add(self, headers, allowed)
  if self.varies then vary(headers, "Origin") end
  if not allowed or headers["access-control-allow-origin"] ~= nil then return end
  headers["access-control-allow-origin"] = allowed
  if self.credentials then headers["access-control-allow-credentials"] = "true" end
  if self.expose and headers["access-control-expose-headers"] == nil then
    headers["access-control-expose-headers"] = self.expose
  end
end

local function cors(given)
  given = options.check("cors", given, rules)
  check(given)
  local origins = given.origins or "*"
  local match, always = matcher(origins), origins == "*"
  local self = {
    varies = not always, credentials = given.credentials, private_network = given.private_network,
    methods = joined(given.methods or METHODS), headers = joined(given.headers), expose = joined(given.expose),
    max_age = given.max_age,
  }
  return function(req, next)
    local origin = req:header "origin"
    local allowed = (origin or always) and match(origin, req)
    if origin and req.method == "OPTIONS" and req:header "access-control-request-method" then
      return answer_preflight(self, req, allowed)
    end
    local response = next(req)
    add(self, response.headers, allowed)
    return response
  end
end

return { cors = cors }
