-- Which pages may read our answers, as the Fetch standard says it (3.2).
local http, middleware = require "neap.http", require "neap.http.middleware"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local cors, ask, refuses = middleware.cors, support.ask, support.refuses

local SHOP, EVIL = "https://shop.example", "https://evil.example"

-- The headers of an answer that are about this, with their names shortened.
local function about(response)
  local list = { status = response.status, vary = response.headers.vary }
  for name, value in pairs(response.headers) do
    local short = name:match "^access%-control%-(.*)$"
    if short then list[short] = value end
  end
  return list
end

local function get(options, origin, target)
  return about(ask(support.app(cors(options)), raw.get(target or "/", origin and "Origin: " .. origin)))
end

local function preflight(options, origin, ...)
  return about(ask(support.app(cors(options)), raw.request("OPTIONS /", nil, origin and "Origin: " .. origin, ...)))
end

local PUT = "Access-Control-Request-Method: PUT"

describe("cors, for a simple request,", function()
  it("lets all pages read", function()
    assert.same({ status = 200, ["allow-origin"] = "*" }, get(nil, SHOP))
    assert.same({ status = 200, ["allow-origin"] = "*" }, get({ origins = "*" }, "null"))
  end)

  it("says so also to who is no page: a cache may keep that answer for one", function()
    assert.same({ status = 200, ["allow-origin"] = "*", ["expose-headers"] = "x-a" }, get { expose = { "x-a" } })
    assert.same({ status = 200, vary = "Origin" }, get { origins = SHOP })
  end)

  it("gives an origin back that is on the list, and says that the answer depends on it", function()
    local options = { origins = { SHOP, "http://localhost:3000" }, credentials = true, expose = { "X-A", "x-b" } }
    assert.same({ status = 200, vary = "Origin", ["allow-origin"] = SHOP, ["allow-credentials"] = "true",
      ["expose-headers"] = "X-A, x-b" }, get(options, SHOP))
    assert.same({ status = 200, vary = "Origin" }, get(options))
    assert.same({ status = 200, vary = "Origin", ["allow-origin"] = SHOP }, get({ origins = SHOP }, SHOP))
  end)

  it("leaves the headers out for all others, and answers", function()
    for _, origin in ipairs { EVIL, "null", SHOP .. ".evil.example", SHOP .. ":8443", "http://shop.example",
      SHOP .. "/", SHOP .. ", " .. EVIL, "HTTPS://SHOP.EXAMPLE", "*", "" } do
      assert.same({ status = 200, vary = "Origin" }, get({ origins = { SHOP } }, origin))
    end
    assert.equal("null", get({ origins = { "null" } }, "null")["allow-origin"])
  end)

  it("asks a function", function()
    local function ours(origin, req)
      assert.equal("/", req.path)
      return origin:find "^https://[%w-]+%.example$"
    end
    assert.equal(SHOP, get({ origins = ours, credentials = true }, SHOP)["allow-origin"])
    assert.same({ status = 200, vary = "Origin" }, get({ origins = ours }, SHOP .. ".org"))
    local asked = false
    get({ origins = function() asked = true end }, "no origin, but\ttext")
    assert.is_false(asked)
  end)

  it("adds to the Vary that is there", function()
    assert.equal("Accept, Origin", get({ origins = SHOP }, SHOP, "/stream").vary)
    for given, expected in pairs { ["origin"] = "origin", ["*"] = "*", ["Accept, ORIGIN"] = "Accept, ORIGIN",
      ["Accept"] = "Accept, Origin", [""] = "Origin", ["X-Original"] = "X-Original, Origin" } do
      local app = http.router()
      app:use(cors { origins = SHOP })
      app:get("/", function() return 200, "", { vary = given } end)
      assert.equal(expected, ask(app, raw.get "/").headers.vary)
    end
    local app = http.router()
    app:use(cors { origins = SHOP })
    app:get("/", function() return 200, "", { vary = { "Accept", "Cookie" } } end)
    assert.equal("Accept, Cookie, Origin", ask(app, raw.get "/").headers.vary)
  end)

  it("lets the handler's own stand", function()
    local app = http.router()
    app:use(cors { origins = SHOP, credentials = true })
    app:get("/", function() return 200, "", { ["Access-Control-Allow-Origin"] = "https://other.example" } end)
    assert.same({ status = 200, vary = "Origin", ["allow-origin"] = "https://other.example" },
      about(ask(app, raw.get("/", "Origin: " .. SHOP))))
  end)

  it("holds for 404 and for HEAD", function()
    assert.equal("*", get(nil, SHOP, "/none")["allow-origin"])
    assert.equal("*", ask(support.app(cors()), raw.request("HEAD /", nil, "Origin: " .. SHOP),
      { head = true }).headers["access-control-allow-origin"])
  end)
end)

