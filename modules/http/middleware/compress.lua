-- Answers in fewer bytes: texts as a whole, streams piece by piece, each piece so that the client can read it at once.
-- What is compressed is another representation: so Vary, a weak ETag, no length and no ranges of the one before.
local core = ...
local error, getmetatable, ipairs, lower, match, pairs, setmetatable, sub, tonumber, tostring, type, unpack =
  error, debug.getmetatable, ipairs, string.lower, string.match, pairs, setmetatable, string.sub, tonumber,
  tostring, type, table.unpack
local concat, find, format, gmatch = table.concat, string.find, string.format, string.gmatch
local codecs, neap = require "neap.compress", require "neap"
local options = core.load "modules/http/middleware/options.lua"

local encode, new_encoder, go = codecs.encode, codecs.encoder, neap.go

local ENCODINGS = { br = 11, gzip = 9, deflate = 9 } -- and the highest level

-- ---- what is worth it ------------------------------------------------------------

local WORTH = {}
for name in gmatch([[
  application/javascript application/json application/ld+json application/manifest+json application/rtf
  application/vnd.ms-fontobject application/wasm application/x-javascript application/x-ndjson application/xhtml+xml
  application/xml application/yaml application/geo+json font/otf font/ttf image/bmp image/svg+xml image/x-icon
  image/vnd.microsoft.icon multipart/mixed]], "%S+") do
  WORTH[name] = true
end

local function is_worth(kind)
  return WORTH[kind] or sub(kind, 1, 5) == "text/" or find(kind, "+json", -5, true) ~= nil
    or find(kind, "+xml", -4, true) ~= nil
end

-- "text/*" in a list stands for all of them, "*/*" for all there are.
local function passes_list(list)
  local set = {}
  for _, kind in ipairs(list) do set[lower(kind)] = true end
  return function(kind)
    return set[kind] or set[match(kind, "^[^/]*") .. "/*"] or set["*/*"]
  end
end

-- A header as one text; nil where it is not there.
local function value_of(headers, name)
  local value = headers[name]
  if type(value) == "table" then return concat(value, ", ") end
  return value and tostring(value)
end

local function has_word(value, word)
  for one in gmatch(lower(value or ""), "[^,%s]+") do
    if one == word then return true end
  end
  return false
end

-- What says something of the very bytes of the body stays true.
local FIXED = { "content-range", "content-digest", "digest", "repr-digest", "content-md5" }

local function is_free(status, headers)
  if status == 204 or status == 206 or status == 304 then return false end
  local encoding = value_of(headers, "content-encoding")
  if encoding and lower(encoding) ~= "identity" then return false end
  for _, name in ipairs(FIXED) do
    if headers[name] then return false end
  end
  return not has_word(value_of(headers, "cache-control"), "no-transform")
end

-- A text without a type is sent as text/plain.
local function is_of_type(headers, passes)
  local value = value_of(headers, "content-type") or "text/plain"
  local kind = lower(match(value, "^%s*([^;%s]*)"))
  return kind ~= "text/event-stream" and passes(kind)
end

-- ---- headers ---------------------------------------------------------------------

local function add_vary(headers)
  local value = value_of(headers, "vary")
  if value == nil or value == "" then
    headers.vary = "accept-encoding"
  elseif not has_word(value, "*") and not has_word(value, "accept-encoding") then
    headers.vary = value .. ", accept-encoding"
  end
end

local function set_headers(headers, encoding)
  headers["content-encoding"] = encoding
  headers["content-length"] = nil
  headers["accept-ranges"] = nil
  local etag = value_of(headers, "etag")
  if etag and sub(etag, 1, 2) ~= "W/" then headers.etag = "W/" .. etag end
end

-- What has not changed is what the client has: with the weak ETag that was compressed, and 304 has the ETag and the
-- Vary that 200 would have (RFC 9110, 15.4.5). Otherwise a cache would not know what it is about (RFC 9111, 4.3.4).
local function confirm(req, headers)
  local etag, asked = value_of(headers, "etag"), req:header "if-none-match"
  if not etag or not asked or sub(etag, 1, 2) == "W/" or not find(asked, "W/" .. etag, 1, true) then return end
  headers.etag = "W/" .. etag
  add_vary(headers)
end

-- ---- streams ---------------------------------------------------------------------

local function check_piece(piece)
  local kind = type(piece)
  if kind == "string" or kind == "number" then return piece end
  error(format("the body gave a %s, not a string", kind), 0)
end

-- The pieces as they are asked for; `ask` is what gives them. No piece is kept back. Two results of `ask` are nil and
-- why it has failed.
local function pieces_of(encoder, ask)
  local over = false
  return function()
    if over then return nil end
    local piece, failure = ask()
    if piece == "" then return "" end
    if piece ~= nil then return encoder:flush(check_piece(piece)) end
    over = true
    if failure == nil then return encoder:finish() end
    encoder:close()
    return nil, failure
  end
end

-- ---- a body that is a function ----

-- Calls of a body, also from several tasks: one at a time, in the order in which they were begun. What it compresses
-- is written before the next one begins.
local function in_turn(stream, write)
  local last
  return function(method, data)
    local before = last
    last = go(function()
      if before then before:join() end
      before = nil
      if stream.over then return nil, "the client has left", "ECANCELED" end
      local bytes, failure, code = stream.encoder[method](stream.encoder, data)
      if not bytes then return nil, failure, code end
      local ok
      ok, failure, code = write(bytes)
      stream.left = stream.left or not ok
      return ok, failure, code
    end)
    return last
  end
