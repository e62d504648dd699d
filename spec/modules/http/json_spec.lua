-- A body that is JSON.
local http, json = require "neap.http", require "neap.json"
local raw = require "spec.support.http"

local function serve(handler)
  return assert(http.serve("127.0.0.1:0", handler))
end

describe("req:json", function()
  it("gives the value", function()
    local got
    local server <close> = serve(function(req)
      got = table.pack(req:json())
      assert(req:body() and select("#", req:json { limit = 1 }) == 1) -- again
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    local function value_of(text, ...)
      client:send(raw.post("/", text, ...))
      assert.equal(200, client:response().status)
      assert.equal(1, got.n)
      return got[1]
    end
    assert.same({ a = { 1, 2.5, "x" } }, value_of '{"a":[1,2.5,"x"]}')
    assert.equal(5, value_of " 5\n")
    assert.is_false(value_of "false")
    assert.equal(json.null, value_of "null")
    assert.same({ 1, 2 }, value_of(raw.chunked { "[1,", "2]" }, "Transfer-Encoding: chunked"))
  end)

  it("fails, and is the client's fault", function()
    local got
    local server <close> = serve(function(req)
      got = table.pack(req:json { limit = 10 })
      got.n = nil
      if req.path == "/mine" then return 422, got[2] end
      return assert(got[1], got[2])
    end)
    local function post(target, text)
      local client <close> = raw.connect(server.address)
      client:send(raw.post(target, text))
      return client:response().status
    end
    assert.equal(400, post("/", "[1,"))
    assert.equal("EINVAL", got[3])
    assert.matches("^line 1, column %d", got[2])
    assert.equal(400, post("/", ""))
    assert.equal(422, post("/mine", "nope"))
    assert.equal(413, post("/", "[1,2,3,4,5,6]"))
    assert.equal("EMSGSIZE", got[3])
  end)
end)
