-- What handlers return: what makes it, what is wrong with it, and how long a body may be.
local http, middleware, test = require "neap.http", require "neap.http.middleware", require "neap.test"
local routes = require "spec.support.routes"
local answers, says, fails, reports_of_errors = routes.answers, routes.says, routes.fails, routes.reports_of_errors

describe("an error about what was returned", function()
  local HERE = debug.getinfo(1, "S").short_src .. ":"

  -- The report of GET path.
  local function told(app, path)
    local reports = reports_of_errors(finally)
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
      ["is a boolean"] = { x = true }, ["in capitals or not"] = { ["content-type"] = "a/b", ["Content-Type"] = "a/b" },
      ["'content_type' is to be written with '%-', as"] = { content_type = "a/b" },
    } do
      local function handler() return 200, "", headers end
      local place = HERE:gsub("%p", "%%%0") .. debug.getinfo(handler, "S").linedefined
      assert.matches(text .. ".*, returned by the handler %(" .. place .. "%)$",
        told(http.router():mount("/m", http.router():get("/x", handler)), "/m/x"))
    end
  end)

  it("names what the script has, not middleware of ours that handed it on", function()
    local function handler() return 200, "", { ["x y"] = 1 } end
    local function own(req, next) return next(req) end
    local function place(fn) return ", returned by the handler " .. HERE .. debug.getinfo(fn, "S").linedefined end
    local cors, errors = middleware.cors(), middleware.errors()
    local inner = http.router():use(errors):get("/x", cors, handler):get("/own", cors, own, handler)
    local app = http.router():use(cors, errors):mount("/m", inner)
    for path, fn in pairs { ["/m/x"] = handler, ["/m/own"] = own } do
      assert.matches(place(fn), told(app, path):gsub("[()]", ""), 1, true)
    end
    assert.matches(place(own), told(app:use(own), "/m/x"):gsub("[()]", ""), 1, true)
  end)

  it("names the handler at once, however deep it was called", function()
    local function deep(n)
      if n == 0 then return http.json { f = print } end
      return (deep(n - 1))
    end
    local app = http.router():get("/", function() return deep(100000) end)
    assert.matches("in the handler", told(app, "/")) -- it took a minute
  end)

  it("names the handler where it has returned what a call gives, which leaves no line", function()
    local function broken() return http.json { f = print } end
    local place = "%(in the handler " .. HERE:gsub("%p", "%%%0") .. debug.getinfo(broken, "S").linedefined .. "%)$"
    local inner = http.router():get("/c", broken)
    local app = http.router():get("/:x", broken):mount("/:a/b", inner)
    for _ = 1, 2 do
      assert.matches("cannot encode a function " .. place, told(app, "/1"))
      assert.matches("cannot encode a function " .. place, told(app, "/1/b/c?q"))
      app:use(function(req, next) return next(req) end)
    end
    for name, call in pairs { html = http.html, text = http.text, redirect = http.redirect, escape = http.escape } do
      local function handler() return call(nil) end
      assert.matches("bad argument #1 to '" .. name .. "' %(string expected, got nil%) %(in the handler .*:"
        .. debug.getinfo(handler, "S").linedefined .. "%)$", told(http.router():get("/", handler), "/"))
    end
    assert.matches("cannot encode a function$", fails(function() return http.json(print) end)) -- no request
  end)

  it("names what can be called", function()
    names(http.router():get("/", setmetatable({}, { __call = nothing })), "/")
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

  it("redirect to what is a URL, and bring headers along", function()
    local response = http.redirect("/tea room/gr\xc3\xbcn?a=%20&b=<>\\", 302, { ["Set-Cookie"] = "a=b" })
    assert.equal("/tea%20room/gr%C3%BCn?a=%20&b=%3C%3E%5C", response.headers.location)
    assert.same({ 302, "a=b" }, { response.status, response.headers["set-cookie"] })
    assert.equal("/%09/evil.example", http.redirect("/\t/evil.example").headers.location) -- browsers leave it out
    local url = "https://[::1]:80/a;b,c@d!$'()*+~#e"
    assert.equal(url, http.redirect(url).headers.location)
    assert.equal(500, answers(http.router():get("/", function() -- a line break stays an error
      reports_of_errors(finally)
      return http.redirect "/\r\nx: y"
    end), "/"))
  end)

  it("encode what goes into a URL", function()
    assert.equal("az-AZ_09.~%20%2F%3F%26%3D%25%00%FF%2B", http.escape_url "az-AZ_09.~ /?&=%\0\xff+")
    assert.equal("7", http.escape_url(7))
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
    raises("bad argument #2 to 'json' (a status from 200 to 599 expected, got 1000)", http.json, 1, 1000)
    raises("bad argument #2 to 'json' (a status from 200 to 599 expected, got table)", http.json, 404, { a = 1 })
    raises("bad argument #3 to 'html' (a table of headers expected, got string)", http.html, "x", 200, "x")
    raises("bad argument #2 to 'text' (a status from 200 to 599 expected, got 20.5)", http.text, "x", 20.5)
    raises("bad argument #2 to 'redirect' (a status from 300 to 399 expected, got 200)", http.redirect, "/", 200)
    raises("bad argument #1 to 'escape_url' (string expected, got nil)", http.escape_url, nil)
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
