-- router:request(options): asks a router as a client would, within the process.
--
-- The server is the real one, at one end of a pair of sockets (pair.c); here is the client at the other end. What it
-- sends as a body a task of its own sends, while the answer is read: that may come before all of it has been taken.
local core = ...
local error, format, getmetatable, ipairs, next, pairs, pcall, setmetatable, tostring, type =
  error, string.format, getmetatable, ipairs, next, pairs, pcall, setmetatable, tostring, type
local collectgarbage, concat, find, getinfo, lower, match, math_type, sort =
  collectgarbage, table.concat, string.find, debug.getinfo, string.lower, string.match, math.type, table.sort
local json, neap, timer = require "neap.json", require "neap", require "neap.timer"
local answers = core.load "modules/http/app/client_response.lua"
local checks = core.load "modules/http/checks.lua"
local escape_url = core.load("modules/http/app/answers.lua").escape_url

-- ---- arguments ----------------------------------------------------------------------

local NAMES = { body = true, form = true, headers = true, json = true, method = true, path = true, peer = true,
  timeout = true }

-- Raised where the method was called.
local function refuse(text, ...)
  local level = 2
  local info = getinfo(level, "S")
  while info and match(info.source, "^@neap:") do
    level = level + 1
    info = getinfo(level, "S")
  end
  error(format("bad argument #1 to 'request' (%s)", format(text, ...)), level)
end

local function check_options(options)
  if type(options) ~= "table" then refuse("a path or a table expected, got %s", type(options)) end
  for key in pairs(options) do
    if not NAMES[key] then
      refuse("unknown option '%s' (there are: %s)", tostring(key), checks.names_of(NAMES))
    end
  end
  local timeout = options.timeout
  if timeout ~= nil and not (type(timeout) == "number" and timeout >= 0 and timeout <= 1e9) then
    refuse("timeout must be a number of seconds from 0 to 1e9")
  end
end

-- A part of the head that must stay what it is. What else is wrong with it the server is to say.
local function check_text(name, value, other)
  if value == nil then return other end
  if type(value) ~= "string" then refuse("%s must be a string, not a %s", name, type(value)) end
  if find(value, "[\r\n%z]") then refuse("%s has a line break or a zero byte", name) end
  return value
end

local function check_header(name, value)
  if not checks.is_token(name) then
    refuse("'%s' is no name of a header", tostring(name))
  end
  if type(value) ~= "string" and type(value) ~= "number" then
    refuse("header '%s' must be a string, not a %s", name, type(value))
  end
  value = format("%s", value)
  if find(value, "[\r\n%z]") then refuse("header '%s' has a line break or a zero byte", name) end
  return value
end

