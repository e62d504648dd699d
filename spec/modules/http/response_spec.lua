-- What a handler returns, and what then stands on the line.
local neap, http = require "neap", require "neap.http"
local raw = require "spec.support.http"
local test = require "neap.test"

local function serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, handler))
end

-- What is reported from here on.
local function errors()
  local reports = {}
  neap.on_error(function(message, _, info) reports[#reports + 1] = info.name .. ": " .. tostring(message) end)
  finally(function() neap.on_error(nil) end)
  return reports
end

-- One request to a handler: its response. The connection must be in step after it.
local function answer(handler, line, ...)
  local server <close> = serve(function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end)
  local client <close> = raw.connect(server.address)
  client:send(raw.request(line or "GET /", nil, ...))
  local response = client:response { head = line and line:find "^HEAD" ~= nil }
  if response.headers.connection == "close" then
    client:expect_closed()
  else
    assert.equal("in step", client:expect_in_step().body)
  end
  return response
end

-- The same for what fails: what was reported, too.
local function failure(handler, ...)
  local reports = errors()
  local response = answer(handler, ...)
  assert.equal(500, response.status)
  assert.equal("Internal Server Error\n", response.body)
  test.eventually(function() return reports[1] end, 20)
  assert.equal(1, #reports)
  assert.truthy(reports[1]:find(response.headers["x-request-id"] .. ")", 1, true), reports[1])
  return reports[1]
end

describe("a response", function()
  it("is a string", function()
    local response = answer(function() return "hello" end)
    assert.same({ 200, "OK", "hello" }, { response.status, response.reason, response.body })
    assert.equal("5", response.headers["content-length"])
    assert.equal("text/plain; charset=utf-8", response.headers["content-type"])
    assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$", response.headers.date)
    assert.is_nil(response.headers.connection)
    assert.equal("", answer(function() return "" end).body)
  end)

  it("is a status, and perhaps a body and headers", function()
    local response = answer(function() return 201, "made", { location = "/x", ["X-Count"] = 3 } end)
    assert.same({ 201, "Created", "made", "/x", "3" },
      { response.status, response.reason, response.body, response.headers.location, response.headers["x-count"] })
    response = answer(function() return 404 end)
    assert.same({ 404, "Not Found", "", "0" },
      { response.status, response.reason, response.body, response.headers["content-length"] })
    assert.is_nil(response.headers["content-type"])
    response = answer(function() return 301, nil, { location = "/y" } end)
    assert.same({ 301, "/y", "" }, { response.status, response.headers.location, response.body })
    assert.same({ 599, "" }, { answer(function() return 599 end).status, answer(function() return 599 end).reason })
  end)

  it("is a table", function()
    local response = answer(function()
      return { status = 202, headers = { ["Content-Type"] = "text/html" }, body = "<p>" }
    end)
    assert.same({ 202, "text/html", "<p>" }, { response.status, response.headers["content-type"], response.body })
    assert.same({ 200, "" }, { answer(function() return {} end).status, answer(function() return {} end).body })
  end)

  it("has a body that is a number, or a list", function()
    assert.equal("42", answer(function() return 200, 42 end).body)
    assert.equal("1.5", answer(function() return { body = 1.5 } end).body)
    local response = answer(function() return { body = { "a", 1, "", "b" } } end)
    assert.same({ "a1b", "3" }, { response.body, response.headers["content-length"] })
    assert.same({ "" , "0" }, { answer(function() return { body = {} } end).body, "0" })
  end)

  it("has a big body in one piece", function()
    local text = ("0123456789abcdef"):rep(100000)
    local response = answer(function() return text end)
    assert.equal(#text, #response.body)
    assert.is_true(text == response.body)
    response = answer(function() return { body = { text, "!", text } } end)
    assert.is_true(text .. "!" .. text == response.body)
  end)

  it("repeats a header that is a list", function()
    local response = answer(function() return 200, "", { ["set-cookie"] = { "a=1", "b=2", 3 }, ["x-none"] = {} } end)
    local cookies = {}
    for _, line in ipairs(response.lines) do
      if line[1] == "set-cookie" then cookies[#cookies + 1] = line[2] end
    end
    assert.same({ "a=1", "b=2", "3" }, cookies)
    assert.is_nil(response.headers["x-none"])
  end)

  it("may bring a date, a server, a type and a length of its own, once", function()
    local response = answer(function()
      return 200, "abc", { Date = "yesterday", Server = "moon", ["content-type"] = "a/b", ["content-length"] = 3 }
    end)
    assert.same({ "yesterday", "moon", "a/b", "3" }, { response.headers.date, response.headers.server,
      response.headers["content-type"], response.headers["content-length"] })
  end)

  it("has headers of any size", function()
    local long = ("x"):rep(100000)
    local headers = {}
    for i = 1, 500 do headers["x-" .. i] = i end
    headers["x-long"] = long
    local response = answer(function() return 200, "body", headers end)
    assert.is_true(long == response.headers["x-long"])
    assert.equal("500", response.headers["x-500"])
    assert.equal("body", response.body)
  end)

  it("closes the connection if it says so", function()
    local response = answer(function() return 200, "bye", { Connection = "Close" } end)
    assert.same({ "close", "bye" }, { response.headers.connection, response.body })
  end)

  it("has no body for HEAD, but its length", function()
    local response = answer(function() return "hello" end, "HEAD /")
    assert.same({ "5", "text/plain; charset=utf-8" },
      { response.headers["content-length"], response.headers["content-type"] })
    assert.equal("1000", answer(function() return 200, "", { ["content-length"] = 1000 } end, "HEAD /")
      .headers["content-length"])
    assert.equal("0", answer(function() return 404 end, "HEAD /").headers["content-length"])
    assert.equal("3", answer(function() return { body = { "a", "bc" } } end, "HEAD /").headers["content-length"])
  end)

  it("does not run a stream for HEAD, but closes it", function()
    local ran, closed = 0, 0
    local function body() ran = ran + 1 end
    assert.equal("chunked", answer(function() return { body = body } end, "HEAD /").headers["transfer-encoding"])
    local response = answer(function() return { body = body, headers = { ["content-length"] = 7 } } end, "HEAD /")
    assert.same({ "7" }, { response.headers["content-length"], response.headers["transfer-encoding"] })
    local object = setmetatable({ chunks = body }, { __close = function() closed = closed + 1 end })
    answer(function() return { body = object } end, "HEAD /")
    assert.same({ 0, 1 }, { ran, closed })
  end)

  it("has none for 204 and 304", function()
    for _, status in ipairs { 204, 304 } do
      local ran = false
      for _, body in ipairs { "text", function() ran = true end } do
        local response = answer(function() return status, body end)
        assert.same({ status, "" }, { response.status, response.body })
        assert.is_nil(response.headers["transfer-encoding"])
      end
      assert.is_false(ran)
    end
    assert.is_nil(answer(function() return 204 end).headers["content-length"])
    local response = answer(function() return 304, nil, { etag = '"x"', ["content-length"] = 500 } end)
    assert.same({ '"x"', "500" }, { response.headers.etag, response.headers["content-length"] })
  end)
end)

describe("a handler", function()
  it("is a function, or what can be called", function()
    local app = setmetatable({ name = "app" }, { __call = function(self, req) return self.name .. req.path end })
    for _, options in ipairs { false, { max_body = 1 } } do
      local server <close> = options and assert(http.serve("127.0.0.1:0", options, app))
        or assert(http.serve("127.0.0.1:0", app))
      assert.equal("app/x", raw.exchange(server.address, raw.get "/x", 1)[1].body)
    end
    for _, arguments in ipairs { {}, { {} }, { {}, {} }, { 5 }, { {}, "x" }, { { unknown = 1 }, print } } do
      local ok, message = pcall(http.serve, "127.0.0.1:0", table.unpack(arguments))
      assert.is_false(ok)
      assert.matches("bad argument", message)
    end
  end)

  it("cannot be had where the address is taken", function()
    local server <close> = assert(http.serve("127.0.0.1:0", print))
    local other, message, code = http.serve(server.address, print)
    assert.same({ nil, "listen " .. server.address .. ": address already in use", "EADDRINUSE" },
      { other, message, code })
  end)
end)

describe("what is no response", function()
  local function says(pattern, handler)
    local text = failure(handler)
    assert.matches(pattern, text)
    assert.matches("response_spec.lua", text)
    return text
  end

  it("is an error that says what was returned, and where", function()
    says("returned nothing", function() end)
    says("returned nil", function() return nil end)
    says('returned nil, "open /x: no such file"', function() return nil, "open /x: no such file", "ENOENT" end)
    says("returned a boolean", function() return true end)
    says("returned a function", function() return print end)
    says("the status 99", function() return 99 end)
    says("the status 101", function() return 101 end)
    says("the status 600", function() return { status = 600 } end)
    says("the status 200.5", function() return 200.5 end)
    says("the status abc", function() return { status = "abc" } end)
    says("a boolean", function() return 200, true end)
    says("as its body a userdata", function() return { body = io.stdout } end)
    says("a list with a table", function() return { body = { "a", {} } } end)
    says("a string", function() return 200, "", "headers" end)
    says("field 'haeders'", function() return { haeders = {} } end)
    says("field '1'", function() return { "text" } end)
    says("trailers", function() return { body = print, trailers = 1 } end)
  end)

  it("is a header that could break the framing", function()
    local function refused(headers, pattern)
      assert.matches(pattern, failure(function() return 200, "", headers end))
    end
    for _, byte in ipairs { "\r", "\n", "\0", "\127", "\1", "\r\n" } do
      refused({ ["x-a"] = "a" .. byte .. "b" }, "header 'x%-a' has a line break or another control")
      refused({ ["x" .. byte] = "a" }, "cannot be the name of a response header")
      refused({ ["x-a"] = { "fine", byte } }, "line break")
    end
    for _, name in ipairs { "", "a b", "a:", "(", "\xc3\xa4" } do refused({ [name] = "v" }, "cannot be the name") end
    refused({ [1] = "x: y" }, "a name that is a number")
    refused({ x = true }, "header 'x' is a boolean")
    refused({ x = { {} } }, "header 'x' is a table")
    for _, name in ipairs { "Transfer-Encoding", "keep-alive", "Upgrade", "proxy-connection" } do
      refused({ [name] = "chunked" }, "is not for a script to set")
    end
    refused({ connection = "keep-alive" }, "can only be 'close'")
    refused({ connection = "close\0" }, "control")
    refused({ ["content-length"] = "-1" }, "no number of bytes")
    refused({ ["content-length"] = "5" }, "says 5, but the body has 0")
    refused({ ["content-length"] = { 0, 0 } }, "only be there once")
    refused({ ["content-length"] = 0, ["Content-Length"] = 0 }, "only be there once")
    refused({ ["date"] = "a", ["Date"] = "b" }, "only be there once")
  end)

  it("does no harm to the requests beside it", function()
    local server <close> = serve(function(req)
      if req.path == "/bad" then error "oh" end
      return req.path
    end)
    local reports = errors()
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/1" .. raw.get "/bad" .. raw.get "/2")
    local list = client:responses(3)
    assert.same({ 200, 500, 200 }, { list[1].status, list[2].status, list[3].status })
    assert.same({ "/1", "/2" }, { list[1].body, list[3].body })
    test.eventually(function() return reports[1] end, 20)
    assert.matches("^GET /bad %(request %x+%-%d+%): .*: oh$", reports[1])
    assert.is_nil(list[2].body:find("oh", 1, true))
  end)
end)

describe("HTTP/1.0", function()
  it("gets an answer that ends with the connection, or a length where that is kept", function()
    local server <close> = serve(function(req)
      if req.path == "/stream" then return { body = function(write) write "ab" write "c" end } end
      return req.version
    end)
    local list, ending = raw.exchange(server.address, raw.request "GET / HTTP/1.0")
    assert.same({ "1.0", "close", "end" }, { list[1].body, list[1].headers.connection, ending })
    list, ending = raw.exchange(server.address, raw.request("GET / HTTP/1.0", nil, "Connection: keep-alive"):rep(2), 2)
    assert.same({ "1.0", "keep-alive", "open" }, { list[2].body, list[2].headers.connection, ending })
    list, ending = raw.exchange(server.address, raw.request("GET /stream HTTP/1.0", nil, "Connection: keep-alive"))
    assert.same({ "abc", "close", "end", 1 }, { list[1].body, list[1].headers.connection, ending, #list })
    assert.is_nil(list[1].headers["transfer-encoding"])
  end)
end)
