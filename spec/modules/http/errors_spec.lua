-- Errors in handlers: 500 with an id and nothing more for the client, a report for us, and a connection that is in step
-- or closed. Other connections never notice.
local http, neap, timer = require "neap.http", require "neap", require "neap.timer"
local child, raw = require "spec.support.child", require "spec.support.http"
local eventually = require "neap.test".eventually

-- A server with a handler for each path; the others answer with the target. What goes wrong neap.on_error puts into
-- `reports`.
local server, handlers, reports

local function note(text, trace, info)
  reports[#reports + 1] = { text = text, trace = trace, name = info.name }
end

before_each(function()
  reports, handlers = {}, {}
  neap.on_error(function(err, trace, info) note(tostring(err), trace, info) end)
  server = assert(http.serve("127.0.0.1:0", function(req)
    local handler = handlers[req.path]
    if handler then return handler(req) end
    return req.path
  end))
end)

after_each(function()
  neap.on_error(nil)
  server:close()
end)

-- The request fails: the client gets a 500 that tells nothing, the requests behind it their own answers, and another
-- connection its own. Returns what was reported.
local function fails(handler, method)
  handlers["/bad"] = handler
  local other <close> = raw.connect(server.address)
  other:expect_in_step "/other"
  local client <close> = raw.connect(server.address)
  client:send(raw.get "/before" .. raw.request((method or "GET") .. " /bad") .. raw.get "/behind")
  assert.equal("/before", client:response().body)
  local response = client:response { head = method == "HEAD" }
  assert.same({ 500, method == "HEAD" and "" or "Internal Server Error\n" }, { response.status, response.body })
  local id = response.headers["x-request-id"]
  assert.is_truthy(id)
  assert.equal("/behind", client:response().body)
  assert.equal("/next", client:expect_in_step("/next").body)
  assert.equal("/other", other:expect_in_step("/other").body)
  eventually(function() return #reports > 0 end)
  assert.equal(1, #reports)
  assert.equal((method or "GET") .. " /bad (request " .. id .. ")", reports[1].name)
  return reports[1]
end

describe("a handler that raises", function()
  it("with the id that it has given its request, where that is fit for a header", function()
    local list = { "mine", ("x"):rep(128), "", ("x"):rep(129), "a b", "a\r\nb: c", "\xff", 17, true }
    handlers["/bad"] = function(req)
      req.id = list[tonumber(req:body())]
      error "fails"
    end
    local client <close> = raw.connect(server.address)
    for i, id in ipairs(list) do
      client:send(raw.request("POST /bad", tostring(i)))
      local sent = client:response().headers["x-request-id"]
      if i <= 2 then assert.equal(id, sent) else assert.matches("^%x+%-%d+$", sent) end
      eventually(function() return #reports == i end)
      assert.equal("POST /bad (request " .. sent .. ")", reports[i].name)
    end
  end)

  it("whatever it raises", function()
    local object = setmetatable({}, { __tostring = function() return "an object of its own" end })
    local errors = { "text", 42, { "a table" }, object, print, true, coroutine.create(print) }
    for _, value in ipairs(errors) do
      fails(function() error(value, 0) end)
      assert.equal(tostring(value), reports[1].text)
      reports = {}
    end
    fails(function() error() end)
    assert.equal("nil", reports[1].text)
  end)

  it("an object that cannot be told", function()
    local worse = setmetatable({}, { __tostring = function() error "not even this" end })
    local broken = setmetatable({}, { __tostring = function() return 1 end, __name = {} })
    neap.on_error(function(_, trace, info) note("?", trace, info) end)
    for _, object in ipairs { worse, broken } do
      handlers["/bad"] = function() error(object) end
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/bad" .. raw.get "/behind")
      assert.equal(500, client:response().status)
      assert.equal("/behind", client:response().body)
    end
    eventually(function() return #reports == 2 end)
  end)

  it("to a HEAD, which has no body", function()
    fails(function() error "here" end, "HEAD")
  end)

  it("under the id that it has seen itself", function()
    local id
    handlers["/bad"] = function(req)
      id = req.id
      error "here"
    end
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/bad")
    local response = client:response()
    assert.equal(id, response.headers["x-request-id"])
    eventually(function() return #reports == 1 end)
    assert.equal("GET /bad (request " .. id .. ")", reports[1].name)
  end)

  it("after it has waited", function()
    fails(function()
      timer.sleep(0.001)
      error "late"
    end)
  end)

  it("in a coroutine of its own, or from there to here", function()
    fails(function()
      coroutine.wrap(function()
        timer.sleep(0)
        error "inside"
      end)()
    end)
    assert.matches("inside", reports[1].text)
  end)

  it("in an iterator, in __close, in a metamethod", function()
    fails(function()
      for _ in function() error "iterator" end do print "never" end
    end)
    reports = {}
    fails(function()
      local _ <close> = setmetatable({}, { __close = function() error "closing" end })
      return "fine"
    end)
    reports = {}
    fails(function() return setmetatable({}, { __index = function() error "lookup" end }) end)
  end)

  it("because its stack is full", function()
    fails(function()
      local function deeper() return 1 + deeper() end
      return deeper()
    end)
    assert.matches("stack overflow", reports[1].text)
    reports = {}
    fails(function()
      local function deeper(s) return (s:gsub(".", deeper)) end
      return deeper "x"
    end)
    assert.matches("stack overflow", reports[1].text)
  end)

  it("because there is no memory for what it wants", function()
    fails(function() return ("x"):rep(1 << 60) end)
  end)

  it("a thousand times, in step", function()
    handlers["/bad"] = function() error "again" end
    local client <close> = raw.connect(server.address)
    client:send_later((raw.get "/bad" .. raw.get "/good"):rep(500))
    for _ = 1, 500 do
      assert.equal(500, client:response().status)
      assert.equal("/good", client:response().body)
    end
    client:expect_in_step()
    eventually(function() return #reports == 500 end)
  end)

  it("with a body that nobody has read: that is skipped", function()
    handlers["/bad"] = function() error "no" end
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/bad", ("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"):rep(100)) .. raw.get "/behind")
    assert.equal(500, client:response().status)
    assert.equal("/behind", client:response().body)
    client:expect_in_step()
  end)
end)

describe("a deadline in a handler", function()
  it("is a value, and no end", function()
    handlers["/late"] = function() return (select(3, neap.deadline(0.001, timer.sleep, 3600))) end
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/late")
    assert.equal("ETIMEDOUT", client:response().body)
    client:expect_in_step()
  end)
end)

describe("a handler that returns", function()
  -- What it says of the results.
  local function says(pattern, ...)
    local results = table.pack(...)
    fails(function() return table.unpack(results, 1, results.n) end)
    assert.matches("^the handler %(.+errors_spec%.lua:%d+%) returned ", reports[1].text)
    assert.matches(pattern, reports[1].text)
    reports = {}
  end

  it("no response", function()
    says("returned nothing;")
    says("returned nil;", nil)
    says('returned nil, "open x: no such file";', nil, "open x: no such file", "ENOENT")
    says("returned a boolean;", true)
    says("returned a boolean;", false)
    says("returned a function %(as a body it stands behind a status, as a handler it is called: f%(req%)%);", print)
    says("returned a thread;", coroutine.create(print))
    says("returned a userdata;", io.stdout)
    says("returned a string with a number behind it;", "not found", 404)
    says("returned a table with a number behind it;", { status = 200 }, 404)
    says("returned a number with a string behind it;", 200, "x", {}, "y")
  end)

  it("no status", function()
    for _, status in ipairs { 0, 99, 100, 101, 199, 600, 1000, -200, 200.5, 1e300, 0 / 0, math.mininteger } do
      says("returned the status .+, which is none", status)
      says("returned the status .+, which is none", { status = status })
    end
    says("the status 200, which is none %(an integer from 200 to 599%)", { status = "200" })
    says("as its body a response, which has a status of its own", 404, http.json { a = 1 })
    says("no list of strings %(http.json makes a response of it%)", 200, { a = 1 })
    says("the status table", { status = {} })
    says("the status true", { status = true })
  end)

  it("no body", function()
    says("as its body a boolean;", 200, true)
    says("as its body a boolean;", { body = false })
    says("as its body a thread;", 200, coroutine.create(print))
    says("as its body a table that is no list", 200, { a = 1 })
    says("as its body a list with a table;", 200, { "a", {}, "b" })
    says("as its body a list with nil;", 200, setmetatable({}, { __len = function() return 5 end }))
    says("as its body a list with a boolean;", 200, { "a", false })
    says("as its body a userdata;", 200, io.stdout)
  end)

  it("no headers, no trailers, no field", function()
    says("as its headers a string;", 200, "x", "text/plain")
    says("as its headers a number;", { headers = 1 })
    says("as its trailers a string;", { body = print, trailers = "x" })
    says("a table with the field 'staus' %(http.json makes a response of data%)", { staus = 200 })
    says("a table with the field '1'", { "text" })
    says("a table with the field 'true'", { [true] = 1 })
  end)

  it("headers that cannot be sent", function()
    for _, headers in ipairs {
      { ["a b"] = "c" }, { [""] = "c" }, { ["a:"] = "c" }, { ["a\r\nb"] = "c" }, { ["\0"] = "c" },
      { [1] = "c" }, { [true] = "c" },
      { ["ä"] = "c" }, { a = "b\r\nc: d" }, { a = "b\n" }, { a = "\r" }, { a = "b\0c" }, { a = "\127" },
      { a = {} , b = true }, { a = { "b", "c\n" } }, { a = { {} } }, { a = print }, { connection = "upgrade" },
      { ["transfer-encoding"] = "chunked" }, { ["Transfer-Encoding"] = "identity" }, { ["keep-alive"] = "1" },
      { upgrade = "h2c" }, { ["content-length"] = 1 }, { ["Content-Length"] = "-1" }, { ["content-length"] = "0x4" },
      { ["content-length"] = { 4, 4 } }, { ["content-length"] = 4, ["Content-Length"] = 5 },
      { ["content-length"] = 4.5 },
      { date = "now", Date = "then" },
    } do
      fails(function() return 200, "text", headers end)
      assert.matches("header", reports[1].text)
      reports = {}
    end
  end)
end)

describe("a body that fails while it is sent", function()
  local cut = {
    raises = function(write)
      write "some"
      error "in the middle"
    end,
    ["gives no string"] = function(write)
      write "some"
      return {}
    end,
    ["is written no string"] = function(write)
      write "some"
      write(true)
    end,
    ["ends in a coroutine"] = coroutine.wrap(function(write)
      write "some"
      error "inside"
    end),
  }

  for name, body in pairs(cut) do
    it("because it " .. name .. ": it ends without an end, and is reported", function()
      handlers["/bad"] = function() return 200, body end
      local other <close> = raw.connect(server.address)
      other:expect_in_step()
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/bad" .. raw.get "/behind")
      assert.equal("chunked", client:head().headers["transfer-encoding"])
      assert.equal("some", client:chunk())
      assert.has_error(function() client:chunk() end)
      eventually(function() return #reports == 1 end)
      assert.matches("^GET /bad %(request ", reports[1].name)
      assert.equal(1, server.requests - 1)
      other:expect_in_step()
    end)
  end

  it("because of its trailers", function()
    for _, trailers in ipairs {
      function() error "trailers" end,
      function() return 1 end,
      { ["content-length"] = "1" },
      { a = "b\nc" },
    } do
      handlers["/bad"] = function() return { body = function(write) write "some" end, trailers = trailers } end
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/bad" .. raw.get "/behind")
      client:head()
      assert.equal("some", client:chunk())
      assert.has_error(function() client:chunk() end)
      eventually(function() return #reports == 1 end)
      reports = {}
    end
  end)

  it("because it is not as long as it has said", function()
    for _, text in ipairs { "123", "12345" } do
      handlers["/bad"] = function()
        return 200, function(write) write(text) end, { ["content-length"] = 4 }
      end
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/bad" .. raw.get "/behind")
      assert.equal("4", client:head().headers["content-length"])
      assert.has_error(function() client:rest() end)
      eventually(function() return #reports == 1 end)
      reports = {}
    end
  end)
end)

describe("the report of a failed request", function()
  local script = [[
    local http = require "neap.http"
    local function look_up(what)
      error("no such thing: " .. what)
    end
    local server = assert(http.serve("127.0.0.1:0", function(req)
      if req.path == "/nothing" then return end
      return 200, look_up(req.path)
    end))
    print(server.address)
    io.stdout:flush()]]

  -- What stderr says, and the answers, for these requests.
  local function stderr(...)
    local process <close> = child.start({}, { script = script })
    local client <close> = raw.connect(process:line())
    local answers = {}
    for i, bytes in ipairs { ... } do
      client:send(bytes)
      answers[i] = client:response()
    end
    client:close()
    process:signal "TERM"
    local _, _, text = process:wait()
    return text, answers
  end

  it("names method, target and id, and shows the handler's lines, and none of ours behind them", function()
    local text, answers = stderr(raw.get "/moon?full=1")
    local id = answers[1].headers["x-request-id"]
    assert.equal(500, answers[1].status)
    local first, rest = text:match "^neap: task %d+ (.-)\n(.*)$"
    local who = "(GET /moon?full=1 (request " .. id .. ")) failed: "
    assert.equal(who, first:sub(1, #who))
    assert.matches(":3: no such thing: /moon$", first)
    local lines = {}
    for line in rest:gmatch "[^\n]+" do lines[#lines + 1] = line:match "^%s*(.*)$" end
    assert.equal("stack traceback:", lines[1])
    assert.matches(":3: in upvalue 'look_up'$", lines[3])
    assert.matches(":7: in function <.+:5>$", lines[4])
    assert.matches("^started at .+:5$", lines[5])
    assert.equal(5, #lines)
  end)

  it("names what was returned, and shortens what is long", function()
    local text, answers = stderr(raw.get "/nothing", raw.get("/" .. ("x"):rep(5000)))
    assert.same({ 500, 500 }, { answers[1].status, answers[2].status })
    assert.matches("the handler %(.+:5%) returned nothing; a response is", text)
    assert.matches("%(GET /xxx+%.%.%. %(request ", text)
    local line = text:match "(neap: task %d+ %(GET /xx[^\n]-%) failed)"
    assert.is_true(#line < 200, line)
  end)
end)
