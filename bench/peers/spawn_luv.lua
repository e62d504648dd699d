-- Runs programs with luv, 8 at a time: spawn_luv.lua COUNT
local uv = require "luv"

local count, begun, ended = tonumber(arg[1]), 0, 0
local run

local function start_next()
  if begun < count then run() end
end

function run()
  begun = begun + 1
  local out, err = uv.new_pipe(false), uv.new_pipe(false)
  local open = 3 -- the process, and the pipes
  local function on_closed()
    open = open - 1
    if open == 0 then start_next() end
  end
  local handle
  handle = assert(uv.spawn("/bin/true", { stdio = { nil, out, err } }, function(code, signal)
    if code == 0 and signal == 0 then ended = ended + 1 end
    handle:close(on_closed)
  end))
  for _, pipe in ipairs { out, err } do
    pipe:read_start(function(message, chunk)
      assert(not message, message)
      if not chunk then pipe:close(on_closed) end
    end)
  end
end

for _ = 1, 8 do start_next() end
uv.run()
print(ended)
