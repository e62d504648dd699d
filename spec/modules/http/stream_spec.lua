-- Bodies of responses that are made while they are sent.
local neap, http, fs, timer = require "neap", require "neap.http", require "neap.fs", require "neap.timer"
local raw = require "spec.support.http"
local test = require "neap.test"

local function serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end))
end

local function errors()
  local reports = {}
  neap.on_error(function(message) reports[#reports + 1] = tostring(message) end)
  finally(function() neap.on_error(nil) end)
  return reports
end

-- What one body looks like to a client: the response; then it is in step.
local function send(body, headers, trailers)
  local server <close> = serve(function() return { body = body, headers = headers, trailers = trailers } end)
  local client <close> = raw.connect(server.address)
  client:send(raw.get "/")
  local response = client:response()
  client:expect_in_step()
  return response
end

-- How a body that fails ends: what has come of it, and how the connection ended.
local function fail(body, headers, line)
  local server <close> = serve(function() return { body = body, headers = headers } end)
  local client <close> = raw.connect(server.address)
  client:send(raw.request(line or "GET /"))
  assert.equal(200, client:head().status)
  local got = {}
  local ok, message = pcall(function()
    for piece in client.chunk, client do got[#got + 1] = piece end
  end)
  assert.is_false(ok)
  return table.concat(got), message:match "%((%w+)%)" or message:match "in order: (%w+)"
end

-- An object with chunks(): these pieces. It notes that it was closed.
local function object(...)
  local list, self, at = { ... }, {}, 0
  function self.chunks()
    return function(state)
      assert(state == list)
      at = at + 1
      return list[at]
    end, list
  end
  return setmetatable(self, { __close = function() self.closed = (self.closed or 0) + 1 end })
end

describe("a body", function()
  it("is a generator", function()
    local response = send(coroutine.wrap(function()
      coroutine.yield "one"
      timer.sleep(0)
      coroutine.yield "two"
    end))
    assert.same({ "chunked", { "one", "two" }, {} },
      { response.headers["transfer-encoding"], response.pieces, response.trailers })
    assert.equal("text/plain; charset=utf-8", response.headers["content-type"])
  end)

  it("is a closure, which gives strings and numbers; an empty one is no end", function()
    local list = { "a", "", 1, "b" }
    assert.same({ "a", "1", "b" }, send(function() return table.remove(list, 1) end).pieces)
  end)

  it("is a function that writes", function()
    local results
    local response = send(function(write)
      results = { write "one", write(2), write "" }
      timer.sleep(0)
      write "three"
    end)
    assert.same({ { "one", "2", "three" }, { true, true, true } }, { response.pieces, results })
    assert.same({ "ab", "" }, { send(function(write) write "a" write "b" end).body, send(function() end).body })
  end)

  it("may do both", function()
    local n = 0
    local response = send(function(write)
      n = n + 1
      if n > 2 then return nil end
      write("w" .. n)
      return "r" .. n
    end)
    assert.same({ "w1", "r1", "w2", "r2" }, response.pieces)
  end)

  it("has a length, if it is given", function()
    local response = send(object("abc", "de"), { ["content-length"] = 5 })
    assert.same({ "5", "abcde" }, { response.headers["content-length"], response.body })
    assert.is_nil(response.headers["transfer-encoding"])
    assert.equal("", send(function() end, { ["content-length"] = 0 }).body)
  end)

  it("is an object with chunks, which is closed", function()
    local one = object("abc", "de")
    assert.same({ { "abc", "de" }, 1 }, { send(one).pieces, one.closed })
    local failed = object("abc", false)
    local reports = errors()
    assert.same({ "abc", "end" }, { fail(failed) })
    test.eventually(function() return reports[1] end, 20)
    assert.equal(1, failed.closed)
    assert.matches("the body gave a boolean, not a string", reports[1])
  end)

  it("is a file", function()
    local directory <close> = test.tempdir()
    local text = ("0123456789"):rep(50000)
    local path = directory:write("file", text)
    local file
    local server <close> = serve(function(req)
      file = assert(fs.open(path))
      return { body = file, headers = req.path == "/length" and { ["content-length"] = #text } or nil }
    end)
    local client <close> = raw.connect(server.address)
    for _, line in ipairs { "GET /", "GET /length", "HEAD /length", "GET / HTTP/1.0" } do
      client:send(raw.request(line))
      local response = client:response { head = line:find "HEAD" ~= nil }
      assert.is_true(response.body == (line:find "HEAD" and "" or text))
      test.eventually(function() return file.closed end, 20)
    end
    client:expect_closed()
  end)

  it("is a file that is closed when the client leaves", function()
    local directory <close> = test.tempdir()
    local path, file = directory:write("file", ("x"):rep(30000000)), nil
    local server <close> = serve(function()
      file = assert(fs.open(path))
      return { body = file }
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    client:head()
    client:chunk()
    assert.is_false(file.closed)
    client:reset()
    test.eventually(function() return file.closed and server.connections == 0 end, 20)
  end)

  it("fails: the client sees that it is not whole, and its connection ends", function()
    local reports = errors()
    assert.same({ "abc", "end" }, { fail(function(write) write "abc" error "oh" end) })
    assert.same({ "abc", "end" }, { fail(function(write) write "abc" error "oh" end, { ["content-length"] = 4 }) })
    local function late(write)
      write "abc"
      timer.sleep(0) -- it goes out
      error "oh"
    end
    assert.same({ "abc", "ECONNRESET" }, { fail(late, nil, "GET / HTTP/1.0") }) -- an end would be that of the body
    test.eventually(function() return #reports == 3 end, 20)
    for i = 1, 3 do assert.matches(": oh$", reports[i]) end
    local broken = setmetatable({}, { __close = function() end })
    function broken.chunks() return function() return nil, "read /x: input/output error", "EIO" end end
    assert.same({ "", "end" }, { fail(broken) })
    test.eventually(function() return reports[4] end, 20)
    assert.matches("the body has failed: read /x: input/output error", reports[4])
    function broken.chunks() return nil, "it is closed" end
    assert.same({ "", "end" }, { fail(broken) })
    test.eventually(function() return reports[5] end, 20)
    assert.matches("the body has failed: it is closed", reports[5])
  end)

  it("raises where it is not as long as it was announced", function()
    local reports = errors()
    assert.same({ "abc", "end" }, { fail(function(write) write "abc" end, { ["content-length"] = 4 }) })
    test.eventually(function() return reports[1] end, 20)
    assert.matches("the body has 3 bytes, fewer than its content%-length, 4", reports[1])
    local server <close> = serve(function()
      return { headers = { ["content-length"] = 4 }, body = function(write)
        write "abc"
        write "de"
      end }
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/" .. raw.get "/")
    assert.equal(200, client:head().status)
    assert.equal("abc", client:chunk())
    assert.is_false((pcall(client.chunk, client)))
    assert.equal("end", client.ended)
    test.eventually(function() return reports[2] end, 20)
    assert.matches("stream_spec.lua:%d+: the body is longer than its content%-length, 4 bytes", reports[2])
  end)

  it("has trailers", function()
    local response = send(object "abc", { trailer = "x-sum" }, { ["X-Sum"] = 3, ["x-many"] = { "a", "b" } })
    assert.same({ ["x-sum"] = "3", ["x-many"] = "a, b" }, response.trailers)
    local sum = 0
    response = send(function(write) write "abc" sum = 3 end, nil, function()
      timer.sleep(0)
      return { ["x-sum"] = sum }
    end)
    assert.same({ ["x-sum"] = "3" }, response.trailers)
    assert.same({}, send(object "abc", nil, function() end).trailers)
  end)

  it("cannot have trailers that frame it", function()
    local reports = errors()
    for i, name in ipairs { "Content-Length", "transfer-encoding", "content-type", "connection" } do
      local server <close> = serve(function() return { body = object "abc", trailers = { [name] = "1" } } end)
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/")
      client:head()
      assert.equal("abc", client:chunk())
      assert.is_false((pcall(client.chunk, client)))
      test.eventually(function() return reports[i] end, 20)
      assert.matches("cannot be a trailer", reports[i])
    end
  end)
end)

describe("write", function()
  it("waits for a client that is slow", function()
    local written, finished = 0, false
    local server <close> = serve(function()
      return { body = function(write)
        local piece = ("x"):rep(100000)
        for _ = 1, 300 do
          assert(write(piece))
          written = written + #piece
        end
        finished = true
      end }
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    client:head()
    local last = -1
    test.eventually(function()
      local same = written > 0 and written == last
      last = written
      for _ = 1, 20 do timer.sleep(0) end
      return same
    end, 20)
    assert.is_true(written < 30000000)
    assert.is_false(finished)
    local size = 0
    for piece in client.chunk, client do size = size + #piece end
    assert.same({ 30000000, true }, { size, finished })
    client:expect_in_step()
  end)

  it("calls back, and raises for what is no string", function()
    local got, message
    local response = send(function(write)
      message = select(2, pcall(write, true))
      write("abc", function(...) got = { ... } end)
      assert(got == nil)
      timer.sleep(0)
      timer.sleep(0)
      write "d"
    end)
    assert.equal("abcd", response.body)
    assert.same({ true }, got)
    assert.matches("string", message)
  end)

  it("fails when the answer is over", function()
    local later
    send(function(write)
      write "abc"
      later = write
    end)
    assert.same({ nil, "write response body: operation canceled", "ECANCELED" }, { later "d" })
  end)

  it("ends the connection of a handler that never waits for a client that takes nothing", function()
    local results
    local server <close> = serve(function()
      return { body = function(write)
        local piece, count = ("x"):rep(1 << 20), 0
        local function done(...) results = results or select("#", ...) > 1 and { ... } or nil end
        for _ = 1, 100 do write(piece, done) count = count + 1 end
        return nil
      end }
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    test.eventually(function() return results and server.connections == 0 end, 20)
    assert.is_nil(results[1])
    assert.is_true(results[3] == "ENOBUFS" or results[3] == "ECANCELED")
  end)

  it("goes on for a client that leaves only until it waits", function()
    local ended
    local server <close> = serve(function()
      return { body = function(write)
        local guard <close> = setmetatable({}, { __close = function() ended = true end }) -- luacheck: ignore
        while true do
          write(("x"):rep(10000))
          timer.sleep(0)
        end
      end }
    end)
    for _, how in ipairs { "close", "reset" } do
      ended = false
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/")
      client:head()
      client:chunk()
      client[how](client)
      test.eventually(function() return ended and server.connections == 0 end, 20)
    end
  end)
end)

describe("events and long polls", function()
  it("are ordinary handlers", function()
    local listeners = {}
    local server <close> = serve(function(req)
      if req.method == "POST" then
        local text = req:body()
        for write in pairs(listeners) do write("data: " .. text .. "\n\n") end
        return 204
      end
      return { headers = { ["content-type"] = "text/event-stream" }, body = function(write)
        local guard <close> = setmetatable({}, { __close = function() listeners[write] = nil end }) -- luacheck: ignore
        listeners[write] = true
        write ": hello\n\n"
        timer.sleep(3600)
      end }
    end)
    local one <close> = raw.connect(server.address)
    local two <close> = raw.connect(server.address)
    for _, client in ipairs { one, two } do
      client:send(raw.get "/events")
      assert.equal("text/event-stream", client:head().headers["content-type"])
      assert.equal(": hello\n\n", client:chunk())
    end
    local speaker <close> = raw.connect(server.address)
    for _, text in ipairs { "first", "second" } do
      speaker:send(raw.post("/", text))
      assert.equal(204, speaker:response().status)
      assert.same({ "data: " .. text .. "\n\n", "data: " .. text .. "\n\n" }, { one:chunk(), two:chunk() })
    end
    one:close()
    two:reset()
    test.eventually(function() return next(listeners) == nil end, 20)
    speaker:expect_in_step()
  end)

  it("may wait for each other", function()
    local waiting
    local server <close> = serve(function(req)
      if req.path == "/poll" then
        waiting = neap.go(timer.sleep, 3600)
        pcall(waiting.join, waiting)
        return "news"
      end
      waiting:cancel()
      return "sent"
    end)
    local poller <close> = raw.connect(server.address)
    local sender <close> = raw.connect(server.address)
    poller:send(raw.get "/poll")
    test.eventually(function() return waiting end, 20)
    sender:send(raw.get "/send")
    assert.same({ "sent", "news" }, { sender:response().body, poller:response().body })
  end)
end)

describe("an answer that reads the request", function()
  it("passes it on as it comes, both ways at once", function()
    local server <close> = serve(function(req)
      return { body = function(write)
        for piece in req:chunks { limit = 1 << 40 } do write(piece:upper()) end
      end }
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.request("POST /", nil, "Transfer-Encoding: chunked"))
    assert.is_nil(client:head().headers.connection)
    for _, word in ipairs { "one", "two" } do
      client:send(("%x\r\n%s\r\n"):format(#word, word))
      assert.equal(word:upper(), client:chunk())
    end
    client:send "0\r\n\r\n"
    assert.equal("", client:rest())
    client:send(raw.post("/", ("x"):rep(200000)))
    assert.equal(200000, #client:response().body)
    client:expect_in_step()
  end)
end)
