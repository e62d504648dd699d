-- What reads responses for the specs of neap.http must be right itself: against a server that says what the spec says.
local http = require "spec.support.http"
local sockets = require "spec.support.sockets"

-- A connection to a server that answers whatever comes with these bytes, and then closes if the spec wants that.
local function with(bytes, fn, stays)
  local server <close> = sockets.listen(function(conn)
    conn:read()
    for i = 1, #bytes do conn:write(bytes:sub(i, i)) end
    if stays then conn:read "a" end
  end)
  local client <close> = http.connect(server.address)
  client:send "."
  fn(client)
end

describe("spec.support.http", function()
  it("writes requests", function()
    assert.equal("GET /a HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\r\n", http.get("/a", "A: b"))
    assert.equal("GET / HTTP/1.1\r\nhost: x\r\n\r\n", http.get("/", "host: x"))
    assert.equal("GET / HTTP/1.0\r\n\r\n", http.request "GET / HTTP/1.0")
    assert.equal("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi", http.post("/", "hi"))
    assert.equal("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n",
      http.post("/", http.chunked({ "hi" }, { "A: b" }), "Transfer-Encoding: chunked"))
  end)

  it("reads a body by length, by chunks, until the end, and none", function()
    local text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\nhello"
      .. "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. "3\r\nabc\r\nA\r\n0123456789\r\n0\r\nSum: 1\r\n\r\n"
      .. "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.0 200 OK\r\n\r\nthe rest"
    with(text, function(client)
      local first, second, third, last = table.unpack(client:responses(4))
      assert.same({ "1.1", 200, "OK", "hello" }, { first.version, first.status, first.reason, first.body })
      assert.same({ ["content-length"] = "5", ["set-cookie"] = "a, b" }, first.headers)
      assert.same({ { "Content-Length", "5" }, { "Set-Cookie", "a" }, { "set-cookie", "b" } }, first.lines)
      assert.same({ 404, "Not Found", { 100 } }, { second.status, second.reason, second.interim })
      assert.same({ "abc", "0123456789" }, second.pieces)
      assert.same({ sum = "1" }, second.trailers)
      assert.same({ 204, "" }, { third.status, third.body })
      assert.same({ "1.0", "the rest" }, { last.version, last.body })
      assert.equal("end", client:expect_closed())
    end)
  end)

  it("knows that the answer to a HEAD has no body", function()
    with("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", function(client)
      assert.equal("", client:response({ head = true }).body)
      assert.equal("x", client:response().body)
    end)
  end)

  it("reads piece by piece", function()
    with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nT: u\r\n\r\n", function(client)
      local head = client:head()
      assert.same({ "a", "bc" }, { client:chunk(), client:chunk() })
      assert.is_nil(client:chunk())
      assert.same({ t = "u" }, head.trailers)
    end)
  end)

  it("sends in pieces that do not arrive together", function()
    local pieces = {}
    local server <close> = sockets.listen(function(conn)
      for piece in conn:chunks() do pieces[#pieces + 1] = piece end
    end)
    local client <close> = http.connect(server.address)
    client:send_split("abcdef", 1, 4)
    client:settle()
    client:send_split "xyz"
    client:settle()
    assert.same({ "a", "bcd", "ef", "x", "y", "z" }, pieces)
  end)

  it("splits at every position", function()
    local server <close> = sockets.listen(function(conn)
      local first = conn:read()
      conn:write(("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n%s-%s"):format(first, conn:read()))
    end)
    local seen = {}
    http.at_every_split(server.address, "abc", function(client, at) seen[at] = client:response().body end)
    assert.same({ "a-bc", "ab-c" }, seen)
  end)

  it("tells how a connection goes on", function()
    local server <close> = sockets.listen(function(conn)
      for line in conn:lines() do
        if line:find "^GET /end" then return conn:write "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" end
        if line:find "^GET" then conn:write "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" end
      end
    end)
    local client <close> = http.connect(server.address)
    assert.equal(200, client:expect_in_step().status)
    local list, how = http.exchange(server.address, http.get "/" .. http.get "/end")
    assert.same({ 200, 400, "end" }, { list[1].status, list[2].status, how })
    list, how = http.exchange(server.address, http.get "/" .. http.get "/", 2)
    assert.same({ 2, "open" }, { #list, how })
    client:send(http.get "/")
    local _, message = pcall(client.expect_in_step, client)
    assert.matches("more than the answers", message)
  end)

  for what, bytes in pairs {
    ["no status line"] = "HTTP/2 200 OK\r\n\r\n",
    ["a line without CR"] = "HTTP/1.1 200 OK\n\n",
    ["no header"] = "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    ["a length and a transfer coding"] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ["unknown coding"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    ["no length"] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
    ["204 with framing"] = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    ["2 bytes are missing (end)"] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
    ["no size of a chunk"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    ["a chunk does not end"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc0\r\n\r\n",
    ["no whole line (end)"] = "HTTP/1.1 200 OK\r\nA: b",
  } do
    it("refuses " .. what, function()
      with(bytes, function(client)
        local _, message = pcall(function() assert.is_nil(client:response()) end)
        assert.matches("http_spec.lua:%d+: " .. what:gsub("%p", "%%%0"), message)
      end)
    end)
  end

  it("notices that a connection stays open, or still speaks", function()
    with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", function(client)
      client.limit = 0.01
      client:response()
      local _, message = pcall(client.expect_closed, client)
      assert.matches("not closed: ETIMEDOUT", message)
    end, true)
    with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1", function(client)
      client:response()
      local _, message = pcall(client.expect_closed, client)
      assert.matches("still speaks", message)
    end)
  end)
end)
