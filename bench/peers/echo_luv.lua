-- Echo with luv as its examples have it: a write with a callback each time.
-- Reading stops while more than 64 KB wait to be written.
local uv = require "luv"

local HIGH_WATER = 64 * 1024

local function close(conn)
  if not conn:is_closing() then conn:close() end
end

local function finish(conn)
  if conn:write_queue_size() == 0 then return close(conn) end
  conn:shutdown(function() close(conn) end)
end

local function serve(conn)
  local paused = false
  local read

  local function written(err)
    if err then return close(conn) end
    if not paused or conn:write_queue_size() > HIGH_WATER then return end
    paused = false
    conn:read_start(read)
  end

  function read(err, chunk)
    if err or not chunk then return finish(conn) end
    if not conn:write(chunk, written) then return close(conn) end
    if conn:write_queue_size() <= HIGH_WATER then return end
    paused = true
    conn:read_stop()
  end

  conn:read_start(read)
end

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", 0))
assert(server:listen(4096, function(err)
  if err then return io.stderr:write("accept: ", err, "\n") end
  local conn = uv.new_tcp()
  if not server:accept(conn) then return conn:close() end
  conn:nodelay(true)
  serve(conn)
end))
print("127.0.0.1:" .. server:getsockname().port)
io.stdout:flush()
uv.run()
