-- How long a client may take, and a handler: in virtual time, to the millisecond where that is promised.
local http, neap, test, timer = require "neap.http", require "neap", require "neap.test", require "neap.timer"
local raw = require "spec.support.http"

local function serve(options, handler)
  return assert(http.serve("127.0.0.1:0", options, handler))
end

local function echo(req) return req.target end

-- Reads without a time limit that anybody would come to.
local function connect(server)
  return raw.connect(server.address, { limit = 1e6 })
end

-- What comes, and when.
local function timed(clock, read)
  local result = read()
  return result, clock:now()
end

local function when_closed(clock, client)
  local how, at = timed(clock, function() return client:expect_closed() end)
  assert.equal("end", how)
  return at
end

describe("header_timeout", function()
  it("answers 408 to a head that does not end, however much of it comes in time", function()
    local server <close> = serve({ header_timeout = 7 }, echo)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send "G"
    local trickle <close> = timer.every(0.5, function() client:send "E" end)
    local response, at = timed(clock, function() return client:response() end)
    assert.same({ 408, "close", 7.0 }, { response.status, response.headers.connection, at })
    trickle:close()
    client:expect_closed()
    assert.equal(0, server.requests)
  end)

  it("closes without a word where nothing has come, blank lines or not", function()
    local server <close> = serve({ header_timeout = 7, idle_timeout = 100 }, echo)
    local clock <close> = test.clock()
    local silent <close> = connect(server)
    local blank <close> = connect(server)
    blank:send "\r\n"
    assert.equal(7.0, when_closed(clock, silent))
    assert.equal(7.0, when_closed(clock, blank))
  end)

  it("begins anew with each request", function()
    local server <close> = serve({ header_timeout = 7 }, echo)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    for i = 1, 5 do
      client:send "GET /x HT"
      clock:advance(6.999)
      client:send "TP/1.1\r\nHost: a\r\n\r\n"
      assert.equal("/x", client:response().body)
      assert.is_true(clock:now() < 7 * i)
    end
    client:send "G"
    assert.equal(408, client:response().status)
  end)

  it("holds for what is left of a body that nobody wants", function()
    local server <close> = serve({ header_timeout = 7 }, echo)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345"
    assert.equal(200, client:response().status)
    assert.equal(7.0, when_closed(clock, client))
  end)

  it("may be none", function()
    local server <close> = serve({ header_timeout = false }, echo)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send "GET / HT"
    clock:advance(1e5)
    client:send "TP/1.1\r\nHost: a\r\n\r\n"
    assert.equal(200, client:response().status)
  end)
end)

describe("idle_timeout", function()
  it("closes between requests, and begins anew with each", function()
    local server <close> = serve({ idle_timeout = 20 }, echo)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    for _ = 1, 4 do
      client:expect_in_step()
      clock:advance(19.999)
    end
    client:expect_in_step()
    local now = clock:now()
    assert.equal(now + 20, when_closed(clock, client))
    assert.equal(0, server.connections)
  end)

  -- What the kernel has under way it moves in its own time: somebody is busy, so no virtual time passes for that.
  local function standing(look)
    local busy = neap.go(function()
      while true do timer.sleep(0) end
    end)
    local ok, value = pcall(look)
    busy:cancel()
    return ok and value or error(value, 0)
  end

  it("does not run while an answer is still being taken", function()
    local size = 24 << 20 -- the kernel's buffers hold less, what is read in time included
    local server <close> = serve({ idle_timeout = 20, write_timeout = 50 }, function(req)
      return req.path == "/" and ("x"):rep(size) or req.path
    end)
    local clock <close> = test.clock()
    for _, line in ipairs { "X: y", "Connection: close" } do
      local client <close> = connect(server)
      client:send(raw.get("/", line))
      clock:advance(0)
      local received = 0
      for _ = 1, 10 do
        clock:advance(19)
        received = received + #standing(function() return client.conn:read(400000) end)
      end
      while received < size do
        received = received + #standing(function() return assert(client.conn:read()) end)
      end
      if line == "X: y" then
        while client:has_more() do client.buffer = "" end
        assert.equal("/next", standing(function() return client:expect_in_step "/next" end).body)
      end
    end
  end)

  it("may be none", function()
    local server <close> = serve({ idle_timeout = false }, echo)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:expect_in_step()
    clock:advance(1e5)
    client:expect_in_step()
  end)
end)

