-- req:form and req:parts: what a client has filled in.
--
-- A *reader* gives the events of a multipart body, and asks for more of it when it needs more; so a client is no faster
-- than whoever reads. It fails once, and then for good. What a form collects is held to its limits before it is kept.
-- A method is called by C, which the script has called: its caller is level 3.
local core = ...
local error, getenv, ipairs, pairs, rawlen, select, setmetatable, type =
  error, os.getenv, ipairs, pairs, rawlen, select, setmetatable, type
local find, format, gsub, lower, match, sub =
  string.find, string.format, string.gsub, string.lower, string.match, string.sub
local concat, floor, math_type, utf8_length = table.concat, math.floor, math.type, utf8.len
local next_event, next_piece, feed, refuse, new = core.event, core.piece, core.feed, core.refuse, core.new
local go = require "neap".go

local MB = 1 << 20
local HEADER_SIZE, HEADERS = 16384, 64
local WRITE_SIZE = 65536

-- ---- arguments -------------------------------------------------------------------

local function bad_argument(level, index, name, text, ...)
  error(format("bad argument #%d to '%s' (%s)", index, name, format(text, ...)), level + 1)
end

-- Options of these names, each a kind: "size", "time", "text", "flag". Level is that of the caller of whoever calls.
local function check_options(name, options, kinds, level)
  if options == nil then return {} end
  if type(options) ~= "table" then
    bad_argument(level + 1, 1, name, "table expected, got %s", type(options))
  end
  local result = {}
  for key, value in pairs(options) do
    local kind = kinds[key]
    if not kind then bad_argument(level + 1, 1, name, "unknown option '%s'", key) end
    if kind == "size" then
      if math_type(value) ~= "integer" or value < 0 then
        bad_argument(level + 1, 1, name, "%s must be an integer from 0 on", key)
      end
    elseif kind == "time" then
      if type(value) ~= "number" or not (value >= 0 and value <= 1e9) then
        bad_argument(level + 1, 1, name, "%s must be a number of seconds", key)
      end
    elseif kind == "text" then
      if type(value) ~= "string" or value == "" or find(value, "\0", 1, true) then
        bad_argument(level + 1, 1, name, "%s must be a path", key)
      end
    elseif type(value) ~= "boolean" then
      bad_argument(level + 1, 1, name, "%s must be true or false", key)
    end
    result[key] = value
  end
  return result
end

-- [options] [callback]
local function check_arguments(name, kinds, options, callback, level)
  if type(options) == "function" and callback == nil then options, callback = nil, options end
  if callback ~= nil and type(callback) ~= "function" then
    bad_argument(level + 1, 2, name, "function expected, got %s", type(callback))
  end
  return check_options(name, options, kinds, level + 1), callback
end

local function milliseconds(seconds)
  return seconds and floor(seconds * 1000 + 0.999) or -1
end

-- Waits, or calls back later.
local function run(callback, fn, ...)
  if not callback then return fn(...) end
  return go(function(...) callback(fn(...)) end, ...)
end

-- ---- a reader --------------------------------------------------------------------

local function fail(reader, message, code, status)
  if status and status ~= 0 then refuse(reader.req, status) end
  reader.message, reader.code = message, code
  return nil, message, code
end

local function open_reader(req, boundary, limit, timeout, deadline)
  core.open(req, limit)
  return { req = req, parser = core.parser(boundary, HEADER_SIZE, HEADERS), timeout = timeout, deadline = deadline }
end

local function read_piece(reader)
  local ms = reader.timeout or -1
  if reader.deadline then
    ms = reader.deadline - core.now()
    if ms < 0 then ms = 0 end
  end
  return next_piece(reader.req, ms)
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

-- ---- parts -----------------------------------------------------------------------

local READER, USE, BODY = {}, {}, {} -- keys of a part
local BODY_LIMIT = MB

local function end_part(reader)
  reader.current = nil
  return nil
end

-- The next bytes of the part that is read now; nil at its end, nil, message, code.
local function read_data(reader)
  local kind, data, code = read_event(reader)
  if kind == "data" then return data end
  if kind == "part end" then return end_part(reader) end
  return nil, data, code
end

local function skip_part(reader)
  local data, message, code
  repeat
    data, message, code = read_data(reader)
  until not data
  return not code, message, code
end

