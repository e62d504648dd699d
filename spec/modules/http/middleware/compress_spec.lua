-- What is compressed, what is left alone, and what the headers say of it.
local codecs, http, middleware = require "neap.compress", require "neap.http", require "neap.http.middleware"
local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local compress, refuses = middleware.compress, support.refuses

local TEXT = ("There is a tide in the affairs of men. "):rep(100)
local BIG = ("There is a tide in the affairs of men. %d "):rep(20000)

-- The answer to a GET of what this handler returns.
local function ask(handler, accepted, options, method)
  local app = http.router()
  app:use(compress(options))
  app:any("/", handler)
  local lines = accepted and { "Accept-Encoding: " .. accepted } or {}
  return support.ask(app, raw.request((method or "GET") .. " /", nil, table.unpack(lines)),
    method == "HEAD" and { head = true } or nil)
end

local function unpacked(response)
  return assert(codecs.decode(response.body, response.headers["content-encoding"]))
end

local function is_plain(response, body)
  assert.is_nil(response.headers["content-encoding"])
  assert.is_true(response.body == (body or TEXT))
end

local function text() return TEXT end

describe("compress", function()
  it("sends a text in what the client likes best", function()
    for accepted, encoding in pairs {
      ["gzip"] = "gzip", ["deflate"] = "deflate", ["br"] = "br", ["gzip, deflate, br"] = "br", ["*"] = "br",
      ["br;q=0.5, gzip"] = "gzip", ["br;q=0, *;q=0.1"] = "gzip",
    } do
      local response = ask(text, accepted)
      assert.equal(encoding, response.headers["content-encoding"])
      assert.equal("accept-encoding", response.headers.vary)
      assert.equal(#response.body, tonumber(response.headers["content-length"]))
      assert.equal(TEXT, unpacked(response))
    end
  end)

  it("leaves alone what the client does not take, but says that it depends", function()
    for _, accepted in ipairs { false, "zstd", "gzip;q=0", "identity", "*;q=0", "",
      "identity;q=0.5, gzip;q=0.1" } do
      local response = ask(text, accepted or nil)
      is_plain(response)
      assert.equal("accept-encoding", response.headers.vary)
    end
  end)

  it("reads whatever a client says that it takes", function()
    for _, accepted in ipairs { "gzip;q=2", "gzip;q=", "gzip;q=-0.5", "gzip;q=\"1\"", "a;b=\"gzip, br", "\xff", ";;;",
      "gz ip", "gzipped", ("x, "):rep(2000), ("gzip;q=0, "):rep(500), "*;q=0, identity;q=0" } do
      is_plain(ask(text, accepted))
    end
    assert.equal("gzip", ask(text, (","):rep(3000) .. "gzip").headers["content-encoding"])
  end)

  it("works at what is big in a thread", function()
    for _, encoding in ipairs { "gzip", "br", "deflate" } do
      local response = ask(function() return BIG end, encoding)
      assert.is_true(unpacked(response) == BIG)
      assert.is_true(#response.body < #BIG / 10)
    end
  end)

  it("takes lists, numbers, and every form of an answer", function()
    local response = ask(function() return { body = { TEXT, TEXT } } end, "gzip")
    assert.equal(TEXT .. TEXT, unpacked(response))
    response = ask(function() return 404, TEXT, { ["Content-Type"] = "text/html" } end, "gzip")
    assert.equal(404, response.status)
    assert.equal(TEXT, unpacked(response))
    is_plain(ask(function() return { body = 12 } end, "gzip"), "12")
  end)

  it("leaves what is short, and what grows", function()
    local response = ask(function() return ("x"):rep(1023) end, "gzip")
    is_plain(response, ("x"):rep(1023))
    assert.is_nil(response.headers.vary)
    assert.equal("gzip", ask(function() return ("x"):rep(1024) end, "gzip").headers["content-encoding"])
    assert.equal("gzip", ask(function() return ("x"):rep(100) end, "gzip", { min_size = 100 })
      .headers["content-encoding"])
    is_plain(ask(function() return "x" end, "gzip", { min_size = 0 }), "x")
  end)

  it("leaves types that are small already, and streams of events", function()
    local function of_type(kind, options)
      return ask(function() return 200, TEXT, { ["content-type"] = kind } end, "gzip", options)
    end
    for _, kind in ipairs { "image/png", "video/mp4", "application/zip", "text/event-stream",
      "Text/Event-Stream; charset=utf-8" } do
      local response = of_type(kind)
      is_plain(response)
      assert.is_nil(response.headers.vary)
    end
    for _, kind in ipairs { "text/html; charset=utf-8", "application/json", "image/svg+xml", "Application/LD+JSON",
      "application/problem+json" } do
      assert.equal(TEXT, unpacked(of_type(kind)))
    end
    assert.equal(TEXT, unpacked(of_type("image/png", { types = { "image/*" } })))
    is_plain(of_type("text/html", { types = { "image/*", "text/css" } }))
    assert.equal(TEXT, unpacked(of_type("a/b", { types = { "*/*" } })))
    is_plain(of_type("text/event-stream", { types = { "*/*" } }))
    assert.equal(TEXT, unpacked(of_type("a/b", { types = function(kind) return kind == "a/b" end })))
    is_plain(of_type("text/event-stream", { types = { "text/*" } }))
  end)

  it("leaves ranges, what is encoded, and what must stay as it is", function()
    for _, headers in ipairs {
      { ["content-encoding"] = "zstd" }, { ["cache-control"] = "public, No-Transform" },
      { ["content-range"] = "bytes 0-9/10" }, { ["content-digest"] = "sha-256=:x:" },
    } do
      local response = ask(function() return 200, TEXT, headers end, "gzip, zstd")
      assert.equal(headers["content-encoding"], response.headers["content-encoding"])
      assert.equal(TEXT, response.body)
      assert.is_nil(response.headers.vary)
    end
    is_plain(ask(function() return 206, TEXT, { ["content-range"] = "bytes 0-9/10" } end, "gzip"))
    for _, status in ipairs { 204, 304 } do
      local response = ask(function() return status, nil, { etag = '"a"' } end, "gzip")
      assert.same({ status, '"a"' }, { response.status, response.headers.etag })
      assert.is_nil(response.headers["content-encoding"])
    end
    is_plain(ask(function() return 200 end, "gzip"), "")
  end)

  it("makes the ETag weak, and merges Vary", function()
    local function headers_of(headers, accepted)
      return ask(function() return 200, TEXT, headers end, accepted or "gzip").headers
    end
    assert.equal('W/"a"', headers_of({ etag = '"a"' }).etag)
    assert.equal('W/"a"', headers_of({ etag = 'W/"a"' }).etag)
    assert.equal('"a"', headers_of({ etag = '"a"' }, "x").etag)
    assert.equal("Accept, accept-encoding", headers_of({ vary = "Accept" }).vary)
    assert.equal("Accept, Cookie, accept-encoding", headers_of({ vary = { "Accept", "Cookie" } }).vary)
    assert.equal("Origin, Accept-Encoding", headers_of({ vary = "Origin, Accept-Encoding" }).vary)
    assert.equal("*", headers_of({ vary = "*" }).vary)
    assert.is_nil(headers_of({ ["accept-ranges"] = "bytes" })["accept-ranges"])
    assert.equal(#TEXT, #unpacked(ask(function() return 200, TEXT, { ["content-length"] = #TEXT } end, "gzip")))
  end)

  it("answers HEAD with the headers of a GET", function()
    for _, handler in ipairs { text, function() return { body = function() error "not called" end } end } do
      local response = ask(handler, "gzip", nil, "HEAD")
      assert.equal("gzip", response.headers["content-encoding"])
      assert.equal("accept-encoding", response.headers.vary)
      assert.is_nil(response.headers["content-length"])
    end
  end)

  it("says of a file to HEAD, and of what has not changed, what it said to GET", function()
    local files = test.tempdir()
    files:write("tide.txt", TEXT)
    files:write("short.txt", "x")
    files:write("tide.png", TEXT)
    local app = http.router()
    app:use(compress())
    app:mount("/", http.static(files.path))
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local function request(method, path, ...)
      local client <close> = raw.connect(server.address)
      client:send(raw.request(method .. " " .. path, nil, "Accept-Encoding: gzip", ...))
      local response = client:response { head = method == "HEAD" }
      local headers = response.headers
      return { response.status, headers["content-encoding"], headers.vary, headers.etag, headers["accept-ranges"] },
        headers
    end
    for _, path in ipairs { "/tide.txt", "/short.txt", "/tide.png" } do
      assert.same(request("GET", path), (request("HEAD", path)))
    end
    local got, headers = request("HEAD", "/tide.txt")
    assert.same({ 200, "gzip", "accept-encoding" }, { got[1], got[2], got[3] })
    assert.is_nil(headers["content-length"])
    local weak = got[4]
    assert.same({ 304, nil, "accept-encoding", weak }, request("GET", "/tide.txt", "If-None-Match: " .. weak))
    assert.same({ 304, nil, "accept-encoding", weak },
      request("GET", "/tide.txt", 'If-None-Match: "a", ' .. weak .. ', "b"'))
    local strong = weak:sub(3) -- who has this one took it as it is
    assert.same({ 304, nil, nil, strong }, request("GET", "/tide.txt", "If-None-Match: " .. strong))
    assert.same({ 200, "gzip", "accept-encoding", weak }, request("GET", "/tide.txt", "Range: bytes=0-1",
      "If-Range: " .. weak)) -- no part of something else
  end)

  it("offers what it is told to, at a level", function()
    assert.equal("gzip", ask(text, "br, gzip", { encodings = { "gzip" } }).headers["content-encoding"])
    assert.equal("gzip", ask(text, "br, gzip", { encodings = { "gzip", "br" } }).headers["content-encoding"])
    local function size_at(level, accepted) return #ask(function() return BIG end, accepted, { level = level }).body end
    assert.is_true(size_at(1, "br") > size_at(11, "br"))
    assert.is_true(size_at(1, "gzip") > size_at(11, "gzip")) -- its highest is 9
  end)

  it("raises for options that are none", function()
    refuses("unknown option 'levle'", compress, { levle = 1 })
    refuses("level must be an integer from 1 to 11, not 12", compress, { level = 12 })
    refuses("encodings must be a list", compress, { encodings = { "zip" } })
    refuses("encodings must be a list", compress, { encodings = {} })
    refuses("min_size must be", compress, { min_size = "1" })
    refuses("types must be", compress, { types = { "html" } })
    refuses("table expected, got number", compress, 5)
  end)
end)

describe("compress, of a stream", function()
  it("sends each piece so that it can be read at once", function()
    for _, encoding in ipairs { "gzip", "br", "deflate" } do
      local app, go_on = http.router(), false
      app:use(compress { min_size = 0 })
      app:get("/", function()
        local count = 0
        return { body = function()
          count = count + 1
          while count == 2 and not go_on do timer.sleep(0.001) end
          return ({ "one ", "two " })[count]
        end }
      end)
      local server <close> = assert(http.serve("127.0.0.1:0", app))
      local client <close> = raw.connect(server.address)
      client:send(raw.get("/", "Accept-Encoding: " .. encoding))
      local head = client:head()
      assert.equal(encoding, head.headers["content-encoding"])
      assert.equal("chunked", head.headers["transfer-encoding"])
      local decoder <close> = codecs.decoder(encoding)
      assert.equal("one ", decoder:write(client:chunk()))
      go_on = true
      assert.equal("two ", decoder:write(client:chunk()))
      assert.equal("", decoder:finish(client:rest()))
    end
  end)

  it("takes what a body writes, in its order, with callbacks and from several tasks", function()
    local response = ask(function()
      local begun = false
      return { body = function(write)
        if begun then return nil end
        begun = true
        write "a"
        write(BIG, function() end)
        write "b"
        neap.group(function(group)
          for i = 1, 3 do group:go(function() assert(write { i, ";" }) end) end
        end)
        return "end"
      end, trailers = { ["x-sum"] = "1" } }
    end, "gzip")
    assert.is_true(unpacked(response) == "a" .. BIG .. "b1;2;3;end")
    assert.equal("1", response.trailers["x-sum"])
  end)

  it("takes objects with chunks(), and closes them", function()
    local closed = 0
    local object = setmetatable({ chunks = function()
      local left = 3
      return function()
        left = left - 1
        if left >= 0 then return BIG end
      end
    end }, { __close = function() closed = closed + 1 end })
    local response = ask(function() return { body = object, headers = { ["content-length"] = 3 * #BIG } } end, "br")
    assert.is_true(unpacked(response) == BIG:rep(3))
    assert.equal(1, closed)
    assert.is_nil(response.headers["content-length"])
    ask(function() return { body = object } end, "br", nil, "HEAD")
    assert.equal(2, closed)
  end)

  it("leaves one that says it is short", function()
    local response = ask(function()
      local pieces = { "abc" }
      return { body = function() return table.remove(pieces) end, headers = { ["content-length"] = 3 } }
    end, "gzip")
    is_plain(response, "abc")
  end)

  it("is not ended in order where the body fails: the client notices", function()
    local reports = {}
    neap.on_error(function(message) reports[#reports + 1] = tostring(message) end)
    finally(function() neap.on_error(nil) end)
    local function failing(body)
      local ok, message = pcall(ask, function() return { body = body } end, "gzip")
      assert.is_false(ok)
      assert.is_truthy(message:find("no whole line", 1, true), message)
    end
    local count = 0
    failing(function()
      count = count + 1
      if count == 2 then error("a mistake", 0) end
      return TEXT
    end)
    failing({ chunks = function()
      local given = false
      return function()
        if given then return nil, "the disk is gone" end
        given = true
        return TEXT
      end
    end })
    failing({ chunks = function() return function() return {} end end })
    local all = table.concat(reports, "\n")
    for _, part in ipairs { "a mistake", "the disk is gone", "the body gave a table" } do
      assert.is_truthy(all:find(part, 1, true), all)
    end
  end)

  it("has not failed where the client has left while it waits to be written", function()
    local reports = {}
    neap.on_error(function(message) reports[#reports + 1] = tostring(message) end)
    finally(function() neap.on_error(nil) end)
    local noise = require("neap.crypto").random(1 << 20)
    local told
    local app = http.router()
    app:use(compress())
    app:get("/", function()
      return { after = function(_, message) told = message end, body = function() return noise end }
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client = raw.connect(server.address)
    client:send(raw.get("/", "Accept-Encoding: gzip"))
    client:head()
    client:settle(0.05) -- it waits for us to read on
    client:reset()
    test.eventually(function() return told end)
    assert.equal("the client has left", told)
    assert.same({}, reports)
  end)

  it("is let go of when the client leaves", function()
    local closed, told
    local app = http.router()
    app:use(compress())
    app:get("/", function()
      local body = setmetatable({ chunks = function() return function() return BIG end end },
        { __close = function() closed = true end })
      return { body = body }
    end)
    app:get("/function", function()
      return { body = function() return BIG end, after = function(bytes, message) told = { bytes, message } end }
    end)
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    for _, path in ipairs { "/", "/function" } do
      local client = raw.connect(server.address)
      client:send(raw.get(path, "Accept-Encoding: gzip"))
      client:head()
      client:chunk()
      client:reset()
    end
    repeat timer.sleep(0.001) until closed and told
    assert.is_true(told[1] > 0)
    assert.equal("the client has left", told[2])
  end)
end)
