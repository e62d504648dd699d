-- What there is to tell of an error: its message, where it was raised, the frames of the stack, and the lines of source
-- around each of them: of files that were read as this program, as long as they are what was read. All is bounded.
local core = ...
local byte, find, match, rep, sub = string.byte, string.find, string.match, string.rep, string.sub
local getmetatable, ipairs, pcall, rawget, tonumber, tostring, type =
  debug.getmetatable, ipairs, pcall, rawget, tonumber, tostring, type
local is_as_loaded = core.is_as_loaded

local MOST = 50 -- frames
local AROUND = 5 -- lines, before and after
local WIDTH = 300 -- bytes of a line
local LENGTH = 10000 -- bytes of a message
local SIZE = 1 << 20 -- bytes of a file
local CHANGED = "the file has changed since it was loaded"

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

-- The text, or nil and perhaps why.
local function text_of(source)
  local path = match(source, "^@(.*)$")
  if not path then return not find(source, "^=") and source or nil end
  if sub(path, 1, 5) == "neap:" or find(path, "\0", 1, true) then return nil end
  local fs = require "neap.fs"
  local info = fs.stat(path)
  if not info or info.kind ~= "file" or info.size > SIZE then return nil end
  return fs.read(path, { limit = SIZE })
end

-- At most so many bytes, and no part of a character at their end.
local function cut(text, most)
  if #text <= most then return text end
  while most > 0 and byte(text, most + 1) & 0xc0 == 0x80 do most = most - 1 end
  return sub(text, 1, most) .. " ..."
end

-- A list of { number =, text =, is = whether it is that one }, or nil.
local function around_line(text, line, around)
  local lines, number, at = {}, 0, 1
  while at <= #text and number < line + around do
    local ends = find(text, "\n", at, true) or #text + 1
    number = number + 1
    if number >= line - around then
      local one = match(sub(text, at, ends - 1), "^(.-)\r?$")
      lines[#lines + 1] = { number = number, text = cut(one, WIDTH), is = number == line }
    end
    at = ends + 1
  end
  while lines[#lines] and lines[#lines].text == "" and lines[#lines].number > line do lines[#lines] = nil end
  return lines[#lines] and lines[#lines].number >= line and lines or nil
end

-- Gives function(source, line) -> lines, or nil and perhaps why there are none. A stack may be in one file, and at one
-- line, over and over.
local function reader()
  local texts, found = {}, {}
  return function(source, line)
    if not line then return nil end
    if texts[source] == nil then
      local text = text_of(source) or false
      local path = text and match(source, "^@(.*)$")
      if path and is_as_loaded(path, text) == false then text = CHANGED end
      texts[source] = text
    end
    local text = texts[source]
    if not text then return nil end
    if text == CHANGED then return nil, CHANGED end
    local key = line .. source
    found[key] = found[key] or around_line(text, line, AROUND)
    return found[key]
  end
end

-- Where a text says that something is: source, line and the rest of it. Whoever asks may say what stands in a message:
-- so of files it is only what has been read as a program; `frames` nil: what may be one.
local function place_in(text, frames)
  local name, line, rest = match(text, "^([^%c]-):(%d+): (.*)$")
  if not name then return nil end
  for _, frame in ipairs(frames or {}) do
    if match(frame.where, "^(.*):%d+$") == name then return frame.source, tonumber(line), rest, name .. ":" .. line end
  end
  local is_program
  if frames then is_program = is_as_loaded(name, "") ~= nil else is_program = find(name, "%.lua$") ~= nil end
  if is_program then return "@" .. name, tonumber(line), rest, name .. ":" .. line end
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
  if type(metatable) == "table" and (metatable.__tostring or metatable.__name) then
    local ok, text = pcall(tostring, err)
    if ok then return text end
  end
  local message = type(err) == "table" and rawget(err, "message")
  return "(error object is a " .. type(err) .. " value)" .. (type(message) == "string" and ": " .. message or "")
end

-- Waits for the disk. Fields: message, all of it; title, without the place; where; lines, around that; frames.
function trace.story(caught)
  local message, frames, lines_of = cut(describe(caught.err), LENGTH), trim(caught.frames), reader()
  local source, line, title, where = innermost(message, frames)
  if not source then
    title = message
    source, line, where = (function()
      local below, number, _, place = place_below(message, frames)
      return below, number, place
    end)()
  end
  for _, frame in ipairs(frames) do
    if not source and not frame.own and frame.line then source, line, where = frame.source, frame.line, frame.where end
    if not frame.own then frame.lines, frame.why = lines_of(frame.source, frame.line) end
  end
  local lines, why
  if source then lines, why = lines_of(source, line) end
  return {
    message = message, title = title, where = where, lines = lines, why = why,
    frames = frames, is_cut = #caught.frames == MOST,
  }
end

-- A text that begins with a place, as that of a reload that has failed: the lines around it, or nil.
function trace.lines(text, around)
  text = cut(text, LENGTH)
  local source, line = innermost(text)
  if not source then source, line = place_below(text) end
  local program = source and line and text_of(source)
  return program and around_line(program, line, around)
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
