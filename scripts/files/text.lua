-- What is shown of a file: its name, which may be any bytes, its size, its time.
local http = require "neap.http"

local text = {}

local UNSEEN = "\u{FFFD}" -- for what cannot be shown

-- Marks that turn the direction of what follows: with them "gpj.exe" looks like "exe.jpg".
local TURNING = {}
for _, range in ipairs { { 0x200E, 0x200F }, { 0x202A, 0x202E }, { 0x2066, 0x2069 } } do
  for code = range[1], range[2] do TURNING[utf8.char(code)] = UNSEEN end
end

local function as_utf8(bytes)
  local pieces, at = {}, 1
  while true do
    local _, wrong = utf8.len(bytes, at)
    if not wrong then break end
    pieces[#pieces + 1] = bytes:sub(at, wrong - 1)
    at = wrong + 1
  end
  pieces[#pieces + 1] = bytes:sub(at)
  return table.concat(pieces, UNSEEN)
end

-- As UTF-8 that hides nothing. Not yet for HTML.
function text.readable(name)
  if not name:find "[%c\128-\255]" then return name end
  return (as_utf8(name):gsub("%c", UNSEEN):gsub("\xC2[\128-\159]", UNSEEN):gsub("\xE2[\128\129].", TURNING))
end

function text.html(name)
  return http.escape(text.readable(name))
end

local UNITS = { "kB", "MB", "GB", "TB" }

function text.size(bytes)
  if bytes < 1000 then return bytes == 1 and "1 byte" or bytes .. " bytes" end
  local unit = 0
  repeat
    bytes, unit = bytes / 1000, unit + 1
  until bytes < 999.95 or unit == #UNITS
  local number = (bytes < 9.95 and "%.1f" or "%.0f"):format(bytes):gsub("%.0$", "")
  return number .. " " .. UNITS[unit]
end

local FIRST, LAST = -30610137600, 253402214400 -- the years 1000 to 9999: a file may say anything

local function date(format, seconds)
  return os.date(format, math.max(FIRST, math.min(seconds, LAST)))
end

-- In the time zone of this machine.
function text.time(seconds)
  return date("%Y-%m-%d %H:%M", seconds)
end

function text.iso(seconds)
  return date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

function text.count(number, one, many)
  return ("%d %s"):format(number, number == 1 and one or many)
end

return text
