-- fs.watch: what has changed in a file or a tree, decided in two tasks of the root, which no reload touches.
--
-- Of what is there a mark is remembered (see marks.c), as it was last told of. What the system tells is a hint: the
-- names it is about are looked at again, when the burst is over, and what is another one then has changed. So it does
-- not matter in which way a file was saved, nor what has become of it in between. A new directory is watched at once,
-- and listed after that: nothing in it is missed. Where the system could not tell all, or tells nothing, all is listed.
local core, open_way, warn = ... -- entries, marks, marks_followed, notifier, now, serve: see watch.c
local error, ipairs, next, pairs, setmetatable, type = error, ipairs, next, pairs, setmetatable, type
local max, min, sort = math.max, math.min, table.sort
local now = core.now

local DIRECTORY, RECENT = 1, 2 -- in a mark
local POLL = 0.5 -- seconds, where the system does not tell; more, where to look takes long
local SOON = 0.03 -- what has just been written has been written by then
local EXACT = 1e-6 -- s: what is missing to a time is an error of rounding
local NAMES, LISTS = 256, 32 -- looked at in one job
local PATIENCE, LONGEST = 4, 20 -- times `gather`: until a file is closed; of a burst
local ROUNDS = 1000

local watch = {}

-- ---- paths: of a directory, relative to the root, with a slash at the end -------------------------------------------

local function way_to(node)
  local parent = node.parent
  if not parent then return "" end
  return way_to(parent) .. node.name .. "/"
end

local function absolute(self, relative)
  return self.base .. relative
end

-- ---- what has changed, and was not told yet -------------------------------------------------------------------------

-- Made and removed in one burst is nothing; removed and made again is a change.
local function report(self, relative, kind)
  if not self.armed then return end
  local pending = self.pending
  local before = pending[relative]
  if not before then
    pending[relative] = kind
  elseif kind == "removed" then
    pending[relative] = before ~= "created" and "removed" or nil
  elseif before == "removed" then
    pending[relative] = "changed"
  end
end

-- ---- directories ----------------------------------------------------------------------------------------------------

-- They may be back in a moment, or readable: whoever sees them again tells.
local absent = { ENOENT = true, ENOTDIR = true, EACCES = true, EPERM = true, ELOOP = true, ENAMETOOLONG = true }

-- False: there are no more watches.
local function subscribe(self, node)
  local number, message, code = self.source:add_all(absolute(self, way_to(node)))
  if number then
    node.number = number
    node.alias = self.nodes[number] -- one directory, two names: it has been moved, or mounted twice
    self.nodes[number] = node
  elseif not absent[code] then
    if code ~= "ECANCELED" then warn(message, code, POLL) end
    self.unwatched[node] = true
    return false
  end
  self.unwatched[node] = nil
  return true
end

local function unsubscribe(self, node)
  local number = node.number
  if not number then return end
  local first, before = self.nodes[number], nil
  while first ~= node do first, before = first.alias, first end
  if before then
    before.alias = node.alias
  else
    self.nodes[number] = node.alias
  end
  if not self.nodes[number] then self.source:drop(number) end
  node.number, node.alias = nil, nil
end

