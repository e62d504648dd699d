-- middleware.sessions: what the server keeps for a browser.
local http, middleware = require "neap.http", require "neap.http.middleware"
local neap, timer = require "neap", require "neap.timer"
local raw = require "spec.support.http"
local start_app = require "spec.support.reloading"
local test = require "neap.test"
local refuses = require("spec.support.middleware").refuses

local names = 0

-- Sessions of their own for each spec: the name is that of the store, too.
local function new_name()
  names = names + 1
  return "spec" .. names
end

-- A server with sessions, and what asks it: ask(path, cookie) -> body, cookie line or nil, response.
local function serve(options, handler)
  options = options or {}
  options.name = options.name or new_name()
  local app = http.router()
  app:use(middleware.sessions(options))
  app:any("/*rest", handler)
  local server = assert(http.serve("127.0.0.1:0", app))
  local function ask(path, cookie)
    local client <close> = raw.connect(server.address, { limit = 1e6 })
    client:send(raw.get(path, cookie and "Cookie: " .. cookie))
    local response = client:response()
    return response.body, response.headers["set-cookie"], response
  end
  return server, ask, options.name
end

local function id_of(line)
  return (line:match "^[^;]*")
end

-- /put?user=ada, /get, /end, /renew, /replace, /clear, /fail, /wrong
local function notes(req)
  local path = req.path
  if path == "/put" then
    for key, value in pairs(req.query) do req.session[key] = value end
  elseif path == "/end" then req.session = nil
  elseif path == "/renew" then req:renew_session()
  elseif path == "/replace" then req.session = { user = "bob" }
  elseif path == "/clear" then req.session.user = nil
  elseif path == "/fail" then
    req.session.user = "eve"
    error "broken"
  elseif path == "/wrong" then
    req.session = 5
    return "5"
  end
  return tostring(req.session and req.session.user)
end

