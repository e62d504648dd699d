-- What there is to tell of an error: its message, where it was raised, the frames of the stack, and the lines of source
-- around each of them.
local find, gmatch, match, rep, sub = string.find, string.gmatch, string.match, string.rep, string.sub
local getmetatable, ipairs, pcall, tonumber, tostring, type = getmetatable, ipairs, pcall, tonumber, tostring, type

local MOST = 50 -- frames
local AROUND = 5 -- lines, before and after
local WIDTH = 300 -- bytes of a line
local SIZE = 4 << 20 -- bytes of a file

local trace = {}

-- ---- while the stack is there ----------------------------------------------------

-- In the message handler of xpcall, which has called this.
function trace.frames(getinfo)
  local frames = {}
  for level = 3, MOST + 2 do
    local info = getinfo(level, "Slnt")
    if not info then break end
    frames[#frames + 1] = info
  end
  return frames
end

-- ---- frames ----------------------------------------------------------------------

local function is_own(info)
  return info.what == "C" or sub(info.source, 1, 6) == "@neap:"
end

-- By which name one of ours has called it says nothing.
local function name_of(info, caller)
  if info.what == "main" then return "main chunk" end
  if info.name and not (caller and is_own(caller)) then
    return (info.namewhat ~= "" and info.namewhat or "function") .. " '" .. info.name .. "'"
  end
  if info.what == "C" then return "C" end
  return "function <" .. info.short_src .. ":" .. info.linedefined .. ">"
end

-- Those below the last one of the program are the server's.
local function trim(infos)
  local last = 0
  for i, info in ipairs(infos) do
    if not is_own(info) then last = i end
  end
  local frames = {}
  for i = 1, last do
    local info = infos[i]
    local line = info.currentline > 0 and info.currentline or nil
    frames[i] = {
      own = is_own(info), name = name_of(info, infos[i + 1]), line = line, source = info.source,
      where = info.what == "C" and "[C]" or info.short_src .. (line and ":" .. line or ""),
    }
  end
  return frames
end

-- ---- sources ---------------------------------------------------------------------

local function text_of(source)
  local path = match(source, "^@(.*)$")
  if not path then return not find(source, "^=") and source or nil end
  if sub(path, 1, 5) == "neap:" or find(path, "\0", 1, true) then return nil end
  local fs = require "neap.fs"
  local info = fs.stat(path)
  return info and info.size <= SIZE and fs.read(path) or nil
end

-- A list of { number =, text =, is = whether it is that one }, or nil.
local function excerpt(source, line, around)
  local text = line and text_of(source)
  if not text then return nil end
  local lines, number = {}, 0
  around = around or AROUND
  for one in gmatch(text .. "\n", "(.-)\r?\n") do
    number = number + 1
    if number > line + around then break end
    if number >= line - around then
      lines[#lines + 1] = { number = number, text = sub(one, 1, WIDTH), is = number == line }
    end
  end
  while lines[#lines] and lines[#lines].text == "" and lines[#lines].number > line do lines[#lines] = nil end
  return lines[#lines] and lines[#lines].number >= line and lines or nil
end

-- Where a text says that something is: source, line and the rest of it. Of files only those that could be a program's.
local function place_in(text, frames)
  local name, line, rest = match(text, "^([^%c]-):(%d+): (.*)$")
  if not name then return nil end
  for _, frame in ipairs(frames) do
    if match(frame.where, "^(.*):%d+$") == name then return frame.source, tonumber(line), rest, name .. ":" .. line end
  end
  if find(name, "%.lua$") then return "@" .. name, tonumber(line), rest, name .. ":" .. line end
end

-- An error that was raised again may have several: the last one is where it was.
local function innermost(text, frames)
  local source, line, title, where = place_in(text, frames)
  local deeper = title
  while deeper do
    local s, l, t, w = place_in(deeper, frames)
    if s then source, line, title, where = s, l, t, w end
    deeper = t
  end
  return source, line, title, where
end

-- What require says of a file that does not compile names it in its second line.
local function place_below(text, frames)
  local below = match(text, "\n%s*(.*)$")
  if below then return place_in(below, frames) end
end

-- ---- all of it -------------------------------------------------------------------

local function describe(err)
  if type(err) == "string" or type(err) == "number" then return tostring(err) end
  local metatable = getmetatable(err)
  if type(metatable) == "table" and metatable.__tostring then
    local ok, text = pcall(tostring, err)
    if ok then return text end
  end
  return "(error object is a " .. type(err) .. " value)"
end

-- Waits for the disk. Fields: message, all of it; title, without the place; where; lines, around that; frames.
function trace.story(caught)
  local message = describe(caught.err)
  local frames = trim(caught.frames)
  local source, line, title, where = innermost(message, frames)
  if not source then
    title = message
    source, line, where = (function()
      local below, number, _, place = place_below(message, frames)
      return below, number, place
    end)()
  end
  local cut = #caught.frames == MOST
  for _, frame in ipairs(frames) do
    if not source and not frame.own and frame.line then source, line, where = frame.source, frame.line, frame.where end
    if not frame.own then frame.lines = excerpt(frame.source, frame.line) end
  end
  return {
    message = message, title = title, where = where, lines = source and excerpt(source, line),
    frames = frames, cut = cut,
  }
end

-- A text that begins with a place, as that of a reload that has failed: the lines around it, or nil.
function trace.lines(text, around)
  local source, line = innermost(text, {})
  if not source then source, line = place_below(text, {}) end
  return source and excerpt(source, line, around)
end

-- "  12 | text", with a mark before the line that it is about.
function trace.listing(lines)
  local out = {}
  local width = #tostring(lines[#lines].number)
  for i, one in ipairs(lines) do
    local number = tostring(one.number)
    out[i] = (one.is and " > " or "   ") .. rep(" ", width - #number) .. number .. " | " .. one.text
  end
  return out
end

return trace
