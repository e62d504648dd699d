-- notes.lua: notes on a page that is live, and a JSON API below it. They are kept in one file.
-- neap scripts/notes.lua [PORT or ADDRESS [FILE]]; then open http://127.0.0.1:8082. The file is notes.json here.
--
--   GET    /api/notes      ?q=WORDS &sort=updated|created|title &limit= &offset=
--   POST   /api/notes      {"title": "", "text": "", "color": "plain", "pinned": false}: 201, Location
--   GET    /api/notes/7    its ETag tells its version
--   PUT    /api/notes/7    all of it; PATCH: what is sent; DELETE. They want If-Match with the ETag: who has not seen
--                          the last version gets 412 and that version, and overwrites nothing
--   GET    /api/events     what changes, as server-sent events; ?after=REVISION goes on from there
--
-- Made to be changed while it runs (--watch): the notes are in hot.state, the page reloads itself.
-- Modules are looked for from the working directory, as in Lua: here also beside this file.
local HERE = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
package.path = HERE .. "notes/?.lua;" .. package.path

local neap, hot, fs, http, json, timer =
  require "neap", require "neap.hot", require "neap.fs", require "neap.http", require "neap.json", require "neap.timer"
local middleware, store = require "neap.http.middleware", require "store"

local LIMITS = { title = 200, text = 10000 } -- characters
local COLORS = { plain = true, yellow = true, green = true, blue = true, pink = true }
local MOST_NOTES = 10000
local MOST_WORDS = 10 -- that are looked for at once
local BODY_LIMIT = 128 * 1024 -- bytes: a text of 10000 characters, however it is written in JSON
local HISTORY = 500 -- changes that are kept for who was cut off
local QUIET, RETRY = 15, 300 -- s until a comment is sent; ms until a browser comes back

local function stop(code, message)
  io.stderr:write(message, "\n")
  os.exit(code)
end

local path = neap.args[2] or "notes.json"
local loaded, state = pcall(hot.state, "notes", function() return store.load(path) end)
if not loaded then stop(1, "notes: " .. tostring(state)) end

-- `run` tells the revisions of one run of the program from those of another: after a restart they begin again.
local events = hot.state("events", function()
  return { run = ("%08x"):format(math.random(0, 0xffffffff)), last = 0, changes = {}, listeners = {} }
end)

-- ---- what is refused ---------------------------------------------------------

local function problem(status, detail, more)
  local content = more or {}
  content.status, content.detail = status, detail
  return http.json(content, status, { ["content-type"] = "application/problem+json", ["cache-control"] = "no-store" })
end

local function check_text(name, value)
  if type(value) ~= "string" then return nil, "is not a text" end
  value = value:gsub("\r\n?", "\n")
  if (utf8.len(value) or math.huge) > LIMITS[name] then
    return nil, ("is too long: at most %d characters"):format(LIMITS[name])
  end
  if value:find(name == "title" and "%c" or "[^%C\n\t]") then return nil, "has characters that cannot be seen" end
  return value
end

local fields = {
  title = function(value) return check_text("title", value) end,
  text = function(value) return check_text("text", value) end,
  color = function(value)
    if COLORS[value] then return value end
    return nil, "is one of plain, yellow, green, blue, pink"
  end,
  pinned = function(value)
    if type(value) == "boolean" then return value end
    return nil, "is true or false"
  end,
}
local IGNORED = { id = true, version = true, created = true, updated = true } -- a note may be sent as it came

-- The fields of `note` as they are after what was sent; nil and what is wrong, by field.
local function read_fields(sent, note)
  local errors, new = {}, { title = note.title, text = note.text, color = note.color, pinned = note.pinned }
  for name, value in pairs(sent) do
    if fields[name] then
      local clean, why = fields[name](value)
      if why then errors[name] = why else new[name] = clean end
    elseif not IGNORED[name] then
      errors[tostring(name)] = "is no field of a note"
    end
  end
  if next(errors) then return nil, errors end
  if not (new.title .. new.text):find "%S" then return nil, { text = "is empty, and so is the title" } end
  return new
end

-- What was sent, as a table; or nil and the answer. (A page of somebody else's can make a browser send a form, but not
-- this.)
local function read_body(req)
  if not (req:header "content-type" or ""):lower():find "^application/json%f[^%w]" then
    return nil, problem(415, "send application/json")
  end
  local sent, why, code = req:json()
  if code == "EINVAL" then return nil, problem(400, why) end
  if code then error(why) end -- too much, too slow: 413, 408
  if type(sent) ~= "table" or json.is_array(sent) then return nil, problem(422, "a note is an object") end
  return sent
end

-- ---- what happens ------------------------------------------------------------

-- Those who listen, of all versions: each has the task in which it waits, if it does.
local function wake_all()
  for listener in pairs(events.listeners) do
    if listener.nap then listener.nap:cancel() end
  end
end

local function revision()
  return ("%s-%d"):format(events.run, events.last)
end

