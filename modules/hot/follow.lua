-- neap --watch: a change of any file that the program has read is a request to
-- reload. What was read grows while it runs, and with each attempt to load it.
local core, request, discard, files, pins, tell = ...
local neap, timer = require "neap", require "neap.timer"
local shared = core.shared()
local status = shared.status
local follow = {}

local SETTLE = 0.1 -- seconds for a file to be written, where nobody tells when it is

-- path -> fingerprint, of all that matters
local function watched_files()
  local all = {}
  local function add(known)
    for path, print in pairs(known or {}) do all[path] = print end
  end
  local live = core.live()
  local notes = live and core.notes_of(live) or {}
  local last = shared.last or {}
  add(notes.files) add(notes.native) add(last.files) add(last.native)
  return all
end

local watched = {}

-- Returns those that were not watched before.
local function arm()
  local all, paths, fresh = watched_files(), {}, {}
  for path, print in pairs(all) do
    paths[#paths + 1] = path
    if watched[path] == nil then fresh[path] = print end
  end
  watched = all
  local ok, message = shared.watcher:set(paths)
  if not ok and not shared.watcher.closed then tell.say(message) end
  return fresh
end

-- What has changed since the last attempt to load it; and whether what is live is
-- the same again: then somebody has undone a mistake.
local function look()
  local last = shared.last
  local changed = files.changed_since(last.files)
  local live = core.live()
  local undone = #changed > 0 and live and core.notes_of(live).files ~= last.files
    and #files.changed_since(core.notes_of(live).files) == 0
  return changed, undone
end

local following -- a gate: one at a time, or one change would be two reloads

-- True: there was another attempt, which may have read other files.
local function catch_up()
  while following do following:wait() end
  following = core.new_gate()
  local _ <close> = setmetatable({}, { __close = function()
    following:open()
    following = nil
  end })
  local changed, undone = look()
  local live = core.live()
  if undone then
    local notes = core.notes_of(live)
    shared.last, status.error = { files = notes.files, native = notes.native }, nil
    core.tell_live()
    tell.say(("mended: generation %d is what is on the disk"):format(live))
    return false
  elseif #changed == 0 then
    return false
  end
  local mends = status.error ~= nil
  local ok, text = request(files.list_names(changed) .. " changed")
  tell.outcome(ok, ok and mends and "mended: " .. text or text)
  return true
end

-- Of what is watched we are told, when it has been written. What has changed before
-- that is found by looking, and may still be on its way.
local function arm_and_follow()
  repeat
    local missed = #files.changed_since(arm()) > 0
    if missed then timer.sleep(SETTLE) end
  until not missed or not catch_up()
end

-- The version that serves has read one more file: in a task, because it waits.
local unarmed = false

function follow.arm()
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
  for _, text in ipairs(files.needs_restart(core.live())) do
    if not told[text] then tell.say("restart needed: " .. text) end
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
    tell.say("nothing serves, until a file changes")
  end)
end

function follow.watch()
  status.watching = true
  start_first()
  local watcher <close> = core.watcher() {}
  shared.watcher = watcher
  while true do
    arm_and_follow()
    tell_restart()
    if not watcher:wait() then return end
    catch_up()
  end
end

return follow