describe("cors, for a preflight,", function()
  it("answers, and the handler is not asked", function()
    local app = http.router()
    app:use(cors())
    app:options("/", function() return 500 end)
    assert.same({ status = 204, vary = "Access-Control-Request-Headers", ["allow-origin"] = "*",
      ["allow-methods"] = "GET, HEAD, PUT, PATCH, POST, DELETE", ["allow-headers"] = "x-a, content-type" },
      about(ask(app, raw.request("OPTIONS /none", nil, "Origin: " .. SHOP, PUT,
        "Access-Control-Request-Headers: x-a, content-type"))))
  end)

  it("says what is allowed", function()
    assert.same({ status = 204, vary = "Origin", ["allow-origin"] = SHOP, ["allow-credentials"] = "true",
      ["allow-methods"] = "GET, PUT", ["allow-headers"] = "x-a, x-b", ["max-age"] = "600" },
      preflight({ origins = { SHOP }, methods = { "GET", "PUT" }, headers = { "x-a", "x-b" }, max_age = 600,
        credentials = true, expose = { "x-c" } }, SHOP, PUT, "Access-Control-Request-Headers: x-z"))
    assert.equal("*", preflight({ headers = "*", methods = "*" }, SHOP, PUT)["allow-methods"])
  end)

  it("says nothing to other origins", function()
    assert.same({ status = 204, vary = "Origin" }, preflight({ origins = SHOP, headers = { "x-a" } }, EVIL, PUT))
  end)

  it("says what it allows, whatever is asked for", function()
    for _, method in ipairs { "BREW", "put", "TRACE", "*", "x y", "\"", ("X"):rep(1000) } do
      assert.equal("GET, HEAD, PUT, PATCH, POST, DELETE",
        preflight({ origins = SHOP }, SHOP, "Access-Control-Request-Method: " .. method)["allow-methods"])
    end
  end)

  it("tells private networks when asked, and told to", function()
    local line = "Access-Control-Request-Private-Network: true"
    assert.equal("true", preflight({ private_network = true }, SHOP, PUT, line)["allow-private-network"])
    assert.is_nil(preflight({ private_network = true }, SHOP, PUT)["allow-private-network"])
    assert.is_nil(preflight(nil, SHOP, PUT, line)["allow-private-network"])
  end)

  it("leaves every other OPTIONS to the router", function()
    assert.equal("GET, HEAD, OPTIONS, POST", ask(support.app(cors()), raw.request("OPTIONS /", nil,
      "Origin: " .. SHOP)).headers.allow)
    assert.equal("GET, HEAD, OPTIONS, POST", ask(support.app(cors()), raw.request("OPTIONS /", nil, PUT)).headers.allow)
    assert.equal("hello", ask(support.app(cors()), raw.get("/", "Origin: " .. SHOP, PUT)).body)
  end)

  it("gives back no list of headers that is none", function()
    for _, value in ipairs { "x-a: y", "x\"y", "x;y", "\xff", "<x>", "(x)" } do
      assert.is_nil(preflight(nil, SHOP, PUT, "Access-Control-Request-Headers: " .. value)["allow-headers"])
    end
  end)
end)

describe("cors", function()
  it("refuses what it is not made of, at the caller's line", function()
    refuses("unknown option 'origin' (there are: credentials, expose, headers, max_age, methods, origins, " ..
      "private_network)", cors, { origin = "*" })
    for _, origin in ipairs { "https://a.example/", "https://a.example/path", "a.example", "https://A.example", "",
      "https://", "//a.example", "https://u@a.example", "http://a.example:80", "https://a.example:443", "https://*" } do
      refuses("origins must be", cors, { origins = origin })
      refuses("(the one that is none: \"" .. origin .. "\")", cors, { origins = { SHOP, origin } })
    end
    refuses("origins must be", cors, { origins = { "*" } })
    refuses("origins must be", cors, { origins = { x = SHOP } })
    refuses("methods must be", cors, { methods = { "GET, PUT" } })
    refuses("headers must be", cors, { headers = { "x\r\ny" } })
    refuses("expose must be", cors, { expose = "x-a" })
    refuses("max_age must be an integer from 0", cors, { max_age = 1.5 })
    refuses("credentials must be true or false", cors, { credentials = "true" })
  end)

  it("refuses credentials for all the world", function()
    refuses("credentials need origins", cors, { credentials = true })
    refuses("credentials need origins", cors, { credentials = true, origins = "*" })
    refuses('with credentials headers cannot be "*"', cors, { credentials = true, origins = SHOP, headers = "*" })
    refuses('with credentials expose cannot be "*"', cors, { credentials = true, origins = SHOP, expose = "*" })
  end)
end)