local function tell(kind, value)
  events.last = events.last + 1
  events.changes[events.last] = ("id: %s\nevent: %s\ndata: %s\n\n"):format(revision(), kind, json.encode(value))
  events.changes[events.last - HISTORY] = nil
  wake_all()
end

-- Into the file, then to who listens; or nil and the answer. What could not be saved may have been seen meanwhile.
local function save(id, note)
  local ok, why = store.put(state, id, note, function(saved)
    if not saved then return tell("refresh", 0) end
    tell(note and "note" or "gone", note or id)
  end)
  if ok then return true end
  io.stderr:write("notes: ", why, "\n")
  return nil, problem(503, "it could not be saved; nothing has changed")
end

local over = false -- this version tells no more

-- A task in the background ends when the program is told to end, and when the next version goes live. Then streams end,
-- too: they would hold up the one, and keep the other from their listeners.
neap.go(function()
  local _ <close> = setmetatable({}, { __close = function()
    over = true
    wake_all()
  end })
  while true do timer.sleep(86400) end
end).name = "end of streams"

local function nap(listener)
  listener.nap = neap.go(timer.sleep, QUIET)
  local _ <close> = setmetatable({}, { __close = function()
    listener.nap:cancel()
    listener.nap = nil
  end })
  return listener.nap:join() == nil
end

