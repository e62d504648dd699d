-- Limits of bodies: known beforehand, in chunks, and whatever somebody claims.
local http, middleware = require "neap.http", require "neap.http.middleware"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local body_limit, ask, refuses = middleware.body_limit, support.ask, support.refuses

local function chunked(pieces)
  return raw.request("POST /", raw.chunked(pieces), "Transfer-Encoding: chunked")
end

describe("body_limit", function()
  it("lets through what is short enough, with a length and in chunks", function()
    local app = support.app(body_limit(5))
    assert.equal("12345", ask(app, raw.post("/", "12345")).body)
    assert.equal("12345", ask(app, chunked { "123", "45" }).body)
    assert.equal("hello", ask(app, raw.get "/").body)
    assert.equal("", ask(support.app(body_limit(0)), raw.post("/", "")).body)
  end)

  it("takes an integer that is written as 1e1, as do options", function()
    local app = support.app(body_limit(1e1), middleware.rate_limit { rate = 1e3, burst = 1e2, headers = true })
    assert.equal("1234567890", ask(app, raw.post("/", "1234567890")).body)
    assert.equal(413, ask(app, raw.post("/", "12345678901")).status)
    assert.equal('"default";q=100;w=1', ask(app, raw.get "/").headers["ratelimit-policy"])
    app:post("/form", function(req) return assert(req:form { max_file = 1e6, max_fields = 1e1 }).fields.a end)
    assert.equal("b", app:request({ method = "POST", path = "/form", form = { a = "b" } }):body())
  end)

  it("answers 413 at once, without the handler, and without asking for the body", function()
    local called = false
    local app = http.router()
    app:use(body_limit(5))
    app:post("/", function()
      called = true
      return "x"
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address)
    client:send "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n"
    local response = client:response()
    assert.same({ 413, {}, "Content Too Large\n" }, { response.status, response.interim, response.body })
    assert.is_false(called)
  end)

  it("answers 413 where chunks turn out to be too long", function()
    local app = support.app(body_limit(5))
    assert.equal(413, ask(app, chunked { "123", "456" }).status)
    assert.equal(413, ask(app, chunked { ("x"):rep(100000) }).status)
  end)

  it("is the limit of chunks(), and of what says nothing else", function()
    local app = http.router()
    app:use(body_limit(5))
    app:post("/", function(req)
      local count = 0
      for piece in req:chunks() do count = count + #piece end
      return tostring(count)
    end)
    app:post("/own", function(req) return req:body { limit = 10 } end)
    assert.equal("5", ask(app, chunked { "12345" }).body)
    assert.equal(413, ask(app, chunked { "123456" }).status)
    assert.equal("1234567", ask(app, raw.request("POST /own", raw.chunked { "1234567" },
      "Transfer-Encoding: chunked")).body)
  end)

  it("can be more than the server's; of several the least counts", function()
    local app = http.router()
    app:post("/more", body_limit(20), function(req) return assert(req:body()) end)
    app:post("/both", body_limit(20), body_limit(8), function(req) return tostring(req.max_body) end)
    app:post("/both2", body_limit(8), body_limit(20), function(req) return tostring(req.max_body) end)
    local server <close> = assert(http.serve("127.0.0.1:0", { max_body = 10 }, app))
    local list = raw.exchange(server.address, raw.post("/more", ("x"):rep(15)) .. raw.post("/both", "x") ..
      raw.post("/both2", "x") .. raw.post("/more", ("x"):rep(21)), 4)
    assert.same({ ("x"):rep(15), "8", "8", 413 }, { list[1].body, list[2].body, list[3].body, list[4].status })
  end)

  it("copes with lengths beyond all numbers", function()
    local app = support.app(body_limit(5))
    for _, length in ipairs { "9223372036854775807", "18446744073709551615", "99999999999999999999999" } do
      local response = ask(app, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " .. length .. "\r\n\r\n")
      assert.truthy(response.status == 413 or response.status == 400, length)
    end
  end)

  it("refuses what is no number of bytes, at the caller's line", function()
    for _, value in ipairs { -1, 1.5, "5", {}, true } do
      refuses("bad argument #1 to 'body_limit' (bytes must be an integer from 0, not ", body_limit, value)
    end
    refuses("not nil", body_limit)
  end)
end)
