-- Reads files with luv, 64 in flight, and prints the bytes:
-- files_luv.lua DIRECTORY FILES COUNT
local uv = require "luv"

local directory, files, count = arg[1], tonumber(arg[2]), tonumber(arg[3])
local begun, total = 0, 0

local function next_file()
  if begun == count then return end
  local path = ("%s/%d"):format(directory, begun % files + 1)
  begun = begun + 1
  uv.fs_open(path, "r", 0, function(err, fd)
    assert(not err, err)
    uv.fs_fstat(fd, function(failed, about)
      assert(not failed, failed)
      uv.fs_read(fd, about.size, 0, function(broken, text)
        assert(not broken, broken)
        total = total + #text
        uv.fs_close(fd, next_file)
      end)
    end)
  end)
end

for _ = 1, 64 do next_file() end
uv.run()
print(total)
