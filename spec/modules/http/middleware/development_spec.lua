-- middleware.development: for requests of this machine to this machine, errors are pages, and pages reload themselves.
local http, middleware = require "neap.http", require "neap.http.middleware"
local fs, json = require "neap.fs", require "neap.json"
local raw, start_app = require "spec.support.http", require "spec.support.app"
local support, test = require "spec.support.development", require "neap.test"
local TAG, ask, reported = support.TAG, support.ask, support.reported

describe("middleware.development", function()
  local app, server

  before_each(function() app, server = support.open() end)
  after_each(support.close)

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
