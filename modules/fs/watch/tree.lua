-- The directories of a watch (`self`, see watch.run): a node each, with the marks of its names as they were last told
-- of, the number the system tells of it by, and what of it is to be looked at. Nothing here waits.
--
-- A node that has a number is in `self.nodes`, one that has to be polled in `self.unwatched`. What has changed is in
-- `self.pending`, by its path from the root, until it is told.
local core = ... -- warn: see watch.lua
local pairs = pairs
local warn = core.warn

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
    if code ~= "ECANCELED" then warn(message, code) end
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

-- ---- what is to be looked at ----------------------------------------------------------------------------------------

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

return {
  absent = absent,
  absolute = absolute,
  add_node = add_node,
  doubt = doubt,
  drop_child = drop_child,
  drop_node = drop_node,
  list_soon = list_soon,
  mark_dirty = mark_dirty,
  renew = renew,
  report = report,
  subscribe = subscribe,
  way_to = way_to,
}
