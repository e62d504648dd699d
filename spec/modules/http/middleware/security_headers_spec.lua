-- Headers that make browsers careful: the defaults, each changed and taken away, and never over what the handler says.
local http, middleware, neap = require "neap.http", require "neap.http.middleware", require "neap"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local security_headers, ask, refuses = middleware.security_headers, support.ask, support.refuses

local function headers_with(options)
  return ask(support.app(security_headers(options)), raw.get "/").headers
end

describe("security_headers", function()
  it("sends those of helmet, less what only HTTPS can keep", function()
    local headers = headers_with()
    for name, value in pairs {
      ["cross-origin-opener-policy"] = "same-origin", ["cross-origin-resource-policy"] = "same-origin",
      ["origin-agent-cluster"] = "?1", ["referrer-policy"] = "no-referrer", ["x-content-type-options"] = "nosniff",
      ["x-dns-prefetch-control"] = "off", ["x-download-options"] = "noopen", ["x-frame-options"] = "SAMEORIGIN",
      ["x-permitted-cross-domain-policies"] = "none", ["x-xss-protection"] = "0",
      ["content-security-policy"] = "default-src 'self'; base-uri 'self'; font-src 'self' https: data:; " ..
        "form-action 'self'; frame-ancestors 'self'; img-src 'self' data:; object-src 'none'; script-src 'self'; " ..
        "script-src-attr 'none'; style-src 'self' https: 'unsafe-inline'",
    } do
      assert.equal(value, headers[name], name)
    end
    assert.is_nil(headers["strict-transport-security"])
  end)

  it("takes each away, changes it, and adds what is asked for", function()
    local headers = headers_with {
      x_frame_options = "DENY", ["referrer-policy"] = false, strict_transport_security = true,
      permissions_policy = "camera=()", content_security_policy = "default-src 'none'",
    }
    assert.equal("DENY", headers["x-frame-options"])
    assert.is_nil(headers["referrer-policy"])
    assert.equal("max-age=31536000; includeSubDomains", headers["strict-transport-security"])
    assert.equal("camera=()", headers["permissions-policy"])
    assert.equal("default-src 'none'", headers["content-security-policy"])
  end)

  it("changes single directives of the policy", function()
    local policy = headers_with { content_security_policy = {
      ["script-src"] = "'self' https://cdn.example", ["style-src"] = false, ["upgrade-insecure-requests"] = true,
    } }["content-security-policy"]
    assert.truthy(policy:find("; script-src 'self' https://cdn.example;", 1, true))
    assert.truthy(policy:find("; upgrade-insecure-requests", 1, true))
    assert.is_nil(policy:find("style-src ", 1, true))
  end)

  it("asks a function, which may know the request, after the handler", function()
    local app = http.router()
    app:use(security_headers {
      content_security_policy = function(req) return "script-src 'nonce-" .. req.nonce .. "'" end,
      referrer_policy = function() return false end,
    })
    app:get("/", function(req)
      req.nonce = "abc"
      return "hello"
    end)
    local headers = ask(app, raw.get "/").headers
    assert.equal("script-src 'nonce-abc'", headers["content-security-policy"])
    assert.is_nil(headers["referrer-policy"])
  end)

  it("sends no line that a client has smuggled into what a function returns", function()
    local told = 0
    neap.on_error(function() told = told + 1 end)
    finally(function() neap.on_error(nil) end)
    local app = support.app(security_headers { referrer_policy = function(req) return req.query.policy end })
    assert.equal("origin", ask(app, raw.get "/?policy=origin").headers["referrer-policy"])
    assert.is_nil(ask(app, raw.get "/").headers["referrer-policy"])
    for _, text in ipairs { "a%0d%0aset-cookie:%20b=1", "a%0ab", "a%00b", "%0d" } do
      local response = ask(app, raw.get("/?policy=" .. text))
      assert.same({ 500 }, { response.status, response.headers["set-cookie"], response.headers["referrer-policy"] })
    end
    require("neap.test").eventually(function() return told == 4 end)
  end)

  it("is there whatever the answer is", function()
    local app = support.app(security_headers())
    app:post("/big", middleware.body_limit(3), function() return "" end)
    for request, status in pairs {
      [raw.get "/none"] = 404, [raw.request "DELETE /"] = 405, [raw.post("/big", "1234")] = 413,
      [raw.request("OPTIONS /")] = 204, [raw.get "/stream"] = 200,
    } do
      local response = ask(app, request)
      assert.same({ status, "nosniff" }, { response.status, response.headers["x-content-type-options"] })
    end
  end)

  it("lets the handler's own stand, in whatever case it wrote it", function()
    local app = http.router()
    app:use(security_headers())
    app:get("/", function() return 200, "hello", { ["X-Frame-Options"] = "DENY" } end)
    local response = ask(app, raw.get "/")
    assert.equal("DENY", response.headers["x-frame-options"])
    assert.equal("nosniff", ask(app, raw.get "/none").headers["x-content-type-options"])
  end)

  it("refuses what it is not made of, at the caller's line", function()
    refuses("bad argument #1 to 'security_headers' (table expected, got string)", security_headers, "x")
    refuses("unknown option 'x-frame-option'", security_headers, { ["x-frame-option"] = "DENY" })
    refuses("unknown option 1", security_headers, { "x-frame-options" })
    for _, value in ipairs { "a\r\nset-cookie: b", "", " x", 1, {}, "a\0b" } do
      refuses("x_frame_options must be a text for a header, false, or a function", security_headers,
        { x_frame_options = value })
    end
    for _, directives in ipairs { { ["script-src"] = "'self'; object-src *" }, { ["script src"] = "x" }, { "x" },
      { ["script-src"] = "a\nb" }, { ["script-src"] = 1 } } do
      refuses("content_security_policy must be a table of directives", security_headers,
        { content_security_policy = directives })
    end
  end)
end)
