-- The pages of files.lua: one for a folder, one for what has failed. They work without JavaScript; with it, files.js
-- sends files one by one and shows how far it is. Links are relative, so all of it may lie below any path of a proxy.
local http, text = require "neap.http", require "text"

local page = {}

local POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
  .. "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

function page.headers()
  return { ["content-type"] = "text/html; charset=utf-8", ["content-security-policy"] = POLICY,
    ["cache-control"] = "no-cache", vary = "accept" }
end

-- Fills $NAME in.
local function fill(template, values)
  return (template:gsub("%$(%u+)", values))
end

local HEAD = [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#f7f7f5" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#14171b" media="(prefers-color-scheme: dark)">
<title>$TITLE</title>
<link rel="icon" href="$TOP.neap/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="$TOP.neap/files.css">
<script src="$TOP.neap/files.js" defer></script>
</head>
<body>
]]

-- The way from a page to the root: the path is that of the request, as it came.
local function top(path)
  local _, slashes = path:gsub("/", "")
  return slashes > 1 and ("../"):rep(slashes - 1) or "./"
end

-- ---- a folder ----------------------------------------------------------------

local FORM = [[
<form id="upload" method="post" enctype="multipart/form-data" action="./"
  data-max-file="$BYTES" data-limit="$LIMIT">
  <label id="pick"><span>Add files</span> <input type="file" name="files" multiple required></label>
  <button>Upload</button>
  <p>Up to $LIMIT each. Nothing is overwritten.</p>
</form>
<p id="total" role="status" hidden></p>
<ul id="uploads" aria-label="Uploads" hidden></ul>
]]

local PARENT = '<tr class="up"><td class="name"><a href="../">Parent folder</a><td class="size"><td class="time">\n'
local COLUMNS = { { "name", "Name" }, { "size", "Size" }, { "time", "Modified" } }

-- The root has the name that the directory has; each folder on the way is a link.
local function trail(folder)
  local names, items = { folder.root }, {}
  for name in folder.path:gmatch "[^/]+" do names[#names + 1] = name end
  for i, name in ipairs(names) do
    local up = #names - i
    items[i] = up == 0 and ('<li><h1 aria-current="page"><bdi>%s</bdi></h1>'):format(text.html(name))
      or ('<li><a href="%s"><bdi>%s</bdi></a>'):format(("../"):rep(up), text.html(name))
  end
  return table.concat(items)
end

local function summary(folder)
  local parts = {}
  if folder.folders > 0 then parts[1] = text.count(folder.folders, "folder", "folders") end
  if folder.files > 0 then
    parts[#parts + 1] = text.count(folder.files, "file", "files")
    parts[#parts + 1] = text.size(folder.bytes)
  end
  if folder.truncated then parts[#parts + 1] = "and there are more" end
  return #parts > 0 and table.concat(parts, ", ") or "empty"
end

-- A click on the column that it is sorted by turns it round.
local function columns(folder)
  local cells = {}
  for i, column in ipairs(COLUMNS) do
    local key, title = column[1], column[2]
    local is_this = key == folder.sort
    local turned = is_this and folder.order == "asc" or not is_this and key ~= "name"
    cells[i] = ('<th scope="col" class="%s"%s><a href="?sort=%s&amp;order=%s" rel="nofollow">%s</a>'):format(key,
      is_this and (' aria-sort="%s"'):format(folder.order == "asc" and "ascending" or "descending") or "",
      key, turned and "desc" or "asc", title)
  end
  return table.concat(cells)
end

function page.head(folder)
  local parts = { (fill(HEAD, { TITLE = text.html(folder.path == "" and folder.root or folder.path),
    TOP = top("/" .. folder.path .. (folder.path == "" and "" or "/")) })) }
  parts[2] = ('<header>\n<nav aria-label="Folders"><ol>%s</ol></nav>\n<p id="sum">%s</p>\n</header>\n<main>\n')
    :format(trail(folder), summary(folder))
  if folder.upload then
    parts[3] = fill(FORM, { BYTES = folder.upload.max_file, LIMIT = text.size(folder.upload.max_file) })
  end
  parts[#parts + 1] = '<section id="list">\n'
  if folder.path == "" and folder.folders + folder.files == 0 then
    parts[#parts + 1] = "<p class=\"empty\">This folder is empty.</p>\n"
  end
  parts[#parts + 1] = ('<table>\n<thead><tr>%s</thead>\n<tbody>\n'):format(columns(folder))
  if folder.path ~= "" then
    parts[#parts + 1] = PARENT
  end
  return table.concat(parts)
end

local KINDS = {
  image = "apng avif bmp gif heic ico jpeg jpg jxl png svg tif tiff webp",
  video = "avi m4v mkv mov mp4 mpeg mpg ogv webm",
  audio = "aac flac m4a mid mp3 oga ogg opus wav weba",
  archive = "7z br bz2 deb gz iso jar rar rpm tar tgz xz zip zst",
  text = "csv doc docx epub log md odp ods odt pdf ppt pptx rtf tex txt xls xlsx",
  code = "c cpp css go h hpp html java js json lua mjs py rb rs sh sql toml ts xml yaml yml",
}
local kind_of = {}
for kind, endings in pairs(KINDS) do
  for ending in endings:gmatch "%S+" do kind_of[ending] = kind end
end

function page.row(entry)
  local is_folder = entry.kind == "directory"
  local kind = is_folder and "folder" or kind_of[(entry.name:match "%.(%w+)$" or ""):lower()] or "file"
  return ('<tr class="%s"><td class="name"><a href="%s%s"><bdi>%s</bdi></a><td class="size"%s>%s<td class="time">'
    .. '<time datetime="%s">%s</time>\n'):format(kind, http.escape_url(entry.name), is_folder and "/" or "",
    text.html(entry.name), is_folder and "" or (' title="%d bytes"'):format(entry.size),
    is_folder and "" or text.size(entry.size), text.iso(entry.modified), text.time(entry.modified))
end

function page.foot()
  return "</tbody>\n</table>\n</section>\n</main>\n</body>\n</html>\n"
end

-- ---- what has failed -----------------------------------------------------------

local FAILURE = [[
<header><nav><ol><li><h1>$TITLE</h1></ol></nav></header>
<main class="failure">
<p>$DETAIL</p>
$LISTS
<p><a href="$BACK">$WHERE</a></p>
</main>
</body>
</html>
]]

-- Of some files { name, detail }; "" of none.
local function list_of(title, files)
  if not files or #files == 0 then return "" end
  local lines = {}
  for i, file in ipairs(files) do
    lines[i] = ("<li><bdi>%s</bdi> %s"):format(text.html(file.name), file.detail and text.html(file.detail) or "")
  end
  return ("<h2>%s</h2>\n<ul>\n%s\n</ul>"):format(title, table.concat(lines, "\n"))
end

-- path: that of the request. For an upload: the files that were saved, and those that were not.
function page.failure(path, title, detail, saved, refused)
  local root = top(path)
  return (fill(HEAD, { TITLE = text.html(title), TOP = root }) .. fill(FAILURE, {
    TITLE = text.html(title), DETAIL = text.html(detail),
    LISTS = (refused and #refused > 1 and list_of("Not saved", refused) or "") .. list_of("Saved", saved),
    BACK = refused and "./" or root, WHERE = refused and "Back to the folder" or "To the top folder",
  }))
end

return page