end

-- What the body is given in place of `write`. A list becomes a text here: errors are the caller's, and the list may
-- change later.
local function writer(turn)
  return function(data, callback)
    if type(data) == "table" then data = concat(data) end
    if type(data) ~= "string" and type(data) ~= "number" then
      error(format("bad argument #1 to 'write' (string expected, got %s)", type(data)), 2)
    end
    local call = turn("flush", data)
    if callback == nil then return call:join() end
    return call:join(callback)
  end
end

-- It may write, and return pieces, which are written just so: what is returned itself is empty, or the end.
local function function_body(body, stream)
  local turn, put, ended
  return function(write)
    if ended then return nil end
    if not turn then
      turn = in_turn(stream, write)
      put = writer(turn)
    end
    local piece, failure = body(put)
    if piece == "" then return "" end
    ended = piece == nil
    if ended and failure ~= nil then return nil, failure end
    local call = ended and turn "finish" or turn("flush", check_piece(piece))
    local ok, message = call:join()
    if ok or stream.left then return "" end -- that the client has left is no failure of the body
    return nil, message
  end
end

-- ---- a body with chunks() ----

local object = { __index = {} }

function object.__index:chunks()
  local source, argument, third = self.body:chunks()
  if source == nil then return source, argument, third end
  return pieces_of(self.encoder, function() return source(argument) end)
end

function object:__close(failure)
  self.encoder:close()
  local metatable = getmetatable(self.body)
  local close = type(metatable) == "table" and metatable.__close
  if close then close(self.body, failure) end
end

-- ---- the answer ------------------------------------------------------------------

local function close_after(response, stream)
  local after = response.after
  function response.after(...)
    stream.over = true
    stream.encoder:close()
    if after then return after(...) end
  end
end

local function nothing() end

-- The length would be that of what is not compressed: so it is left out.
local function compress_head(response, encoding)
  set_headers(response.headers, encoding)
  if response.body == nil or type(response.body) == "string" then response.body = nothing end
end

local function compress_text(response, encoding, level)
  local body = response.body
  local packed = encode(body, encoding, { level = level })
  if not packed or #packed >= #body then return end
  set_headers(response.headers, encoding)
  response.body = packed
end

local function compress_stream(response, encoding, level)
  local body, encoder = response.body, new_encoder(encoding, { level = level })
  set_headers(response.headers, encoding)
  if type(body) == "function" then
    local stream = { encoder = encoder }
    response.body = function_body(body, stream)
    close_after(response, stream)
  else
    response.body = setmetatable({ body = body, encoder = encoder }, object)
  end
end

-- A list of strings, a number, a file that is in memory: as one text.
local function join_body(response)
  local body = response.body
  if type(body) == "userdata" and body.text then
    local text = body:text()
    if text then body:close() end
    response.body = text or body
    return
  end
  if type(body) == "number" then response.body = tostring(body) end
  if type(body) == "table" and not body.chunks then response.body = concat(body) end
end

-- To HEAD a length may stand for it.
local function has_body(req, response)
  return response.body ~= nil or req.method == "HEAD" and response.headers["content-length"] ~= nil
end

local function size_of(response)
  if type(response.body) == "string" then return #response.body end
  return tonumber((value_of(response.headers, "content-length")))
end

-- ---- options ---------------------------------------------------------------------

local function are_encodings(value)
  local fine = options.list(value, function(one) return ENCODINGS[one] ~= nil end)
  if not fine or #value == 0 then return 'a list of "br", "gzip" and "deflate"' end
end

local function are_types(value)
  if type(value) == "function" then return end
  local fine = options.list(value, function(one) return type(one) == "string" and find(one, "^[^/%s]+/[^/%s]+$") end)
  if not fine then return 'a function, or a list of types, as "text/html" or "text/*"' end
end

local RULES = {
  encodings = are_encodings,
  level = options.integer(1, 11),
  min_size = options.integer(0, 1 << 40),
  types = are_types,
}

-- Each encoding has its own highest level.
local function levels_of(level)
  local levels = {}
  for name, most in pairs(ENCODINGS) do levels[name] = level and (level < most and level or most) end
  return levels
end

local function passes_of(types)
  if types == nil then return is_worth end
  return type(types) == "function" and types or passes_list(types)
end

local function compress(given)
  given = options.check("compress", given, RULES)
  local least, passes, levels = given.min_size or 1024, passes_of(given.types), levels_of(given.level)
  local offers = { unpack(given.encodings or { "br", "gzip", "deflate" }) }
  offers[#offers + 1] = "identity"
  return function(req, next)
    local response = next(req)
    local headers = response.headers
    if response.status == 304 then confirm(req, headers) end
    if not has_body(req, response) or not is_free(response.status, headers) or not is_of_type(headers, passes) then
      return response
    end
    join_body(response)
    local size = size_of(response)
    if size and size < least then return response end
    add_vary(headers)
    local encoding = req:accepts_encoding(unpack(offers))
    if encoding == nil or encoding == "identity" then return response end
    if req.method == "HEAD" then
      compress_head(response, encoding)
    elseif type(response.body) == "string" then
      compress_text(response, encoding, levels[encoding])
    else
      compress_stream(response, encoding, levels[encoding])
    end
    return response
  end
end

return { compress = compress }
