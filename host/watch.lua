-- Tells when files have changed. `open(options)` makes a watcher: set(paths) says
-- which files matter, wait() returns those of them that may have changed, once a
-- burst of changes is over; whether they hold anything new is for the caller to
-- compare. From the return of `set` on nothing is missed, also between two waits.
--
-- Every name that is looked up on the way to a file is watched in its directory:
-- so a file may be replaced, a link be turned, a directory vanish and come back.
-- Where the system tells of nothing, or has no more watches, the files are polled.
local core = ... -- notifier, lookups, stats, now: see notifier.c
local error, ipairs, next, pairs, setmetatable, type = error, ipairs, next, pairs, setmetatable, type
local format, max, min = string.format, math.max, math.min
local stderr = io.stderr
local notifier, lookups, stats, now = core.notifier, core.lookups, core.stats, core.now

local QUIET = 0.01 -- without a change: the burst is over
local POLL = 0.5
local UNFINISHED = 0.5 -- after the last write: until then we expect that the file is closed
local LONGEST = 5 -- a file that is written all the time must not hide the others
local EXACT = 1e-6 -- s: what is missing to a time is an error of rounding
local ROUNDS = 20 -- of arming, while directories come and go

local watcher = {}

local function canceled()
  return nil, "watch: operation canceled", "ECANCELED"
end

-- ---- polling -----------------------------------------------------------------

-- Compares all with what was known: true if something has changed.
local function look(self)
  local paths, known, changed = self.paths, {}, false
  local list, message, code = stats(paths)
  if not list then return nil, message, code end
  for i, path in ipairs(paths) do
    local before = self.known[path]
    known[path] = list[i]
    if before ~= nil and before ~= list[i] then
      self.changed[path], changed = "changed", true
    end
  end
  if paths == self.paths then self.known = known end
  return changed
end

local function change_all(self)
  for _, path in ipairs(self.paths) do self.changed[path] = "changed" end
end

local advice = {
  EMFILE = " (raise fs.inotify.max_user_instances, or ulimit -n)",
  ENFILE = " (raise fs.file-max)",
  ENOSPC = " (raise fs.inotify.max_user_watches)",
}
local warned = false

local function warn(message, code, interval)
  if warned or code == "ENOSYS" then return end
  warned = true
  stderr:write(format("neap: %s%s: files are polled every %g s instead\n", message, advice[code] or "", interval))
end

local function poll_instead(self, message, code)
  warn(message, code, self.interval)
  if self.notifier then self.notifier:close() end
  self.notifier = notifier(false, self.weak ~= nil)
  self.polling = true
  change_all(self) -- they may have, meanwhile
end

-- ---- arming ------------------------------------------------------------------

-- The number of a directory, whether it is new. False: it need not be watched.
-- nil, message, code: it cannot.
local function add(self, directory, whole)
  local number, new, code = self.notifier:add(directory, whole)
  if number then return number, new end
  if code == "ENOENT" or code == "ENOTDIR" then return false, true end -- just now: look again
  if code == "EACCES" and not whole then return false, false end -- it may be searched, not read
  return nil, new, code
end

local function expect(self, names, number, text)
  local id = self.notifier:expect(number, text)
  local name = names[id]
  if not name then
    name = { is_on_way = false } -- and the paths that depend on it
    names[id] = name
  end
  return name
end

