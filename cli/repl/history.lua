-- The lines of earlier sessions: a file with one entry a line, oldest first, where "\n" in an entry is a line of it.
-- What cannot be read or written is done without, and said once.
local core, complain = ...
local getenv, open = os.getenv, io.open

local MOST = 1000 -- entries that are kept

-- Its folder, and those that are made if they are missing: not somebody's home.
local function find_folder()
  local state, home = getenv "XDG_STATE_HOME", getenv "HOME"
  if state and state:find("^/") then return state .. "/neap", { state, state .. "/neap" } end
  if not home or home == "" then return nil end
  local folders, folder = {}, home
  for _, name in ipairs { ".local", "state", "neap" } do
    folder = folder .. "/" .. name
    folders[#folders + 1] = folder
  end
  return folder, folders
end

local function make(folders)
  for _, folder in ipairs(folders) do
    if not core.make_directory(folder) then return false end
  end
  return true
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

local folder, folders = find_folder()
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
  if path and not (make(folders) and core.append_text(path, encode(entry))) then
    complain(("cannot write the history to %s"):format(path))
    path = nil
  end
  return true
end

return history
