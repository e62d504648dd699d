-- http.router: which handler a request comes to, and what it finds there.
local http, neap, test, timer =
  require "neap.http", require "neap", require "neap.test", require "neap.timer"

local function body_of(app, path, method)
  return assert(app:request { path = path, method = method }):body()
end

local function answers(app, path, method)
  local response = assert(app:request { path = path, method = method })
  return response.status, response.headers.allow
end

local function says(text)
  return function() return text end
end

local function params(...)
  local names = { ... }
  return function(req)
    local list = {}
    for i, name in ipairs(names) do list[i] = tostring(req.params[name]) end
    return table.concat(list, "|")
  end
end

-- The line of this file in which the error was raised, and its text.
local function fails(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

-- What is reported from here on.
local function reports_of_errors()
  local reports = {}
  neap.on_error(function(message, _, info) reports[#reports + 1] = info.name .. ": " .. tostring(message) end)
  finally(function() neap.on_error(nil) end)
  return reports
end

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
      ["/:"] = "without a name", ["/:1"] = "without a name", ["/*r/a"] = "only be its end", ["/:a/:a"] = "of one name",
      ["/" .. ("x"):rep(256)] = "255 bytes",
    } do
      assert.matches(why, fails(function() app:get(path, print) end))
    end
    assert.matches("no server of ours knows the method", fails(function() app:route("BREW", "/tea", print) end))
    assert.matches("bad argument #2 to 'get' %(a handler expected, got no value%)", fails(function() app:get "/b" end))
    assert.matches("bad argument #3 to 'get' %(a handler expected, got nil%)",
      fails(function() app:get("/b", print, nil) end))
    assert.matches("bad argument #1 to 'use' %(a handler expected, got string%)", fails(app.use, app, "x"))
    assert.matches("bad argument #1 to 'mount' %(string expected, got nil%)", fails(app.mount, app, nil, print))
    assert.matches("a mount has the rest", fails(function() app:mount("/a/*r", print) end))
    assert.matches("has a route already", fails(function() app:mount("/m", print):mount("/m/", print) end))
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
    local reports = reports_of_errors()
    local app = http.router():use(mark "a"):get("/", function() return nil, "no tea" end)
    assert.equal(500, answers(app, "/"))
    test.eventually(function() return reports[1] end, 20)
    assert.matches('the handler %(spec/modules/http/router_spec.lua:%d+%) returned nil, "no tea"', reports[1])
    app:get("/next", function(_, next) return (next()) end, says "")
    assert.equal(500, answers(app, "/next"))
    test.eventually(function() return reports[2] end, 20)
    assert.matches("router_spec.lua:%d+: the next handler wants the request", reports[2])
  end)
end)

describe("an error about what was returned", function()
  local HERE = debug.getinfo(1, "S").short_src .. ":"

  -- The report of GET path.
  local function told(app, path)
    local reports = reports_of_errors()
    assert.equal(500, answers(app, path))
    test.eventually(function() return reports[1] end, 20)
    return reports[1]
  end

  local function nothing() end
  local LINE = debug.getinfo(nothing, "S").linedefined

  local function names(app, path)
    assert.matches("^GET " .. path:gsub("%p", "%%%0") .. " %(request .-%): the handler %(" .. HERE:gsub("%p", "%%%0")
      .. LINE .. "%) returned nothing", told(app, path))
  end

  it("names the request, and the handler of its route", function()
    names(http.router():get("/:x", nothing), "/1")
    names(http.router():any("/*r", nothing), "/1/2?q=%25")
  end)

  it("names the handler within mounts, groups and behind middleware", function()
    local inner = http.router():get("/c", nothing)
    local app = http.router():mount("/:a/b", inner):group("/g", function(g) g:get("/", nothing) end)
    app:mount("/f", nothing)
    for _ = 1, 2 do
      names(app, "/1/b/c")
      names(app, "/g")
      names(app, "/f/x")
      app:use(function(req, next) return next(req) end)
    end
    names(http.router():mount("/m", app), "/m/1/b/c")
    names(http.router():use(function(req, next)
      req.path = "/1/b/c"
      return next(req)
    end):mount("/", app), "/elsewhere")
  end)

  it("names middleware, where that has returned it", function()
    local function through(req, next) return next(req) end
    names(http.router():use(nothing):get("/", says "x"), "/")
    names(http.router():use(through, nothing):get("/", says "x"), "/")
    names(http.router():get("/", nothing, says "x"), "/")
    names(http.router():get("/", through, nothing, says "x"), "/")
    names(http.router():group("/g", function(g) g:use(nothing):get("/", says "x") end), "/g")
    names(http.router():mount("/m", http.router():use(nothing):get("/", says "x")), "/m/")
  end)

  it("names the handler also for headers, behind middleware", function()
    local app = http.router():use(function(req, next) return next(req) end)
    local function numbered() return 200, "", { "x-a" } end
    app:get("/", numbered)
    assert.matches("^GET / %(request .-%): the handler %(" .. HERE:gsub("%p", "%%%0") ..
      debug.getinfo(numbered, "S").linedefined .. "%) returned a header with a name that is a number", told(app, "/"))
  end)

  it("names the handler for headers that cannot be sent", function()
    for text, headers in pairs { ["a line break"] = { x = "\n" }, ["can only be"] = { connection = "upgrade" },
      ["says 5"] = { ["content-length"] = 5 }, ["cannot be the name"] = { ["x y"] = 1 },
      ["is a boolean"] = { x = true },
    } do
      local function handler() return 200, "", headers end
      local place = HERE:gsub("%p", "%%%0") .. debug.getinfo(handler, "S").linedefined
      assert.matches(text .. ".*, returned by the handler %(" .. place .. "%)$",
        told(http.router():mount("/m", http.router():get("/x", handler)), "/m/x"))
    end
  end)

  it("names what can be called", function()
    names(http.router():get("/", setmetatable({}, { __call = nothing })), "/")
  end)
end)

