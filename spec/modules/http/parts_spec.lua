-- req:parts: the parts of a multipart body while they come.
local neap, http, timer = require "neap", require "neap.http", require "neap.timer"
local raw = require "spec.support.http"
local multipart = require "spec.support.multipart"
local eventually = require "neap.test".eventually
local part, file, body, post = multipart.part, multipart.file, multipart.body, multipart.post

local function serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end))
end

-- What `handler` returns for each of the requests, which come on one connection.
local function answers(handler, ...)
  local server <close> = serve(handler)
  local client <close> = raw.connect(server.address)
  local results = {}
  for i, request in ipairs { ... } do
    client:send_later(request)
    local response = client:response()
    assert.equal(200, response.status, response.body)
    results[i] = response.body
  end
  client:expect_in_step()
  return table.unpack(results)
end

-- The status of the answer, where the handler lets what is raised pass, and what was raised.
local function refusal(handler, request, options)
  local why
  local server <close> = serve(function(req)
    local guard <close> = setmetatable({}, { __close = function(_, message) why = message end }) -- luacheck: ignore 211
    return handler(req)
  end, options)
  return raw.exchange(server.address, request, 1)[1].status, why
end

local function show(req, options)
  local list = {}
  for one in req:parts(options) do
    local text, message = one:body()
    if not text then error(message, 0) end
    list[#list + 1] = ("%s|%s|%s|%s"):format(one.name, one.filename, one.type, text)
  end
  return table.concat(list, "\n")
end

describe("req:parts", function()
  it("gives the parts, one after the other", function()
    assert.same({ "a|nil|nil|1\nf|tea.txt|text/plain|green\nb|nil|nil|", "" }, { answers(show,
      post("/", body(part("a", "1"), file("f", "tea.txt", "green", "text/plain"), part("b", ""))),
      post("/", body())) })
  end)

  it("gives names as they were meant, and headers", function()
    assert.equal("a \"b\"\r\n\\c|x\"\\y ü.txt|nil|1", answers(show,
      post("/", body(part('a "b"\r\n\\c', "1", { filename = 'x"\\y ü.txt' })))))
    assert.equal("1 2 nil form-data; name=\"a\"", answers(function(req)
      local next_part = req:parts()
      local headers = next_part().headers
      return ("%s %s %s %s"):format(headers["x-a"], headers["X-B"], headers.none, headers["content-disposition"])
    end, post("/", body(part("a", "", { headers = { "X-A: 1", "x-b:2" } })))))
  end)

  it("gives them however they come", function()
    local text = body(part("a", "1\r\n--x"), file("f", "tea.txt", "gr\r\neen", "text/plain"))
    local server <close> = serve(show)
    raw.at_every_split(server.address, post("/", text, "Connection: close"), function(client)
      assert.equal("a|nil|nil|1\r\n--x\nf|tea.txt|text/plain|gr\r\neen", client:response().body)
    end)
  end)

  it("gives a part while it comes, and the client waits for who reads it", function()
    local server <close> = serve(function(req)
      local first, rest = nil, 0
      for one in req:parts { limit = 1 << 30 } do
        for chunk in one:chunks() do
          if not first then
            first = chunk
            timer.sleep(0.01)
          else
            rest = rest + #chunk
          end
        end
      end
      return ("%s %d"):format(first, rest)
    end)
    local client <close> = raw.connect(server.address)
    local bytes = body(part("a", "begin" .. ("x"):rep(4 << 20)))
    local at = bytes:find("begin", 1, true) + 4
    client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: " .. #bytes) .. bytes:sub(1, at))
    client:settle()
    client:send_later(bytes:sub(at + 1))
    assert.equal("begin " .. (4 << 20), client:response().body)
    client:expect_in_step()
  end)

  it("skips what is not read", function()
    local function names(req)
      local list = {}
      for one in req:parts() do
        list[#list + 1] = one.name
        if one.name == "b" then
          local next_chunk = one:chunks()
          assert(#next_chunk() > 0)
        elseif one.name == "c" then
          assert(one:skip() and one:skip())
        end
      end
      return table.concat(list)
    end
    local big = ("\r\n--"):rep(50000)
    assert.equal("abcd", answers(names, post("/", body(part("a", big), part("b", big), part("c", big), part("d", "")))))
  end)

  it("stops where the loop stops", function()
    local server <close> = serve(function(req)
      local next_part = req:parts()
      return next_part().name
    end)
    local client <close> = raw.connect(server.address)
    client:send(post("/", body(part("a", "1"), part("b", ("x"):rep(1000)))))
    assert.equal("a", client:response().body)
    client:expect_in_step()
  end)

  it("calls back", function()
    assert.equal("1 true", answers(function(req)
      local results = {}
      for one in req:parts() do
        local task = one.name == "a"
          and one:body({ limit = 10 }, function(text) results[1] = text end)
          or one:skip(function(ok) results[2] = tostring(ok) end)
        task:join()
      end
      return table.concat(results, " ")
    end, post("/", body(part("a", "1"), part("b", "2")))))
  end)

  it("gives the body of a part again, also later", function()
    assert.equal("1 1 2", answers(function(req)
      local list = {}
      for one in req:parts() do
        list[#list + 1] = one
        assert(one:body())
      end
      return table.concat({ list[1]:body(), list[1]:body { limit = 0 }, list[2]:body() }, " ")
    end, post("/", body(part("a", "1"), part("b", "2")))))
  end)

  it("gives no body of a part that was given up", function()
    local results
    local server <close> = serve(function(req)
      local next_part = req:parts()
      local one = next_part()
      results = { select(3, neap.deadline(0.05, one.body, one)) }
      local _, message, code = one:body()
      results[2], results[3] = message, code
      results[4] = next_part().name
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    local text = body(part("a", ("x"):rep(1000)), part("b", "2"))
    client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: " .. #text) .. text:sub(1, 500))
    eventually(function() return results end)
    client:send(text:sub(501))
    assert.equal("ok", client:response().body)
    assert.same({ "ETIMEDOUT", "request form: this part was given up", "ECANCELED", "b" }, results)
    client:expect_in_step()
  end)

  it("gives thousands of parts", function()
    local pieces = {}
    for i = 1, 2000 do pieces[i] = part("a" .. i, tostring(i)) end
    local text = body(table.unpack(pieces, 1, 2000))
    assert.equal(tostring(2000 * 2001 // 2), answers(function(req)
      local sum = 0
      for one in req:parts { max_parts = 2000, limit = #text } do sum = sum + tonumber(one:body()) end
      return tostring(sum)
    end, post("/", text)))
  end)

  it("leaves what is nested as it is", function()
    local inner = "--in\r\nContent-Disposition: file; filename=x\r\n\r\n1\r\n--in--\r\n"
    assert.equal("a|nil|multipart/mixed; boundary=in|" .. inner, answers(show,
      post("/", body(part("a", inner, { type = "multipart/mixed; boundary=in" })))))
  end)

  -- ---- refusal ------------------------------------------------------------------

  it("refuses what is no multipart", function()
    local function with(type, text) return raw.post("/", text or "a=1", type and "Content-Type: " .. type) end
    assert.equal(415, (refusal(show, with(nil))))
    assert.equal(415, (refusal(show, with "text/plain")))
    assert.equal(415, (refusal(show, with "application/x-www-form-urlencoded")))
    assert.equal(415, (refusal(show, with "multipart/mixed; boundary=b")))
    assert.equal(400, (refusal(show, with "multipart/form-data")))
    assert.equal(400, (refusal(show, with 'multipart/form-data; boundary="')))
    assert.equal(400, (refusal(show, with("multipart/form-data; boundary=b", ""))))
    assert.equal(415, (refusal(show, raw.get "/")))
  end)

  it("never takes a part for the whole", function()
    local text = body(part("a", "1"), part("b", "2"))
    local last = #text - 4 -- without "--" there is no last boundary
    local server <close> = serve(show)
    for size = 0, last do
      assert.equal(400, raw.exchange(server.address, post("/", text:sub(1, size)), 1)[1].status, size)
    end
    assert.equal(200, raw.exchange(server.address, post("/", text:sub(1, last + 2)), 1)[1].status)
  end)

  it("refuses heads that are none", function()
    local function with(head)
      return post("/", ("--%s\r\n%s\r\n\r\n1\r\n--%s--"):format(multipart.boundary, head, multipart.boundary))
    end
    local named = 'Content-Disposition: form-data; name="a"'
    assert.equal(200, (refusal(show, with(named))))
    for _, head in ipairs { "", "X: y", named .. "\nX: y", named .. "\r\n folded", named .. "\r\nX: \0",
      named .. "\r\nX y", named .. "\r\n" .. named, named .. '; name="b"', "Content-Disposition: form-data",
      named .. "\rX: y", 'Content-Disposition: attachment; name="a"', named .. '; filename="a\0"', named:sub(1, -2) } do
      assert.equal(400, (refusal(show, with(head))), head)
    end
  end)

  it("holds to its limits", function()
    local text = body(part("a", "123"), part("b", "4"))
    assert.equal(200, (refusal(function(req) return show(req, { limit = #text }) end, post("/", text))))
    assert.equal(413, (refusal(function(req) return show(req, { limit = #text - 1 }) end, post("/", text))))
    assert.equal(413, (refusal(function(req) return show(req, { limit = #text - 1 }) end,
      multipart.post_chunked("/", { text }))))
    assert.equal(200, (refusal(function(req) return show(req, { max_parts = 2 }) end, post("/", text))))
    local status, why = refusal(function(req) return show(req, { max_parts = 1 }) end, post("/", text))
    assert.same({ 413, "request form: more than 1 parts" }, { status, why })
    assert.equal(413, (refusal(show, post("/", text), { max_body = #text - 1 })))
    assert.equal(413, (refusal(function(req)
      req.max_body = #text - 1
      return show(req)
    end, post("/", text))))
  end)

  it("holds the body of a part to its limit", function()
    local function read(limit)
      return function(req)
        for one in req:parts() do
          local text, message, code = one:body { limit = limit }
          if not text then
            local again = table.pack(one:body())
            assert(again[2] == message and again[3] == code)
            error(message .. " " .. code, 0)
          end
        end
        return "ok"
      end
    end
    assert.equal(200, (refusal(read(3), post("/", body(part("a", "123"))))))
    assert.same({ 413, "request form: a part has more than 2 bytes EMSGSIZE" },
      { refusal(read(2), post("/", body(part("a", "123")))) })
    assert.equal(413, (refusal(show, post("/", body(part("a", ("x"):rep((1 << 20) + 1)))), { max_body = 4 << 20 })))
    assert.equal(200, (refusal(show, post("/", body(part("a", ("x"):rep(1 << 20)))), { max_body = 4 << 20 })))
  end)

  it("holds heads to their limits", function()
    local function with(...) return post("/", body(part("a", "1", { headers = { ... } }))) end
    assert.equal(200, (refusal(show, with("X: " .. ("x"):rep(16000)))))
    assert.equal(413, (refusal(show, with("X: " .. ("x"):rep(16384)))))
    assert.equal(413, (refusal(show, post("/", body(part(("x"):rep(20000), "1"))))))
    local many = {}
    for i = 1, 63 do many[i] = "X: " .. i end
    assert.equal(200, (refusal(show, with(table.unpack(many)))))
    many[64] = "X: y"
    assert.equal(413, (refusal(show, with(table.unpack(many)))))
  end)

  it("fails in time", function()
    local text = body(part("a", "1"))
    local status, why = refusal(function(req) return show(req, { timeout = 0.02 }) end,
      raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: " .. #text) .. text:sub(1, -2))
    assert.same({ 408, "request body: timed out" }, { status, why })
  end)

  it("fails where the client leaves", function()
    local why
    local server <close> = serve(function(req)
      local guard <close> = setmetatable({}, { __close = function() why = "closed" end }) -- luacheck: ignore 211
      for one in req:parts() do one:body() end
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: 1000") .. part("a", "1"))
    client:settle()
    client:reset()
    eventually(function() return why end)
  end)

  it("raises what is wrong with the call", function()
    local function raises(fn)
      return answers(function(req)
        local _, message = pcall(fn, req)
        for _ in req:chunks() do end -- luacheck: ignore
        return (message:gsub("^.-parts_spec.lua:%d+: ", ""))
      end, post("/", body(part("a", "1"), part("b", "2"))))
    end
    assert.equal("bad argument #1 to 'parts' (table expected, got number)", raises(function(req) req:parts(1) end))
    assert.equal("bad argument #1 to 'parts' (unknown option 'size' (there are: limit, max_parts, timeout))",
      raises(function(req) req:parts { size = 1 } end))
    assert.equal("bad argument #1 to 'parts' (limit must be an integer from 0 on)",
      raises(function(req) req:parts { limit = -1 } end))
    assert.equal("bad argument #2 to 'parts' (no callback: it is for a loop)",
      raises(function(req) req:parts({}, print) end))
    assert.equal("this body is read already, by form() or parts()", raises(function(req)
      req:parts()
      req:parts()
    end))
    assert.equal("bad argument #1 to 'body' (unknown option 'timeout' (there are: limit))", raises(function(req)
      for one in req:parts() do one:body { timeout = 1 } end
    end))
    assert.equal("this part is over: another one has been asked for", raises(function(req)
      local list = {}
      for one in req:parts() do list[#list + 1] = one end
      list[1]:body()
    end))
    assert.equal("this part is read in pieces already, by chunks()", raises(function(req)
      for one in req:parts() do
        one:chunks()
        one:body()
      end
    end))
    assert.equal("this part has been read whole already, by body()", raises(function(req)
      for one in req:parts() do
        one:body()
        one:chunks()
      end
    end))
    assert.equal("this part has been skipped already, by skip()", raises(function(req)
      for one in req:parts() do
        one:skip()
        one:body()
      end
    end))
    assert.equal("bad argument #1 to 'skip' (function expected, got number)", raises(function(req)
      for one in req:parts() do one:skip(1) end
    end))
    assert.truthy(raises(function(req)
      for one in req:parts() do one.body {} end
    end):find "neap.http.part expected, got table")
  end)

  it("is not read beside body()", function()
    local server <close> = serve(function(req)
      req:body()
      local _, message = pcall(function() req:parts() end)
      return message
    end)
    local response = raw.exchange(server.address, post("/", body()), 1)[1]
    assert.truthy(response.body:find "this body has been read whole already, by body%(%)")
    assert.truthy(response.body:find "parts_spec.lua:%d+: ")
  end)

  it("is over when its request is", function()
    local kept
    local server <close> = serve(function(req)
      local next_part = req:parts { limit = 4 << 20 }
      kept = next_part()
      return "ok"
    end)
    local client <close> = raw.connect(server.address)
    client:send_later(post("/", body(part("a", ("x"):rep(1 << 20)))))
    client:response()
    assert.same({ nil, "request body: operation canceled", "ECANCELED" }, { kept:body() })
    local task = neap.go(function() return kept:skip() end)
    assert.is_nil((task:join()))
  end)
end)
