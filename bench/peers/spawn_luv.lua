-- Runs a program again and again with luv, 16 at a time: spawn_luv.lua COUNT
local uv = require "luv"

local total = tonumber(arg[1])
local left = total

local function start()
  if left == 0 then return end
  left = left - 1
  local output, parts, open, process = uv.new_pipe(), {}, 2, nil
  local function closed()
    open = open - 1
    if open > 0 then return end
    assert(table.concat(parts) == "hello\n")
    start()
  end
  process = assert(uv.spawn("/bin/echo",
    { args = { "hello" }, stdio = { nil, output, nil } }, function(code)
      assert(code == 0)
      process:close(closed)
    end))
  output:read_start(function(err, data)
    assert(not err, err)
    if data then parts[#parts + 1] = data else output:close(closed) end
  end)
end

for _ = 1, 16 do start() end
uv.run()
local usage = uv.getrusage()
local function us(time) return time.sec * 1e6 + time.usec end
print((us(usage.utime) + us(usage.stime)) / total)