describe("a mount", function()
  local function place(req)
    return ("%s|%s|%s"):format(req.base, req.path, req.target)
  end

  it("gets what is below its prefix and has no route", function()
    local app = http.router():mount("/m", place):get("/m/own", says "own"):mount("/m/deep/", place)
    assert.equal("/m||/m", body_of(app, "/m"))
    assert.equal("/m|/|/m/", body_of(app, "/m/"))
    assert.equal("/m|/a%20b/|/m/a%20b/?q", body_of(app, "/m/a%20b/?q"))
    assert.equal("own", body_of(app, "/m/own"))
    assert.equal("/m|/own|/m/own", body_of(app, "/m/own", "POST"))
    assert.equal("/m/deep|/x|/m/deep/x", body_of(app, "/m/deep/x"))
    assert.equal(404, answers(app, "/mm"))
    assert.equal("||", body_of(http.router():mount("/", function(req) return req.base .. "||" end), "/any/thing"))
  end)

  it("of a router keeps the parameters of both, and undoes its prefix", function()
    local inner = http.router():get("/", params("a", "b", "c")):get("/:c", params("a", "b", "c"))
    local middle = http.router():mount("/:b/in", inner)
    local left
    local app = http.router():use(function(req, next)
      local response = next(req)
      left = req.base .. "|" .. req.path
      return response
    end)
    app:mount("/:a", middle)
    assert.equal("1|2|nil", body_of(app, "/1/2/in"))
    assert.equal("1|2|3 3", body_of(app, "/1/2/in/3%203"))
    assert.equal("|/1/2/in/3%203", left)
    assert.equal(404, answers(app, "/1/2/out"))
    assert.same({ 405, "GET, HEAD, OPTIONS" }, { answers(app, "/1/2/in", "PUT") })
  end)

  it("has a base, where middleware has given the request another path, or base", function()
    local inner = http.router():mount("/in", place)
    local app = http.router():use(function(req, next)
      req.path, req.base = req:header "x-path", req:header "x-base"
      local response = next(req)
      assert.same({ req:header "x-path" or "/m/in/x", req:header "x-base" or "" }, { req.path, req.base })
      return response
    end):mount("/m", inner)
    local function asked(path, base)
      local headers = { ["x-path"] = path, ["x-base"] = base }
      return app:request({ path = "/m/in/x", headers = headers }):body()
    end
    assert.equal("/m/in|/x|/m/in/x", asked())
    assert.equal("/m/in|/y|/m/in/x", asked "/m/in/y")
    assert.equal("/m/in||/m/in/x", asked "/m/in")
    assert.equal("/proxy/m/in|/x|/m/in/x", asked(nil, "/proxy"))
    assert.equal("/proxy/m/in|/y|/m/in/x", asked("/m/in/y", "/proxy"))
  end)

  it("that sends a request elsewhere, fails or is cancelled leaves it as it was", function()
    local inner = http.router():use(function(req, next)
      req.path = "/other"
      return next(req)
    end)
    inner:get("/other", function(req)
      if req.query.error then error "made on purpose" end
      if req.query.wait then timer.sleep(10) end
      return place(req)
    end)
    local app = http.router():use(function(req, next)
      local ok, response = pcall(neap.deadline, 0.01, next, req)
      local text = ok and response and response.body or not ok and "failed" or "late"
      return http.text(text .. ";" .. place(req))
    end):mount("/m", inner)
    assert.equal("/m|/other|/m/x;|/m/x|/m/x", body_of(app, "/m/x"))
    assert.equal("failed;|/m/x|/m/x?error=1", body_of(app, "/m/x?error=1"))
    assert.equal("late;|/m/x|/m/x?wait=1", body_of(app, "/m/x?wait=1"))
  end)

  it("may be asked twice", function()
    local inner = http.router():get("/:x", function(req) return req.route .. " " .. req.params.x end)
    inner:use(function(req, next)
      local first = next(req).body
      return http.text(first .. ", " .. next(req).body)
    end)
    assert.equal("/m/:x 1, /m/:x 1", body_of(http.router():mount("/m", inner), "/m/1"))
  end)

  it("has an empty path, which ends there", function()
    local inner = http.router():mount("//", place)
    assert.equal("/m||/m", body_of(http.router():mount("/m", inner), "/m"))
  end)
end)

