-- The notes of notes.lua, in memory and in a JSON file. A change has been made when the file says so: what was answered
-- is on the disk. Changes that come while the file is being written go into the next writing, all together. Where one
-- fails, all that is not in the file is taken back, the last first.
--
-- The file is ours while we run: what somebody else has written there, another program or an editor, is not written
-- over. The state is plain data and the task that writes: it is shared by all versions of the program (hot.state).
local neap, fs, json = require "neap", require "neap.fs", require "neap.json"

local store = {}

local SIZE = 100 << 20 -- bytes of the file
local LAST_ID = 999999999999999 -- exact in JavaScript, too

-- ---- reading -------------------------------------------------------------------

local function is_count(value)
  return math.type(value) == "integer" and value >= 1 and value <= LAST_ID
end

local function is_note(note)
  return type(note) == "table" and is_count(note.id) and is_count(note.version)
    and type(note.title) == "string" and type(note.text) == "string" and type(note.color) == "string"
    and type(note.pinned) == "boolean" and type(note.created) == "number" and type(note.updated) == "number"
end

-- Which file it is, and as written by whom; "none" where there is none.
local function identify(path)
  local info, message, code = fs.stat(path)
  if code == "ENOENT" then return "none" end
  if not info then error(message, 0) end
  return ("%d %d %d %.9f"):format(info.dev, info.ino, info.size, info.mtime)
end

local function add(state, note)
  if not is_note(note) then error(state.path .. ": an entry is no note", 0) end
  if state.notes[note.id] then error(("%s: there are two notes %d"):format(state.path, note.id), 0) end
  state.notes[note.id] = note
  state.next_id = math.max(state.next_id, note.id + 1) -- whatever the file says: no id comes twice
end

-- What is in the file; an empty state where there is none. Raises for a file that is not ours: nothing is written then.
function store.load(path)
  local state = { path = path, notes = {}, next_id = 1, pending = {}, file = identify(path) }
  if state.file == "none" then return state end
  local text, message = fs.read(path, { limit = SIZE })
  if not text then error(message, 0) end
  local content
  content, message = json.decode(text)
  if message then error(path .. ": " .. message, 0) end
  local notes = type(content) == "table" and content.notes
  if not json.is_array(notes) or not is_count(content.next_id) then
    error(path .. ": this is no file of notes", 0)
  end
  state.next_id = content.next_id
  for _, note in ipairs(notes) do add(state, note) end
  return state
end

-- ---- writing -------------------------------------------------------------------

-- A note is not changed, but replaced: so its text is made once.
local texts = setmetatable({}, { __mode = "k" })

-- A list of strings: a line for each note.
local function pieces_of(state)
  local ids, pieces = {}, {}
  for id in pairs(state.notes) do ids[#ids + 1] = id end
  table.sort(ids)
  for i, id in ipairs(ids) do
    local note = state.notes[id]
    texts[note] = texts[note] or assert(json.encode(note, { sorted = true }))
    pieces[2 * i], pieces[2 * i + 1] = texts[note], ",\n"
  end
  pieces[1] = ('{"next_id": %d, "notes": [\n'):format(state.next_id)
  pieces[math.max(2 * #ids + 1, 2)] = "\n]}\n"
  return pieces
end

local function write(state)
  local pieces, size = pieces_of(state), 0
  for _, piece in ipairs(pieces) do size = size + #piece end
  if size > SIZE then error(("%s: it would be larger than %d MB"):format(state.path, SIZE >> 20), 0) end
  local found = identify(state.path)
  if found ~= state.file and found ~= "none" then
    error(state.path .. ": somebody else has written it; what it says now is read at the next start", 0)
  end
  local ok, message = fs.write(state.path, pieces, { atomic = true })
  if not ok then error(message, 0) end
  state.file = identify(state.path)
end

local function write_pending(state)
  local count = #state.pending
  local ok, message = pcall(write, state)
  local pending = state.pending
  if ok then
    state.pending = table.move(pending, count + 1, #pending, 1, {})
    for i = 1, count do pending[i].saved = true end
  else
    state.pending = {}
    for i = #pending, 1, -1 do
      state.notes[pending[i].id] = pending[i].old or nil
      pending[i].problem = tostring(message)
    end
  end
end

local ENDED = { done = true, failed = true, cancelled = true }

-- Until the change is in the file, or has been taken back.
local function settle(state, change, tell)
  while not change.saved and not change.problem do
    if not state.writing or ENDED[state.writing.status] then
      state.writing = neap.go(write_pending, state)
      state.writing.name = "writing notes"
    end
    state.writing:join()
  end
  if tell then tell(change.saved or false) end
  return change.saved, change.problem
end

-- Puts a note in place of the one with this id, or with nil removes it, and waits until that is in the file: true, or
-- nil and a message. tell(saved), if there is one, is called before that. A client that leaves meanwhile stops nothing
-- of it.
function store.put(state, id, note, tell)
  local change = { id = id, old = state.notes[id] or false }
  state.notes[id] = note
  state.pending[#state.pending + 1] = change
  return neap.go(settle, state, change, tell):join()
end

return store
