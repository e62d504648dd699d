-- Compares what was read for a version with what lies on the disk. The root's.
local core = ...
local files = {}

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
