-- http.router: which handler a request gets, with what, and what the others get.
local http, neap, timer = require "neap.http", require "neap", require "neap.timer"

-- What is reported from here on.
local function errors()
  local reports = {}
  neap.on_error(function(message, _, info) reports[#reports + 1] = info.name .. ": " .. tostring(message) end)
  finally(function() neap.on_error(nil) end)
  return reports
end

-- The status, and the body.
local function ask(app, method, path)
  local response <close> = assert(app:request { method = method, path = path })
  return response.status, response:body()
end

local function get(app, path)
  local status, body = ask(app, "GET", path)
  return status == 200 and body or status
end

-- A handler that says its name, and its parameters in order.
local function named(name)
  return function(req)
    local list = {}
    for key, value in pairs(req.params) do list[#list + 1] = key .. "=" .. value end
    table.sort(list)
    return table.concat({ name, table.unpack(list) }, " ")
  end
end

local function app_of(paths)
  local app = http.router()
  for _, path in ipairs(paths) do app:get(path, named(path)) end
  return app
end

-- Middleware that notes its name on the way back.
local function tag(name)
  return function(req, next)
    local response = next(req)
    response.headers["x-tags"] = (response.headers["x-tags"] or "") .. name
    return response
  end
end

describe("a router", function()
  describe("finds by its path", function()
    it("what is written, a parameter, the rest", function()
      local app = app_of { "/", "/tea", "/tea/:kind", "/files/*path", "/a/:x/b/:y" }
      assert.equal("/", get(app, "/"))
      assert.equal("/tea", get(app, "/tea?x=1"))
      assert.equal("/tea/:kind kind=green", get(app, "/tea/green"))
      assert.equal("/files/*path path=a/b/", get(app, "/files/a/b/"))
      assert.equal("/files/*path path=", get(app, "/files/"))
      assert.equal("/a/:x/b/:y x=1 y=2", get(app, "/a/1/b/2"))
      for _, path in ipairs { "/tea/", "/te", "/teas", "/tea/a/b", "/files", "/a//b/2", "//", "/TEA" } do
        assert.equal(404, get(app, path), path)
      end
    end)

    it("decoded, each segment by itself", function()
      local app = app_of { "/v/:name", "/w/*rest", "/a b" }
      assert.equal("/v/:name name=a b", get(app, "/v/a%20b"))
      assert.equal("/v/:name name=a/b", get(app, "/v/a%2Fb"))
      assert.equal("/v/:name name=a+b", get(app, "/v/a+b"))
      assert.equal("/v/:name name=\u{e9}", get(app, "/v/%C3%a9"))
      assert.equal("/v/:name name=100%", get(app, "/v/100%"))
      assert.equal("/v/:name name=%zz", get(app, "/v/%zz"))
      assert.equal("/w/*rest rest=a b/c", get(app, "/w/a%20b/c"))
      assert.equal("/a b", get(app, "/a%20b"))
      app:get("/path/:x", function(req) return req.path end)
      assert.equal("/path/a%20b", get(app, "/path/a%20b"))
    end)

    it("what is written before parameters before the rest, in any order of adding, and tries them all", function()
      local paths = { "/*all", "/a/*rest", "/a/:x", "/a/b", "/a/:x/c", "/a/b/d", "/:p/b/e" }
      for turn = 1, 2 do
        local app = app_of(paths)
        assert.equal("/a/b", get(app, "/a/b"), turn)
        assert.equal("/a/:x x=z", get(app, "/a/z"))
        assert.equal("/a/:x/c x=b", get(app, "/a/b/c"))
        assert.equal("/a/b/d", get(app, "/a/b/d"))
        assert.equal("/a/*rest rest=b/e", get(app, "/a/b/e"))
        assert.equal("/:p/b/e p=q", get(app, "/q/b/e"))
        assert.equal("/*all all=q/b/f", get(app, "/q/b/f"))
        table.sort(paths)
      end
    end)

    it("and by the method, also farther back", function()
      local app = http.router()
      app:get("/a/b", named "written"):post("/a/:x", named "named"):any("/*rest", named "any")
      assert.same({ 200, "written" }, { ask(app, "GET", "/a/b") })
      assert.same({ 200, "named x=b" }, { ask(app, "POST", "/a/b") })
      assert.same({ 200, "any rest=a/b" }, { ask(app, "DELETE", "/a/b") })
      app:route("PROPFIND", "/dav", named "dav")
      assert.same({ 200, "dav" }, { ask(app, "PROPFIND", "/dav") })
    end)

    it("one of very many", function()
      local app = http.router()
      for i = 1, 2000 do app:get("/item" .. i .. "/:id", named("item" .. i)) end
      assert.equal("item1 id=x", get(app, "/item1/x"))
      assert.equal("item2000 id=y", get(app, "/item2000/y"))
      assert.equal(404, get(app, "/item2001/y"))
    end)

    it("with parameters that are a table, always", function()
      local app = http.router():get("/", function(req) return type(req.params) .. req.base end)
      assert.equal("table", get(app, "/"))
    end)
  end)

  describe("answers itself", function()
    local app = http.router()
    app:get("/tea", named "tea"):post("/tea", named "post"):put("/tea/:x", named "put")

    it("404 and 405 with Allow", function()
      assert.same({ 404, "Not Found\n" }, { ask(app, "GET", "/coffee") })
      local response = app:request { method = "DELETE", path = "/tea" }
      assert.equal(405, response.status)
      assert.equal("GET, HEAD, OPTIONS, POST", response.headers.allow)
      assert.equal("OPTIONS, PUT", app:request("/tea/x").headers.allow)
    end)

    it("HEAD as GET, unless there is a handler", function()
      local response = app:request { method = "HEAD", path = "/tea" }
      assert.same({ 200, "3", "" }, { response.status, response.headers["content-length"], response:body() })
      local own = http.router():get("/", named "get"):head("/", function() return 200, "", { ["x-own"] = 1 } end)
      assert.equal("1", own:request({ method = "HEAD" }).headers["x-own"])
    end)

    it("OPTIONS of a path and of all, unless there is a handler", function()
      local response = app:request { method = "OPTIONS", path = "/tea" }
      assert.same({ 204, "GET, HEAD, OPTIONS, POST" }, { response.status, response.headers.allow })
      response = app:request { method = "OPTIONS", path = "*" }
      assert.same({ 204, "GET, HEAD, OPTIONS, POST, PUT" }, { response.status, response.headers.allow })
      assert.equal(404, (ask(app, "OPTIONS", "/coffee")))
      local own = http.router():options("/", function() return "own" end)
      assert.same({ 200, "own" }, { ask(own, "OPTIONS", "/") })
    end)
  end)

  describe("raises", function()
    it("for a second route of a method and path, and says where the first is", function()
      local app = http.router():get("/a/:x", named "one")
      local line = debug.getinfo(1, "l").currentline - 1
      local ok, why = pcall(function() app:get("/a/:y", named "two") end)
      assert.is_false(ok)
      assert.matches("router_spec.lua:" .. line + 2 .. ": GET /a/:y has a route already", why, 1, true)
      assert.matches("router_spec.lua:" .. line .. ")", why, 1, true)
      app:post("/a/:y", named "post")
    end)

    it("for bad paths, handlers and methods", function()
      local app = http.router()
      for _, path in ipairs { "", "a", "/:", "/*", "/:1", "/*a/b", "/:a/:a", "/:a-b" } do
        assert.error_matches(function() app:get(path, named "x") end, "^bad path '", nil, path)
      end
      assert.error_matches(function() app:get(1, named "x") end, "#1 to 'get' %(string expected, got number%)")
      assert.error_matches(function() app:get "/" end, "bad argument #2 to 'get' %(a handler expected, got no value%)")
      assert.error_matches(function() app:get("/", 5) end, "#2 to 'get' %(a handler expected, got number%)")
      assert.error_matches(function() app:use "x" end, "bad argument #1 to 'use'")
      assert.error_matches(function() app:mount("/a") end, "bad argument #2 to 'mount'")
      assert.error_matches(function() app:mount("/a/*rest", named "x") end, "bad path")
    end)
  end)

  describe("runs middleware", function()
    it("around all requests, the first outermost, whenever it was added", function()
      local app = http.router()
      app:use(tag "a")
      app:get("/", tag "d", tag "e", named "home")
      app:use(tag "b", tag "c")
      assert.equal("edcba", app:request("/").headers["x-tags"])
      assert.equal("cba", app:request("/none").headers["x-tags"])
      assert.equal(405, app:request({ method = "POST" }).status)
      assert.equal("cba", app:request({ method = "POST" }).headers["x-tags"])
    end)

    it("that answers itself, or changes what comes back", function()
      local app = http.router():get("/", named "home")
      app:use(function(req, next)
        if req:header "x-key" ~= "k" then return 401, "no" end
        local response = next(req)
        response.status, response.body = 201, response.body:upper()
        return response
      end)
      assert.same({ 401, "no" }, { ask(app, "GET", "/") })
      local response = app:request { headers = { ["x-key"] = "k" } }
      assert.same({ 201, "HOME" }, { response.status, response:body() })
    end)

    it("of a group around its routes only, outer groups first", function()
      local app = http.router()
      app:get("/out", named "out")
      app:group("/a", function(a)
        a:get("/x", named "x")
        a:use(tag "1")
        a:group("/b/:id", function(b)
          b:use(tag "2")
          b:get("/y", tag "3", named "y")
          b:get("/", named "root")
        end)
      end)
      app:use(tag "0")
      assert.equal("0", app:request("/out").headers["x-tags"])
      assert.equal("10", app:request("/a/x").headers["x-tags"])
      local response = app:request "/a/b/7/y"
      assert.same({ "3210", "y id=7" }, { response.headers["x-tags"], response:body() })
      assert.equal("root id=7", get(app, "/a/b/7"))
      assert.equal("0", app:request("/a/none").headers["x-tags"])
    end)
  end)

  describe("mounts", function()
    local function where(req)
      return table.concat({ req.base, req.path, req.params.p or "-", req.params.q or "-" }, " ")
    end

    it("a function below a prefix, behind its own routes", function()
      local app = http.router()
      app:mount("/m/", where):get("/m/own", named "own")
      assert.equal("/m /a/b - -", get(app, "/m/a/b"))
      assert.equal("/m / - -", get(app, "/m/"))
      assert.equal("own", get(app, "/m/own"))
      assert.matches("^/m ", get(app, "/m"))
      assert.equal(404, get(app, "/mm"))
    end)

    it("routers in routers, with the parameters of all, and restores what was", function()
      local inner, middle, app, after = http.router(), http.router(), http.router(), {}
      inner:get("/:q", where)
      middle:mount("/in/", inner)
      app:mount("/out/:p", middle)
      app:use(function(req, next)
        local response = next(req)
        after[#after + 1] = req.base .. " " .. req.path
        return response
      end)
      assert.equal("/out/1/in /2 1 2", get(app, "/out/1/in/2"))
      assert.equal(404, get(app, "/out/1/other"))
      assert.same({ " /out/1/in/2", " /out/1/other" }, after)
    end)
  end)

  describe("answers with", function()
    it("500 for what is none, and names the route, or the handler where there is middleware", function()
      local reports = errors()
      local app = http.router():get("/", function() return {}, {} end)
      local where = "router_spec.lua:" .. debug.getinfo(1, "l").currentline - 1
      assert.equal(500, (ask(app, "GET", "/")))
      app:use(tag "a")
      assert.equal(500, (ask(app, "GET", "/")))
      assert.equal(2, #reports)
      assert.matches("^GET / %(request .-%): .*the handler returned a table with a table behind it", reports[1])
      assert.matches(where, reports[2], 1, true)
    end)

    it("what http.response and its short ways give", function()
      local app = http.router()
      app:get("/r", function() return http.response(202, "r", { ["X-A"] = 1 }) end)
      app:get("/j", function() return http.json({ 1, 2 }, 201) end)
      app:get("/h", function() return http.html("<p>" .. http.escape "a<b>&'\"" .. "</p>") end)
      app:get("/t", function() return http.redirect "/r" end)
      local response = app:request "/r"
      assert.same({ 202, "r", "1" }, { response.status, response:body(), response.headers["x-a"] })
      response = app:request "/j"
      assert.same({ 201, "[1,2]", "application/json" },
        { response.status, response:body(), response.headers["content-type"] })
      response = app:request "/h"
      assert.same({ "text/html; charset=utf-8", "<p>a&lt;b&gt;&amp;&#39;&quot;</p>" },
        { response.headers["content-type"], response:body() })
      response = app:request "/t"
      assert.same({ 303, "/r" }, { response.status, response.headers.location })
    end)

    it("a function that is told how it went", function()
      local told = {}
      local function after(...) told[#told + 1] = { ... } end
      local app = http.router()
      app:get("/text", function() return { body = "hello", after = after } end)
      app:get("/stream", function()
        return { after = after, body = function(write) while write "x" do timer.sleep(0) end end }
      end)
      app:request("/text"):body()
      timer.sleep(0)
      assert.same({ { 5 } }, told)
      app:request("/stream"):close()
      for _ = 1, 5 do timer.sleep(0) end
      assert.equal(2, #told)
      assert.is_string(told[2][2])
    end)

    it("413 over req.max_body", function()
      local app = http.router()
      app:use(function(req, next)
        req.max_body = 3
        return next(req)
      end)
      app:post("/", function(req) return assert(req:body()) end)
      assert.equal("tea", app:request({ method = "POST", body = "tea" }):body())
      assert.equal(413, app:request({ method = "POST", body = "teas" }).status)
    end)
  end)
end)
