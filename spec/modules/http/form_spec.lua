-- req:form: the fields and the files of a form.
local neap, http, fs = require "neap", require "neap.http", require "neap.fs"
local process = require "neap.process"
local raw = require "spec.support.http"
local child = require "spec.support.child"
local multipart = require "spec.support.multipart"
local test = require "neap.test"
local part, file, body, post = multipart.part, multipart.file, multipart.body, multipart.post

local MB = 1 << 20
local URLENCODED = "Content-Type: application/x-www-form-urlencoded"

local function serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end))
end

-- The values that `look(req)` returns for each of the requests, which come on one connection.
local function read(look, ...)
  local results = {}
  local server <close> = serve(function(req)
    results[#results + 1] = table.pack(look(req))
    results[#results].n = nil
    return "ok"
  end)
  local client <close> = raw.connect(server.address)
  for _, request in ipairs { ... } do
    client:send_later(request)
    assert.equal(200, client:response().status)
  end
  client:expect_in_step()
  return table.unpack(results)
end

-- The answer's status where the handler only asserts, the message and the code.
local function refusal(request, options, server_options)
  local failure = {}
  local server <close> = serve(function(req)
    local form, message, code = req:form(options)
    if form then return "ok" end
    failure = { message, code }
    error(message, 0)
  end, server_options)
  local client <close> = raw.connect(server.address)
  client:send_later(request)
  return client:response().status, table.unpack(failure)
end

local function names(dir)
  local list = {}
  for i, entry in ipairs(assert(fs.list(dir))) do list[i] = entry.name end
  table.sort(list)
  return list
end

-- Of the descriptors of this process (or of that one) those that lead to files without a name in this directory.
local function nameless(dir, pid)
  local count, at = 0, ("/proc/%s/fd/"):format(pid or "self")
  for _, entry in ipairs(assert(fs.list(at))) do
    local target = fs.readlink(at .. entry.name)
    if target and target:sub(1, #dir + 1) == dir .. "/" and target:find " %(deleted%)$" then count = count + 1 end
  end
  return count
end

local function is_empty(dir, pid)
  assert.same({}, names(dir))
  test.eventually(function() return nameless(dir, pid) == 0 end)
end

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
    assert.equal("bad argument #1 to 'form' (unknown option 'limit')", raises(function(req) req:form { limit = 1 } end))
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
    assert.equal("bad argument #2 to 'save' (unknown option 'mode')", upload(function(one)
      one:save("a", { mode = 1 })
    end))
    assert.equal("bad argument #1 to 'read' (function expected, got number)", upload(function(one) one:read(1) end))
  end)
end)

describe("an upload", function()
  local dir, place

  before_each(function()
    place = test.tempdir()
    dir = fs.realpath(place.path)
  end)

  local function with_upload(fn, data, filename)
    return read(function(req) return fn(assert(req:form { dir = dir }).files.f, req) end,
      post("/", body(file("f", filename or "x", data or "green"))))
  end

  it("is saved", function()
    assert.same({ true }, with_upload(function(upload) return upload:save(dir .. "/a") end))
    assert.equal("green", fs.read(dir .. "/a"))
    assert.same({ "a" }, names(dir))
    local plain = assert(fs.write(dir .. "/plain", "")) and fs.stat(dir .. "/plain")
    assert.equal(plain.mode, fs.stat(dir .. "/a").mode)
  end)

  it("is saved again, as a file of its own", function()
    assert.same({ true, true, "green" }, with_upload(function(upload)
      local one, two = upload:save(dir .. "/a"), upload:save(dir .. "/b")
      assert(fs.write(dir .. "/b", "black"))
      return one, two, fs.read(dir .. "/a")
    end))
  end)

  it("is saved to another file system", function()
    local other <close> = require "spec.support.scratch"()
    local big = ("0123456789"):rep(1000000)
    assert.same({ true, #big }, with_upload(function(upload)
      return upload:save(other.path .. "/a"), upload.size
    end, big))
    assert.is_true(fs.read(other.path .. "/a") == big)
    assert.same({ "a" }, names(other.path))
  end)

  it("replaces a file, but no link's target, and nothing else", function()
    place:write("old", "old")
    fs.symlink("old", dir .. "/link")
    fs.mkdir(dir .. "/directory")
    assert.same({ true }, with_upload(function(upload) return upload:save(dir .. "/link") end))
    assert.same({ "green", "old" }, { fs.read(dir .. "/link"), fs.read(dir .. "/old") })
    assert.same({ true }, with_upload(function(upload) return upload:save(dir .. "/old") end))
    assert.equal("green", fs.read(dir .. "/old"))
    local function fails(path, options)
      local results = with_upload(function(upload) return upload:save(path, options) end)
      return results[3], "DIR" .. results[2]:sub(#dir + 6)
    end
    assert.same({ "EEXIST", "DIR/old: file already exists" }, { fails(dir .. "/old", { overwrite = false }) })
    assert.same({ "EISDIR", "DIR/directory: illegal operation on a directory" }, { fails(dir .. "/directory") })
    assert.equal("EISDIR", (fails(dir .. "/directory/")))
    assert.equal("ENOENT", (fails(dir .. "/none/x")))
    assert.equal("ENOENT", (fails ""))
    assert.equal("EINVAL", (fails "/dev/null"))
    assert.same({ "directory", "link", "old" }, names(dir))
  end)

  it("is never half there while it replaces", function()
    local big, seen = ("x"):rep(4 * MB), {}
    local other <close> = require "spec.support.scratch"()
    assert(fs.write(other.path .. "/a", "old"))
    with_upload(function(upload)
      local done
      upload:save(other.path .. "/a", function(ok) done = ok end)
      while done == nil do seen[fs.stat(other.path .. "/a").size] = true end
      assert(done)
    end, big)
    seen[3], seen[4 * MB] = nil, nil
    assert.same({}, seen)
    assert.is_true(fs.read(other.path .. "/a") == big)
  end)

  it("can be saved new only once, whoever is first", function()
    assert.same({ 1, 3 }, with_upload(function(upload)
      local saved, failed, tasks = 0, 0, {}
      for i = 1, 4 do
        tasks[i] = neap.go(function() return upload:save(dir .. "/a", { overwrite = false }) end)
      end
      for _, task in ipairs(tasks) do
        local ok, _, code = task:join()
        if ok then saved = saved + 1 end
        if code == "EEXIST" then failed = failed + 1 end
      end
      return saved, failed
    end))
  end)

  it("calls back", function()
    assert.same({ "green", true, "ENOENT" }, with_upload(function(upload)
      local text, saved, code
      upload:read(function(...) text = ... end):join()
      upload:save(dir .. "/a", {}, function(...) saved = ... end):join()
      upload:save(dir .. "/none/a", function(_, _, ...) code = ... end):join()
      return text, saved, code
    end))
  end)

  it("is read whole, whatever a script has made of its size", function()
    for _, size in ipairs { -1, 1 << 50, 3, "many" } do
      assert.same({ "green", "green" }, with_upload(function(upload)
        upload.size = size
        return upload:read(), upload:chunks()()
      end))
    end
    assert.same({ "", nil }, with_upload(function(upload) return upload:read(), upload:chunks()() end, ""))
  end)

  it("is read in pieces, and can be an answer", function()
    local big = ("0123456789"):rep(30000)
    assert.same({ 300000, true }, with_upload(function(upload)
      local list = {}
      for piece in upload:chunks() do list[#list + 1] = piece end
      return #table.concat(list), #list > 1 and table.concat(list) == big
    end, big))
    local server <close> = serve(function(req) return { body = req:form().files.f } end)
    local client <close> = raw.connect(server.address)
    client:send_later(post("/", body(file("f", "x", big))))
    assert.is_true(client:response().body == big)
  end)

  it("has a name that is safe", function()
    local safe = {
      ["../../etc/passwd"] = "passwd", ["C:\\a\\b.txt"] = "b.txt", [".htaccess"] = "htaccess", ["..."] = "file",
      ["a/"] = "file", ["a\r\nb: c"] = "a__b_ c", ["CON.txt"] = "_CON.txt", ["nul"] = "_nul", ["a. ."] = "a",
      ["tea ü.txt"] = "tea ü.txt", ["a\xff"] = "a_", [("ü"):rep(100) .. ".jpeg"] = ("ü"):rep(57) .. ".jpeg",
      ["a" .. (" "):rep(16000) .. "b"] = "a",
      ["x." .. ("y "):rep(80)] = "x." .. ("y "):rep(58) .. "y", [(". "):rep(8000)] = "file",
      ["com1.x"] = "_com1.x", ["common"] = "common", ['a"<b>|?*'] = "a__b____",
    }
    for filename, name in pairs(safe) do
      assert.same({ filename, name }, with_upload(function(upload) return upload.filename, upload.basename end, "1",
        filename))
    end
  end)

  it("has a name that takes no time, however it was meant", function()
    local files = {}
    for i = 1, 30 do
      files[i] = file("f", i % 2 == 0 and "a" .. (" "):rep(16000) .. "b" or (". "):rep(8000), "")
    end
    assert.same({ { "file", 30 } }, { read(function(req)
      local form = assert(req:form { dir = dir })
      return form.files.f.basename, #form:uploads "f"
    end, post("/", body(table.unpack(files)))) })
  end)

  it("is gone with its request", function()
    local kept, during
    assert.same({ 1 }, with_upload(function(upload)
      kept = upload
      during = names(dir)
      return nameless(dir)
    end))
    assert.same({}, during) -- it has no name
    is_empty(dir)
    assert.same({ nil, "read an upload: its request is over", "ECANCELED" }, { kept:read() })
    assert.same({ nil, "ECANCELED" }, { (kept:save(dir .. "/a")), select(3, kept:save(dir .. "/a")) })
    assert.has_error(function() for _ in kept:chunks() do end end, -- luacheck: ignore
      "read an upload: its request is over")
    is_empty(dir)
  end)

  it("is gone where the handler fails, or the form", function()
    local server <close> = serve(function(req)
      assert(req:form { dir = dir, max_file = 3 })
      error "oops"
    end)
    neap.on_error(function() end)
    assert.equal(500, raw.exchange(server.address, post("/", body(file("f", "x", "123"))), 1)[1].status)
    neap.on_error(nil)
    assert.equal(413, raw.exchange(server.address, post("/", body(file("f", "x", "123"), file("f", "x", "1234"))), 1)[1]
      .status)
    is_empty(dir)
  end)

  it("is gone at once where the form fails", function()
    local count
    local server <close> = serve(function(req)
      assert(not req:form { dir = dir })
      test.eventually(function() return nameless(dir) == 0 end)
      count = nameless(dir)
      return "ok"
    end)
    raw.exchange(server.address, post("/", file("f", "x", "123")), 1)
    assert.equal(0, count)
  end)

  it("is gone where the client leaves in the middle", function()
    local server <close> = serve(function(req) return tostring(req:form { dir = dir }) end)
    for _ = 1, 5 do
      local client <close> = raw.connect(server.address)
      client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: 1000000") ..
        file("f", "x", ("x"):rep(100000)):sub(1, -3))
      test.eventually(function() return nameless(dir) == 1 end)
      client:reset()
      is_empty(dir)
    end
  end)

  it("is gone where whoever reads the form is cancelled", function()
    local results
    local server <close> = serve(function(req)
      local _, message, code = neap.deadline(0.05, req.form, req, { dir = dir })
      results = { message, code, select(2, req:form()) }
      test.eventually(function() return nameless(dir) == 0 end)
      return "late"
    end)
    local client <close> = raw.connect(server.address)
    client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: 1000000") ..
      file("f", "x", ("x"):rep(100000)):sub(1, -3))
    assert.equal("late", client:response().body)
    assert.same({ "ETIMEDOUT", "request form: it was given up", "ECANCELED" }, { table.unpack(results, 2) })
    is_empty(dir)
  end)

  it("fails where it cannot be written", function()
    local function fails(options)
      local failure
      local server <close> = serve(function(req)
        failure = table.pack(req:form(options))
        return "ok"
      end)
      raw.exchange(server.address, post("/", body(file("f", "x", "1"))), 1)
      return failure[2], failure[3]
    end
    assert.same({ ("make an upload in %s/none: no such file or directory"):format(dir), "ENOENT" },
      { fails { dir = dir .. "/none" } })
    place:write("file", "")
    assert.same({ ("make an upload in %s/file: not a directory"):format(dir), "ENOTDIR" },
      { fails { dir = dir .. "/file" } })
  end)

  it("fails where the disk is full, and leaves nothing", function()
    -- A limit of the size of files stands for a full disk.
    local server <close> = child.start({ dir }, { before = "ulimit -f 100; trap '' XFSZ", script = [[
      local http = require "neap.http"
      local dir = ...
      print(assert(http.serve("127.0.0.1:0", function(req)
        local form, message, code = req:form { dir = dir }
        if not form then return 507, code .. " " .. message end
        return form.files.f:read()
      end)).address)
    ]] })
    local address = server:line()
    local client <close> = raw.connect(address)
    client:send_later(post("/", body(file("f", "x", ("x"):rep(MB)))))
    local response = client:response()
    assert.same({ 507, ("EFBIG write an upload in %s: file too large"):format(dir) },
      { response.status, response.body })
    assert.equal("small", raw.exchange(address, post("/", body(file("f", "x", "small"))), 1)[1].body)
    is_empty(dir, server.pid)
  end)

  it("comes with many others at once", function()
    local server <close> = serve(function(req)
      local form = assert(req:form { dir = dir })
      assert(form.files.f:save(dir .. "/" .. form.fields.name))
      return form.files.f:read()
    end)
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = neap.go(function()
        local client <close> = raw.connect(server.address)
        local data = (i .. " "):rep(100000)
        client:send_later(post("/", body(file("f", "x", data), part("name", tostring(i)))))
        return client:response().body == data and fs.read(dir .. "/" .. i) == data
      end)
    end
    for i, task in ipairs(tasks) do assert.is_true(task:join(), i) end
    assert.equal(20, #names(dir))
  end)
end)

describe("a server of forms", function()
  local function sanitized()
    local program <close> = assert(io.open(process.exepath(), "rb"))
    return program:read("a"):find("__asan_init", 1, true) ~= nil
  end

  it("needs no more memory for a longer upload", function()
    local slow = sanitized()
    local size, most = slow and 20 * MB or 200 * MB, slow and 40 * MB or 16 * MB
    local dir = test.tempdir().path -- on a disk, not in memory
    local server <close> = child.start({ dir }, { before = "export ASAN_OPTIONS=$ASAN_OPTIONS:quarantine_size_mb=4",
      script = [[
        local http, process = require "neap.http", require "neap.process"
        local dir = ...
        print(assert(http.serve("127.0.0.1:0", function(req)
          local sum = 0
          if req.path == "/parts" then
            for part in req:parts { limit = 1 << 40 } do
              for chunk in part:chunks() do sum = sum + #chunk end
            end
          elseif req.path == "/form" then
            local form = assert(req:form { dir = dir, max_file = 1 << 40 })
            for chunk in form.files.f:chunks() do sum = sum + #chunk end
          end
          collectgarbage()
          return sum .. " " .. process.memory().rss
        end)).address)
      ]] })
    local client <close> = raw.connect(server:line())
    local before = file("f", "x", ""):sub(1, -3)
    local behind = "\r\n" .. body()
    -- Bytes that look like the beginning of a boundary, and what they need.
    local function rss(path, count)
      local piece = ("\r\n--" .. multipart.boundary .. "x"):rep(2000)
      local pieces = count // #piece
      client:send(raw.post(path, "", "Content-Type: " .. multipart.type,
        "Content-Length: " .. #before + pieces * #piece + #behind) .. before)
      local sending = neap.go(function()
        for _ = 1, pieces do client:send(piece) end
        client:send(behind)
      end)
      local sum, memory = client:response().body:match "^(%d+) (%d+)$"
      sending:join()
      assert.equal(pieces * #piece, tonumber(sum))
      return tonumber(memory)
    end
    for _, path in ipairs { "/parts", "/form" } do
      local first = rss(path, MB)
      local growth = rss(path, size) - first
      assert.is_true(growth < most, ("%s: %d KB more"):format(path, growth // 1024))
    end
  end)
end)