-- Adds what the paths need, forgets the rest. True: a directory is new; what has
-- happened in it before nobody has told.
local function apply(self, paths, steps)
  local numbers, names, any = {}, {}, false
  for i, path in ipairs(paths) do
    local list = steps[i] or {}
    for at = 1, #list, 3 do
      local directory, text, what = list[at], list[at + 1], list[at + 2]
      local whole = what ~= "directory"
      local key = whole and directory .. "/" or directory
      if numbers[key] == nil then
        local number, new, code = add(self, directory, whole)
        if number == nil then return nil, new, code end
        numbers[key] = number
        any = any or new
      end
      if numbers[key] then
        local name = expect(self, names, numbers[key], text)
        name.is_on_way = name.is_on_way or at + 3 < #list
        name[#name + 1] = path
      end
    end
  end
  self.notifier:sweep()
  self.names = names
  return any
end

-- One round: true if there must be another one. Tasks may do this side by side:
-- what was looked up earlier is not applied later.
local function arm_once(self)
  self.round = self.round + 1
  local round, paths = self.round, self.paths
  local steps, message, code = lookups(paths)
  if self.closed then return canceled() end
  if not steps then return nil, message, code end
  if self.polling or paths ~= self.paths or round < self.applied then return true end
  self.applied = round
  local new
  new, message, code = apply(self, paths, steps)
  if new ~= nil then return new end
  if code == "ECANCELED" then return nil, message, code end
  poll_instead(self, message, code)
  return true
end

-- After it everything that matters is told of. True: some of it was not before.
local function arm(self)
  local any = false
  for _ = 1, ROUNDS do
    if self.polling then
      local changed, message, code = look(self)
      if changed == nil then return nil, message, code end
      break
    end
    local again, message, code = arm_once(self)
    if again == nil then return nil, message, code end
    if not again then break end
    any = true
  end
  return any
end

function watcher:set(paths)
  local list, seen = {}, {}
  for i, path in ipairs(paths) do
    if type(path) ~= "string" then error(format("path %d is a %s, not a string", i, type(path)), 2) end
    if not seen[path] then
      seen[path], list[#list + 1] = true, path
    end
  end
  if self.closed then return canceled() end
  self.paths = list
  local done, message, code = arm(self)
  if done == nil then return nil, message, code end
  return true
end

-- ---- waiting -----------------------------------------------------------------

-- How sure it is that a file is another one.
local rank = { touched = 1, changed = 2, certain = 3 }

local function change(self, id, vague)
  local name = self.names[id]
  if not name then return false end -- `set` has dropped it
  local how = vague and "touched" or name.is_on_way and "changed" or "certain"
  for _, path in ipairs(name) do
    if rank[how] > (rank[self.changed[path]] or 0) then self.changed[path] = how end
  end
  return true, name.is_on_way
end

-- What was told of names, as changes of paths. True: the way to a file is another
-- one, and there, too, something may be happening.
local function note(self, done, written, lost, vague)
  local again = lost
  self.last = now()
  self.began = self.began or self.last
  for _, id in ipairs(done) do
    local _, is_on_way = change(self, id, vague[id])
    again = again or is_on_way
    self.unfinished[id] = nil
  end
  for _, id in ipairs(written) do
    if change(self, id, vague[id]) then self.unfinished[id] = self.last end
  end
  if lost then change_all(self) end
  return again
end

-- When the burst is over if nothing more happens.
local function due(self)
  local time = self.last + self.quiet
  for id, last in pairs(self.unfinished) do
    if self.names[id] then time = max(time, last + self.patience) end
  end
  return min(time, self.began + self.longest)
end

-- In the order of `set`; what that no longer has is left out. And how sure it is.
local function take_changed(self)
  local list = {}
  for _, path in ipairs(self.paths) do
    if self.changed[path] then list[#list + 1] = path end
  end
  local changed = self.changed
  self.changed, self.unfinished, self.began = {}, {}, nil
  return list, changed
end

local function rearm(self)
  local new, message, code = arm(self)
  if new then self.last = now() end
  return new, message, code
end

-- Until something has changed, and its burst is over: false. True: look again.
local function wait_told(self)
  local time = next(self.changed) and due(self) - now()
  if time and time <= EXACT then
    local new, message, code = rearm(self)
    if new then new = now() < self.began + self.longest end
    return new, message, code
  end
  local source = self.notifier
  local done, written, lost, _, vague = source:read(time or nil)
  if done then
    if note(self, done, written, lost, vague) then
      local new, message, code = rearm(self)
      if new == nil then return nil, message, code end
    end
  elseif lost and source == self.notifier then -- nil, message, code
    if lost == "ECANCELED" then return nil, written, lost end
    poll_instead(self, written, lost)
  end
  return true
end

-- Lets time pass; nil, message, code: it was closed.
local function pause(self, seconds)
  local _, message, code = self.notifier:read(seconds, self.weak and self.weak())
  if code then return nil, message, code end
  return true
end

-- The same, where we have to look.
local function wait_polling(self)
  local some = next(self.changed) ~= nil
  if some then
    self.began = self.began or now()
    local passed, message, code = pause(self, self.quiet)
    if not passed then return nil, message, code end
  end
  local changed, message, code = look(self)
  if changed == nil then return nil, message, code end
  if some then return changed and now() < self.began + self.longest end
  if changed then return true end
  return pause(self, self.interval)
end

function watcher:wait()
  while not self.closed do
    local again, message, code = (self.polling and wait_polling or wait_told)(self)
    if again == nil then return nil, message, code end
    if not again then
      local list, changed = take_changed(self)
      if #list > 0 then return list, changed end
    end
  end
  return canceled()
end

function watcher:close()
  self.closed = true
  self.notifier:close()
end

-- ---- open(options) -----------------------------------------------------------

local metatable = { __index = watcher, __close = watcher.close, __name = "neap.watcher" }

local function option(options, name, default)
  local value = options[name]
  if value == nil then return default end
  if type(value) ~= "number" or not (value > 0 and value <= 1e9) then
    error(format("%s must be a number of seconds above 0", name), 3)
  end
  return value
end

local known = { quiet = true, patience = true, longest = true, poll = true, weak = true }

-- quiet: without a change, the burst is over; patience: so long after the last write a file is expected to be closed;
-- longest: of a burst; poll: do, and so often; weak: a function, it keeps no program alive, nor does it when it looks
-- for itself, where that returns true.
local function open(options)
  options = options or {}
  for key in pairs(options) do
    if not known[key] then error(format("unknown option '%s'", key), 2) end
  end
  local self = setmetatable({
    polling = false,
    closed = false,
    quiet = option(options, "quiet", QUIET),
    patience = option(options, "patience", UNFINISHED),
    longest = option(options, "longest", LONGEST),
    weak = options.weak,
    interval = option(options, "poll", POLL),
    paths = {},
    known = {}, -- path -> what stats said of it
    names = {}, -- id -> { is_on_way, path ... }
    changed = {}, -- path -> how sure it is, see rank
    unfinished = {}, -- id -> when it was last written
    round = 0,
    applied = 0,
  }, metatable)
  if options.poll then
    self.notifier, self.polling = notifier(false, self.weak ~= nil), true
    return self
  end
  local message, code
  self.notifier, message, code = notifier(true, self.weak ~= nil)
  if not self.notifier then poll_instead(self, message, code) end
  return self
end

return open, warn
