-- What the system tells of a watch: each hint becomes something that is to be looked at, once the burst is over, which
-- lasts from `self.began` to `self.last`. Only a directory is not left till then: it is watched at once. Does the
-- system tell no more, all is polled from then on.
local core = ... -- notifier, now, warn: see watch.lua
local pairs, type = pairs, type
local now, tree, warn = core.now, core.load "modules/fs/watch/tree.lua", core.warn
local add_node, doubt, list_soon, mark_dirty, renew =
  tree.add_node, tree.doubt, tree.list_soon, tree.mark_dirty, tree.renew

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
  warn(message, code)
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

return read
