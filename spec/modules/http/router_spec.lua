-- http.router: which handler a request comes to, and what it finds there.
local http, test = require "neap.http", require "neap.test"
local support = require "spec.support.routes"
local body_of, answers, says, params = support.body_of, support.answers, support.says, support.params
local fails, reports_of_errors = support.fails, support.reports_of_errors

describe("a router", function()
  it("goes by method and path", function()
    local app = http.router()
    for _, method in ipairs { "get", "post", "put", "patch", "delete", "options" } do
      app[method](app, "/x", says(method))
    end
    app:route("PROPFIND", "/x", says "propfind"):any("/y", says "any")
    for _, method in ipairs { "get", "post", "put", "patch", "delete", "options", "propfind" } do
      assert.equal(method, body_of(app, "/x", method:upper()))
      assert.equal("any", body_of(app, "/y", method:upper()))
    end
  end)

  it("answers HEAD by the handler for GET, unless there is one", function()
    local app = http.router():get("/a", function() return 200, "four", { ["x-of"] = "get" } end)
    app:get("/b", says "b"):head("/b", function() return 204 end)
    local response = app:request { path = "/a", method = "HEAD" }
    assert.same({ 200, "get", "4" }, { response.status, response.headers["x-of"], response.headers["content-length"] })
    assert.equal(204, app:request({ path = "/b", method = "HEAD" }).status)
  end)

  it("answers itself what has no route", function()
    local app = http.router():get("/a", says "a"):post("/a", says "a"):delete("/:x", says "x"):mount("/m", says "m")
    assert.same({ 404, nil }, { answers(app, "/a/b") })
    assert.same({ 405, "DELETE, GET, HEAD, OPTIONS, POST" }, { answers(app, "/a", "PUT") })
    assert.same({ 204, "DELETE, GET, HEAD, OPTIONS, POST" }, { answers(app, "/a", "OPTIONS") })
    assert.same({ 204, "DELETE, GET, HEAD, OPTIONS, POST" }, { answers(app, "*", "OPTIONS") })
    assert.same({ 404, nil }, { answers(app, "/a/b", "OPTIONS") })
    assert.same({ 404, nil }, { answers(http.router(), "/") })
    assert.same({ 204, "OPTIONS" }, { answers(http.router(), "*", "OPTIONS") })
  end)

  it("gives what stands for the names of a path, decoded", function()
    local app = http.router()
    app:get("/a/:x", params "x"):get("/a/:x/b/:y", params("x", "y")):get("/f/*rest", params "rest")
    assert.equal("1", body_of(app, "/a/1"))
    assert.equal("a b/c|%zz+", body_of(app, "/a/a%20b%2Fc/b/%zz+"))
    assert.equal("d/e f/", body_of(app, "/f/d/e%20f/"))
    assert.equal("", body_of(app, "/f/"))
    assert.equal("1", body_of(app, "/a/1?x=2"))
    assert.equal(404, answers(app, "/a/"))
    assert.equal(404, answers(app, "/f"))
  end)

  it("gives an empty table where there are no names, and the pattern in any case", function()
    local app = http.router()
    app:get("/", function(req) return type(req.params) .. tostring(next(req.params)) .. req.base .. req.route end)
    app:get("/:x/y", function(req) return req.route end)
    assert.equal("tablenil/", body_of(app, "/"))
    assert.equal("/:x/y", body_of(app, "/1/y"))
  end)

  it("takes what is written out before a name, and that before the rest, in any order of adding", function()
    local routes = { "/a/b", "/a/:x", "/a/*r", "/:x/b", "/*r" }
    for _ = 1, 5 do
      table.insert(routes, table.remove(routes, 1))
      local app = http.router()
      for _, path in ipairs(routes) do app:get(path, says(path)) end
      assert.equal("/a/b", body_of(app, "/a/b"))
      assert.equal("/a/:x", body_of(app, "/a/c"))
      assert.equal("/a/*r", body_of(app, "/a/c/d"))
      assert.equal("/:x/b", body_of(app, "/c/b"))
      assert.equal("/*r", body_of(app, "/c/c"))
    end
  end)

  it("goes back where the better way leads nowhere", function()
    local app = http.router():get("/a/b/c", says "1"):get("/:x/b/d", says "2")
    app:post("/a/:y", says "3"):get("/*r", says "4")
    assert.equal("2", body_of(app, "/a/b/d"))
    assert.equal("4", body_of(app, "/a/b/e"))
    assert.equal("3", body_of(app, "/a/b", "POST"))
    assert.equal("4", body_of(app, "/a/b"))
  end)

  it("compares segments decoded, and tells /a from /a/", function()
    local app = http.router():get("/café/x", says "1"):get("/a", says "a"):get("/a/", says "b"):get("//", says "c")
    assert.equal("1", body_of(app, "/caf%C3%a9/%78"))
    assert.equal(404, answers(app, "/caf%c3%a9%2fx"))
    assert.equal("a", body_of(app, "/a"))
    assert.equal("b", body_of(app, "/a/"))
    assert.equal("c", body_of(app, "//"))
  end)

  it("is as sure among thousands of routes", function()
    local app = http.router()
    for i = 1, 5000 do app:get(("/r%d/:x"):format(i), params "x"):get(("/s/%d"):format(i), says(tostring(i))) end
    assert.equal("7", body_of(app, "/r4711/7"))
    assert.equal("4999", body_of(app, "/s/4999"))
    assert.equal(404, answers(app, "/r5001/7"))
  end)

  it("raises for what is no route, where it is added", function()
    local app = http.router():get("/a/:x", says "a")
    assert.matches("router_spec.lua:%d+: GET /a/:x has a route already %(.*router_spec.lua:%d+%)",
      fails(function() app:get("/a/:x", says "b") end))
    assert.matches("router_spec.lua:%d+: bad path 'a' %(it does not begin with '/'%)",
      fails(function() app:get("a", print) end))
    for path, why in pairs {
      ["/:"] = "without a name", ["/:1"] = "of letters, digits and '_'", ["/:id?"] = "of letters, digits",
      ["/*r/a"] = "only be its end", ["/:a/:a"] = "of one name",
      ["/" .. ("x"):rep(256)] = "255 bytes",
    } do
      assert.matches(why, fails(function() app:get(path, print) end))
    end
    assert.matches("router_spec.lua:%d+: bad argument #1 to 'route' %('get' is no method; they are upper%-case words",
      fails(function() app:route("get", "/tea", print) end))
    assert.matches("'BREW' is no method", fails(function() app:route("BREW", "/tea", print) end))
    assert.matches("bad argument #2 to 'get' %(a handler expected, got no value%)", fails(function() app:get "/b" end))
    assert.matches("bad argument #3 to 'get' %(a handler expected, got nil%)",
      fails(function() app:get("/b", print, nil) end))
    assert.matches("bad argument #2 to 'get' %(a handler expected, got string%)",
      fails(function() app:get("/b", "a", "b") end))
    assert.matches("router_spec.lua:%d+: bad argument #2 to 'mount' %(a handler expected, got true; a module that ",
      fails(function() app:mount("/c", true) end))
    assert.matches("router_spec.lua:%d+: bad argument #2 to 'group' %(a function expected, got nil%)",
      fails(function() app:group "/c" end))
    assert.matches("bad argument #1 to 'mount' %(string expected, got nil%)", fails(app.mount, app, nil, print))
    local inside = http.router():mount("/x", http.router():mount("/y", app))
    for _, router in ipairs { app, inside } do
      assert.matches("router_spec.lua:%d+: bad argument #2 to 'mount' %(the router would be mounted in itself%)",
        fails(function() app:group("/g", function(group) group:mount("/z", router) end) end))
    end
    assert.matches("a mount has the rest", fails(function() app:mount("/a/*r", print) end))
    assert.matches("has a route already", fails(function() app:mount("/m", print):mount("/m/", print) end))
  end)

  it("raises for what others call middleware, and for a dot", function()
    local app, other = http.router(), http.router()
    assert.matches("router_spec.lua:%d+: bad argument #1 to 'use' %(middleware expected, got string; for a path there ",
      fails(function() app:use("/x", print) end))
    assert.matches("router_spec.lua:%d+: bad argument #2 to 'use' %(a router is no middleware; mount it",
      fails(function() app:use(print, other) end))
    assert.matches("router_spec.lua:%d+: bad argument #2 to 'use' %(middleware expected, got nil%)",
      fails(function() app:use(print, nil) end))
    local middleware = require "neap.http.middleware"
    assert.matches("router_spec.lua:%d+: bad argument #1 to 'use' %(middleware.compress makes middleware; call it: ",
      fails(function() app:use(middleware.compress) end))
    assert.matches("router_spec.lua:%d+: bad argument #2 to 'get' %(middleware.cors makes middleware; call it: ",
      fails(function() app:get("/", middleware.cors, print) end))
    for _, name in ipairs { "get", "route", "mount", "group", "use" } do
      assert.matches("router_spec.lua:%d+: call '" .. name .. "' with a colon, as in app:" .. name,
        fails(function() app[name]("/", print) end))
    end
  end)

  it("takes what `require` gives, the name of the file behind it", function()
    local function required(value) return value, "./routes.lua" end
    local inner = http.router():get("/", says "inner")
    local app = http.router():get("/", required(says "it")):mount("/m", required(inner))
      :use(required(function(req, next) return next(req) end))
    assert.equal("it", body_of(app, "/"))
    assert.equal("inner", body_of(app, "/m"))
    assert(http.serve("127.0.0.1:0", required(app))):close()
    assert(http.serve("127.0.0.1:0", required(says "x"))):close()
    assert.matches("bad argument #3 to 'serve' %(the options come before the handler%)",
      fails(function() http.serve("127.0.0.1:0", app, { max_body = 1 }) end))
    assert.matches("bad argument #2 to 'serve' %(a handler expected, got no value%)",
      fails(function() http.serve "127.0.0.1:0" end))
    assert.matches("bad argument #2 to 'serve' %(a handler expected, got true; a module that returns nothing",
      fails(function() http.serve("127.0.0.1:0", required(true)) end))
    assert.matches("bad argument #3 to 'serve' %(a handler expected, got nil%)",
      fails(function() http.serve("127.0.0.1:0", { max_body = 1 }, nil) end))
  end)
end)

