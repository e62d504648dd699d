-- Runs a program again and again, 16 at a time: spawn.lua COUNT
local neap, process = require "neap", require "neap.process"

local total = tonumber(arg[1])
local left = total

local function work()
  while left > 0 do
    left = left - 1
    local result = assert(process.run { "/bin/echo", "hello" })
    assert(result.status == 0 and result.stdout == "hello\n")
  end
end

neap.group(function(group)
  for _ = 1, 16 do group:go(work) end
end)
local user, system = process.cpu()
print((user + system) * 1e6 / total)
