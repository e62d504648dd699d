-- What a reload says on stderr: one line, or why there is none.
local core = ...
local tell = {}

local function count_of(n, what)
  return n == 1 and "1 " .. what or ("%d %ss"):format(n, what)
end

function tell.describe(started, draining)
  local parts = {}
  if started.adopted then parts[#parts + 1] = "adopted " .. count_of(started.adopted, "server") end
  local verb = "started "
  for _, kind in ipairs { "server", "timer", "watcher", "task" } do
    if started[kind] then
      parts[#parts + 1] = verb .. count_of(started[kind], kind)
      verb = ""
    end
  end
  if draining > 0 then
    parts[#parts + 1] = count_of(draining, "connection") .. (draining == 1 and " drains" or " drain")
  end
  return #parts > 0 and ": " .. table.concat(parts, ", ") or ""
end

-- "app.lua:3: ..." with the line itself below it.
local function with_source_line(text)
  local path, number = text:match("^%s*([^:\n]+):(%d+):")
  local file <close> = path and io.open(path)
  if not file then return text end
  local n = 0
  for line in file:lines() do
    n = n + 1
    if n == tonumber(number) then
      local first, rest = text:match("^([^\n]*)(.*)$")
      return ("%s\n%6d | %s%s"):format(first, n, line, rest)
    end
  end
  return text
end

function tell.say(text)
  io.stderr:write("neap: ", text, "\n")
end

function tell.outcome(ok, text)
  if ok then return tell.say(text) end
  text = text:gsub("^reload: ", "")
  local live = core.live()
  local goes_on = live and ("generation %d goes on"):format(live) or "nothing serves"
  tell.say(("not reloaded, %s: %s"):format(goes_on, with_source_line(text)))
end

return tell
