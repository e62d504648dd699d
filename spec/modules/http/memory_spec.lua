-- Whatever the size of a body, and however many connections there were: what a server needs does not grow.
local compress = require "neap.compress"
local http, neap, process = require "neap.http", require "neap", require "neap.process"
local child = require "spec.support.child"
local raw = require "spec.support.http"
local test = require "neap.test"

local MB = 1 << 20
-- With ASan all is slower, and what is freed is kept for a while.
local function sanitized()
  local file <close> = assert(io.open(process.exepath(), "rb"))
  return file:read("a"):find("__asan_init", 1, true) ~= nil
end
local SLOW = sanitized()
local SIZE = (SLOW and 20 or 200) * MB
local MOST = (SLOW and 40 or 16) * MB

local SMALL = "export ASAN_OPTIONS=$ASAN_OPTIONS:quarantine_size_mb=4"

-- A server in a process of its own; it answers with what it has needed at most.
local program = [[
local http, process = require "neap.http", require "neap.process"
local first, most = 0, 0
local function look() most = math.max(most, process.memory().rss) end
local unpacked = require "neap.http.middleware".decompress()
local function hold(req)
  for _ in req:chunks { limit = 1 << 40 } do end
  collectgarbage()
  look()
  return { body = function(write)
    write "held"
    require "neap.timer".sleep(60)
  end }
end
local server = assert(http.serve("127.0.0.1:0", function(req)
  local size = tonumber(req.query.size)
  if req.path == "/in" then
    local count = 0
    for piece in req:chunks { limit = 1 << 40 } do
      count = count + #piece
      if count // 1000000 ~= (count - #piece) // 1000000 then look() end
    end
    return tostring(count)
  elseif req.path == "/out" then
    local piece = ("x"):rep(1 << 16)
    return { headers = req.query.length and { ["content-length"] = size }, body = function(write)
      for i = 1, size // #piece do
        write(piece)
        if i % 16 == 0 then look() end
      end
    end }
  elseif req.path == "/hold" then
    return unpacked(req, hold)
  elseif req.path == "/echo" then
    return { body = function(write)
      for piece in req:chunks { limit = 1 << 40 } do write(piece) end
      look()
    end }
  end
  collectgarbage()
  first, most = most, process.memory().rss
  return tostring(first)
end))
print(server.address)
]]

-- How much more it needed for what `use` does than before.
local function growth(use)
  local process <close> = child.start({}, { script = program, before = SMALL }) -- luacheck: ignore
  local address = process:line()
  local client <close> = raw.connect(address)
  local function most()
    client:send(raw.get "/most")
    return tonumber(client:response().body)
  end
  local function warm(size) use(client, size, address) end
  warm(MB)
  most()
  warm(MB)
  local before = most()
  use(client, SIZE, address)
  return most() - before
end

-- A body of that size, in pieces: it never is in our memory.
local function send(client, size)
  local piece = ("x"):rep(1 << 16)
  return neap.go(function()
    for _ = 1, size // #piece do assert(client:send(piece)) end
  end)
end

local function count(client)
  local size = 0
  for piece in client.chunk, client do size = size + #piece end
  return size
end

describe("memory", function()
  it("is constant for a body that comes in", function()
    local more = growth(function(client, size)
      client:send(raw.request("POST /in", nil, "Content-Length: " .. size))
      send(client, size):join()
      assert.equal(tostring(size), client:response().body)
    end)
    assert.is_true(more < MOST, more)
  end)

  it("is constant for one that goes out, of a given length or in chunks", function()
    for _, length in ipairs { "", "&length=1" } do
      local more = growth(function(client, size)
        client:send(raw.get("/out?size=" .. size .. length))
        client:head()
        assert.equal(size, count(client))
      end)
      assert.is_true(more < MOST, more)
    end
  end)

  it("is constant for one that comes in and goes out", function()
    local more = growth(function(client, size)
      client:send(raw.request("POST /echo", nil, "Content-Length: " .. size))
      client:head()
      local sending = send(client, size)
      assert.equal(size, count(client))
      sending:join()
    end)
    assert.is_true(more < MOST, more)
  end)

  it("is not kept for a packed body that has been read, however long its request lasts", function()
    local packed = compress.encode(("x"):rep(4 * MB), "br")
    local more = growth(function(_, size, address)
      local clients = {}
      for i = 1, size > MB and MOST // MB or 1 do
        clients[i] = raw.connect(address)
        clients[i]:send(raw.post("/hold", packed, "Content-Encoding: br"))
        clients[i]:head()
        assert.equal("held", clients[i]:chunk())
      end
      for _, client in ipairs(clients) do client:reset() end
    end)
    assert.is_true(more < MOST, more)
  end)

  it("does not grow with what a client announces", function()
    local server <close> = assert(http.serve("127.0.0.1:0", { max_body = 1 << 40 }, function(req)
      return req:body()
    end))
    local before = process.memory().rss
    local clients = {}
    for i = 1, 20 do
      clients[i] = raw.connect(server.address)
      clients[i]:send(raw.request("POST /", nil, "Content-Length: 1000000000") .. "x")
    end
    test.eventually(function() return server.requests == 20 end, 20)
    assert.is_true(process.memory().rss - before < MOST)
    for i = 1, 20 do clients[i]:reset() end
    test.eventually(function() return server.connections == 0 end, 20)
  end)

  it("does not grow with the connections that were there", function()
    local server <close> = assert(http.serve("127.0.0.1:0", function(req)
      return { body = { req.path, " ", req.id } }
    end))
    local function many(times)
      for i = 1, times do
        local client <close> = raw.connect(server.address)
        client:send(raw.get("/" .. i))
        client:response()
        client[i % 2 == 0 and "reset" or "close"](client)
      end
      test.eventually(function() return server.connections == 0 end, 20)
      collectgarbage()
      collectgarbage()
      local memory = process.memory()
      return memory.rss, memory.lua
    end
    many(300)
    local rss, lua = many(300)
    local rss_after, lua_after = many(SLOW and 500 or 3000)
    assert.is_true(lua_after - lua < 200000, lua_after - lua)
    assert.is_true(rss_after - rss < MOST, rss_after - rss)
  end)
end)
