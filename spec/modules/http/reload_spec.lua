-- A server whose program is replaced while it answers: the owner is the request.
local neap = require "neap"
local load = require "spec.support.http_reload"
local raw = require "spec.support.http"
local start_app = require "spec.support.app"

local function version(text)
  return 'http = require "neap.http" gate = hot.state "gate" ' .. text
end

-- A version that answers with its name; /wait waits for the gate, /stream streams until it opens.
local function named(name, options)
  return version(([[
    local name = %q
    server = assert(http.serve("127.0.0.1:0", { %s }, function(req)
      if req.path == "/wait" then
        say(name, "waits")
        while not gate.open do timer.sleep(0.001) end
      elseif req.path == "/stream" then
        return { body = function(write)
          while not gate.open do
            write(name)
            timer.sleep(0.001)
          end
          write "end"
        end }
      elseif req.path == "/body" then
        return name .. #assert(req:body())
      elseif req.path == "/upload" then
        local size = 0
        for piece in req:chunks { limit = 1 << 30 } do
          size = size + #piece
          say "piece"
        end
        return name .. size
      end
      return name
    end))]]):format(name, options or ""))
end

local function connect(app)
  return raw.connect(app:eval "return server.address")
end

local function ask(client, target)
  client:send(raw.get(target or "/"))
  return client:response().body
end

