-- req:parts: one part after the other, as they come.
local core = ...
local concat, error, select = table.concat, error, select
local arguments, reader_of = core.load "modules/http/forms/arguments.lua", core.load "modules/http/forms/reader.lua"
local new = core.new
local bad_argument, check_arguments, run = arguments.bad, arguments.check, arguments.run
local read_data, read_event, too_large = reader_of.data, reader_of.event, reader_of.too_large

local READER, USE, BEGUN, BODY = {}, {}, {}, {} -- keys of a part
local BODY_LIMIT = 1 << 20

local function next_part(reader)
  if reader.code then error(reader.message, 0) end
  if reader.ended then return nil end
  if reader.current then
    local ok, message = reader_of.skip(reader)
    if not ok then error(message, 0) end
  end
  local kind, name, filename, content_type, headers = read_event(reader)
  if kind == "end" then return nil end
  if not kind then error(name, 0) end
  reader.count = reader.count + 1
  if reader.count > reader.max_parts then
    local _, message = too_large(reader, "more than %d parts", reader.max_parts)
    error(message, 0)
  end
  local part = new("part", { name = name, filename = filename, type = content_type, headers = headers,
    [READER] = reader })
  reader.current = part
  return part
end

local PARTS_OPTIONS = { limit = "size", max_parts = "size", timeout = "time" }

local function parts(req, options, ...)
  if select("#", ...) > 0 then bad_argument(3, 2, "parts", "no callback: it is for a loop") end
  options = arguments.options(3, 1, "parts", options, PARTS_OPTIONS)
  local kind, boundary = reader_of.kind_of(req)
  if not kind then error(boundary, 0) end
  if kind ~= "multipart" then
    core.refuse(req, 415)
    error("request form: it is not multipart, so it has no parts", 0)
  end
  local obstacle = core.kept(req) and "this body is read already, by form() or parts()" or core.obstacle(req, true)
  if obstacle then error(obstacle, 3) end
  local reader = reader_of.open(req, boundary, options.limit, arguments.milliseconds(options.timeout))
  reader.count, reader.max_parts = 0, options.max_parts or 1000
  core.keep(req, reader)
  return function() return next_part(reader) end
end

local OBSTACLES = {
  body = "this part has been read whole already, by body()",
  chunks = "this part is read in pieces already, by chunks()",
  skip = "this part has been skipped already, by skip()",
}

-- Whose turn it is; `use` is how it is read now.
local function check_part(part, use, level)
  local reader = part[READER]
  if part[USE] and part[USE] ~= use then error(OBSTACLES[part[USE]], level + 1) end
  if reader.current ~= part and part[USE] == nil then
    error("this part is over: another one has been asked for", level + 1)
  end
  return reader
end

-- (Where whoever has read it was cancelled, what had come by then is lost.)
local function read_part(part, limit)
  local reader = part[READER]
  if part[BODY] then return part[BODY] end
  if reader.code then return nil, reader.message, reader.code end
  if part[BEGUN] then
    local obstacle = core.obstacle(reader.req, true)
    if obstacle then error(obstacle, 0) end
  end
  if part[BEGUN] or reader.current ~= part then
    return nil, "request form: this part was given up", "ECANCELED"
  end
  part[BEGUN] = true
  local pieces, size = {}, 0
  while true do
    local data, message, code = read_data(reader)
    if code then return nil, message, code end
    if not data then break end
    size = size + #data
    if size > limit then return too_large(reader, "a part has more than %d bytes", limit) end
    pieces[#pieces + 1] = data
  end
  part[BODY] = concat(pieces)
  return part[BODY]
end

local function part_body(part, options, callback)
  options, callback = check_arguments(3, 1, "body", options, callback, { limit = "size" })
  check_part(part, "body", 3)
  part[USE] = "body"
  return run(callback, read_part, part, options.limit or BODY_LIMIT)
end

local function next_chunk(part)
  local reader = part[READER]
  if reader.current ~= part then
    if reader.code then error(reader.message, 0) end
    return nil
  end
  local data, message, code = read_data(reader)
  if code then error(message, 0) end
  return data
end

local function part_chunks(part)
  check_part(part, "chunks", 3)
  part[USE] = "chunks"
  return function() return next_chunk(part) end
end

local function skip(part)
  local reader = part[READER]
  if reader.code then return nil, reader.message, reader.code end
  if reader.current ~= part then return true end
  local ok, message, code = reader_of.skip(reader)
  if not ok then return nil, message, code end
  return true
end

local function part_skip(part, callback)
  arguments.callback(3, 1, "skip", callback)
  part[USE] = part[USE] or "skip"
  return run(callback, skip, part)
end

return { parts = parts, part_body = part_body, part_chunks = part_chunks, part_skip = part_skip }
