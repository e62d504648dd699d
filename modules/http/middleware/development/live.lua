-- Pages that reload themselves: a script in each page, and a stream that tells it which version is live.
--
-- The page knows the version that it is from. The stream ends when that is replaced, the browser comes back, and is
-- told another version: so it does not matter when a page was loaded, nor when a connection was lost, and a page is
-- loaded once for each version. The script has an address of its own: a policy that forbids scripts in pages may allow
-- that.
local core = ...
local concat, find, floor, format, gsub, lower, match, sub =
  table.concat, string.find, math.floor, string.format, string.gsub, string.lower, string.match, string.sub
local getmetatable, ipairs, pcall, setmetatable, tonumber, type, utf8_len =
  debug.getmetatable, ipairs, pcall, setmetatable, tonumber, type, utf8.len
local CODE = core.load "modules/http/middleware/development/script.lua"
local trace = core.load "modules/http/middleware/development/trace.lua"
local hot, http, json = require "neap.hot", require "neap.http", require "neap.json"
local escape = http.escape

local STREAM, SCRIPT = "/.neap/reload", "/.neap/reload.js"
local BACK = 100 -- ms until a browser comes back
local QUIET = 15 -- s: then a comment is sent

local live = {}

-- ---- the stream ------------------------------------------------------------------

-- Of a process and its versions: after a restart they are others.
function live.version()
  local status = hot.status()
  return format("%x-%d", floor(status.started * 1000), status.here)
end

local function as_utf8(text)
  return utf8_len(text) and text or (gsub(text, "[\128-\255]", "?"))
end

local function failed(text)
  local lines = trace.lines(text, 2)
  lines = lines and as_utf8(concat(trace.listing(lines), "\n"))
  return "event: failed\ndata: " .. json.encode { text = as_utf8(text), lines = lines } .. "\n\n"
end

-- What was told first is what was so: while it is written more may happen.
local function tell(write, version)
  local told
  if not write(format("retry: %d\n\nevent: version\ndata: %s\n\nevent: fine\ndata:\n\n", BACK, version)) then return end
  while true do
    local now = hot.status().error
    if now ~= told then
      told = now
      if not write(now and failed(now) or "event: fine\ndata:\n\n") then return end
    else
      local news, _, code = hot.wait { timeout = QUIET }
      if news == "replaced" or news == "ending" then return end
      if code and not write ":\n\n" then return end
    end
  end
end

local function stream()
  local version = live.version()
  return core.response(nil, {
    headers = { ["content-type"] = "text/event-stream", ["cache-control"] = "no-store", ["x-accel-buffering"] = "no" },
    body = function(write) tell(write, version) end,
  })
end

local function script()
  return core.response(nil, 200, CODE, {
    ["content-type"] = "text/javascript; charset=utf-8", ["cache-control"] = "no-store",
    ["x-content-type-options"] = "nosniff",
  })
end

-- What this file itself has to say, or nil.
function live.answer(req)
  local path = req.path
  if sub(path, 1, 8) ~= "/.neap/r" or req.method ~= "GET" then return nil end
  if path == STREAM then return stream() end
  if path == SCRIPT then return script() end
end

-- ---- pages -----------------------------------------------------------------------

local DOCUMENT = { document = true, iframe = true, frame = true }

local function is_page(req, response)
  local headers, status = response.headers, response.status
  local kind, purpose = headers["content-type"], req:header "sec-fetch-dest"
  if type(kind) ~= "string" or not find(lower(kind), "^%s*text/html%f[^%w.+-]") then return false end
  if response.body == nil or status == 204 or status == 206 or status == 304 then return false end
  if headers["content-encoding"] or headers["content-range"] then return false end
  return purpose == nil or DOCUMENT[purpose] == true
end

local function tag_for(req, response, version)
  local src = escape(req.base .. SCRIPT)
  local policy = response.headers["content-security-policy"]
  if type(policy) == "table" then policy = concat(policy, ", ") end
  local nonce = policy and match(policy, "'nonce%-([%w+/_=-]+)'")
  return format('<script src="%s" data-version="%s"%s%s></script>', src, version,
    nonce and ' nonce="' .. nonce .. '"' or "", (req.method == "GET" or req.method == "HEAD") and "" or " data-sent")
end

-- Before the last </body>, or at the end: for a browser that is the same.
local function add_to_text(text, tag)
  local at = match(text, ".*()</[bB][oO][dD][yY]%s*>")
  if not at then return text .. tag end
  return sub(text, 1, at - 1) .. tag .. sub(text, at)
end

-- The pieces of a body, then the tag. Whoever gives no more says why, if it has failed.
local function add_to_pieces(give, tag)
  local is_over = false
  return function(...)
    if is_over then return nil end
    local piece, message = give(...)
    if piece ~= nil or message then return piece, message end
    is_over = true
    return tag
  end
end

-- An object with chunks; it is closed where it can be.
local with_chunks = {}

local function chunks(self)
  local give, argument = self.body:chunks()
  if give == nil then return nil, argument end
  return add_to_pieces(function() return give(argument) end, self.tag)
end

with_chunks.__index = { chunks = chunks }

function with_chunks.__close(self, err)
  local metatable = getmetatable(self.body)
  if metatable and metatable.__close then metatable.__close(self.body, err) end
end

local function has_chunks(body)
  local ok, method = pcall(function() return body.chunks end)
  return ok and method ~= nil
end

-- nil: it is of a form that is not known here.
local function add(body, tag)
  local kind = type(body)
  if kind == "string" then return add_to_text(body, tag) end
  if kind == "function" then return add_to_pieces(body, tag) end
  if kind == "number" then return body .. tag end
  if has_chunks(body) then return setmetatable({ body = body, tag = tag }, with_chunks) end
  if kind == "table" and not getmetatable(body) then return add_to_text(concat(body), tag) end
end

-- A response that is a page, with the script. What would let a browser keep it would keep it of the version before.
function live.inject(req, response, version)
  if not is_page(req, response) then return response end
  local headers, tag = response.headers, tag_for(req, response, version)
  local body = add(response.body, tag)
  if not body then return response end
  response.body = body
  local length = tonumber(headers["content-length"])
  if length then headers["content-length"] = length + #tag end
  headers["cache-control"] = "no-store"
  for _, name in ipairs { "etag", "last-modified", "expires", "accept-ranges" } do headers[name] = nil end
  return response
end

return live
