-- Runs programs, 8 at a time: spawn.lua COUNT
local neap, process = require "neap", require "neap.process"

local count, begun, ended = tonumber(arg[1]), 0, 0

local function runner()
  while begun < count do
    begun = begun + 1
    if assert(process.run { "/bin/true" }).status == 0 then ended = ended + 1 end
  end
end

neap.group(function(group)
  for _ = 1, 8 do group:go(runner) end
end)
print(ended)
