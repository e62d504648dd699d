-- All middleware on one router, in different orders: what each promises holds whatever stands around it.
local http, middleware, timer = require "neap.http", require "neap.http.middleware", require "neap.timer"
local compress = require "neap.compress"
local json, neap, test = require "neap.json", require "neap", require "neap.test"
local raw, support = require "spec.support.http", require "spec.support.middleware"

local ORIGIN = "Origin: https://shop.example"
local made = 0

-- Each by its name; and the lines of the log.
local function all()
  local lines = {}
  made = made + 1
  return {
    access_log = middleware.access_log {
      format = "json", write = function(line) lines[#lines + 1] = json.decode(line) end,
    },
    body_limit = middleware.body_limit(10),
    compress = middleware.compress { min_size = 0 },
    cors = middleware.cors { origins = "https://shop.example", credentials = true },
    decompress = middleware.decompress(),
    rate_limit = middleware.rate_limit { rate = 1, burst = 1000, headers = true, name = "stack-" .. made },
    request_id = middleware.request_id(),
    security_headers = middleware.security_headers(),
    timeout = middleware.timeout(30),
  }, lines
end

local sensible = { "access_log", "request_id", "security_headers", "cors", "rate_limit", "timeout", "body_limit",
  "decompress", "compress" }

-- The log is first: what stands before it is not seen.
local function orders()
  local list, rest = { sensible }, table.move(sensible, 2, #sensible, 1, {})
  for turn = 1, #rest do
    local order = { "access_log" }
    for i = 0, #rest - 1 do order[#order + 1] = rest[(turn + i) % #rest + 1] end
    list[#list + 1] = order
    local reversed = { "access_log" }
    for i = #order, 2, -1 do reversed[#reversed + 1] = order[i] end
    list[#list + 1] = reversed
  end
  return list
end

local function each_order(check)
  for _, order in ipairs(orders()) do
    local by_name, lines = all()
    local stack = {}
    for i, name in ipairs(order) do stack[i] = by_name[name] end
    check(support.app(table.unpack(stack)), lines, table.concat(order, " "))
  end
end

local function check_headers(response, order)
  local headers = response.headers
  assert.equal("https://shop.example", headers["access-control-allow-origin"], order)
  assert.equal("nosniff", headers["x-content-type-options"], order)
  assert.truthy(headers["x-request-id"], order)
  assert.truthy(headers.ratelimit, order)
  assert.truthy(headers.vary:find "Origin", order)
end

describe("a stack of all middleware, in each order,", function()
  local function answers(expected, request, how)
    each_order(function(app, lines, order)
      local response = support.ask(app, request, how)
      assert.equal(expected.status, response.status, order)
      if expected.body then assert.equal(expected.body, response.body, order) end
      check_headers(response, order)
      test.eventually(function() return #lines > 0 end)
      assert.same({ 1, expected.status, expected.bytes or #response.body }, { #lines, lines[1].status, lines[1].bytes },
        order)
    end)
  end

  it("answers", function() answers({ status = 200, body = "hello" }, raw.get("/", ORIGIN)) end)

  it("answers a HEAD", function()
    answers({ status = 200, body = "" }, raw.request("HEAD /", nil, ORIGIN), { head = true })
  end)

  it("answers with a stream", function()
    answers({ status = 200, body = "one two three" }, raw.get("/stream", ORIGIN))
  end)

  it("says that nothing is there", function()
    answers({ status = 404, body = "Not Found\n" }, raw.get("/none", ORIGIN))
  end)

  it("says which methods there are", function()
    answers({ status = 405 }, raw.request("DELETE /", nil, ORIGIN))
  end)

  it("takes a body", function() answers({ status = 200, body = "1234567890" }, raw.post("/", "1234567890", ORIGIN)) end)

  it("takes a body that is packed, and packs the answer", function()
    local packed = "\x33\x04\0" -- "1": without zlib's head, so that it is below the limit
    each_order(function(app, _, order)
      local response = support.ask(app, raw.post("/", packed, ORIGIN, "Content-Encoding: deflate"))
      assert.same({ 200, "1" }, { response.status, response.body }, order)
      response = support.ask(app, raw.get("/stream", ORIGIN, "Accept-Encoding: gzip"))
      assert.equal("one two three", compress.decode(response.body, "gzip"), order)
      check_headers(response, order)
    end)
  end)

  it("answers a preflight, and what is too long, with what stands outside", function()
    each_order(function(app, lines, order)
      assert.equal(204, support.ask(app, raw.request("OPTIONS /", nil, ORIGIN,
        "Access-Control-Request-Method: PUT")).status, order)
      assert.equal(413, support.ask(app, raw.post("/", "12345678901", ORIGIN)).status, order)
      assert.equal(413, support.ask(app, raw.request("POST /", raw.chunked { "12345678901" },
        "Transfer-Encoding: chunked")).status, order)
      test.eventually(function() return #lines == 3 end)
      assert.same({ 204, 413, 413 }, { lines[1].status, lines[2].status, lines[3].status }, order)
    end)
  end)

  it("lets an error through, which is reported once, and goes on", function()
    local reports = {}
    neap.on_error(function(message) reports[#reports + 1] = message end)
    local _ <close> = setmetatable({}, { __close = function() neap.on_error(nil) end })
    each_order(function(app, lines, order)
      reports = {}
      local server <close> = assert(http.serve("127.0.0.1:0", app))
      local list = raw.exchange(server.address, raw.get "/bad" .. raw.get "/", 2)
      assert.same({ 500, 200 }, { list[1].status, list[2].status }, order)
      test.eventually(function() return #lines == 2 and #reports == 1 end)
      assert.truthy(reports[1]:find "^a mistake", order)
      assert.same({ 500, 200 }, { lines[1].status, lines[2].status }, order)
    end)
  end)
end)

describe("a stack of all middleware", function()
  it("ends a handler that takes too long, and a client that leaves is logged", function()
    local by_name, lines = all()
    local clock <close> = test.clock()
    local app = http.router()
    for _, name in ipairs(sensible) do app:use(by_name[name]) end
    app:get("/slow", function() timer.sleep(40) end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address, { limit = 1000 })
    client:send(raw.get("/slow", ORIGIN))
    local response = client:response()
    assert.equal(503, response.status)
    check_headers(response)
    assert.equal(30.0, clock:now())
    assert.equal(503, lines[1].status)
  end)

  it("knows who it was, with sessions and passwords in the middle", function()
    local by_name, lines = all()
    local _ <close> = setmetatable({}, { __close = function() neap.on_error(nil) end })
    neap.on_error(function() end)
    local app = support.app(by_name.access_log, by_name.request_id, by_name.security_headers, by_name.cors,
      by_name.rate_limit, by_name.timeout, by_name.body_limit,
      middleware.basic_auth { realm = "tea", users = { ann = "secret" } },
      middleware.sessions { name = "stack" .. made }, middleware.development { force = true })
    app:get("/count", function(req)
      req.session.count = (req.session.count or 0) + 1
      return tostring(req.session.count)
    end)
    local login = "Authorization: Basic YW5uOnNlY3JldA=="
    local refused = support.ask(app, raw.get("/", ORIGIN))
    assert.same({ 401, 'Basic realm="tea", charset="UTF-8"' }, { refused.status, refused.headers["www-authenticate"] })
    check_headers(refused)
    assert.equal("1", support.ask(app, raw.get("/count", login)).body)
    for path, status in pairs { ["/"] = 200, ["/stream"] = 200, ["/none"] = 404, ["/bad"] = 500 } do
      assert.equal(status, support.ask(app, raw.get(path, login)).status, path)
    end
    assert.equal(200, support.ask(app, raw.request("HEAD /stream", nil, login), { head = true }).status)
    test.eventually(function() return #lines == 7 end)
    assert.same({ 401, nil, 200, "ann" }, { lines[1].status, lines[1].user, lines[2].status, lines[2].user })
  end)

  it("stands around routes, groups and mounted routers as around all of it", function()
    local by_name, lines = all()
    local inner = http.router()
    inner:use(by_name.security_headers)
    inner:get("/", function(req) return req.base end)
    local app = http.router()
    app:use(by_name.access_log)
    app:group("/group", function(group)
      group:use(by_name.request_id)
      group:get("/one", by_name.cors, function() return "one" end)
    end)
    app:mount("/inner", inner)
    local one = support.ask(app, raw.get("/group/one", ORIGIN))
    assert.same({ "one", "https://shop.example" }, { one.body, one.headers["access-control-allow-origin"] })
    assert.truthy(one.headers["x-request-id"])
    local two = support.ask(app, raw.get "/inner")
    assert.same({ "/inner", "nosniff" }, { two.body, two.headers["x-content-type-options"] })
    assert.is_nil(two.headers["x-request-id"])
    test.eventually(function() return #lines == 2 end)
    assert.same({ "/group/one", "/inner" }, { lines[1].target, lines[2].target })
  end)
end)
