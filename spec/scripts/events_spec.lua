-- scripts/events.lua, as a program with a few people in it; some of them are cut off, and the program is changed.
local neap, fs, http_module = require "neap", require "neap.fs", require "neap.http"
local json, test = require "neap.json", require "neap.test"
local child = require "spec.support.child"
local http = require "spec.support.http"

-- ---- a browser, in short ------------------------------------------------------

local stream = {}
stream.__index = stream
stream.__close = function(self) self.client:close() end

-- The next block of the stream: { event =, id =, data = }, { comment = true } or { retry = }; nil at its end.
function stream:block()
  local at = self.buffer:find("\n\n", 1, true)
  while not at do
    local piece = self.client:chunk()
    if not piece then return nil end
    self.buffer = self.buffer .. piece
    at = self.buffer:find("\n\n", 1, true)
  end
  local block = {}
  for line in self.buffer:sub(1, at):gmatch "([^\n]*)\n" do
    local name, value = line:match "^([^:]*): ?(.*)$"
    assert(name, line)
    assert.is_nil(block[name])
    block[name == "" and "comment" or name] = value
  end
  self.buffer = self.buffer:sub(at + 2)
  self.last = block.id or self.last
  return block
end

-- The next event of that kind, "message" or "people"; nil at the end.
function stream:next(kind)
  while true do
    local block = self:block()
    if not block then return nil end
    if block.data and (block.event or "message") == kind then
      return kind == "message" and assert(json.decode(block.data)) or block.data, block
    end
  end
end

function stream:hears(name, text)
  local message = assert(self:next "message")
  assert.same({ name, text }, { message.name, message.text })
end

-- Until so many are there.
function stream:counts(people)
  repeat local count = assert(self:next "people") until count == tostring(people)
end

local function listen(address, last, target)
  local client = http.connect(address)
  client:send(http.get(target or "/events", last and "Last-Event-ID: " .. last or "Accept: text/event-stream"))
  local head = client:head()
  assert.same({ 200, "text/event-stream", "no-store" },
    { head.status, head.headers["content-type"], head.headers["cache-control"] })
  return setmetatable({ client = client, buffer = "", last = last }, stream)
end

local function post(address, body, kind)
  local client <close> = http.connect(address)
  client:send(http.post("/say", body, "Content-Type: " .. (kind or "application/json")))
  local answer = client:response()
  return answer.status, answer.body
end

local function say(address, name, text)
  assert.same({ 204, "" }, { post(address, json.encode { name = name, text = text }) })
end

local function start(path, ...)
  local events = child.start({ path, ... }, { under = "setsid" }) -- without a terminal: SIGHUP reloads it
  return events, events:line():match("^events: listening on (.+)$"):gsub("^http://", "")
end

-- ---- what it does -------------------------------------------------------------

