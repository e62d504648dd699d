-- What stands below busted's report on a terminal: the slowest specs, those that have failed, each in one line, and the
-- counts in one line.
local _, options = ...
local summary = {}

local SLOWEST = 5
local SLOW = 0.05 -- s: nobody looks for what is faster
local LONGEST = 300 -- bytes of a message; all of it is in the report

local passed, failed, skipped = 0, 0, 0
local slow = {}
local failures = {} -- lines

local function note_time(element)
  if not element.duration or element.duration < SLOW then return end
  slow[#slow + 1] = element
  table.sort(slow, function(a, b) return a.duration > b.duration end)
  slow[SLOWEST + 1] = nil
end

-- The file that it is in, and its name with those of what it is in.
local function place_of(busted, element)
  local name, parent = element.descriptor ~= "file" and element.name, busted.context.parent(element)
  while parent and parent.name and parent.descriptor ~= "file" do
    name = name and parent.name .. " " .. name or parent.name
    element, parent = parent, busted.context.parent(parent)
  end
  return parent and parent.descriptor == "file" and parent.name or element.descriptor == "file" and element.name, name
end

local function note_failure(busted, element, message)
  local file, name = place_of(busted, element)
  local line = (element.trace or {}).currentline
  local text = tostring(message):gsub("\nstack traceback:.*", ""):gsub("%s+", " "):sub(1, LONGEST)
  file = file or element.trace and element.trace.short_src or "?"
  failures[#failures + 1] = (line and file .. ":" .. line or file) .. "  " .. (name and name .. ": " or "") .. text
end

local function print_slowest(busted)
  if #slow == 0 then return end
  io.write("\nSlowest specs:\n")
  for _, element in ipairs(slow) do
    local trace = element.trace or {}
    local _, name = place_of(busted, element)
    io.write(("%8.3f s  %s:%d  %s\n"):format(element.duration, trace.short_src or "?", trace.currentline or 0, name))
  end
end

local function print_failures()
  if #failures == 0 then return end
  io.write("\nFailed specs:\n")
  for _, line in ipairs(failures) do io.write("  ", line, "\n") end
end

function summary.install(busted)
  busted.subscribe({ "test", "end" }, function(element, _, status)
    if status == "success" then passed = passed + 1 end
    if status == "pending" then skipped = skipped + 1 end
    note_time(element)
    return nil, true
  end)
  for _, channel in ipairs { "error", "failure" } do
    busted.subscribe({ channel }, function(element, _, message)
      failed = failed + 1
      note_failure(busted, element, message)
      return nil, true
    end)
  end
  busted.subscribe({ "exit" }, function()
    if options.is_terminal then
      print_slowest(busted)
      print_failures()
      summary.close = ("%d passed, %d failed, %d skipped\n"):format(passed, failed, skipped)
    end
    return nil, true
  end)
end

return summary
