-- neap.hot: what a program says about its own replacement. Loaded afresh for each
-- version. What outlives a version is in the table `shared`, what is to take
-- effect when it goes live is in its notes; see reload.lua for the transaction.
local core = ...
local error, ipairs, next, pairs, pcall, rawequal, select, setmetatable, tostring, type =
  error, ipairs, next, pairs, pcall, rawequal, select, setmetatable, tostring, type
local concat, format, sort, sub = table.concat, string.format, table.sort, string.sub
local neap = require "neap"
local shared = core.shared()
local hot = {}

shared.state, shared.kept = shared.state or {}, shared.kept or {}
shared.status = shared.status or {
  started = core.started(), since = core.started(), why = "started",
  reloads = 0, failures = 0, pins = {}, restart = {}, watching = false,
}

local function check(level, what, ok, value, expected)
  if ok then return end
  error(format("bad argument %s (%s expected, got %s)", what, expected, type(value)), level + 1)
end

-- ---- names ---------------------------------------------------------------------

-- "main:users": the module is the one whose file asks, so no two get in each
-- other's way by accident.
local function key_of(source, name)
  local modules = core.notes().modules
  local module = modules and sub(source, 1, 1) == "@" and modules[sub(source, 2)]
  return (module or "main") .. ":" .. name
end

local function is_preparing()
  return select(2, core.here()) == "preparing"
end

-- The table `name` of this version's notes, or of what all share.
local function part(of, name)
  of[name] = of[name] or {}
  return of[name]
end

-- ---- hot.state(name [, init [, version [, migrate]]]) ---------------------------

local function make(init, name)
  local value = init and init()
  if value == nil then return {} end
  if type(value) == "table" then return value end
  error(format("init of state '%s' must return a table, not a %s", name, type(value)), 4)
end

-- `init` may wait. Another task that asks meanwhile waits for it.
local function create(store, key, name, init, version)
  local pending = part(store, "pending")
  local gate = core.new_gate()
  pending[key] = gate
  local _ <close> = setmetatable({}, { __close = function()
    pending[key] = nil
    gate:open()
  end })
  local entry = { value = make(init, name), version = version }
  part(store, "state")[key] = entry
  return entry.value
end

local function find(store, key)
  while store.pending and store.pending[key] do store.pending[key]:wait() end
  return part(shared, "state")[key] or part(store, "state")[key]
end

local function plan_migration(entry, key, name, version, migrate)
  if not is_preparing() then
    error(format("state '%s' has version %s, and only a new version of the program can make it %s", name,
      tostring(entry.version), tostring(version)), 4)
  elseif not migrate then
    error(format("state '%s' has version %s: to make it %s, pass a function that migrates it", name,
      tostring(entry.version), tostring(version)), 4)
  end
  part(core.notes(), "migrations")[key] = { entry = entry, version = version, migrate = migrate }
end

local function state(source, name, init, version, migrate)
  check(3, "#1 to 'state'", type(name) == "string", name, "string")
  check(3, "#2 to 'state'", init == nil or type(init) == "function", init, "function")
  check(3, "#4 to 'state'", migrate == nil or type(migrate) == "function", migrate, "function")
  local key = key_of(source, name)
  local store = is_preparing() and core.notes() or shared
  local entry = find(store, key)
  if not entry then return create(store, key, name, init, version) end
  local planned = store.migrations and store.migrations[key]
  local current = planned and planned.version or entry.version
  if current ~= version then plan_migration(entry, key, name, version, migrate) end
  return entry.value
end

hot.state = core.with_source(state)

-- ---- hot.keep(name [, handle]) ---------------------------------------------------

-- What is said while a version is loaded holds from the commit on, false: let go.
local function kept(key)
  local handle
  if is_preparing() then handle = part(core.notes(), "kept")[key] end
  if handle == nil then handle = part(shared, "kept")[key] end
  if handle and not handle.closed then return handle end
  return nil
end

local function let_go(key)
  if is_preparing() then
    part(core.notes(), "kept")[key] = false
    return
  end
  local handle = part(shared, "kept")[key]
  shared.kept[key] = nil
  if handle and not handle.closed then core.let_go(handle) end
end

