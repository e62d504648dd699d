-- Ids of requests: ours, those of a proxy where it is trusted, and never what could mean something in a log.
local neap, http, middleware = require "neap", require "neap.http", require "neap.http.middleware"
local test = require "neap.test"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local request_id, ask, refuses = middleware.request_id, support.ask, support.refuses

-- What the client sends, and what the header and req.id are then.
local function ids(options, sent)
  local app = http.router()
  app:use(request_id(options))
  app:get("/", function(req) return req.id end)
  local response = ask(app, sent and raw.get("/", "X-Request-Id: " .. sent) or raw.get "/")
  return response.headers["x-request-id"], response.body
end

describe("request_id", function()
  it("is the server's own, and req.id", function()
    local header, id = ids()
    assert.equal(header, id)
    assert.truthy(id:find "^%x+%-%d+$")
  end)

  it("believes no client, unless it is told to", function()
    assert.not_equal("mine", (ids(nil, "mine")))
    assert.same({ "mine", "mine" }, { ids({ trust = true }, "mine") })
    assert.truthy(ids({ trust = true }):find "^%x+%-%d+$")
  end)

  it("takes over no more than letters, digits and a few signs, and no more than 128 of them", function()
    local long = ("x"):rep(128)
    assert.equal(long, (ids({ trust = true }, long)))
    for _, sent in ipairs { long .. "x", "a b", "", "a\"b", "a\\b", "\xff", "<b>", "a, b", "a;b", "${jndi:x}" } do
      local header, id = ids({ trust = true }, sent)
      assert.truthy(header:find "^%x+%-%d+$", sent)
      assert.equal(header, id)
    end
  end)

  it("is made by a function, and goes into another header", function()
    local app = support.app(request_id { header = "X-Trace", make = function(req) return "t" .. #req.path end })
    assert.equal("t1", ask(app, raw.get "/").headers["x-trace"])
  end)

  it("is in the answer to an error, and in its report", function()
    local told
    neap.on_error(function(_, _, info) told = info.name end)
    local _ <close> = setmetatable({}, { __close = function() neap.on_error(nil) end })
    local app = http.router()
    app:use(request_id { trust = true })
    app:get("/", function() error "fails" end)
    local id = ("x"):rep(128)
    local response = ask(app, raw.get("/", "X-Request-Id: " .. id))
    assert.same({ 500, id }, { response.status, response.headers["x-request-id"] })
    test.eventually(function() return told end)
    assert.equal("GET / (request " .. id .. ")", told)
  end)

  it("is not sent where the function makes none", function()
    local told
    neap.on_error(function(message) told = message end)
    local _ <close> = setmetatable({}, { __close = function() neap.on_error(nil) end })
    assert.equal(500, ask(support.app(request_id { make = function() return "a\r\nb" end }), raw.get "/").status)
    test.eventually(function() return told end)
    assert.equal('request_id: make returned "a??b", which is no id', told)
  end)

  it("lets the handler's own stand", function()
    local app = http.router()
    app:use(request_id())
    app:get("/", function() return 200, "", { ["X-Request-ID"] = "own" } end)
    assert.equal("own", ask(app, raw.get "/").headers["x-request-id"])
  end)

  it("refuses what it is not made of, at the caller's line", function()
    refuses("unknown option 'trusted' (there are: header, make, trust)", request_id, { trusted = true })
    refuses("header must be the name of a header, not \"x y\"", request_id, { header = "x y" })
    refuses("trust must be true or false, not 1", request_id, { trust = 1 })
    refuses("make must be a function", request_id, { make = "x" })
  end)
end)
