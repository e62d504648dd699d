-- The notes of notes.lua, in memory and in a JSON file. A change has been made when the file says so: what was answered
-- is on the disk. Changes that come while the file is being written go into the next writing, all together. Where one
-- fails, all that is not in the file is taken back, the last first.
--
-- The state is plain data and the task that writes: it is shared by all versions of the program (hot.state).
local neap, fs, json = require "neap", require "neap.fs", require "neap.json"

local store = {}

local function is_note(note)
  return type(note) == "table" and math.type(note.id) == "integer" and math.type(note.version) == "integer"
    and type(note.title) == "string" and type(note.text) == "string" and type(note.color) == "string"
    and type(note.pinned) == "boolean" and type(note.created) == "number" and type(note.updated) == "number"
end

-- What is in the file; an empty state where there is none. Raises for a file that is not ours: nothing is written then.
function store.load(path)
  local state = { path = path, notes = {}, next_id = 1, pending = {} }
  local text, message, code = fs.read(path, { limit = 100 << 20 })
  if code == "ENOENT" then return state end
  if not text then error(message, 0) end
  local content
  content, message = json.decode(text)
  if message then error(path .. ": " .. message, 0) end
  local notes = type(content) == "table" and content.notes
  if not json.is_array(notes) or math.type(content.next_id) ~= "integer" then
    error(path .. ": this is no file of notes", 0)
  end
  for _, note in ipairs(notes) do
    if not is_note(note) then error(path .. ": an entry is no note", 0) end
    state.notes[note.id] = note
  end
  state.next_id = content.next_id
  return state
end

local function text_of(state)
  local list = json.array()
  for _, note in pairs(state.notes) do list[#list + 1] = note end
  table.sort(list, function(a, b) return a.id < b.id end)
  return json.encode({ next_id = state.next_id, notes = list }, { pretty = true, sorted = true })
end

local function write(state)
  local count = #state.pending
  local ok, message = fs.write(state.path, text_of(state), { atomic = true })
  local pending = state.pending
  if ok then
    state.pending = table.move(pending, count + 1, #pending, 1, {})
    for i = 1, count do pending[i].saved = true end
  else
    state.pending = {}
    for i = #pending, 1, -1 do
      state.notes[pending[i].id] = pending[i].old or nil
      pending[i].problem = message
    end
  end
end

-- Puts a note in place of the one with this id, or with nil removes it, and waits until that is in the file: true, or
-- nil and a message. A client that leaves meanwhile does not stop the writing.
function store.put(state, id, note)
  local change = { id = id, old = state.notes[id] or false }
  state.notes[id] = note
  state.pending[#state.pending + 1] = change
  while not change.saved and not change.problem do
    local task = state.writing
    if not task or task.status == "done" or task.status == "failed" or task.status == "cancelled" then
      task = neap.go(write, state)
      task.name, state.writing = "writing notes", task
    end
    task:join()
  end
  return change.saved, change.problem
end

return store
