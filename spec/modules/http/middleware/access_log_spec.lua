-- A line for each request: what it says, whatever becomes of the request and whatever is in it; and where it goes.
local http, middleware, timer = require "neap.http", require "neap.http.middleware", require "neap.timer"
local json, neap, test = require "neap.json", require "neap", require "neap.test"
local child, raw, support = require "spec.support.child", require "spec.support.http", require "spec.support.middleware"
local access_log, ask, refuses = middleware.access_log, support.ask, support.refuses
local eventually = test.eventually

-- The middleware, and the lines that it has written.
local function log(options)
  options = options or {}
  local lines = {}
  options.write = function(line, ...)
    assert(select("#", ...) == 0)
    lines[#lines + 1] = line
  end
  return access_log(options), lines
end

-- Errors of handlers are expected here.
local function quietly()
  neap.on_error(function() end)
  return setmetatable({}, { __close = function() neap.on_error(nil) end })
end

-- What is logged of one request.
local function line_of(options, bytes, how)
  local _ <close> = quietly()
  local logging, lines = log(options)
  ask(support.app(logging), bytes, how)
  eventually(function() return #lines > 0 end)
  assert.equal(1, #lines)
  return lines[1]
end

local function entry_of(bytes, how)
  return json.decode(line_of({ format = "json" }, bytes, how))
end

local DATE = "%[%d%d/%u%l%l/%d%d%d%d:%d%d:%d%d:%d%d [+-]%d%d%d%d%]"

describe("a line of access_log", function()
  it("is in the common format", function()
    assert.truthy(line_of(nil, raw.get "/?a=b"):find("^127%.0%.0%.1 %- %- " .. DATE ..
      ' "GET /%?a=b HTTP/1%.1" 200 5$'))
    assert.truthy(line_of(nil, raw.request("HEAD /", nil), { head = true }):find '"HEAD / HTTP/1%.1" 200 %-$')
  end)

  it("is in the combined format, with the time that it took if told so", function()
    assert.truthy(line_of({ format = "combined" }, raw.get("/", "Referer: http://a/", "User-Agent: me")):find(
      '" 200 5 "http://a/" "me"$'))
    assert.truthy(line_of({ format = "combined", duration = true }, raw.get "/"):find(
      '" 200 5 "%-" "%-" 0%.%d%d%d%d%d%d$'))
    assert.truthy(line_of({ duration = true }, raw.get "/"):find ' 200 5 0%.%d%d%d%d%d%d$')
  end)

  it("has the date of the request, by the clock of the day", function()
    local clock <close> = test.clock(951782400) -- 29 February 2000, in UTC
    local logging, lines = log()
    local app = http.router()
    app:use(logging)
    app:get("/", function()
      timer.sleep(5)
      return ""
    end)
    ask(app, raw.get "/")
    local t = os.date("*t", 951782400)
    assert.truthy(lines[1]:find(("[%02d/%s/2000:%02d:%02d:%02d %s]"):format(t.day, t.month == 2 and "Feb" or "Mar",
      t.hour, t.min, t.sec, os.date("%z", 951782400)), 1, true), lines[1])
    assert.equal(5.0, clock:now())
  end)

  it("is JSON", function()
    local clock <close> = test.clock(951782400)
    local logging, lines = log { format = "json" }
    local app = http.router()
    app:use(logging)
    app:get("/", function(req)
      req.user = 'ann "a"'
      timer.sleep(1.25)
      return ""
    end)
    ask(app, raw.get("/", "Referer: r", "User-Agent: u"))
    local entry = json.decode(lines[1])
    assert.truthy(entry.id)
    entry.id = nil
    assert.same({ time = "2000-02-29T00:00:00.000Z", status = 200, duration = 1.25, bytes = 0, client = "127.0.0.1",
      user = 'ann "a"', method = "GET", target = "/", version = "1.1", referer = "r", user_agent = "u" }, entry)
    assert.truthy(clock)
  end)

  it("is what a function makes of it; nil: there is none", function()
    local logging, lines = log { format = function(entry)
      if entry.target == "/none" then return nil end
      return ("%s %d %s %s\nx\r"):format(entry.req.path, entry.status, math.type(entry.bytes), entry.user)
    end }
    local app = support.app(logging)
    ask(app, raw.get "/none")
    ask(app, raw.get "/")
    eventually(function() return #lines > 0 end)
    assert.same({ "/ 200 integer nil\\x0Ax\\x0D" }, lines)
  end)

  it("is left out for what is skipped", function()
    local logging, lines = log {
      skip = function(req) return req.path == "/" end, format = function(entry) return entry.target end,
    }
    local app = support.app(logging)
    ask(app, raw.get "/")
    ask(app, raw.get "/stream")
    eventually(function() return #lines > 0 end)
    assert.same({ "/stream" }, lines)
  end)

  it("has the client that a function tells", function()
    local line = line_of({ client = middleware.client_address() }, raw.get("/", "X-Forwarded-For: x, 203.0.113.7"))
    assert.truthy(line:find "^203%.0%.113%.7 ")
  end)
end)

describe("the status and the bytes of access_log", function()
  it("are those of the answer", function()
    local entry = entry_of(raw.get "/stream")
    assert.same({ 200, 13 }, { entry.status, entry.bytes })
    entry = entry_of(raw.get "/none")
    assert.same({ 404, 10 }, { entry.status, entry.bytes })
    entry = entry_of(raw.request "DELETE /")
    assert.same({ 405, 19 }, { entry.status, entry.bytes })
    entry = entry_of(raw.request("HEAD /stream", nil), { head = true })
    assert.same({ 200, 0 }, { entry.status, entry.bytes })
  end)

  it("are those that other middleware has made of it", function()
    local logging, lines = log { format = "json" }
    local app = support.app(function(req, next)
      local response = next(req)
      response.status, response.body = 418, "tea"
      return response
    end, logging)
    ask(app, raw.get "/")
    eventually(function() return #lines > 0 end)
    local entry = json.decode(lines[1])
    assert.same({ 418, 3 }, { entry.status, entry.bytes })
  end)

  it("are 500 for an error, with its text", function()
    local entry = entry_of(raw.get "/bad")
    assert.same({ 500, nil, "a mistake" }, { entry.status, entry.bytes, entry.error })
    assert.truthy(line_of(nil, raw.get "/bad"):find '" 500 %-$')
  end)

  it("are 500 for an answer that cannot be sent, and say why", function()
    local app = support.app()
    local logging, lines = log { format = "json" }
    app:use(function(req, next)
      local response = next(req)
      if req.query.status then response.status = 99 end
      return response
    end, logging)
    app:get("/headers", function() return 200, "x", { ["x-a"] = "1\r\n2" } end)
    app:get("/length", function() return 200, "x", { ["content-length"] = 5 } end)
    local _ <close> = quietly()
    for i, path in ipairs { "/headers", "/length", "/?status=1" } do
      local sent = ask(app, raw.get(path))
      eventually(function() return #lines == i end)
      local entry = json.decode(lines[i])
      assert.same({ 500, 500, nil, "string" }, { sent.status, entry.status, entry.bytes, type(entry.error) })
    end
  end)

  it("are the client's fault where a body was refused", function()
    local logging, lines = log { format = "json" }
    local app = support.app(logging, middleware.body_limit(3))
    ask(app, raw.request("POST /", raw.chunked { "12345" }, "Transfer-Encoding: chunked"))
    assert.equal(413, json.decode(lines[1]).status)
  end)

  it("are 499 for a client that has left, 503 for a handler that the server has cancelled", function()
    local logging, lines = log { format = "json" }
    local app = http.router()
    app:use(logging)
    app:get("/", function() timer.sleep(30) end)
    local server <close> = assert(http.serve("127.0.0.1:0", { handler_timeout = 0.05 }, app))
    do
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/")
      client:settle()
    end
    eventually(function() return #lines == 1 end)
    local entry = json.decode(lines[1])
    assert.same({ 499, nil, "the client has left" }, { entry.status, entry.bytes, entry.error })
    assert.equal(503, raw.exchange(server.address, raw.get "/", 1)[1].status)
    eventually(function() return #lines == 2 end)
    assert.equal(503, json.decode(lines[2]).status)
  end)

  it("are those of what has gone out where a body is cut off", function()
    local _ <close> = quietly()
    local logging, lines = log { format = "json" }
    local app = http.router()
    app:use(logging)
    app:get("/", function()
      return { body = function(write)
        write "part"
        error("a mistake", 0)
      end }
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    eventually(function() return #lines > 0 end)
    local entry = json.decode(lines[1])
    assert.same({ 200, 4, "a mistake" }, { entry.status, entry.bytes, entry.error })
  end)

  it("wait for what others do after the answer, and they are done", function()
    local order = {}
    local logging = access_log { write = function() order[#order + 1] = "log" end }
    local app = http.router()
    app:use(logging)
    app:get("/", function() return { body = "x", after = function(bytes) order[#order + 1] = bytes end } end)
    ask(app, raw.get "/")
    eventually(function() return #order == 2 end)
    table.sort(order, function(a, b) return tostring(a) < tostring(b) end)
    assert.same({ 1, "log" }, order)
  end)
end)

describe("a line of access_log that cannot be written", function()
  it("is reported, and keeps nobody else from what is to be done", function()
    local told, after = {}, {}
    neap.on_error(function(message) told[#told + 1] = message end)
    finally(function() neap.on_error(nil) end)
    for _, options in ipairs {
      { write = function() error("no disk", 0) end }, { format = function() return 5 end },
    } do
      local app = http.router()
      app:use(access_log(options))
      app:get("/", function() return { body = "x", after = function(...) after[#after + 1] = { ... } end } end)
      assert.equal("x", ask(app, raw.get "/").body)
    end
    eventually(function() return #after == 2 and #told == 2 end)
    assert.same({ { 1 }, { 1 } }, after)
    assert.same({ "no disk", "access_log: format returned a number, not a string" }, told)
  end)
end)

describe("what a client sends to access_log", function()
  local HOSTILE = 'a"b\\c\t\x7f\xff\xc3\xa9'

  it("is escaped", function()
    local line = line_of({ format = "combined" }, raw.get("/\"\\", "Referer: " .. HOSTILE:gsub("[\t\x7f]", ""),
      "User-Agent: x\ty"))
    assert.truthy(line:find('"GET /\\"\\\\ HTTP/1.1"', 1, true), line)
    assert.truthy(line:find('"a\\"b\\\\c\\xFF\\xC3\\xA9" "x\\x09y"', 1, true), line)
    assert.is_nil(line:find "[^\32-\126]")
  end)

  it("cannot make a second line of a user's name", function()
    local logging, lines = log()
    local app = http.router()
    app:use(logging)
    app:get("/", function(req)
      req.user = 'a b\n"\27[2J' .. HOSTILE
      return ""
    end)
    app:get("/table", function(req)
      req.user = { name = "ann" }
      return ""
    end)
    app:get("/empty", function(req)
      req.user = ""
      return ""
    end)
    for _, path in ipairs { "/", "/table", "/empty" } do ask(app, raw.get(path)) end
    eventually(function() return #lines == 3 end)
    assert.truthy(lines[1]:find('- a\\x20b\\x0A\\"\\x1B[2Ja\\"b\\\\c\\x09\\x7F\\xFF\\xC3\\xA9 [', 1, true), lines[1])
    assert.truthy(lines[2]:find(" - - [", 1, true))
    assert.truthy(lines[3]:find(' - "" [', 1, true))
  end)

  it("has no character in JSON that ends a line or moves a cursor, in any character set", function()
    local logging, lines = log { format = "json" }
    for _, code in ipairs { 0x7f, 0x80, 0x85, 0x9b, 0x9f, 0x2028, 0x2029, 0x202e, 0x2066, 0x2069 } do
      local text = "a" .. utf8.char(code) .. "[2J"
      local req = { method = "GET", target = "/", version = "1.1", id = "1", peer = "10.0.0.1:1",
        header = function() return text end }
      logging(req, function() return { status = 200, headers = {} } end).after(0)
      local line = lines[#lines]
      assert.truthy(line:find(('"user_agent":"a\\u%04x[2J"'):format(code), 1, true), line)
      assert.equal(text, json.decode(line).user_agent)
    end
    local fine = "\u{a0}\u{e9}\u{2027}\u{202f}\u{2070}\u{1f30a}"
    assert.truthy(line_of({ format = "json" }, raw.get("/", "User-Agent: " .. fine)):find('"' .. fine .. '"', 1, true))
  end)

  it("is JSON all the same, whatever bytes it has", function()
    for i = 0, 255 do
      local logging, lines = log { format = "json" }
      local req = { method = "GET", target = "/" .. string.char(i), version = "1.1", id = "1", peer = "10.0.0.1:1",
        user = "\xc3\xa9" .. string.char(i), header = function() return string.char(i):rep(3) end }
      local response = logging(req, function() return { status = 200, headers = {} } end)
      response.after(0)
      local entry = assert(json.decode(lines[1]), lines[1])
      assert.equal(i < 128 and "/" .. string.char(i) or "/" .. utf8.char(i), entry.target)
      if i < 128 then assert.equal("é" .. string.char(i), entry.user) end
      assert.is_nil(lines[1]:find "%c")
    end
  end)
end)

describe("access_log writes", function()
  it("to standard output, in order, and nothing is lost when a reader is slow or the program ends", function()
    local server <close> = child.start({}, { script = [[
      local http, middleware, net = require "neap.http", require "neap.http.middleware", require "neap.net"
      local app = http.router()
      app:use(middleware.access_log { format = function(entry) return entry.target end })
      app:get("/*rest", function() return "x" end)
      local server <close> = assert(http.serve("127.0.0.1:0", app))
      local conn <close> = assert(net.connect(server.address))
      for i = 1, 3000 do
        conn:write { "GET /", i, ("x"):rep(100), " HTTP/1.1\r\nHost: x\r\n\r\n" }
        if i % 50 == 0 then conn:read() end
      end
      conn:write "GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
      conn:read "a"
    ]] })
    for i = 1, 3000 do assert.equal("/" .. i .. ("x"):rep(100), server:line()) end
    assert.equal("/last", server:line())
    assert.equal(0, (server:wait()))
  end)

  it("to a file that may be renamed, whole lines, in order", function()
    local files = test.tempdir()
    local path = files.path .. "/log"
    local app = support.app(access_log { path = path, format = function(entry) return entry.target end })
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local requests = {}
    for i = 1, 300 do requests[i] = raw.get("/" .. i) end
    local function lines() return select(2, (files:read "log" or ""):gsub("\n", "\n")) end
    raw.exchange(server.address, table.concat(requests), 300)
    eventually(function() return lines() == 300 end)
    local expected = {}
    for i = 1, 300 do expected[i] = "/" .. i .. "\n" end
    assert.equal(table.concat(expected), files:read "log")
    assert(os.rename(path, path .. ".1"))
    raw.exchange(server.address, raw.get "/new", 1)
    eventually(function() return files:read "log" == "/new\n" end)
  end)

  it("all lines to a file before the program ends", function()
    local files = test.tempdir()
    local server <close> = child.start({ files.path .. "/log" }, { script = [[
      local http, middleware, timer = require "neap.http", require "neap.http.middleware", require "neap.timer"
      local app = http.router()
      local function format(entry) return entry.target .. " " .. entry.status end
      app:use(middleware.access_log { path = arg[1], format = format })
      app:get("/wait", function() timer.sleep(0.2) return "x" end)
      app:get("/", function() return "x" end)
      print(assert(http.serve("127.0.0.1:0", app)).address)
      io.stdout:flush()
    ]] })
    local client <close> = raw.connect(server:line())
    client:send(raw.get "/" .. raw.get "/wait")
    client:response()
    server:signal "TERM"
    client:response()
    assert.equal(0, (server:wait()))
    assert.equal("/ 200\n/wait 200\n", files:read "log")
  end)

  it("nothing to a file that takes none: requests are answered, and it is told once", function()
    local server <close> = child.start({}, { script = [[
      local http, middleware = require "neap.http", require "neap.http.middleware"
      local app = http.router()
      app:use(middleware.access_log { path = "/dev/full" })
      app:get("/", function() return "x" end)
      print(assert(http.serve("127.0.0.1:0", app)).address)
      io.stdout:flush()
    ]] })
    local list = raw.exchange(server:line(), raw.get "/" .. raw.get "/", 2)
    assert.same({ 200, 200 }, { list[1].status, list[2].status })
    eventually(function() return server:stderr() ~= "" end)
    server:signal "TERM"
    server:wait()
    assert.equal("neap: access log: write /dev/full: no space left on device: lines are lost\n", server:stderr())
  end)
end)

describe("access_log", function()
  it("refuses what it is not made of, at the caller's line", function()
    refuses('format must be "common", "combined", "json" or a function, not "xml"', access_log, { format = "xml" })
    refuses("unknown option 'file'", access_log, { file = "x" })
    refuses("path must be the path of a file", access_log, { path = "a\0b" })
    refuses("path must be the path of a file", access_log, { path = "" })
    refuses("path and write exclude each other", access_log, { path = "x", write = print })
    refuses("/none/x: No such file or directory", access_log, { path = "/none/x" })
    refuses("write must be a function", access_log, { write = true })
    refuses("skip must be a function", access_log, { skip = "/" })
    refuses("duration must be true or false", access_log, { duration = "yes" })
    refuses("client must be a function", access_log, { client = "x" })
    refuses("table expected, got string", access_log, "json")
  end)
end)