describe("middleware of a router", function()
  -- Writes into the answer that it was there.
  local function mark(name)
    return function(req, next)
      local response = next(req)
      response.headers["x-marks"] = (response.headers["x-marks"] or "") .. name
      return response
    end
  end

  local function marks(app, path, method)
    return app:request({ path = path, method = method }).headers["x-marks"]
  end

  it("stands before all of it, the first one outside", function()
    local app = http.router():get("/before", says "1"):use(mark "a", mark "b")
    app:get("/after", mark "d", mark "e", says "2"):use(mark "c")
    assert.equal("cba", marks(app, "/before"))
    assert.equal("edcba", marks(app, "/after"))
    assert.equal("cba", marks(app, "/nothing"))
    assert.equal("cba", marks(app, "/before", "OPTIONS"))
    assert.equal("cba", marks(app, "/before", "PUT"))
  end)

  it("of a group stands before the routes of the group", function()
    local app = http.router():get("/x", says "x"):use(mark "r")
    app:group("/g", function(g)
      g:get("/", says "g"):get("/a", says "a"):use(mark "g")
      g:group("/h/", function(h) h:use(mark "h"):get("/b", mark "i", says "b") end)
    end)
    assert.equal("r", marks(app, "/x"))
    assert.equal("gr", marks(app, "/g"))
    assert.equal("gr", marks(app, "/g/a"))
    assert.equal("ihgr", marks(app, "/g/h/b"))
    assert.equal("r", marks(app, "/g/c"))
    assert.equal("a group is no handler: its router is", fails(function()
      http.router():group("/g", function(g) g {} end)
    end))
  end)

  it("is given a table, whatever a handler returns, and may answer itself", function()
    local seen
    local app = http.router():use(function(req, next)
      if req.query.stop then return 418, "stopped" end
      seen = next(req)
      assert.equal(seen, http.response(seen))
      return seen
    end)
    app:get("/text", says "text"):get("/none", function() return 204 end)
    app:get("/all", function() return { status = 201, headers = { ["X-Y"] = 1 }, body = { "a", 2 } } end)
    assert.equal("text", body_of(app, "/text"))
    assert.same({ 200, "text" }, { seen.status, seen.body })
    assert.equal(204, answers(app, "/none"))
    assert.equal("a2", body_of(app, "/all"))
    assert.same({ 201, 1 }, { seen.status, seen.headers["x-y"] })
    assert.same({ 418, nil }, { answers(app, "/all?stop=1") })
  end)

  it("is given a table of its own also where a handler returns the same one each time", function()
    local told = 0
    local kept = http.response { body = "x", headers = { ["x-a"] = 1 }, after = function() told = told + 1 end }
    local app = http.router():use(function(req, next)
      local response = next(req)
      local after = response.after
      response.headers["set-cookie"], response.after = req.query.cookie, function(...) after(...) end
      return response
    end):get("/", function() return kept end)
    app:get("/stop", function(req) return req.query.cookie and kept end, says "")
    for _, path in ipairs { "/", "/stop" } do
      assert.equal("a=1", app:request(path .. "?cookie=a=1").headers["set-cookie"])
      for _ = 1, 2 do
        local headers = app:request(path .. "?cookie=").headers
        assert.same({ "", "1" }, { headers["set-cookie"], headers["x-a"] })
      end
    end
    assert.same({ 6, nil }, { told, kept.headers["set-cookie"] })
  end)

  it("may send a request elsewhere", function()
    local app = http.router():use(function(req, next)
      if req:header "x-http-method" then req.method = req:header "x-http-method" end
      req.path = req.path:gsub("^/old", "/new")
      return next(req)
    end)
    app:put("/new/:x", params "x")
    local sub = http.router():get("/:y", function(req) return params("x", "y")(req) .. req.path .. req.route end)
    app:mount("/new/:x/sub", sub)
    assert.equal("1", app:request({ path = "/old/1", method = "POST", headers = { ["x-http-method"] = "PUT" } }):body())
    assert.equal("1|2/2/new/:x/sub/:y", body_of(app, "/old/1/sub/2"))
  end)

  it("sees the parameters of the route that is found, not those before", function()
    local before
    local app = http.router():use(function(req, next)
      before = next(req) and req.params.x
      return http.text(before .. tostring(req.params.x))
    end)
    app:use(function(req, next)
      assert.is_nil(req.params.x)
      return next(req)
    end)
    app:get("/:x", says "")
    assert.equal("11", body_of(app, "/1"))
  end)

  it("is told of in an error about what the handler returned: by the handler's line", function()
    local reports = reports_of_errors(finally)
    local app = http.router():use(mark "a"):get("/", function() return nil, "no tea" end)
    assert.equal(500, answers(app, "/"))
    test.eventually(function() return reports[1] end, 20)
    assert.matches('the handler %(spec/modules/http/router_spec.lua:%d+%) returned nil, "no tea"', reports[1])
    app:get("/next", function(_, next) return (next()) end, says "")
    assert.equal(500, answers(app, "/next"))
    test.eventually(function() return reports[2] end, 20)
    assert.matches("router_spec.lua:%d+: the next handler is given the request, next%(req%), and not nil$", reports[2])
    app:get("/tail", function(_, next) return next { path = "/" } end, says "")
    assert.equal(500, answers(app, "/tail"))
    test.eventually(function() return reports[3] end, 20)
    assert.matches("next%(req%), and not table %(by the middleware .*router_spec.lua:%d+%)$", reports[3])
  end)
end)
