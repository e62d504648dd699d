-- The end of a server, and of its program: what is in flight ends, what is on its way is answered, nothing hangs.
local neap, http, net, timer = require "neap", require "neap.http", require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local raw = require "spec.support.http"
local test = require "neap.test"

-- A program that says on its stdout what happens, and opens a gate when there is a file.
local program = [[
local http, timer = require "neap.http", require "neap.timer"
local gate = ...
local function say(text) print(text) io.stdout:flush() end
local function is_open()
  local file <close> = io.open(gate)
  return file
end
local server = assert(http.serve("127.0.0.1:0", function(req)
  if req.path == "/wait" then
    say "waits"
    while not is_open() do timer.sleep(0.001) end
  elseif req.path == "/stream" then
    return { body = function(write)
      while not is_open() do
        write "x"
        timer.sleep(0.001)
      end
      write "end"
    end }
  elseif req.path == "/upload" then
    say "waits"
    local size = 0
    for piece in req:chunks { limit = 1 << 30 } do size = size + #piece end
    return tostring(size)
  elseif req.path == "/never" then
    local guard <close> = setmetatable({}, { __close = function() say "unwound" end })
    say "waits"
    timer.sleep(3600)
  end
  return req.path
end))
say(server.address)
]]

local function start()
  local files = test.tempdir()
  local self = child.start({ files:path_of "gate" }, { script = program })
  return self, self:line(), function() files:write("gate", "") end
end

local function ends(process)
  local code, _, err = process:wait()
  assert.same({ 0, "" }, { code, err })
end

describe("SIGTERM", function()
  it("lets what is in flight end, and closes its connections", function()
    local process <close>, address, open = start() -- luacheck: ignore
    local waits <close> = raw.connect(address)
    local streams <close> = raw.connect(address)
    waits:send(raw.get "/wait")
    process:line()
    streams:send(raw.get "/stream")
    streams:head()
    process:signal "TERM"
    test.eventually(function()
      local conn = net.connect(address)
      if conn then conn:close() end
      return not conn
    end, 20)
    streams:chunk()
    open()
    local response = waits:response()
    assert.same({ "/wait", "close" }, { response.body, response.headers.connection })
    waits:expect_closed()
    assert.matches("^x*end$", streams:rest())
    streams:expect_closed()
    ends(process)
  end)

  it("answers a request that is on its way, and says that it was the last", function()
    local process <close>, address = start() -- luacheck: ignore
    local clients = {}
    for i = 1, 20 do
      clients[i] = raw.connect(address)
      clients[i]:send(raw.get "/1")
      assert.equal("/1", clients[i]:response().body)
    end
    process:signal "TERM"
    repeat -- until it has heard of that
      local conn = net.connect(address)
      if conn then conn:close() end
    until not conn
    for i = 1, 20, 2 do clients[i]:send(raw.get "/2") end
    for i, client in ipairs(clients) do
      if i % 2 == 1 then
        local response = client:response()
        assert.same({ "/2", "close" }, { response.body, response.headers.connection })
      end
      client:expect_closed()
      client:close()
    end
    ends(process)
  end)

  it("serves those who wait to be accepted", function()
    local process <close>, address, open = start() -- luacheck: ignore
    local first <close> = raw.connect(address)
    first:send(raw.get "/wait")
    process:line()
    process:signal "STOP"
    local clients = {}
    for i = 1, 150 do -- more than are accepted at once
      clients[i] = raw.connect(address)
      if i % 50 > 0 then clients[i]:send(raw.get("/" .. i)) end
    end
    process:signal "TERM"
    process:signal "CONT"
    for i, client in ipairs(clients) do
      if i % 50 > 0 then
        local response = client:response()
        assert.same({ "/" .. i, "close" }, { response.body, response.headers.connection })
      end
      client:expect_closed()
      client:close()
    end
    open()
    assert.equal("/wait", first:response().body)
    ends(process)
  end)

  it("answers what has been pipelined", function()
    local process <close>, address, open = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    client:send(raw.get "/1" .. raw.get "/wait" .. raw.get "/2" .. raw.get "/3")
    assert.equal("/1", client:response().body)
    process:line()
    process:signal "TERM"
    client:send(raw.get "/4")
    test.eventually(function() return not net.connect(address) end, 20)
    open()
    local list = client:responses(4)
    for i, target in ipairs { "/wait", "/2", "/3", "/4" } do assert.equal(target, list[i].body) end
    assert.same({ nil, nil, nil, "close" }, { list[1].headers.connection, list[2].headers.connection,
      list[3].headers.connection, list[4].headers.connection })
    client:expect_closed()
    ends(process)
  end)

  it("does not wait for one who never stops asking", function()
    local process <close>, address = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    client:send(raw.get "/")
    client:response()
    local many = raw.get("/x"):rep(500)
    local sending = neap.go(function()
      while client:send(many) do end
    end)
    assert.equal("/x", client:response().body)
    process:signal "TERM"
    local last = ""
    for chunk in client.conn:chunks() do last = (last .. chunk):sub(-300) end
    sending:cancel()
    assert.matches("\r\nConnection: close\r\n\r\n/x$", last)
    client:close()
    ends(process)
  end)

  it("lets an upload end", function()
    local process <close>, address = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    client:send(raw.request("POST /upload", nil, "Content-Length: 300000") .. ("x"):rep(100000))
    process:line()
    process:signal "TERM"
    test.eventually(function() return not net.connect(address) end, 20)
    client:send(("x"):rep(200000))
    local response = client:response()
    assert.same({ "300000", "close" }, { response.body, response.headers.connection })
    client:expect_closed()
    ends(process)
  end)

  it("ends with a client that leaves", function()
    local process <close>, address = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    client:send(raw.get "/never")
    process:line()
    process:signal "TERM"
    client:close()
    assert.equal("unwound", process:line())
    ends(process)
  end)

  it("that comes twice ends at once", function()
    local process <close>, address = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    client:send(raw.get "/never")
    process:line()
    local rests <close> = raw.connect(address)
    process:signal "TERM"
    test.eventually(function() return not net.connect(address) end, 20)
    process:signal "TERM"
    client:expect_closed()
    rests:expect_closed()
    local code, _, err = process:wait()
    assert.same({ 128 + 15, "" }, { code, err })
  end)
end)

