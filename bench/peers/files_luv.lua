-- Reads files with luv, 64 in flight: files_luv.lua DIRECTORY FILES COUNT
local uv = require "luv"

local directory, files, count = arg[1], tonumber(arg[2]), tonumber(arg[3])
local begun, total = 0, 0

local function read()
  if begun == count then return end
  local path = directory .. "/" .. begun % files + 1
  begun = begun + 1
  uv.fs_open(path, "r", 0, function(message, fd)
    assert(not message, message)
    uv.fs_fstat(fd, function(failed, stat)
      assert(not failed, failed)
      uv.fs_read(fd, stat.size, 0, function(broken, text)
        assert(not broken, broken)
        total = total + #text
        uv.fs_close(fd, function(lost)
          assert(not lost, lost)
          read()
        end)
      end)
    end)
  end)
end

for _ = 1, 64 do read() end
uv.run()
print(total)
