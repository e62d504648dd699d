-- Handlers that take too long, on a clock that jumps.
local http, middleware, timer = require "neap.http", require "neap.http.middleware", require "neap.timer"
local neap, test = require "neap", require "neap.test"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local timeout, ask, refuses = middleware.timeout, support.ask, support.refuses

local function app_with(seconds, handler)
  local app = http.router()
  app:get("/", timeout(seconds), handler)
  app:get("/in-step", function() return "in step" end)
  return app
end

describe("timeout", function()
  it("lets through what is there in time, whatever it is", function()
    local clock <close> = test.clock()
    local app = app_with(2, function()
      timer.sleep(1.999)
      return 201, "late", { ["x-a"] = "b" }
    end)
    local response = ask(app, raw.get "/")
    assert.same({ 201, "late", "b" }, { response.status, response.body, response.headers["x-a"] })
    assert.equal(1.999, clock:now())
  end)

  it("answers 503 at that moment, cleans up, and keeps the connection", function()
    local clock <close> = test.clock()
    local cleaned
    local app = app_with(2, function()
      local _ <close> = setmetatable({}, { __close = function() cleaned = clock:now() end })
      timer.sleep(10)
      return "never"
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address, { limit = 1000 })
    client:send(raw.get "/")
    local response = client:response()
    assert.same({ 503, "Service Unavailable\n", 2.0 }, { response.status, response.body, cleaned })
    assert.equal("in step", client:expect_in_step().body)
  end)

  it("leaves a body alone that is made while it is sent", function()
    local clock <close> = test.clock()
    local count = 0
    local app = app_with(2, function()
      return { body = function()
        timer.sleep(1.5)
        count = count + 1
        return count <= 3 and "x" or nil
      end }
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address, { limit = 1000 })
    client:send(raw.get "/")
    assert.equal("xxx", client:response().body)
    assert.equal(6.0, clock:now())
  end)

  it("ends the wait for a body that does not come, and what comes later is no request", function()
    local clock <close> = test.clock()
    local given = 0
    local app = http.router()
    app:post("/body", timeout(2), function(req) return req:body() end)
    app:post("/chunks", timeout(2), function(req)
      for _ in req:chunks() do given = given + 1 end
    end)
    app:get("/in-step", function() return "in step" end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    for _, path in ipairs { "/body", "/chunks" } do
      local client <close> = raw.connect(server.address, { limit = 1000 })
      client:send("POST " .. path .. " HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n12345")
      assert.equal(503, client:response().status)
      client:send "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" -- 35 bytes: the rest of the body
      assert.equal("in step", client:expect_in_step().body)
    end
    assert.equal(1, given)
    assert.truthy(clock:now() >= 4)
  end)

  it("closes what the handler has opened, also where many are late at once", function()
    local _ <close> = test.clock()
    local open = 0
    local app = app_with(2, function()
      open = open + 1
      local _ <close> = setmetatable({}, { __close = function()
        timer.sleep(0.5) -- it may wait
        open = open - 1
      end })
      neap.group(function(group)
        for _ = 1, 3 do group:go(function() timer.sleep(100) end) end
      end)
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = neap.go(function()
        local client <close> = raw.connect(server.address, { limit = 1000 })
        client:send(raw.get "/")
        return client:response().status
      end)
    end
    for i = 1, 20 do assert.equal(503, (tasks[i]:join())) end
    test.eventually(function() return open == 0 end)
  end)

  it("is the shorter one of two", function()
    local clock <close> = test.clock()
    for _, pair in ipairs { { 1, 5 }, { 5, 1 } } do
      local app, before = http.router(), clock:now()
      app:get("/", timeout(pair[1]), timeout(pair[2]), function() timer.sleep(10) end)
      assert.equal(503, ask(app, raw.get "/").status)
      assert.equal(1.0, clock:now() - before)
    end
  end)

  it("ends with a client that leaves", function()
    local cancelled = false
    local app = app_with(60, function()
      local _ <close> = setmetatable({}, { __close = function() cancelled = true end })
      timer.sleep(30)
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    do
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/")
      client:settle()
    end
    test.eventually(function() return cancelled end)
  end)

  it("lets errors through, and they say where they came from", function()
    local told, trace
    neap.on_error(function(message, text) told, trace = message, text end)
    local _ <close> = setmetatable({}, { __close = function() neap.on_error(nil) end })
    local function deep_inside() error "a mistake" end
    local app = app_with(2, function()
      deep_inside()
      return "never"
    end)
    assert.equal(500, ask(app, raw.get "/").status)
    test.eventually(function() return told end)
    assert.truthy(told:find("timeout_spec.lua:%d+: a mistake\nstack traceback:.*deep_inside"))
    assert.truthy(trace)
    app = app_with(2, function() error { code = 5 } end)
    told = nil
    assert.equal(500, ask(app, raw.get "/").status)
    test.eventually(function() return told end)
    assert.same({ code = 5 }, told)
  end)

  it("lets a body that was refused be the client's fault", function()
    local app = http.router()
    app:post("/", timeout(2), middleware.body_limit(3), function(req) return assert(req:body()) end)
    assert.equal(413, ask(app, raw.request("POST /", raw.chunked { "1234" }, "Transfer-Encoding: chunked")).status)
  end)

  it("refuses what is no time, at the caller's line", function()
    for _, value in ipairs { 0, -1, "1", {}, 0 / 0, math.huge, 1e10 } do
      refuses("bad argument #1 to 'timeout' (seconds must be a number above 0", timeout, value)
    end
  end)
end)
