-- What a client gets: an answer is read from a connection, strictly, and given to a script.
--
-- Functions that read return nil, message, code where that fails; what has failed once fails the same way again. What
-- is not of HTTP (RFC 9112) is a failure (EPROTO), and not repaired: whoever tests wants to know.
local error, format, getmetatable, ipairs, pairs, rawget, setmetatable, tonumber, tostring, type =
  error, string.format, getmetatable, ipairs, pairs, rawget, setmetatable, tonumber, tostring, type
local concat, find, lower, match, max, sub, tointeger =
  table.concat, string.find, string.lower, string.match, math.max, string.sub, math.tointeger
local json, neap, timer = require "neap.json", require "neap", require "neap.timer"
local monotonic = timer.monotonic

local LINE_MOST = 1 << 20 -- there are longer headers, but not of this server

-- ---- bytes and lines --------------------------------------------------------------

-- conn: has read, finish, close. name: "GET /path", for messages. timeout: for what says nothing else.
local function new_reader(conn, name, timeout)
  return { conn = conn, name = name, timeout = timeout, buffer = "", sender = false, failure = false, whole = false }
end

local function fail(reader, code, why)
  reader.code, reader.message = code, format("request %s: %s", reader.name, why)
  reader.conn:close()
  return nil, reader.message, code
end

-- Where the body of the request has failed, that is why there is no answer.
local function check_failure(reader)
  local failure = reader.failure
  if failure then error(failure.value, 0) end
end

-- Reads on: true; false at the end; nil, message, code.
local function more(reader, limit)
  if reader.code then return nil, reader.message, reader.code end
  if reader.at_end then return false end
  check_failure(reader)
  local options = limit and { timeout = max(0, limit - monotonic()) }
  local chunk, message, code = reader.conn:read(options)
  check_failure(reader)
  if chunk then
    reader.buffer = reader.buffer .. chunk
    return true
  elseif code == "ETIMEDOUT" then -- it may be asked again
    return nil, format("request %s: timed out", reader.name), code
  elseif code then
    return fail(reader, code, match(message, ": (.*)$") or message)
  end
  reader.at_end = true
  return false
end

local function need_more(reader, limit)
  local ok, message, code = more(reader, limit)
  if ok then return true end
  if ok == nil then return nil, message, code end
  return fail(reader, "ECONNRESET", "the answer was cut short")
end

-- Without its end, which is CR LF.
local function read_line(reader, limit)
  local from = 1
  while true do
    local at = find(reader.buffer, "\n", from, true)
    if at then
      local text = sub(reader.buffer, 1, at - 1)
      reader.buffer = sub(reader.buffer, at + 1)
      if sub(text, -1) ~= "\r" or find(text, "[%z\r].") then return fail(reader, "EPROTO", "a malformed line") end
      return sub(text, 1, -2)
    end
    from = #reader.buffer + 1
    if from > LINE_MOST then return fail(reader, "EPROTO", "a line without an end") end
    local ok, message, code = need_more(reader, limit)
    if not ok then return nil, message, code end
  end
end

