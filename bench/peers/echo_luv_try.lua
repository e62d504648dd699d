-- Echo with luv, tuned: try_write first, a write request only for the rest.
-- Reading stops while more than 64 KB wait to be written.
local uv = require "luv"

local HIGH_WATER = 64 * 1024

local function close(conn)
  if not conn:is_closing() then conn:close() end
end

local function write_rest(conn, rest, read)
  local paused = conn:write_queue_size() + #rest > HIGH_WATER
  if paused then conn:read_stop() end
  conn:write(rest, function(err)
    if err then return close(conn) end
    if paused and not conn:is_closing() then conn:read_start(read) end
  end)
end

local function finish(conn)
  if conn:write_queue_size() == 0 then return close(conn) end
  conn:shutdown(function() close(conn) end)
end

local function serve(conn)
  local function read(err, chunk)
    if err or not chunk then return finish(conn) end
    local written, _, code = conn:try_write(chunk)
    if written == #chunk then return end
    if not written and code ~= "EAGAIN" then return finish(conn) end
    write_rest(conn, chunk:sub((written or 0) + 1), read)
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
