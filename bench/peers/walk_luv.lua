-- Walks a tree with luv: walk_luv.lua DIRECTORY
local uv = require "luv"

local entries, pending = 0, { arg[1] }

local function walk()
  local directory = table.remove(pending)
  if not directory then return end
  assert(uv.fs_scandir(directory, function(message, scan)
    assert(not message, message)
    for name, kind in function() return uv.fs_scandir_next(scan) end do
      entries = entries + 1
      if kind == "directory" then pending[#pending + 1] = directory .. "/" .. name end
    end
    walk()
  end))
end

walk()
uv.run()
print(entries)