-- Nothing is queued for a listener: it has a number, and takes what came after it when it gets round to that.
local function listen(write, seen)
  local listener = {}
  events.listeners[listener] = true
  local _ <close> = setmetatable({}, { __close = function() events.listeners[listener] = nil end })
  local woken = true
  write(("retry: %d\n\n"):format(RETRY))
  while not over do
    local lines = {}
    if not seen or events.last - seen > HISTORY then
      lines[1] = ("id: %s\nevent: refresh\ndata: 0\n\n"):format(revision())
    else
      for number = seen + 1, events.last do lines[#lines + 1] = events.changes[number] end
    end
    seen = events.last
    if #lines == 0 and not woken then lines[1] = ":\n\n" end
    if #lines > 0 and not write(lines) then return end
    if seen == events.last and not over then woken = nap(listener) end
  end
end

local function get_events(req)
  local run, number = (req:header "last-event-id" or req.query.after or revision()):match "^(%x+)%-(%d+)$"
  number = run == events.run and math.tointeger(tonumber(number))
  local seen = number and number <= events.last and number or nil
  return 200, function(write) listen(write, seen) end, {
    ["content-type"] = "text/event-stream", ["cache-control"] = "no-store", ["x-accel-buffering"] = "no",
  }
end

-- ---- notes -------------------------------------------------------------------

local function etag_of(note)
  return ('"%d-%d"'):format(note.id, note.version)
end

local function answer(note, status, headers)
  headers = headers or {}
  headers.etag, headers["cache-control"] = etag_of(note), "no-cache"
  return http.json(note, status, headers)
end

local function has_tag(list, tag)
  if list:match "^%s*%*%s*$" then return true end
  for each in list:gmatch '"[^"]*"' do
    if each == tag then return true end
  end
  return false
end

-- The note that the path names; or nil and the answer.
local function find(req)
  local id = req.params.id:find "^[1-9]%d*$" and #req.params.id < 16 and math.tointeger(tonumber(req.params.id))
  local note = id and state.notes[id]
  if note then return note end
  return nil, problem(404, "there is no such note")
end

-- The same, if whoever wants to change it knows its last version. From here to store.put nothing may wait.
local function find_unchanged(req)
  local note, refusal = find(req)
  if not note then return nil, refusal end
  local tags = req:header "if-match"
  if not tags then return nil, problem(428, "send If-Match with the ETag of the note") end
  if has_tag(tags, etag_of(note)) then return note end
  local response = problem(412, "it was changed meanwhile", { note = note })
  response.headers.etag = etag_of(note)
  return nil, response
end

local function name_of(note)
  return (note.title ~= "" and note.title or note.text):lower()
end

local orders = {
  updated = function(a, b) return a.updated > b.updated end,
  created = function(a, b) return a.created > b.created end,
  title = function(a, b) return name_of(a) < name_of(b) end,
}

local function sorted(list, order)
  local before = orders[order]
  table.sort(list, function(a, b)
    if a.pinned ~= b.pinned then return a.pinned end
    if before(a, b) then return true end
    return not before(b, a) and a.id > b.id
  end)
  return list
end

local function matches(note, words)
  local all = (note.title .. "\n" .. note.text):lower()
  for _, word in ipairs(words) do
    if not all:find(word, 1, true) then return false end
  end
  return true
end

local function number(text, default, least, most)
  if not text then return default end
  local value = text:find "^%d+$" and #text < 16 and math.tointeger(tonumber(text))
  if value and value >= least and value <= most then return value end
  return nil, ("is a number from %d to %d"):format(least, most)
end

local function get_notes(req)
  local query, errors = req.query, {}
  local limit, offset, order
  order = query.sort or "updated"
  limit, errors.limit = number(query.limit, 100, 1, MOST_NOTES)
  offset, errors.offset = number(query.offset, 0, 0, 1000000000)
  if not orders[order] then errors.sort = "is one of updated, created, title" end
  local words, found, page = {}, {}, json.array()
  for word in (query.q or ""):lower():gmatch "%S+" do words[#words + 1] = word end
  if #words > MOST_WORDS then errors.q = ("has at most %d words"):format(MOST_WORDS) end
  if next(errors) then return problem(422, "this cannot be asked", { errors = errors }) end
  for _, note in pairs(state.notes) do
    if matches(note, words) then found[#found + 1] = note end
  end
  table.move(sorted(found, order), offset + 1, math.min(offset + limit, #found), 1, page)
  return http.json({ notes = page, total = #found, revision = revision() }, 200, { ["cache-control"] = "no-store" })
end

local function post_note(req)
  local sent, refusal = read_body(req)
  if not sent then return refusal end
  local new, errors = read_fields(sent, { title = "", text = "", color = "plain", pinned = false })
  if not new then return problem(422, "this is no note", { errors = errors }) end
  local count = 0
  for _ in pairs(state.notes) do count = count + 1 end
  if count >= MOST_NOTES then return problem(507, ("there are %d notes, that is enough"):format(count)) end
  new.id, new.version, new.created = state.next_id, 1, timer.now()
  new.updated, state.next_id = new.created, state.next_id + 1
  local saved
  saved, refusal = save(new.id, new)
  return saved and answer(new, 201, { location = "/api/notes/" .. new.id }) or refusal
end

local function get_note(req)
  local note, refusal = find(req)
  if not note then return refusal end
  if not has_tag(req:header "if-none-match" or "", etag_of(note)) then return answer(note) end
  return 304, nil, { etag = etag_of(note), ["cache-control"] = "no-cache" }
end

local function change(req, base)
  local sent, refusal = read_body(req)
  if not sent then return refusal end
  local note
  note, refusal = find_unchanged(req)
  if not note then return refusal end
  local new, errors = read_fields(sent, base or note)
  if not new then return problem(422, "this is no note", { errors = errors }) end
  new.id, new.version, new.created, new.updated = note.id, note.version + 1, note.created, timer.now()
  local saved
  saved, refusal = save(note.id, new)
  return saved and answer(new) or refusal
end

local function put_note(req)
  return change(req, { title = "", text = "", color = "plain", pinned = false })
end

local function patch_note(req)
  return change(req)
end

local function delete_note(req)
  local note, refusal = find_unchanged(req)
  if not note then return refusal end
  local saved
  saved, refusal = save(note.id, nil)
  if not saved then return refusal end
  return 204
end

-- ---- all of it ---------------------------------------------------------------

local server

local function is_loopback(host)
  host = (host:match "^%[(.*)%]:?%d*$" or host:match "^([^:]*):?%d*$" or ""):lower()
  return host == "localhost" or host == "::1" or host:find "^127%.%d+%.%d+%.%d+$" or host:find "^[%w.-]+%.localhost$"
end

-- A page of somebody else's may have its own name resolved to this machine: its browser says which name that was.
local function local_names(req, following)
  local host, address = req:header "host", server.address
  if not host or not address or not is_loopback(address) or is_loopback(host) then return following(req) end
  return problem(421, "this is served to localhost only")
end

local app = http.router()
app:use(middleware.access_log(), middleware.request_id(), middleware.security_headers {
  content_security_policy = {
    ["default-src"] = "'none'", ["script-src"] = "'self'", ["style-src"] = "'self'", ["connect-src"] = "'self'",
    ["img-src"] = "'self'", ["font-src"] = false, ["base-uri"] = "'none'", ["form-action"] = "'none'",
    ["frame-ancestors"] = "'none'",
  },
  x_frame_options = "DENY",
}, local_names, middleware.development(), middleware.body_limit(BODY_LIMIT))

app:get("/api/notes", get_notes)
app:post("/api/notes", post_note)
app:get("/api/notes/:id", get_note)
app:put("/api/notes/:id", put_note)
app:patch("/api/notes/:id", patch_note)
app:delete("/api/notes/:id", delete_note)
app:get("/api/events", get_events)

-- The page. A change of one of these files is a new version, too: then it is loaded again where it is seen.
local public = HERE .. "notes/public"
for _, entry in ipairs(assert(fs.list(public))) do hot.depends(public .. "/" .. entry.name) end
app:get("/*file", http.static(public, { max_age = 0 }))

local address = (neap.args[1] or "8082"):gsub("^%d+$", "127.0.0.1:%0")
local ok, message
ok, server, message = pcall(http.serve, address, app)
if not ok or #neap.args > 2 then
  stop(2, "usage: neap scripts/notes.lua [PORT or ADDRESS [FILE]]   (HOST:PORT, :PORT or unix:PATH)")
elseif not server then
  stop(1, "notes: " .. message)
end

print("notes: listening on " .. (server.address:find "^unix:" and "" or "http://") .. server.address)
print("notes: kept in " .. path)
io.stdout:flush()
neap.ready()
