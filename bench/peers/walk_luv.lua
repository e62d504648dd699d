-- Walks a tree with luv, in its thread pool, and prints how many entries there
-- are: walk_luv.lua DIRECTORY
local uv = require "luv"

local count = 0
local function walk(path)
  uv.fs_scandir(path, function(err, request)
    assert(not err, err)
    local name, kind = uv.fs_scandir_next(request)
    while name do
      count = count + 1
      if kind == "directory" then walk(path .. "/" .. name) end
      name, kind = uv.fs_scandir_next(request)
    end
  end)
end
walk(arg[1])
uv.run()
print(count)