describe("answers", function()
  it("are made of any form, with headers of their own", function()
    local headers = { ["X-A"] = "1" }
    local response = http.response(404, { "a", 1 }, headers)
    assert.same({ 404, "a1", "1" }, { response.status, response.body, response.headers["x-a"] })
    response.headers["x-a"] = nil
    assert.equal("1", headers["X-A"])
    assert.equal(response, http.response(response))
    assert.matches("returned the header '[Xx]%-[Aa]' twice",
      fails(http.response, 200, "", { ["X-A"] = 1, ["x-a"] = 2 }))
    assert.matches("returned nothing", fails(http.response))
  end)

  it("have short ways", function()
    assert.equal("application/json", http.json({ 1 }).headers["content-type"])
    assert.equal("text/csv", http.text("a,b", 200, { ["Content-Type"] = "text/csv" }).headers["content-type"])
    assert.equal(308, http.redirect("/x", 308).status)
    assert.equal("&amp;&lt;&gt;&quot;&#39;1", http.escape "&<>\"'1")
    assert.matches("bad argument #1 to 'html' %(string expected, got nil%)", fails(http.html))
    assert.matches("bad argument #1 to 'redirect'", fails(http.redirect, 303))
  end)

  it("are what a script has made of them, whatever is loaded later", function()
    local directory <close> = test.tempdir()
    directory:write("app.lua", [[
      local http = require "neap.http"
      http.text = function() return "mine" end
      print(http.json(1).body, http.text "x", http.html("x").body)
    ]])
    local child <close> = test.spawn_neap(directory:path_of "app.lua")
    assert.equal("1\tmine\tx", child:line())
  end)

  it("raise where they were called", function()
    local here = "^" .. debug.getinfo(1, "S").short_src:gsub("%p", "%%%0") .. ":%d+: "
    local function raises(text, fn, ...)
      local arguments = table.pack(...)
      local message = fails(function() local _ = fn(table.unpack(arguments, 1, arguments.n)) end)
      assert.matches(here, message)
      assert.matches(text, message, 1, true)
    end
    raises("cannot encode a function", http.json, print)
    raises("returned the status 1000", http.json, 1, 1000)
    raises("returned as its headers a string", http.html, "x", 200, "x")
    raises("returned the status 20.5", http.text, "x", 20.5)
    raises("returned the status 1000", http.redirect, "/", 1000)
    raises("returned a boolean", http.response, true)
    raises("returned the header '", http.response, 200, "", { ["X-A"] = 1, ["x-a"] = 2 })
    raises("returned a header with a name that is a number", http.text, "x", 200, { "x-a" })
    raises("returned nothing", http.response)
  end)
end)

describe("req.max_body", function()
  it("is the limit where nothing else is said", function()
    local app = http.router():use(function(req, next)
      req.max_body = 3
      return next(req)
    end)
    app:post("/", function(req) return assert(req:body()) end)
    app:post("/more", function(req) return assert(req:body { limit = 10 }) end)
    assert.equal("abc", app:request({ method = "POST", body = "abc" }):body())
    assert.equal(413, app:request({ method = "POST", body = "abcd" }).status)
    assert.equal("abcd", app:request({ method = "POST", path = "/more", body = "abcd" }):body())
  end)
end)