describe("handler_timeout", function()
  it("answers 503, after the handler's __close, and closes", function()
    local closed
    local server <close> = serve({ handler_timeout = 5 }, function()
      local _ <close> = setmetatable({}, { __close = function()
        timer.sleep(1)
        closed = true
      end })
      pcall(timer.sleep, 3600) -- no pcall holds it
      return "late"
    end)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send(raw.get "/" .. raw.get "/never")
    local response, at = timed(clock, function() return client:response() end)
    assert.same({ 503, "close", 6.0, true }, { response.status, response.headers.connection, at, closed })
    client:expect_closed()
    assert.equal(1, server.requests)
  end)

  it("is for each request by itself, and not for a body that is sent", function()
    local server <close> = serve({ handler_timeout = 5 }, function(req)
      timer.sleep(4)
      if req.path == "/plain" then return "done" end
      local count = 0
      return 200, function()
        timer.sleep(4)
        count = count + 1
        return count < 5 and "x" or nil
      end
    end)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send((raw.get "/plain"):rep(3) .. raw.get "/stream")
    local responses, at = timed(clock, function() return client:responses(4) end)
    assert.same({ "done", "done", "done", "xxxx" },
      { responses[1].body, responses[2].body, responses[3].body, responses[4].body })
    assert.equal(36.0, at)
  end)

  it("leaves other requests alone", function()
    local server <close> = serve({ handler_timeout = 5 }, function(req)
      timer.sleep(tonumber(req.path:sub(2)))
      return req.path
    end)
    local clock <close> = test.clock()
    local slow <close> = connect(server)
    local good <close> = connect(server)
    slow:send(raw.get "/3600")
    clock:advance(1)
    good:send(raw.get "/4.5")
    assert.same({ 503, "/4.5" }, { slow:response().status, good:response().body })
    assert.equal(5.5, clock:now())
    good:expect_in_step "/1"
  end)

  it("may be none", function()
    local server <close> = serve({ handler_timeout = false }, function()
      timer.sleep(1e5)
      return "at last"
    end)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send(raw.get "/")
    assert.equal("at last", client:response().body)
    clock:advance(0)
  end)
end)

describe("body_rate", function()
  local head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"

  -- Sends so many bytes a second, until the server answers.
  local function trickle(server, clock, rate)
    local client <close> = connect(server)
    client:send(head)
    local _ <close> = timer.every(0.1, function() client:send(("x"):rep(rate // 10)) end)
    return timed(clock, function() return client:response() end)
  end

  it("answers 408 to who is slower, after some seconds", function()
    local failure
    local server <close> = serve({ body_rate = 500 }, function(req)
      local body, message, code = req:body()
      failure = { body, message, code }
      return assert(body, message)
    end)
    local clock <close> = test.clock()
    local response, at = trickle(server, clock, 400)
    assert.same({ 408, "close" }, { response.status, response.headers.connection })
    assert.is_true(at >= 10 and at <= 12, at)
    assert.same({ [2] = "request body: timed out", [3] = "ETIMEDOUT" }, failure)
  end)

  it("lets others be as slow as it says, and may be none", function()
    local clock <close> = test.clock()
    for _, case in ipairs { { 600, 500, 12000 }, { 10, 0, 600 }, { 10, false, 600 } } do
      local rate, limit, size = table.unpack(case)
      local server <close> = serve({ body_rate = limit, handler_timeout = false }, function(req)
        return tostring(#req:body())
      end)
      local client <close> = connect(server)
      client:send(("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"):format(size))
      local begin, sent = clock:now(), 0
      local sender <close> = timer.every(0.1, function()
        if sent < size then client:send(("x"):rep(rate // 10)) end
        sent = sent + rate // 10
      end)
      assert.equal(tostring(size), client:response().body)
      assert.is_true(clock:now() - begin > 15) -- more than the ten seconds that anybody has
      sender:close()
    end
  end)

  it("leaves a body ten seconds, whatever else is looked at meanwhile", function()
    local server <close> = serve({ header_timeout = 3 }, function(req) return assert(req:body()) end)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    clock:advance(9.9)
    client:send "moon"
    assert.equal("moon", client:response().body)
  end)

  it("counts only the time that somebody waits for the body", function()
    local server <close> = serve({ body_rate = 500 }, function(req)
      local size = 0
      for piece in req:chunks() do
        size = size + #piece
        timer.sleep(5) -- as slow as it likes
      end
      return tostring(size)
    end)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"
    for _ = 1, 10 do
      client:send "x"
      clock:advance(5)
    end
    assert.equal("10", client:response().body)
  end)

  it("sees through chunks that carry nothing", function()
    local server <close> = serve({ body_rate = 500 }, function(req) return assert(req:body()) end)
    local clock <close> = test.clock()
    local client <close> = connect(server)
    client:send "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    local sender <close> = timer.every(1, function() client:send("1;" .. ("x"):rep(100) .. "\r\nx\r\n") end)
    local response, at = timed(clock, function() return client:response() end)
    assert.equal(408, response.status)
    assert.is_true(at <= 12, at)
    sender:close()
  end)
end)

describe("a time limit of req:body", function()
  it("makes the answer 408 where the handler then raises, and may be followed by another try", function()
    local server <close> = serve(nil, function(req)
      local body, _, code = req:body { timeout = 2 }
      if req.path == "/raise" then return assert(body, code) end
      assert(not body and code == "ETIMEDOUT")
      body = assert(req:body())
      if body == "fail" then return nil end
      return body
    end)
    local clock <close> = test.clock()
    local one <close> = connect(server)
    one:send "POST /raise HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    local response, at = timed(clock, function() return one:response() end)
    assert.same({ 408, 2.0 }, { response.status, at })
    one:expect_closed()
    local two <close> = connect(server)
    two:send "POST /again HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    clock:advance(3)
    two:send "moon"
    assert.equal("moon", two:response().body)
    two:send "POST /again HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    clock:advance(3)
    two:send "fail"
    neap.on_error(function() end)
    assert.equal(500, two:response().status) -- that is not the client's fault
    clock:advance(0)
    neap.on_error(nil)
  end)
end)
