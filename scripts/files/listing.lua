-- What is in a folder, as a page or as JSON; ?sort=name|size|time &order=asc|desc. Made for folders with very many
-- files: sorted with pauses, sent in pieces.
local http, json, timer = require "neap.http", require "neap.json", require "neap.timer"
local page, sorted, text = require "page", require "sorting", require "text"

local PIECE = 100 -- entries, until others have their turn

-- "b2" before "b10", and "a" beside "A".
local function key_of(name)
  return (name:lower():gsub("%d+", function(digits)
    digits = digits:gsub("^0+", "")
    return ("%03d%s"):format(#digits, digits)
  end))
end

local function by_name(a, b)
  if a.key ~= b.key then return a.key < b.key end
  return a.name < b.name
end

local orders = {
  name = by_name,
  size = function(a, b)
    if a.kind == "file" and a.size ~= b.size then return a.size < b.size end
    return by_name(a, b)
  end,
  time = function(a, b)
    if a.modified ~= b.modified then return a.modified < b.modified end
    return by_name(a, b)
  end,
}

-- Folders first, also when it is turned round.
local function in_order(entries, sort, order)
  local before = orders[sort]
  for i, entry in ipairs(entries) do
    entry.key = key_of(entry.name)
    if i % PIECE == 0 then timer.sleep(0) end
  end
  return sorted(entries, function(a, b)
    if a.kind ~= b.kind then return a.kind == "directory" end
    if order == "desc" then a, b = b, a end
    return before(a, b)
  end)
end

-- The sums of a folder, and how it is to be shown.
local function describe(req, entries, options)
  local folder = {
    root = options.title, path = entries.path, truncated = entries.truncated, folders = 0, files = 0, bytes = 0,
    upload = options.upload and { max_file = options.max_file, max_files = options.max_files,
      max_size = options.max_size },
    sort = orders[req.query.sort] and req.query.sort or "name", order = req.query.order == "desc" and "desc" or "asc",
  }
  for _, entry in ipairs(entries) do
    if entry.kind == "directory" then
      folder.folders = folder.folders + 1
    else
      folder.files, folder.bytes = folder.files + 1, folder.bytes + entry.size
    end
  end
  return folder
end

-- Calls write with what make gives for each entry, many at a time.
local function write_all(write, entries, make)
  local lines = {}
  for i, entry in ipairs(entries) do
    lines[#lines + 1] = make(entry, i)
    if #lines == PIECE then
      write(table.concat(lines))
      lines = {}
      timer.sleep(0)
    end
  end
  write(table.concat(lines))
end

-- A name that is no UTF-8 is none for JSON either: `href` is exact.
local function as_json(entry)
  local is_folder = entry.kind == "directory"
  return json.encode {
    name = text.readable(entry.name), href = http.escape_url(entry.name) .. (is_folder and "/" or ""),
    kind = entry.kind, size = not is_folder and entry.size or nil, modified = text.iso(entry.modified),
  }
end

local function answer_json(folder, entries)
  local path = "/" .. text.readable(folder.path) .. (folder.path == "" and "" or "/")
  return 200, function(write)
    write(('{"path":%s,"truncated":%s,"upload":%s,"entries":[\n'):format(json.encode(path), folder.truncated,
      json.encode(folder.upload or false)))
    write_all(write, entries, function(entry, i) return (i > 1 and ",\n" or "") .. as_json(entry) end)
    write "\n]}\n"
  end, { ["content-type"] = "application/json", ["cache-control"] = "no-cache", vary = "accept" }
end

-- A function for http.static. Options: title, of the root; upload, max_file, max_files, max_size.
return function(options)
  return function(req, entries)
    local folder = describe(req, entries, options)
    entries = in_order(entries, folder.sort, folder.order)
    if req:accepts("text/html", "application/json") == "application/json" then return answer_json(folder, entries) end
    return http.response(200, function(write)
      write(page.head(folder))
      write_all(write, entries, page.row)
      write(page.foot())
    end, page.headers())
  end
end
