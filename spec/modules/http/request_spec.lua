-- What a handler sees of a request.
local neap, http, net, timer = require "neap", require "neap.http", require "neap.net", require "neap.timer"
local raw = require "spec.support.http"
local sockets = require "spec.support.sockets"
local test = require "neap.test"

local function serve(handler, address)
  return assert(http.serve(address or "127.0.0.1:0", handler))
end

-- What `look` makes of one request.
local function seen(look, request, address)
  local result
  local server <close> = serve(function(req)
    result = table.pack(look(req))
    return "ok"
  end, address)
  local client <close> = raw.connect(server.address)
  client:send(request or raw.get "/")
  assert.equal(200, client:response().status)
  return table.unpack(result, 1, result.n)
end

describe("a request", function()
  it("has a method, a target, a path and a version", function()
    local function look(req) return { req.method, req.target, req.path, req.version } end
    assert.same({ "GET", "/a%20b?x=1?y", "/a%20b", "1.1" }, seen(look, raw.get "/a%20b?x=1?y"))
    assert.same({ "DELETE", "/", "/", "1.1" }, seen(look, raw.request "DELETE /"))
    assert.same({ "OPTIONS", "*", "*", "1.1" }, seen(look, raw.request "OPTIONS *"))
    assert.same({ "PROPFIND", "/?", "/", "1.0" }, seen(look, raw.request "PROPFIND /? HTTP/1.0"))
  end)

  it("has the path of an absolute target, too", function()
    local function look(req) return { req.target, req.path, req.query.x or "none" } end
    local function expect(target, path, x)
      assert.same({ target, path, x }, seen(look, raw.get(target, "Host: " .. target:match "//([^/?]*)")))
    end
    expect("http://localhost/b/c?x=/1?2", "/b/c", "/1?2")
    expect("HTTPS://LocalHost/", "/", "none")
    expect("http://localhost", "/", "none")
    expect("http://localhost?x=1", "/", "1")
  end)

  it("has a query, decoded, the first of each name", function()
    local function query(text)
      return seen(function(req)
        assert(req.query == req.query)
        return req.query
      end, raw.get("/" .. text))
    end
    assert.same({}, query "")
    assert.same({}, query "?")
    assert.same({ a = "1", b = "x y", ["c d"] = "", e = "" }, query "?a=1&b=x+y&c%20d=&e")
    assert.same({ a = "1" }, query "?a=1&a=2&a=3")
    assert.same({ a = "=b", [""] = "c" }, query "?a==b&&=c&")
    assert.same({ a = "%", b = "%4", c = "%zz", d = "\xff\0A" }, query "?a=%&b=%4&c=%zz&d=%ff%00%41")
    assert.same({ ["a[]"] = "1", u = "\xc3\xa4" }, query "?a%5B%5D=1&u=%C3%A4")
  end)

  it("has lists of a name's values in the query", function()
    local function look(req)
      return { req:query_list "a", req:query_list "b", req:query_list "none", req:query_list "" }
    end
    assert.same({ { "1", "", "x y" }, { "2" }, {}, {} }, seen(look, raw.get "/?a=1&b=2&a&a=x+y"))
    assert.same({ {}, {}, {}, {} }, seen(look, raw.get "/"))
  end)

  it("has headers, in any case, repeated ones joined", function()
    local request = raw.get("/", "X-One:  1 ", "x-two: a", "X-TWO: b", "Cookie: a=1", "cookie: b=2", "X-Empty:")
    local headers, one, other, none, number = seen(function(req)
      assert(req.headers == req.headers)
      return req.headers, req.headers["X-ONE"], req.headers["x-One"], req.headers["x-none"], req.headers[1]
    end, request)
    assert.same({ "1", "1" }, { one, other })
    assert.is_nil(none)
    assert.is_nil(number)
    assert.same({ host = "localhost", ["x-one"] = "1", ["x-two"] = "a, b", cookie = "a=1; b=2", ["x-empty"] = "" },
      setmetatable(headers, nil))
  end)

  it("has one header without a table, and lists of them", function()
    local request = raw.get("/", "X-One: 1", "x-two: a", "X-TWO: b", "Cookie: a=1", "cookie: b=2")
    assert.same({ "1", "a, b", "a=1; b=2", "localhost" }, { seen(function(req)
      return req:header "x-one", req:header "X-Two", req:header "COOKIE", req:header "host", req:header "x"
    end, request) })
    assert.same({ { "1" }, { "a", "b" }, {} }, { seen(function(req)
      return req:header_list "x-one", req:header_list "X-Two", req:header_list "none"
    end, request) })
    assert.equal("nil", (seen(function(req) return tostring(req:header "none") end, request)))
    assert.is_false(seen(function(req) return (pcall(req.header, req, {})) end))
  end)

  it("has a hundred of them", function()
    local lines = {}
    for i = 1, 99 do lines[i] = ("X-%d: %d"):format(i, i) end
    assert.same({ "99", "1" }, { seen(function(req) return req:header "x-99", req.headers["x-1"] end,
      raw.get("/", table.unpack(lines))) })
  end)

  it("has a peer and an address", function()
    local near, peer, address
    local server <close> = serve(function(req)
      peer, address = req.peer, req.address
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    near = client.conn.address
    client:send(raw.get "/")
    client:response()
    assert.same({ near, server.address }, { peer, address })
  end)

  it("has an address of a Unix socket, and no peer", function()
    local name = sockets.unix()
    local address, peer = seen(function(req) return req.address, req.peer end, nil, name)
    assert.same({ name }, { address, peer })
  end)

  it("has an id, which no other has", function()
    local ids = {}
    local server <close> = serve(function(req)
      assert(req.id == req.id)
      ids[#ids + 1] = req.id
      return "ok"
    end)
    raw.exchange(server.address, raw.get "/" .. raw.get "/", 2)
    raw.exchange(server.address, raw.get "/", 1)
    assert.equal(3, #ids)
    for i = 1, 3 do assert.matches("^%x+%-%d+$", ids[i]) end
    assert.is_true(ids[1] ~= ids[2] and ids[2] ~= ids[3] and ids[1] ~= ids[3])
  end)

  it("keeps what a script puts there", function()
    assert.same({ "ann", "changed", "mine", 7 }, { seen(function(req)
      assert(req.user == nil)
      req.user = "ann"
      req.headers.host = "changed"
      req.path = "mine"
      req[1] = 7
      return req.user, req.headers.host, req.path, req[1]
    end) })
    assert.is_nil(seen(function(req) return req.user end))
  end)

  it("is there when it is over", function()
    local req, later
    local server <close> = serve(function(request)
      req = request
      neap.go(function() later = later or request.path .. request:header "x-a" end)
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    local near = client.conn.address
    client:send(raw.get("/path?a=1", "x-a: 1"))
    client:response()
    local same = { method = req.method, target = req.target, path = req.path, version = req.version, peer = req.peer,
      id = req.id, peer_again = req.peer }
    local id = req.id
    client:send(raw.get("/other", "x-a: 2")) -- another one lies where it lay
    client:response()
    client:close()
    collectgarbage()
    assert.same({ method = "GET", target = "/path?a=1", path = "/path", version = "1.1", peer = near,
      id = id, peer_again = near }, same)
    assert.equal("/path1", later)
  end)

  it("answers for all of its fields when its connection is gone", function()
    local requests = {}
    local server <close> = serve(function(req)
      requests[#requests + 1] = req
      if req.path == "/1" then assert(req.address) end -- it is kept, once it has been asked for
      return "ok"
    end)
    local near
    do
      local client <close> = raw.connect(server.address)
      near = client.conn.address
      client:send(raw.get("/1?a=1", "X-A: 1") .. raw.post("/2", "body"))
      client:responses(2)
    end
    test.eventually(function() return server.connections == 0 end, 20)
    collectgarbage()
    local first, second = table.unpack(requests)
    assert.same({ "GET", "/1?a=1", "/1", "1.1", "1", "1", "1" }, {
      first.method, first.target, first.path, first.version, first.query.a, first:header "x-a", first.headers["X-A"] })
    assert.same({ near, near, server.address }, { first.peer, second.peer, first.address })
    assert.is_nil(second.address)
    assert.same({ "", "" }, { first:body(), first:body() })
    assert.same({ nil, "request body: operation canceled", "ECANCELED" }, { second:body() })
    first.user = 1
    assert.equal(1, first.user)
  end)

  it("is told apart from what is none", function()
    local message = seen(function(req) return select(2, pcall(req.body, {})) end)
    assert.matches("neap.http.request expected", message)
  end)
end)

describe("a client that leaves", function()
  -- Starts a request whose handler waits in `wait`; ends the client with `leave`: what then happened to the handler.
  local function leave(how, wait, request)
    local began, ended, after
    local server <close> = serve(function(req)
      began = true
      local guard <close> = setmetatable({}, { __close = function() -- luacheck: ignore
        timer.sleep(0)
        ended = true
      end })
      wait(req)
      after = true
      return "too late"
    end)
    local client <close> = raw.connect(server.address)
    client:send(request or raw.get "/")
    test.eventually(function() return began end, 20)
    how(client)
    test.eventually(function() return ended end, 20)
    test.eventually(function() return server.connections == 0 end, 20)
    return after
  end
  local function finish(client) client:close() end
  local function reset(client) client:reset() end
  local function sleep() timer.sleep(3600) end

  it("cancels its handler", function()
    assert.is_nil(leave(finish, sleep))
    assert.is_nil(leave(reset, sleep))
  end)

  it("cancels it where it waits for the body, too", function()
    local request = raw.request("POST /", nil, "Content-Length: 10") .. "abc"
    local got
    local function body(req) got = { req:body() } timer.sleep(3600) end
    assert.is_nil(leave(finish, body, request))
    assert.is_nil(leave(reset, body, request))
    assert.is_nil(got)
  end)

  it("tells a task that has waited for the body in its place", function()
    local got
    local function body(req)
      neap.go(function() got = { req:body() } end)
      timer.sleep(3600)
    end
    assert.is_nil(leave(reset, body, raw.request("POST /", nil, "Content-Length: 10") .. "abc"))
    test.eventually(function() return got end, 20)
    assert.same({ nil, "request body: connection reset by peer", "ECONNRESET" }, got)
  end)

  it("does not cancel what its handler has started", function()
    local ran
    leave(finish, function()
      neap.go(function()
        for _ = 1, 5 do timer.sleep(0.001) end
        ran = true
      end)
      timer.sleep(3600)
    end)
    test.eventually(function() return ran end, 20)
  end)

  it("is noticed where several requests of it wait", function()
    local paths, ended = {}, false
    local server <close> = serve(function(req)
      paths[#paths + 1] = req.path
      if req.path ~= "/2" then return "ok" end
      local guard <close> = setmetatable({}, { __close = function() ended = true end }) -- luacheck: ignore
      timer.sleep(3600)
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/1" .. raw.get "/2" .. raw.get "/3")
    client:response()
    client:close()
    test.eventually(function() return ended end, 20)
    test.eventually(function() return server.connections == 0 end, 20)
    assert.same({ "/1", "/2" }, paths)
  end)
end)

describe("a connection", function()
  it("leaves nothing behind, whoever ends it", function()
    local before
    local server <close> = serve(function(req)
      return { headers = { connection = req.path == "/close" and "close" or nil } }
    end)
    for i = 1, 60 do
      local clients = {}
      for j = 1, 10 do
        clients[j] = raw.connect(server.address)
        clients[j]:send(raw.get(j % 2 == 0 and "/close" or "/"))
      end
      for j, client in ipairs(clients) do
        assert.equal(200, client:response().status)
        if j % 2 == 0 then client:expect_closed() end
        if j % 3 == 0 then client:reset() else client:close() end
      end
      test.eventually(function() return server.connections == 0 end, 20)
      if i == 10 then before = sockets.descriptors() end
    end
    test.eventually(function() return (sockets.descriptors() or 0) <= (before or 0) end, 20)
    assert.equal(600, server.requests)
  end)

  it("may send nothing, or blank lines, and go", function()
    local server <close> = serve(function() return "ok" end)
    for _, bytes in ipairs { "", "\r\n", "GET", "GET / HTTP/1.1\r\nHost:" } do
      local conn <close> = assert(net.connect(server.address))
      if bytes ~= "" then conn:write(bytes) end
      conn:shutdown()
      assert.is_nil(conn:read { timeout = 20 })
    end
    test.eventually(function() return server.connections == 0 end, 20)
    assert.equal(0, server.requests)
  end)
end)
