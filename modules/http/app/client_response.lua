-- An answer as scripts see it: a response, whose body is read when it is asked for; client_reader.lua reads it.
local core = ...
local error, format, getmetatable, ipairs, pairs, setmetatable, tostring, type =
  error, string.format, getmetatable, ipairs, pairs, setmetatable, tostring, type
local concat, huge, lower = table.concat, math.huge, string.lower
local json, neap, timer = require "neap.json", require "neap", require "neap.timer"
local reading = core.load "modules/http/app/client_reader.lua"
local monotonic = timer.monotonic

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

local MOST = { limit = huge, timeout = 1e9 }

local function check_options(name, options)
  if options ~= nil and type(options) ~= "table" then
    error(format("bad argument #1 to '%s' (table expected, got %s)", name, type(options)), 3)
  end
  for key, value in pairs(options or {}) do
    if not MOST[key] then
      error(format("bad argument #1 to '%s' (unknown option '%s' (there are: limit, timeout))", name, tostring(key)), 3)
    end
    if not (type(value) == "number" and value >= 0 and value <= MOST[key]) then
      error(format("bad argument #1 to '%s' (%s must be a number from 0 to %g)", name, key, MOST[key]), 3)
    end
  end
  return options or {}
end

-- Which use of the body: "whole" or "pieces".
local function begin(response, name, use)
  local reader = check(response, name)
  if reader.closed then error("this response is closed", 3) end
  if reader.busy then error("another task waits for this body", 3) end
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
  return reading.fail(reader, "EMSGSIZE", format("the body is longer than %d bytes", options.limit))
end

-- Waiting twice goes on where the first one has stopped: pieces are kept.
local function read_whole(response, reader, options)
  if reader.body then return reader.body end
  local limit, pieces = limit_of(reader, options), reader.pieces or {}
  reader.pieces = pieces
  while true do
    local piece, message, code = reading.piece(response, reader, limit)
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
    if reader.busy then error("another task waits for this body", 2) end
    local piece, message, code = reading.piece(response, reader, limit_of(reader, options))
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

function methods.close(response)
  reading.close(check(response, "close"))
end

local function forget(response)
  reading.close(response[READER])
end

class.__gc, class.__close = forget, forget

-- See client_reader.lua: read.
local function read_response(reader, limit, is_head, on_interim)
  local response, lines, code = reading.read(reader, limit, is_head, on_interim)
  if not response then return nil, lines, code end
  response[READER], response[LINES] = reader, lines
  return setmetatable(response, class)
end

return { reader = reading.new, read = read_response, close = reading.close }
