-- The transaction: the program is loaded again beside the one that serves, and
-- takes its place between two tasks, or not at all. It runs in tasks of the root
-- generation, which no reload touches: one after the other, see serve_requests.
local core = ...
local neap, timer = require "neap", require "neap.timer"
local hot, request = core.load "hot" (core)
local files, pins, tell = core.load "files" (core), core.load "pins" (core), core.load "tell" (core)
local commit = core.load "switch" (core)
local shared = core.shared()
local status = shared.status
local reload = { request = request, status = hot.status }

local TRIES = 5 -- to load it, while its files keep changing

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
    files.wait_until_written(files.newly_empty(notes.files, core.live()))
    local changed = files.changed_since(notes.files)
    if #changed == 0 then return id end
    discard(id)
    files.wait_until_written(changed)
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

-- ---- the transaction -------------------------------------------------------------------

local function after_commit(id, old, notes, why)
  status.since, status.why, status.error = timer.now(), why, nil
  status.restart = files.needs_restart(old)
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
  local ok, result, took = hand_over(old)
  local started = core.count_staged(id)
  if ok then ok, result, took = commit.switch(id, notes) end
  if not ok then
    discard(id)
    return result
  end
  ticket.ok = true
  status.commit = took
  local ms = (timer.monotonic() - began) * 1000
  if notes.kept then commit.keep(id, notes.kept, result) end
  notes.migrations, notes.state, notes.kept = nil, nil, nil
  after_commit(id, old, notes, ticket.why)
  return ("generation %d is live after %.1f ms (%s)%s"):format(id, ms, ticket.why,
    tell.describe(started, old and core.count_served(old) or 0))
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
    core.tell_live()
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
  tell.outcome(request(why))
end

local follow = core.load "follow" (core, request, discard, files, pins, tell)
reload.watch, reload.arm = follow.watch, follow.arm

return reload
