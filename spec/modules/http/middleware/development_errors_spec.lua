-- middleware.development: an error is a page, or a text, with all that helps to find it, and nothing that is secret.
local child, raw, start_app = require "spec.support.child", require "spec.support.http", require "spec.support.app"
local program, support = require "spec.support.program", require "spec.support.development"
local test = require "neap.test"
local TAG = support.TAG

describe("middleware.development shows errors", function()
  local ask, reported = support.ask, support.reported
  local app, server, reports

  before_each(function() app, server, reports = support.open() end)
  after_each(support.close)

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
    assert.matches('<p class="at">spec/modules/http/middleware/development_errors_spec.lua:%d+</p>', body)
    assert.matches('is"><i>%d+</i>%s*<span class="w">return</span> value.missing.field <span class="c">'
      .. '%-%- the line that fails</span>', body)
    assert.matches('is"><i>%d+</i>%s*<span class="w">local</span> result = helper', body)
    assert.matches("GET /bad/ann?a=1 HTTP/1.1", body, 1, true)
    assert.matches("<td>name</td><td>ann</td>", body, 1, true)
    assert.matches("<code>" .. response.headers["x-request-id"] .. "</code>", body, 1, true)
    assert.matches(TAG .. "</body></html>\n$", body)
    assert.equal(("GET /bad/ann?a=1 (request %s)"):format(response.headers["x-request-id"]), report.name)
    assert.matches("development_errors_spec.lua:%d+: attempt to index", report.err)
    assert.matches("^stack traceback:\n\t%S+development_errors_spec.lua:%d+: in upvalue 'helper'", report.traceback)
    assert.is_nil(report.traceback:find("middleware/development.lua", 1, true))
    assert.equal(0, #reports)
  end)

  it("as text, for who does not ask for a page", function()
    local response = ask("GET /bad/ann", "Accept: */*")
    assert.same({ 500, "text/plain; charset=utf-8" }, { response.status, response.headers["content-type"] })
    assert.matches("^spec/modules/http/middleware/development_errors_spec.lua:%d+: attempt to index", response.body)
    assert.matches("\n > %d+ |     return value.missing.field %-%- the line that fails\n", response.body)
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