local function next_part(reader)
  if reader.code then error(reader.message, 0) end
  if reader.ended then return nil end
  if reader.current then
    local ok, message = skip_part(reader)
    if not ok then error(message, 0) end
  end
  local kind, name, filename, content_type, headers = read_event(reader)
  if kind == "end" then return nil end
  if not kind then error(name, 0) end
  reader.count = reader.count + 1
  if reader.count > reader.max_parts then
    local _, message = fail(reader, format("request form: more than %d parts", reader.max_parts), "EMSGSIZE", 413)
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
  options = check_options("parts", options, PARTS_OPTIONS, 3)
  local kind, boundary = kind_of(req)
  if not kind then error(boundary, 0) end
  if kind ~= "multipart" then
    refuse(req, 415)
    error("request form: it is not multipart, so it has no parts", 0)
  end
  local obstacle = core.kept(req) and "this body is read already, by form() or parts()" or core.obstacle(req, true)
  if obstacle then error(obstacle, 3) end
  local reader = open_reader(req, boundary, options.limit, options.timeout and milliseconds(options.timeout))
  reader.count, reader.max_parts = 0, options.max_parts or 1000
  core.keep(req, reader)
  return next_part, reader
end

-- Whose turn it is; `use` is how it is read now.
local function check_part(part, use, level)
  local reader = part[READER]
  if part[USE] and part[USE] ~= use then
    error(use == "body" and "this part is read in pieces already, by chunks()" or
      "this part has been read whole already, by body()", level + 1)
  end
  if reader.current ~= part and part[USE] == nil then
    error("this part is over: another one has been asked for", level + 1)
  end
  return reader
end

