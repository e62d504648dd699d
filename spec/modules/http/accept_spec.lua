-- What a client likes best. What values mean is tested in C, spec/c/accept.c: here is how a handler asks.
local http = require "neap.http"
local raw = require "spec.support.http"

-- What `look` gives for a request with these lines of headers.
local function seen(look, ...)
  local result
  local server <close> = assert(http.serve("127.0.0.1:0", function(req)
    result = table.pack(look(req))
    return "ok"
  end))
  local client <close> = raw.connect(server.address)
  client:send(raw.get("/", ...))
  assert.equal(200, client:response().status)
  return table.unpack(result, 1, result.n)
end

describe("req:accepts", function()
  it("gives the type that the client likes best", function()
    local function look(req) return req:accepts("text/html", "application/json") end
    assert.equal("application/json", seen(look, "Accept: application/json"))
    assert.equal("application/json", seen(look, "Accept: text/*;q=0.5, */*"))
    assert.equal("text/html", seen(look, "Accept: application/json, text/html"))
    assert.equal("text/html", (seen(look)))
  end)

  it("gives nil, and only that, where it takes none", function()
    assert.same({ n = 1 }, table.pack(seen(function(req) return req:accepts "text/html" end, "Accept: image/*")))
  end)

  it("reads all lines of the header", function()
    local function look(req) return req:accepts("text/html", "image/png") end
    assert.equal("image/png", seen(look, "Accept: text/html;q=0.1", "X-Other: a", "accept: image/png"))
  end)

  it("gives the offer as it was written", function()
    local offer = "text/HTML; charset=utf-8"
    assert.equal(offer, (seen(function(req) return req:accepts(offer) end, "Accept: text/html")))
  end)

  it("takes no harm from a long and hostile value", function()
    local value = "Accept: " .. ("a/b;c=\"\\\",;q=9;,"):rep(900) .. "\", text/html"
    assert.is_nil(seen(function(req) return req:accepts("image/png", "text/css") end, value .. ", x/y"))
  end)

  it("raises for what is no type, where it was called", function()
    local function refused(...)
      local arguments = table.pack(...)
      local message = seen(function(req)
        return select(2, pcall(function() return req:accepts(table.unpack(arguments, 1, arguments.n)) end))
      end)
      return message:match "accept_spec.lua:%d+: (.*)"
    end
    local expected = "bad argument #%d to 'accepts' (a type expected, as \"text/html\")"
    assert.equal(expected:format(1), refused "html")
    assert.equal(expected:format(2), refused("text/html", "text/*"))
    assert.equal(expected:format(1), refused "text/html, text/css")
    assert.equal("bad argument #1 to 'accepts' (string expected, got nil)", refused(nil))
    assert.equal("bad argument #1 to 'accepts' (value expected)", refused())
  end)
end)

describe("req:accepts_encoding", function()
  it("gives the encoding that the client likes best", function()
    local function look(req) return req:accepts_encoding("br", "gzip", "identity") end
    assert.equal("br", seen(look, "Accept-Encoding: gzip, deflate, br"))
    assert.equal("gzip", seen(look, "Accept-Encoding: gzip, br;q=0.9"))
    assert.equal("gzip", seen(look, "Accept-Encoding: x-gzip"))
    assert.equal("identity", seen(look, "Accept-Encoding: zstd"))
    assert.equal("identity", seen(look, "Accept-Encoding:"))
    assert.equal("identity", (seen(look)))
  end)

  it("gives nil where it takes none", function()
    local function look(req) return req:accepts_encoding("gzip", "identity") end
    assert.is_nil(seen(look, "Accept-Encoding: identity;q=0"))
    assert.is_nil(seen(look, "Accept-Encoding: *;q=0"))
    assert.equal("gzip", seen(look, "Accept-Encoding: gzip", "Accept-Encoding: *;q=0"))
  end)

  it("raises for what is no encoding", function()
    local function look(req)
      return select(2, pcall(req.accepts_encoding, req, "gzip;q=1"))
    end
    assert.matches("an encoding expected, as \"gzip\"", (seen(look, "Accept-Encoding: gzip")), 1, true)
  end)
end)