-- It is to be listed, at once.
local function list_soon(self, node)
  if node.listed == false then return end
  node.listed = false
  self.fresh[#self.fresh + 1] = node
end

local function add_node(self, parent, name)
  local node = { parent = parent, name = name, names = {}, silent = not self.armed }
  if parent then
    parent.children = parent.children or {}
    parent.children[name] = node
  end
  subscribe(self, node)
  list_soon(self, node)
  return node
end

local function renew(self, node)
  unsubscribe(self, node)
  subscribe(self, node)
  list_soon(self, node)
end

local function drop_node(self, node, relative)
  for name in pairs(node.names) do report(self, relative .. name, "removed") end
  for name, child in pairs(node.children or {}) do drop_node(self, child, relative .. name .. "/") end
  unsubscribe(self, node)
  self.unwatched[node], self.touched[node] = nil, nil
  node.dropped = true
end

local function drop_child(self, node, relative, name)
  local child = node.children and node.children[name]
  if not child then return end
  node.children[name] = nil
  drop_node(self, child, relative .. name .. "/")
end

-- ---- one name -------------------------------------------------------------------------------------------------------

local function is_same(a, b)
  return a and b and (a ~ b) & ~RECENT == 0
end

-- `how`: what we were told of it, if we were. Whether it has changed.
local function has_changed(old, mark, how)
  if not is_same(old, mark) then return true end
  if mark & DIRECTORY ~= 0 or how == "touched" then return false end
  return how ~= nil or old & RECENT ~= 0
end

local function know_directory(self, node, relative, name, mark, same)
  if mark & DIRECTORY == 0 then return drop_child(self, node, relative, name) end
  if not self.recursive then return end
  local child = node.children and node.children[name]
  if not child then
    add_node(self, node, name)
  elseif not child.number and not self.unwatched[child] or not same and child.known then
    renew(self, child)
  end
  node.children[name].known = true
end

-- Where we look for ourselves, and it is being written just now: the next look tells more.
local function is_too_early(self, node, name, old, mark)
  local early = node.early or {}
  node.early = early
  if early[name] or not self.armed or mark & RECENT == 0 or is_same(old, mark) then
    early[name] = nil
    return false
  end
  early[name] = true
  self.poll_at = min(self.poll_at, now() + SOON)
  return true
end

local function learn(self, node, relative, name, mark, how)
  local old = node.names[name]
  if mark == 0 then return end -- it is there; more cannot be known
  if not mark then
    node.names[name] = nil
    drop_child(self, node, relative, name)
    if old then report(self, relative .. name, "removed") end
    return
  end
  if not how and self.unwatched[node] and is_too_early(self, node, name, old, mark) then return end
  if not old then
    report(self, relative .. name, "created")
  elseif has_changed(old, mark, how) then
    report(self, relative .. name, "changed")
  end
  if how ~= "touched" or not is_same(old, mark) then node.names[name] = mark end
  if (mark | (old or 0)) & DIRECTORY ~= 0 then know_directory(self, node, relative, name, mark, is_same(old, mark)) end
end

-- ---- looking, in the thread pool ------------------------------------------------------------------------------------

local function mark_dirty(self, node, name, how)
  node.dirty = node.dirty or {}
  local before = node.dirty[name]
  if how ~= "touched" or not before then node.dirty[name] = how end
  self.touched[node] = true
end

-- It is not what it was, and its parent will know.
local function doubt(self, node)
  if node.parent then
    mark_dirty(self, node.parent, node.name, "touched")
  else
    self.root_told = self.root_told or "changed"
  end
end

local function take_list(self, node, list)
  local code = list[1]
  local relative, there = way_to(node), {}
  if code == "ENOENT" or code == "ENOTDIR" then return doubt(self, node) end
  if code then
    if not absent[code] then self.unwatched[node] = true end -- no descriptor, no memory: later
    return
  end
  if node.number then self.unwatched[node] = nil end
  local armed = self.armed
  self.armed = armed and not node.silent -- what was there at the beginning is no news
  for i = 2, #list, 2 do
    there[list[i]] = true
    learn(self, node, relative, list[i], list[i + 1])
  end
  for name in pairs(node.names) do
    if not there[name] then learn(self, node, relative, name, false) end
  end
  self.armed, node.silent = armed, nil
end

local function list_nodes(self, nodes)
  for first = 1, #nodes, LISTS do
    local some, paths = {}, {}
    for i = first, min(first + LISTS - 1, #nodes) do
      local node = nodes[i]
      if not node.dropped then
        node.listed = true
        some[#some + 1], paths[#paths + 1] = node, absolute(self, way_to(node))
      end
    end
    local lists, message = core.entries(paths)
    if not lists then error(message, 0) end
    for i, node in ipairs(some) do
      if not node.dropped then take_list(self, node, lists[i]) end
    end
  end
end

-- New directories, and what is in them.
local function list_fresh(self)
  for _ = 1, ROUNDS do
    local nodes = self.fresh
    if not nodes[1] then return end
    self.fresh = {}
    list_nodes(self, nodes)
  end
end

-- One that is still open to be written waits, but not for ever.
local function is_due(self, how, node, name)
  if type(how) ~= "table" then return true end
  local due = min(how.last + self.patience, how.first + self.longest)
  if due <= now() then return true end
  self.again = min(self.again or due, due)
  self.held[way_to(node) .. name] = true
  return false
end

local function take_dirty(self)
  local list = {}
  self.again, self.held = nil, {}
  for node in pairs(self.touched) do
    for name, how in pairs(node.dirty) do
      if is_due(self, how, node, name) then
        list[#list + 1] = { node = node, name = name, how = type(how) == "table" and "done" or how }
        node.dirty[name] = nil
      end
    end
    if not next(node.dirty) then
      node.dirty = nil
      self.touched[node] = nil
    end
  end
  return list
end

local function look_at_names(self, list)
  for first = 1, #list, NAMES do
    local paths = {}
    for i = first, min(first + NAMES - 1, #list) do
      paths[#paths + 1] = absolute(self, way_to(list[i].node)) .. list[i].name
    end
    local marks, message = core.marks(paths)
    if not marks then error(message, 0) end
    for i, mark in ipairs(marks) do
      local one = list[first + i - 1]
      if not one.node.dropped then learn(self, one.node, way_to(one.node), one.name, mark, one.how) end
    end
  end
end

-- All that is due.
local function look(self)
  for _ = 1, ROUNDS do
    list_fresh(self)
    local list = take_dirty(self)
    if not list[1] then return end
    look_at_names(self, list)
  end
end

-- ---- the root -------------------------------------------------------------------------------------------------------

local function know_root(self, mark, same)
  local is_directory = mark and mark & DIRECTORY ~= 0
  if self.top and not is_directory then
    drop_node(self, self.top, "")
    self.top = nil
  elseif is_directory and not self.top then
    self.top = add_node(self)
  elseif is_directory and not (same and self.top.number) then
    renew(self, self.top)
  end
end

-- `how` sure it is that it has changed, see host/watch.lua.
local function look_at_root(self, how)
  local marks, message = core.marks_followed { self.root }
  if not marks then error(message, 0) end
  local old, mark = self.mark, marks[1]
  if mark == 0 then return end
  if self.way.polling and self.armed and mark and mark & RECENT ~= 0 and not is_same(old, mark) and not self.early then
    self.early = true -- the next look tells more
    return
  end
  self.early = nil
  if not mark then
    if old then report(self, "", "removed") end
  elseif not old then
    report(self, "", "created")
  elseif not is_same(old, mark) then
    report(self, "", "changed")
  elseif mark & DIRECTORY == 0 and (how == "certain" or how == "changed" and old & RECENT ~= 0) then
    report(self, "", "changed")
  end
  if how ~= "touched" or not is_same(old, mark) then self.mark = mark end
  know_root(self, mark, is_same(old, mark))
end

-- ---- what we are told -----------------------------------------------------------------------------------------------

local function list_again(self, node)
  list_soon(self, node)
  for _, child in pairs(node.children or {}) do list_again(self, child) end
end

local function note_self(self, node, how)
  if how == "crowded" then return list_soon(self, node) end
  if how == "gone" then node.number, node.alias = nil, nil end
  doubt(self, node)
end

-- It is to be watched before more happens in it. There may have been another one.
local function note_directory(self, node, name)
  local child = node.children and node.children[name]
  if child then
    renew(self, child)
  elseif self.recursive then
    add_node(self, node, name)
  end
end

local function note_name(self, node, name, how, time)
  local before = node.dirty and node.dirty[name]
  if how == "written" then
    if type(before) == "table" then
      before.last = time -- whoever writes all the time does not keep the others waiting
      return
    end
    mark_dirty(self, node, name, { first = time, last = time })
  elseif how == "directory" then
    mark_dirty(self, node, name, "done")
    note_directory(self, node, name)
  elseif how == "closed" and before then
    mark_dirty(self, node, name, "done")
  else
    mark_dirty(self, node, name, how == "done" and how or "touched")
  end
  self.last = time
end

local function note(self, others, lost)
  local time = now()
  for i = 1, #others, 3 do
    local number, name, how = others[i], others[i + 1], others[i + 2]
    local node = self.nodes[number]
    if how == "gone" then self.nodes[number] = nil end
    while node do
      local alias = node.alias
      if name ~= "" then
        note_name(self, node, name, how, time)
      else
        note_self(self, node, how)
        self.last = time
      end
      node = alias
    end
  end
  if lost then
    self.last = time
    self.root_told = self.root_told or "changed"
    if self.top then list_again(self, self.top) end
  end
  if self.last then self.began = self.began or self.last end
end

-- The system tells no more.
local function tell_no_more(self, message, code)
  warn(message, code, POLL)
  self.source:close()
  self.source = core.notifier(false, true)
  self.feed:attach(self.source)
  self.nodes = {}
  local function lose(node)
    node.number, node.alias = nil, nil
    self.unwatched[node] = true
    for _, child in pairs(node.children or {}) do lose(child) end
  end
  if self.top then lose(self.top) end
end

-- False: it was closed.
local function read(self, seconds, is_weak)
  local done, message, code, others = self.source:read(seconds, is_weak)
  if done then
    note(self, others, code)
  elseif code == "ECANCELED" then
    return false
  elseif code then
    tell_no_more(self, message, code)
  end
  return not self.feed:is_closed()
end

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
    warn(message, code, POLL)
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
