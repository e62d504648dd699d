-- http.cookie: the value of a set-cookie header, checked so that browsers take it for what it says (RFC 6265, 4.1, and
-- its successor, 6265bis). What reads them is modules/http/cookies.c.
local error, pairs, rawlen, type = error, pairs, rawlen, type
local byte, find, format, gsub, lower, sub =
  string.byte, string.find, string.format, string.gsub, string.lower, string.sub
local concat, date, floor, getinfo, sort = table.concat, os.date, math.floor, debug.getinfo, table.sort

local SIZE_MOST, PART_MOST, SECRET_LEAST = 4096, 1024, 16 -- what browsers keep; what a guess shall not find

local KNOWN = { domain = true, expires = true, http_only = true, max_age = true, partitioned = true, path = true,
  same_site = true, secret = true, secure = true }

local SAME_SITE = { lax = "Lax", strict = "Strict", none = "None" }
local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- About an argument of http.cookie. The error points at who has called it: the first that is not of this file.
local function refuse(at, text, ...)
  local own, level = getinfo(1, "S").source, 2
  while getinfo(level, "S").source == own do level = level + 1 end
  error(format("bad argument #%d to 'cookie' (%s)", at, format(text, ...)), level)
end

local function expect(options, name, kind)
  local value = options[name]
  if value ~= nil and type(value) ~= kind then refuse(3, "%s must be a %s, not a %s", name, kind, type(value)) end
  return value
end

local function check_names(options)
  if type(options) ~= "table" then refuse(3, "table expected, got %s", type(options)) end
  for key in pairs(options) do
    if not KNOWN[key] then
      local names = {}
      for name in pairs(KNOWN) do names[#names + 1] = name end
      sort(names)
      refuse(3, "unknown option '%s' (there are: %s)", key, concat(names, ", "))
    end
  end
end

-- ---- name and value --------------------------------------------------------------

local function clean(text)
  return (gsub(text, "%c", "?"))
end

local function check_name(name)
  if type(name) ~= "string" then refuse(1, "string expected, got %s", type(name)) end
  if find(name, "^[A-Za-z0-9!#$%%&'*+.^_`|~-]+$") then return end
  refuse(1, "'%s' cannot be the name of a cookie", clean(name))
end

-- Browsers hold these names to it, and drop what is otherwise.
local function check_prefix(name, options)
  local start = lower(name)
  local host = sub(start, 1, 7) == "__host-"
  if (host or sub(start, 1, 9) == "__secure-") and not options.secure then
    refuse(3, "a cookie named '%s' must be secure", name)
  end
  if host and (options.domain or (options.path or "/") ~= "/") then
    refuse(3, "a cookie named '%s' has no domain, and the path '/'", name)
  end
end

local function escape(c)
  return format("%%%02X", byte(c))
end

-- All that a value cannot have, and "%" itself.
local function encode(value)
  return (gsub(value, "[^A-Za-z0-9!#$&'()*+./:<=>?@%[%]^_`{|}~-]", escape))
end

local function check_secret(secret)
  if type(secret) == "table" then secret = rawlen(secret) > 0 and secret[1] or "" end
  if type(secret) ~= "string" then refuse(3, "a secret is a string, not a %s", type(secret)) end
  if #secret < SECRET_LEAST then refuse(3, "a secret has %d bytes or more", SECRET_LEAST) end
  return secret
end

local function sign(name, value, secret)
  local crypto = require "neap.crypto"
  local signature = crypto.hmac("sha256", secret, name .. "=" .. value)
  return value .. "." .. crypto.base64(signature, { url = true })
end

-- ---- attributes ------------------------------------------------------------------

local function check_attribute(options, name, pattern)
  local value = expect(options, name, "string")
  if value and (not find(value, pattern) or #value > PART_MOST) then
    refuse(3, "'%s' cannot be the %s of a cookie", clean(value), name)
  end
  return value
end

local function integer_of(options, name)
  local value = expect(options, name, "number")
  if not value then return nil end
  if value ~= value or value < -1e15 or value > 1e15 then refuse(3, "%s is out of range", name) end
  return floor(value)
end

-- "Sun, 06 Nov 1994 08:49:37 GMT", whatever the locale says.
local function format_time(time)
  local t = date("!*t", time)
  local day, month = DAYS[t.wday], MONTHS[t.month]
  return format("%s, %02d %s %04d %02d:%02d:%02d GMT", day, t.day, month, t.year, t.hour, t.min, t.sec)
end

local function put_time(parts, options)
  local age, time = integer_of(options, "max_age"), integer_of(options, "expires")
  if time and (time < -11644473600 or time > 253402300799) then
    refuse(3, "expires must be a time of the years 1601 to 9999")
  end
  if age then parts[#parts + 1] = "Max-Age=" .. format("%d", age) end
  if time then parts[#parts + 1] = "Expires=" .. format_time(time) end
end

local function put_flags(parts, options)
  local secure, partitioned = expect(options, "secure", "boolean"), expect(options, "partitioned", "boolean")
  local http_only, same_site = expect(options, "http_only", "boolean"), expect(options, "same_site", "string") or "lax"
  if not SAME_SITE[same_site] then refuse(3, "same_site must be 'lax', 'strict' or 'none', not '%s'", same_site) end
  if not secure and (same_site == "none" or partitioned) then
    refuse(3, "a cookie for other sites (same_site 'none', partitioned) must be secure")
  end
  if secure then parts[#parts + 1] = "Secure" end
  if http_only ~= false then parts[#parts + 1] = "HttpOnly" end
  parts[#parts + 1] = "SameSite=" .. SAME_SITE[same_site]
  if partitioned then parts[#parts + 1] = "Partitioned" end
end

local function put_place(parts, options)
  local path = check_attribute(options, "path", "^/[ -:<-~]*$") or "/"
  local domain = check_attribute(options, "domain", "^%.?[A-Za-z0-9_-][A-Za-z0-9_.-]*$")
  parts[#parts + 1] = "Path=" .. path
  if domain then parts[#parts + 1] = "Domain=" .. domain end
end

-- ---- http.cookie(name, value [, options]) ----------------------------------------

local none = {}

local function cookie(name, value, options)
  check_name(name)
  if type(value) ~= "string" then refuse(2, "string expected, got %s", type(value)) end
  if options then check_names(options) else options = none end
  check_prefix(name, options)
  if options.secret ~= nil then value = sign(name, value, check_secret(options.secret)) end
  local text = encode(value)
  if #name + #text > SIZE_MOST then
    refuse(2, "name and value have %d bytes, browsers take %d", #name + #text, SIZE_MOST)
  end
  local parts = { name .. "=" .. text }
  put_place(parts, options)
  put_time(parts, options)
  put_flags(parts, options)
  return concat(parts, "; ")
end

return { cookie = cookie }
