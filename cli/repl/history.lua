-- The lines of earlier sessions: a file with one entry a line, oldest first, where "\n" in an entry is a line of it.
-- What cannot be read or written is done without, and said once.
local core, complain = ...
local getenv, open = os.getenv, io.open

local MOST = 1000 -- entries that are kept

local function find_folder()
  local state, home = getenv "XDG_STATE_HOME", getenv "HOME"
  if state and state:find("^/") then return state .. "/neap" end
  return home and home ~= "" and home .. "/.local/state/neap" or nil
end

local function make_folders(path)
  for parent in path:gmatch("()/") do
    if parent > 1 and not core.make_directory(path:sub(1, parent - 1)) then return false end
  end
  return core.make_directory(path)
end

local function encode(entry)
  return (entry:gsub("\\", "\\\\"):gsub("\n", "\\n")) .. "\n"
end

local function decode(line)
  return (line:gsub("\\(.)", { n = "\n", ["\\"] = "\\" }))
end

local function read(path)
  local entries = {}
  local file <close> = open(path, "rb")
  if not file then return entries end
  for line in file:lines() do entries[#entries + 1] = decode(line) end
  return entries
end

local function write(path, entries, first)
  local lines = {}
  for i = first, #entries do lines[#lines + 1] = encode(entries[i]) end
  return core.replace_text(path, table.concat(lines))
end

local folder = find_folder()
local path = folder and folder .. "/history"
local entries = path and read(path) or {}
local first = math.max(1, #entries - MOST + 1)
local last = entries[#entries]
if #entries >= 2 * MOST then write(path, entries, first) end

local history = {}

function history.entries()
  return table.unpack(entries, first)
end

-- False: it is no news.
function history.add(entry)
  if entry == last or not entry:find("%S") then return false end
  last = entry
  if path and not (make_folders(folder) and core.append_text(path, encode(entry))) then
    complain(("cannot write the history to %s"):format(path))
    path = nil
  end
  return true
end

return history
