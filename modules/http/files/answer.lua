-- What is answered with an open file: headers, and the part of it that was asked for.
local core = ...
local concat, error, format, ipairs, pairs, setmetatable, type =
  table.concat, error, string.format, ipairs, pairs, setmetatable, type
local date, judge, random = core.files_date, core.files_judge, core.files_random

local answer = {}

-- ---- parts of it -----------------------------------------------------------------

-- Some values as a body: strings, and pairs of numbers, which are bytes of the file. The file ends with it.
local parts_class = {}
parts_class.__index = parts_class

local function close(parts)
  parts.file:close()
end

parts_class.close, parts_class.__close = close, close

function parts_class.chunks(parts)
  local at, current = 0, nil
  return function()
    while true do
      if current then
        local piece, message, code = current()
        if piece or message then return piece, message, code end
        current = nil
      end
      at = at + 1
      local part = parts[at]
      if type(part) ~= "table" then return part end -- a string; or nil, the end
      current = parts.file:chunks(part[1], part[2])
    end
  end
end

local function set_one(response, file, ranges)
  local headers, first, last = response.headers, ranges[1], ranges[2]
  headers["content-range"] = format("bytes %d-%d/%d", first, last, file.size)
  headers["content-length"] = format("%d", last - first + 1)
  file.body:range(first, last)
end

-- RFC 9110, 14.6: multipart/byteranges.
local function set_several(response, file, ranges)
  local headers, boundary = response.headers, random()
  local parts, length = setmetatable({ file = file.body }, parts_class), 0
  for i = 1, #ranges, 2 do
    local first, last = ranges[i], ranges[i + 1]
    local head = format("%s--%s\r\ncontent-type: %s\r\ncontent-range: bytes %d-%d/%d\r\n\r\n",
      i == 1 and "" or "\r\n", boundary, headers["content-type"], first, last, file.size)
    parts[#parts + 1] = head
    parts[#parts + 1] = { first, last }
    length = length + #head + last - first + 1
  end
  parts[#parts + 1] = format("\r\n--%s--\r\n", boundary)
  headers["content-type"] = "multipart/byteranges; boundary=" .. boundary
  headers["content-length"] = format("%d", length + #parts[#parts])
  response.body = parts
end

-- ---- all of it -------------------------------------------------------------------

-- Those of the script go before ours; options.lua sees to it that they are not of the file.
local function add_own(headers, own)
  local vary = headers.vary
  for name, value in pairs(own) do headers[name] = value end
  if vary and own.vary then headers.vary = own.vary .. ", " .. vary end
  return headers
end

-- What a client may keep, and how long; and where it `is_sent`, what it is. (One table of the right size.)
local function headers_of(file, options, is_sent)
  return add_own({
    etag = file.etag, ["last-modified"] = date(file.modified), ["cache-control"] = options.cache_control,
    vary = file.varies and "accept-encoding" or nil,
    ["accept-ranges"] = is_sent and "bytes" or nil, ["content-type"] = is_sent and file.type or nil,
    ["content-encoding"] = is_sent and file.coding or nil,
    ["content-disposition"] = is_sent and options.disposition or nil,
    ["content-length"] = is_sent and format("%d", file.size) or nil,
  }, options.headers)
end

local function without_body(file, status, headers, text)
  file.body:close()
  return { status = status, headers = headers, body = text }
end

-- file: { body, size, etag, modified, coding, varies, type }. Without the body of an answer it is closed.
function answer.with(req, file, options)
  local status, ranges = judge(req, file.etag, file.modified, file.size)
  if status == 304 then return without_body(file, 304, headers_of(file, options, false)) end
  if status == 412 then return without_body(file, 412, {}, "Precondition Failed\n") end
  if status == 416 then
    return without_body(file, 416, { ["content-range"] = format("bytes */%d", file.size) }, "Range Not Satisfiable\n")
  end
  local headers = headers_of(file, options, true)
  if req.method == "HEAD" then return without_body(file, status, headers) end
  local response = { status = status, headers = headers, body = file.body }
  if ranges then
    local set = #ranges == 2 and set_one or set_several
    set(response, file, ranges)
  end
  return response
end

-- ---- a name to save it under (RFC 6266) ------------------------------------------

local function is_plain(name)
  return not name:find "[^\32-\126]" and not name:find "[\"\\%%]"
end

function answer.disposition(name)
  if is_plain(name) then return format('attachment; filename="%s"', name) end
  local plain = name:gsub("[^\32-\126]+", "_"):gsub("[\"\\%%]", "_")
  if not utf8.len(name) then return format('attachment; filename="%s"', plain) end
  return format("attachment; filename=\"%s\"; filename*=UTF-8''%s", plain, core.files_encode(name))
end

-- ---- why there is none -----------------------------------------------------------

local NOT_THERE = {}
for _, code in ipairs { "ENOENT", "ENOTDIR", "ENXIO", "EXDEV", "ELOOP", "ENAMETOOLONG", "EISDIR" } do
  NOT_THERE[code] = true
end

-- What is nobody's fault but ours is an error, and reported as one.
function answer.failure(message, code)
  if NOT_THERE[code] then return { status = 404, headers = {}, body = "Not Found\n" } end
  if code == "EACCES" or code == "EPERM" then return { status = 403, headers = {}, body = "Forbidden\n" } end
  error(concat { "cannot send a file: ", message }, 0)
end

-- As a router answers what it has no handler for.
local ALLOW = "GET, HEAD, OPTIONS"

function answer.without_file(method)
  if method == "OPTIONS" then return { status = 204, headers = { allow = ALLOW } } end
  return { status = 405, headers = { allow = ALLOW }, body = "Method Not Allowed\n" }
end

return answer
