-- Errors in tasks that nobody joins. Each finds the spec that has started the task, or whatever led to it, and fails
-- it; where that spec is over the report names it, and the run fails. A spec that sets neap.on_error itself is told
-- instead: it has to judge them.
local core = ...
local neap = require "neap"
local format, here, stderr, tostring, type = string.format, core.here, io.stderr, tostring, type

local background = {}
local records = {} -- number -> { number, element, name, over, errors }
local taken = 0 -- how many were told to somebody
local busted

-- How many errors are no longer the run's.
function background.taken()
  return taken
end

-- The record of what is about to run.
function background.new_record(element, name)
  local record = { number = #records + 1, element = element, name = name, over = false, errors = {} }
  records[record.number] = record
  return record
end

-- "a_spec.lua:3: boom" -> { short_src, currentline, traceback ... }, as busted has it for its own.
function background.trace_of(message, element)
  local source, line = message:match("^([^\n:]+):(%d+):")
  local trace = element.trace or {}
  return {
    source = source and "@" .. source or trace.source,
    short_src = source or trace.short_src or element.name,
    currentline = line and math.tointeger(line) or trace.currentline or 0,
    traceback = "", message = message, what = "Lua",
  }
end

local function is_position(message)
  return type(message) == "string" and message:find("^[^\n:]+:%d+: ")
end

local function describe(err, trace, info)
  local readable = type(err) == "string" or type(err) == "number" or (debug.getmetatable(err) or {}).__tostring
  local message = readable and tostring(err) or format("(error object is a %s value)", type(err))
  local where = not is_position(message) and info.started and info.started .. ": " or ""
  local started = info.started and ", started at " .. info.started or ""
  return format("%s%s (in task %d, %s%s)%s", where, message, info.id, info.name, started,
    trace and "\n" .. trace or "")
end

-- Its spec has its result already.
local function publish_late(record, text)
  local trace = background.trace_of(text, record.element)
  local element = { descriptor = "task", name = record.name, attributes = {}, trace = trace }
  busted.publish({ "error", "task" }, element, nil,
    text .. "\nThe spec that has started it was over: " .. record.name, trace)
end

local on_error = neap.on_error

local function judge(err, trace, info)
  local record = records[here()]
  local text = describe(err, trace, info)
  if not record or not busted then
    stderr:write("neap: ", text, "\n")
    return
  end
  taken = taken + 1
  if record.over then
    publish_late(record, text)
  else
    record.errors[#record.errors + 1] = text
  end
end

function neap.on_error(fn)
  if fn == nil then return on_error(judge) end
  if type(fn) ~= "function" then return on_error(fn) end
  return on_error(function(...)
    taken = taken + 1
    return fn(...)
  end)
end

function background.install(made)
  busted = made
  on_error(judge)
  -- The last spec's may be failing right now.
  busted.subscribe({ "suite", "end" }, function()
    for _ = 1, 3 do core.turn() end
    return nil, true
  end, { priority = 1 })
end

return background
