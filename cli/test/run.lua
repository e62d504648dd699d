-- Runs the specs of this process: busted's runner, with a hand on the table that busted makes for itself. That has
-- `subscribe`, which all may use, and `safe`, through which it calls whatever a spec file holds: there each part of a
-- spec becomes a task of its own, see guard.lua.
local core, options = ...
local exit = os.exit
require "neap.test" -- before any spec: os.time follows its clock, also where it has been put into a local

local summary = core.load("summary")(core, options)
local background = core.load("background")(core)
local replay = options.jobs and core.load("jobs")(core, options)
local reporter = options["report-to"] and core.load("reporter")(core, options)
local coverage = options.coverage and core.load("coverage")(core, options)

-- The attributes of `pending` hold a function, and then busted's JSON output prints nothing at all.
local function keep_writable(busted)
  busted.subscribe({ "test", "start" }, function(element)
    if element.attributes and element.attributes.default_fn then element.attributes = {} end
    return nil, true
  end)
end

-- Before busted subscribes anything: what is subscribed with a priority comes before that of others.
local function install(busted)
  keep_writable(busted)
  background.install(busted)
  if replay then
    replay.install(busted)
  else
    core.load("guard")(core, options, busted, background)
  end
  if reporter then reporter.install(busted) end
  if reporter and replay then replay.on_dependencies = reporter.add_dependencies end
  summary.install(busted)
end

local make_core = require "busted.core"
package.loaded["busted.core"] = function()
  local busted = make_core()
  install(busted)
  return busted
end

-- Only these files, whatever else the command line names.
local function load_only(path)
  local make_loader = require "busted.modules.test_file_loader"
  package.loaded["busted.modules.test_file_loader"] = function(...)
    local load_files, load_file, list = make_loader(...)
    return function(_, _, file_options)
      local files = {}
      for name in io.lines(path) do files[#files + 1] = name end
      return load_files(files, {}, file_options)
    end, load_file, list
  end
end
if options["only-files"] then load_only(options["only-files"]) end

local function finish(code)
  if reporter then reporter.finish(coverage and coverage.counts()) end
  if coverage and not reporter then coverage.report(replay and replay.coverage()) end
  if summary.close then io.write(summary.close) end
  exit(code)
end

-- What busted ends with, if not all is well.
package.loaded["busted.compatibility"] = setmetatable({
  exit = function(code) finish(code == 0) end,
}, { __index = require "busted.compatibility" })

if coverage then coverage.start() end
-- busted calls itself what the chunk is called that calls it.
local call = load("local run, options = ... run(options)", "@neap test")
call(require "busted.runner", { standalone = false })

for _ = 1, 3 do core.turn() end -- for tasks that are failing right now
local bad = core.failures() - background.taken()
if bad > 0 then
  io.stderr:write(("neap test: %d background task%s failed, see above\n"):format(bad, bad == 1 and "" or "s"))
end
finish(bad == 0) -- whatever the specs have left running
