-- Looks at what may have changed in a watch, in the thread pool, and compares it with what is known: names that we were
-- told of, directories that are to be listed, the root.
--
-- What differs is reported, and known from then on. While we wait more may be told: what is dirty is taken before we
-- look at it, so it is looked at again, and a directory may have been dropped meanwhile.
local core = ... -- entries, marks, marks_followed, now: see watch.lua
local error, ipairs, next, pairs, type = error, ipairs, next, pairs, type
local min = math.min
local now, tree = core.now, core.load "modules/fs/watch/tree.lua"
local absent, absolute, add_node, doubt, drop_child, drop_node, renew, report, way_to =
  tree.absent, tree.absolute, tree.add_node, tree.doubt, tree.drop_child, tree.drop_node, tree.renew, tree.report,
  tree.way_to

local DIRECTORY, RECENT = 1, 2 -- in a mark
local SOON = 0.03 -- what has just been written has been written by then
local NAMES, LISTS = 256, 32 -- looked at in one job
local ROUNDS = 1000

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

return { list_fresh = list_fresh, look = look, look_at_root = look_at_root }
