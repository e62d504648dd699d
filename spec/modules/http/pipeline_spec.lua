-- Requests that follow each other on one connection, or lie there already.
local neap, http, timer = require "neap", require "neap.http", require "neap.timer"
local raw = require "spec.support.http"
local test = require "neap.test"

local MANY = os.getenv "NEAP_GC" == "stress" and 300 or 2000 -- a full collection for each allocation

local function echo(req)
  if req.path:find "slow" then timer.sleep(0.001) end
  if req.path:find "later" then
    for _ = 1, 3 do timer.sleep(0) end
  end
  if req.path:find "big" then return req.path .. ("x"):rep(70000) end
  if req.path:find "stream" then
    return { body = function(write)
      write(req.path)
      if req.path:find "wait" then timer.sleep(0) end
    end }
  end
  if req.path:find "body" then return req.path .. req:body() end
  return req.path
end

local function serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, handler or echo))
end

-- These requests in one write: the answers are in order, and the connection is in step.
local function ask(list)
  local server <close> = serve()
  local client <close> = raw.connect(server.address)
  local text = {}
  for i, line in ipairs(list) do
    text[i] = line:find "body" and raw.request("POST " .. line, ("b"):rep(i)) or raw.get(line)
  end
  local task = client:send_later(table.concat(text))
  for i, line in ipairs(list) do
    local response = client:response()
    assert.equal(line, response.body:sub(1, #line))
    if line:find "body" then assert.equal(line .. ("b"):rep(i), response.body) end
  end
  task:join()
  assert.equal("/in-step", client:expect_in_step().body)
  test.eventually(function() return server.requests == #list + 1 end, 20)
end

describe("pipelined requests", function()
  it("are answered in order: a hundred", function()
    local list = {}
    for i = 1, 100 do list[i] = "/" .. i end
    ask(list)
  end)

  it("are answered in order, fast and slow ones mixed", function()
    local kinds, list = { "/", "/slow", "/later", "/stream", "/stream-wait", "/body", "/body-slow", "/big" }, {}
    for i = 1, 200 do list[i] = kinds[i * 7 % #kinds + 1] .. i end
    ask(list)
  end)

  it("are answered in order, however they come", function()
    local server <close> = serve()
    local text = raw.get "/1" .. raw.post("/body2", "abc") .. raw.get "/slow3"
      .. raw.post("/body4", raw.chunked { "d", "ef" }, "Transfer-Encoding: chunked") .. "\r\n" .. raw.get "/5"
    raw.at_every_split(server.address, text, function(client)
      local bodies = {}
      for i, response in ipairs(client:responses(5)) do bodies[i] = response.body end
      assert.same({ "/1", "/body2abc", "/slow3", "/body4def", "/5" }, bodies)
    end)
  end)

  it("wait for a client that does not take the answers", function()
    local server <close> = serve()
    local client <close> = raw.connect(server.address)
    local sending = client:send_later(raw.get("/big"):rep(250))
    local last = -1
    test.eventually(function()
      local same = server.requests > 0 and server.requests == last
      last = server.requests
      for _ = 1, 20 do timer.sleep(0) end
      return same
    end, 20)
    assert.is_true(server.requests < 250)
    for _ = 1, 250 do assert.equal(70004, #client:response().body) end
    sending:join()
    client:expect_in_step()
  end)

  it("are served one at a time", function()
    local now, most = 0, 0
    local server <close> = serve(function()
      now = now + 1
      most = math.max(most, now)
      timer.sleep(0)
      now = now - 1
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.get("/"):rep(50))
    client:responses(50)
    assert.equal(1, most)
  end)

  it("do not keep others waiting", function()
    local server <close> = serve()
    local client <close> = raw.connect(server.address)
    local other <close> = raw.connect(server.address)
    client:send_later(raw.get("/x"):rep(MANY))
    other:send(raw.get "/other")
    assert.equal("/other", other:response().body)
    assert.is_true(server.requests < MANY)
    client:responses(MANY)
  end)

  it("end with one that asks for it, or whose answer does", function()
    local server <close> = serve(function(req)
      return 200, req.path, { connection = req.path == "/bye" and "close" or nil }
    end)
    local text = raw.get "/1" .. raw.get("/2", "Connection: close") .. raw.get "/3"
    local list, ending = raw.exchange(server.address, text)
    assert.same({ 2, "/2", "close" }, { #list, list[2].body, list[2].headers.connection })
    assert.is_true(ending == "end" or ending == "ECONNRESET")
    list = raw.exchange(server.address, raw.get "/1" .. raw.get "/bye" .. raw.get "/3")
    assert.same({ 2, "/bye", "close" }, { #list, list[2].body, list[2].headers.connection })
    list, ending = raw.exchange(server.address, raw.get("/1", "Connection: foo, CLOSE"))
    assert.same({ 1, "close", "end" }, { #list, list[1].headers.connection, ending })
    test.eventually(function() return server.connections == 0 end, 20)
  end)

  it("behind a body nobody has read are found", function()
    local server <close> = serve(function(req) return req.path end)
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/1", "abc") .. raw.post("/2", raw.chunked { "abc" }, "Transfer-Encoding: chunked")
      .. raw.post("/3", ("GET / HTTP/1.1\r\n"):rep(1000)) .. raw.get "/4")
    for i = 1, 4 do assert.equal("/" .. i, client:response().body) end
    client:expect_in_step()
  end)

  it("behind a long body nobody has read are not answered, but the answer arrives", function()
    local server <close> = serve(function(req) return req.path end)
    local list, ending = raw.exchange(server.address, raw.post("/1", ("x"):rep(3000000)) .. raw.get "/2")
    assert.same({ 1, "/1", "close" }, { #list, list[1].body, list[1].headers.connection })
    assert.is_true(ending == "end" or ending == "ECONNRESET")
    test.eventually(function() return server.connections == 0 end, 20)
  end)

  it("before a bad one are answered", function()
    local server <close> = serve()
    local list = raw.exchange(server.address, raw.get "/slow" .. raw.get "/2" .. "BAD\r\n\r\n" .. raw.get "/3")
    assert.same({ 3, "/slow", "/2", 400 }, { #list, list[1].body, list[2].body, list[3].status })
  end)

  it("leave each their own tasks, timers and errors behind", function()
    local ran = {}
    local failed = 0
    neap.on_error(function() failed = failed + 1 end)
    finally(function() neap.on_error(nil) end)
    local server <close> = serve(function(req)
      neap.go(function()
        timer.sleep(0)
        ran[#ran + 1] = req.path
      end)
      if req.path == "/2" then error "oh" end
      return req.path
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/1" .. raw.get "/2" .. raw.get "/3")
    local list = client:responses(3)
    assert.same({ 200, 500, 200 }, { list[1].status, list[2].status, list[3].status })
    client:expect_in_step()
    test.eventually(function() return #ran == 4 end, 20)
    table.sort(ran)
    assert.same({ "/1", "/2", "/3", "/in-step" }, ran)
    assert.equal(1, failed)
  end)
end)

describe("a client that has ended its side", function()
  -- Sends it all and ends its side: all answers, and how the connection then ended.
  local function ask_and_end(text, count, handler)
    local server <close> = serve(handler)
    local client <close> = raw.connect(server.address)
    local sending = neap.go(function()
      client:send(text)
      client.conn:shutdown()
    end)
    local list = client:responses(count)
    local ending = client:expect_closed()
    sending:join()
    test.eventually(function() return server.connections == 0 end, 20)
    return list, ending
  end

  it("gets all answers that need not wait for others", function()
    for _, path in ipairs { "/", "/stream", "/big", "/body" } do
      local request = path == "/body" and raw.post(path, "abc") or raw.get(path)
      local count = path == "/big" and 100 or 1000
      local list, ending = ask_and_end(request:rep(count), count)
      assert.same({ count, "end" }, { #list, ending }, path)
    end
  end)

  it("gets a long one whole", function()
    local piece = ("x"):rep(100000)
    local list, ending = ask_and_end(raw.get "/", 1, function()
      return 200, function(write)
        for _ = 1, 100 do write(piece) end
      end
    end)
    assert.same({ 1, 10000000, "end" }, { #list, #list[1].body, ending })
  end)

  it("is waited for only as long as it takes something", function()
    local ended, client
    local server <close> = serve(function()
      return 200, function(write)
        local guard <close> = setmetatable({}, { __close = function() ended = true end }) -- luacheck: ignore
        for _ = 1, 100 do write(("x"):rep(100000)) end
        timer.sleep(3600)
      end
    end)
    client = raw.connect(server.address)
    local _ <close> = client.conn
    client:send(raw.get "/")
    assert.truthy(client.conn:read { timeout = 20 })
    client.conn:shutdown()
    for _ = 1, 5 do timer.sleep(0) end
    assert.is_nil(ended)
    while client.conn:read { timeout = 20 } do end
    assert.is_true(ended)
    test.eventually(function() return server.connections == 0 end, 20)
  end)

  it("is reset where it could take a part for the whole", function()
    local server <close> = serve(function()
      return 200, function(write)
        write "half of it"
        timer.sleep(3600)
      end
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.request "GET / HTTP/1.0")
    assert.truthy(client.conn:read { timeout = 20 })
    client.conn:shutdown()
    local ending
    repeat
      local chunk, _, code = client.conn:read { timeout = 20 }
      ending = code
    until not chunk
    assert.equal("ECONNRESET", ending)
    test.eventually(function() return server.connections == 0 end, 20)
  end)
end)
