-- Walks a tree and prints how many entries there are: walk.lua DIRECTORY
local fs = require "neap.fs"

local count = 0
for _, kind in assert(fs.walk(arg[1])) do
  if kind then count = count + 1 end
end
print(count)
