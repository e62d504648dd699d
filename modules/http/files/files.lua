-- http.file and http.static: handlers that answer with files. How a request names one is decided here; opened, read and
-- sent it is in C, by the thread pool.
local core = ...
local gsub, match, pairs, type = string.gsub, string.match, pairs, type
local answer = core.load "modules/http/files/answer.lua"
local check_options = core.load "modules/http/files/options.lua"
local listing = core.load "modules/http/files/listing.lua"
local type_of = core.load "modules/http/files/types.lua".of
local encode, find_path, list, open = core.files_encode, core.files_path, core.files_list, core.files_open
local answer_with = answer.with

-- ---- for both --------------------------------------------------------------------

-- All of it is read at once where all of it is likely to be sent.
local function reads(req)
  return req.method == "GET" and not req:header "if-none-match" and not req:header "if-modified-since"
end

local function answer_file(req, path, options, body, size, etag, modified, coding, varies)
  return answer_with(req, {
    body = body, size = size, etag = options.etag and etag or nil, modified = modified, coding = coding,
    varies = varies, type = options.type or type_of(path, options.types),
  }, options)
end

local function is_read(req)
  local method = req.method
  return method == "GET" or method == "HEAD"
end

-- ---- http.file(path [, options]) -------------------------------------------------

local function file(path, given)
  local options = check_options("file", path, given, 2)
  return function(req)
    if not is_read(req) then return answer.without_file(req.method) end
    local what, body, size, etag, modified = open(path, nil, reads(req) and "r" or "")
    if not what then return answer.failure(body, size) end
    return answer_file(req, path, options, body, size, etag, modified)
  end
end

-- ---- http.static(root [, options]) -----------------------------------------------

local NUMBER = { br = "1", gzip = "2" }

-- What clients say in accept-encoding hardly differs from one request to the next.
local last_said, last_preferences

-- Which coding the client would be given: where there is none, br, gzip, both of them.
local function preferences(req)
  local said = req:header "accept-encoding"
  if not said then return "v0000" end
  if said == last_said then return last_preferences end
  local function best(...)
    return NUMBER[req:accepts_encoding(...)] or "0"
  end
  last_said, last_preferences =
    said, "v0" .. best("br", "identity") .. best("gzip", "identity") .. best("br", "gzip", "identity")
  return last_preferences
end

-- Made of what was found, not of what was asked: "//host" would lead to another one.
local function add_slash(req, name)
  local path = name == "" and "" or "/" .. gsub(name, "[^/]+", encode)
  local location = gsub(req.base .. path .. "/", "^[/\\]+", "/")
  return { status = 308, headers = { location = location .. (match(req.target, "%?.*$") or "") },
    body = "Permanent Redirect\n" }
end

-- `list` is the script's own: what it returns is the answer.
local function ask_for_listing(req, root, name, options)
  local names, is_cut, code = list(root, name, options.dotfiles, true)
  if not names then return answer.failure(is_cut, code) end
  return options.list(req, listing.entries(name, names, is_cut))
end

local function answer_listing(root, name, options)
  local names, is_cut, code = list(root, name, options.dotfiles)
  if not names then return answer.failure(is_cut, code) end
  local headers = { ["content-type"] = "text/html; charset=utf-8", ["cache-control"] = options.cache_control }
  for key, value in pairs(options.headers) do headers[key] = value end
  return { status = 200, headers = headers, body = listing.make("/" .. name, names, name == "", is_cut) }
end

local function not_found()
  return { status = 404, headers = {}, body = "Not Found\n" }
end

local function answer_directory(req, root, name, slash, options)
  if not slash then
    if not options.index and not options.list then return not_found() end
    return add_slash(req, name)
  end
  if type(options.list) == "function" then return ask_for_listing(req, root, name, options) end
  if options.list then return answer_listing(root, name, options) end
  return not_found()
end

-- Where a mount has nothing behind its prefix the path is "": the root, without its slash.
local function find_name(req)
  local path = req.path
  if path == "" then return "", false, false end
  return find_path(path)
end

local function how(req, slash, options)
  return (slash and "s" or "") .. (reads(req) and "r" or "") .. (options.precompressed and preferences(req) or "")
end

local function static(root, given)
  local options = check_options("static", root, given, 2)
  local index = options.index
  return function(req)
    if not is_read(req) then return answer.without_file(req.method) end
    local name, slash, hidden = find_name(req)
    if not name and slash == "malformed" then return { status = 400, headers = {}, body = "Bad Request\n" } end
    if not name or hidden and not options.dotfiles then return not_found() end
    local what, body, size, etag, modified, coding, varies, is_index = open(root, name, how(req, slash, options), index)
    if not what then return answer.failure(body, size) end
    if what == "directory" then return answer_directory(req, root, name, slash, options) end
    return answer_file(req, is_index and index or name, options, body, size, etag, modified, coding, varies)
  end
end

return { file = file, static = static }
