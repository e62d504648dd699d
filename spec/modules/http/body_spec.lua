-- The body of a request: whole, in pieces, or not at all.
local neap, http, timer = require "neap", require "neap.http", require "neap.timer"
local raw = require "spec.support.http"
local test = require "neap.test"

local function serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end))
end

-- Requests, all at once; what `read` gives for each of them.
local function read(look, ...)
  local results = {}
  local server <close> = serve(function(req)
    results[#results + 1] = table.pack(look(req))
    results[#results].n = nil
    return "ok"
  end)
  local client <close> = raw.connect(server.address)
  client:send_later(table.concat { ... })
  for _ = 1, select("#", ...) do assert.equal(200, client:response().status) end
  client:expect_in_step()
  return table.unpack(results)
end

local function body(req) return req:body() end

local function pieces(req, ...)
  local list = {}
  for piece in req:chunks(...) do list[#list + 1] = piece end
  return table.concat(list)
end

describe("req:body", function()
  it("gives the whole of it", function()
    assert.same({ { "hello" }, { "" }, { "" }, { "chunks" }, { "" } }, { read(body,
      raw.post("/", "hello"), raw.get "/", raw.post("/", ""),
      raw.post("/", raw.chunked { "chu", "nks" }, "Transfer-Encoding: chunked"),
      raw.post("/", raw.chunked {}, "Transfer-Encoding: chunked")) })
  end)

  it("gives it again", function()
    assert.same({ { "hello", "hello", true } }, { read(function(req)
      local one, two = req:body(), req:body { limit = 1 }
      return one, two, one == req:body()
    end, raw.post("/", "hello")) })
  end)

  it("gives it however it comes", function()
    local text = ("0123456789"):rep(20000)
    local server <close> = serve(body)
    local client <close> = raw.connect(server.address)
    client:send_later(raw.post("/", text))
    assert.is_true(text == client:response().body)
    client:send_split(raw.post("/", raw.chunked({ "ab", "c", "defghijklmnopqrs" }, { "X-T: 1" }),
      "Transfer-Encoding: chunked"))
    assert.equal("abcdefghijklmnopqrs", client:response().body)
    client:expect_in_step()
  end)

  it("calls back with it", function()
    local got
    local result = read(function(req)
      local task
      task = neap.go(function() timer.sleep(3600) end)
      req:body(function(...)
        got = { ... }
        task:cancel()
      end)
      assert(got == nil)
      task:join()
      return got[1]
    end, raw.post("/", "hello"))
    assert.same({ { "hello" }, { "hello" } }, { result, got })
  end)

  it("is read by a task that the handler has started", function()
    assert.same({ "hello" }, read(function(req)
      return (neap.go(function() return req:body() end):join())
    end, raw.post("/", "hello")))
  end)

  it("is there later, if it was read; else it is gone", function()
    local got = {}
    local server <close> = serve(function(req)
      if req.path == "/read" then req:body() end
      neap.go(function()
        timer.sleep(0)
        got[req.path] = { req:body() }
      end)
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/read", "one") .. raw.post("/not", "two") .. raw.post("/none", ""))
    client:responses(3)
    test.eventually(function() return got["/none"] end, 20)
    assert.same({ ["/read"] = { "one" }, ["/none"] = { "" },
      ["/not"] = { nil, "request body: operation canceled", "ECANCELED" } }, got)
  end)

  it("has a limit: too long is 413 where the handler raises, or what it makes of it", function()
    local failed
    local server <close> = serve(function(req)
      local text, message, code = req:body(req.path == "/more" and { limit = 20 } or nil)
      failed = { text, message, code }
      if req.path == "/mine" then return 200, "too long" end
      return assert(text, message)
    end, { max_body = 10 })
    local function post(target, text, ...)
      local list, ending = raw.exchange(server.address, raw.post(target, text, ...), 1)
      return { list[1].status, list[1].body, ending }
    end
    local chunks = raw.chunked { "0123456789", "0" }
    assert.same({ 200, "0123456789", "open" }, post("/", "0123456789"))
    assert.same({ 413, "Content Too Large\n", "end" }, post("/", "01234567890"))
    assert.same({ nil, "request body: message too long", "EMSGSIZE" }, failed)
    assert.same({ 413, "Content Too Large\n", "end" }, post("/", chunks, "Transfer-Encoding: chunked"))
    assert.equal(413, post("/", ("x"):rep(1000000))[1])
    assert.same({ 200, "0123456789", "open" }, post("/more", "0123456789"))
    assert.equal(413, post("/more", ("x"):rep(21))[1])
    assert.same({ 200, "too long", "open" }, post("/mine", "01234567890"))
  end)

  it("has a timeout", function()
    local got
    local server <close> = serve(function(req)
      got = { req:body { timeout = 0.001 } }
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.request("POST /", nil, "Content-Length: 5") .. "ab")
    assert.equal(200, client:response().status)
    assert.same({ nil, "request body: timed out", "ETIMEDOUT" }, got)
    client:send "cde" -- nobody wants it any more
    client:expect_in_step()
  end)

  it("fails where it is malformed", function()
    local got
    local server <close> = serve(function(req)
      got = { req:body() }
      return assert(table.unpack(got))
    end)
    local list, ending = raw.exchange(server.address,
      raw.post("/", "zz\r\nab\r\n0\r\n\r\n", "Transfer-Encoding: chunked") .. raw.get "/")
    assert.same({ nil, "request body: protocol error", "EPROTO" }, got)
    assert.same({ 1, 400, "close" }, { #list, list[1].status, list[1].headers.connection })
    assert.is_true(ending == "end" or ending == "ECONNRESET")
  end)

  it("raises for what is wrong with the call", function()
    local messages = {}
    local server <close> = serve(function(req)
      local function try(...) messages[#messages + 1] = select(2, pcall(...)) end
      try(req.body, req, { size = 1 })
      try(req.body, req, { limit = -1 })
      try(req.body, req, 5)
      neap.go(function() req:body() end)
      timer.sleep(0)
      try(req.body, req)
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.request("POST /", nil, "Content-Length: 5"))
    client:response()
    for i, pattern in ipairs { "'size'", "limit must be", "table", "another task waits for this request's body" } do
      assert.matches(pattern, messages[i])
    end
  end)
end)

describe("req:chunks", function()
  it("is there where the whole was asked for, but could not be waited for", function()
    assert.same({ { "hello" } }, { read(function(req)
      assert.has_error(function() table.sort({ 1, 2 }, function() return req:body() == "" end) end)
      return pieces(req)
    end, raw.post("/", "hello")) })
  end)

  it("gives it piece by piece", function()
    assert.same({ { "hello" }, { "" }, { "chunks" } }, { read(pieces, raw.post("/", "hello"), raw.get "/",
      raw.post("/", raw.chunked { "chu", "nks" }, "Transfer-Encoding: chunked")) })
  end)

  it("raises where another task waits, whoever asked first", function()
    local message
    local server <close> = serve(function(req)
      local next_one, next_other = req:chunks(), req:chunks()
      local reader = neap.go(function() return next_one(req) end)
      timer.sleep(0)
      message = select(2, pcall(next_other, req))
      return reader:join() .. next_other(req)
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.request("POST /", nil, "Content-Length: 4"))
    test.eventually(function() return message end, 20)
    client:send "ab"
    client:settle()
    client:send "cd"
    assert.equal("abcd", client:response().body)
    assert.matches("another task waits for this request's body", message)
    client:expect_in_step()
  end)

  it("gives a piece as soon as it is there", function()
    local got = {}
    local server <close> = serve(function(req)
      for piece in req:chunks() do got[#got + 1] = piece end
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.request("POST /", nil, "Content-Length: 4"))
    for i, letter in ipairs { "a", "b", "c", "d" } do
      client:send(letter)
      test.eventually(function() return got[i] == letter end, 20)
    end
    assert.equal(200, client:response().status)
  end)

  it("may be left early: what is short is thrown away, what is long ends the connection after the answer", function()
    local function leave(request)
      local server <close> = serve(function(req)
        local next, self = req:chunks { limit = 1 << 40 }
        next(self)
        return "enough"
      end)
      local client <close> = raw.connect(server.address)
      local sending = client:send_later(request)
      local response = client:response()
      assert.same({ 200, "enough" }, { response.status, response.body })
      if response.headers.connection == "close" then
        client:expect_closed()
        sending:cancel()
        return "closed"
      end
      sending:join()
      return client:expect_in_step().body
    end
    assert.equal("in step", leave(raw.post("/", "abc")))
    assert.equal("in step", leave(raw.post("/", ("x"):rep(65536))))
    assert.equal("in step", leave(raw.post("/", raw.chunked { "abc", "def" }, "Transfer-Encoding: chunked")))
    assert.equal("in step", leave(raw.post("/", ("x"):rep(65537)))) -- of which one piece has been read
    assert.equal("closed", leave(raw.post("/", ("x"):rep(5000000))))
    local many = {}
    for i = 1, 2000 do many[i] = ("y"):rep(1000) end
    assert.equal("closed", leave(raw.post("/", raw.chunked(many), "Transfer-Encoding: chunked")))
  end)

  it("has a limit and a timeout, and raises where it fails: what is cut short is not the whole", function()
    local got
    local server <close> = serve(function(req)
      local list = {}
      local ok, message = pcall(function()
        for piece in req:chunks(req.path == "/slow" and { timeout = 0.001 } or { limit = 5 }) do
          list[#list + 1] = piece
        end
      end)
      list[#list + 1] = { ok, message }
      got = list
      return "ok"
    end)
    raw.exchange(server.address, raw.post("/", "12345"), 1)
    assert.same({ "12345", { true } }, got)
    raw.exchange(server.address, raw.post("/", "123456"), 1)
    assert.same({ { false, "request body: message too long" } }, got)
    local client <close> = raw.connect(server.address)
    client:send(raw.request("POST /slow", nil, "Content-Length: 5") .. "ab")
    client:response()
    assert.same({ "ab", { false, "request body: timed out" } }, got)
  end)

  it("that fails makes the answer, where the handler does not", function()
    local server <close> = serve(function(req)
      for _ in req:chunks { limit = 5 } do end
      return "all of it"
    end)
    assert.equal(413, raw.exchange(server.address, raw.post("/", "123456"), 1)[1].status)
  end)

  it("cannot be mixed with body()", function()
    local capture = {}
    read(function(req)
      if req.path == "/1" then
        req:body()
        capture[1] = select(2, pcall(req.chunks, req))
      else
        local next, self = req:chunks()
        next(self)
        capture[2] = select(2, pcall(req.body, req))
      end
    end, raw.post("/1", "a"), raw.post("/2", "b"))
    assert.matches("read whole already, by body", capture[1])
    assert.matches("read in pieces already, by chunks", capture[2])
  end)

  it("stops a client that is faster than the handler", function()
    local go, received, finished = false, 0, false
    local server <close> = serve(function(req)
      for piece in req:chunks { limit = 1 << 40 } do
        received = received + #piece
        test.eventually(function() return go end, 20)
      end
      finished = true
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    local size, sent = 30000000, 0
    client:send(raw.request("POST /", nil, "Content-Length: " .. size))
    local sender = neap.go(function()
      local piece = ("x"):rep(100000)
      for _ = 1, size // #piece do
        assert(client:send(piece))
        sent = sent + #piece
      end
    end)
    test.eventually(function() return received > 0 end, 20)
    local last = -1
    test.eventually(function() -- until no more of it is taken
      local same = sent == last
      last = sent
      for _ = 1, 20 do timer.sleep(0) end
      return same
    end, 20)
    assert.is_true(sent < size)
    assert.is_true(received <= 65536 + 65536)
    go = true
    assert.equal(200, client:response().status)
    sender:join()
    assert.same({ true, size }, { finished, received })
  end)
end)

describe("trailers of a request", function()
  it("are there when the body has been read", function()
    local before, after, none
    local server <close> = serve(function(req)
      if req.path == "/none" then
        req:body()
        none = req.trailers
        return "ok"
      end
      before = req.trailers
      req:body()
      after = req.trailers
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    local head = raw.request("POST /", nil, "Transfer-Encoding: chunked")
    client:send(head)
    client:settle()
    client:send(raw.chunked({ "abc" }, { "X-Sum: 1", "x-sum: 2", "X-Other: 3" }))
    client:response()
    assert.is_nil(before)
    assert.same({ "1, 2", "3", "3" }, { after["x-sum"], after["x-other"], after["X-OTHER"] })
    client:send(raw.post("/none", "abc"))
    client:response()
    assert.same({}, setmetatable(none, nil))
    client:expect_in_step()
  end)
end)
