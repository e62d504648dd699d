-- Files that are sent to a folder. Each is on the disk without a name until it is whole, and then gets its name, unless
-- that is taken: so nobody sees half of one, nothing is overwritten, and of an upload that was cut off nothing is left.
local fs, hot, http, json = require "neap.fs", require "neap.hot", require "neap.http", require "neap.json"
local names, page, text = require "names", require "page", require "text"

local AT_ONCE = 16 -- uploads, of all clients: each may fill the disk a bit more
local TITLES = {
  [400] = "This was no upload", [403] = "Not permitted", [404] = "There is no such folder", [409] = "Not saved",
  [413] = "Too large", [415] = "This was no upload", [422] = "Not saved", [503] = "Too many uploads",
  [507] = "The disk is full",
}

-- What the disk says, for who has sent it.
local reasons = {
  EEXIST = { 409, "is there already: nothing is overwritten" },
  ENAMETOOLONG = { 422, "has a name that is too long" },
  EINVAL = { 422, "has a name that the file system does not take" },
  EILSEQ = { 422, "has a name that the file system does not take" },
  ENOSPC = { 507, "was not saved: the disk is full" },
  EDQUOT = { 507, "was not saved: there is no more room for its owner" },
  EFBIG = { 413, "was not saved: it is larger than a file can be there" },
  EMFILE = { 503, "was not saved: too many files are open" },
  ENFILE = { 503, "was not saved: too many files are open" },
  EACCES = { 403, "was not saved: this folder cannot be written to" },
  EPERM = { 403, "was not saved: this folder cannot be written to" },
  EROFS = { 403, "was not saved: this folder cannot be written to" },
  ENOENT = { 404, "was not saved: the folder has gone" },
}

-- How many there are at once, over all versions of the program.
local running = hot.state("uploads", function() return { count = 0 } end)

-- As a program or a person likes it. More: saved, refused.
local function answer(req, status, detail, more)
  if req:accepts("application/json", "text/html") == "text/html" then
    local saved, refused = more and more.saved or {}, more and more.refused or {}
    local title = #saved > 0 and "Not all was saved" or TITLES[status]
    return http.response(status, page.failure(req.path, title, detail, saved, refused), page.headers())
  end
  local content = more or {}
  content.status, content.detail = status, detail
  return http.json(content, status, { ["content-type"] = "application/problem+json", vary = "accept" })
end

-- The folder below the root that the path of a request means, as it is without links; nil where that is none. (Who can
-- put links into it while we are at it is on this machine, and needs no upload.)
local function find_folder(root, path, options)
  local segments = {}
  for segment in path:gmatch "[^/]+" do
    local name = segment:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)
    if name:find "[/%z]" or name == "." or name == ".." then return nil end
    if name:find "^%." and not options.dotfiles then return nil end
    segments[#segments + 1] = name
  end
  local folder = fs.realpath(root .. "/" .. table.concat(segments, "/"))
  local above = root == "/" and root or root .. "/"
  if not folder or folder ~= root and folder:sub(1, #above) ~= above then return nil end
  local stat = fs.stat(folder)
  return stat and stat.kind == "directory" and folder or nil
end

local function all_files(form)
  local files = {}
  for field in pairs(form.files) do
    for _, upload in ipairs(form:uploads(field)) do files[#files + 1] = upload end
  end
  table.sort(files, function(a, b) return a.filename < b.filename end)
  return files
end

-- True; or nil, a status and why not.
local function save(upload, folder)
  local why = names(upload.filename)
  if why then return nil, 422, why end
  local ok, message, code = upload:save(folder .. "/" .. upload.filename, { overwrite = false })
  if ok then return true end
  local reason = reasons[code] or error(message)
  return nil, table.unpack(reason)
end

local function save_all(req, files, folder)
  local saved, refused, worst = json.array(), json.array(), nil
  for _, upload in ipairs(files) do
    local name = text.readable(upload.filename)
    local ok, status, why = save(upload, folder)
    if ok then
      saved[#saved + 1] = { name = name, href = http.escape_url(upload.filename), size = upload.size }
    else
      refused[#refused + 1], worst = { name = name, detail = why }, math.max(worst or 0, status)
    end
  end
  if not worst then return nil, saved end
  local first = ("%s %s"):format(refused[1].name == "" and "A file" or refused[1].name, refused[1].detail)
  local detail = #refused == 1 and first or ("%d of %d files were not saved"):format(#refused, #files)
  return answer(req, worst, detail .. ".", { saved = saved, refused = refused })
end

-- What cannot be read: nil where the server answers as well as we could.
local function refuse_form(req, code, options)
  if code == "EMSGSIZE" then
    return answer(req, 413, ("A file may have %s, all that is sent at once %s, and it may be %s."):format(
      text.size(options.max_file), text.size(options.max_size), text.count(options.max_files, "file", "files")))
  elseif code == "EINVAL" then
    return answer(req, 400, "What was sent is no form, or it was cut off.")
  elseif code == "ENOTSUP" then
    return answer(req, 415, "Send multipart/form-data, as a form does.")
  elseif reasons[code] then
    return answer(req, reasons[code][1], ("What was sent %s."):format(reasons[code][2]))
  end
end

local function receive(req, folder, options)
  local form, message, code = req:form {
    dir = folder, max_file = options.max_file, max_files = options.max_files, max_size = options.max_size,
    max_fields = 10, max_field = 1000,
  }
  if not form then return refuse_form(req, code, options) or error(message) end
  local files = all_files(form)
  if #files == 0 then return answer(req, 422, "No file was chosen.") end
  local refusal, saved = save_all(req, files, folder)
  if refusal then return refusal end
  if req:accepts("application/json", "text/html") ~= "text/html" then return http.json({ saved = saved }, 201) end
  local name = req.path:match "[^/]*$"
  return http.redirect(name == "" and "./" or "./" .. name .. "/") -- "http:name/" alone may lead to another host
end

-- A handler. Options: upload, that it is permitted; names of the server; dotfiles; max_file, max_files, max_size.
-- `is_same_site(req, names)` tells whether it was not sent by a page of somebody else's.
return function(root, options, is_same_site)
  return function(req)
    if not options.upload then return answer(req, 403, "Files cannot be added here.") end
    if not is_same_site(req, options.names) then return answer(req, 403, "A page of another site has sent this.") end
    local folder = find_folder(root, req.path, options)
    if not folder then return answer(req, 404, "Files cannot be added to what is not there.") end
    if running.count >= AT_ONCE then
      local refusal = answer(req, 503, "Others are sending files: try again in a moment.")
      refusal.headers["retry-after"] = 5
      return refusal
    end
    running.count = running.count + 1
    local _ <close> = setmetatable({}, { __close = function() running.count = running.count - 1 end })
    return receive(req, folder, options)
  end
end
