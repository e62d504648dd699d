-- What is said where something went wrong, in one place.
local http, middleware = require "neap.http", require "neap.http.middleware"
local timer = require "neap.timer"
local test = require "neap.test"
local raw, routes = require "spec.support.http", require "spec.support.routes"
local support = require "spec.support.middleware"
local errors = middleware.errors

-- Of a request: its status, its type, and what stands in it.
local function ask(app, request)
  local response = assert(app:request(request))
  local content = (response:header "content-type" or ""):find "json" and response:json() or response:body()
  return response.status, content
end

local function app_with(...)
  local app = http.router():use(errors(...))
  app:get("/tea", function() return "tea" end)
  app:get("/none", function() return 404, "there is no such tea\n" end)
  app:get("/bare", function() return 410 end)
  app:get("/own", function() return http.json({ mine = true }, 422) end)
  app:get("/bug", function(req) return req.tea.kind end)
  app:get("/thrown", function()
    error { status = 409, message = "taken", field = "name", errors = { name = "is taken" } }
  end)
  app:get("/away", function() error { status = 503, message = "the database is away" } end)
  app:get("/odd", function() error { status = 200 } end)
  app:post("/json", function(req) return http.json(assert(req:json { limit = 20 })) end)
  app:post("/form", function(req) return assert(req:form()).fields.a end)
  return app
end

