-- What stands below busted's report on a terminal: the slowest specs, and the counts in one line.
local _, options = ...
local summary = {}

local SLOWEST = 5
local SLOW = 0.05 -- s: nobody looks for what is faster

local passed, failed, skipped = 0, 0, 0
local slow = {}

local function note_time(element)
  if not element.duration or element.duration < SLOW then return end
  slow[#slow + 1] = element
  table.sort(slow, function(a, b) return a.duration > b.duration end)
  slow[SLOWEST + 1] = nil
end

local function name_of(busted, element)
  local name, parent = element.name, busted.context.parent(element)
  while parent and parent.name and parent.descriptor ~= "file" do
    name = parent.name .. " " .. name
    parent = busted.context.parent(parent)
  end
  return name
end

local function print_slowest(busted)
  if #slow == 0 then return end
  io.write("\nSlowest specs:\n")
  for _, element in ipairs(slow) do
    local trace = element.trace or {}
    io.write(("%8.3f s  %s:%d  %s\n"):format(element.duration, trace.short_src or "?", trace.currentline or 0,
      name_of(busted, element)))
  end
end

function summary.install(busted)
  busted.subscribe({ "test", "end" }, function(element, _, status)
    if status == "success" then passed = passed + 1 end
    if status == "pending" then skipped = skipped + 1 end
    note_time(element)
    return nil, true
  end)
  for _, channel in ipairs { "error", "failure" } do
    busted.subscribe({ channel }, function()
      failed = failed + 1
      return nil, true
    end)
  end
  busted.subscribe({ "exit" }, function()
    if options.is_terminal then
      print_slowest(busted)
      summary.close = ("%d passed, %d failed, %d skipped\n"):format(passed, failed, skipped)
    end
    return nil, true
  end)
end

return summary
