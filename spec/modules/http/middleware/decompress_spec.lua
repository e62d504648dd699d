-- Bodies that come packed: what handlers see of them, and what never gets so far.
local compress, http, middleware = require "neap.compress", require "neap.http", require "neap.http.middleware"
local json, neap, test = require "neap.json", require "neap", require "neap.test"
local raw, support = require "spec.support.http", require "spec.support.middleware"
local decompress, ask, refuses = middleware.decompress, support.ask, support.refuses

local TEXT = ("There is a tide in the affairs of men. "):rep(10)

-- A POST of these bytes, said to be in this encoding.
local function post(body, encoding, ...)
  return raw.post("/", body, "Content-Encoding: " .. encoding, ...)
end

local function packed(text, encoding, ...)
  return post(compress.encode(text, encoding), encoding, ...)
end

local function app_of(...)
  local app = http.router()
  app:any("/", ...)
  return app
end

-- Behind the middleware: "/" gives the body back.
local function echo(options)
  return (app_of(decompress(options), function(req) return assert(req:body()) end))
end

describe("decompress", function()
  it("gives the handler what was packed, in each encoding", function()
    for _, encoding in ipairs { "gzip", "deflate", "br" } do
      assert.equal(TEXT, ask(echo(), packed(TEXT, encoding)).body)
      local big = TEXT:rep(2000)
      assert.is_true(ask(echo(), packed(big, encoding)).body == big)
    end
    local bytes = compress.encode(TEXT, "gzip")
    assert.equal(TEXT, ask(echo(), post(bytes, "X-GZip")).body)
    assert.equal(TEXT .. TEXT, ask(echo(), post(bytes .. bytes, "GZIP")).body)
    assert.equal(TEXT, ask(echo(), raw.request("POST /", raw.chunked { bytes:sub(1, 20), bytes:sub(21) },
      "Transfer-Encoding: chunked", "Content-Encoding: gzip")).body)
    assert.equal("", ask(echo(), packed("", "gzip")).body)
  end)

  it("leaves all else as it is", function()
    assert.equal(TEXT, ask(echo(), raw.post("/", TEXT)).body)
    assert.equal(TEXT, ask(echo(), post(TEXT, "identity")).body)
    assert.equal(TEXT, ask(echo(), post(TEXT, "")).body)
    assert.equal("", ask(echo(), raw.get("/", "Content-Encoding: gzip")).body)
    assert.equal("", ask(echo(), post("", "zstd")).body)
    assert.equal("", ask(echo(), raw.request("POST /", raw.chunked {}, "Transfer-Encoding: chunked",
      "Content-Encoding: gzip")).body)
  end)

  it("unpacks once, however many of it there are", function()
    local app = http.router()
    app:use(decompress())
    app:post("/", decompress(), function(req) return assert(req:body()) end)
    assert.equal(TEXT, ask(app, packed(TEXT, "br")).body)
  end)

  it("is nothing that a handler has to know of, however it reads", function()
    local big = TEXT:rep(2000)
    local function read_by(handler, text, ...)
      return ask((app_of(decompress(), handler)), packed(text, "gzip", ...)).body
    end
    assert.equal("7", read_by(function(req) return tostring(req:json().n) end, json.encode { n = 7 }))
    assert.equal("a b", read_by(function(req) return req:form().fields.name end, "name=a+b&x=y",
      "Content-Type: application/x-www-form-urlencoded"))
    assert.equal("x.txt " .. #big, read_by(function(req)
      local file = req:form().files.file
      return file.filename .. " " .. #file:read()
    end, '--b\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\n' .. big .. "\r\n--b--\r\n",
      "Content-Type: multipart/form-data; boundary=b"))
    assert.equal("part", read_by(function(req)
      local text
      for part in req:parts() do text = part:body() end
      return text
    end, '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\npart\r\n--b--\r\n',
      "Content-Type: multipart/form-data; boundary=b"))
    local most = 0
    assert.is_true(read_by(function(req)
      local pieces = {}
      for piece in req:chunks() do
        pieces[#pieces + 1] = piece
        most = math.max(most, #piece)
      end
      return table.concat(pieces)
    end, big) == big)
    assert.is_true(most <= 65536)
    assert.equal("true nil true", read_by(function(req)
      local first, later = req:body(), nil
      req:body(function(text) later = text == big end)
      local early = later
      test.eventually(function() return later ~= nil end)
      return ("%s %s %s"):format(first == big, early, later)
    end, big))
    assert.equal("this body is read in pieces already, by chunks()", read_by(function(req)
      local next_piece, state = req:chunks()
      next_piece(state)
      return (select(2, pcall(req.body, req)):match "this body.*")
    end, big))
  end)

  it("raises for options that are none", function()
    refuses('encodings must be a list of "br", "gzip" and "deflate"', decompress, { encodings = { "zip" } })
    refuses("encodings must be a list", decompress, { encodings = {} })
    refuses("unknown option 'limit' (there are: encodings)", decompress, { limit = 1 })
    refuses("table expected, got number", decompress, 5)
  end)
end)

describe("decompress refuses", function()
  local failed -- what the handler has met; false: nothing; nil: it was not called
  local function guarded(options, ...)
    failed = nil
    local list = { ... }
    list[#list + 1] = decompress(options)
    list[#list + 1] = function(req)
      local text, message, code = req:body()
      failed = code or false
      return assert(text, message)
    end
    return (app_of(table.unpack(list)))
  end

  it("encodings that it does not take, and says which it does", function()
    for _, encoding in ipairs { "zstd", "compress", "gzip, gzip", "gzip, br", "*", "gzip;q=1", "\xff", "gzip\tbr", "gz",
      ("gzip, "):rep(500) .. "gzip" } do
      local response = ask(guarded(), post(TEXT, encoding))
      assert.same({ 415, "br, gzip, deflate" }, { response.status, response.headers["accept-encoding"], failed })
    end
    assert.equal(415, ask(guarded(), post(TEXT, "gzip", "Content-Encoding: gzip")).status)
    local response = ask(guarded { encodings = { "gzip" } }, packed(TEXT, "br"))
    assert.same({ 415, "gzip" }, { response.status, response.headers["accept-encoding"] })
  end)

  it("what is no such thing, is cut short, or goes on", function()
    for _, encoding in ipairs { "gzip", "deflate", "br" } do
      local bytes = compress.encode(TEXT, encoding)
      local bad = { [bytes:sub(1, -2)] = "EOF", [bytes:sub(1, 1)] = "EOF", [bytes .. "x"] = "EINVAL",
        [bytes .. ("\0"):rep(100)] = "EINVAL", [("\xff"):rep(1000)] = "EINVAL", [TEXT] = "EINVAL" }
      for body, code in pairs(bad) do
        local response = ask(guarded(), post(body, encoding))
        assert.same({ 400, "Bad Request\n", "close" }, { response.status, response.body, response.headers.connection })
        assert.equal(code, failed)
      end
    end
  end)

  it("what becomes more than a body may be", function()
    for _, encoding in ipairs { "gzip", "deflate", "br" } do
      local bomb = compress.encode(("\0"):rep(8 << 20), encoding)
      local server <close> = assert(http.serve("127.0.0.1:0", { max_body = 1 << 20 }, guarded()))
      local list, ending = raw.exchange(server.address, packed(TEXT, encoding) .. post(bomb, encoding))
      assert.same({ TEXT, 413, "EMSGSIZE" }, { list[1].body, list[2].status, failed })
      assert.equal("end", ending)
    end
  end)

  it("one of many in a row, and not the others; and none that asks first is invited in vain", function()
    local server <close> = assert(http.serve("127.0.0.1:0", guarded()))
    local client <close> = raw.connect(server.address)
    local bytes = compress.encode(TEXT, "gzip")
    client:send(post(bytes, "zstd") .. post(bytes, "gzip") .. raw.request("GET /", bytes, "Content-Encoding: gzip")
      .. raw.request("HEAD /", bytes, "Content-Encoding: gzip"))
    local statuses = {}
    for i = 1, 4 do
      local answer = client:response { head = i == 4 }
      statuses[i] = answer.status
      if i == 2 or i == 3 then assert.equal(TEXT, answer.body) end
    end
    assert.same({ 415, 200, 200, 200 }, statuses)
    client:send((post(bytes, "gzip", "Expect: 100-continue"):match "^.-\r\n\r\n"))
    assert.equal(100, client:head().status)
    client:send(bytes)
    assert.equal(TEXT, client:response().body)
    client:send((post(bytes, "zstd", "Expect: 100-continue"):match "^.-\r\n\r\n"))
    assert.equal(415, client:head().status)
  end)

  it("by the limit that stands before it, for what is sent and for what comes of it", function()
    local function status(size, limit)
      return ask(guarded(nil, middleware.body_limit(limit)), packed(("x"):rep(size), "gzip")).status
    end
    assert.same({ 200, 413, 200 }, { status(1000, 1000), status(1001, 1000), status(2000000, 2000000) })
    local noise = compress.encode(TEXT, "gzip")
    assert.equal(413, ask(guarded(nil, middleware.body_limit(#noise - 1)), post(noise, "gzip")).status)
    assert.is_nil(failed)
    assert.equal(413, ask(guarded(nil, middleware.body_limit(#noise - 1)), raw.request("POST /",
      raw.chunked { noise }, "Transfer-Encoding: chunked", "Content-Encoding: gzip")).status)
    assert.equal("EMSGSIZE", failed)
  end)

  it("by a limit that stands behind it, or that the handler has", function()
    local app = http.router()
    app:use(decompress())
    app:post("/behind", middleware.body_limit(100), function(req) return assert(req:body()) end)
    app:post("/body", function(req) return assert(req:body { limit = 100 }) end)
    local seen
    app:post("/chunks", function(req)
      seen = 0
      for piece in req:chunks { limit = 100 } do seen = seen + #piece end
      return "x"
    end)
    for _, path in ipairs { "/behind", "/body", "/chunks" } do
      local function status(size)
        return ask(app, raw.post(path, compress.encode(("x"):rep(size), "gzip"), "Content-Encoding: gzip")).status
      end
      assert.same({ 200, 413, 413 }, { status(100), status(101), status(1000000) }, path)
    end
    assert.equal(0, seen)
  end)

  it("a body that somebody has read before it", function()
    local app = app_of(function(req, next)
      req:body()
      return next(req)
    end, decompress(), function() return "x" end)
    local report
    neap.on_error(function(message) report = message end)
    finally(function() neap.on_error(nil) end)
    assert.equal(500, ask(app, packed(TEXT, "gzip")).status)
    assert.matches("this body has been read whole already, by body()", report, 1, true)
    assert.equal(200, ask(app, raw.post("/", TEXT)).status)
  end)
end)
