-- router:request: what a client would get, without a port.
local http, json, neap, test, timer =
  require "neap.http", require "neap.json", require "neap", require "neap.test", require "neap.timer"
local raw, routes = require "spec.support.http", require "spec.support.routes"
local new_app = require "spec.support.answering"

-- What is reported from here on.
local function errors() return routes.reports_of_errors(finally) end

describe("app:request", function()
  local app = new_app()

  describe("asks", function()
    it("with a path for a GET", function()
      local response = assert(app:request "/hello/white%20moon?x=1")
      assert.same({ 200, "OK", "1.1" }, { response.status, response.reason, response.version })
      assert.equal("text/plain; charset=utf-8", response.headers["content-type"])
      assert.equal("hello white moon", response:body())
      assert.equal("hello white moon", response:body())
    end)

    it("with method, headers and body, and adds host and length", function()
      local headers = { ["X-Tea"] = "green" }
      local response = app:request { method = "PUT", path = "/echo?q=1", headers = headers, body = "cup" }
      assert.equal("PUT\n/echo?q=1\ncontent-length=3\nhost=localhost\nx-tea=green\ncup", response:body())
    end)

    it("with headers as a list, repeated, or of its own host", function()
      local headers = { { "Via", "1.0 a" }, { "Via", "1.0 b" }, { "Host", "moon" } }
      local response = app:request { path = "/echo", headers = headers }
      assert.equal("GET\n/echo\nhost=moon\nvia=1.0 a, 1.0 b\n", response:body())
      response = app:request { path = "/echo", headers = { via = { "1.0 a", "1.0 b" }, n = 7 } }
      assert.equal("GET\n/echo\nhost=localhost\nn=7\nvia=1.0 a, 1.0 b\n", response:body())
    end)

    it("with a body that is a number, a list, or comes in pieces", function()
      local function upper(body) return app:request({ method = "POST", path = "/upper", body = body }):body() end
      assert.equal("42", upper(42))
      assert.equal("A1B", upper { "a", 1, "b" })
      assert.equal("", upper "")
      assert.equal("ABCD", upper(coroutine.wrap(function()
        coroutine.yield "ab"
        coroutine.yield ""
        timer.sleep(0)
        coroutine.yield { "c", "d" }
      end)))
      local response = app:request { method = "POST", path = "/echo", body = function() end }
      assert.equal("POST\n/echo\nhost=localhost\ntransfer-encoding=chunked\n", response:body())
    end)

    it("as an address that is given", function()
      assert.equal("nil", app:request("/peer"):body())
      assert.equal("10.0.0.1:5000", app:request({ path = "/peer", peer = "10.0.0.1:5000" }):body())
      assert.equal("[2001:db8::1]:5", app:request({ path = "/peer", peer = "[2001:db8::1]:5" }):body())
    end)

    it("for leave to send a body", function()
      local asked, sent
      local own = http.router()
      own:post("/take", function(req) return req:body() end)
      own:post("/refuse", function() return 403, "no" end)
      asked = { method = "POST", path = "/take", headers = { expect = "100-continue" }, body = "tea" }
      local response = own:request(asked)
      assert.equal("tea", response:body())
      assert.equal(100, response.interim[1].status)
      asked.path = "/refuse"
      asked.body = function() sent = true end
      response = own:request(asked)
      assert.same({ 403, {}, nil }, { response.status, response.interim, sent })
    end)

    it("with a callback", function()
      local got
      local task = app:request("/hello/you", function(response)
        response:body(function(body) got = body end):join()
      end)
      task:join()
      assert.equal("hello you", got)
      app:request({ path = "/json" }, function(response) got = response:json() end):join()
      assert.same({ cups = 2 }, got)
    end)

    it("within a handler", function()
      local outer = http.router()
      outer:get("/twice", function()
        local response <close> = app:request "/hello/inner"
        return response:body() .. "!"
      end)
      assert.equal("hello inner!", outer:request("/twice"):body())
    end)

    it("many at once", function()
      local tasks = {}
      for i = 1, 50 do
        tasks[i] = neap.go(function() return app:request("/hello/" .. i):body() end)
      end
      for i = 1, 50 do assert.equal("hello " .. i, (tasks[i]:join())) end
    end)
  end)

  describe("is told", function()
    it("headers in any case, repeated ones one by one", function()
      local response = app:request "/many"
      assert.equal("a=1, b=2", response.headers["Set-Cookie"])
      assert.equal("a=1, b=2", response:header "SET-COOKIE")
      assert.same({ "a=1", "b=2" }, response:header_list "Set-Cookie")
      assert.same({}, response:header_list "x-none")
      assert.is_nil(response:header "x-none")
    end)

    it("pieces and trailers", function()
      local response, pieces = app:request "/pieces", {}
      assert.is_nil(response.trailers)
      for piece in response:chunks() do pieces[#pieces + 1] = piece end
      assert.equal("piece 1piece 2piece 3", table.concat(pieces))
      assert.equal("3", response.trailers["x-sum"])
      response = app:request "/counted"
      assert.same({ "8", "fourfive" }, { response:header "content-length", response:body() })
      assert.same({}, response.trailers)
    end)

    it("the head before the body ends, and may leave then", function()
      local clock <close> = test.clock()
      local left
      local own = http.router()
      own:get("/", function()
        return { body = function(write)
          local _ <close> = setmetatable({}, { __close = function() left = true end })
          while true do
            write "tick"
            timer.sleep(10)
          end
        end }
      end)
      do
        local response <close> = own:request "/"
        local count = 0
        for piece in response:chunks() do
          assert.equal("tick", piece)
          count = count + 1
          if count == 3 then break end
        end
        assert.is_nil(left)
      end
      clock:advance(20)
      assert.is_true(left)
    end)

    it("what HEAD, 204 and JSON are", function()
      local response = app:request { method = "HEAD", path = "/hello/x" }
      assert.same({ 200, "7", "" }, { response.status, response:header "content-length", response:body() })
      response = app:request "/nothing"
      assert.same({ 204, "" }, { response.status, response:body() })
      assert.same({ cups = 2 }, app:request("/json"):json())
      local value, message, code = app:request("/"):json()
      assert.same({ nil, "EINVAL" }, { value, code })
      assert.is_string(message)
    end)

    it("of refusals by the server", function()
      assert.equal(404, app:request("/nowhere").status)
      local response = app:request { method = "DELETE", path = "/upper" }
      assert.same({ 405, "OPTIONS, POST" }, { response.status, response:header "allow" })
      assert.equal(400, app:request("/a b").status)
      assert.equal(400, app:request("no-path").status)
      assert.equal(414, app:request("/" .. ("x"):rep(9000)).status)
      assert.equal(501, app:request({ method = "BREW" }).status)
      assert.equal(431, app:request({ headers = { x = ("x"):rep(20000) } }).status)
    end)

    it("of a refusal that comes before the body has been sent", function()
      local response = app:request { method = "POST", path = "/upper", body = ("x"):rep(8 << 20) }
      assert.same({ 413, "Content Too Large\n" }, { response.status, response:body() })
      response = app:request { method = "POST", path = "/late", body = ("x"):rep(8 << 20) }
      assert.same({ 403, "no" }, { response.status, response:body() })
      response = app:request { method = "POST", path = "/late", body = function() return ("x"):rep(65536) end }
      assert.same({ 403, "no" }, { response.status, response:body() })
    end)

    it("of bodies that are large both ways", function()
      local response = app:request { method = "POST", path = "/count", body = ("x"):rep(8 << 20) }
      assert.equal(tostring(8 << 20), response:body())
      local own = http.router()
      own:post("/", function(req)
        local next_piece = req:chunks { limit = 1 << 30 }
        return { body = function() return next_piece(req) end }
      end)
      response = own:request { method = "POST", body = ("x"):rep(4 << 20) }
      assert.equal(4 << 20, #response:body())
    end)

    it("500 for an error in a handler, which is reported", function()
      local reports = errors()
      local response = app:request "/error"
      assert.same({ 500, "Internal Server Error\n" }, { response.status, response:body() })
      assert.equal(1, #reports)
      assert.matches("^GET /error %(request .-%): .*made on purpose", reports[1])
    end)
  end)

  it("sends values as JSON, and fields as a form does", function()
    local router
    local function sent(options)
      options.method = "POST"
      return router:request(options):json()
    end
    router = http.router():post("/", function(req)
      return http.json { type = req:header "content-type", body = req:body() }
    end)
    assert.same({ type = "application/json", body = '{"a":[1,"x"]}' }, sent { json = { a = { 1, "x" } } })
    assert.same({ type = "application/json", body = "false" }, sent { json = false })
    assert.same({ type = "a/b", body = "[]" }, sent { json = json.array(), headers = { ["Content-Type"] = "a/b" } })
    assert.same({ type = "application/x-www-form-urlencoded", body = "a=1&a=%26%3D&b%20c=%C3%A4" },
      sent { form = { ["b c"] = "ä", a = { 1, "&=" } } })
    router = http.router():post("/", function(req)
      local form = assert(req:form())
      return http.json { form:list "a", form.fields["b c"] }
    end)
    assert.same({ { "1", "&=" }, "ä" }, sent { form = { ["b c"] = "ä", a = { 1, "&=" } } })
  end)

  it("answers as a server at an address does, byte for byte", function()
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local errors_seen = errors()
    for _, path in ipairs { "/", "/pieces", "/many", "/nothing", "/nowhere", "/counted", "/error", "/a b" } do
      for _, method in ipairs { "GET", "HEAD", "OPTIONS", "POST" } do
        local client <close> = raw.connect(server.address)
        client:send(raw.request(method .. " " .. path))
        local there = client:response { head = method == "HEAD" }
        local here = app:request { method = method, path = path }
        local headers = {}
        for name, value in pairs(here.headers) do headers[name] = value end
        for _, name in ipairs { "date", "x-request-id" } do there.headers[name], headers[name] = nil, nil end
        assert.same({ there.status, there.reason, there.headers, there.body },
          { here.status, here.reason, headers, here:body() }, method .. " " .. path)
        if there.trailers then
          assert.equal(there.trailers["x-sum"], here.trailers["x-sum"])
        end
      end
    end
    assert.is_true(#errors_seen > 0)
  end)

  it("keeps no program alive", function()
    local directory <close> = test.tempdir()
    directory:write("app.lua", [[
      local http = require "neap.http"
      local app = http.router()
      app:get("/", function() return "hello" end)
      response = app:request "/"
      print(response.status)
    ]])
    local child <close> = test.spawn_neap(directory:path_of "app.lua")
    assert.equal("200", child:line())
    assert.is_nil(child:line())
  end)
end)
