-- What a child tells its parent: every event of its specs, as one Lua table in a file, for jobs.lua to publish again;
-- and which files each spec file has needed, for watch.lua. It is written at the end; a child that breaks leaves what
-- it was doing in the same file, under `doing`.
local core, options = ...
local reporter = {}

local serialize = core.load("serialize")()
local path = options["report-to"]
local events, dependencies = {}, {}
local file, doing -- the spec file that runs; its name and the name of the spec

-- Of an element what output handlers read; its children point to it by name.
local function element_of(element)
  local trace = element.trace
  return {
    descriptor = element.descriptor, name = element.name, duration = element.duration,
    starttick = element.starttick, endtick = element.endtick,
    starttime = element.starttime, endtime = element.endtime, randomseed = element.randomseed,
    trace = trace and { short_src = trace.short_src, currentline = trace.currentline, source = trace.source,
      traceback = trace.traceback, what = trace.what },
  }
end

local function write(report)
  local out <close> = assert(io.open(path, "w"))
  out:write("return ", serialize(report), "\n")
end

local function names_of(busted, element)
  local names = {}
  local parent = busted.context.parent(element)
  while parent and parent.descriptor ~= "file" and parent.descriptor ~= "suite" do
    table.insert(names, 1, element_of(parent))
    parent = busted.context.parent(parent)
  end
  return names
end

local function note(busted, kind, element, ...)
  if element.descriptor == "suite" then return end
  events[#events + 1] = { kind = kind, element = element_of(element), parents = names_of(busted, element),
    count = select("#", ...), ... }
end

-- For those whose parent does the talking.
package.preload["busted.outputHandlers.silent"] = function()
  return function() return require "busted.outputHandlers.base"() end
end

local function text_of(message)
  if message == nil or type(message) == "string" then return message end
  return tostring(message)
end

local function subscribe(busted, channel, fn)
  busted.subscribe(channel, function(...)
    fn(...)
    return nil, true
  end)
end

local function install_dependencies(busted)
  core.on_file(function(name)
    local of = file or "*"
    dependencies[of] = dependencies[of] or {}
    dependencies[of][name] = true
  end)
  subscribe(busted, { "file", "start" }, function(element)
    file = element.name
    dependencies[file] = { [file] = true }
  end)
  subscribe(busted, { "file", "end" }, function() file = nil end)
end

function reporter.install(busted)
  install_dependencies(busted)
  for _, place in ipairs { "start", "end" } do
    subscribe(busted, { "test", place }, function(element, _, status)
      note(busted, "test " .. place, element, status)
      doing = place == "start" and element.name or nil
      if doing then write { events = {}, doing = doing } end
    end)
  end
  subscribe(busted, { "pending" }, function(element, _, message, trace)
    note(busted, "pending", element, text_of(message), trace and element_of { trace = trace }.trace)
  end)
  for _, kind in ipairs { "failure", "error" } do
    subscribe(busted, { kind }, function(element, _, message, trace)
      note(busted, kind, element, text_of(message), trace and element_of { trace = trace }.trace)
    end)
  end
end

-- What a child of ours has found out.
function reporter.add_dependencies(more)
  for name, list in pairs(more or {}) do
    dependencies[name] = dependencies[name] or {}
    for _, dependency in ipairs(list) do dependencies[name][dependency] = true end
  end
end

function reporter.finish(coverage)
  local lists = {}
  for name, set in pairs(dependencies) do
    lists[name] = {}
    for dependency in pairs(set) do table.insert(lists[name], dependency) end
  end
  write { events = events, coverage = coverage, dependencies = lists, complete = true }
end

return reporter
