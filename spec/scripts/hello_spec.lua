-- scripts/hello.lua, as a program that is asked over a socket, and changed while it runs.
local fs, test = require "neap.fs", require "neap.test"
local child = require "spec.support.child"
local http = require "spec.support.http"
local sockets = require "spec.support.sockets"

local function start(...)
  local hello = child.start({ ... }, { under = "setsid" }) -- without a terminal: SIGHUP reloads it
  return hello, hello:line():match("^hello: listening on (.+)$"):gsub("^http://", "")
end

local function ends(hello)
  hello:signal "TERM"
  assert.same({ 0, "", "" }, { hello:wait() })
end

describe("scripts/hello.lua", function()
  it("answers", function()
    local hello <close>, address = start("scripts/hello.lua", "127.0.0.1:0")
    local client <close> = http.connect(address)
    local function ask(bytes, head)
      client:send(bytes)
      local answer = client:response { head = head }
      return answer.status, answer.body, answer.headers
    end
    local function expect(status, body, bytes)
      local got, text = ask(bytes)
      assert.same({ status, body }, { got, text })
    end
    expect(200, "hello, world\n", http.get "/hello")
    expect(200, "hello, two words\n", http.get "/hello?name=two+words")
    expect(200, "TEA\n", http.post("/upper", "tea"))
    expect(404, "there is nothing at /nothing\n", http.get "/nothing?x=1")
    expect(404, "there is nothing at /hello\n", http.post("/hello", ""))
    assert.matches("^hello%. There are also ", (select(2, ask(http.get "/"))))
    local status, body, headers = ask(http.get "/time")
    assert.equal(200, status)
    assert.matches("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d UTC\n$", body)
    assert.equal("no-store", headers["cache-control"])
    status, body, headers = ask(http.request "HEAD /hello", true)
    assert.same({ 200, "", "13" }, { status, body, headers["content-length"] })
    assert.equal(413, (ask(http.request("POST /upper", nil, "Content-Length: 2000000"))))
    ends(hello)
  end)

  it("listens where it is told to", function()
    local port = sockets.free_address():match "%d+$"
    local hello <close>, address = start("scripts/hello.lua", port)
    assert.equal("127.0.0.1:" .. port, address)
    local unix = sockets.unix()
    local other <close>, path = start("scripts/hello.lua", unix)
    assert.equal(unix, path)
    for _, where in ipairs { address, path } do
      local client <close> = http.connect(where)
      client:send(http.get "/hello")
      assert.equal(200, client:response().status)
    end
    ends(hello)
    ends(other)
  end)

  it("is changed while it serves", function()
    local files = test.tempdir()
    local source = assert(fs.read "scripts/hello.lua")
    local path = files:write("hello.lua", source)
    local hello <close>, address = start(path, "127.0.0.1:0")
    local client <close> = http.connect(address)
    client:send(http.get "/hello")
    assert.equal("hello, world\n", client:response().body)
    files:write("hello.lua", (source:gsub('"hello, %%s\\n"', '"good evening, %%s\\n"')))
    hello:signal "HUP"
    test.eventually(function() return hello:stderr():find("generation 2 is live", 1, true) end, 20)
    client:send(http.get "/hello")
    assert.equal("good evening, world\n", client:response().body)
    hello:signal "TERM"
    assert.equal(0, (hello:wait()))
  end)

  it("says what is wrong with its arguments", function()
    for _, arguments in ipairs { { "nonsense" }, { "--help" }, { "127.0.0.1:0", "more" } } do
      local other <close> = child.start { "scripts/hello.lua", table.unpack(arguments) }
      local code, out, err = other:wait()
      assert.same({ 2, "" }, { code, out })
      assert.matches("^usage: neap scripts/hello%.lua %[PORT or ADDRESS%] [^\n]*\n$", err)
    end
    local server <close> = sockets.listen(function() end)
    local other <close> = child.start { "scripts/hello.lua", server.address }
    assert.same({ 1, "", "hello: listen " .. server.address .. ": address already in use\n" }, { other:wait() })
  end)
end)
