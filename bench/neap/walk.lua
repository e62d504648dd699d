-- Walks a tree: walk.lua DIRECTORY
local fs = require "neap.fs"

local entries = 0
for _ in fs.walk(arg[1]) do entries = entries + 1 end
print(entries)
