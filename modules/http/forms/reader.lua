-- A reader gives the events of a multipart body, and asks for more of it when it needs more; so a client is no faster
-- than whoever reads. It fails once, and then for good.
local core = ...
local format, gsub, sub = string.format, string.gsub, string.sub
local next_event, next_piece, feed, refuse = core.event, core.piece, core.feed, core.refuse

local HEADER_SIZE, HEADERS = 16384, 64

local function fail(reader, message, code, status)
  if status and status ~= 0 then refuse(reader.req, status) end
  reader.message, reader.code = message, code
  return nil, message, code
end

-- For messages: short, and without what a log would take for a line.
local function shown(name)
  return "'" .. gsub(sub(name, 1, 40), "[%c\127-\255]", "?") .. "'"
end

local function too_large(reader, text, ...)
  return fail(reader, "request form: " .. format(text, ...), "EMSGSIZE", 413)
end

local function open(req, boundary, limit, timeout, deadline)
  core.open(req, limit)
  return { req = req, parser = core.parser(boundary, HEADER_SIZE, HEADERS), timeout = timeout, deadline = deadline }
end

-- (What is there already is given whatever the time: so it is looked at here.)
local function read_piece(reader)
  if not reader.deadline then return next_piece(reader.req, reader.timeout or -1) end
  local ms = reader.deadline - core.now()
  if ms >= 0 then return next_piece(reader.req, ms) end
  refuse(reader.req, 408)
  return nil, "request body: timed out", "ETIMEDOUT"
end

-- The body is whole only when its own end has come, too.
local function read_rest(reader)
  local piece, message, code
  repeat
    piece, message, code = read_piece(reader)
  until not piece
  if code then return fail(reader, message, code) end
  reader.ended = true
  return "end"
end

-- "part", name, filename, type, headers | "data", string | "part end" | "end" | nil, message, code
local function read_event(reader)
  if reader.code then return nil, reader.message, reader.code end
  while true do
    local kind, a, b, c, d = next_event(reader.parser)
    if kind == "refused" then return fail(reader, "request form: " .. a, c, b) end
    if kind == "end" then return read_rest(reader) end
    if kind then return kind, a, b, c, d end
    local piece, message, code = read_piece(reader)
    if code then return fail(reader, message, code) end
    feed(reader.parser, piece)
  end
end

-- The next bytes of the part that is read now; nil at its end, nil, message, code.
local function read_data(reader)
  local kind, data, code = read_event(reader)
  if kind == "data" then return data end
  if kind ~= "part end" then return nil, data, code end
  reader.current = nil
  return nil
end

local function skip_part(reader)
  local data, message, code
  repeat
    data, message, code = read_data(reader)
  until not data
  return not code, message, code
end

-- What kind of form, and its boundary; or nil, message, code, and the answer for the client.
local function kind_of(req)
  local text = core.header(req, "content-type")
  if not text then
    refuse(req, 415)
    return nil, "request form: it has no content-type", "ENOTSUP"
  end
  local kind, boundary = core.content_type(text)
  if not kind then
    refuse(req, 415)
    return nil, "request form: its content-type is that of no form", "ENOTSUP"
  elseif kind == "multipart" and not boundary then
    refuse(req, 400)
    return nil, "request form: multipart without a boundary", "EINVAL"
  end
  return kind, boundary
end

return {
  data = read_data, event = read_event, fail = fail, kind_of = kind_of, open = open, shown = shown, skip = skip_part,
  too_large = too_large,
}
