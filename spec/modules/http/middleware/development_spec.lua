-- middleware.development: for requests of this machine to this machine, errors are pages, and pages reload themselves.
local http, middleware, neap = require "neap.http", require "neap.http.middleware", require "neap"
local fs, json = require "neap.fs", require "neap.json"
local child, raw, start_app = require "spec.support.child", require "spec.support.http", require "spec.support.app"
local program = require "spec.support.program"
local test = require "neap.test"

local TAG = '<script src="/.neap/reload.js" data%-version="[%x-]+"></script>'

describe("middleware.development", function()
  local app, server, reports

  before_each(function()
    reports = {}
    neap.on_error(function(err, traceback, info)
      reports[#reports + 1] = { err = err, traceback = traceback, name = info.name }
    end)
    app = http.router()
    app:use(middleware.development())
    server = assert(http.serve("127.0.0.1:0", app))
  end)

  after_each(function()
    server:close()
    neap.on_error(nil)
  end)

  -- A request with these lines of headers, of a browser unless there are any.
  local function ask(line, ...)
    local client <close> = raw.connect(server.address)
    local lines = select("#", ...) > 0 and { ... } or { "Accept: text/html,*/*;q=0.8" }
    client:send(raw.request(line, nil, table.unpack(lines)))
    return client:response { head = line:find "^HEAD" ~= nil }
  end

  local function reported()
    return test.eventually(function() return table.remove(reports) end)
  end

  -- ---- errors --------------------------------------------------------------------

  describe("shows errors", function()
    local function helper(value)
      return value.missing.field -- the line that fails
    end

    before_each(function()
      app:get("/bad/:name", function(req)
        local result = helper { name = req.params.name }
        return "never: " .. result
      end)
    end)

    it("as a page with message, sources, request and id, and reports them as ever", function()
      local response = ask("GET /bad/ann?a=1", "Accept: text/html")
      assert.same({ 500, "text/html; charset=utf-8", "no-store" },
        { response.status, response.headers["content-type"], response.headers["cache-control"] })
      local body, report = response.body, reported()
      assert.matches("<h1>attempt to index a nil value (field &#39;missing&#39;)</h1>", body, 1, true)
      assert.matches('<p class="at">spec/modules/http/middleware/development_spec.lua:%d+</p>', body)
      assert.matches('is"><i>%d+</i>%s*<span class="w">return</span> value.missing.field <span class="c">'
        .. '%-%- the line that fails</span>', body)
      assert.matches('is"><i>%d+</i>%s*<span class="w">local</span> result = helper', body)
      assert.matches("GET /bad/ann?a=1 HTTP/1.1", body, 1, true)
      assert.matches("<td>name</td><td>ann</td>", body, 1, true)
      assert.matches("<code>" .. response.headers["x-request-id"] .. "</code>", body, 1, true)
      assert.matches(TAG .. "</body></html>\n$", body)
      assert.equal(("GET /bad/ann?a=1 (request %s)"):format(response.headers["x-request-id"]), report.name)
      assert.matches("development_spec.lua:%d+: attempt to index", report.err)
      assert.matches("^stack traceback:\n\t%S+development_spec.lua:%d+: in upvalue 'helper'", report.traceback)
      assert.is_nil(report.traceback:find("middleware/development.lua", 1, true))
      assert.equal(0, #reports)
    end)

    it("as text, for who does not ask for a page", function()
      local response = ask("GET /bad/ann", "Accept: */*")
      assert.same({ 500, "text/plain; charset=utf-8" }, { response.status, response.headers["content-type"] })
      assert.matches("^spec/modules/http/middleware/development_spec.lua:%d+: attempt to index", response.body)
      assert.matches("\n > %d+ |       return value.missing.field %-%- the line that fails\n", response.body)
      assert.matches("\nGET /bad/ann HTTP/1.1\naccept: */*\n", response.body, 1, true)
      assert.matches("\nrequest " .. response.headers["x-request-id"] .. "\n", response.body, 1, true)
      reported()
      assert.equal(500, ask("HEAD /bad/ann").status)
      reported()
    end)

    it("without what is secret", function()
      for _, accept in ipairs { "text/html", "text/plain" } do
        local secret = "hush" .. "hush" -- the page shows these lines, too
        local body = ask("GET /bad/ann", "Accept: " .. accept, "Authorization: Basic " .. secret,
          "Cookie: a=" .. secret, "X-Api-Key: " .. secret, "X-CSRF-Token: " .. secret, "X-Other: shown").body
        assert.is_nil(body:find(secret, 1, true))
        assert.matches("shown", body, 1, true)
        reported()
      end
    end)

    it("escaped", function()
      local evil = "<script>alert(1)</script>\"'&"
      app:get("/evil/:name", function(req) error(req.params.name .. evil .. req:header "x") end)
      local path = "/evil/%3Cimg%20src=x%20onerror=alert(1)%3E?" .. evil:gsub("[<>\"]", { ["<"] = "%3C", [">"] = "%3E",
        ['"'] = "%22" })
      local body = ask("GET " .. path, "Accept: text/html", "X: " .. evil, "Y" .. ": </td>" .. evil).body
      for _, bad in ipairs { "<script>", "<img", "</td><script" } do assert.is_nil(body:find(bad, 1, true)) end
      assert.matches("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;", body, 1, true)
      reported()
      local text = ask("GET /evil/a", "Accept: text/plain", "X: \27[2J").body -- refused, or not for a terminal
      assert.is_nil(text:find("\27", 1, true))
      app:get("/controls", function(req) error(req.query.text, 0) end)
      for sent, shown in pairs { ["a%1b[2Jb%7f%0d%0a%09c"] = "a?[2Jb??\n\tc", ["%c2%9b2J%c3%a4"] = "?2Jä",
        ["%9b2J%c3%a4"] = "?2J??" } do
        local answer = ask("GET /controls?text=" .. sent, "Accept: text/plain").body
        assert.equal(1, answer:find(shown .. "\n", 1, true), answer)
        reported()
      end
    end)

    it("of every kind: no string, no place, no answer, a file that does not compile, an endless recursion", function()
      local dir = test.tempdir()
      local broken = dir:write("broken.lua", "local a = 1\nlocal b = = 2\n")
      local function forever() return 1 + forever() end
      local handlers = {
        table = function() error { code = 5 } end,
        object = function() error(setmetatable({}, { __tostring = function() return "an object" end })) end,
        worse = function() error(setmetatable({}, { __tostring = error })) end,
        none = function() error() end,
        number = function() error(42, 0) end,
        lines = function() error("one\ntwo", 0) end,
        fails = function() return nil, "it has failed", "EIO" end,
        broken = function() error((select(2, loadfile(broken)))) end,
        forever = forever,
        chunk = function() load("local x = 1\nx()")() end,
        zero = function() error("a\0b.lua:1: with a zero", 0) end,
        named = function() load("error 'oddly named'", "@a\0b")() end,
        far = function() error("a.lua:99999999999999999999: far away", 0) end,
        deep = function() coroutine.wrap(function() error "in a coroutine" end)() end,
        wait = function() require "neap.timer".sleep(0) error "after a wait" end,
      }
      local shown = {
        table = "(error object is a table value)", object = "an object", worse = "(error object is a table value)",
        none = "(error object is a nil value)", number = "<h1>42</h1>", lines = "<h1>one\ntwo</h1>",
        fails = 'returned nil, &quot;it has failed&quot;', broken = "unexpected symbol near &#39;=&#39;</h1>",
        forever = "stack overflow", chunk = "attempt to call a number value", deep = "in a coroutine",
        zero = "with a zero", named = "oddly named", far = "far away",
        wait = "after a wait",
      }
      for name, handler in pairs(handlers) do app:get("/" .. name, handler) end
      for name, text in pairs(shown) do
        local body = ask("GET /" .. name).body
        assert.matches(text, body, 1, true)
        assert.matches("GET /" .. name, reported().name, 1, true)
        if name == "chunk" then assert.matches('is"><i>2</i>x()', body, 1, true) end
      end
    end)

    it("but no lines of a file that is none of the program", function()
      local dir = test.tempdir()
      local path = dir:write("passwords", "hush" .. "hush\n")
      app:get("/leak", function() error(path .. ":1: oops", 0) end)
      local body = ask("GET /leak").body
      assert.matches("oops", body, 1, true)
      assert.is_nil(body:find("hush" .. "hush", 1, true))
      reported()
    end)

    it("and waits for no pipe, reads no device and nothing without end", function()
      local dir = test.tempdir()
      assert(os.execute("mkfifo " .. dir:path_of "pipe"))
      for _, path in ipairs { dir:path_of "pipe", "/dev/zero", dir.path } do
        app:get(path, (load("error 'odd'", "@" .. path)))
        assert.matches("<h1>odd</h1>", ask("GET " .. path).body, 1, true)
        reported()
      end
    end)

    it("of any length, but not at any", function()
      local long = {
        message = function() error(("ä"):rep(1000000), 0) end,
        lines = function() error(("a.lua:1: "):rep(100000), 0) end,
        object = function() error(setmetatable({}, { __tostring = function() return ("<"):rep(1000000) end })) end,
        source = function() load("local x = '" .. ("ü"):rep(100000) .. "' error 'in a long line'")() end,
      }
      for name, handler in pairs(long) do
        app:get("/" .. name, handler)
        for _, accept in ipairs { "text/html", "text/plain" } do
          local body = ask("GET /" .. name, "Accept: " .. accept).body
          assert.is_true(#body < 100000, name)
          assert.is_number(utf8.len(body), name)
          reported()
        end
      end
    end)

    it("also when there was no memory for what was to be done", function()
      local starved <close> = child.start({}, {
        before = 'export ASAN_OPTIONS="$ASAN_OPTIONS:allocator_may_return_null=1:max_allocation_size_mb=200"\n'
          .. ("grep -q __asan_init %s || ulimit -v 1000000"):format(program.quote(program.neap)),
        script = [[
          local http, middleware = require "neap.http", require "neap.http.middleware"
          local app = http.router():use(middleware.development())
          app:get("/", function() return ("x"):rep(1 << 30) end)
          print(assert(http.serve("127.0.0.1:0", app)).address)
          io.stdout:flush()
        ]],
      })
      local client <close> = raw.connect(starved:line())
      client:send(raw.get("/", "Accept: text/html"))
      local response = client:response()
      assert.equal(500, response.status)
      assert.matches("<h1>not enough memory</h1>", response.body, 1, true)
      test.eventually(function() return starved:stderr():find("failed: not enough memory", 1, true) end)
    end)

    it("but none of a stream that has begun: it is cut off", function()
      app:get("/late", function()
        return { headers = { ["content-type"] = "text/html" }, body = function(write) write "begun" error "late" end }
      end)
      local client <close> = raw.connect(server.address)
      client:send(raw.get("/late", "Accept: text/html"))
      assert.equal(200, client:head().status)
      assert.equal("begun", client:chunk())
      local ok, rest = pcall(client.chunk, client)
      assert.is_false(ok and rest ~= nil)
      assert.matches("late", reported().err, 1, true)
    end)

    it("but a body that is refused is none", function()
      app:post("/body", function(req) return assert(req:body { limit = 3 }) end)
      local client <close> = raw.connect(server.address)
      client:send(raw.post("/body", "1234", "Accept: text/html"))
      assert.equal(413, client:response().status)
      assert.same({}, reports)
    end)

    it("and goes on on the same connection", function()
      app:get("/good", function() return "good" end)
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/bad/a" .. raw.get "/good" .. raw.get "/bad/b" .. raw.get "/good")
      local list = client:responses(4)
      assert.same({ 500, 200, 500, 200 }, { list[1].status, list[2].status, list[3].status, list[4].status })
      assert.equal("good", list[4].body)
      assert.matches("GET /bad/b", reported().name, 1, true)
      assert.matches("GET /bad/a", reported().name, 1, true)
    end)

    it("that are raised by a cancellation not at all", function()
      local timer, began, ended = require "neap.timer", false, nil
      app:get("/wait", function()
        local _ <close> = setmetatable({}, { __close = function(_, err) ended = { err } end })
        began = true
        timer.sleep(60)
      end)
      local client = raw.connect(server.address)
      client:send(raw.get "/wait")
      test.eventually(function() return began end)
      client:reset()
      test.eventually(function() return ended end)
      assert.same({}, reports)
    end)
  end)

  -- ---- for whom --------------------------------------------------------------------

  describe("is not there", function()
    before_each(function()
      app:get("/bad", function() error "secret" end)
      app:get("/page", function() return http.html "<p>" end)
    end)

    local function is_there(...)
      local page, bad = ask("GET /page", ...), ask("GET /bad", ...)
      reported()
      local stream = ask("GET /.neap/reload.js", ...).status == 200
      local shown = bad.body:find("secret", 1, true) ~= nil
      assert.same({ stream, stream }, { shown, page.body ~= "<p>" })
      return shown
    end

    it("for another name than that of this machine", function()
      for _, host in ipairs { "localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:8080",
        "app.localhost:1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]:80" } do
        assert.is_true(is_there("Host: " .. host), host)
      end
      for _, host in ipairs { "evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "evil.com:127", "192.168.0.1",
        "[::2]", "[::ffff:8f00:1]", "[::ffff:a00:1]", "1127.0.0.1", "evillocalhost", "128.0.0.1", "[fe80::1]:80" } do
        assert.is_false(is_there("Host: " .. host), host)
      end
    end)

    it("for pages from elsewhere, though answers were open to them", function()
      local host = "Host: localhost:8080"
      for _, origin in ipairs { "http://localhost:3000", "http://127.0.0.1", "https://app.localhost" } do
        assert.is_true(is_there(host, "Origin: " .. origin), origin)
      end
      assert.is_true(is_there(host, "Origin: null", "Sec-Fetch-Site: same-origin"))
      assert.is_false(is_there(host, "Origin: null", "Sec-Fetch-Site: cross-site"))
      for _, origin in ipairs { "null", "http://evil.com", "https://localhost.evil.com", "http://evil.com:127",
        "file://", "localhost", "chrome-extension://localhost" } do
        assert.is_false(is_there(host, "Origin: " .. origin), origin)
      end
    end)

    it("for what somebody has passed on", function()
      local lines = { "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "Via: 1.1 proxy", "X-Real-IP: 1.2.3.4" }
      for _, line in ipairs(lines) do
        assert.is_false(is_there("Host: localhost", line), line)
      end
    end)

    it("for HTTP/1.0 without a name", function()
      local client <close> = raw.connect(server.address)
      client:send(raw.request "GET /page HTTP/1.0")
      assert.equal("<p>", client:response().body)
    end)

    it("for another machine; on a Unix socket it is", function()
      local one, mine = middleware.development(), {}
      local function pass(peer) -- the error of the handler, or another one: this is no request, it cannot be reported
        local function header(_, name) return name == "host" and "localhost" or nil end
        local req = { method = "GET", path = "/", peer = peer, header = header }
        local _, err = pcall(one, req, function() error(mine) end)
        return rawequal(err, mine)
      end
      for _, peer in ipairs { "10.0.0.1:5000", "[fe80::1]:5000", "128.0.0.1:1", "[::ffff:10.0.0.1]:1" } do
        assert.is_true(pass(peer), peer)
      end
      for _, peer in ipairs { "127.0.0.1:1", "127.3.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1" } do
        assert.is_false(pass(peer), peer)
      end
      local dir = test.tempdir()
      local unix <close> = assert(http.serve("unix:" .. dir:path_of "s", app))
      local client <close> = raw.connect(unix.address)
      client:send(raw.get "/page")
      assert.matches(TAG, client:response().body)
    end)

    it("unless it is forced", function()
      local forced = http.router()
      forced:use(middleware.development { force = true })
      forced:get("/page", function() return http.html "<p>" end)
      local other <close> = assert(http.serve("127.0.0.1:0", forced))
      local client <close> = raw.connect(other.address)
      client:send(raw.get("/page", "Host: example.com"))
      assert.matches(TAG, client:response().body)
    end)
  end)

  it("raises for options that it does not know", function()
    assert.has_error(function() middleware.development { forced = true } end,
      "bad argument #1 to 'development' (unknown option 'forced' (there are: force))")
    assert.has_error(function() middleware.development { force = 1 } end,
      "bad argument #1 to 'development' (option 'force' is a boolean, not a number)")
    assert.has_error(function() middleware.development(true) end,
      "bad argument #1 to 'development' (table expected, got boolean)")
  end)

  -- ---- pages -----------------------------------------------------------------------

  describe("adds a script to pages", function()
    local function page(body, headers, status)
      headers = headers or {}
      headers["content-type"] = headers["content-type"] or "text/html; charset=utf-8"
      app:any("/page", function() return { status = status, headers = headers, body = body } end)
    end

    it("before the end of their body, or at the end", function()
      local bodies = {
        ["<body><p>hi</p></body></html>"] = "^<body><p>hi</p>" .. TAG .. "</body></html>$",
        ["<BODY>'</body>'</BODY >"] = "^<BODY>'</body>'" .. TAG .. "</BODY >$",
        ["<p>hi"] = "^<p>hi" .. TAG .. "$",
        [""] = "^" .. TAG .. "$",
      }
      for body, expected in pairs(bodies) do
        app:get("/" .. #body, function() return http.html(body) end)
        assert.matches(expected, ask("GET /" .. #body).body)
      end
    end)

    it("of all forms", function()
      local function closes(body)
        return setmetatable(body, { __close = function(self) self.closed = true end })
      end
      local file = closes { chunks = function()
        local left = 3
        return function()
          left = left - 1
          return left >= 0 and tostring(left) or nil
        end
      end }
      local pieces = { "<p>", "a", 1 }
      local once = { "one", "two" }
      local bodies = {
        list = { pieces, "<p>a1" }, number = { 42, "42" },
        pushes = { function(write) write "a" write { "b", "c" } end, "abc" },
        gives = { function() return table.remove(once, 1) end, "onetwo" },
        object = { file, "210" },
      }
      for name, case in pairs(bodies) do
        app:get("/" .. name, function() return { headers = { ["content-type"] = "text/html" }, body = case[1] } end)
        assert.matches("^" .. case[2] .. TAG .. "$", ask("GET /" .. name).body)
      end
      assert.is_true(file.closed)
      assert.same({ "<p>", "a", 1 }, pieces)
      local path = test.tempdir():write("index.html", "<p>file")
      app:get("/file", function() return http.html(assert(fs.read(path))) end)
      app:get("/open", function()
        return { headers = { ["content-type"] = "text/html" }, body = assert(fs.open(path)) }
      end)
      assert.matches("^<p>file" .. TAG .. "$", ask("GET /open").body)
    end)

    it("with their length, also to HEAD, and without what would keep them", function()
      page("<p>12", { ["content-length"] = 5, etag = '"a"', ["last-modified"] = "x", ["cache-control"] = "max-age=9" })
      local response = ask "GET /page"
      assert.matches(TAG, response.body)
      assert.same({ #response.body .. "", "no-store" },
        { response.headers["content-length"], response.headers["cache-control"] })
      assert.is_nil(response.headers.etag)
      assert.is_nil(response.headers["last-modified"])
      assert.equal(response.headers["content-length"], ask("HEAD /page").headers["content-length"])
      app:get("/stream", function()
        local headers = { ["content-type"] = "text/html", ["content-length"] = "2" }
        return { headers = headers, body = function(write) write "ab" end }
      end)
      response = ask "GET /stream"
      assert.matches("^ab" .. TAG .. "$", response.body)
      assert.equal(#response.body .. "", response.headers["content-length"])
    end)

    it("with the nonce of their policy", function()
      page("<p>", { ["content-security-policy"] = "default-src 'self'; script-src 'nonce-aB3+/='" })
      assert.matches('data%-version="[%x-]+" nonce="aB3%+/="></script>$', ask("GET /page").body)
    end)

    it("and says where a form was sent", function()
      page "<p>"
      assert.matches('data%-version="[%x-]+" data%-sent></script>$', ask("POST /page", "Content-Length: 0").body)
    end)

    it("and to nothing else", function()
      local others = {
        { { ["content-type"] = "text/plain" } }, { { ["content-type"] = "application/json" } },
        { { ["content-type"] = "text/html-sandboxed" } }, { { ["content-encoding"] = "gzip" } },
        { { ["content-range"] = "bytes 0-1/9" }, 206 }, { { etag = '"a"' }, 304 },
      }
      for i, case in ipairs(others) do
        case[1]["content-type"] = case[1]["content-type"] or "text/html"
        app:get("/" .. i, function() return { status = case[2], headers = case[1], body = "<p></body>" } end)
        local response = ask("GET /" .. i)
        assert.is_nil(response.body:find("script", 1, true), i)
        assert.equal(case[1].etag, response.headers.etag)
      end
      page "<p>"
      assert.equal("<p>", ask("GET /page", "Sec-Fetch-Dest: empty").body) -- a part of one
      assert.matches(TAG, ask("GET /page", "Sec-Fetch-Dest: document").body)
    end)

    it("below the path where it is mounted", function()
      local outer = http.router():mount("/:any/app", app)
      page "<p>"
      local other <close> = assert(http.serve("127.0.0.1:0", outer))
      local client <close> = raw.connect(other.address)
      client:send(raw.get '/a"b/app/page' .. raw.get "/x/app/.neap/reload.js")
      assert.matches('<script src="/a&quot;b/app/.neap/reload.js" data', client:response().body, 1, true)
      assert.equal(200, client:response().status)
    end)
  end)

  it("has a script that nobody keeps, and a stream", function()
    local script = ask "GET /.neap/reload.js"
    assert.same({ 200, "text/javascript; charset=utf-8", "no-store" },
      { script.status, script.headers["content-type"], script.headers["cache-control"] })
    assert.equal(404, ask("POST /.neap/reload.js", "Content-Length: 0").status)
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/.neap/reload")
    assert.equal("text/event-stream", client:head().headers["content-type"])
    assert.matches("^retry: %d+\n\nevent: version\ndata: [%x-]+\n\nevent: fine\ndata:\n\n$", client:chunk())
  end)
end)

-- ---- sources -------------------------------------------------------------------------

describe("middleware.development shows of a program", function()
  local TEXT = [[
    http, middleware = require "neap.http", require "neap.http.middleware"
    app = http.router():use(middleware.development())
    app:get("/says", function(req) error(req.query.text, 0) end)
    app:get("/bad", function() error "to be seen" end)
    app:get("/requires", function() require "late" end)
    server = assert(http.serve("127.0.0.1:0", app))
  ]]

  local function open(files)
    files["app.lua"] = TEXT
    local app = start_app(files)
    return app, function(path, accept)
      local client <close> = raw.connect(app:eval "return server.address")
      client:send(raw.get(path, "Accept: " .. (accept or "text/html")))
      local response = client:response()
      assert.equal(500, response.status)
      return response.body
    end
  end

  it("where it does not compile", function()
    local _ <close>, ask = open { ["late.lua"] = "local a = 1\nlocal b = = 2\n" }
    local body = ask "/requires"
    assert.matches("unexpected symbol near &#39;=&#39;", body, 1, true)
    assert.matches('is"><i>2</i><span class="w">local</span> b = = ', body, 1, true)
  end)

  it("no lines of another file, though a message names it", function()
    local _ <close>, ask = open { ["other.lua"] = "hush" .. "hush" }
    local body = ask "/says?text=other.lua:1:+oops"
    assert.matches("oops", body, 1, true)
    assert.is_nil(body:find("hush" .. "hush", 1, true))
    assert.matches('is"><i>4</i>', ask "/says?text=app.lua:4:+oops", 1, true)
  end)

  it("no lines but those that run", function()
    local app <close>, ask = open {}
    assert.matches('is"><i>4</i>', ask "/bad", 1, true)
    app:save("app.lua", "-- another line\n" .. TEXT)
    for accept, before in pairs { ["text/html"] = '<p class="at">', ["text/plain"] = "\n" } do
      local body = ask("/bad", accept)
      assert.matches(before .. "app.lua:4 (the file has changed since it was loaded)", body, 1, true)
      assert.is_nil(body:find("router", 1, true))
    end
    assert(app:reload())
    assert.matches('is"><i>5</i>', ask "/bad", 1, true)
  end)
end)

-- ---- versions ------------------------------------------------------------------------

describe("middleware.development, when the program is reloaded,", function()
  local function version(text)
    return ([[
      http, middleware = require "neap.http", require "neap.http.middleware"
      app = http.router():use(middleware.development())
      app:get("/", function() return http.html "<p>%s</p>" end)
      server = assert(http.serve("127.0.0.1:0", app))
    ]]):format(text)
  end

  local function listen(app)
    local client = raw.connect(app:eval "return server.address")
    client:send(raw.get "/.neap/reload")
    client:head()
    return client, client:chunk():match "event: version\ndata: ([%x-]+)"
  end

  it("ends its streams at once, and tells another version", function()
    local app <close> = start_app(version "one")
    local client <close>, first = listen(app)
    local page <close> = raw.connect(app:eval "return server.address")
    page:send(raw.get "/")
    assert.matches('one</p><script src="/.neap/reload.js" data-version="' .. first, page:response().body, 1, true)
    assert(app:reload(version "two"))
    assert.equal("", client:rest())
    app:forgets_old()
    local again <close>, second = listen(app)
    assert.not_equal(first, second)
    page:send(raw.get "/")
    assert.matches('two</p><script src="/.neap/reload.js" data-version="' .. second, page:response().body, 1, true)
    again:close()
    app:ends()
  end)

  it("tells of a failure, with the lines, and when it is mended", function()
    local app <close> = start_app(version "one", { flags = { "--watch" } })
    local client <close>, first = listen(app)
    app:save("app.lua", "local a = 1\nlocal b = = \"\xff\"\n")
    local event = client:chunk()
    local data = json.decode(event:match "^event: failed\ndata: (.*)\n\n$")
    assert.matches("^app.lua:2: unexpected symbol near '='", data.text)
    local late <close>, same = listen(app)
    assert.equal(first, same)
    assert.matches("^event: failed", late:chunk())
    app:save("app.lua", version "one")
    assert.equal("event: fine\ndata:\n\n", client:chunk())
    assert.equal("event: fine\ndata:\n\n", late:chunk())
    app:save("app.lua", version "two")
    assert.equal("", client:rest())
    assert.equal("", late:rest())
    app:forgets_old()
    app:ends()
  end)

  it("reports an error on stderr, with the version", function()
    local bad = version "one" .. 'app:get("/bad", function() error "no" end)'
    local app <close> = start_app(bad)
    assert(app:reload(bad))
    local page <close> = raw.connect(app:eval "return server.address")
    page:send(raw.get "/bad")
    local id = page:response().headers["x-request-id"]
    assert.matches(("neap: generation 2: task %%d+ %%(GET /bad %%(request %s%%)%%) failed: app.lua:5: no\n")
      :format((id:gsub("%-", "%%-"))), app:stderr())
    app:signal "TERM"
    assert.equal(0, (app.child:wait()))
  end)

  it("does not hold up the end of the program", function()
    local app <close> = start_app(version "one")
    local client <close> = listen(app)
    app:ends()
    assert.equal("", client:rest())
  end)
end)
