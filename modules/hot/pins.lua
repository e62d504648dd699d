-- Looks through what versions share for what belongs to one of them alone: a
-- function, a coroutine or a metatable of an old version keeps that version in
-- memory, and its code would run for ever. Called after each commit, in a task of
-- the root, in steps that give way.
local core = ...
local timer = require "neap.timer"
local shared = core.shared()

local STEP = 500 -- values between two turns of the loop
local COLLECTIONS = 32 -- at most: in generational mode no step says that it was the last

local realms = setmetatable({}, { __mode = "k" }) -- the globals of a version -> its id
local scan = { current = 0 }

-- The version whose globals a function sees, itself or by what it calls.
local function generation_of(fn, seen)
  seen[fn] = true
  for i = 1, 255 do
    local name, value = debug.getupvalue(fn, i)
    if not name then return end
    local id = type(value) == "table" and realms[value]
    if not id and type(value) == "function" and not seen[value] then id = generation_of(value, seen) end
    if id then return id end
  end
end

local function generation_of_coroutine(co)
  local body = core.body_of(co)
  if body then return generation_of(body, {}) end
  for level = 0, 100 do
    local info = debug.getinfo(co, level, "f")
    if not info then return end
    local id = generation_of(info.func, {})
    if id then return id end
  end
end

local function name_of(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return "." .. key end
  if type(key) == "string" then return ("[%q]"):format(key) end
  return "[" .. tostring(key) .. "]"
end

local function new_walk(live)
  local walk = { seen = {}, found = {}, count = 0 }

  local function note(path, id)
    if id and id ~= live then walk.found[#walk.found + 1] = { path = path, generation = id } end
  end

  local function visit(value, path)
    local kind = type(value)
    if kind == "function" then return note(path, generation_of(value, {})) end
    if kind == "thread" then return note(path, generation_of_coroutine(value)) end
    if kind ~= "table" or walk.seen[value] then return end
    walk.seen[value] = true
    walk.count = walk.count + 1
    if walk.count % STEP == 0 then timer.sleep(0) end
    note(path, realms[value])
    for key, member in next, value do
      visit(key, path .. "<key>")
      visit(member, path .. name_of(key))
    end
    visit(getmetatable(value), path .. "<metatable>")
  end

  return walk, visit
end

-- A table that changes while it is walked through: `next` may then fail.
local function walk_all(live)
  local walk, visit = new_walk(live)
  local keys = {}
  for key in pairs(shared.state) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local entry = shared.state[key]
    if entry then pcall(visit, entry.value, key) end
  end
  return walk.found
end

local told = {}

local function tell(found)
  for _, pin in ipairs(found) do
    if not told[pin.path] then
      io.stderr:write(("neap: state %s holds something of generation %d, and keeps it in memory: keep data in it, "
        .. "and find functions by name\n"):format(pin.path, pin.generation))
    end
    told[pin.path] = true
  end
end

function scan.know(id)
  realms[core.globals_of(id)] = id
end

function scan.begin(live)
  scan.current = scan.current + 1
  local mine = scan.current
  require("neap").go(function()
    local found = walk_all(live)
    if mine ~= scan.current then return end -- there is a newer one
    shared.status.pins = found
    tell(found)
    for _ = 1, COLLECTIONS do -- what is gone need not wait for the collector's next cycle
      timer.sleep(0)
      if collectgarbage("step", 100) or mine ~= scan.current then return end
    end
  end)
end

return scan
