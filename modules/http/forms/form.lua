-- req:form: all of a form at once. What it collects is held to its limits before it is kept.
local core = ...
local concat, error, getenv, ipairs, maxinteger, min, rawlen, setmetatable, type =
  table.concat, error, os.getenv, ipairs, math.maxinteger, math.min, rawlen, setmetatable, type
local arguments, reader_of = core.load "modules/http/forms/arguments.lua", core.load "modules/http/forms/reader.lua"
local as_integer = core.load("modules/http/checks.lua").as_integer
local new, receive = core.new, core.load "modules/http/forms/uploads.lua".receive
local check_arguments, milliseconds, run = arguments.check, arguments.milliseconds, arguments.run
local read_data, read_event, shown, too_large = reader_of.data, reader_of.event, reader_of.shown, reader_of.too_large

local MB = 1 << 20

-- ---- what it has collected -------------------------------------------------------

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
  if type(name) ~= "string" then arguments.bad(4, 1, method, "string expected, got %s", type(name)) end
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

-- ---- how it is read --------------------------------------------------------------

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

local function read_file(reader, form, name, ...)
  reader.files = reader.files + 1
  if reader.files > reader.limits.max_files then
    return too_large(reader, "more than %d files", reader.limits.max_files)
  end
  local upload, message, code = receive(reader, name, ...)
  if upload then add(form.files, form[UPLOADS], name, upload) end
  return upload ~= nil, message, code
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
    local opened = reader_of.open(reader.req, boundary, limits.max_size, nil, deadline)
    reader.parser, reader.deadline = opened.parser, opened.deadline
    form, message, code = read_multipart(reader)
  else
    local limit = limits.max_size < limits.max_fields_size and limits.max_size or limits.max_fields_size
    form, message, code = read_urlencoded(reader, limit, limits.timeout)
  end
  guarded.form, guarded.message, guarded.code, guarded.reading = form, message, code, nil
  return form, message, code
end

-- ---- req:form([options] [, callback]) --------------------------------------------

local FORM_OPTIONS = {
  dir = "path", max_field = "size", max_fields = "size", max_fields_size = "size", max_file = "size",
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
    most = as_integer(most)
    if not most or most < 0 then error("req.max_body is no number of bytes", 4) end
    options.max_size = most
  end
  options.max_size = options.max_size or min(options.max_file, maxinteger - IN_ALL_BESIDE_A_FILE) + IN_ALL_BESIDE_A_FILE
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
  options, callback = check_arguments(3, 1, "form", options, callback, FORM_OPTIONS)
  local record = core.kept(req)
  if record and record.reading then error("another task reads this form", 3) end
  if record and record.parser then error("this body is read in pieces already, by parts()", 3) end
  if record then return run(callback, results_of, record) end
  local kind, boundary, code = reader_of.kind_of(req)
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

return { form = form, form_list = form_list, form_uploads = form_uploads }