-- By name (a list of values is a line for each), or a list of { name, value }, which go out in this order.
local function header_lines(headers)
  local lines, names = {}, {}
  local function add(name, value)
    lines[#lines + 1] = name .. ": " .. value .. "\r\n"
    names[lower(name)] = value
  end
  if headers == nil then return lines, names end
  if type(headers) ~= "table" then refuse("headers must be a table, not a %s", type(headers)) end
  for name, value in pairs(headers) do
    if math_type(name) ~= "integer" then
      for _, one in ipairs(type(value) == "table" and value or { value }) do add(name, check_header(name, one)) end
    end
  end
  for _, pair in ipairs(headers) do
    if type(pair) ~= "table" then refuse("a list of headers has { name, value }, not a %s", type(pair)) end
    add(pair[1], check_header(pair[1], pair[2]))
  end
  return lines, names
end

-- Strings and numbers, also a list of them.
local function text_of(body)
  if type(body) == "string" then return body end
  if type(body) == "number" then return format("%s", body) end
  if type(body) ~= "table" then return nil end
  local texts = {}
  for i, piece in ipairs(body) do
    if type(piece) ~= "string" and type(piece) ~= "number" then return nil end
    texts[i] = piece
  end
  if #texts == 0 and next(body) ~= nil then return nil end
  return concat(texts)
end

local function encode(value)
  if type(value) ~= "string" and type(value) ~= "number" then
    refuse("a value of form must be a string or a list of them, not a %s", type(value))
  end
  return escape_url(value)
end

-- As a browser sends it; names in their order.
local function form_of(fields)
  local names, pairs_of = {}, {}
  if type(fields) ~= "table" then refuse("form must be a table, not a %s", type(fields)) end
  for name in pairs(fields) do
    if type(name) ~= "string" then refuse("a name of form must be a string, not a %s", type(name)) end
    names[#names + 1] = name
  end
  sort(names)
  for _, name in ipairs(names) do
    local value = fields[name]
    if type(value) == "table" and #value == 0 and next(value) ~= nil then
      refuse("'%s' of form must be a string or a list of them", name)
    end
    for _, one in ipairs(type(value) == "table" and value or { value }) do
      pairs_of[#pairs_of + 1] = encode(name) .. "=" .. encode(one)
    end
  end
  return concat(pairs_of, "&")
end

local function json_of(value)
  local ok, text = pcall(json.encode, value)
  if not ok then refuse("json: %s", text) end
  return text
end

-- A string, or a function that gives the pieces; nil: there is none. And its type, where that is known.
local function check_body(options)
  local body = options.body
  if (body ~= nil and 1 or 0) + (options.json ~= nil and 1 or 0) + (options.form ~= nil and 1 or 0) > 1 then
    refuse("one of body, form and json is the body")
  end
  if options.json ~= nil then return json_of(options.json), "application/json" end
  if options.form ~= nil then return form_of(options.form), "application/x-www-form-urlencoded" end
  if body == nil or type(body) == "function" then return body end
  local text = text_of(body)
  if not text then
    refuse("body must be a string, a number, a list of these, or a function, not a %s%s", type(body),
      type(body) == "table" and " of something else; see json and form" or "")
  end
  return text
end

-- The head; and whether the body is to go out in chunks.
local function format_head(options, body, kind)
  local method = check_text("method", options.method, "GET")
  local path = check_text("path", options.path, "/")
  local lines, names = header_lines(options.headers)
  local chunked = type(body) == "function" and not names["content-length"]
  if kind and not names["content-type"] then lines[#lines + 1] = "content-type: " .. kind .. "\r\n" end
  if not names.host then lines[#lines + 1] = "host: localhost\r\n" end
  if names["transfer-encoding"] or body == nil then
    chunked = chunked and body ~= nil
  elseif chunked then
    lines[#lines + 1] = "transfer-encoding: chunked\r\n"
  elseif not names["content-length"] then
    lines[#lines + 1] = format("content-length: %d\r\n", #body)
  end
  local expects = body ~= nil and names.expect and lower(names.expect) == "100-continue"
  return concat { method, " ", path, " HTTP/1.1\r\n", concat(lines), "\r\n" }, chunked, expects
end

-- ---- the body -----------------------------------------------------------------------

local function send_pieces(conn, next_piece, chunked)
  for piece in next_piece do
    local text = text_of(piece)
    if not text then error(format("the body of a request gave a %s, not a string", type(piece)), 0) end
    if text ~= "" then
      if chunked then text = format("%x\r\n", #text) .. text .. "\r\n" end
      if not conn:write(text) then return end -- the answer says why, or its absence
    end
  end
  if chunked then conn:write "0\r\n\r\n" end
end

-- What its function raises is the error of whoever waits for the answer.
local function send(reader, body, chunked)
  local conn = reader.conn
  local ok, why
  if type(body) == "string" then
    ok, why = pcall(conn.write, conn, body)
  else
    ok, why = pcall(send_pieces, conn, body, chunked)
  end
  if ok or conn.closed or reader.whole then return end
  reader.failure = { value = why }
  conn:close() -- wakes it
end

-- ---- asking -------------------------------------------------------------------------

-- Whoever is cancelled, or fails, leaves.
local guard_class = {}
function guard_class.__close(guard)
  if guard.reader then answers.close(guard.reader) end
end

local function exchange(conn, what)
  local reader = answers.reader(conn, what.name, what.timeout)
  local guard <close> = setmetatable({ reader = reader }, guard_class)
  local function start_to_send()
    if not reader.sender and what.body then reader.sender = neap.go(send, reader, what.body, what.chunked) end
  end
  conn:write(what.head)
  if not what.expects then start_to_send() end
  local limit = what.timeout and timer.monotonic() + what.timeout
  local response, message, code = answers.read(reader, limit, what.method == "HEAD", function(interim)
    if interim.status == 100 then start_to_send() end
  end)
  if not response then return nil, message, code end
  guard.reader = nil
  return response
end

-- Responses that were forgotten still have descriptors, until they are collected.
local function connect(router, peer)
  local conn, message, code = core.pair(router, nil, peer)
  if conn or code ~= "EMFILE" then return conn, message, code end
  collectgarbage()
  return core.pair(router, nil, peer)
end

-- The connection, and what goes through it.
local function prepare(router, options)
  if type(options) == "string" then options = { path = options } end
  check_options(options)
  local body, kind = check_body(options)
  local head, chunked, expects = format_head(options, body, kind)
  local method = options.method or "GET"
  local what = { head = head, body = body ~= "" and body or nil, chunked = chunked, expects = expects,
    method = method, timeout = options.timeout, name = method .. " " .. (options.path or "/") }
  local peer = check_text("peer", options.peer)
  local conn, message, code = connect(router, peer)
  if conn then return conn, what end
  if code == "EINVAL" then refuse("peer must be an address, not '%s'", peer) end
  return nil, format("request %s: %s", what.name, match(message, ": (.*)$") or message), code
end

local function is_callable(value)
  local metatable = getmetatable(value)
  return type(value) == "function" or type(metatable) == "table" and metatable.__call ~= nil
end

return function(router, options, callback)
  if router.parent then error("a group takes no requests: its router does", 2) end
  if callback ~= nil and not is_callable(callback) then
    error(format("bad argument #2 to 'request' (function expected, got %s)", type(callback)), 2)
  end
  local conn, what, code = prepare(router, options)
  if not callback then
    if not conn then return nil, what, code end
    return exchange(conn, what)
  end
  return neap.go(function()
    if not conn then return callback(nil, what, code) end
    callback(exchange(conn, what))
  end)
end
