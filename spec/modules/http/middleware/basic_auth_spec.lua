-- middleware.basic_auth: a name and a password with each request.
local crypto, http, middleware = require "neap.crypto", require "neap.http", require "neap.http.middleware"
local neap, timer = require "neap", require "neap.timer"
local raw, refuses = require "spec.support.http", require("spec.support.middleware").refuses

local cheap = { ln = 4, r = 1, p = 1 }

-- A server behind it, and what asks it: ask(lines ...) -> status, body, response.
local function serve(options)
  local app = http.router()
  app:use(middleware.basic_auth(options))
  app:get("/", function(req) return "hello " .. tostring(type(req.user) == "table" and req.user.name or req.user) end)
  local server = assert(http.serve("127.0.0.1:0", app))
  return server, function(...)
    local client <close> = raw.connect(server.address)
    client:send(raw.get("/", ...))
    local response = client:response()
    return response.status, response.body, response
  end
end

local function basic(text, scheme)
  return ("Authorization: %s %s"):format(scheme or "Basic", crypto.base64(text))
end

describe("basic_auth", function()
  it("lets in who is known, and says who it is", function()
    local _ <close>, ask = serve { users = { ada = "tea", bob = "a:b:c", ["j\xc3\xb6rg"] = "caf\xc3\xa9",
      [""] = "x" } }
    assert.equal("hello ada", select(2, ask(basic "ada:tea")))
    assert.equal("hello bob", select(2, ask(basic "bob:a:b:c"))) -- only the first colon divides
    assert.equal("hello j\xc3\xb6rg", select(2, ask(basic "j\xc3\xb6rg:caf\xc3\xa9")))
    assert.equal("hello ", select(2, ask(basic ":x")))
    assert.equal(200, (ask(basic("ada:tea", "bASIC"))))
    assert.equal(200, (ask("authorization:Basic  " .. crypto.base64 "ada:tea" .. "  ")))
  end)

  it("asks for a name and a password otherwise", function()
    local _ <close>, ask = serve { users = { ada = "tea" } }
    local status, body, response = ask()
    assert.same({ 401, "Unauthorized\n" }, { status, body })
    assert.equal('Basic realm="restricted", charset="UTF-8"', response.headers["www-authenticate"])
    for _, text in ipairs { "ada:te", "ada:teaa", "ada:", ":tea", "bob:tea", "Ada:tea", "ada:tea:", "ada", "", ":",
      "::", " ada:tea", "ada:tea\n", "ada:tea\0", "\0", "ada\0:tea", "\xff:tea", "ada:\xff",
      ("x"):rep(5000) .. ":tea" } do
      assert.equal(401, (ask(basic(text))), text)
    end
  end)

  it("refuses what is malformed", function()
    local _ <close>, ask = serve { users = { ada = "tea!!" } }
    local good = crypto.base64 "ada:tea!!" -- without "=" at its end
    assert.equal(200, (ask("Authorization: Basic " .. good)))
    for _, line in ipairs { "", "Basic", "Basic ", "Basic " .. good:sub(1, -2) .. "*", "Basic =" .. good,
      "Basic " .. good .. " x", "Basic " .. good .. ", Basic " .. good, "Bearer " .. good, "Basic" .. good,
      "Basic\t" .. good, "Digest a=b", "=", "Basic ====", "Basic ada:tea!!",
      "Basic " .. ("A"):rep(8001), "\xff " .. good } do
      assert.equal(401, (ask("Authorization: " .. line)), line)
    end
    assert.equal(401, (ask(basic "ada:tea!!", basic "ada:tea!!"))) -- twice is none
  end)

  it("names the realm, whatever it is called", function()
    local _ <close>, ask = serve { users = {}, realm = [[the "back\door"]] }
    local response = select(3, ask())
    assert.equal([[Basic realm="the \"back\\door\"", charset="UTF-8"]], response.headers["www-authenticate"])
  end)

  it("knows hashed passwords", function()
    local _ <close>, ask = serve { users = { ada = crypto.password("tea", cheap), bob = "plain" } }
    for _ = 1, 3 do
      assert.equal("hello ada", select(2, ask(basic "ada:tea")))
      assert.equal("hello bob", select(2, ask(basic "bob:plain")))
      for _, text in ipairs { "ada:coffee", "bob:tea", "eve:tea", "ada:" } do assert.equal(401, (ask(basic(text)))) end
    end
  end)

  it("does not take a hash itself for the password", function()
    local hash = crypto.password("tea", cheap)
    local _ <close>, ask = serve { users = { ada = hash } }
    assert.equal(401, (ask(basic("ada:" .. hash))))
  end)

  it("is an error of the server where a hash is none", function()
    local reports = 0
    neap.on_error(function() reports = reports + 1 end)
    local _ <close>, ask = serve { users = { ada = "$scrypt$broken" } }
    assert.equal(500, (ask(basic "ada:tea")))
    neap.on_error(nil)
    assert.equal(1, reports)
  end)

  it("asks a function, which may wait, and may say who it is", function()
    local seen = {}
    local _ <close>, ask = serve { check = function(name, password, req)
      seen = { name, password, req.path }
      timer.sleep(0.001)
      if name == "yes" then return true end
      if name == "user" then return { name = "Ada L." } end
      return name ~= "nil" and false or nil
    end }
    assert.equal("hello yes", select(2, ask(basic "yes:a:b")))
    assert.same({ "yes", "a:b", "/" }, seen)
    assert.equal("hello Ada L.", select(2, ask(basic "user:")))
    assert.equal(401, (ask(basic "no:x")))
    assert.equal(401, (ask(basic "nil:x")))
    seen = nil
    assert.equal(401, (ask "Authorization: Basic ?"))
    for _, text in ipairs { "yes:a\nb", "ye\0s:a", "yes:\127", "\xff:a", "yes" } do
      assert.equal(401, (ask(basic(text))))
    end
    assert.is_nil(seen) -- it gets nothing that is none
  end)

  it("may protect one route", function()
    local app = http.router()
    app:get("/open", function() return "open" end)
    app:get("/closed", middleware.basic_auth { users = { ada = "tea" } }, function(req) return req.user end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/open" .. raw.get "/closed" .. raw.get("/closed", basic "ada:tea"))
    local found = {}
    for i, response in ipairs(client:responses(3)) do found[i] = response.body end
    assert.same({ "open", "Unauthorized\n", "ada" }, found)
  end)

  it("raises for options that cannot be", function()
    local function refused(message, ...)
      refuses("bad argument #1 to 'basic_auth' (" .. message, middleware.basic_auth, ...)
    end
    refused "table expected, got no value)"
    refused("either users or check must be given", {})
    refused("either users or check must be given", { users = {}, check = print })
    refused("unknown option 'user' (there are: check, realm, users)", { user = {} })
    refused('users must be a table of passwords, not "ada"', { users = "ada" })
    refused("realm must be a string without control bytes, not 5", { realm = 5, users = {} })
    refused('realm must be a string without control bytes, not "a??b"', { realm = "a\r\nb", users = {} })
    refused("check must be a function, not true", { check = true })
    refused("'a:b' cannot be the name of a user", { users = { ["a:b"] = "tea" } })
    refused("'a?b' cannot be the name of a user", { users = { ["a\nb"] = "tea" } })
    refused("'1' cannot be the name of a user", { users = { "tea" } })
    refused("the password of 'ada' is none", { users = { ada = "" } })
    refused("the password of 'ada' is none", { users = { ada = 5 } })
    refused("the password of 'ada' is none", { users = { ada = "a\nb" } })
  end)
end)