describe("server:close", function()
  local function serve(handler)
    return assert(http.serve("127.0.0.1:0", handler))
  end

  it("closes what rests, and lets what is in flight end", function()
    local go = false
    local server = serve(function(req)
      if req.path == "/wait" then test.eventually(function() return go end, 20) end
      if req.path == "/stream" then
        return { body = function(write)
          write "a"
          test.eventually(function() return go end, 20)
          write "b"
        end }
      end
      return req.path
    end)
    local address = server.address
    local rests <close> = raw.connect(address)
    local fresh <close> = raw.connect(address)
    local waits <close> = raw.connect(address)
    local streams <close> = raw.connect(address)
    rests:send(raw.get "/")
    rests:response()
    waits:send(raw.get "/wait")
    streams:send(raw.get "/stream")
    streams:head()
    assert.equal("a", streams:chunk())
    server:close()
    server:close()
    assert.is_true(server.closed)
    assert.equal("ECONNREFUSED", (select(3, net.connect(address))))
    rests:expect_closed()
    fresh:expect_closed()
    go = true
    local response = waits:response()
    assert.same({ "/wait", "close" }, { response.body, response.headers.connection })
    assert.equal("b", streams:rest())
    waits:expect_closed()
    streams:expect_closed()
  end)

  it("answers what is on its way, from its own handler too", function()
    local server
    server = serve(function(req)
      server:close()
      return req.path
    end)
    local client <close> = raw.connect(server.address)
    local other <close> = raw.connect(server.address)
    client:send(raw.get "/1" .. raw.get "/2")
    local list = client:responses(2)
    assert.same({ "/1", "/2", "close" }, { list[1].body, list[2].body, list[2].headers.connection })
    client:expect_closed()
    other:send(raw.get "/3")
    assert.equal("/3", other:response().body)
    other:expect_closed()
  end)

  it("ends what is in flight after 30 s, or drain_timeout; false: never", function()
    local function began(options)
      local server = assert(http.serve("127.0.0.1:0", options, function(req)
        if req.path == "/wait" then timer.sleep(50) return "done" end
        return { body = function(write) write "a" timer.sleep(50) write "b" end }
      end))
      local waits, streams = raw.connect(server.address, { limit = 1e6 }), raw.connect(server.address, { limit = 1e6 })
      waits:send(raw.get "/wait")
      streams:send(raw.get "/stream")
      streams:head()
      assert.equal("a", streams:chunk())
      timer.sleep(1)
      server:close()
      return waits, streams
    end
    for seconds, options in pairs { [30] = {}, [3] = { drain_timeout = 3 }, [49] = { drain_timeout = false } } do
      local clock <close> = test.clock()
      local waits, streams = began(options)
      local from = clock:now()
      local response = waits:response()
      assert.equal(seconds, clock:now() - from)
      local ok, rest = pcall(streams.rest, streams)
      assert.same(seconds == 49 and { 200, "done", true, "b" } or { 503, "Service Unavailable\n", false, rest },
        { response.status, response.body, ok, rest })
      waits:close()
      streams:close()
    end
  end)

  it("leaves the address free, and nothing alive", function()
    for _ = 1, 20 do
      local server = serve(function() return "ok" end)
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/")
      client:response()
      server:close()
      client:close()
    end
    timer.sleep(0)
  end)
end)