-- A piece of what is there, at most `size` bytes.
local function read_some(reader, size, limit)
  if reader.buffer == "" then
    local ok, message, code = need_more(reader, limit)
    if not ok then return nil, message, code end
  end
  local piece = sub(reader.buffer, 1, size)
  reader.buffer = sub(reader.buffer, #piece + 1)
  return piece
end

-- ---- heads ------------------------------------------------------------------------

local fields_class = { __name = "neap.http.client_headers" }

-- The name may be written in any case.
function fields_class.__index(fields, name)
  return type(name) == "string" and rawget(fields, lower(name)) or nil
end

-- Up to an empty line: the values by name, joined, and each as { name, value }.
local function read_fields(reader, limit)
  local fields, lines = {}, {}
  while true do
    local text, message, code = read_line(reader, limit)
    if not text then return nil, message, code end
    if text == "" then return setmetatable(fields, fields_class), lines end
    local name, value = match(text, "^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.-)[ \t]*$")
    if not name or find(value, "[%z\1-\8\10-\31\127]") then return fail(reader, "EPROTO", "a malformed header") end
    name = lower(name)
    lines[#lines + 1] = { name, value }
    fields[name] = fields[name] and fields[name] .. ", " .. value or value
  end
end

-- RFC 9112, 6.3: "none", "chunked", "length" and how much, "end"; or nil, why.
local function framing(response, is_head)
  local status, headers = response.status, response.headers
  local coding, length = headers["transfer-encoding"], headers["content-length"]
  if coding and length then return nil, "a length and a transfer coding" end
  if coding and coding ~= "chunked" then return nil, "an unknown transfer coding" end
  if length and not find(length, "^%d+$") then return nil, "a malformed length" end
  if (status < 200 or status == 204) and (coding or length) then return nil, format("%d with a body", status) end
  if is_head or status < 200 or status == 204 or status == 304 then return "none" end
  if coding then return "chunked" end
  if not length then return "end" end
  length = tointeger(tonumber(length))
  if not length then return nil, "a malformed length" end
  return "length", length
end

local function read_head(reader, limit)
  local text, message, code = read_line(reader, limit)
  if not text then return nil, message, code end
  local version, status, reason = match(text, "^HTTP/(1%.[01]) (%d%d%d) ([^%c]*)$")
  if not version then return fail(reader, "EPROTO", "a malformed status line") end
  local headers, lines, failed = read_fields(reader, limit)
  if not headers then return nil, lines, failed end
  return { version = version, status = tointeger(tonumber(status)), reason = reason, headers = headers }, lines
end

-- ---- bodies -----------------------------------------------------------------------

-- All has come: the connection is given back, the server may end what it does.
local function let_go(reader)
  reader.whole = true
  if reader.sender then reader.sender:cancel() end
  reader.conn:finish()
end

local function end_body(response, reader)
  reader.kind = "none"
  response.trailers = response.trailers or setmetatable({}, fields_class)
  let_go(reader)
end

-- The length of the next chunk; 0 behind the last one, whose trailers are read.
local function begin_chunk(response, reader, limit)
  local text, message, code = read_line(reader, limit)
  if not text then return nil, message, code end
  if not find(text, "^%x+$") or #text > 15 then return fail(reader, "EPROTO", "a malformed chunk") end
  local size = tonumber(text, 16)
  if size == 0 then
    local trailers
    trailers, message, code = read_fields(reader, limit)
    if not trailers then return nil, message, code end
    response.trailers = trailers
  end
  return size
end

local function read_chunked(response, reader, limit)
  local message, code
  if reader.left == 0 then
    reader.left, message, code = begin_chunk(response, reader, limit)
    if not reader.left then
      reader.left = 0
      return nil, message, code
    end
    if reader.left == 0 then return end_body(response, reader) end
  end
  local piece
  piece, message, code = read_some(reader, reader.left, limit)
  if not piece then return nil, message, code end
  reader.left = reader.left - #piece
  reader.ends_chunk = reader.left == 0
  return piece
end

-- The two bytes behind a chunk are read before the next one: nobody waits for them with a piece in his hands.
local function read_chunk_end(reader, limit)
  local text, message, code = read_line(reader, limit)
  if not text then return nil, message, code end
  if text ~= "" then return fail(reader, "EPROTO", "a chunk without an end") end
  reader.ends_chunk = false
  return true
end

local function read_counted(reader, limit)
  local piece, message, code = read_some(reader, reader.left, limit)
  if not piece then return nil, message, code end
  reader.left = reader.left - #piece
  return piece
end

local function read_to_end(response, reader, limit)
  if reader.buffer == "" then
    local ok, message, code = more(reader, limit)
    if ok == nil then return nil, message, code end
    if not ok then return end_body(response, reader) end
  end
  local piece = reader.buffer
  reader.buffer = ""
  return piece
end

-- The next piece; nil at the end; nil, message, code.
local function read_piece(response, reader, limit)
  if reader.code then return nil, reader.message, reader.code end
  if reader.kind == "none" then return nil end
  if reader.kind == "length" then
    local piece, message, code = read_counted(reader, limit)
    if reader.left == 0 then end_body(response, reader) end
    return piece, message, code
  elseif reader.kind == "end" then
    return read_to_end(response, reader, limit)
  end
  if reader.ends_chunk then
    local ok, message, code = read_chunk_end(reader, limit)
    if not ok then return nil, message, code end
  end
  return read_chunked(response, reader, limit)
end

-- ---- what scripts see of it -------------------------------------------------------

local methods = {}
local class = { __name = "neap.http.client_response", __index = methods }
local READER, LINES = {}, {} -- private keys

local function check(response, name)
  if getmetatable(response) ~= class then
    error(format("bad argument #1 to '%s' (a response expected, got %s)", name, type(response)), 3)
  end
  return response[READER]
end

function methods.header(response, name)
  check(response, "header")
  if type(name) ~= "string" then
    error(format("bad argument #1 to 'header' (string expected, got %s)", type(name)), 2)
  end
  return response.headers[name]
end

function methods.header_list(response, name)
  check(response, "header_list")
  if type(name) ~= "string" then
    error(format("bad argument #1 to 'header_list' (string expected, got %s)", type(name)), 2)
  end
  local list = {}
  name = lower(name)
  for _, line in ipairs(response[LINES]) do
    if line[1] == name then list[#list + 1] = line[2] end
  end
  return list
end

local OPTIONS = { limit = true, timeout = true }

local function check_options(name, options)
  if options ~= nil and type(options) ~= "table" then
    error(format("bad argument #1 to '%s' (table expected, got %s)", name, type(options)), 3)
  end
  for key, value in pairs(options or {}) do
    if not OPTIONS[key] then
      error(format("bad argument #1 to '%s' (unknown option '%s')", name, tostring(key)), 3)
    end
    if type(value) ~= "number" or value < 0 or value ~= value then
      error(format("bad argument #1 to '%s' (%s must be a number from 0 on)", name, key), 3)
    end
  end
  return options or {}
end

-- Which use of the body: "whole" or "pieces".
local function begin(response, name, use)
  local reader = check(response, name)
  if reader.closed then error("this response is closed", 3) end
  if reader.use and reader.use ~= use then
    error(use == "whole" and "this body is read in pieces already, by chunks()"
      or "this body has been read whole already, by body()", 3)
  end
  reader.use = use
  return reader
end

local function limit_of(reader, options)
  local timeout = options.timeout or reader.timeout
  return timeout and monotonic() + timeout
end

local function count(reader, piece, options)
  reader.count = (reader.count or 0) + #piece
  if not options.limit or reader.count <= options.limit then return true end
  return fail(reader, "EMSGSIZE", format("the body is longer than %d bytes", options.limit))
end

-- Waiting twice goes on where the first one has stopped: pieces are kept.
local function read_whole(response, reader, options)
  if reader.body then return reader.body end
  local limit, pieces = limit_of(reader, options), reader.pieces or {}
  reader.pieces = pieces
  while true do
    local piece, message, code = read_piece(response, reader, limit)
    if not piece then
      if code then return nil, message, code end
      break
    end
    local ok
    ok, message, code = count(reader, piece, options)
    if not ok then return nil, message, code end
    pieces[#pieces + 1] = piece
  end
  reader.body, reader.pieces = concat(pieces), nil
  return reader.body
end

local function read_json(response, reader, options)
  local text, message, code = read_whole(response, reader, options)
  if not text then return nil, message, code end
  return json.decode(text)
end

local function define(name, read)
  methods[name] = function(response, options, callback)
    if type(options) == "function" and callback == nil then options, callback = nil, options end
    if callback ~= nil and type(callback) ~= "function" then
      error(format("bad argument #2 to '%s' (function expected, got %s)", name, type(callback)), 2)
    end
    options = check_options(name, options)
    local reader = begin(response, name, "whole")
    if not callback then return read(response, reader, options) end
    return neap.go(function() callback(read(response, reader, options)) end)
  end
end

define("body", read_whole)
define("json", read_json)

function methods.chunks(response, options)
  options = check_options("chunks", options)
  local reader = begin(response, "chunks", "pieces")
  return function()
    if reader.closed then error("this response is closed", 2) end
    local piece, message, code = read_piece(response, reader, limit_of(reader, options))
    if not piece then
      if code then error(message, 2) end
      return nil
    end
    local ok
    ok, message = count(reader, piece, options)
    if not ok then error(message, 2) end
    return piece
  end, response
end

-- The client leaves. Twice is nothing.
local function close_reader(reader)
  reader.closed = true
  if reader.sender then reader.sender:cancel() end
  if not reader.whole then reader.conn:close() end
end

function methods.close(response)
  close_reader(check(response, "close"))
end

local function forget(response)
  close_reader(response[READER])
end

class.__gc, class.__close = forget, forget

-- An answer; `on_interim` is told of those before it (1xx). is_head: it was asked for with HEAD.
local function read_response(reader, limit, is_head, on_interim)
  local interim = {}
  while true do
    local response, lines, code = read_head(reader, limit)
    if not response then return nil, lines, code end
    local kind, left = framing(response, is_head)
    if not kind then return fail(reader, "EPROTO", left) end
    if response.status >= 200 or response.status == 101 then
      response.interim, response[READER], response[LINES] = interim, reader, lines
      reader.kind, reader.left = kind, kind == "chunked" and 0 or left
      if kind == "none" or left == 0 then
        end_body(response, reader)
      elseif kind == "length" and left <= #reader.buffer then
        let_go(reader)
      end
      return setmetatable(response, class)
    end
    interim[#interim + 1] = response
    on_interim(response)
  end
end

return { reader = new_reader, read = read_response, close = close_reader }
