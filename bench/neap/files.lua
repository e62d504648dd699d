-- Reads files, 64 in flight: files.lua DIRECTORY FILES COUNT
local neap, fs = require "neap", require "neap.fs"

local directory, files, count = arg[1], tonumber(arg[2]), tonumber(arg[3])
local begun, total = 0, 0

local function reader()
  while begun < count do
    local path = directory .. "/" .. begun % files + 1
    begun = begun + 1
    local text = assert(fs.read(path))
    total = total + #text -- (others have added to it meanwhile)
  end
end

neap.group(function(group)
  for _ = 1, 64 do group:go(reader) end
end)
print(total)
