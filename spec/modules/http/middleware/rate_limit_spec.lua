-- So many requests a second from each client, exactly, on a clock that stands still.
local http, middleware = require "neap.http", require "neap.http.middleware"
local hot, test = require "neap.hot", require "neap.test"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local start_app = require "spec.support.app"
local rate_limit, ask, refuses = middleware.rate_limit, support.ask, support.refuses

-- Limits are shared by name, and specs share a state.
local count = 0
local function name()
  count = count + 1
  return "spec-" .. count
end

-- A limit, called as a router calls it, by whoever is at the address: whether he may.
local function limiter(options)
  options.name = options.name or name()
  local limit = rate_limit(options)
  return function(peer, headers)
    local req = { peer = peer, header = function(_, key) return headers and headers[key] end }
    return limit(req, function() return { status = 200, headers = {} } end)
  end
end

local function may(ask_as, peer)
  return ask_as(peer or "10.0.0.1:1").status == 200
end

local function count_of(ask_as, times, peer)
  local passed = 0
  for _ = 1, times do
    if may(ask_as, peer) then passed = passed + 1 end
  end
  return passed
end

describe("rate_limit", function()
  it("lets through the burst, and then the rate, to the millisecond", function()
    local clock <close> = test.clock()
    local limit = limiter { rate = 10, burst = 20 }
    assert.equal(20, count_of(limit, 30))
    clock:advance(0.099)
    assert.is_false(may(limit))
    clock:advance(0.001)
    assert.equal(1, count_of(limit, 3))
    clock:advance(1)
    assert.equal(10, count_of(limit, 30))
    clock:advance(3600)
    assert.equal(20, count_of(limit, 30))
  end)

  it("is exact for rates that are no round number of milliseconds, and for slow ones", function()
    local clock <close> = test.clock()
    local third, slow = limiter { rate = 3, burst = 5 }, limiter { rate = 1 / 60 }
    local passed = count_of(third, 10)
    for _ = 1, 3000 do
      clock:advance(0.01)
      passed = passed + count_of(third, 2)
    end
    assert.equal(95, passed)
    assert.equal(1, count_of(slow, 2))
    clock:advance(59.999)
    assert.is_false(may(slow))
    clock:advance(0.001)
    assert.is_true(may(slow))
  end)

  it("counts what is refused for nothing", function()
    local clock <close> = test.clock()
    local limit = limiter { rate = 1, burst = 1 }
    assert.equal(1, count_of(limit, 1000))
    clock:advance(1)
    assert.is_true(may(limit))
  end)

  it("tells when to come again", function()
    local clock <close> = test.clock()
    local limit = limiter { rate = 1 / 60, burst = 2 }
    count_of(limit, 2)
    local refused = limit "10.0.0.1:1"
    assert.same({ 429, "60", "Too Many Requests\n" }, { refused.status, refused.headers["retry-after"], refused.body })
    clock:advance(58.5)
    assert.equal("2", limit("10.0.0.1:1").headers["retry-after"])
    clock:advance(1.499)
    assert.equal("1", limit("10.0.0.1:1").headers["retry-after"])
    clock:advance(0.001)
    assert.equal(200, limit("10.0.0.1:1").status)
  end)

  it("tells what is left, if told to", function()
    local clock <close> = test.clock()
    local limit = limiter { rate = 2, burst = 4, headers = true, name = "fields" }
    local headers = limit("10.0.0.1:1").headers
    assert.same({ '"fields";q=4;w=2', '"fields";r=3;t=1' }, { headers["ratelimit-policy"], headers.ratelimit })
    count_of(limit, 3)
    assert.equal('"fields";r=0;t=2', limit("10.0.0.1:1").headers.ratelimit)
    clock:advance(0.5)
    assert.equal('"fields";r=0;t=2', limit("10.0.0.1:1").headers.ratelimit)
    clock:advance(1)
    assert.equal('"fields";r=1;t=2', limit("10.0.0.1:1").headers.ratelimit)
  end)
end)

