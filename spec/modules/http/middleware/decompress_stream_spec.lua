-- Bodies that come packed, while they come: what is there of them, for whom, and who waits for whom.
local compress, crypto, http = require "neap.compress", require "neap.crypto", require "neap.http"
local middleware = require "neap.http.middleware"
local json, neap, net, test = require "neap.json", require "neap", require "neap.net", require "neap.test"
local timer = require "neap.timer"
local raw = require "spec.support.http"
local eventually = test.eventually

local ENCODINGS = { "gzip", "deflate", "br" }
local TEXT = ("There is a tide in the affairs of men. "):rep(10)
local ZEROS = ("\0"):rep(1 << 20)

-- A server with the middleware before this handler.
local function serve(handler, options, address)
  local app = http.router()
  app:use(middleware.decompress())
  app:get("/in-step", function() return "in step" end)
  app:post("/*rest", handler)
  return assert(http.serve(address or "127.0.0.1:0", options or {}, app))
end

local function post(body, encoding, ...)
  return raw.post("/", body, "Content-Encoding: " .. encoding, ...)
end

-- Its head alone: nothing of the body, of which so much will come.
local function announce(length, encoding, ...)
  return raw.request("POST /", nil, "Content-Encoding: " .. encoding, "Content-Length: " .. length, ...)
end

