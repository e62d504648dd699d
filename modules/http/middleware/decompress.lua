-- Bodies of requests that come packed (Content-Encoding): whoever reads one gets what was packed.
--
-- A few bytes can become very many. So nothing is unpacked before it is read, and the limit of whoever reads holds for
-- what comes of it: see unpacking.c.
local core = ...
local concat, gsub, ipairs, lower, unpack = table.concat, string.gsub, ipairs, string.lower, table.unpack
local options = core.load "modules/http/middleware/options.lua"

local ENCODINGS = { br = true, gzip = true, deflate = true }

local function are_encodings(value)
  local fine = options.list(value, function(one) return ENCODINGS[one] end)
  if not fine or #value == 0 then return 'a list of "br", "gzip" and "deflate"' end
end

local rules = { encodings = are_encodings }

-- RFC 9110, 8.4.1.3: an older name.
local function encoding_of(req)
  local name = gsub(lower(req:header "content-encoding" or ""), "^x%-gzip$", "gzip")
  return name ~= "" and name ~= "identity" and core.body_is_as_sent(req) and name
end

local function decompress(given)
  given = options.check("decompress", given, rules)
  local taken, list = {}, { unpack(given.encodings or { "br", "gzip", "deflate" }) }
  for _, name in ipairs(list) do taken[name] = true end
  local accepted = concat(list, ", ")
  return function(req, next)
    local encoding = encoding_of(req)
    if encoding and not taken[encoding] then
      return { status = 415, headers = { ["accept-encoding"] = accepted }, body = "Unsupported Media Type\n" }
    end
    if encoding then core.body_unpack(req, encoding) end
    return next(req)
  end
end

return { decompress = decompress }
