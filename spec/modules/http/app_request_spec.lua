-- router:request: what a client would get, without a port.
local http, json, neap, test, timer =
  require "neap.http", require "neap.json", require "neap", require "neap.test", require "neap.timer"
local raw = require "spec.support.http"

-- What is reported from here on.
local function errors()
  local reports = {}
  neap.on_error(function(message, _, info) reports[#reports + 1] = info.name .. ": " .. tostring(message) end)
  finally(function() neap.on_error(nil) end)
  return reports
end

local function descriptors()
  local pipe <close> = io.popen("ls /proc/$PPID/fd 2>/dev/null | wc -l")
  return pipe:read "n"
end

-- A path of many kinds of answers.
local function new_app()
  local app = http.router()
  app:get("/", function() return "home" end)
  app:get("/hello/:name", function(req) return "hello " .. req.params.name end)
  app:post("/upper", function(req) return assert(req:body()):upper() end)
  app:post("/count", function(req)
    local bytes = 0
    for piece in req:chunks { limit = 64 << 20 } do bytes = bytes + #piece end
    return { body = { bytes } }
  end)
  app:post("/late", function() return 403, "no" end)
  app:any("/echo", function(req)
    local lines = {}
    for name, value in pairs(req.headers) do lines[#lines + 1] = name .. "=" .. value end
    table.sort(lines)
    return table.concat({ req.method, req.target, table.concat(lines, "\n"), req:body() }, "\n")
  end)
  app:get("/peer", function(req) return tostring(req.peer) end)
  app:get("/pieces", function()
    local count = 0
    return {
      body = function()
        count = count + 1
        if count <= 3 then return "piece " .. count end
      end,
      trailers = { ["X-Sum"] = "3" },
    }
  end)
  app:get("/counted", function()
    local next_piece = coroutine.wrap(function()
      coroutine.yield "four"
      coroutine.yield "five"
    end)
    return { headers = { ["content-length"] = 8 }, body = next_piece }
  end)
  app:get("/endless", function()
    return { body = function(write)
      while write "tick\n" do timer.sleep(1) end
    end }
  end)
  app:get("/cut", function()
    return { body = function(write)
      write "half"
      error "broken on purpose"
    end }
  end)
  app:get("/slow", function()
    timer.sleep(50)
    return "at last"
  end)
  app:get("/error", function() error "made on purpose" end)
  app:get("/json", function() return http.json { cups = 2 } end)
  app:get("/nothing", function() return 204 end)
  app:get("/many", function() return 200, "", { ["set-cookie"] = { "a=1", "b=2" } } end)
  return app
end

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

  describe("fails", function()
    it("where an answer is cut short, each time it is asked", function()
      errors()
      local response = app:request "/cut"
      assert.equal(200, response.status)
      for _ = 1, 2 do
        local body, message, code = response:body()
        assert.same({ nil, "request GET /cut: the answer was cut short", "ECONNRESET" }, { body, message, code })
      end
      assert.has_error(function()
        for _ in app:request("/cut"):chunks() do timer.sleep(0) end
      end)
    end)

    it("where the handler has announced another length", function()
      errors()
      local own = http.router()
      own:get("/few", function()
        local pieces = { "abc" }
        return { headers = { ["content-length"] = 5 }, body = function() return table.remove(pieces) end }
      end)
      own:get("/many", function()
        return { headers = { ["content-length"] = 2 }, body = function() return "abc" end }
      end)
      for _, path in ipairs { "/few", "/many" } do
        local body, message, code = own:request(path):body()
        assert.same({ nil, "request GET " .. path .. ": the answer was cut short", "ECONNRESET" },
          { body, message, code })
      end
    end)

    it("where trailers fail behind a body", function()
      errors()
      local own = http.router()
      own:get("/", function()
        local pieces = { "abc" }
        return { body = function() return table.remove(pieces) end, trailers = function() error "made on purpose" end }
      end)
      local response, pieces = own:request "/", {}
      assert.error_matches(function()
        for piece in response:chunks() do pieces[#pieces + 1] = piece end
      end, "cut short")
      assert.same({ "abc" }, pieces)
      assert.is_nil(response.trailers)
    end)

    it("when the handler closes, or is closed, before it has answered", function()
      local own = http.router()
      own:get("/", function() return 200, "x", { connection = "close" } end)
      local response = own:request "/"
      assert.same({ "close", "x" }, { response.headers.connection, response:body() })
    end)

    it("when its time is over", function()
      local clock <close> = test.clock()
      local before = timer.monotonic()
      local response, message, code = app:request { path = "/slow", timeout = 5 }
      assert.same({ nil, "request GET /slow: timed out", "ETIMEDOUT" }, { response, message, code })
      assert.equal(5, timer.monotonic() - before)
      response = app:request "/endless"
      assert.same({ nil, "ETIMEDOUT" }, { (response:body { timeout = 3 }), (select(3, response:body { timeout = 0 })) })
      response:close()
      assert.equal("at last", app:request({ path = "/slow", timeout = 51 }):body())
      clock:advance(1)
    end)

    it("by the limits of the server, as time goes by", function()
      local clock <close> = test.clock()
      local own = http.router()
      own:get("/", function() timer.sleep(1000) end)
      assert.equal(503, own:request("/").status)
      clock:advance(1)
    end)

    it("over the limit of who reads", function()
      local body, message, code = app:request("/hello/moon"):body { limit = 3 }
      assert.same({ nil, "EMSGSIZE" }, { body, code })
      assert.equal("request GET /hello/moon: the body is longer than 3 bytes", message)
      assert.equal("home", app:request("/"):body { limit = 4 })
    end)

    it("with the error of its own body", function()
      local function post(body) return pcall(app.request, app, { method = "POST", path = "/upper", body = body }) end
      local ok, why = post(function() error("mine", 0) end)
      assert.same({ false, "mine" }, { ok, why })
      ok, why = post(function() return true end)
      assert.same({ false, "the body of a request gave a boolean, not a string" }, { ok, why })
    end)
  end)

  describe("raises", function()
    local function refused(text, options, ...)
      local more = table.pack(...)
      local line = debug.getinfo(1, "l").currentline + 1 -- the next one
      local ok, why = pcall(function() app:request(options, table.unpack(more)) end)
      assert.is_false(ok)
      assert.equal(debug.getinfo(1, "S").short_src .. ":" .. line .. ": " .. text, why)
    end

    it("for what is no request, at the line that asks", function()
      local bad = "bad argument #1 to 'request' "
      refused(bad .. "(a path or a table expected, got nil)", nil)
      refused(bad .. "(a path or a table expected, got number)", 5)
      refused(bad .. "(body must be a string, a number, a list of these, or a function, not a table of something else; "
        .. "see json and form)", { body = { a = 1 } })
      refused(bad .. "(one of body, form and json is the body)", { body = "x", json = 1 })
      refused(bad .. "(json: $: cannot encode a function)", { json = print })
      refused(bad .. "(form must be a table, not a string)", { form = "x" })
      refused(bad .. "(a value of form must be a string or a list of them, not a boolean)", { form = { a = true } })
      refused(bad .. "(a name of form must be a string, not a number)", { form = { "a" } })
      refused(bad .. "(unknown option 'pth' (there are: body, form, headers, json, method, path, peer, timeout))",
        { pth = "/" })
      refused(bad .. "(path has a line break or a zero byte)", "/a\r\nb")
      refused(bad .. "(path has a line break or a zero byte)", { path = "/a\0" })
      refused(bad .. "(method has a line break or a zero byte)", { method = "GET\n" })
      refused(bad .. "(header 'x' has a line break or a zero byte)", { headers = { x = "a\r\nb: c" } })
      refused(bad .. "(header 'x' has a line break or a zero byte)", { headers = { { "x", "a\n" } } })
      refused(bad .. "('x y' is no name of a header)", { headers = { ["x y"] = "a" } })
      refused(bad .. "(header 'x' must be a string, not a boolean)", { headers = { x = true } })
      refused(bad .. "(headers must be a table, not a string)", { headers = "x: y" })
      refused(bad .. "(path must be a string, not a number)", { path = 1 })
      refused(bad .. "(body must be a string, a number, a list of these, or a function, not a boolean)",
        { body = true })
      for _, timeout in ipairs { -1, 0 / 0, math.huge, "1" } do
        refused(bad .. "(timeout must be a number of seconds from 0 to 1e9)", { timeout = timeout })
      end
      refused(bad .. "(peer must be an address, not 'moon')", { peer = "moon" })
      refused("bad argument #2 to 'request' (function expected, got string)", "/", "x")
    end)

    it("for a response that is closed, or whose body is read in another way", function()
      local response = app:request "/hello/x"
      response:close()
      response:close()
      assert.error_matches(function() response:body() end, "^this response is closed$")
      response = app:request "/hello/x"
      response:body()
      assert.error_matches(function() response:chunks() end, "this body has been read whole already, by body%(%)$")
      response = app:request "/hello/x"
      response:chunks()
      assert.error_matches(function() response:body() end, "this body is read in pieces already, by chunks%(%)$")
      assert.error_matches(function() response:body { x = 1 } end, "unknown option 'x'")
      assert.error_matches(function() response:chunks { timeout = 1 / 0 } end, "timeout must be a number from 0 to 1e")
    end)

    it("for a body that another task reads", function()
      local clock <close> = test.clock()
      local response <close> = app:request "/endless"
      local task = neap.go(function() return response:body { timeout = 5 } end)
      timer.sleep(1)
      for _, name in ipairs { "body", "json" } do
        assert.error_matches(function() response[name](response) end, "^another task waits for this body$")
      end
      task:join()
      assert.is_nil((response:body { timeout = 0 }))
      clock:advance(1)
    end)

    it("for a group", function()
      app:group("/g", function(group)
        assert.error_matches(function() group:request "/" end, "a group takes no requests: its router does$")
      end)
    end)
  end)

  describe("leaves", function()
    it("when its task is cancelled", function()
      local left
      local own = http.router()
      own:get("/", function()
        local _ <close> = setmetatable({}, { __close = function() left = true end })
        timer.sleep(1000)
      end)
      local task = neap.go(function() own:request "/" end)
      timer.sleep(0)
      timer.sleep(0)
      task:cancel()
      task:join()
      test.eventually(function() return left end)
    end)

    it("lets the handler end what it does behind the answer", function()
      local clock <close> = test.clock()
      local done
      local own = http.router()
      own:get("/", function()
        return { body = "hello", after = function()
          timer.sleep(5)
          done = true
        end }
      end)
      own:request("/"):close()
      assert.is_nil(done)
      clock:advance(5)
      assert.is_true(done)
    end)

    it("a handler that takes nothing of the body, and one whose client does not wait for it", function()
      local clock <close> = test.clock()
      local ended, sent = 0, 0
      local own = http.router()
      own:post("/", function()
        local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
        timer.sleep(10)
        return "taken nothing"
      end)
      local function body()
        sent = sent + 1
        return ("x"):rep(65536)
      end
      local response = own:request { method = "POST", body = body, timeout = 20 }
      assert.same({ "taken nothing", 1 }, { response:body(), ended })
      assert.is_true(sent < 100)
      local _, _, code = own:request { method = "POST", body = body, timeout = 5 }
      clock:advance(0)
      assert.same({ "ETIMEDOUT", 2 }, { code, ended })
      local before = sent
      clock:advance(100)
      assert.equal(before, sent)
    end)

    it("with its task, however it waits: for the answer, its body, or to send", function()
      local own, ended = http.router(), 0
      local function handler(req)
        local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
        if req.path == "/body" then return { body = function(write) while write "x" do timer.sleep(0.001) end end } end
        timer.sleep(3600)
      end
      own:any("/*rest", handler)
      local leaks <close> = test.leaks()
      local tasks = {
        neap.go(function() own:request "/" end),
        neap.go(function() own:request("/body"):body() end),
        neap.go(function()
          own:request { method = "POST", body = function()
            timer.sleep(3600)
            return "x"
          end }
        end),
        own:request("/", print),
      }
      timer.sleep(0.02)
      for _, task in ipairs(tasks) do task:cancel() end
      for _, task in ipairs(tasks) do assert.same({ nil, "ECANCELED" }, { (task:join()), (select(3, task:join())) }) end
      test.eventually(function()
        collectgarbage()
        return ended == 4 and #leaks:list() == 0
      end)
    end)

    it("no descriptors", function()
      local before = descriptors()
      for _ = 1, 100 do
        app:request("/hello/x")
        app:request("/pieces"):close()
        app:request("/pieces"):body()
        app:request { method = "POST", path = "/late", body = ("x"):rep(1 << 18) }
      end
      collectgarbage()
      test.eventually(function() return descriptors() <= before + 3 end)
    end)

    it("nothing, where it was forgotten", function()
      local leaks <close> = test.leaks()
      for _ = 1, 10 do app:request "/endless" end
      collectgarbage()
      collectgarbage()
      test.eventually(function() return #leaks:list() == 0 end)
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