describe("scripts/events.lua", function()
  local events, address

  before_each(function()
    events, address = start("scripts/events.lua", "127.0.0.1:0")
  end)

  after_each(function()
    local ending <close> = events -- luacheck: ignore
    events:signal "TERM"
    assert.same({ 0, "", "" }, { events:wait() })
  end)

  it("lets everybody hear everybody, and counts them", function()
    local ada <close> = listen(address)
    ada:counts(1)
    local bob <close> = listen(address)
    ada:counts(2)
    bob:counts(2)
    say(address, "Ada", "hello")
    say(address, "Bob", "hi, Ada \u{1F319}")
    for _, person in ipairs { ada, bob } do
      person:hears("Ada", "hello")
      person:hears("Bob", "hi, Ada \u{1F319}")
    end
    bob.client:close()
    ada:counts(1)
    local cyd = listen(address)
    ada:counts(2)
    cyd.client:reset()
    ada:counts(1)
  end)

  it("tells who comes later what was said", function()
    for i = 1, 105 do say(address, "Ada", "message " .. i) end
    local late <close> = listen(address)
    for i = 6, 105 do late:hears("Ada", "message " .. i) end
    say(address, "Ada", "and this")
    late:hears("Ada", "and this")
  end)

  it("goes on where somebody was cut off", function()
    local first = listen(address)
    for i = 1, 3 do
      say(address, "Ada", "message " .. i)
      first:hears("Ada", "message " .. i)
    end
    first.client:reset()
    say(address, "Ada", "message 4")
    local again <close> = listen(address, first.last)
    again:hears("Ada", "message 4")
    local asked <close> = listen(address, nil, "/events?after=" .. first.last)
    asked:hears("Ada", "message 4")
    local run = first.last:match "^%x+"
    local wrong = { "nonsense", "-", "00000000-3", run .. "-99", run .. "-" .. ("9"):rep(30), run .. "--1" }
    for _, nonsense in ipairs(wrong) do
      local other <close> = listen(address, nonsense)
      other:hears("Ada", "message 1")
    end
    for i = 5, 110 do say(address, "Ada", "message " .. i) end
    local longer <close> = listen(address, first.last) -- 4 to 10 are gone
    assert.equal("7", (longer:next "gap"))
    longer:hears("Ada", "message 11")
  end)

  it("takes only what is a message", function()
    local long_name, long_text = ("ä"):rep(30), ("ö"):rep(1000)
    local function message(name, text) return json.encode { name = name, text = text } end
    for _, case in ipairs {
      { message(long_name .. "x", "a"), 422, "the name is too long: at most 30 characters\n" },
      { message("a", long_text .. "x"), 422, "the text is too long: at most 1000 characters\n" },
      { message(" \n", "a"), 422, "the name is empty\n" },
      { message("a", "\n \0"), 422, "the text is empty\n" },
      { message("a", nil), 422, "the text is missing\n" },
      { message(1, "a"), 422, "the name is missing\n" },
      { "[]", 422, "the name is missing\n" },
      { "null", 422, "the name is missing\n" },
      { "1", 422, "the name is missing\n" },
      { "false", 422, "the name is missing\n" },
    } do
      assert.same({ case[2], case[3] }, { post(address, case[1]) })
    end
    for _, text in ipairs { "", "{", '{"name": "\xff", "text": "a"}', '{"name": "\\ud800", "text": "a"}' } do
      assert.equal(400, (post(address, text)))
    end
    assert.equal(413, (post(address, message("a", ("x"):rep(20000)))))
    for _, kind in ipairs { "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "" } do
      assert.same({ 415, "send application/json\n" }, { post(address, message("a", "b"), kind) })
    end
    assert.equal(204, (post(address, message("a", "b"), "Application/JSON; charset=utf-8")))
    say(address, long_name, long_text)
    say(address, "  a\nb\0 ", " one\ntwo\tthree\r\n\27[2J ")
    local ada <close> = listen(address)
    ada:hears("a", "b")
    ada:hears(long_name, long_text)
    ada:hears("ab", "one\ntwo three\n[2J")
  end)

  it("has a page that runs nothing of what is said", function()
    local attack = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u{2028}&lt;"
    say(address, "<b>Eve</b>", attack)
    local ada <close> = listen(address)
    ada:hears("<b>Eve</b>", attack)
    for path, kind in pairs {
      ["/"] = "text/html", ["/page.js"] = "text/javascript", ["/page.css"] = "text/css",
    } do
      local answers = http.exchange(address, http.get(path), 1)
      local headers, body = answers[1].headers, answers[1].body
      assert.equal(kind .. "; charset=utf-8", headers["content-type"])
      assert.equal("nosniff", headers["x-content-type-options"])
      assert.matches("default-src 'none'; script-src 'self';", headers["content-security-policy"], 1, true)
      assert.is_nil(headers["content-security-policy"]:find("unsafe", 1, true))
      assert.is_nil(body:find "innerHTML" or body:find "insertAdjacentHTML" or body:find "document%.write")
      assert.is_nil(body:find "https?://") -- nothing from elsewhere
      assert.is_nil(body:find "<script>" or body:find "<style" or body:find " on%a+=")
    end
    assert.equal(404, http.exchange(address, http.get "/nothing", 1)[1].status)
    assert.equal(404, http.exchange(address, http.get "/say", 1)[1].status)
    local client <close> = http.connect(address)
    client:send(http.request "HEAD /")
    assert.equal(200, client:response({ head = true }).status)
  end)

  it("ends at once, though people listen", function()
    local other <close>, where = start("scripts/events.lua", "127.0.0.1:0")
    local ada <close> = listen(where)
    ada:counts(1)
    say(where, "Ada", "bye")
    other:signal "TERM"
    assert.same({ 0, "", "" }, { other:wait(10) })
    ada:hears("Ada", "bye")
    repeat until not ada:block() -- the body ends in good order
    ada.client:expect_closed()
  end)

  it("says what is wrong with its arguments", function()
    for _, argument in ipairs { "nonsense", "--help" } do
      local other <close> = child.start { "scripts/events.lua", argument }
      local code, out, err = other:wait()
      assert.same({ 2, "" }, { code, out })
      assert.matches("^usage: neap scripts/events%.lua %[PORT or ADDRESS%] [^\n]*\n$", err)
    end
    local other <close> = child.start { "scripts/events.lua", address }
    assert.same({ 1, "", "events: listen " .. address .. ": address already in use\n" }, { other:wait() })
  end)
end)

-- ---- while it is changed ------------------------------------------------------

describe("scripts/events.lua, changed while people listen,", function()
  local files, source, events, address

  before_each(function()
    files = test.tempdir()
    source = assert(fs.read "scripts/events.lua")
    events, address = start(files:write("events.lua", source), "127.0.0.1:0")
  end)

  after_each(function()
    local ending <close> = events -- luacheck: ignore
    events:signal "TERM"
    assert.equal(0, (events:wait()))
  end)

  local function reload(number, text)
    files:write("events.lua", text or source)
    events:signal "HUP"
    test.eventually(function() return events:stderr():find(("generation %d is live"):format(number), 1, true) end, 20)
  end

  it("ends their streams, and goes on where they were", function()
    local ada <close> = listen(address)
    ada:counts(1)
    say(address, "Ada", "one")
    ada:hears("Ada", "one")
    reload(2, (source:gsub('" is missing"', '" is wanted"')))
    assert.is_nil(ada:next "message") -- its stream has ended in good order
    assert.same({ 422, "the text is wanted\n" }, { post(address, '{"name": "Ada"}') }) -- this is the new version
    say(address, "Ada", "two")
    local again <close> = listen(address, ada.last)
    again:hears("Ada", "two")
    again:counts(1)
    ada.client:send(http.get "/events") -- the connection is still good
    assert.equal(200, ada.client:head().status)
    again:counts(2)
    assert.is_nil(events:stderr():find("keeps it in memory", 1, true)) -- the room holds nothing of the old version
  end)

  it("loses no message, and none comes twice", function()
    local count, reloads = 120, 5
    local listeners, done = {}, 0
    for i = 1, 3 do
      listeners[i] = neap.go(function()
        local heard, last = {}, nil
        while #heard < count do
          local person <close> = listen(address, last)
          while #heard < count do
            local message = person:next "message"
            if not message then break end
            heard[#heard + 1] = message.text
          end
          last = person.last
        end
        return heard
      end)
    end
    local speaker = neap.go(function()
      for i = 1, count do
        say(address, "Ada", "message " .. i)
        done = i
      end
    end)
    for i = 1, reloads do
      test.eventually(function() return done >= i * count // (reloads + 1) end, 20)
      reload(i + 1, source .. "-- " .. i)
    end
    speaker:join()
    for _, listener in ipairs(listeners) do
      for i, text in ipairs(listener:join()) do assert.equal("message " .. i, text) end
    end
  end)
end)

-- ---- in this process: time that jumps -----------------------------------------

describe("scripts/events.lua, when nobody speaks,", function()
  it("sends a comment every 15 seconds", function()
    local server, tasks = nil, {}
    local own = {
      ["neap"] = setmetatable({ args = { "127.0.0.1:0" }, ready = function() end, go = function(...)
        tasks[#tasks + 1] = neap.go(...)
        return tasks[#tasks]
      end }, { __index = neap }),
      ["neap.http"] = setmetatable({ serve = function(...)
        server = assert(http_module.serve(...))
        return server
      end }, { __index = http_module }),
    }
    local env = setmetatable({ print = function() end }, { __index = _G })
    function env.require(name) return own[name] or require(name) end
    assert(loadfile("scripts/events.lua", "t", env))()
    do
      local clock <close> = test.clock()
      local client = http.connect(server.address, { limit = 1000 })
      client:send(http.get "/events")
      assert.equal(200, client:head().status)
      local ada <close> = setmetatable({ client = client, buffer = "" }, stream)
      assert.equal("500", ada:block().retry)
      ada:counts(1)
      local before = clock:now()
      for i = 1, 3 do
        assert.same({ comment = "" }, ada:block())
        assert.equal(15.0 * i, clock:now() - before)
      end
      say(server.address, "Ada", "hello")
      ada:hears("Ada", "hello")
      assert.equal(45.0, clock:now() - before)
    end
    tasks[1]:cancel()
    server:close()
  end)
end)
