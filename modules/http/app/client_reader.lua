-- An answer on its way: bytes of a connection, strictly read as HTTP (RFC 9112). Scripts get client_response.lua.
--
-- Functions that read return nil, message, code where that fails; what has failed once fails the same way again. What
-- is not of HTTP is a failure (EPROTO), and not repaired: whoever tests wants to know.
local error, format, rawget, setmetatable, tonumber, type =
  error, string.format, rawget, setmetatable, tonumber, type
local find, lower, match, max, sub, tointeger =
  string.find, string.lower, string.match, math.max, string.sub, math.tointeger
local monotonic = require "neap.timer".monotonic

local LINE_MOST = 1 << 20 -- there are longer headers, but not of this server

-- ---- bytes and lines --------------------------------------------------------------

local reader_class = {}

-- conn: has read, finish, close. name: "GET /path", for messages. timeout: for what says nothing else. sender: the task
-- that sends the body of the request. busy: somebody reads.
local function new_reader(conn, name, timeout)
  return setmetatable({ conn = conn, name = name, timeout = timeout, buffer = "", sender = false, failure = false,
    whole = false, busy = false, fields = false, lines = false }, reader_class)
end

function reader_class.__close(reader)
  reader.busy = false
end

local function fail(reader, code, why)
  reader.code, reader.message = code, format("request %s: %s", reader.name, why)
  if reader.sender then reader.sender:cancel() end
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

-- Up to an empty line: the values by name, joined, and each as { name, value }. Who waits twice goes on where the first
-- one has stopped.
local function read_fields(reader, limit)
  reader.fields, reader.lines = reader.fields or {}, reader.lines or {}
  local fields, lines = reader.fields, reader.lines
  while true do
    local text, message, code = read_line(reader, limit)
    if not text then return nil, message, code end
    if text == "" then
      reader.fields, reader.lines = false, false
      return setmetatable(fields, fields_class), lines
    end
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

-- The length of the next chunk; 0: it was the last one.
local function begin_chunk(reader, limit)
  local text, message, code = read_line(reader, limit)
  if not text then return nil, message, code end
  if not find(text, "^%x+$") or #text > 15 then return fail(reader, "EPROTO", "a malformed chunk") end
  return tonumber(text, 16)
end

local function read_trailers(response, reader, limit)
  local trailers, message, code = read_fields(reader, limit)
  if not trailers then return nil, message, code end
  response.trailers = trailers
  return end_body(response, reader)
end

local function read_chunked(response, reader, limit)
  local piece, size, message, code
  if reader.fields then return read_trailers(response, reader, limit) end
  if reader.left == 0 then
    size, message, code = begin_chunk(reader, limit)
    if not size then return nil, message, code end
    if size == 0 then return read_trailers(response, reader, limit) end
    reader.left = size
  end
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
  reader.busy = true
  local _ <close> = reader
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

-- ---- an answer --------------------------------------------------------------------

-- Its head, and the lines of that: { status, reason, version, headers, interim }. `on_interim` is told of those before
-- it (1xx). is_head: it was asked for with HEAD.
local function read_answer(reader, limit, is_head, on_interim)
  local interim = {}
  while true do
    local response, lines, code = read_head(reader, limit)
    if not response then return nil, lines, code end
    local kind, left = framing(response, is_head)
    if not kind then return fail(reader, "EPROTO", left) end
    if response.status >= 200 or response.status == 101 then
      response.interim = interim
      reader.kind, reader.left = kind, kind == "chunked" and 0 or left
      if kind == "none" or left == 0 then
        end_body(response, reader)
      elseif kind == "length" and left <= #reader.buffer then
        let_go(reader)
      end
      return response, lines
    end
    interim[#interim + 1] = response
    on_interim(response)
  end
end

-- The client leaves. Twice is nothing.
local function close(reader)
  reader.closed = true
  if reader.sender then reader.sender:cancel() end
  if not reader.whole then reader.conn:close() end
end

return { new = new_reader, read = read_answer, piece = read_piece, fail = fail, close = close }
