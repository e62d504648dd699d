-- The names in a directory as a page, or as a table for scripts: made in pieces, so that many of them hold nobody up.
local core = ...
local concat, find, format, gmatch, gsub, require, tonumber =
  table.concat, string.find, string.format, string.gmatch, string.gsub, require, tonumber
local encode = core.files_encode
local escape = core.load "modules/http/app/answers.lua".escape

local PIECE = 100
local TURN = 1000

-- Control bytes, which no page may have, are shown as what cannot be shown.
local function shown(name)
  if find(name, "[%c]") then name = gsub(name, "[%c]", "\u{FFFD}") end
  return escape(name)
end

local HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%s</title>
</head>
<body>
<h1>%s</h1>
<ul>
]]

-- names: "d" or "f", a name and a NUL, for each of them.
local function make(title, names, is_root, is_cut)
  return function(write)
    local take, lines = gmatch(names, "([df])(%Z+)%z"), { (gsub(HEAD, "%%s", function() return shown(title) end)) }
    if not is_root then lines[2] = '<li><a href="../">../</a></li>\n' end
    while true do
      for _ = 1, PIECE do
        local letter, name = take()
        if not letter then
          lines[#lines + 1] = is_cut and "</ul>\n<p>There are more.</p>\n" or "</ul>\n"
          lines[#lines + 1] = "</body>\n</html>\n"
          write(concat(lines))
          return
        end
        local slash = letter == "d" and "/" or ""
        lines[#lines + 1] = format('<li><a href="%s%s">%s%s</a></li>\n', encode(name), slash, shown(name), slash)
      end
      write(concat(lines))
      lines = {}
    end
  end
end

-- names: as above, with a size and a time and a NUL behind each. Waits now and then, so that others get their turn.
local function entries(path, names, is_cut)
  local result, count, sleep = { path = path, truncated = is_cut }, 0, nil
  for letter, name, size, modified in gmatch(names, "([df])(%Z+)%z(%d+) (%-?%d+)%z") do
    count = count + 1
    result[count] = {
      name = name, kind = letter == "d" and "directory" or "file", size = tonumber(size), modified = tonumber(modified),
    }
    if count % TURN == 0 then
      sleep = sleep or require "neap.timer".sleep
      sleep(0)
    end
  end
  return result
end

return { make = make, entries = entries }
