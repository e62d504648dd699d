-- Spec files in several processes, one report. Each file is run by a child, some ahead of what is reported; busted
-- goes through the files here in its order, and is told what has happened there as if it had happened here. So every
-- output, the exit status and --repeat are busted's own.
local core, options = ...
local neap = require "neap"
local go = neap.go
local children = core.load("children")(core, options)
local jobs = {}

local waiting = {} -- file -> the task that runs it
local coverage = {}

-- No report but ours, once, and with our seed.
local function extra(busted)
  return { "--repeat=1", "--output=silent", ("--seed=%d"):format(busted.randomseed) }
end

-- ---- the children ------------------------------------------------------------

local function start(busted)
  local files, next_file = {}, 1
  waiting = {}
  local done = {}
  for _, element in ipairs(busted.context.children(busted.context.get())) do
    if element.descriptor == "file" then files[#files + 1] = element.name end
  end
  local arguments = extra(busted)
  local function work()
    while files[next_file] and not busted.skipAll do
      local file = files[next_file]
      next_file = next_file + 1
      local result = children.run({ file }, arguments)
      done[file] = result
      if waiting[file] then waiting[file]() end
    end
  end
  for _ = 1, math.min(options.jobs, #files) do go(work).name = "job" end
  return done
end

-- ---- what they report --------------------------------------------------------

local function crash_message(file, result)
  local how = result.signal and "signal SIG" .. result.signal or "status " .. result.code
  local doing = result.report.doing and (", in the spec '%s'"):format(result.report.doing) or ""
  local said = (result.output:gsub("%s+$", ""))
  return ("%s: its process ended with %s%s%s"):format(file, how, doing, said ~= "" and "\n" .. said or "")
end

-- The element of an event, hung up below the file as it was there.
local function attach(busted, file, event, known)
  local parent, path = file, ""
  for _, described in ipairs(event.parents) do
    path = path .. "\0" .. tostring(described.name)
    if not known[path] then
      described.attributes = {}
      busted.context.push(parent)
      busted.context.attach(described)
      busted.context.pop()
      known[path] = described
    end
    parent = known[path]
    parent.randomseed = parent.randomseed or described.randomseed
  end
  local trace = event.element.trace or {}
  path = ("%s\0\0%s:%s:%s"):format(path, event.element.name, trace.currentline, event.element.descriptor)
  local element = known[path]
  if not element or (event.kind == "test start" and element.is_over) then
    element = { attributes = {} }
    for key, value in pairs(event.element) do element[key] = value end
    busted.context.push(parent)
    busted.context.attach(element)
    busted.context.pop()
    known[path] = element
  end
  element.duration, element.endtick, element.endtime =
    event.element.duration, event.element.endtick, event.element.endtime
  element.is_over = event.kind == "test end"
  return element, parent
end

local function replay(busted, file, events)
  local known = {}
  for _, event in ipairs(events) do
    local element, parent = attach(busted, file, event, known)
    if event.kind == "test start" then
      busted.publish({ "test", "start" }, element, parent)
    elseif event.kind == "test end" then
      busted.publish({ "test", "end" }, element, parent, event[1])
    else
      busted.publish({ event.kind, element.descriptor }, element, parent, event[1], event[2])
    end
  end
  local children_of = busted.context.children(file)
  for i = #children_of, 1, -1 do children_of[i] = nil end -- they have been run, busted shall not
end

-- All its specs have been told, and then it broke: a sanitizer that found a leak, say.
local function broke_at_last(result)
  if result.signal then return true end
  for _, event in ipairs(result.report.events) do
    if event.kind == "failure" or event.kind == "error" then return false end
  end
  return result.code ~= 0
end

local function run_file(busted, element, done)
  local name = element.name
  if not done[name] then
    local waiter = core.gate()
    waiting[name] = function() waiter:open() end
    waiter:wait()
  end
  local result = done[name]
  local report = result.report
  if report.complete then
    io.stderr:write(result.output) -- what specs print; stdout is busted's
    replay(busted, element, report.events)
    coverage[#coverage + 1] = report.coverage
    if jobs.on_dependencies then jobs.on_dependencies(report.dependencies) end
  end
  if not report.complete or broke_at_last(result) then
    busted.publish({ "error", "file" }, element, busted.context.parent(element), crash_message(name, result), {})
  end
end

function jobs.install(busted)
  local safe, done = busted.safe, nil
  busted.subscribe({ "suite", "start" }, function()
    done = start(busted)
    return nil, true
  end)
  function busted.safe(descriptor, run, element)
    if descriptor == "file" and run == element.run then
      return safe(descriptor, function() run_file(busted, element, done) end, element)
    end
    return safe(descriptor, run, element)
  end
end

-- Of all children together.
function jobs.coverage()
  local sum = {}
  local add = core.load("coverage")(core, options).add
  for _, counts in ipairs(coverage) do add(sum, counts) end
  return sum
end

return jobs
