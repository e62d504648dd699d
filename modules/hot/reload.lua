-- The transaction: the program is loaded again beside the one that serves, and
-- takes its place between two tasks, or not at all. It runs in tasks of the root
-- generation, which no reload touches: one after the other, see serve_requests.
local core, hot, request, open_watch, pins = ...
local neap, timer = require "neap", require "neap.timer"
local shared = core.shared()
local reload = { request = request, status = hot.status }

local QUIET = 0.01 -- seconds; what changes no more for so long has been written
local TRIES = 5 -- to load it, while its files keep changing

local status = shared.status

-- ---- what is on the disk ---------------------------------------------------------

-- A list of the paths whose content is not what `files` says: path -> fingerprint.
local function changed_since(files)
  local paths, changed = {}, {}
  for path in pairs(files or {}) do paths[#paths + 1] = path end
  table.sort(paths)
  local prints = assert(core.fingerprints(paths))
  for i, path in ipairs(paths) do
    if prints[i] ~= files[path] then changed[#changed + 1] = path end
  end
  return changed
end

-- Whoever saves in place makes the file empty first: an empty program is a valid
-- one, without a server. A list of those that were not empty for the live version.
local function newly_empty(files)
  local live, empty = core.live(), {}
  local before = live and core.notes_of(live).files or {}
  for path, print in pairs(files) do
    if print and print:find "^0:" and before[path] ~= print then empty[#empty + 1] = path end
  end
  return empty
end

-- Who looks by himself may look while a file is written: it is empty then, or half.
local function wait_until_written(paths)
  local prints, before
  repeat
    timer.sleep(QUIET)
    prints, before = "", prints
    for _, print in ipairs(assert(core.fingerprints(paths))) do prints = prints .. " " .. tostring(print) end
  until prints == before
end

local function list_names(paths)
  local names = {}
  for i, path in ipairs(paths) do names[i] = path:match("[^/]*$") end
  if #names > 3 then return ("%s, %s and %d more"):format(names[1], names[2], #names - 2) end
  return table.concat(names, ", ")
end

-- What is in the process for good: modules in C, and the program.
local function needs_restart(live)
  local restart = {}
  if core.is_replaced() then restart[1] = "neap itself has been replaced" end
  if live then
    for _, path in ipairs(changed_since(core.notes_of(live).native)) do
      restart[#restart + 1] = path .. " has changed"
    end
  end
  return restart
end

-- ---- prepare ------------------------------------------------------------------------

local function where_it_waits(id)
  for _, task in ipairs(neap.tasks()) do
    if task.generation == id and task.name == "main" then
      return (": it waits in %s at %s"):format(task.waits or "?", task.where or "?")
    end
  end
  return ""
end

local function await(id, limit)
  local deadline = timer.monotonic() + limit
  while true do
    local outcome, text = core.await(id, math.max(0, deadline - timer.monotonic()))
    if outcome == "late" then
      return "refused", ("it was not ready within %g s%s"):format(limit, where_it_waits(id))
    elseif outcome ~= "waiting" then
      return outcome, text
    end
  end
end

local function discard(id)
  core.retire(id)
  while core.end_of(id) do end
end

-- The id of a version that is ready, and is what is on the disk; or nil, why.
local function prepare()
  for _ = 1, TRIES do
    local id = core.prepare()
    pins.know(id)
    local outcome, text = await(id, core.limit())
    core.prepared()
    local notes = core.notes_of(id)
    shared.last = { files = notes.files or {}, native = notes.native or {} }
    if outcome == "refused" then
      discard(id)
      return nil, text
    end
    local empty = newly_empty(notes.files or {})
    if #empty > 0 then wait_until_written(empty) end
    local changed = changed_since(notes.files)
    if #changed == 0 then return id end
    discard(id)
    wait_until_written(changed)
  end
  return nil, "its files keep changing while it is loaded"
end

-- ---- what the old one does before -----------------------------------------------------

local function hand_over(live)
  for _, fn in ipairs(live and core.notes_of(live).handover or {}) do
    local task = core.go(live, function() return xpcall(fn, debug.traceback) end)
    local ok, text = neap.deadline(core.limit(), task.join, task)
    if not ok then
      task:cancel()
      return nil, "hot.handover: " .. tostring(text)
    end
  end
  return true
end

-- ---- state ------------------------------------------------------------------------------

local function copy(value, seen)
  if type(value) ~= "table" then return value end
  if seen[value] then return seen[value] end
  local new = {}
  seen[value] = new
  for k, v in next, value do rawset(new, copy(k, seen), copy(v, seen)) end
  return setmetatable(new, getmetatable(value))
end

-- Runs in the realm of the new version, without giving way: so what is copied is
-- what the old one has left.
local function migrate_all(migrations)
  local contents = {}
  for key, plan in pairs(migrations) do
    local new = copy(plan.entry.value, {})
    local content = plan.migrate(new, plan.entry.version)
    if content == nil then content = new end
    if type(content) ~= "table" then
      error(("state %s: migrate returned a %s, not a table"):format(key, type(content)))
    end
    contents[key] = content
  end
  return contents
end

-- Every key that it will have, so that nothing has to be allocated to change it.
local function make_room(value, content, undo)
  local added = {}
  undo[#undo + 1] = function()
    for i = #added, 1, -1 do
      if rawget(value, added[i]) ~= nil then rawset(value, added[i], nil) end
    end
  end
  for k in next, content do
    if rawget(value, k) == nil then
      added[#added + 1] = k
      rawset(value, k, false)
    end
  end
end

local function fill(value, content)
  for k, v in next, content do rawset(value, k, v) end
  for k in next, value do
    if rawget(content, k) == nil then rawset(value, k, nil) end
  end
end

local function put(map, key, value, undo)
  local before = map[key]
  undo[#undo + 1] = function() map[key] = before end
  map[key] = value
end

-- All that can fail, for lack of memory for one, and can be undone without it.
local function get_set(notes, contents, undo)
  for key, content in pairs(contents) do
    local entry = shared.state[key]
    make_room(entry.value, content, undo)
    put(entry, "version", notes.migrations[key].version, undo)
  end
  for key, entry in pairs(notes.state or {}) do put(shared.state, key, entry, undo) end
  local before = {}
  for key, handle in pairs(notes.kept or {}) do
    before[key] = shared.kept[key]
    if handle then put(shared.kept, key, handle, undo) end
  end
  return before
end

-- All or nothing, in one turn. Results: whether it is live; if so what was kept
-- before, by name, if not why.
local commit_took -- seconds, without what migrations take

local function switch(id, notes)
  local ok, contents = core.within(id, migrate_all, notes.migrations or {})
  if not ok then return nil, contents end
  local undo, began = {}, timer.monotonic()
  local done, result = pcall(function()
    local before = get_set(notes, contents, undo)
    core.commit(id)
    return before
  end)
  if done then
    for key, content in next, contents do fill(shared.state[key].value, content) end
    commit_took = timer.monotonic() - began
    return true, result
  end
  for i = #undo, 1, -1 do undo[i]() end
  return nil, result
end

-- What the new version has let go of (false) is its own.
local function keep_handles(id, kept, before)
  for key, handle in next, kept do
    if not handle then
      shared.kept[key] = nil
    elseif not handle.closed then
      core.keep(handle)
    end
  end
  for key, handle in next, kept do
    local old = before[key]
    if old and not handle then
      core.within(id, core.let_go, old)
    elseif old and not rawequal(old, handle) then
      old:close()
    end
  end
end

-- ---- what is said about it -----------------------------------------------------------------

local function count_of(n, what)
  return n == 1 and "1 " .. what or ("%d %ss"):format(n, what)
end

local function describe(started, draining)
  local parts = {}
  if started.adopted then parts[#parts + 1] = "adopted " .. count_of(started.adopted, "server") end
  local verb = "started "
  for _, kind in ipairs { "server", "timer", "task" } do
    if started[kind] then
      parts[#parts + 1] = verb .. count_of(started[kind], kind)
      verb = ""
    end
  end
  if draining > 0 then
    parts[#parts + 1] = count_of(draining, "connection") .. (draining == 1 and " drains" or " drain")
  end
  return #parts > 0 and ": " .. table.concat(parts, ", ") or ""
end

local function count_draining(old)
  for _, generation in ipairs(old and hot.status().generations or {}) do
    if generation.id == old then
      local connections = 0
      for _, handle in ipairs(generation.handles) do
        if handle.kind == "connection" then connections = connections + 1 end
      end
      return connections
    end
  end
  return 0
end

-- "app.lua:3: ..." with the line itself below it.
local function with_source_line(text)
  local path, number = text:match("^%s*([^:\n]+):(%d+):")
  local file <close> = path and io.open(path)
  if not file then return text end
  local n = 0
  for line in file:lines() do
    n = n + 1
    if n == tonumber(number) then
      local first, rest = text:match("^([^\n]*)(.*)$")
      return ("%s\n%6d | %s%s"):format(first, n, line, rest)
    end
  end
  return text
end

local function say(text)
  io.stderr:write("neap: ", text, "\n")
end

local function tell(ok, text)
  if ok then return say(text) end
  text = text:gsub("^reload: ", "")
  local live = core.live()
  local goes_on = live and ("generation %d goes on"):format(live) or "nothing serves"
  say(("not reloaded, %s: %s"):format(goes_on, with_source_line(text)))
end

-- ---- the transaction -------------------------------------------------------------------------

local function after_commit(id, old, notes, why)
  status.since, status.why, status.commit, status.error = timer.now(), why, commit_took, nil
  status.restart = needs_restart(old)
  notes.on_file = shared.watcher and shared.on_file or nil
  pins.begin(id)
end

-- From the commit on it is true that the ticket was answered: what is left to do is
-- done as far as there is memory for it.
local function replace(ticket)
  local began = timer.monotonic()
  local old = core.live()
  if old then pins.know(old) end -- the first one was not prepared here
  local id, text = prepare()
  if not id then return text end
  local notes = core.notes_of(id)
  local ok, result = hand_over(old)
  local started = core.count_staged(id)
  if ok then ok, result = switch(id, notes) end
  if not ok then
    discard(id)
    return result
  end
  ticket.ok = true
  local took = (timer.monotonic() - began) * 1000
  if notes.kept then keep_handles(id, notes.kept, result) end
  notes.migrations, notes.state, notes.kept = nil, nil, nil
  after_commit(id, old, notes, ticket.why)
  return ("generation %d is live after %.1f ms (%s)%s"):format(id, took, ticket.why,
    describe(started, count_draining(old)))
end

-- After an error on the way, lack of memory for one.
local function discard_all()
  for _, generation in ipairs(core.generations()) do
    if generation.state == "preparing" then discard(generation.id) end
  end
end

local serving -- the ticket; also after an error, until it has been answered

local function answer()
  if not serving then return end
  serving.gate:open()
  serving = nil
end

-- Where the program ends nobody will call it again. (Made before memory is short.)
local whoever_waits = setmetatable({}, { __close = function()
  if core.obstacle() then answer() end
end })

local function count(ticket)
  if ticket.ok then
    status.reloads = status.reloads + 1
  else
    status.failures, status.error, ticket.code = status.failures + 1, ticket.text, "EINVAL"
  end
end

local function run(ticket)
  local done, text = pcall(replace, ticket)
  ticket.text = tostring(text or "not enough memory") -- a task that could not say why it failed has no error
  if not done then discard_all() end
  core.prepared()
  count(ticket)
  if shared.watcher then shared.on_file() end -- also where it failed: in what it has read may be the fault
end

-- It is called again when it has failed, see hot.c.
function reload.serve_requests()
  local _ <close> = whoever_waits
  if serving then
    discard_all()
    core.prepared()
    serving.text = serving.ok and "a new generation is live" or "not enough memory"
    count(serving)
    answer()
  end
  while shared.next_ticket do
    serving = shared.next_ticket
    shared.next_ticket = nil
    run(serving)
    answer()
  end
end

function reload.request_and_tell(why)
  tell(request(why))
end

-- ---- watching -----------------------------------------------------------------------------------

local function watched_files()
  local paths, seen = {}, {}
  local function add(files)
    for path in pairs(files or {}) do
      if not seen[path] then
        seen[path] = true
        paths[#paths + 1] = path
      end
    end
  end
  local live = core.live()
  local notes = live and core.notes_of(live) or {}
  local last = shared.last or {}
  add(notes.files) add(notes.native) add(last.files) add(last.native)
  return paths
end

local function arm()
  local ok, message = shared.watcher:set(watched_files())
  if not ok and not shared.watcher.closed then say(message) end
end

-- What has changed since the last attempt to load it; and whether what is live is
-- the same again: then somebody has undone a mistake.
local function look()
  local last = shared.last
  local changed = changed_since(last.files)
  local live = core.live()
  local undone = #changed > 0 and live and core.notes_of(live).files ~= last.files
    and #changed_since(core.notes_of(live).files) == 0
  return changed, undone
end

local following -- a gate: one at a time, or one change would be two reloads

-- True: there was another attempt, which may have read other files. `told`: the
-- watcher says that a burst of changes is over.
local function follow(told)
  while following do following:wait() end
  following = core.new_gate()
  local _ <close> = setmetatable({}, { __close = function()
    following:open()
    following = nil
  end })
  local changed, undone = look()
  if #changed > 0 and not told then
    wait_until_written(changed)
    changed, undone = look()
  end
  local live = core.live()
  if undone then
    local notes = core.notes_of(live)
    shared.last, status.error = { files = notes.files, native = notes.native }, nil
    say(("mended: generation %d is what is on the disk"):format(live))
    return false
  elseif #changed == 0 then
    return false
  end
  local mends = status.error ~= nil
  local ok, text = request(list_names(changed) .. " changed")
  tell(ok, ok and mends and "mended: " .. text or text)
  return true
end

-- What changes before it is watched is found by looking.
local function arm_and_follow(told)
  arm()
  while follow(told) do
    arm()
    told = false
  end
end

-- The version that serves has read one more file: in a task, because it waits.
local unarmed = false

function reload.arm()
  while unarmed and shared.watcher do
    unarmed = false
    arm_and_follow()
  end
end

function shared.on_file()
  unarmed = true
  core.start_to_arm()
end

local told = {}

local function tell_restart()
  for _, text in ipairs(needs_restart(core.live())) do
    if not told[text] then say("restart needed: " .. text) end
    told[text] = true
  end
end

-- There is nothing to prepare it beside: it runs as without --watch. If its main
-- chunk fails, whose report has been given, what it has started is stopped.
local function start_first()
  local id = core.start_first()
  local notes = core.notes_of(id)
  notes.files, notes.native = notes.files or {}, notes.native or {}
  notes.on_file = shared.on_file
  shared.last = { files = notes.files, native = notes.native }
  pins.know(id)
  neap.go(function()
    local outcome
    repeat outcome = core.await(id, 1e9) until outcome ~= "waiting"
    if outcome == "ready" or not core.is_running() then return end
    status.error = "its main chunk has failed"
    discard(id)
    say("nothing serves, until a file changes")
  end)
end

function reload.watch()
  status.watching = true
  start_first()
  local watcher <close> = open_watch {}
  shared.watcher = watcher
  local burst = false
  repeat
    arm_and_follow(burst)
    tell_restart()
    burst = watcher:wait() ~= nil
  until not burst
end

return reload
