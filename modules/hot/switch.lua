-- The commit, with what the versions share: new states, migrated ones, and handles
-- that are kept. Up to the commit all can be undone, after it nothing can fail.
local core = ...
local timer = require "neap.timer"
local shared = core.shared()

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
-- before, by name, and how many seconds it took without migrations; if not why.
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
    return true, result, timer.monotonic() - began
  end
  for i = #undo, 1, -1 do undo[i]() end
  return nil, result
end

-- What the new version has let go of (false) is its own.
local function keep(id, kept, before)
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

return { switch = switch, keep = keep }
