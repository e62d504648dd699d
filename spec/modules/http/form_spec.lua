-- req:form: the fields and the files of a form.
local neap, fs = require "neap", require "neap.fs"
local raw = require "spec.support.http"
local forms, multipart = require "spec.support.forms", require "spec.support.multipart"
local test = require "neap.test"
local part, file, body, post = multipart.part, multipart.file, multipart.body, multipart.post
local serve, read, refusal, is_empty = forms.serve, forms.read, forms.refusal, forms.is_empty

local MB = 1 << 20
local URLENCODED = "Content-Type: application/x-www-form-urlencoded"

describe("req:form", function()
  local dir

  before_each(function() dir = fs.realpath(test.tempdir().path) end)

  it("gives fields, decoded, repeated ones too", function()
    local function look(req)
      local form = assert(req:form())
      return form.fields, form:list "a", form:list "none", form.files, form:uploads "a"
    end
    local expected = { { a = "1 +", ["b c"] = "", d = "x=y" }, { "1 +", "2%" }, {}, {}, {} }
    assert.same({ expected, expected, { {}, {}, {}, {}, {} }, { { [""] = "1" }, {}, {}, {}, {} } }, { read(look,
      raw.post("/", "a=1+%2B&&b%20c&a=2%&d=x=y", URLENCODED),
      post("/", body(part("a", "1 +"), part("b c", ""), part("a", "2%"), part("d", "x=y"))),
      raw.post("/", "", URLENCODED .. "; charset=utf-8"),
      raw.post("/", "=1", URLENCODED)) })
  end)

  it("gives files", function()
    local expected = { "a", "..\\tea.txt", "tea.txt", "text/plain", "1", 5, "green", "black", 2, "", 0 }
    assert.same({ expected }, { read(function(req)
      local form = assert(req:form())
      local upload = form.files.f
      local list = form:uploads "f"
      return form.fields.x, upload.filename, upload.basename, upload.type, upload.headers["x-a"], upload.size,
        upload:read(), list[2]:read(), #list, form.files.empty:read(), form.files.empty.size
    end, post("/", body(part("f", "green", { filename = "..\\tea.txt", type = "text/plain", headers = { "X-A: 1" } }),
      part("x", "a"), file("f", "black.txt", "black"), file("empty", "empty", "")))) })
  end)

  it("leaves out inputs for files that were left empty", function()
    assert.same({ { nil, 0, "1" } }, { read(function(req)
      local form = assert(req:form())
      return form.files.f, #form:uploads "f", form.files.g:read()
    end, post("/", body(file("f", "", ""), file("g", "", "1")))) })
  end)

  it("gives the same form again", function()
    assert.same({ { true, true } }, { read(function(req)
      local form = req:form()
      local later
      req:form(function(...) later = ... end):join()
      return form == req:form { max_size = 0 }, form == later
    end, raw.post("/", "a=1", URLENCODED)) })
    assert.same({ { "a=1" } }, { read(function(req)
      assert(req:form())
      return req:body()
    end, raw.post("/", "a=1", URLENCODED)) })
  end)

  it("calls back with it", function()
    for _, request in ipairs { raw.post("/", "a=1", URLENCODED), post("/", body(part("a", "1"))) } do
      assert.same({ { "1", false } }, { read(function(req)
        local got
        local task = req:form({}, function(form) got = form.fields.a end)
        local before = got ~= nil
        task:join()
        return got, before
      end, request) })
    end
    local message, code
    local server <close> = serve(function(req)
      req:form(function(form, ...)
        assert(form == nil)
        message, code = ...
      end):join()
      error "nobody looked"
    end)
    local status = raw.exchange(server.address, raw.post("/", "a", "Content-Type: text/plain"), 1)[1].status
    assert.same({ 415, "request form: its content-type is that of no form", "ENOTSUP" }, { status, message, code })
  end)

  it("gives it however it comes", function()
    local request = post("/", body(part("a", "1\r\n--x"), file("f", "tea.txt", "gr\r\neen")), "Connection: close")
    local server <close> = serve(function(req)
      local form = assert(req:form { dir = dir })
      return form.fields.a .. form.files.f:read()
    end)
    raw.at_every_split(server.address, request, function(client)
      assert.equal("1\r\n--xgr\r\neen", client:response().body)
    end)
    is_empty(dir)
  end)

  it("takes a form while the client waits for leave to send it", function()
    local server <close> = serve(function(req) return assert(req:form()).fields.a end)
    local client <close> = raw.connect(server.address)
    local text = body(part("a", "1"))
    client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: " .. #text,
      "Expect: 100-continue"))
    assert.equal(100, client:head().status)
    client:send(text)
    assert.equal("1", client:response().body)
  end)

  -- ---- refusal ------------------------------------------------------------------

  it("refuses what is no form", function()
    assert.same({ 415, "request form: it has no content-type", "ENOTSUP" }, { refusal(raw.post("/", "a=1")) })
    assert.same({ 415, "request form: it has no content-type", "ENOTSUP" }, { refusal(raw.get "/") })
    assert.same({ 415, "request form: its content-type is that of no form", "ENOTSUP" },
      { refusal(raw.post("/", "{}", "Content-Type: application/json")) })
    assert.same({ 400, "request form: multipart without a boundary", "EINVAL" },
      { refusal(raw.post("/", "a", "Content-Type: multipart/form-data")) })
    assert.same({ 400, "request form: it ends without the last boundary", "EINVAL" },
      { refusal(post("/", part("a", "1"))) })
    assert.same({ 400, "request form: a part without a content-disposition", "EINVAL" },
      { refusal(post("/", ("--%s\r\n\r\n1\r\n"):format(multipart.boundary))) })
  end)

  it("holds to its limits, exactly", function()
    local function check(name, most, request, text)
      assert.equal(200, (refusal(request, { [name] = most })), name)
      assert.same({ 413, "request form: " .. text, "EMSGSIZE" }, { refusal(request, { [name] = most - 1 }) })
    end
    local fields = body(part("a", "123"), part("bc", "4"))
    check("max_field", 3, post("/", fields), "field 'a' has more than 2 bytes")
    check("max_field", 3, raw.post("/", "a=123&bc=4", URLENCODED), "field 'a' has more than 2 bytes")
    check("max_fields", 2, post("/", fields), "more than 1 fields")
    check("max_fields", 2, raw.post("/", "a=123&bc=4", URLENCODED), "more than 1 fields")
    check("max_fields_size", 7, post("/", fields), "its fields have more than 6 bytes")
    local files = body(file("a", "x\ny", "123"), file("bc", "", ""))
    check("max_file", 3, post("/", files), "file 'x?y' has more than 2 bytes")
    check("max_files", 2, post("/", files), "more than 1 files")
    local _, message = refusal(post("/", body(file("a", "x", ("1"):rep(2 * MB)))), { max_file = math.maxinteger })
    assert.is_nil(message)
    for _, text in ipairs { fields, files } do
      assert.equal(200, (refusal(post("/", text), { max_size = #text })))
      assert.same({ 413, "request body: message too long", "EMSGSIZE" },
        { refusal(post("/", text), { max_size = #text - 1 }) })
      assert.equal(413, (refusal(multipart.post_chunked("/", { text }), { max_size = #text - 1 })))
    end
    assert.equal(200, (refusal(raw.post("/", "a=1", URLENCODED), { max_size = 3 })))
    assert.equal(413, (refusal(raw.post("/", "a=1", URLENCODED), { max_size = 2 })))
    assert.equal(413, (refusal(raw.post("/", "a=1", URLENCODED), { max_fields_size = 2 })))
  end)

  it("has limits where none are given", function()
    local long = ("x"):rep(MB)
    assert.equal(200, (refusal(post("/", body(part("a", long))))))
    assert.equal(413, (refusal(post("/", body(part("a", long .. "x"))))))
    local many = {}
    for i = 1, 1001 do many[i] = part("a", "") end
    assert.equal(200, (refusal(post("/", body(table.unpack(many, 1, 1000))))))
    assert.equal(413, (refusal(post("/", body(table.unpack(many))))))
    for i = 1, 11 do many[i] = part("a", long) end
    assert.equal(413, (refusal(post("/", body(table.unpack(many, 1, 11))))))
  end)

  it("obeys what stands in front of it", function()
    local text = body(part("a", "1"))
    local function with(most)
      local server <close> = serve(function(req)
        req.max_body = most
        return assert(req:form()).fields.a
      end)
      return raw.exchange(server.address, post("/", text), 1)[1].status
    end
    assert.equal(200, with(#text))
    assert.equal(413, with(#text - 1))
  end)

  it("fails in time", function()
    local text = body(part("a", "1"))
    local head = raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: " .. #text)
    assert.same({ 408, "request body: timed out", "ETIMEDOUT" },
      { refusal(head .. text:sub(1, -2), { timeout = 0.02 }) })
    assert.same({ 408, "request body: timed out", "ETIMEDOUT" },
      { refusal(raw.post("/", "", URLENCODED, "Content-Length: 5") .. "a", { timeout = 0.02 }) })
  end)

  it("fails in time, however fast what is left has come", function()
    local server <close> = serve(function(req)
      local form, message, code = req:form { dir = dir, timeout = 0.05, max_file = 1 << 40 }
      assert(form, code and code .. " " .. message)
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: " .. (1 << 40)) ..
      part("f", "", { filename = "x" }):sub(1, -3))
    local sending = neap.go(function()
      local piece = ("x"):rep(MB)
      repeat until not client:send(piece)
    end)
    assert.equal(408, client:response().status)
    client:close()
    sending:cancel()
  end)

  it("fails again as it has failed", function()
    local server <close> = serve(function(req)
      local first, second = table.pack(req:form()), table.pack(req:form())
      assert(first[1] == nil and first[2] == second[2] and first[3] == second[3])
      return "seen"
    end)
    assert.equal("seen", raw.exchange(server.address, post("/", part("a", "1")), 1)[1].body)
  end)

  it("raises what is wrong with the call", function()
    local function raises(fn, request)
      local server <close> = serve(function(req) return select(2, pcall(fn, req)) end)
      local message = raw.exchange(server.address, request or raw.post("/", "a=1", URLENCODED), 1)[1].body
      local where, text = message:match "^(.-):%d+: (.*)$"
      assert.truthy(where and where:find("form_spec.lua", 1, true), message)
      return text
    end
    assert.equal("bad argument #1 to 'form' (table expected, got number)", raises(function(req) req:form(1) end))
    assert.equal("bad argument #2 to 'form' (function expected, got number)", raises(function(req) req:form({}, 1) end))
    assert.equal("bad argument #1 to 'form' (unknown option 'limit' (there are: dir, max_field, max_fields, "
      .. "max_fields_size, max_file, max_files, max_size, timeout))", raises(function(req) req:form { limit = 1 } end))
    assert.equal("bad argument #1 to 'form' (max_file must be an integer from 0 on)",
      raises(function(req) req:form { max_file = 0.5 } end))
    assert.equal("bad argument #1 to 'form' (timeout must be a number of seconds)",
      raises(function(req) req:form { timeout = "1" } end))
    assert.equal("bad argument #1 to 'form' (dir must be a path)", raises(function(req) req:form { dir = "a\0" } end))
    assert.equal("bad argument #1 to 'list' (string expected, got nil)", raises(function(req) req:form():list() end))
    assert.equal("this body is read in pieces already, by chunks()", raises(function(req)
      for _ in req:chunks() do req:form() end
    end))
    assert.equal("this body is read in pieces already, by parts()", raises(function(req)
      req:parts()
      req:form()
    end, post("/", body())))
    assert.equal("another task reads this form", raises(function(req)
      req:form(function() end)
      req:form()
    end))
    local function upload(fn)
      return raises(function(req) fn(req:form().files.f) end, post("/", body(file("f", "x", "1"))))
    end
    assert.equal("bad argument #1 to 'save' (string expected, got nil)", upload(function(one) one:save() end))
    assert.equal("bad argument #1 to 'save' (a path with a zero in it)", upload(function(one) one:save "a\0b" end))
    assert.equal("bad argument #2 to 'save' (unknown option 'mode' (there are: overwrite))", upload(function(one)
      one:save("a", { mode = 1 })
    end))
    assert.equal("bad argument #1 to 'read' (function expected, got number)", upload(function(one) one:read(1) end))
  end)
end)
