-- req.cookies, req:signed_cookie, http.cookie.
local crypto, http = require "neap.crypto", require "neap.http"
local raw = require "spec.support.http"

-- What `look` makes of one request with these lines.
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

local function cookies(...)
  return seen(function(req)
    assert(req.cookies == req.cookies)
    return req.cookies
  end, ...)
end

local key, old_key = ("k"):rep(32), ("o"):rep(32)

local function signed(header, secret, name)
  return seen(function(req) return req:signed_cookie(name or "user", secret or key) end, "Cookie: " .. header)
end

-- name=value of a set-cookie line, as a browser sends it back.
local function sent_back(line)
  return (line:match "^[^;]*")
end

describe("req.cookies", function()
  it("has what the browser sends", function()
    assert.same({}, cookies())
    assert.same({ a = "1" }, cookies "Cookie: a=1")
    assert.same({ a = "1", b = "2", c = "" }, cookies "cookie: a=1; b=2; c=")
    assert.same({ a = "x=y==", A = "2" }, cookies "Cookie: a=x=y==; A=2")
  end)

  it("takes it as it comes", function()
    assert.same({ a = "1", b = "2 3", c = "4" }, cookies "Cookie: ;;a=1;b = 2 3\t;  ; c=4;")
    assert.same({ a = "1" }, cookies "Cookie: nameless; =empty; = ; a=1")
    assert.same({ a = "in quotes", b = '"', c = 'a"b"', d = "" }, cookies 'Cookie: a="in quotes"; b="; c=a"b"; d=""')
    assert.same({ ["$Version"] = "1", a = "1,b=2" }, cookies "Cookie: $Version=1; a=1,b=2")
    assert.same({ ["\xc3\xa4"] = "\xff" }, cookies "Cookie: \xc3\xa4=\xff")
  end)

  it("decodes values, and no names", function()
    assert.same({ a = "\xc3\xa4 ;\0", b = "+%", c = "%4%zz%1" }, cookies "Cookie: a=%c3%A4%20%3b%00; b=+%25; c=%4%zz%1")
    assert.same({ ["%5F_Host-id"] = "1" }, cookies "Cookie: %5F_Host-id=1")
  end)

  it("has the first of a name, also of several lines", function()
    assert.same({ a = "1" }, cookies "Cookie: a=1; a=2")
    assert.same({ a = "1", b = "3" }, cookies("Cookie: a=1", "X: y", "cookie: a=2; b=3"))
  end)

  it("belongs to the script", function()
    assert.same({ a = "1", own = true }, seen(function(req)
      req.cookies.own = true
      return req.cookies
    end, "Cookie: a=1"))
  end)

  it("takes thousands of them", function()
    local parts = {}
    for i = 1, 3000 do parts[i] = ("%x=%d"):format(i, i % 7) end
    local found = cookies("Cookie: " .. table.concat(parts, ";"):sub(1, 15000))
    assert.equal("1", found["1"])
    assert.equal("1", found["3e8"] and "1")
  end)
end)