describe("a client of rate_limit", function()
  -- Whether the second is the same client as the first.
  local function same(first, second)
    local limit = limiter { rate = 0.001 }
    assert.is_true(may(limit, first))
    return not may(limit, second)
  end

  it("is an address, whatever its port", function()
    assert.is_true(same("10.0.0.1:1", "10.0.0.1:2"))
    assert.is_false(same("10.0.0.1:1", "10.0.0.2:1"))
  end)

  it("is the first half of an IPv6 address", function()
    assert.is_true(same("[2001:db8::1]:1", "[2001:db8::ffff:1:2:3]:9"))
    assert.is_true(same("[2001:db8:0:0:1::]:1", "[2001:DB8::2]:9"))
    assert.is_false(same("[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1"))
    assert.is_true(same("[fe80::1%eth0]:1", "[fe80::2]:1"))
    assert.is_false(same("[fe80::1%br-lan_2.1]:1", "[2001:db8::1%br-lan_2.1]:1"))
    assert.is_false(same("[::1]:1", "10.0.0.1:1"))
  end)

  it("is an IPv4 address also where that is written as IPv6", function()
    assert.is_true(same("[::ffff:10.0.0.1]:1", "10.0.0.1:1"))
    assert.is_false(same("[::ffff:10.0.0.1]:1", "[::ffff:10.0.0.2]:1"))
    assert.is_true(same("[::ffff:a00:1]:1", "10.0.0.1:1"))
  end)

  it("is whoever comes by a Unix socket", function()
    local limit = limiter { rate = 0.001 }
    local function pass() return limit(nil).status end
    assert.same({ 200, 429 }, { pass(), pass() })
    local path = os.tmpname()
    os.remove(path)
    local app = support.app(rate_limit { rate = 0.001, name = name() })
    local server <close> = assert(http.serve("unix:" .. path, app))
    local list = raw.exchange(server.address, raw.get "/" .. raw.get "/", 2)
    assert.same({ 200, 429 }, { list[1].status, list[2].status })
  end)

  it("is what a function says, and nobody where that is nil", function()
    local limit = limiter { rate = 0.001, key = function(req) return req:header "x-key" end }
    local function status(key) return limit("10.0.0.1:1", { ["x-key"] = key }).status end
    assert.same({ 200, 429, 200 }, { status "a", status "a", status "b" })
    assert.same({ 200, 200 }, { status(), status() })
    assert.same({ 200, 429 }, { status "2001:db8::1", status "2001:db8::2" })
    assert.same({ 200, 200 }, { status "user:1", status "user:2" })
    local long = ("k"):rep(100000)
    assert.same({ 200, 429, 200 }, { status(long), status(long), status(long .. "x") })
    assert.has_error(function()
      limiter { rate = 1, key = function() return 5 end } "10.0.0.1:1"
    end, "rate_limit: key returned 5, not a string or nil")
  end)

  it("is remembered, and the ones that came longest ago are forgotten", function()
    local clock <close> = test.clock()
    local called = name()
    local limit = limiter { rate = 0.001, max_clients = 100, name = called }
    assert.is_true(may(limit, "10.9.9.9:1"))
    for i = 1, 3000 do
      may(limit, ("10.1.%d.%d:1"):format(i >> 8, i & 255))
      assert.is_false(may(limit, "10.9.9.9:1")) -- who keeps asking is not forgotten
    end
    local state, remembered = hot.state("http.rate_limit." .. called), 0
    for _, half in ipairs { state.recent, state.old } do
      for _ in pairs(half) do remembered = remembered + 1 end
    end
    assert.truthy(remembered <= 100 and remembered >= 50, remembered)
    clock:advance(10000)
    may(limit, "10.0.0.1:1")
    assert.same({ nil, 1 }, { next(state.old), state.count })
  end)

  it("shares a limit with one of the same name", function()
    local called = name()
    local one, two = limiter { rate = 0.001, name = called }, limiter { rate = 0.001, name = called }
    assert.is_true(may(one))
    assert.is_false(may(two))
  end)
end)

