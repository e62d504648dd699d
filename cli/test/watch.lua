-- Runs specs, and again what a change concerns. Each run is a process of its own: nothing of the one before is left in
-- it. It tells which Lua files each spec file has required; those are watched, and so are the spec files.
local core, options = ...
local neap, timer = require "neap", require "neap.timer"
local children = core.load("children")(core, options)

local needs = {} -- spec file -> the files that it has needed; "*": that all of them need

-- The spec files that busted would find.
local function find_files()
  local parsed, list = options.parsed, {}
  local dummy = { publish = function() end, executors = { file = function(name) list[#list + 1] = name end } }
  local load_files = require "busted.modules.test_file_loader"(dummy, { "lua" })
  load_files(type(parsed.ROOT) == "table" and parsed.ROOT or { parsed.ROOT or "spec" }, parsed.pattern or { "_spec" },
    { excludes = parsed["exclude-pattern"] or {}, recursive = parsed.recursive ~= false })
  return list
end

local function note(files, result)
  for _, file in ipairs(files) do needs[file] = needs[file] or { file } end
  for file, list in pairs(result.report.dependencies or {}) do needs[file] = list end
end

local function all_needs()
  local list, seen = {}, {}
  for _, files in pairs(needs) do
    for _, file in ipairs(files) do
      if not seen[file] then
        seen[file], list[#list + 1] = true, file
      end
    end
  end
  return list
end

-- The spec files that need one of these.
local function concerned(changed, files)
  local set, list = {}, {}
  for _, name in ipairs(changed) do set[name] = true end
  local function matches(of)
    for _, name in ipairs(needs[of] or {}) do
      if set[name] then return true end
    end
    return false
  end
  local all = matches("*")
  for _, file in ipairs(files) do
    if all or not needs[file] or matches(file) then list[#list + 1] = file end
  end
  return list
end

local function run(files)
  local result = children.run(files, { options.jobs and "--jobs=" .. options.jobs }, true)
  note(files, result)
  if result.signal then io.stderr:write(("neap test: ended with signal SIG%s\n"):format(result.signal)) end
end

require "pl.path".chdir(options.parsed.directory or ".")

local watcher = core.watcher()()
local files = find_files()
while true do
  if #files > 0 then run(files) end
  local _, message = watcher:set(all_needs())
  if message then
    io.stderr:write("neap test: ", message, "\n")
    neap.exit(1)
  end
  io.stderr:write("neap test: waiting for changes\n")
  local changed
  changed, message = watcher:wait()
  if not changed then
    io.stderr:write("neap test: ", message or "?", "\n")
    neap.exit(1)
  end
  timer.sleep(0)
  files = concerned(changed, find_files())
  io.stderr:write(("\nneap test: %s changed\n"):format(table.concat(changed, ", ")))
end
