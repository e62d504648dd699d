-- HTTP/1 as bytes, over neap.net: for specs that must see what really stands on the line, and may send what no client
-- would.
--
--   local client <close> = http.connect(server.address)
--   client:send(http.get "/moon" .. http.get "/tide")      -- pipelined
--   local first, second = table.unpack(client:responses(2))
--   assert.same({ 200, "hello moon" }, { first.status, first.body })
--   client:send(http.get "/a b")                            -- refused
--   assert.equal(400, client:response().status)
--   client:expect_closed()
--
-- A response that is not well-formed is an error at the line that has asked for it: so every spec checks the framing.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"

local http = {}

-- ---- requests, as text ------------------------------------------------------

-- A request: its first line without the version (or with: "GET / HTTP/1.0"), then a body or nil, then lines of headers.
-- It has a Host, unless a line gives one ("host:"), or the version is 1.0; a body has its length, unless a line gives a
-- Transfer-Encoding.
function http.request(line, body, ...)
  local lines = { line:find(" HTTP/%d", 1) and line or line .. " HTTP/1.1", ... }
  local fields = ("\n" .. table.concat(lines, "\n", 2)):lower()
  if not fields:find("\nhost:", 1, true) and not line:find("HTTP/1.0", 1, true) then
    table.insert(lines, 2, "Host: localhost")
  end
  if body and not fields:find("\ncontent-length:", 1, true) and not fields:find("\ntransfer-encoding:", 1, true) then
    lines[#lines + 1] = "Content-Length: " .. #body
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

function http.get(target, ...)
  return http.request("GET " .. target, nil, ...)
end

function http.post(target, body, ...)
  return http.request("POST " .. target, body, ...)
end

-- A list of strings as a chunked body; trailers is a list of lines.
function http.chunked(pieces, trailers)
  local lines = {}
  for _, piece in ipairs(pieces) do lines[#lines + 1] = ("%x\r\n%s\r\n"):format(#piece, piece) end
  lines[#lines + 1] = "0\r\n"
  for _, line in ipairs(trailers or {}) do lines[#lines + 1] = line .. "\r\n" end
  return table.concat(lines) .. "\r\n"
end

-- ---- a connection -----------------------------------------------------------

local client = {}
client.__index = client

-- Options: limit, the seconds until a read has failed: 20; under test.clock more than any time limit of the server.
function http.connect(address, options)
  options = options or {}
  local conn = assert(net.connect(address, { timeout = options.limit or 20 }))
  return setmetatable({ conn = conn, buffer = "", limit = options.limit or 20 }, client)
end

-- Sends bytes as they are: true, or nil, message, code where the server is gone (a write that comes too late).
function client:send(bytes)
  local ok, message, code = self.conn:write(bytes, { timeout = self.limit })
  if not ok then return nil, message, code end
  return true
end

-- The same, in the background: for more than the server takes. Returns the task; join() gives what send returns.
function client:send_later(bytes)
  return neap.go(client.send, self, bytes)
end

-- Until a server in this process has read what was sent; one in another process may need some milliseconds, `seconds`.
function client:settle(seconds) -- luacheck: ignore 212
  for _ = 1, 3 do timer.sleep(0) end
  if seconds then timer.sleep(seconds) end
end

-- Sends bytes in pieces that do not arrive together: split behind the positions given, or, with none, byte by byte.
function client:send_split(bytes, ...)
  local positions, from = { ... }, 1
  if #positions == 0 then
    for at = 1, #bytes - 1 do positions[at] = at end
  end
  positions[#positions + 1] = #bytes
  for _, at in ipairs(positions) do
    local ok, message, code = self:send(bytes:sub(from, at))
    if not ok then return nil, message, code end
    if at < #bytes then self:settle() end
    from = at + 1
  end
  return true
end

local function fail(self, text, ...)
  error(("%s; not used yet: %q"):format(text:format(...), self.buffer:sub(1, 200)), 0)
end

-- Reads on: whether something came. Otherwise self.ended says how it was: "end" or a code.
local function more(self)
  if self.ended then return false end
  local chunk, _, code = self.conn:read { timeout = self.limit }
  if chunk then
    self.buffer = self.buffer .. chunk
  else
    self.ended = code or "end"
  end
  return chunk ~= nil
end

local function take_line(self)
  local at = self.buffer:find("\n", 1, true)
  while not at do
    if not more(self) then fail(self, "no whole line (%s)", self.ended) end
    at = self.buffer:find("\n", 1, true)
  end
  local line = self.buffer:sub(1, at - 1)
  self.buffer = self.buffer:sub(at + 1)
  if line:sub(-1) ~= "\r" then fail(self, "a line without CR: %q", line) end
  line = line:sub(1, -2)
  if line:find "[%z\r]" then fail(self, "a control byte in %q", line) end
  return line
end

local function take(self, count)
  local pieces, left = {}, count
  while #self.buffer < left do
    pieces[#pieces + 1] = self.buffer
    left, self.buffer = left - #self.buffer, ""
    if not more(self) then fail(self, "%d bytes are missing (%s)", left, self.ended) end
  end
  pieces[#pieces + 1] = self.buffer:sub(1, left)
  self.buffer = self.buffer:sub(left + 1)
  return table.concat(pieces)
end

-- Lines up to an empty one: name -> value in lower case (joined with ", "), and each as { name, value } in a list.
local function take_fields(self)
  local fields, lines = {}, {}
  while true do
    local line = take_line(self)
    if line == "" then return fields, lines end
    local name, value = line:match "^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.-)[ \t]*$"
    if not name then fail(self, "no header: %q", line) end
    lines[#lines + 1] = { name, value }
    name = name:lower()
    fields[name] = fields[name] and fields[name] .. ", " .. value or value
  end
end

-- How the body of a response is framed: "none", "chunked", "length" and the count, "close" (RFC 9112, 6.3).
local function framing(self, response, request)
  local coding, length = response.headers["transfer-encoding"], response.headers["content-length"]
  local status = response.status
  if coding and length then fail(self, "a length and a transfer coding") end
  if status < 200 or status == 204 then
    if coding or length then fail(self, "%d with framing", status) end
  end
  if request.head or status < 200 or status == 204 or status == 304 then return "none" end
  if coding then
    if coding ~= "chunked" then fail(self, "unknown coding %q", coding) end
    if response.version == "1.0" then fail(self, "chunks in HTTP/1.0") end
    return "chunked"
  end
  if not length then return "close" end
  if not length:find "^%d+$" then fail(self, "no length: %q", length) end
  return "length", math.tointeger(length)
end

-- A status line and headers: { version, status, reason, headers, lines }. The body is still to be read: chunk().
local function read_head(self, request)
  local line = take_line(self)
  local version, status, reason = line:match "^HTTP/(1%.[01]) (%d%d%d) ?(.*)$"
  if not version then fail(self, "no status line: %q", line) end
  local response = { version = version, status = math.tointeger(status), reason = reason }
  response.headers, response.lines = take_fields(self)
  self.kind, self.left = framing(self, response, request or {})
  self.current = response
  return response
end

-- The next piece of the body of self.current; nil at its end, when a chunked one has its `trailers`.
local function read_piece(self)
  if self.kind == "chunked" then
    local line = take_line(self)
    local size = line:match "^%x+$"
    if not size then fail(self, "no size of a chunk: %q", line) end
    size = tonumber(size, 16)
    if size > 0 then
      local piece = take(self, size)
      if take(self, 2) ~= "\r\n" then fail(self, "a chunk does not end") end
      return piece
    end
    self.current.trailers = take_fields(self)
  elseif self.kind == "length" and self.left > 0 then
    if self.buffer == "" and not more(self) then fail(self, "%d bytes are missing (%s)", self.left, self.ended) end
    local piece = take(self, math.min(self.left, #self.buffer))
    self.left = self.left - #piece
    return piece
  elseif self.kind == "close" then
    if self.buffer ~= "" or more(self) then return take(self, #self.buffer) end
    if self.ended ~= "end" then fail(self, "not closed in order: %s", self.ended) end
  end
  self.kind = "none"
end

local function read_response(self, request)
  local interim = {}
  local response = read_head(self, request)
  while response.status < 200 and response.status ~= 101 do
    interim[#interim + 1] = response.status
    response = read_head(self, request)
  end
  response.interim = interim
  local pieces = {}
  for piece in read_piece, self do pieces[#pieces + 1] = piece end
  response.pieces, response.body = pieces, table.concat(pieces)
  return response
end

-- What is wrong with a response belongs to whoever asked for it.
local function asked(fn)
  return function(self, ...)
    local results = table.pack(pcall(fn, self, ...))
    if not results[1] then error(results[2], 2) end
    return table.unpack(results, 2, results.n)
  end
end

-- A whole response: { version, status, reason, headers (name -> value), lines (of headers, { name, value }), body,
-- pieces (the body as it came: the chunks), trailers (of a chunked one), interim (a list of statuses: { 100 }) }.
-- { head = true }: the request was a HEAD.
client.response = asked(read_response)

-- The same without the body, also an interim one; then chunk() until nil, or rest().
client.head = asked(read_head)
client.chunk = asked(read_piece)
client.rest = asked(function(self)
  local pieces = {}
  for piece in read_piece, self do pieces[#pieces + 1] = piece end
  return table.concat(pieces)
end)

client.responses = asked(function(self, count)
  local list = {}
  for i = 1, count do list[i] = read_response(self) end
  return list
end)

-- Whether a byte is there that nobody has asked for. (Does not wait for what may still come.)
function client:has_more()
  self:settle()
  if self.buffer ~= "" then return true end
  local chunk, _, code = self.conn:read { timeout = 0 }
  if chunk then
    self.buffer = chunk
  elseif code ~= "ETIMEDOUT" then
    self.ended = code or "end"
  end
  return chunk ~= nil
end

-- The server closes, and sends nothing before it does: returns "end", or "ECONNRESET" where it did not read all.
client.expect_closed = asked(function(self)
  repeat until self.buffer ~= "" or not more(self)
  if self.buffer ~= "" then fail(self, "the server still speaks") end
  if self.ended ~= "end" and self.ended ~= "ECONNRESET" then fail(self, "not closed: %s", self.ended) end
  return self.ended
end)

-- The connection is open and in step: nothing is left of what was, and the next request gets an answer of its own, the
-- one that is returned. A target that the handler answers with itself makes that certain.
client.expect_in_step = asked(function(self, target)
  if self:has_more() then fail(self, "more than the answers") end
  self:send(http.get(target or "/in-step"))
  local response = read_response(self)
  if response.status == 400 then fail(self, "400: %s", response.body) end
  if self:has_more() then fail(self, "more than the answer") end
  return response
end)

function client:close()
  self.conn:close()
end

-- Vanishes: the server sees ECONNRESET.
function client:reset()
  self.conn:reset()
end

client.__close = client.close

-- ---- all at once ------------------------------------------------------------

-- Sends bytes on a connection of their own: the responses that come until the server closes, and how it did; with a
-- count, that many, and whether it is open then ("open").
http.exchange = asked(function(address, bytes, count)
  local self <close> = http.connect(address)
  self:send_later(bytes)
  local list = {}
  while #list ~= count and (self.buffer ~= "" or more(self)) do list[#list + 1] = read_response(self) end
  if count then self:has_more() end
  return list, self.ended or "open"
end)

-- Splits bytes at each position in turn, each on a connection of its own, and calls check(client, position) behind it.
function http.at_every_split(address, bytes, check)
  for position = 1, #bytes - 1 do
    local self <close> = http.connect(address)
    self:send_split(bytes, position)
    check(self, position)
  end
end

return http