describe("a server that is reloaded", function()
  it("guarantee 4, 5: refuses nobody, closes nothing, fails nothing, misses no version, with broken ones", function()
    local result = load(20, 5, 40, 4) -- bench/reload/run: 100
    assert.equal(0, result.errors, result.message)
    assert.same({ 0, 41, 10 }, { result.back, result.seen, result.broken })
    assert.is_true(result.asked > 100)
  end)

  it("guarantee 6, 7: ends what is in flight in the code it began in; the next request runs the new code", function()
    local app <close> = start_app(named "v1")
    local waits <close> = connect(app)
    local streams <close> = connect(app)
    local rests <close> = connect(app)
    assert.equal("v1", ask(rests))
    waits:send(raw.get "/wait" .. raw.get "/")
    app:hears "v1 waits"
    streams:send(raw.get "/stream")
    streams:head()
    assert.equal("v1", streams:chunk())
    assert(app:reload(named "v2"))
    assert.equal("v2", ask(rests))
    for _ = 1, 50 do assert.equal("v1", streams:chunk()) end
    app:eval "gate.open = true"
    assert.equal("v1", waits:response().body)
    assert.equal("v2", waits:response().body) -- it has waited in its connection
    assert.matches("^[v1]*end$", streams:rest())
    assert.equal("v2", ask(streams))
    assert.equal("v2", ask(waits))
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 6: ends an upload in the code it began in", function()
    local app <close> = start_app(named "v1")
    local client <close> = connect(app)
    client:send(raw.request("POST /upload", nil, "Content-Length: 300000") .. ("x"):rep(100000))
    app:hears "piece"
    assert(app:reload(named "v2"))
    client:send(("x"):rep(200000) .. raw.get "/")
    assert.equal("v1300000", client:response().body)
    assert.equal("v2", client:response().body)
    app:forgets_old()
    app:ends()
  end)

  it("shows what pins its old version", function()
    local app <close> = start_app(named "v1")
    local client <close> = connect(app)
    client:send(raw.get "/stream")
    client:head()
    assert(app:reload(named "v2"))
    local old = app:status().generations[1]
    assert.same({ 1, "draining", 1, "request" }, { old.id, old.state, #old.tasks, old.tasks[1].name })
    assert.matches("^app.lua:%d+$", old.tasks[1].where)
    client:close() -- it leaves: nothing pins it any more
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 6: ends what is in flight too long: a stream lets its old version go after drain_timeout", function()
    local app <close> = start_app(named("v1", "drain_timeout = 0.02"))
    local streams <close> = connect(app)
    local waits <close> = connect(app)
    streams:send(raw.get "/stream")
    streams:head()
    waits:send(raw.get "/wait")
    app:hears "v1 waits"
    assert(app:reload(named "v2"))
    assert.is_false((pcall(streams.rest, streams)))
    assert.equal(503, waits:response().status)
    waits:expect_closed()
    app:forgets_old()
    app:ends()
  end)

  it("has the limits of the new version, also for connections that were there", function()
    local app <close> = start_app(named("v1", "max_body = 10, max_headers = 5"))
    local one <close> = connect(app)
    local two <close> = connect(app)
    local three <close> = connect(app)
    one:send(raw.post("/body", ("x"):rep(11)))
    assert.equal(413, one:response().status)
    for _, client in ipairs { two, three } do assert.equal("v1", ask(client)) end
    assert(app:reload(named("v2", "max_body = 20, max_headers = 3, max_requests = 3")))
    two:send(raw.post("/body", ("x"):rep(11)))
    assert.equal("v211", two:response().body)
    two:send(raw.get "/")
    assert.equal("close", two:response().headers.connection)
    two:expect_closed()
    three:send(raw.get("/", "A: 1", "B: 2", "C: 3"))
    assert.equal(431, three:response().status)
    app:forgets_old()
    app:ends()
  end)

  it("counts the connections of an address over versions, also those that were not counted before", function()
    local app <close> = start_app(named "v1")
    local function status()
      local client = connect(app)
      client:send(raw.get "/")
      return client:response().status, client
    end
    local _, one = status()
    local _, two = status()
    assert(app:reload(named("v2", "max_connections_per_client = 3")))
    local good, three = status()
    local bad, four = status()
    assert.same({ 200, 503 }, { good, bad })
    assert(app:reload(named("v3", "max_connections_per_client = 2")))
    assert.equal("v3", ask(three)) -- who is there stays
    assert.equal(503, (status()))
    one:close()
    two:close()
    app:eval "while server.connections > 1 do timer.sleep(0.001) end"
    assert.equal(200, (status()))
    for _, client in ipairs { three, four } do client:close() end
    app:ends()
  end)

  it("but a head that has begun goes by those it has begun with", function()
    local app <close> = start_app(named("v1", "max_headers = 5, max_header_size = 300"))
    local few <close> = connect(app)
    local many <close> = connect(app)
    local long <close> = connect(app)
    for _, client in ipairs { few, many, long } do
      assert.equal("v1", ask(client))
      client:send("GET / HTTP/1.1\r\nHost: x\r\nA: " .. ("a"):rep(100) .. "\r\n")
      client:settle(0.01)
    end
    assert(app:reload(named("v2", "max_headers = 100, max_header_size = 64")))
    few:send "B: 2\r\nC: 3\r\n\r\n"
    assert.equal("v2", few:response().body)
    many:send(("B: 2\r\n"):rep(10) .. "\r\n")
    assert.equal(431, many:response().status)
    long:send(("x"):rep(300))
    assert.equal(431, long:response().status)
    few:send(raw.get("/", "A: " .. ("a"):rep(100)))
    assert.equal(431, few:response().status)
    app:ends()
  end)

  it("has its time limits, too", function()
    local app <close> = start_app(named("v1", "idle_timeout = 60, header_timeout = 60"))
    local client <close> = raw.connect(app:eval "return server.address", { limit = 10 }) -- it is told
    assert.equal("v1", ask(client))
    assert(app:reload(named("v2", "idle_timeout = 0.001")))
    client:expect_closed()
    app:ends()
  end)

  it("guarantee 5: closes its connections when it is gone: what rests soon, others after their answer", function()
    local app <close> = start_app(named "v1")
    local waits <close> = connect(app)
    local streams <close> = connect(app)
    local rests <close> = connect(app)
    local fresh <close> = connect(app)
    local address = app:eval "return server.address"
    assert.equal("v1", ask(rests))
    waits:send(raw.get "/wait")
    app:hears "v1 waits"
    streams:send(raw.get "/stream")
    streams:head()
    assert(app:reload "")
    fresh:expect_closed()
    rests:expect_closed()
    local _, _, code = app:connect(address)
    assert.equal("ECONNREFUSED", code)
    app:eval "hot.state('gate').open = true"
    local response = waits:response()
    assert.same({ "v1", "close" }, { response.body, response.headers.connection })
    waits:expect_closed()
    assert.matches("^[v1]*end$", streams:rest())
    streams:expect_closed()
    for _, client in ipairs { fresh, rests, waits, streams } do client:close() end
    app:forgets_old()
    app:ends()
  end)

  it("answers a request that is on its way when it is gone", function()
    local app <close> = start_app(named "v1")
    local client <close> = connect(app)
    assert.equal("v1", ask(client))
    assert(app:reload "")
    client:send(raw.get "/")
    local response = client:response()
    assert.same({ "v1", "close" }, { response.body, response.headers.connection })
    client:expect_closed()
    client:close()
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 4: gives its address to net.listen, and takes it back", function()
    local app <close> = start_app(named "v1")
    local client <close> = connect(app)
    local address = app:eval "return server.address"
    assert.equal("v1", ask(client))
    assert(app:reload [[
      server = net.listen("127.0.0.1:0", { line = function(conn, line) conn:write(line .. "!\n") end })]])
    assert.equal(address, app:eval "return server.address")
    assert.equal("hello!", app:ask(address, "hello"))
    client:expect_closed()
    local conn <close> = app:connect(address)
    conn:write "x\n"
    assert.equal("x!", conn:read "l")
    assert(app:reload(named "v3"))
    assert.equal(address, app:eval "return server.address")
    local other <close> = connect(app)
    assert.equal("v3", ask(other))
    assert.is_nil(conn:read { timeout = 20 })
    app:forgets_old()
    app:ends()
  end)

  it("stays as it is when the new version fails", function()
    local app <close> = start_app(named "v1")
    local client <close> = connect(app)
    client:send(raw.get "/wait")
    app:hears "v1 waits"
    for _, text in ipairs { "error 'oh'", "x = (", "http.serve(':0', 5)", "http.serve(':0', { x = 1 }, print)" } do
      assert.is_nil((app:reload(named "v2" .. " " .. text)))
    end
    app:eval "gate.open = true"
    assert.equal("v1", client:response().body)
    assert.equal("v1", ask(client))
    assert.equal(1, #app:status().generations)
    app:ends()
  end)

  it("gives a handler's background to its request, over the reload", function()
    local app <close> = start_app(version [[
      server = http.serve("127.0.0.1:0", function()
        neap.go(function()
          while not gate.open do timer.sleep(0.001) end
          say "done"
        end)
        return "ok"
      end)]])
    local client <close> = connect(app)
    assert.equal("ok", ask(client))
    assert(app:reload(named "v2"))
    assert.equal("v2", ask(client))
    assert.equal(2, #app:status().generations)
    app:eval "gate.open = true"
    app:hears "done"
    app:forgets_old()
    app:ends()
  end)

  it("ends what rests when it was closed, and the version that was to follow has failed", function()
    local app <close> = start_app(named "v1")
    local client <close> = connect(app)
    assert.equal("v1", ask(client))
    local reload = neap.go(function()
      return (app:reload(named "v2" .. [[
        say "prepared"
        while not gate.open do timer.sleep(0.001) end
        error "no"]]))
    end)
    app:hears "prepared"
    app:eval "server:close()"
    assert.equal("v1", ask(client)) -- somebody is to follow
    app:eval "gate.open = true"
    assert.is_falsy(reload:join())
    client:expect_closed()
    app:ends()
  end)

  it("guarantee 12: leaves nothing behind", function()
    local app <close> = start_app(named "v1")
    local client <close> = connect(app)
    ask(client)
    assert(app:reload(named "v2"))
    assert.equal("v2", ask(client))
    app:forgets_old()
    local before = app:inventory()
    for i = 1, 10 do
      assert(app:reload(named("v" .. i)))
      assert.equal("v" .. i, ask(client))
    end
    app:forgets_old()
    app:settles((before:gsub("\n2 ", "\n12 ")))
    app:ends()
  end)
end)
