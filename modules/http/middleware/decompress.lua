-- Bodies of requests that come packed (Content-Encoding): unpacked before a handler sees them.
--
-- A few bytes can become very many. So they are unpacked as a whole, and no further than a body may be long: the limit
-- of what is sent (req.max_body, or that of the server) holds for what comes of it, too.
local core = ...
local concat, error, find, gsub, ipairs, lower, unpack =
  table.concat, error, string.find, string.gsub, ipairs, string.lower, table.unpack
local decode = require("neap.compress").decode
local options = core.load "modules/http/middleware/options.lua"

local ENCODINGS = { br = true, gzip = true, deflate = true }
local UNPACKED = {} -- a key of the request: the header still says what was sent

local function are_encodings(value)
  local fine = options.list(value, function(one) return ENCODINGS[one] end)
  if not fine or #value == 0 then return 'a list of "br", "gzip" and "deflate"' end
end

local rules = { encodings = are_encodings }

local function has_body(req)
  local length = req:header "content-length"
  return req:header "transfer-encoding" ~= nil or length ~= nil and find(length, "[1-9]") ~= nil
end

-- RFC 9110, 8.4.1.3: an older name.
local function encoding_of(req)
  local name = gsub(lower(req:header "content-encoding" or ""), "^x%-gzip$", "gzip")
  return name ~= "" and name ~= "identity" and has_body(req) and not req[UNPACKED] and name
end

-- Nothing, or the answer. A body that does not come is the client's fault, as with `assert(req:body())`.
local function unpack_body(req, encoding)
  local packed, message = req:body()
  if not packed then error(message, 0) end
  if packed == "" then return end
  local text, why, code = decode(packed, encoding, { limit = core.body_limit(req) })
  if text then
    req[UNPACKED] = true
    return core.body_replace(req, text)
  end
  if code == "EMSGSIZE" then return { status = 413, body = "Content Too Large\n" } end
  if code == "EINVAL" or code == "EOF" then return { status = 400, body = "Bad Request\n" } end
  error(why, 0)
end

local function decompress(given)
  given = options.check("decompress", given, rules)
  local taken, list = {}, { unpack(given.encodings or { "br", "gzip", "deflate" }) }
  for _, name in ipairs(list) do taken[name] = true end
  local accepted = concat(list, ", ")
  return function(req, next)
    local encoding = encoding_of(req)
    if not encoding then return next(req) end
    if not taken[encoding] then
      return { status = 415, headers = { ["accept-encoding"] = accepted }, body = "Unsupported Media Type\n" }
    end
    return unpack_body(req, encoding) or next(req)
  end
end

return { decompress = decompress }