local function keep(source, name, ...)
  check(3, "#1 to 'keep'", type(name) == "string", name, "string")
  local key, handle = key_of(source, name), ...
  if select("#", ...) == 0 then return kept(key) end
  if not handle then return let_go(key) end
  local kind, has_handler = core.kind(handle)
  if kind == "watcher" and has_handler then
    error("a watcher with a callback ends with its version: keep one that is read", 3)
  end
  local may = kind == "connection" or kind == "child" or kind == "watcher"
  check(3, "#2 to 'keep'", may, handle, "connection, child or watcher")
  if is_preparing() then
    part(core.notes(), "kept")[key] = handle
  else
    local old = part(shared, "kept")[key]
    core.keep(handle)
    shared.kept[key] = handle
    if old and not rawequal(old, handle) then old:close() end
  end
  return handle
end

hot.keep = core.with_source(keep)

-- ---- hot.dispose(fn), hot.handover(fn), hot.depends(path, ...) --------------------

-- The last one first. An error in one does not keep the others from running.
local function dispose_all(list)
  local messages = {}
  for i = #list, 1, -1 do
    local ok, err = pcall(list[i])
    if not ok then messages[#messages + 1] = "hot.dispose: " .. tostring(err) end
  end
  if #messages > 0 then error(concat(messages, "\n"), 0) end
end

function hot.dispose(fn)
  check(2, "#1 to 'dispose'", type(fn) == "function", fn, "function")
  local notes = core.notes()
  if not notes.dispose then
    local list = {}
    notes.dispose = list
    core.set_dispose(function() dispose_all(list) end)
  end
  notes.dispose[#notes.dispose + 1] = fn
end

function hot.handover(fn)
  check(2, "#1 to 'handover'", type(fn) == "function", fn, "function")
  local list = part(core.notes(), "handover")
  list[#list + 1] = fn
end

function hot.depends(...)
  for i = 1, select("#", ...) do
    local path = select(i, ...)
    check(2, format("#%d to 'depends'", i), type(path) == "string", path, "string")
    core.note_file(path)
  end
end

-- ---- hot.reload([callback]) --------------------------------------------------------

-- Requests that come before the next reload begins are answered by that one.
local function request(why)
  local obstacle, code = core.obstacle()
  if obstacle then return nil, "reload: " .. obstacle, code end
  local ticket = shared.next_ticket
  if not ticket then
    ticket = { gate = core.new_gate(), why = why, ok = false, text = false, code = false }
    core.start_to_serve()
    shared.next_ticket = ticket
  end
  ticket.gate:wait()
  if ticket.ok then return true, ticket.text end
  return nil, "reload: " .. (ticket.text or "the program is ending"), ticket.code or "ECANCELED"
end

function hot.reload(callback)
  check(2, "#1 to 'reload'", callback == nil or type(callback) == "function", callback, "function")
  if is_preparing() then error("cannot reload: this version is still being loaded", 2) end
  if not callback then return request("hot.reload") end
  return neap.go(function() callback(request("hot.reload")) end)
end

hot.wait = core.wait -- see news.c

-- ---- hot.status() --------------------------------------------------------------------

local function sorted_keys(map)
  local list = {}
  for key in pairs(map or {}) do list[#list + 1] = key end
  sort(list)
  return list
end

local function open_keys(map)
  local list = {}
  for _, key in ipairs(sorted_keys(map)) do
    if not map[key].closed then list[#list + 1] = key end
  end
  return list
end

local function split_work(generation)
  generation.tasks, generation.handles = {}, {}
  for _, work in ipairs(generation.work) do
    local list = work.kind == "task" and generation.tasks or generation.handles
    list[#list + 1] = work
  end
  generation.work = nil
  return generation
end

function hot.status()
  local status = { here = (core.here()), generations = {} }
  status.state, status.kept = sorted_keys(shared.state), open_keys(shared.kept)
  for key, value in next, shared.status do status[key] = value end
  for _, generation in ipairs(core.generations()) do
    if generation.state == "live" then status.generation, status.files = generation.id, generation.files end
    status.generations[#status.generations + 1] = split_work(generation)
  end
  sort(status.generations, function(a, b) return a.id < b.id end)
  return status
end

return hot, request