describe("http.cookie", function()
  it("is safe by default", function()
    assert.equal("a=1; Path=/; HttpOnly; SameSite=Lax", http.cookie("a", "1"))
    assert.equal("a=1; Path=/; HttpOnly; SameSite=Lax", http.cookie("a", "1", {}))
  end)

  it("says what it is told", function()
    assert.equal("a=1; Path=/b; Domain=example.org; Max-Age=60; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; "
      .. "SameSite=None; Partitioned", http.cookie("a", "1", { path = "/b", domain = "example.org", max_age = 60,
      expires = 784111777, secure = true, http_only = false, same_site = "none", partitioned = true }))
    assert.equal("a=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
      http.cookie("a", "", { max_age = 0, same_site = "strict" }))
    assert.matches("Max%-Age=1;", http.cookie("a", "", { max_age = 1.9 }))
    assert.matches("Max%-Age=%-1;", http.cookie("a", "", { max_age = -1 }))
    assert.matches("Expires=Thu, 01 Jan 1970 00:00:00 GMT;", http.cookie("a", "", { expires = 0 }))
    assert.matches("Expires=Fri, 31 Dec 9999 23:59:59 GMT;", http.cookie("a", "", { expires = 253402300799 }))
  end)

  it("has the time in English everywhere", function()
    local before = os.setlocale()
    for _, name in ipairs { "de_DE.UTF-8", "fr_FR.UTF-8", "C" } do
      if os.setlocale(name) then
        assert.matches("Expires=Wed, 09 Dec 2026 ", http.cookie("a", "", { expires = 1796817600 }))
      end
    end
    os.setlocale(before)
  end)

  it("carries any value there and back", function()
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    for _, value in ipairs { table.concat(all), "", "%41", 'say "hi", you; = \\', '"', '"a"', " a ",
      "a+b/c==", "tea=1; b=2" } do
      local line = http.cookie("a", value)
      assert.is_nil(sent_back(line):find '[%c ",;\\\127-\255]')
      assert.same({ a = value }, cookies("Cookie: " .. sent_back(line)))
    end
    assert.equal("a=eyJhIjoxfQ.a-b_c/+==", sent_back(http.cookie("a", "eyJhIjoxfQ.a-b_c/+==")))
  end)

  it("goes out in a list, too", function()
    local server <close> = assert(http.serve("127.0.0.1:0", function()
      return 204, nil, { ["set-cookie"] = { http.cookie("a", "1"), http.cookie("b", "\r\nx: y") } }
    end))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    local lines = {}
    for _, line in ipairs(client:response().lines) do
      if line[1]:lower() == "set-cookie" then lines[#lines + 1] = sent_back(line[2]) end
    end
    assert.same({ "a=1", "b=%0D%0Ax:%20y" }, lines)
  end)

  it("raises for what no browser would take", function()
    local function refused(message, ...)
      local ok, text = pcall(http.cookie, ...)
      assert.is_false(ok)
      assert.matches(message, text, 1, true)
    end
    for _, name in ipairs { "", "a b", "a;b", "a=b", "a\r\n", "a\0", "\xc3\xa4", "(a)", "a," } do
      refused("cannot be the name of a cookie", name, "1")
    end
    refused("bad argument #1 to 'cookie' (string expected, got nil)")
    refused("bad argument #2 to 'cookie' (string expected, got number)", "a", 1)
    refused("bad argument #3 to 'cookie' (table expected, got string)", "a", "1", "x")
    refused("unknown option 'maxage' (there are: domain, expires, http_only, max_age, partitioned, path, same_site, "
      .. "secret, secure)", "a", "1", { maxage = 1 })
    for _, path in ipairs { "a", "", "/a;b", "/a\r\nSet-Cookie: x=y", "/\xc3\xa4", "/" .. ("a"):rep(1024) } do
      refused("cannot be the path of a cookie", "a", "1", { path = path })
    end
    for _, domain in ipairs { "", "a;b", "a b", "a\n", "\xc3\xa4.de" } do
      refused("cannot be the domain of a cookie", "a", "1", { domain = domain })
    end
    refused("same_site must be 'lax', 'strict' or 'none', not 'Lax'", "a", "1", { same_site = "Lax" })
    refused("must be secure", "a", "1", { same_site = "none" })
    refused("must be secure", "a", "1", { partitioned = true })
    for _, age in ipairs { 0 / 0, 1 / 0, -1 / 0 } do refused("out of range", "a", "1", { max_age = age }) end
    refused("max_age must be a number, not a string", "a", "1", { max_age = "60" })
    refused("secure must be a boolean, not a number", "a", "1", { secure = 1 })
    refused("the years 1601 to 9999", "a", "1", { expires = 1e12 })
    refused("name and value have 4097 bytes, browsers take 4096", "a", ("x"):rep(4096))
    assert.equal(4096, #sent_back(http.cookie("a", ("x"):rep(4095))) - 1)
  end)

  it("holds names to what they promise", function()
    for _, name in ipairs { "__Host-a", "__host-a", "__Secure-a", "__SECURE-a" } do
      assert.has_error(function() http.cookie(name, "1") end,
        ("bad argument #3 to 'cookie' (a cookie named '%s' must be secure)"):format(name))
      assert.equal(name .. "=1; Path=/; Secure; HttpOnly; SameSite=Lax", http.cookie(name, "1", { secure = true }))
    end
    for _, options in ipairs { { path = "/a" }, { domain = "example.org" } } do
      options.secure = true
      assert.has_error(function() http.cookie("__Host-a", "1", options) end,
        "bad argument #3 to 'cookie' (a cookie named '__Host-a' has no domain, and the path '/')")
      assert.matches("^__Secure", http.cookie("__Secure-a", "1", options))
    end
  end)

  it("points at its caller", function()
    for _, options in ipairs { { path = "x" }, { max_age = 0 / 0 }, { secure = 1 }, { secret = "x" }, { foo = 1 } } do
      local _, message = pcall(function() return (http.cookie("a", "1", options)) end)
      assert.matches("^spec/modules/http/cookies_spec.lua:%d+: bad argument #3 to 'cookie'", message)
    end
  end)
end)

describe("a signed cookie", function()
  it("is known again", function()
    for _, value in ipairs { "ada", "", "a.b", "%41; \0\255" } do
      local header = sent_back(http.cookie("user", value, { secret = key }))
      assert.equal(value, signed(header))
    end
    local signature = crypto.base64(crypto.hmac("sha256", key, "user=ada"), { url = true })
    assert.equal("user=ada." .. signature, sent_back(http.cookie("user", "ada", { secret = key })))
  end)

  it("may be of an older secret", function()
    local header = sent_back(http.cookie("user", "ada", { secret = { old_key } }))
    assert.equal("ada", signed(header, { key, old_key }))
    assert.equal("ada", signed(header, { old_key, key }))
    assert.is_nil(signed(header, key))
    assert.equal("nil 1", seen(function(req)
      return req:signed_cookie("none", key) == nil and "nil " .. select("#", req:signed_cookie("none", key))
    end, "Cookie: a=b"))
    assert.equal("ada", signed(sent_back(http.cookie("user", "ada", { secret = { key, old_key } })), key))
  end)

  it("is nothing where it was changed, forged, or is not there", function()
    local header = sent_back(http.cookie("user", "ada", { secret = key }))
    local signature = header:match "%.(.*)"
    for _, forged in ipairs { "user=bob." .. signature, "user=ada", "user=", "user=.", "user=." .. signature,
      "user=ada.",
      "user=ada." .. signature:sub(1, -2), "user=ada." .. signature .. "=", "user=ada." .. signature .. ".x",
      "user=ada.x." .. signature, header .. "a", "other=ada." .. signature, "user=ada." .. signature:upper(),
      "user=ada." .. ("A"):rep(43), "user=" .. signature, "user=" .. ("."):rep(1000) } do
      assert.is_nil(signed(forged), forged)
    end
    assert.is_nil(signed(header:gsub("user", "admin"), key, "admin")) -- the name is signed, too
    assert.is_nil(signed "a=1")
  end)

  it("needs a secret that is one", function()
    local short = "a secret has 16 bytes or more"
    for _, secret in ipairs { "", "short", { "short" } } do
      assert.has_error(function() http.cookie("a", "1", { secret = secret }) end,
        "bad argument #3 to 'cookie' (" .. short .. ")")
      local _, message = seen(function(req) return pcall(req.signed_cookie, req, "a", secret) end)
      assert.matches(short, message, 1, true)
    end
    assert.has_error(function() http.cookie("a", "1", { secret = 5 }) end)
    for _, secret in ipairs { {}, 5, true, { key, "short" } } do
      assert.is_false((seen(function(req) return pcall(req.signed_cookie, req, "a", secret) end)))
    end
    assert.is_false((seen(function(req) return pcall(req.signed_cookie, req, nil, key) end)))
    assert.is_false((seen(function(req) return pcall(req.signed_cookie, req, "a") end)))
  end)
end)
