-- What a client may send, and how many clients there may be: above that the right status, and a connection that is
-- closed in good order, so that whoever still sends gets it.
local http, neap, timer = require "neap.http", require "neap", require "neap.timer"
local raw, sockets = require "spec.support.http", require "spec.support.sockets"
local test = require "neap.test"
local eventually = test.eventually

local function serve(options, handler, address)
  return assert(http.serve(address or "127.0.0.1:0", options, handler))
end

local function echo(req) return req.target end

-- The only answer to these bytes, on a connection that is closed behind it.
local function refused(server, bytes)
  local answers, ended = raw.exchange(server.address, bytes)
  assert.same({ 1, "end" }, { #answers, ended })
  assert.equal("close", answers[1].headers.connection)
  return answers[1].status
end

local function answered(server, bytes)
  local answers, ended = raw.exchange(server.address, bytes, 1)
  assert.equal("open", ended)
  return answers[1].status
end

describe("the size of a head", function()
  it("is limited: 431, to the byte", function()
    local server <close> = serve({ max_header_size = 256 }, echo)
    local function request(size)
      local head = raw.get("/", "x: ")
      return (head:gsub("x: ", "x: " .. ("y"):rep(size - #head)))
    end
    assert.equal(256, #request(256))
    assert.equal(200, answered(server, request(256)))
    assert.equal(431, refused(server, request(257)))
    assert.equal(431, refused(server, request(100000)))
    assert.equal(431, refused(server, "GET / HTTP/1.1\r\n" .. ("a: b\r\n"):rep(1000)))
    assert.equal(3, server.requests + 2)
  end)

  it("is limited by default", function()
    local server <close> = serve(nil, echo)
    assert.equal(200, answered(server, raw.get("/", "x: " .. ("y"):rep(16000))))
    assert.equal(431, refused(server, raw.get("/", "x: " .. ("y"):rep(16384))))
    assert.equal(200, answered(server, raw.get("/" .. ("y"):rep(8191))))
    assert.equal(414, refused(server, raw.get("/" .. ("y"):rep(8192))))
  end)

  it("is limited for trailers, too", function()
    local server <close> = serve({ max_header_size = 256 }, function(req)
      assert(req:body())
      return "read"
    end)
    local head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert.equal(200, answered(server, head .. raw.chunked({ "x" }, { "a: " .. ("b"):rep(200) })))
    assert.equal(431, refused(server, head .. raw.chunked({ "x" }, { "a: " .. ("b"):rep(300) })))
  end)

  it("is limited in lines: 431", function()
    local server <close> = serve({ max_headers = 5 }, echo)
    assert.equal(200, answered(server, raw.get("/", "a: 1", "b: 1", "c: 1", "d: 1")))
    assert.equal(431, refused(server, raw.get("/", "a: 1", "b: 1", "c: 1", "d: 1", "e: 1")))
  end)

  it("is limited in its target: 414", function()
    local server <close> = serve({ max_target = 20 }, echo)
    assert.equal(200, answered(server, raw.get("/" .. ("x"):rep(19))))
    assert.equal(414, refused(server, raw.get("/" .. ("x"):rep(20))))
    assert.equal(414, refused(server, "GET /" .. ("x"):rep(100000)))
  end)
end)

describe("the size of a body", function()
  local head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

  local function read(req) return assert(req:body()) end

  it("is limited: 413, to the byte, with either framing", function()
    local server <close> = serve({ max_body = 10 }, read)
    assert.equal(200, answered(server, raw.post("/", "0123456789")))
    assert.equal(413, refused(server, raw.post("/", "0123456789a")))
    assert.equal(200, answered(server, head .. raw.chunked { "01234", "56789" }))
    assert.equal(413, refused(server, head .. raw.chunked { "01234", "56789", "a" }))
  end)

  it("is refused before it has come where its length tells, and no 100 asks for it", function()
    local server <close> = serve({ max_body = 10 }, read)
    for _, line in ipairs { "X: y", "Expect: 100-continue" } do
      local client <close> = raw.connect(server.address)
      client:send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n" .. line .. "\r\n\r\n")
      local response = client:response()
      assert.same({ 413, {} }, { response.status, response.interim })
      client:expect_closed()
    end
  end)

  it("is refused in chunks as soon as they are too much", function()
    local server <close> = serve({ max_body = 10 }, read)
    local client <close> = raw.connect(server.address)
    client:send(head .. "fffffff\r\n01234567890")
    assert.equal(413, client:response().status)
    client:expect_closed()
  end)

  it("is what body and chunks say, if they do", function()
    local server <close> = serve({ max_body = 10 }, function(req)
      if req.path == "/whole" then return assert(req:body { limit = 20 }) end
      for _ in req:chunks { limit = 20 } do end
      return "read"
    end)
    assert.equal(200, answered(server, raw.post("/whole", ("x"):rep(20))))
    assert.equal(413, refused(server, raw.post("/whole", ("x"):rep(21))))
  end)

  it("tells the handler, which may answer as it likes, and the connection stays in step", function()
    local seen
    local server <close> = serve({ max_body = 10 }, function(req)
      if req.method == "GET" then return req.target end
      seen = table.pack(req:body())
      return 400, "too much"
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/", ("x"):rep(1000)))
    assert.equal(400, client:response().status)
    assert.same({ nil, "request body: message too long", "EMSGSIZE", n = 3 }, seen)
    assert.equal("/next", client:expect_in_step("/next").body)
  end)

  it("has no limit with false", function()
    local server <close> = serve({ max_body = false }, function(req) return tostring(#req:body()) end)
    local answers = raw.exchange(server.address, raw.post("/", ("x"):rep(3 << 20)), 1)
    assert.same({ 200, "3145728" }, { answers[1].status, answers[1].body })
  end)

  it("reaches a client that sends on and on before it reads", function()
    local server <close> = serve({ max_body = 10 }, read)
    local client <close> = raw.connect(server.address)
    local body = ("x"):rep(8 << 20)
    assert.is_true(client:send(raw.post("/", body)))
    assert.equal(413, client:response().status)
    client:expect_closed()
  end)

  it("is no matter where nobody asks for it: what is short is skipped, what is long closes", function()
    local server <close> = serve(nil, echo)
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/a", ("x"):rep(65536)) .. raw.get("/b"))
    assert.same({ "/a", "/b" }, { client:response().body, client:response().body })
    assert.equal("/c", client:expect_in_step("/c").body)
    assert.equal(200, refused(server, raw.post("/a", ("x"):rep(65537)) .. raw.get "/b"))
    local chunked <close> = raw.connect(server.address)
    chunked:send(head .. "5\r\nmoon") -- nobody knows how long it will be
    assert.equal("close", chunked:response().headers.connection)
    chunked:expect_closed()
  end)
end)

describe("max_requests", function()
  it("says so in the last answer, and closes behind it", function()
    local server <close> = serve({ max_requests = 3 }, echo)
    local client <close> = raw.connect(server.address)
    for i = 1, 3 do
      client:send(raw.get("/" .. i))
      local response = client:response()
      assert.same({ "/" .. i, i == 3 and "close" or nil }, { response.body, response.headers.connection })
    end
    client:expect_closed()
  end)

  it("holds for requests that came together: the last answer arrives, whatever lies behind it", function()
    local server <close> = serve({ max_requests = 3 }, echo)
    local answers, ended = raw.exchange(server.address, raw.get("/"):rep(5000))
    assert.same({ 3, "end", 3 }, { #answers, ended, server.requests })
  end)
end)

describe("max_connections", function()
  it("turns the others away with 503, and they get it, though they have sent", function()
    local server <close> = serve({ max_connections = 2 }, echo)
    local one <close> = raw.connect(server.address)
    local two <close> = raw.connect(server.address)
    one:expect_in_step()
    two:expect_in_step()
    for _ = 1, 5 do
      local third <close> = raw.connect(server.address)
      third:send(raw.post("/", ("x"):rep(100000)))
      local response = third:response()
      assert.same({ 503, "close" }, { response.status, response.headers.connection })
      assert.equal("end", third:expect_closed())
    end
    assert.equal(2, server.connections)
    one:close()
    eventually(function() return server.connections == 1 end)
    assert.equal(200, answered(server, raw.get "/"))
  end)

  it("does not count those who were turned away, though they stay", function()
    local server <close> = serve({ max_connections = 1 }, echo)
    local one, others = raw.connect(server.address), {}
    one:expect_in_step()
    for i = 1, 10 do
      others[i] = raw.connect(server.address)
      assert.equal(503, others[i]:response().status)
    end
    one:close()
    eventually(function() return server.connections == 0 end)
    assert.equal(200, answered(server, raw.get "/"))
    for _, other in ipairs(others) do other:close() end
  end)
end)

describe("a crowd that is turned away", function()
  it("is told so, as far as there are not too many of them, and the server is as before", function()
    if not sockets.has_room(2500) then return pending "too few descriptors" end
    local server <close> = serve({ max_connections = 1 }, echo)
    local one <close> = raw.connect(server.address)
    one:expect_in_step()
    local others, told = {}, 0
    for i = 1, 1100 do others[i] = raw.connect(server.address) end
    for _, other in ipairs(others) do
      local ok, response = pcall(other.response, other)
      if ok and response.status == 503 then told = told + 1 end
      other:close()
    end
    assert.is_true(told >= 900, told)
    one:expect_in_step()
    one:close()
    eventually(function() return server.connections == 0 end)
    assert.equal(200, answered(server, raw.get "/"))
  end)
end)

describe("max_connections_per_client", function()
  local function status(address)
    local client = raw.connect(address)
    client:send(raw.get "/")
    local response = client:response()
    return client, response.status
  end

  it("counts by address, whatever the port", function()
    local server <close> = serve({ max_connections_per_client = 2 }, echo)
    local first, a = status(server.address)
    local second, b = status(server.address)
    local third, c = status(server.address)
    assert.same({ 200, 200, 503 }, { a, b, c })
    assert.equal("end", third:expect_closed())
    assert.equal(2, server.connections)
    local other, d = status(server.address)
    assert.equal(503, d)
    first:close()
    eventually(function() return server.connections == 1 end)
    local fourth, e = status(server.address)
    assert.equal(200, e)
    for _, client in ipairs { second, third, other, fourth } do client:close() end
  end)

  it("counts for each server by itself", function()
    local one <close> = serve({ max_connections_per_client = 1 }, echo)
    local two <close> = serve({ max_connections_per_client = 1 }, echo)
    local first, a = status(one.address)
    local second, b = status(two.address)
    assert.same({ 200, 200 }, { a, b })
    first:close()
    second:close()
  end)

  it("counts each address by itself", function()
    if not sockets.has_v6() then return pending "no IPv6 here" end
    local server <close> = serve({ max_connections_per_client = 1 }, echo, "[::]:0")
    local port = server.address:match ":(%d+)$"
    local shared, first, a = pcall(status, "127.0.0.1:" .. port)
    if not shared then return pending "IPv4 has sockets of its own here" end
    local second, b = status("[::1]:" .. port)
    local third, c = status("127.0.0.1:" .. port)
    assert.same({ 200, 200, 503 }, { a, b, c })
    for _, client in ipairs { first, second, third } do client:close() end
  end)

  it("counts IPv6", function()
    if not sockets.has_v6() then return pending "no IPv6 here" end
    local server <close> = serve({ max_connections_per_client = 1 }, echo, "[::1]:0")
    local first, a = status(server.address)
    local second, b = status(server.address)
    assert.same({ 200, 503 }, { a, b })
    first:close()
    second:close()
  end)

  it("does not count Unix sockets", function()
    local server <close> = serve({ max_connections_per_client = 1 }, echo, sockets.unix())
    local first, a = status(server.address)
    local second, b = status(server.address)
    assert.same({ 200, 200 }, { a, b })
    first:close()
    second:close()
  end)
end)

describe("what a client sends", function()
  -- Until nothing moves any more.
  local function rest()
    local clock <close> = test.clock()
    clock:advance(0)
  end

  it("stays with it while nobody reads its answers", function()
    local served, count = 0, 3000
    local server <close> = serve(nil, function()
      served = served + 1
      return ("x"):rep(10000)
    end)
    local client <close> = raw.connect(server.address)
    local task = client:send_later(raw.get("/"):rep(count))
    rest()
    assert.is_true(served < count / 2, served)
    local received = 0
    while received < count * 10000 do received = received + #assert(client.conn:read { timeout = 20 }) end
    eventually(function() return served == count end)
    assert.is_true((task:join()))
  end)

  it("is not taken where the handler does not read it", function()
    local gate = neap.go(timer.sleep, 3600)
    local server <close> = serve({ max_body = false }, function(req)
      gate:join()
      local size = 0
      for piece in req:chunks() do size = size + #piece end
      return tostring(size)
    end)
    local client <close> = raw.connect(server.address)
    local size, sent = 16 << 20, false
    local task = neap.go(function()
      client:send(raw.post("/", ("x"):rep(size)))
      sent = true
    end)
    rest()
    assert.is_false(sent)
    gate:cancel()
    assert.equal(tostring(size), client:response().body)
    task:join()
  end)
end)
