-- fs.watch: what has changed in a file or a tree, decided in two tasks of the root, which no reload touches.
--
-- Of what is there a mark is remembered (see marks.c), as it was last told of. What the system tells is a hint: the
-- names it is about are looked at again, when the burst is over, and what is another one then has changed. So it does
-- not matter in which way a file was saved, nor what has become of it in between. A new directory is watched at once,
-- and listed after that: nothing in it is missed. Where the system could not tell all, or tells nothing, all is listed.
--
-- When all this is done, and told, is decided here. What is known is in watch/tree.lua, how it is compared with what is
-- there in watch/look.lua, what becomes of what the system tells in watch/told.lua.
local core, open_way, warn = ... -- entries, load, marks, marks_followed, notifier, now, serve: see feed.c
local error, ipairs, next, pairs, setmetatable = error, ipairs, next, pairs, setmetatable
local max, min, sort = math.max, math.min, table.sort
local now = core.now

local POLL = 0.5 -- seconds, where the system does not tell; more, where to look takes long
local EXACT = 1e-6 -- s: what is missing to a time is an error of rounding
local PATIENCE, LONGEST = 4, 20 -- times `gather`: until a file is closed; of a burst

function core.warn(message, code) warn(message, code, POLL) end -- for the parts

local tree = core.load "modules/fs/watch/tree.lua"
local list_soon, subscribe = tree.list_soon, tree.subscribe
local looking = core.load "modules/fs/watch/look.lua"
local list_fresh, look, look_at_root = looking.list_fresh, looking.look, looking.look_at_root
local read = core.load "modules/fs/watch/told.lua"

local watch = {}

-- ---- where we have to look for ourselves ----------------------------------------------------------------------------

local function poll(self)
  local began = now()
  local can_subscribe = true
  for node in pairs(self.unwatched) do
    if not node.number and can_subscribe then can_subscribe = subscribe(self, node) end
    list_soon(self, node)
  end
  self.poll_at = began + 1e9
  look(self)
  self.poll_at = min(self.poll_at, now() + max(POLL, 10 * (now() - began)))
end

-- ---- bursts ---------------------------------------------------------------------------------------------------------

local function deliver(self)
  local list, kept = {}, {}
  for relative, kind in pairs(self.pending) do
    if self.held[relative] then
      kept[relative] = kind
    else
      list[#list + 1] = relative
    end
  end
  sort(list)
  local pending = self.pending
  self.pending = kept
  for _, relative in ipairs(list) do
    self.feed:put(relative == "" and self.shown or self.shown_base .. relative, pending[relative])
  end
  self.feed:deliver()
end

-- When something is to be done, or nil.
local function due(self)
  if self.root_told or self.fresh[1] then return 0 end
  local time = self.again
  if self.began then
    local over = min(self.last + self.gather, self.began + self.longest)
    time = min(time or over, over)
  end
  if next(self.unwatched) then time = min(time or self.poll_at, self.poll_at) end
  return time
end

-- The burst seems to be over. It goes on if more was told while we have looked.
local function settle(self)
  local began = self.began
  self.began, self.last = nil, nil
  look(self)
  if not read(self, 0) then return end
  if self.began and now() < began + self.longest then
    self.began = began
  else
    self.ready = true
  end
end

local function step(self)
  local how = self.root_told
  if how then
    self.root_told = nil
    look_at_root(self, how)
    self.ready = self.ready or not self.began
  end
  list_fresh(self)
  local time = now() + EXACT
  if next(self.unwatched) and time >= self.poll_at then
    poll(self)
    self.ready = self.ready or not self.began
  end
  if self.began and time >= min(self.last + self.gather, self.began + self.longest) then
    settle(self)
  elseif self.again and time >= self.again then
    look(self)
    self.ready = true
  end
  self.feed:set_polling(next(self.unwatched) ~= nil or self.way.polling)
  if self.ready and self.feed:is_idle() then
    self.ready = false
    if next(self.pending) then deliver(self) end
  end
end

local function follow(self)
  repeat
    local time = due(self)
    local is_weak = not (self.began or self.again or self.feed:is_wanted())
    if not read(self, time and max(0, time - now()) or nil, is_weak) then return end
    step(self)
  until self.feed:is_closed()
end

-- ---- the way to the root: a task of its own -------------------------------------------------------------------------

local function follow_way(self)
  local _ <close> = setmetatable({}, { __close = function(_, message)
    if message ~= nil then self.feed:close() end
  end })
  while true do
    local list, changed, code = self.way:wait()
    if code == "ECANCELED" then return end
    if not list then error(changed, 0) end
    local how = changed[self.root]
    if self.root_told ~= "certain" then self.root_told = how end
    self.source:poke()
  end
end

local function arm(self)
  local done, message, code = self.way:set { self.root }
  if not done then return nil, message, code end
  core.serve(follow_way, self)
  look_at_root(self, "changed")
  list_fresh(self)
  self.feed:set_polling(next(self.unwatched) ~= nil or self.way.polling)
  self.poll_at = now() + POLL
  self.armed = true
  self.feed:arm()
  return true
end

-- As host/watch.lua takes it.
local function within(seconds)
  return min(max(seconds, 1e-6), 1e9)
end

function watch.run(feed, root, shown, recursive, gather)
  local self = {
    feed = feed,
    root = root, base = root:gsub("/*$", "/"),
    shown = shown, shown_base = shown:gsub("/*$", "/"),
    recursive = recursive,
    gather = gather, patience = gather * PATIENCE, longest = gather * LONGEST,
    nodes = {}, -- number -> the directory of that number
    unwatched = {}, -- directory -> true: the system does not tell of it
    touched = {}, -- directory -> true: it has dirty names
    fresh = {}, -- directories that are to be listed
    held = {}, -- relative path -> true: it is still being written
    pending = {}, -- relative path -> kind
    armed = false,
    ready = false, -- to be told
    poll_at = 0,
  }
  local way <close> = open_way {
    quiet = within(gather), patience = within(self.patience), longest = within(self.longest),
    weak = function() return not feed:is_wanted() end,
  }
  self.way = way
  local message, code
  self.source, message, code = core.notifier(true, true)
  if not self.source then
    core.warn(message, code)
    self.source = core.notifier(false, true)
  end
  local _ <close> = setmetatable({}, { __close = function() self.source:close() end })
  feed:attach(self.source)
  local armed
  armed, message, code = arm(self)
  if armed then return follow(self) end
  if code ~= "ECANCELED" then error(message, 0) end
end

return watch.run