describe("errors", function()
  it("makes JSON of what went wrong, with the status that it has", function()
    local reports = routes.reports_of_errors(finally)
    local app = app_with()
    local function says(status, detail, request)
      local response = app:request(request)
      local problem = response:json()
      assert.same({ status, detail }, { response.status, problem.detail })
      assert.same({ status, "application/problem+json" }, { problem.status, response:header "content-type" })
      return response
    end
    says(404, "Not Found", "/nothing")
    says(404, "there is no such tea", "/none")
    says(410, nil, "/bare")
    assert.same({ name = "is taken" }, says(409, "taken", "/thrown"):json().errors)
    local response = says(405, "Method Not Allowed", { method = "PUT", path = "/tea" })
    assert.equal("GET, HEAD, OPTIONS", response.headers.allow)
    says(400, "line 1, column 2: string or '}' expected near end of file",
      { method = "POST", path = "/json", body = "{" })
    says(413, "request body: message too long", { method = "POST", path = "/json", body = ("x"):rep(21) })
    says(415, "request form: it has no content-type", { method = "POST", path = "/form", body = "a=b" })
    assert.same({}, reports)
  end)

  it("leaves alone what says something itself, and what is no error", function()
    local app = app_with()
    assert.same({ 200, "tea" }, { ask(app, "/tea") })
    assert.same({ mine = true }, (select(2, ask(app, "/own"))))
    assert.equal(204, app:request({ method = "OPTIONS", path = "/tea" }).status)
  end)

  it("reports an error as ever, and tells the client its id alone", function()
    local reports = routes.reports_of_errors(finally)
    local app = app_with()
    local response = app:request "/bug"
    local problem = response:json()
    assert.same({ 500, nil, response:header "x-request-id" }, { response.status, problem.detail, problem.id })
    assert.matches("^GET /bug %(request " .. problem.id:gsub("%p", "%%%0")
      .. "%): .*errors_spec.lua:%d+: attempt to index", reports[1])
    assert.equal(500, (ask(app, "/odd")))
    local away, body = ask(app, "/away")
    assert.same({ 503, "the database is away" }, { away, body.detail })
    assert.equal(3, #reports)
  end)

  it("reports under the id that the client is told, too", function()
    local reports = routes.reports_of_errors(finally)
    local app = http.router():use(middleware.request_id { trust = true }, errors())
    app:get("/", function(req)
      if req.query.odd then req.id = "a b\n" end
      error "no"
    end)
    assert.equal("abc-1", app:request({ headers = { ["x-request-id"] = "abc-1" } }):json().id)
    local odd = app:request "/?odd=1"
    assert.equal(odd:json().id, odd:header "x-request-id")
    assert.matches("^GET / %(request abc%-1%): ", reports[1])
    assert.matches("^GET /%?odd=1 %(request " .. odd:json().id:gsub("%p", "%%%0") .. "%): ", reports[2])
    assert.equal(2, #reports)
  end)

  it("asks a function, whose answer has the status unless it has another", function()
    routes.reports_of_errors(finally)
    local seen = {}
    local app = app_with(function(req, problem)
      seen[#seen + 1] = problem
      if req.path == "/bare" then return nil end
      if req.path == "/none" then return 400, "changed", { allow = "nothing" } end
      if req.path == "/tea" then return "a text" end
      return http.html("<p>" .. problem.status)
    end)
    assert.same({ 404, "<p>404" }, { ask(app, "/nothing") })
    assert.equal("text/html; charset=utf-8", app:request("/nothing"):header "content-type")
    assert.same({ 400, "changed" }, { ask(app, "/none") })
    assert.same({ 405, "a text" }, { ask(app, { method = "PUT", path = "/tea" }) })
    assert.equal("GET, HEAD, OPTIONS", app:request({ method = "PUT", path = "/tea" }):header "allow")
    assert.same({ 410, "" }, { ask(app, "/bare") })
    assert.same({ 409, "<p>409" }, { ask(app, "/thrown") })
    assert.equal("name", seen[#seen].error.field)
    assert.same({ 500, "<p>500" }, { ask(app, "/bug") })
    assert.matches("attempt to index", seen[#seen].error)
    assert.is_nil(seen[#seen].message)
  end)

  it("says it plainly where the function does not", function()
    local reports = routes.reports_of_errors(finally)
    local app = app_with(function() return nil end)
    local response = app:request "/bug"
    assert.same({ 500, "", true }, { response.status, response:body(), response:header "x-request-id" ~= nil })
    assert.same({ 409, "taken\n" }, { ask(app, "/thrown") })
    assert.same({ 413, "request body: message too long\n" },
      { ask(app, { method = "POST", path = "/json", body = ("x"):rep(21) }) })
    assert.equal(1, #reports)
  end)

  it("does not hide an error of the function, nor what it should not have returned", function()
    local reports = routes.reports_of_errors(finally)
    local app = http.router():use(errors(function(req, problem)
      if req.path == "/a" then error("in " .. problem.status, 0) end
      return true
    end))
    assert.equal(500, (ask(app, "/a")))
    assert.equal(500, (ask(app, "/b")))
    test.eventually(function() return reports[2] end, 20)
    assert.matches("in 404$", reports[1])
    assert.matches("the handler %(.*errors_spec.lua:%d+%) returned a boolean", reports[2])
  end)

  it("is asked for what middleware behind it refuses, and keeps its headers", function()
    local app = http.router():use(errors()):use(middleware.timeout(0.01))
    app:get("/slow", function() timer.sleep(60) end)
    app:get("/in", middleware.basic_auth { users = { ada = "x" } }, function() return "in" end)
    app:post("/late", function(req) return assert(req:json { limit = 20 }) end)
    assert.equal("Service Unavailable", app:request("/slow"):json().detail)
    assert.equal("request body: message too long", -- and no traceback
      app:request({ method = "POST", path = "/late", body = ("x"):rep(21) }):json().detail)
    local response = app:request "/in"
    assert.same({ 401, "Unauthorized" }, { response.status, response:json().detail })
    assert.matches("Basic", response:header "www-authenticate")
  end)

  it("lets its neighbours add to the answer, and keeps the connection", function()
    routes.reports_of_errors(finally)
    local app = http.router():use(middleware.cors()):use(errors())
    app:get("/bug", function() error "no" end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/bug" .. raw.request("GET /bug", nil, "Origin: https://a.example"))
    client:response()
    assert.equal("*", client:response().headers["access-control-allow-origin"])
  end)

  it("has nothing to say to a client that has left", function()
    local reports, ended = routes.reports_of_errors(finally), nil
    local app = http.router():use(errors(function() ended = "asked" end))
    app:get("/", function()
      local _ <close> = setmetatable({}, { __close = function() ended = "left" end })
      timer.sleep(60)
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client = raw.connect(server.address)
    client:send(raw.get "/")
    test.eventually(function() return server.requests == 1 end, 20)
    client:close()
    test.eventually(function() return ended end, 20)
    assert.same({ "left" , {} }, { ended, reports })
  end)

  it("takes errors of any kind, and texts of any bytes", function()
    local reports = routes.reports_of_errors(finally)
    local function evil() error "evil" end
    local raised = {
      setmetatable({}, { __index = evil }),
      setmetatable({ status = 404, message = "a \xff\n" }, { __index = evil }),
      setmetatable({}, { __index = { status = 409, message = "of a class" } }),
      { status = 600 }, { status = "404" }, { status = 404.0, message = {} },
    }
    local app = http.router():use(errors()):get("/:n", function(req) error(raised[tonumber(req.params.n)]) end)
    app:get("/bytes", function() return 400, "\xff" end)
    local seen = {}
    for i = 1, #raised do
      local status, problem = ask(app, "/" .. i)
      seen[i] = status .. " " .. (problem.detail or "")
    end
    assert.same({ "500 ", "404 a ?\n", "409 of a class", "500 ", "500 ", "404 " }, seen)
    assert.equal("?", select(2, ask(app, "/bytes")).detail)
    assert.equal(3, #reports)
  end)

  it("tells what is wrong with a body, and not what a handler makes of its lack", function()
    local app = http.router():use(errors())
    app:post("/index", function(req) return req:json { limit = 5 }.name end)
    app:post("/raised", function(req) error((select(2, req:json { limit = 5 }))) end)
    app:post("/own", function(req) return req:json { limit = 5 } or error("no order", 0) end)
    local function detail(path)
      return select(2, ask(app, { method = "POST", path = path, body = "x 'a:1: b'" })).detail
    end
    assert.same({ nil, "request body: message too long", "no order" },
      { detail "/index", detail "/raised", detail "/own" })
    app:post("/json", function(req) error((select(2, req:json()))) end)
    assert.matches("^line 1, column 1: ", detail "/json")
  end)

  it("keeps what does not speak of the body, and each cookie", function()
    local ended = {}
    local function ends(what) return function() ended[#ended + 1] = what end end
    local app = http.router():use(errors(function()
      return { status = 200, body = "sorry", headers = { ["set-cookie"] = "b=2", vary = "accept" }, after = ends "new" }
    end))
    app:get("/", function()
      return { status = 404, body = "no", after = ends "old", headers = {
        ["set-cookie"] = { "a=1", "c=3" }, vary = "origin", etag = '"x"', ["content-language"] = "en",
        ["content-security-policy"] = "default-src 'none'", ["content-type"] = "text/plain",
      } }
    end)
    app:get("/packed", function() return 404, "\x1f\x8b", { ["content-encoding"] = "gzip" } end)
    local response = app:request "/"
    assert.same({ 404, "sorry", "default-src 'none'" },
      { response.status, response:body(), response:header "content-security-policy" })
    assert.same({ "a=1, c=3, b=2", "origin, accept" }, { response:header "set-cookie", response:header "vary" })
    assert.same({}, { response:header "etag", response:header "content-language" })
    test.eventually(function() return ended[2] end, 20)
    assert.same({ "new", "old" }, ended)
    assert.same({ 404, "\x1f\x8b" }, { ask(app, "/packed") })
  end)

  it("gets from development what is meant for the client, and its pages", function()
    local reports = routes.reports_of_errors(finally)
    local app, other = http.router():use(errors()), http.router()
    for _, router in ipairs { app, other } do
      router:use(middleware.development { force = true })
      router:get("/taken", function() error { status = 409, message = "taken" } end)
      router:get("/bug", function() error { status = 503, message = "away" } end)
    end
    assert.same({ status = 409, detail = "taken" }, select(2, ask(app, "/taken")))
    assert.same({}, reports)
    local page = app:request { path = "/bug", headers = { accept = "text/html" } }
    assert.same({ 500, "text/html; charset=utf-8" }, { page.status, page:header "content-type" })
    assert.matches("^%(error object is a table value%): away\n", app:request("/bug"):body()) -- as text
    assert.equal(500, (ask(other, "/taken"))) -- as without it
    assert.equal(3, #reports)
  end)

  it("takes a function, or nothing", function()
    support.refuses("bad argument #1 to 'errors' (function expected, got table)", errors, {})
  end)
end)
