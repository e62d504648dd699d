-- An upload: what the client calls a file, and its bytes, which lie on the disk (upload.c).
local core = ...
local error, type = error, type
local find, gsub, lower, match, sub = string.find, string.gsub, string.lower, string.match, string.sub
local concat, maxinteger, utf8_length = table.concat, math.maxinteger, utf8.len
local arguments, reader_of = core.load "modules/http/forms/arguments.lua", core.load "modules/http/forms/reader.lua"
local bad_argument, run = arguments.bad, arguments.run
local fail, read_data, shown, too_large = reader_of.fail, reader_of.data, reader_of.shown, reader_of.too_large

local FILE = {} -- key of an upload: its bytes, or nothing where there are none
local WRITE_SIZE = 65536

-- ---- its name --------------------------------------------------------------------

local DEVICES = { con = true, prn = true, aux = true, nul = true }

-- Without dots and blanks at both ends. (Each pattern finds its end at once: others would look at thousands of blanks
-- again for each of them.)
local function trim(name)
  return match(match(name, "[^%. ].*") or "", "^.*[^%. ]") or ""
end

-- Of what the client calls its file: a name without a directory, that hides nothing and means nothing to any system.
local function basename(filename)
  local name = gsub(gsub(filename, "^.*[/\\]", ""), "[%c<>:\"|?*]", "_")
  name = trim(name)
  if #name > 120 then
    local extension = match(name, "%.%w%w?%w?%w?%w?%w?%w?$") or ""
    name = sub(name, 1, 120 - #extension)
    while not utf8_length(name) and #name > 116 - #extension do name = sub(name, 1, -2) end
    name = trim(name .. extension)
  end
  if not utf8_length(name) then name = gsub(name, "[\128-\255]", "_") end
  local stem = gsub(lower(name), "%..*", "")
  if DEVICES[stem] or find(stem, "^com%d$") or find(stem, "^lpt%d$") then name = "_" .. name end
  return name == "" and "file" or name
end

-- ---- what is in it ---------------------------------------------------------------

local function upload_chunks(upload)
  local at = 0
  return function()
    local data, message = core.read(upload[FILE], at, WRITE_SIZE)
    if message then error(message, 0) end
    if not data then return nil end
    if data == "" then error("read an upload: it has become shorter", 0) end
    at = at + #data
    return data
  end
end

local function read_upload(upload)
  local data, message, code = core.read(upload[FILE], 0, maxinteger)
  if message then return nil, message, code end
  return data or ""
end

local function upload_read(upload, callback)
  arguments.callback(3, 1, "read", callback)
  return run(callback, read_upload, upload)
end

local function upload_save(upload, path, options, callback)
  if type(path) ~= "string" then bad_argument(3, 1, "save", "string expected, got %s", type(path)) end
  if find(path, "\0", 1, true) then bad_argument(3, 1, "save", "a path with a zero in it") end
  options, callback = arguments.check(3, 2, "save", options, callback, { overwrite = "flag" })
  return run(callback, core.save, upload[FILE], path, options.overwrite ~= false)
end

-- ---- while it comes --------------------------------------------------------------

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

-- What comes next is a file: an upload; nil, message, code; or false: an input for files that was left empty comes as a
-- file without a name and without content.
local function receive(reader, name, filename, content_type, headers)
  local upload = { name = name, filename = filename, type = content_type, headers = headers, size = 0 }
  local ok, message, code = read_upload_bytes(reader, upload)
  if not ok then return nil, message, code end
  if not upload[FILE] then return false end
  upload.basename = basename(filename)
  return core.new("upload", upload)
end

return { receive = receive, upload_chunks = upload_chunks, upload_read = upload_read, upload_save = upload_save }