describe("client_address", function()
  local function address(options, value, peer)
    local headers = { [(options and options.header or "x-forwarded-for"):lower()] = value }
    return middleware.client_address(options) {
      peer = peer or "127.0.0.1:9", header = function(_, key) return headers[key] end,
    }
  end

  it("takes the entry that our own proxy has made", function()
    assert.equal("203.0.113.7", address(nil, "10.0.0.1, 203.0.113.7"))
    assert.equal("203.0.113.7", address({ proxies = 2 }, "1.1.1.1,203.0.113.7 ,\t192.0.2.1"))
    assert.equal("203.0.113.7", address({ header = "x-real-ip" }, "203.0.113.7"))
    assert.equal("203.0.113.7", address(nil, "203.0.113.7:4711"))
    assert.equal("2001:db8::1", address(nil, "2001:db8::1"))
    assert.equal("2001:db8::1", address(nil, "[2001:db8::1]:4711"))
    assert.equal("2001:db8::1", address(nil, "[2001:db8::1]"))
    assert.equal("fe80::1%eth0", address(nil, "[fe80::1%eth0]:4711"))
    assert.equal("127.0.0.1", address(nil, "fe80::1%<script>")) -- it is none
  end)

  it("reads Forwarded, by its own rules", function()
    for value, expected in pairs {
      ["for=203.0.113.7"] = "203.0.113.7", ['For="203.0.113.7:4711";proto=https;by=10.0.0.1'] = "203.0.113.7",
      ['for=1.1.1.1, proto=http; FOR="[2001:db8::1]:80" ; host=a.example'] = "2001:db8::1",
      ['for="[2001:db8::1]"'] = "2001:db8::1", ["for=203.0.113.7;"] = "203.0.113.7",
      ['for="1.1.1.1, for=203.0.113.7'] = "203.0.113.7", -- a quote that the client has left open
    } do
      assert.equal(expected, address({ header = "Forwarded" }, value), value)
    end
    for _, value in ipairs { "203.0.113.7", "for=unknown", "for=_hidden", "proto=https", "for=", "=", "for", ";",
      "for=1.1.1.1;for=2.2.2.2", 'for=1.1.1.1;host="x, for=9.9.9.9"', 'for=1.1.1.1;host="x, for=9.9.9.9;y=\\"z\\""',
      'for=1.1.1.1"', 'for="1.1.1.1', "for=1.1.1.1 2.2.2.2", "for=1.1.1.1 for=2.2.2.2", 'for="1.1\\.1.1"',
      "for =1.1.1.1", ("for=1.1.1.1;"):rep(700) } do
      assert.equal("127.0.0.1", address({ header = "forwarded" }, value), value)
    end
    assert.equal("1.1.1.1", address({ header = "forwarded", proxies = 2 }, "for=9.9.9.9, for=1.1.1.1, for=10.0.0.1"))
  end)

  it("takes lines of a header as one", function()
    local app = http.router()
    local address_of = middleware.client_address()
    app:get("/", function(req) return address_of(req) end)
    assert.equal("203.0.113.7", ask(app, raw.get("/", "X-Forwarded-For: 9.9.9.9", "X-Other: 8.8.8.8",
      "X-Forwarded-For: 1.1.1.1, 203.0.113.7")).body)
  end)

  it("takes the peer's where there is none that is an address", function()
    for _, value in ipairs { "", "unknown", ",", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1:2", ":::", "1::2::3", "g::1",
      "1:2:3:4:5:6:7:8:9", "_hidden", "1.2.3.4 evil", "[::1", ("1:"):rep(4000), "::1.2.3.456", "12345::", ":1::" } do
      assert.equal("127.0.0.1", address(nil, value), value)
    end
    assert.equal("127.0.0.1", address(nil, nil))
    assert.equal("127.0.0.1", address({ proxies = 3 }, "1.1.1.1, 2.2.2.2"))
    assert.equal("::1", address(nil, nil, "[::1]:80"))
  end)

  it("believes peers of this machine and of private networks, where nothing is said", function()
    for _, peer in ipairs { "127.9.9.9:1", "10.255.0.1:1", "172.16.0.1:1", "172.31.255.255:1", "192.168.3.4:1",
      "100.64.0.1:1", "169.254.1.1:1", "[::1]:1", "[fd00::1]:1", "[fe80::1%eth0]:1", "[::ffff:10.0.0.1]:1" } do
      assert.equal("203.0.113.7", address(nil, "203.0.113.7", peer), peer)
    end
    for peer, host in pairs { ["11.0.0.1:1"] = "11.0.0.1", ["172.32.0.1:1"] = "172.32.0.1",
      ["192.169.0.1:1"] = "192.169.0.1", ["100.128.0.1:1"] = "100.128.0.1", ["[::2]:1"] = "::2",
      ["[2001:db8::1]:1"] = "2001:db8::1", ["[::ffff:8.8.8.8]:1"] = "::ffff:8.8.8.8" } do
      assert.equal(host, address(nil, "203.0.113.7", peer), peer)
    end
  end)

  it("believes those it is told of, and only these", function()
    local from = { "192.0.2.0/25", "198.51.100.7", "2001:db8:8000::/33", "0.0.0.0/32" }
    for _, peer in ipairs { "192.0.2.127:1", "198.51.100.7:1", "[2001:db8:8000::1]:1", "[2001:DB8:ffff:1::]:1",
      "[::ffff:192.0.2.1]:1" } do
      assert.equal("203.0.113.7", address({ from = from }, "203.0.113.7", peer), peer)
    end
    for _, peer in ipairs { "192.0.2.128:1", "198.51.100.6:1", "[2001:db8:7fff::1]:1", "127.0.0.1:1" } do
      assert.not_equal("203.0.113.7", address({ from = from }, "203.0.113.7", peer), peer)
    end
    for _, peer in ipairs { "8.8.8.8:1", "[2001:db8::1]:1" } do
      assert.equal("203.0.113.7", address({ from = { "0.0.0.0/0", "::/0" } }, "203.0.113.7", peer))
      assert.not_equal("203.0.113.7", address({ from = {} }, "203.0.113.7", peer))
    end
    local address_of = middleware.client_address { from = {} }
    local at_unix_socket = { header = function() return "203.0.113.7" end }
    assert.equal("203.0.113.7", address_of(at_unix_socket))
  end)

  it("takes no time, whatever there is", function()
    for _ = 1, 30 do
      for _, value in ipairs { "1" .. (" "):rep(16000) .. "2", (" "):rep(16000), (","):rep(16000) } do
        assert.equal("127.0.0.1", address({ proxies = 16 }, value))
        assert.equal("127.0.0.1", address(nil, value))
      end
    end
  end)

  it("refuses what it is not made of, at the caller's line", function()
    refuses("proxies must be an integer from 1 to 16", middleware.client_address, { proxies = 0 })
    refuses("header must be the name of a header", middleware.client_address, { header = "" })
    refuses("unknown option 'hops'", middleware.client_address, { hops = 1 })
    local networks = { "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "/8", "example.com", "", "::/x", 10 }
    for _, network in ipairs(networks) do
      refuses('from must be a list of networks such as "10.0.0.0/8" or addresses', middleware.client_address,
        { from = { network } })
    end
    refuses("from must be a list of networks", middleware.client_address, { from = "10.0.0.1" })
  end)
end)

describe("rate_limit", function()
  it("answers through a router: 429 before the handler, and for paths that are none", function()
    local app = support.app(rate_limit { rate = 0.001, burst = 2, name = name() })
    assert.equal(200, ask(app, raw.get "/").status)
    assert.equal(404, ask(app, raw.get "/none").status)
    local response = ask(app, raw.get "/bad")
    assert.same({ 429, "1000" }, { response.status, response.headers["retry-after"] })
  end)

  it("goes on where it was, over a reload", function()
    local function version(rate)
      return ([[
        local http, middleware = require "neap.http", require "neap.http.middleware"
        local app = http.router()
        app:use(middleware.rate_limit { rate = %s, burst = 2 })
        app:get("/", function() return "hello" end)
        server = assert(http.serve("unix:web", app))
      ]]):format(rate)
    end
    local app <close> = start_app(version(0.001))
    local function status()
      return raw.exchange("unix:" .. app:path "web", raw.get "/", 1)[1].status
    end
    assert.same({ 200, 200, 429 }, { status(), status(), status() })
    assert(app:reload(version(0.001)))
    assert.equal(429, status())
    assert(app:reload(version(1e6)))
    assert.equal(200, status())
  end)

  it("refuses what it is not made of, at the caller's line", function()
    refuses("rate is missing", rate_limit)
    refuses("rate is missing", rate_limit, {})
    for _, rate in ipairs { 0, -1, 0 / 0, math.huge, "1" } do
      refuses("rate must be a number of requests a second", rate_limit, { rate = rate })
    end
    refuses("burst must be an integer from 1", rate_limit, { rate = 1, burst = 0 })
    refuses("key must be a function", rate_limit, { rate = 1, key = "ip" })
    refuses("name must be", rate_limit, { rate = 1, name = 'a"b' })
    refuses("max_clients must be an integer from 2", rate_limit, { rate = 1, max_clients = 1 })
    refuses("unknown option 'limit'", rate_limit, { rate = 1, limit = 5 })
  end)
end)