describe("a session", function()
  local server, ask, name

  before_each(function() server, ask, name = serve(nil, notes) end)
  after_each(function() server:close() end)

  it("is made when something is written to it, and only then", function()
    local body, line = ask "/get"
    assert.same({ "nil" }, { body, line })
    body, line = ask "/put?user=ada"
    assert.equal("ada", body)
    assert.matches("^" .. name .. "=[%w_-]+; Path=/; Max%-Age=86400; HttpOnly; SameSite=Lax$", line)
    assert.equal(24, #id_of(line) - #name - 1)
    assert.equal("private", select(3, ask "/put?user=ada").headers["cache-control"])
    assert.is_nil(select(3, ask "/get").headers["cache-control"])
  end)

  it("is found again, and the cookie is not sent again", function()
    local cookie = id_of(select(2, ask "/put?user=ada"))
    for _ = 1, 3 do
      local body, line, response = ask("/get", cookie)
      assert.same({ "ada" }, { body, line })
      assert.equal("private", response.headers["cache-control"]) -- no cache is to give it to others
    end
    assert.equal("bob", (ask("/put?user=bob", cookie)))
    assert.equal("bob", (ask("/get", "other=1; " .. cookie)))
  end)

  it("is another one for each browser", function()
    local ada, bob = id_of(select(2, ask "/put?user=ada")), id_of(select(2, ask "/put?user=bob"))
    assert.not_equal(ada, bob)
    assert.equal("ada", (ask("/get", ada)))
    assert.equal("bob", (ask("/get", bob)))
  end)

  it("is ended by nil, and its cookie with it", function()
    local cookie = id_of(select(2, ask "/put?user=ada"))
    local body, line = ask("/end", cookie)
    assert.equal("nil", body)
    assert.equal(name .. "=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", line)
    assert.equal("nil", (ask("/get", cookie)))
    assert.is_nil(select(2, ask "/end"))
  end)

  it("may be replaced, and emptied", function()
    local cookie = id_of(select(2, ask "/put?user=ada"))
    assert.equal("bob", (ask("/replace", cookie)))
    assert.equal("bob", (ask("/get", cookie)))
    assert.is_nil(select(2, ask("/clear", cookie)))
    assert.equal("nil", (ask("/get", cookie)))
    assert.is_nil(select(2, ask("/put?user=eve", cookie)))
    assert.matches(name, select(2, ask "/replace"))
  end)

  it("gets a new id by renew_session, and the old one is worth nothing", function()
    local old = id_of(select(2, ask "/put?user=ada"))
    local body, line = ask("/renew", old)
    assert.equal("ada", body)
    local new = id_of(line)
    assert.not_equal(old, new)
    assert.equal("nil", (ask("/get", old)))
    assert.equal("ada", (ask("/get", new)))
    assert.is_nil(select(2, ask "/renew"))
  end)

  it("is not had by who came with the old id, and is answered when it has a new one", function()
    local waits, gate
    local _ <close>, enter = serve(nil, function(req)
      if req.path == "/slow" then
        waits = true
        while not gate do timer.sleep(0.001) end
        if req.query.renew then req:renew_session() end
        if req.query.replace then req.session = { user = "eve" } end
        if req.query["end"] then req.session = nil end
      elseif req.path == "/enter" then
        req:renew_session()
        req.session.user = "ada"
      end
      return tostring(req.session and req.session.user)
    end)
    local function session_of(cookie) return id_of(select(2, enter("/enter", cookie))) end
    -- The cookie that comes of it, where somebody enters while a request with the old id is under way.
    local function slow(query)
      local planted = session_of()
      waits, gate = false, false
      local eve = neap.go(function() return (select(2, enter("/slow" .. query, planted))) end)
      test.eventually(function() return waits end)
      local cookie = session_of(planted)
      assert.not_equal(planted, cookie)
      gate = true
      return eve:join(), cookie
    end
    for _, query in ipairs { "", "?renew=1", "?replace=1", "?renew=1&replace=1" } do
      local line, cookie = slow(query)
      assert.is_nil(line, query)
      assert.equal("ada", (enter("/who", cookie)))
    end
    local line, cookie = slow "?end=1" -- that is always good
    assert.matches("Max%-Age=0", line)
    assert.equal("nil", (enter("/who", cookie)))
  end)

  it("is never one that the client has thought of", function()
    for _, value in ipairs { "", ("A"):rep(24), "../../x", ("x"):rep(4000), "newest", "1", "%00" } do
      local body, line = ask("/get", name .. "=" .. value)
      assert.same({ "nil" }, { body, line })
      line = select(2, ask("/put?user=eve", name .. "=" .. value))
      assert.not_equal(name .. "=" .. value, id_of(line))
      assert.equal("nil", (ask("/get", name .. "=" .. value)))
    end
    for _, line in ipairs { "", "=", ";", name, name .. "=\"", "\xff=\xff", (name .. "=x; "):rep(300) } do
      assert.equal("nil", (ask("/get", line)))
    end
  end)

  it("is not made by a handler that fails, or that makes no table of it", function()
    local reports = 0
    neap.on_error(function() reports = reports + 1 end)
    for _, path in ipairs { "/fail", "/wrong" } do
      local _, line, response = ask(path)
      assert.same({ 500 }, { response.status, line })
    end
    test.eventually(function() return reports == 2 end)
    neap.on_error(nil)
  end)
end)

describe("sessions", function()
  it("end where nobody uses them, and live on where somebody does", function()
    local _ <close> = test.clock()
    local _ <close>, ask = serve({ max_age = 100 }, notes)
    local used, unused = id_of(select(2, ask "/put?user=ada")), id_of(select(2, ask "/put?user=bob"))
    local told = 0
    for _ = 1, 30 do
      timer.sleep(9)
      local body, line = ask("/get", used)
      assert.equal("ada", body)
      if line then
        assert.equal(used, id_of(line))
        assert.matches("Max%-Age=100;", line)
        told = told + 1
      end
    end
    assert.equal(15, told) -- each 10 seconds at most
    assert.equal("nil", (ask("/get", unused)))
    timer.sleep(101)
    assert.equal("nil", (ask("/get", used)))
  end)

  it("end after max_lifetime, whoever uses them", function()
    local _ <close> = test.clock()
    local _ <close>, ask = serve({ max_age = 100, max_lifetime = 250 }, notes)
    local cookie = id_of(select(2, ask "/put?user=ada"))
    local last
    for _ = 1, 4 do
      timer.sleep(60)
      local body, line = ask("/get", cookie)
      assert.equal("ada", body)
      last = line
    end
    assert.matches("Max%-Age=10;", last) -- no longer than it has left: 250 - 240
    timer.sleep(11)
    assert.equal("nil", (ask("/get", cookie)))
  end)

  it("are so many at most: who was away longest goes", function()
    local _ <close>, ask = serve({ max_sessions = 3 }, notes)
    local cookies = {}
    for i = 1, 3 do cookies[i] = id_of(select(2, ask("/put?user=" .. i))) end
    ask("/get", cookies[1])
    cookies[4] = id_of(select(2, ask "/put?user=4"))
    local there = {}
    for i, cookie in ipairs(cookies) do there[i] = (ask("/get", cookie)) end
    assert.same({ "1", "nil", "3", "4" }, there)
    for _ = 1, 50 do ask "/put?user=flood" end
    assert.equal("nil", (ask("/get", cookies[1])))
  end)

  it("are shared by requests at the same time", function()
    local gate = false
    local _ <close>, ask = serve(nil, function(req)
      if req.path == "/wait" then
        req.session.waits = true
        while not gate do timer.sleep(0.001) end
        req.session.waited = true
        if req.query.renew then req:renew_session() end
        if req.query["end"] then req.session = nil end
      elseif req.path == "/end" then
        req.session = nil
      else
        req.session.count = (req.session.count or 0) + 1
      end
      return ("%s %s %s"):format(req.session and req.session.count, req.session and req.session.waits,
        req.session and req.session.waited)
    end)
    local cookie = id_of(select(2, ask "/count"))
    local task = neap.go(function() return (ask("/wait", cookie)) end)
    test.eventually(function() return (ask("/count", cookie)):find "true nil" end)
    gate = true
    task:join()
    assert.matches("^%d+ true true$", (ask("/count", cookie)))
    -- one that another request ends meanwhile stays ended
    for _, path in ipairs { "/wait", "/wait?renew=1", "/wait?end=1" } do
      gate = false
      task = neap.go(function() return (select(2, ask(path, cookie))) end)
      timer.sleep(0.01)
      assert.matches("Max%-Age=0", select(2, ask("/end", cookie)))
      gate = true
      assert.is_nil((task:join()))
      local body, line = ask("/count", cookie)
      assert.equal("1 nil nil", body)
      cookie = id_of(line)
    end
  end)

  it("go with streamed answers, and cookies that are there already", function()
    local _ <close>, ask, name = serve(nil, function(req)
      req.session.user = "ada"
      return { headers = { ["Set-Cookie"] = { "a=1", "b=2" }, ["cache-control"] = "no-store" }, body = function(write)
        write "one"
        req.session.late = "yes" -- it is there already: so this is kept
        write "two"
      end }
    end)
    local body, _, response = ask "/"
    assert.equal("onetwo", body)
    assert.equal("no-store", response.headers["cache-control"])
    local lines = {}
    for _, line in ipairs(response.lines) do
      if line[1]:lower() == "set-cookie" then lines[#lines + 1] = id_of(line[2]):gsub("=.*", "") end
    end
    assert.same({ "a", "b", name }, lines)
  end)

  it("of two names do not get in each other's way", function()
    local inner, outer = new_name(), new_name()
    local app, seen = http.router(), nil
    app:use(middleware.sessions { name = outer })
    app:use(function(req, following)
      req.session.outer = true
      local response = following(req)
      seen = req.session
      return response
    end)
    app:get("/", middleware.sessions { name = inner }, function(req)
      req.session.inner = true
      return ""
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    local line = client:response().headers["set-cookie"]
    assert.matches(inner .. "=.*" .. outer .. "=", line)
    assert.same({ outer = true }, seen)
  end)

  it("survive a reload", function()
    local text = [[
      local http, middleware = require "neap.http", require "neap.http.middleware"
      local app = http.router()
      app:use(middleware.sessions {})
      app:get("/", function(req)
        req.session.count = (req.session.count or 0) + 1
        return "%s " .. req.session.count
      end)
      server = assert(http.serve("127.0.0.1:0", app))
    ]]
    local app <close> = start_app.start(text:format "one")
    local address = app:run "return server.address"
    local client <close> = raw.connect(address)
    client:send(raw.get "/")
    local first = client:response()
    assert.equal("one 1", first.body)
    local cookie = id_of(first.headers["set-cookie"])
    assert.is_true((app:reload(text:format "two")))
    client:send(raw.get("/", "Cookie: " .. cookie))
    local second = client:response()
    assert.equal("two 2", second.body)
    assert.is_nil(second.headers["set-cookie"])
    app:settle() -- nothing of the old version is kept by them
  end)

  it("stay for who asks now and then, however many others come", function()
    local server <close>, ask = serve({ max_sessions = 100 }, notes)
    local cookie = id_of(select(2, ask "/put?user=ada"))
    local client <close> = raw.connect(server.address)
    for _ = 1, 6 do
      client:send((raw.get "/put?user=x"):rep(50))
      client:responses(50)
      assert.equal("ada", (ask("/get", cookie)))
    end
  end)

  it("raise for options that cannot be", function()
    local function refused(message, options)
      refuses("bad argument #1 to 'sessions' (" .. message .. ")", middleware.sessions, options)
    end
    refused("table expected, got string", "x")
    refused("unknown option 'maxage' (there are: domain, max_age, max_lifetime, max_sessions, name, path, same_site, "
      .. "secure)", { maxage = 1 })
    for _, value in ipairs { 0, -1, 0 / 0, 1e10 } do
      refused("max_age must be a number of seconds from 1 to 1e9, not " .. tostring(value), { max_age = value })
    end
    refused('max_age must be a number of seconds from 1 to 1e9, not "1"', { max_age = "1" })
    refused("max_lifetime must be a number of seconds from 1 to 1e9, or false, not 0", { max_lifetime = 0 })
    refused("max_sessions must be an integer from 1 to 1000000000, not 0", { max_sessions = 0 })
    refused("secure must be true or false, not 1", { secure = 1 })
    refused("'a b' cannot be the name of a cookie", { name = "a b" })
    refused("'x' cannot be the path of a cookie", { path = "x" })
    refused("'x??' cannot be the domain of a cookie", { domain = "x\r\n" })
    refused("a cookie for other sites (same_site 'none', partitioned) must be secure", { same_site = "none" })
    refused("a cookie named '__Host-s' must be secure", { name = "__Host-s" })
    middleware.sessions { max_lifetime = false, name = new_name() }
    middleware.sessions { name = "__Host-" .. new_name(), secure = true }
  end)
end)