local function read_part(part, limit)
  local reader = part[READER]
  if part[BODY] then return part[BODY] end
  if reader.code then return nil, reader.message, reader.code end
  if reader.current ~= part then return nil, "request form: this part was given up", "ECANCELED" end
  local pieces, size = {}, 0
  while true do
    local data, message, code = read_data(reader)
    if code then return nil, message, code end
    if not data then break end
    size = size + #data
    if size > limit then
      message = format("request form: a part has more than %d bytes", limit)
      return fail(reader, message, "EMSGSIZE", 413)
    end
    pieces[#pieces + 1] = data
  end
  part[BODY] = concat(pieces)
  return part[BODY]
end

local function part_body(part, options, callback)
  options, callback = check_arguments("body", { limit = "size" }, options, callback, 3)
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
  return next_chunk, part
end

local function skip(part)
  local reader = part[READER]
  if reader.code then return nil, reader.message, reader.code end
  if reader.current ~= part then return true end
  local ok, message, code = skip_part(reader)
  if not ok then return nil, message, code end
  return true
end

local function part_skip(part, callback)
  if callback ~= nil and type(callback) ~= "function" then
    bad_argument(3, 1, "skip", "function expected, got %s", type(callback))
  end
  part[USE] = part[USE] or "skip"
  return run(callback, skip, part)
end

-- ---- uploads ---------------------------------------------------------------------

local FILE = {} -- key of an upload: its bytes, or nothing where there are none

local DEVICES = { con = true, prn = true, aux = true, nul = true }

-- Of what the client calls its file: a name without a directory, that hides nothing and means nothing to any system.
local function basename(filename)
  local name = gsub(gsub(filename, "^.*[/\\]", ""), "[%c<>:\"|?*]", "_")
  name = gsub(gsub(name, "^[%. ]+", ""), "[%. ]+$", "")
  if #name > 120 then
    local extension = match(name, "%.%w%w?%w?%w?%w?%w?%w?$") or ""
    name = sub(name, 1, 120 - #extension)
    while not utf8_length(name) and #name > 116 - #extension do name = sub(name, 1, -2) end
    name = name .. extension
  end
  if not utf8_length(name) then name = gsub(name, "[\128-\255]", "_") end
  local stem = gsub(lower(name), "%..*", "")
  if DEVICES[stem] or find(stem, "^com%d$") or find(stem, "^lpt%d$") then name = "_" .. name end
  return name == "" and "file" or name
end

local function upload_chunks(upload)
  local at = 0
  return function()
    if at >= upload.size then return nil end
    local data, message = core.read(upload[FILE], at, WRITE_SIZE)
    if not data then error(message, 0) end
    if data == "" then error("read an upload: it has become shorter", 0) end
    at = at + #data
    return data
  end
end

local function read_upload(upload)
  return core.read(upload[FILE], 0, upload.size)
end

local function upload_read(upload, callback)
  if callback ~= nil and type(callback) ~= "function" then
    bad_argument(3, 1, "read", "function expected, got %s", type(callback))
  end
  return run(callback, read_upload, upload)
end

local function upload_save(upload, path, options, callback)
  if type(path) ~= "string" then bad_argument(3, 1, "save", "string expected, got %s", type(path)) end
  if find(path, "\0", 1, true) then bad_argument(3, 1, "save", "a path with a zero in it") end
  if type(options) == "function" and callback == nil then options, callback = nil, options end
  if callback ~= nil and type(callback) ~= "function" then
    bad_argument(3, 3, "save", "function expected, got %s", type(callback))
  end
  options = check_options("save", options, { overwrite = "flag" }, 3)
  return run(callback, core.save, upload[FILE], path, options.overwrite ~= false)
end

-- ---- a form ----------------------------------------------------------------------

local FIELDS, UPLOADS = {}, {} -- keys of a form: name -> list

local function new_form()
  return new("form", { fields = {}, files = {}, [FIELDS] = {}, [UPLOADS] = {} })
end

local function add(first, lists, name, value)
  local list = lists[name]
  if list then
    list[#list + 1] = value
  else
    lists[name], first[name] = { value }, value
  end
end

local function copy_list(form, key, name, method)
  if type(name) ~= "string" then bad_argument(4, 1, method, "string expected, got %s", type(name)) end
  local list = {}
  for i, value in ipairs(form[key][name] or list) do list[i] = value end
  return list
end

local function form_list(form, name)
  return (copy_list(form, FIELDS, name, "list"))
end

local function form_uploads(form, name)
  return (copy_list(form, UPLOADS, name, "uploads"))
end

-- For messages: short, and without what a log would take for a line.
local function shown(name)
  return "'" .. gsub(sub(name, 1, 40), "[%c\127-\255]", "?") .. "'"
end

local function too_large(reader, text, ...)
  return fail(reader, "request form: " .. format(text, ...), "EMSGSIZE", 413)
end

-- All of the limits that fields have together: true, or what has failed.
local function count_field(reader, name, size)
  local limits = reader.limits
  reader.fields_size = reader.fields_size + size
  if size > limits.max_field then
    return too_large(reader, "field %s has more than %d bytes", shown(name), limits.max_field)
  elseif reader.fields_size > limits.max_fields_size then
    return too_large(reader, "its fields have more than %d bytes", limits.max_fields_size)
  end
  return true
end

local function read_field(reader, form, name)
  local pieces, size = {}, 0
  reader.fields = reader.fields + 1
  if reader.fields > reader.limits.max_fields then
    return too_large(reader, "more than %d fields", reader.limits.max_fields)
  end
  local before = reader.fields_size + #name
  while true do
    local data, message, code = read_data(reader)
    if code then return nil, message, code end
    size = size + (data and #data or 0)
    reader.fields_size = before
    local ok
    ok, message, code = count_field(reader, name, size)
    if not ok then return nil, message, code end
    if not data then break end
    pieces[#pieces + 1] = data
  end
  add(form.fields, form[FIELDS], name, concat(pieces))
  return true
end

local function write(reader, upload, pieces)
  local data = #pieces == 1 and pieces[1] or concat(pieces)
  if not upload[FILE] then
    local file, message, code = core.upload(reader.req, reader.limits.dir)
    if not file then return fail(reader, message, code) end
    upload[FILE] = file
    reader.files_made[#reader.files_made + 1] = file
  end
  if data == "" then return true end
  local ok, message, code = core.append(upload[FILE], data)
  if not ok then return fail(reader, message, code) end
  return true
end

local function read_upload_bytes(reader, upload)
  local pieces, waiting = {}, 0
  local limit = reader.limits.max_file
  while true do
    local data, message, code = read_data(reader)
    if code then return nil, message, code end
    if data then
      upload.size = upload.size + #data
      if upload.size > limit then
        return too_large(reader, "file %s has more than %d bytes", shown(upload.filename), limit)
      end
      pieces[#pieces + 1], waiting = data, waiting + #data
    end
    if waiting >= WRITE_SIZE or not data and (upload.size > 0 or upload.filename ~= "") then
      local ok
      ok, message, code = write(reader, upload, pieces)
      if not ok then return nil, message, code end
      pieces, waiting = {}, 0
    end
    if not data then return true end
  end
end

-- An input for files that was left empty comes as a file without a name and without content: that is none.
local function read_file(reader, form, name, filename, content_type, headers)
  reader.files = reader.files + 1
  if reader.files > reader.limits.max_files then
    return too_large(reader, "more than %d files", reader.limits.max_files)
  end
  local upload = { name = name, filename = filename, type = content_type, headers = headers, size = 0 }
  local ok, message, code = read_upload_bytes(reader, upload)
  if not ok then return nil, message, code end
  if not upload[FILE] then return true end
  upload.basename = basename(filename)
  add(form.files, form[UPLOADS], name, new("upload", upload))
  return true
end

local function read_multipart(reader)
  local form = new_form()
  while true do
    local kind, name, filename, content_type, headers = read_event(reader)
    if kind == "end" then return form end
    if not kind then return nil, name, filename end
    local ok, message, code
    if filename then
      ok, message, code = read_file(reader, form, name, filename, content_type, headers)
    else
      ok, message, code = read_field(reader, form, name)
    end
    if not ok then return nil, message, code end
  end
end

local function read_urlencoded(reader, limit, timeout)
  local limits = reader.limits
  local text, message, code = core.whole(reader.req, { limit = limit, timeout = timeout })
  if not text then return nil, message, code end
  local list = core.pairs(text, limits.max_fields)
  if not list then return too_large(reader, "more than %d fields", limits.max_fields) end
  local form = new_form()
  for i = 1, rawlen(list), 2 do
    local name, value = list[i], list[i + 1]
    local ok
    reader.fields_size = reader.fields_size + #name
    ok, message, code = count_field(reader, name, #value)
    if not ok then return nil, message, code end
    add(form.fields, form[FIELDS], name, value)
  end
  return form
end

-- What has been kept with the request says how it ended: also where whoever has read it was cancelled.
local guard = { __close = function(record)
  if record.form then return end
  record.reading = nil
  record.message = record.message or "request form: it was given up"
  record.code = record.code or "ECANCELED"
  for _, file in ipairs(record.reader.files_made) do core.drop(file) end
end }

local function read_form(record, kind, boundary)
  local guarded <close> = setmetatable(record, guard)
  local reader, limits = record.reader, record.reader.limits
  local form, message, code
  if kind == "multipart" then
    local deadline = limits.timeout and core.now() + milliseconds(limits.timeout)
    local opened = open_reader(reader.req, boundary, limits.max_size, nil, deadline)
    reader.parser, reader.deadline = opened.parser, opened.deadline
    form, message, code = read_multipart(reader)
  else
    local limit = limits.max_size < limits.max_fields_size and limits.max_size or limits.max_fields_size
    form, message, code = read_urlencoded(reader, limit, limits.timeout)
  end
  guarded.form, guarded.message, guarded.code, guarded.reading = form, message, code, nil
  return form, message, code
end

local FORM_OPTIONS = {
  dir = "text", max_field = "size", max_fields = "size", max_fields_size = "size", max_file = "size",
  max_files = "size", max_size = "size", timeout = "time",
}
local IN_ALL_BESIDE_A_FILE = 10 * MB

local function fill_limits(req, options)
  options.max_field = options.max_field or MB
  options.max_fields = options.max_fields or 1000
  options.max_fields_size = options.max_fields_size or 10 * MB
  options.max_file = options.max_file or 100 * MB
  options.max_files = options.max_files or 100
  local most = req.max_body
  if options.max_size == nil and most ~= nil then
    if math_type(most) ~= "integer" or most < 0 then error("req.max_body is no number of bytes", 4) end
    options.max_size = most
  end
  options.max_size = options.max_size or options.max_file + IN_ALL_BESIDE_A_FILE
  if not options.dir then
    local usual = getenv "TMPDIR"
    options.dir = usual and usual ~= "" and usual or "/tmp"
  end
  return options
end

local function results_of(record)
  if record.form then return record.form end
  return nil, record.message, record.code
end

local function form(req, options, callback)
  options, callback = check_arguments("form", FORM_OPTIONS, options, callback, 3)
  local record = core.kept(req)
  if record and record.reading then error("another task reads this form", 3) end
  if record and record.parser then error("this body is read in pieces already, by parts()", 3) end
  if record then return run(callback, results_of, record) end
  local kind, boundary, code = kind_of(req)
  if not kind then
    return run(callback, function() return nil, boundary, code end)
  end
  local obstacle = core.obstacle(req, kind == "multipart")
  if obstacle then error(obstacle, 3) end
  local limits = fill_limits(req, options)
  record = { reading = true, reader = {
    req = req, limits = limits, fields = 0, files = 0, fields_size = 0, files_made = {},
  } }
  core.keep(req, record)
  return run(callback, read_form, record, kind, boundary)
end

return {
  form = form, parts = parts,
  form_list = form_list, form_uploads = form_uploads,
  part_body = part_body, part_chunks = part_chunks, part_skip = part_skip,
  upload_chunks = upload_chunks, upload_read = upload_read, upload_save = upload_save,
}
