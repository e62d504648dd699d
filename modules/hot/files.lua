-- Compares what was read for a version with what lies on the disk. The root's.
local core = ...
local timer = require "neap.timer"
local files = {}

local QUIET = 0.01 -- seconds; what changes no more for so long has been written

-- A list of the paths whose content is not what is known: path -> fingerprint.
function files.changed_since(known)
  local paths, changed = {}, {}
  for path in pairs(known or {}) do paths[#paths + 1] = path end
  table.sort(paths)
  local prints = assert(core.fingerprints(paths))
  for i, path in ipairs(paths) do
    if prints[i] ~= known[path] then changed[#changed + 1] = path end
  end
  return changed
end

-- Whoever saves in place makes the file empty first: an empty program is a valid
-- one, without a server. A list of those that were not empty for the live version.
function files.newly_empty(known, live)
  local before, empty = live and core.notes_of(live).files or {}, {}
  for path, print in pairs(known or {}) do
    if print and print:find "^0:" and before[path] ~= print then empty[#empty + 1] = path end
  end
  return empty
end

-- Who looks by himself may look while a file is written: it is empty then, or half.
function files.wait_until_written(paths)
  if #paths == 0 then return end
  local prints, before
  repeat
    timer.sleep(QUIET)
    prints, before = "", prints
    for _, print in ipairs(assert(core.fingerprints(paths))) do prints = prints .. " " .. tostring(print) end
  until prints == before
end

function files.list_names(paths)
  local names = {}
  for i, path in ipairs(paths) do names[i] = path:match("[^/]*$") end
  if #names > 3 then return ("%s, %s and %d more"):format(names[1], names[2], #names - 2) end
  return table.concat(names, ", ")
end

-- What is in the process for good: modules in C, and the program.
function files.needs_restart(live)
  local restart = {}
  if core.is_replaced() then restart[1] = "neap itself has been replaced" end
  if live then
    for _, path in ipairs(files.changed_since(core.notes_of(live).native)) do
      restart[#restart + 1] = path .. " has changed"
    end
  end
  return restart
end

return files