-- The packed forms of texts, one behind the other, so that each can be unpacked when it is there.
local function flushed(encoding, ...)
  local encoder <close> = compress.encoder(encoding)
  local pieces = { ... }
  for i, text in ipairs(pieces) do
    pieces[i] = encoder:write(text) .. (i == #pieces and encoder:finish() or encoder:flush())
  end
  return pieces
end

local function read_chunks(req, options)
  local list = {}
  for piece in req:chunks(options) do list[#list + 1] = piece end
  return table.concat(list)
end

describe("a body that comes packed", function()
  it("is the same, byte by byte", function()
    for _, encoding in ipairs(ENCODINGS) do
      for _, read in ipairs { read_chunks, function(req) return assert(req:body()) end } do
        local server <close> = serve(read)
        local client <close> = raw.connect(server.address)
        client:send_split(post(compress.encode(TEXT, encoding), encoding))
        assert.equal(TEXT, client:response().body)
        local bytes = compress.encode(TEXT, encoding)
        client:send_split(raw.request("POST /", raw.chunked { bytes:sub(1, 7), bytes:sub(8) },
          "Content-Encoding: " .. encoding, "Transfer-Encoding: chunked"))
        assert.equal(TEXT, client:response().body)
        client:expect_in_step()
      end
    end
  end)

  it("is given as far as it has come", function()
    for _, encoding in ipairs(ENCODINGS) do
      local got = {}
      local server <close> = serve(function(req)
        for piece in req:chunks() do got[#got + 1] = piece end
        return "ok"
      end)
      local client <close> = raw.connect(server.address)
      local texts = { "one", "two", ZEROS:sub(1, 500000), "three" }
      local pieces, sent = flushed(encoding, table.unpack(texts)), ""
      client:send(announce(#table.concat(pieces), encoding))
      for i, text in ipairs(texts) do
        sent = sent .. text
        client:send(pieces[i])
        eventually(function() return #table.concat(got) == #sent end, 20)
      end
      assert.equal("ok", client:response().body)
      assert.is_true(table.concat(got) == sent)
    end
  end)

  it("of several members is one text, and what follows the last of them is an error, behind the text", function()
    local got
    local server <close> = serve(function(req)
      got = {}
      local ok, message = pcall(function()
        for piece in req:chunks() do got[#got + 1] = piece end
      end)
      got = { table.concat(got), ok, message }
      return "mine"
    end)
    local client <close> = raw.connect(server.address)
    local bytes = compress.encode(TEXT, "gzip")
    local function ask(...)
      local all = table.concat { ... }
      client:send(announce(#all, "gzip"))
      for _, part in ipairs { ... } do
        client:settle()
        client:send(part)
      end
      assert.equal("mine", client:response().body) -- whoever catches it says what it means
      return got
    end
    assert.same({ TEXT .. TEXT, true }, ask(bytes .. bytes))
    assert.same({ TEXT .. TEXT, true }, ask(bytes, bytes))
    assert.same({ TEXT .. TEXT, true }, ask(bytes, compress.encode("", "gzip"), bytes))
    assert.same({ TEXT, false, "request body: gzip: something follows its end" }, ask(bytes, "x"))
    assert.same({ TEXT, false, "request body: gzip: something follows its end" }, ask(bytes, "\0\0"))
    local halves = flushed("gzip", TEXT, TEXT)
    assert.same({ "", false, "request body: gzip: it is cut short" }, ask(halves[1]))
    assert.same({ TEXT, false, "request body: gzip: it is cut short" }, ask(halves[1], (halves[2]:sub(1, -2))))
    client:expect_in_step()
  end)

  it("gives its pieces in constant size, whatever becomes of it, and no more than the limit", function()
    for _, encoding in ipairs(ENCODINGS) do
      local most, sum = 0, 0
      local server <close> = serve(function(req)
        for piece in req:chunks { limit = req.path == "/less" and 10 << 20 or 16 << 20 } do
          most, sum = math.max(most, #piece), sum + #piece
        end
        return "all"
      end)
      local bomb = compress.encode(ZEROS:rep(16), encoding)
      local function ask(path)
        sum = 0
        return raw.exchange(server.address, raw.post(path, bomb, "Content-Encoding: " .. encoding), 1)[1]
      end
      assert.same({ "all", 16 << 20 }, { ask("/").body, sum })
      assert.equal(413, ask("/less").status)
      assert.is_true(sum <= 10 << 20 and sum > 9 << 20)
      assert.is_true(most <= 65536)
    end
  end)

  it("lets others have a turn, whichever way much comes of a little", function()
    local reading, turns = false, 0
    local server <close> = serve(function(req)
      reading, turns = true, 0
      local text = req.path == "/chunks" and read_chunks(req, { limit = 64 << 20 }) or req:body { limit = 64 << 20 }
      reading = false
      return tostring(#text)
    end)
    local others = neap.go(function()
      while true do
        timer.sleep(reading and 0 or 0.001)
        turns = turns + 1
      end
    end)
    local bomb = compress.encode(ZEROS:rep(16), "gzip")
    for _, path in ipairs { "/body", "/chunks" } do
      local response = raw.exchange(server.address, raw.post(path, bomb, "Content-Encoding: gzip"), 1)[1]
      assert.equal(tostring(16 << 20), response.body)
      assert.is_true(turns >= 10, path .. ": " .. turns)
    end
    others:cancel()
  end)

  it("comes while time stands still, too", function()
    local packed = compress.encode(ZEROS:rep(8), "gzip")
    local clock <close> = test.clock()
    local server <close> = serve(function(req) return tostring(#assert(req:body { limit = 16 << 20 })) end)
    local conn <close> = assert(net.connect(server.address))
    local before = clock:now()
    assert(conn:write(post(packed, "gzip", "Connection: close")))
    assert.equal(tostring(8 << 20), conn:read("a"):match "\r\n\r\n(.*)")
    assert.equal(before, clock:now())
  end)

  it("is answered to a client that has ended its side", function()
    local server <close> = serve(function(req) return tostring(#assert(req:body { limit = 16 << 20 })) end)
    local client <close> = raw.connect(server.address)
    client:send(post(compress.encode(ZEROS:rep(8), "gzip"), "gzip"))
    client.conn:shutdown()
    assert.equal(tostring(8 << 20), client:response().body)
  end)

  it("has the limits of time of any other, and may be asked for again after them", function()
    local failed
    local server <close> = serve(function(req)
      failed = { req:body { timeout = 0.001 } }
      return assert(req:body())
    end)
    local client <close> = raw.connect(server.address)
    local pieces = flushed("gzip", TEXT, "the rest")
    client:send(announce(#pieces[1] + #pieces[2], "gzip") .. pieces[1])
    eventually(function() return failed end)
    assert.same({ nil, "request body: timed out", "ETIMEDOUT" }, failed)
    client:send(pieces[2])
    assert.equal(TEXT .. "the rest", client:response().body)
  end)

  it("keeps the program alive while there is more to unpack, and not longer", function()
    local directory <close> = test.tempdir()
    directory:write("app.lua", [[
      local http, middleware = require "neap.http", require "neap.http.middleware"
      local app, server = http.router(), nil
      app:use(middleware.decompress())
      app:post("/late", function(req) return select(3, req:body { limit = 64 << 20, timeout = 0 }) end)
      app:post("/last", function(req)
        server:close()
        return tostring(#assert(req:body { limit = 64 << 20 }))
      end)
      server = assert(http.serve("127.0.0.1:0", app))
      print(server.address)
      io.stdout:flush()
    ]])
    local child <close> = test.spawn_neap(directory:path_of "app.lua", {}, { ready = "^127" })
    local client <close> = raw.connect(child.ready)
    local bomb = compress.encode(ZEROS:rep(8), "gzip")
    client:send(raw.post("/late", bomb, "Content-Encoding: gzip"):rep(3)
      .. raw.post("/last", bomb, "Content-Encoding: gzip"))
    client.conn:shutdown()
    for _ = 1, 3 do assert.equal("ETIMEDOUT", client:response().body) end
    assert.equal(tostring(8 << 20), client:response().body)
    client:expect_closed()
    assert.equal(0, (child:wait(20)))
  end)

  it("is called back with, as text and as JSON", function()
    local server <close> = serve(function(req)
      local got
      local function call_back(...) got = table.pack(...) end
      if req.path == "/json" then req:json(call_back) else req:body(call_back) end
      assert(got == nil)
      eventually(function() return got end)
      return json.encode { tostring(got[1] and (got[1].n or got[1])), got[2], got[3] }
    end)
    local client <close> = raw.connect(server.address)
    local function ask(path, bytes)
      client:send(raw.post(path, bytes, "Content-Encoding: gzip"))
      return json.decode(client:response().body)
    end
    assert.same({ TEXT }, ask("/", compress.encode(TEXT, "gzip")))
    assert.same({ "7" }, ask("/json", compress.encode('{"n":7}', "gzip")))
    assert.same({ "nil", "request body: gzip: incorrect header check", "EINVAL" }, ask("/", TEXT))
    assert.same({ "nil", "request body: gzip: incorrect header check", "EINVAL" }, ask("/json", TEXT))
    client:expect_in_step()
  end)

  it("is not looked at where nobody reads it", function()
    local server <close> = serve(function() return "unread" end)
    local client <close> = raw.connect(server.address)
    client:send(post("no gzip at all", "gzip") .. post(compress.encode(ZEROS:rep(8), "br"), "br")
      .. raw.request("POST /", raw.chunked { "no", "gzip" }, "Content-Encoding: gzip", "Transfer-Encoding: chunked"))
    for _ = 1, 3 do assert.equal("unread", client:response().body) end
    client:expect_in_step()
    client:send(announce(100, "gzip", "Expect: 100-continue"))
    assert.same({ 200, {} }, (function(response) return { response.status, response.interim } end)(client:response()))
    client:expect_closed()
  end)

  it("may be left in the middle", function()
    local server <close> = serve(function(req)
      local next_piece, self = req:chunks { limit = 64 << 20 }
      return tostring(#next_piece(self) > 0)
    end)
    local client <close> = raw.connect(server.address)
    client:send(post(compress.encode(ZEROS:rep(8), "gzip"), "gzip") .. post(compress.encode(TEXT, "br"), "br"))
    for _ = 1, 2 do assert.equal("true", client:response().body) end
    client:expect_in_step()
  end)

  it("ends with its task: where the client leaves, and where it is cancelled", function()
    local begun, ended = 0, 0
    local server <close> = serve(function(req)
      local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
      begun = begun + 1
      if req.path == "/body" then return req:body() end
      for _ in req:chunks() do end
    end)
    local pieces = flushed("gzip", TEXT, TEXT)
    for i, path in ipairs { "/body", "/chunks" } do
      local client <close> = raw.connect(server.address)
      client:send(raw.request("POST " .. path, nil, "Content-Encoding: gzip",
        "Content-Length: " .. #pieces[1] + #pieces[2]) .. pieces[1])
      eventually(function() return begun == i end)
      client:settle()
      client:reset()
      eventually(function() return ended == i end)
    end
    -- Whoever reads it in place of the one that was cancelled has it whole.
    local bomb = compress.encode(ZEROS:rep(8), "gzip")
    local other <close> = serve(function(req)
      local reader = neap.go(function() return req:body { limit = 64 << 20 } end)
      timer.sleep(0)
      reader:cancel()
      return tostring(#assert(req:body { limit = 64 << 20 }))
    end)
    assert.equal(tostring(8 << 20), raw.exchange(other.address, post(bomb, "gzip"), 1)[1].body)
  end)

  it("tells who asks for more of it that the client has left, also behind its end", function()
    local whole, after
    local server <close> = serve(function(req)
      local next_piece, self = req:chunks()
      local _ <close> = setmetatable({}, { __close = function() after = { pcall(next_piece, self) } end })
      assert(next_piece(self) == TEXT and next_piece(self) == nil)
      whole = true
      timer.sleep(60)
    end)
    for _, encoding in ipairs(ENCODINGS) do
      local client <close> = raw.connect(server.address)
      client:send(post(compress.encode(TEXT, encoding), encoding))
      eventually(function() return whole end)
      client:reset()
      eventually(function() return after end)
      assert.same({ false, "request body: connection reset by peer" }, after)
      whole, after = nil, nil
    end
  end)

  it("pushes back on who sends faster than the handler reads", function()
    local go, received = false, 0
    local noise = crypto.random(1 << 20)
    local packed = compress.encode(noise, "gzip")
    local server <close> = serve(function(req)
      for piece in req:chunks { limit = 1 << 40 } do
        received = received + #piece
        eventually(function() return go end, 20)
      end
      return tostring(received)
    end)
    local client <close> = raw.connect(server.address)
    local count, sent = 30, 0
    client:send(announce(count * #packed, "gzip"))
    local sender = neap.go(function()
      for _ = 1, count do
        assert(client:send(packed))
        sent = sent + 1
      end
    end)
    eventually(function() return received > 0 end, 20)
    local last = -1
    eventually(function() -- until no more of it is taken
      local same = sent == last
      last = sent
      for _ = 1, 20 do timer.sleep(0) end
      return same
    end, 20)
    assert.is_true(sent < count)
    assert.is_true(received <= 65536)
    go = true
    assert.equal(tostring(count << 20), client:response().body)
    sender:join()
  end)

  it("is not taken from the client faster than it is unpacked", function()
    local directory <close> = test.tempdir()
    local address = "unix:" .. directory.path .. "/socket"
    local sent, lead, size = 0, 0, 0
    local text = crypto.hex(crypto.random(1 << 20) .. crypto.random(1 << 20))
    local packed = compress.encode(text, "gzip", { level = 1 })
    local bomb = flushed("gzip", ZEROS:rep(32), "")[1]
    local server <close> = serve(function(req)
      if req.path == "/body" then return assert(req:body()) end
      for piece in req:chunks() do
        size = size + #piece
        lead = math.max(lead, sent - size * #packed // #text)
      end
      return "ok"
    end, { max_body = 24 << 20 }, address)
    local function ask(path, length, ...)
      local client <close> = raw.connect(server.address)
      client:send(raw.request("POST " .. path, nil, "Content-Encoding: gzip", "Content-Length: " .. length))
      sent = 0
      local sender = neap.go(function(first, rest)
        client:send(first)
        for at = 1, #rest, 65536 do
          if not client:send(rest:sub(at, at + 65535)) then return end
          sent = sent + 65536
        end
      end, ...)
      local status = client:response().status
      sender:cancel()
      return status
    end
    assert.equal(200, ask("/chunks", #packed, "", packed))
    assert.equal(#text, size)
    assert.is_true(#packed > 1 << 20 and lead < 1 << 20, lead)
    assert.equal(413, ask("/body", 20 << 20, bomb, ZEROS:rep(20)))
    assert.is_true(sent < 1 << 20, sent)
  end)

  it("may have trailers, and may be sent back while it comes", function()
    local server <close> = serve(function(req)
      local next_piece, self = req:chunks()
      return { body = function() return next_piece(self) end,
        trailers = function() return { ["x-sum"] = req.trailers["x-sum"] } end }
    end)
    local client <close> = raw.connect(server.address)
    local pieces = flushed("gzip", "one", "two")
    client:send(raw.request("POST /", nil, "Content-Encoding: gzip", "Transfer-Encoding: chunked"))
    client:send(("%x\r\n%s\r\n"):format(#pieces[1], pieces[1]))
    client:head()
    assert.equal("one", client:chunk())
    client:send(raw.chunked({ pieces[2] }, { "X-Sum: 12" }))
    local rest = {}
    for piece in client.chunk, client do rest[#rest + 1] = piece end
    assert.same({ "two", "12" }, { table.concat(rest), client.current.trailers["x-sum"] })
  end)
end)

describe("a form that comes packed", function()
  local FILE = '--b\r\nContent-Disposition: form-data; name="%s"; filename="x.bin"\r\n\r\n%s\r\n'

  it("is read while it comes, part by part", function()
    local names = {}
    local server <close> = serve(function(req)
      for part in req:parts() do
        names[#names + 1] = part.name
        names[#names + 1] = part:body()
      end
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    local pieces = flushed("gzip", FILE:format("one", "first") .. "--b\r\n", (FILE:format("two", "second"):sub(6)),
      "--b--\r\n")
    client:send(announce(#table.concat(pieces), "gzip", "Content-Type: multipart/form-data; boundary=b"))
    client:send(pieces[1])
    eventually(function() return names[2] end)
    assert.same({ "one", "first" }, names)
    client:send(pieces[2] .. pieces[3])
    assert.equal("ok", client:response().body)
    assert.same({ "one", "first", "two", "second" }, names)
  end)

  it("is held to its limits by what comes of it", function()
    local server <close> = serve(function(req)
      local form = assert(req:form { max_file = 4 << 20 })
      local upload = form.files.a
      return tostring(upload.size .. " " .. tostring(upload:read() == ("\0"):rep(upload.size)))
    end)
    local function ask(size, ending)
      local text = FILE:format("a", ("\0"):rep(size)) .. (ending or "--b--\r\n")
      return raw.exchange(server.address, post(compress.encode(text, "br"), "br",
        "Content-Type: multipart/form-data; boundary=b"), 1)[1]
    end
    assert.equal((4 << 20) .. " true", ask(4 << 20).body)
    assert.equal(413, ask((4 << 20) + 1).status)
    assert.equal(413, ask(16 << 20).status)
    assert.equal(400, ask(100, "--b").status)
  end)

  it("of a browser without files is held to them, too", function()
    local server <close> = serve(function(req)
      return assert(req:form { max_fields_size = 1000, max_field = 1000 }).fields.a
    end)
    local function ask(size)
      return raw.exchange(server.address, post(compress.encode("a=" .. ("x"):rep(size), "deflate"), "deflate",
        "Content-Type: application/x-www-form-urlencoded"), 1)[1]
    end
    assert.equal(("x"):rep(998), ask(998).body)
    assert.equal(413, ask(1000000).status)
  end)
end)
