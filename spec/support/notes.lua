-- For specs of scripts/notes.lua: a copy of it that runs, in a directory that may be changed.
local assert = require "luassert"
local fs, json = require "neap.fs", require "neap.json"
local child, http = require "spec.support.child", require "spec.support.http"
local test = require "neap.test"

local notes = {}

local JSON = "Content-Type: application/json"

-- A copy that may be changed; it is told where its files are.
function notes.copy(files)
  local public = "notes/public"
  assert(fs.mkdir(files:path_of(public), { parents = true }))
  for _, name in ipairs { "notes.lua", "notes/store.lua", public .. "/index.html", public .. "/notes.css",
    public .. "/notes.js", public .. "/icon.svg" } do
    assert(fs.write(files:path_of(name), assert(fs.read("scripts/" .. name))))
  end
  return files:path_of "notes.lua"
end

-- The process, and its address.
function notes.start(script, file, options)
  options = options or {}
  options.under = "setsid" -- SIGHUP reloads it
  local process = child.start({ script, "127.0.0.1:0", file }, options)
  local where = process:line():match "^notes: listening on http://(.+)$"
  assert.equal("notes: kept in " .. file, process:line())
  return process, where
end

-- The process takes up what its files say now: that is version `number`.
function notes.reload(process, number)
  process:signal "HUP"
  test.eventually(function() return process:stderr():find(("generation %d is live"):format(number), 1, true) end, 20)
end

-- It ends in good order.
function notes.stop(process)
  local ending <close> = process -- luacheck: ignore
  process:signal "TERM"
  assert.equal(0, (process:wait()))
end

-- The answer, its body decoded.
function notes.ask(address, line, body, ...)
  local client <close> = http.connect(address)
  if type(body) == "table" then body = json.encode(body) end
  client:send(http.request(line, body, JSON, ...))
  local answer = client:response()
  if answer.body ~= "" then answer.content = json.decode(answer.body) end
  return answer
end

-- The note, and the answer.
function notes.add(address, title, text)
  local answer = notes.ask(address, "POST /api/notes", { title = title, text = text })
  assert.equal(201, answer.status, answer.body)
  return answer.content, answer
end

-- In the order in which they are answered.
function notes.titles(address, query)
  local list = {}
  for i, note in ipairs(notes.ask(address, "GET /api/notes" .. (query or "")).content.notes) do list[i] = note.title end
  return list
end

return notes
