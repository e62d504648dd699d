-- Forms while all else goes wrong: descriptors run out, the program is replaced, clients send what no browser would.
local fs, http, neap = require "neap.fs", require "neap.http", require "neap"
local child = require "spec.support.child"
local multipart = require "spec.support.multipart"
local raw = require "spec.support.http"
local timer = require "neap.timer"
local scratch = require "spec.support.scratch"
local start_app = require "spec.support.app"
local test = require "neap.test"
local part, file, body, post = multipart.part, multipart.file, multipart.body, multipart.post

local function serve(handler)
  return assert(http.serve("127.0.0.1:0", handler))
end

local function names(dir)
  local list = {}
  for i, entry in ipairs(assert(fs.list(dir))) do list[i] = entry.name end
  table.sort(list)
  return list
end

describe("a form", function()
  it("fails where there are no descriptors left, and the next one does not", function()
    local dir = test.tempdir()
    local server <close> = child.start({ dir.path }, { before = "ulimit -n 48", script = [[
      local http = require "neap.http"
      local dir = ...
      print(assert(http.serve("127.0.0.1:0", function(req)
        local form, message, code = req:form { dir = dir }
        if not form then return 503, code .. " " .. message end
        return tostring(#form:uploads "f")
      end)).address)
    ]] })
    local address = server:line()
    local many = {}
    for i = 1, 60 do many[i] = file("f", "x" .. i, tostring(i)) end
    for _ = 1, 3 do
      local response = raw.exchange(address, post("/", body(table.unpack(many))), 1)[1]
      assert.same({ 503, ("EMFILE make an upload in %s: too many open files"):format(dir.path) },
        { response.status, response.body })
      assert.equal("10", raw.exchange(address, post("/", body(table.unpack(many, 1, 10))), 1)[1].body)
    end
    assert.same({}, names(dir.path))
  end)

  it("ends in the code it began in, where the program is replaced in the middle", function()
    local dir = test.tempdir()
    local function version(name)
      return ([[
        http = require "neap.http"
        server = assert(http.serve("127.0.0.1:0", function(req)
          if req.path == "/ready" then return %q end
          say "reads"
          local form = assert(req:form { dir = %q })
          local upload = form.files.f
          assert(upload:save(%q .. "/" .. form.fields.name))
          return %q .. " " .. upload.basename .. " " .. upload:read():sub(-3)
        end))
      ]]):format(name, dir.path, dir.path, name)
    end
    local app <close> = start_app(version "v1")
    local address = app:eval "return server.address"
    local client <close> = raw.connect(address)
    local text = body(file("f", "tea.txt", ("x"):rep(300000) .. "end"), part("name", "saved"))
    client:send(raw.post("/", "", "Content-Type: " .. multipart.type, "Content-Length: " .. #text) ..
      text:sub(1, 200000))
    app:hears "reads"
    assert(app:reload(version "v2"))
    local other <close> = raw.connect(address)
    other:send(raw.get "/ready")
    assert.equal("v2", other:response().body)
    client:send(text:sub(200001))
    assert.equal("v1 tea.txt end", client:response().body)
    assert.same({ "saved" }, names(dir.path))
    client:send(raw.get "/ready")
    assert.equal("v2", client:response().body)
  end)

  it("takes thousands of parts, while others are answered", function()
    local server <close> = serve(function(req)
      if req.path == "/ping" then return "pong" end
      local form = assert(req:form { max_fields = 5000, max_size = 1 << 30 })
      return tostring(#form:list "a")
    end)
    local client <close> = raw.connect(server.address)
    local other <close> = raw.connect(server.address)
    local order = {}
    local task = neap.go(function()
      client:send_later(post("/", part("a", ""):rep(5000) .. body()))
      local count = client:response().body
      order[#order + 1] = "form"
      return count
    end)
    other:send(raw.get "/ping")
    assert.equal("pong", other:response().body)
    order[#order + 1] = "ping"
    assert.equal("5000", task:join())
    assert.same({ "ping", "form" }, order)
  end)

  it("keeps each value of a name, in order, files and fields apart", function()
    local server <close> = serve(function(req)
      local form = assert(req:form())
      local files = {}
      for i, upload in ipairs(form:uploads "a") do files[i] = upload.filename .. "=" .. upload:read() end
      return ("%s|%s|%s|%s"):format(form.fields.a, table.concat(form:list "a", ","), form.files.a.filename,
        table.concat(files, ","))
    end)
    assert.equal("1|1,2,1|x|x=X,y=Y,x=", raw.exchange(server.address, post("/", body(part("a", "1"),
      file("a", "x", "X"), part("a", "2"), file("a", "y", "Y"), part("a", "1"), file("a", "x", ""))), 1)[1].body)
  end)

  it("reads names as each client writes them", function()
    local rows = {
      { [[name="a"; filename="tea \"green\".txt"]], "a", 'tea "green".txt' }, -- curl
      { [[name="a"; filename="tea %22green%22.txt"]], "a", 'tea "green".txt' }, -- browsers
      { [[name="a"; filename="C:\tea\green.txt"]], "a", "C:\\tea\\green.txt" }, -- an old one
      { [[name="a"; filename="100%25.txt"]], "a", "100%25.txt" },
      { [[name=a; filename=tea.txt]], "a", "tea.txt" },
      { [[filename="tea;x=1.txt"; name="a;b"]], "a;b", "tea;x=1.txt" },
      { [[NAME="a"; FileName="x"]], "a", "x" },
      { [[name="a"; filename*=UTF-8''gr%C3%BCn.txt]], "a", "grün.txt" },
      { [[name="a"; filename="green.txt"; filename*=UTF-8''gr%C3%BCn.txt]], "a", "green.txt" },
      { "name=\"a\"; filename=\"gr\xfcn.txt\"", "a", "gr\xfcn.txt" }, -- bytes are given as they are
      { [[name=""; filename="x"]], "", "x" },
      { [[name="a"; filename=""]], "a", "" },
      { [[name="a" ; ; filename = "x";]], "a", "x" },
    }
    local server <close> = serve(function(req)
      local next_part = req:parts()
      local one = next_part()
      return one.name .. "\n" .. one.filename
    end)
    local client <close> = raw.connect(server.address)
    for _, row in ipairs(rows) do
      client:send(post("/", ("--%s\r\nContent-Disposition: form-data; %s\r\n\r\n1\r\n"):format(multipart.boundary,
        row[1]) .. body()))
      local response = client:response()
      assert.same({ row[1], 200, row[2] .. "\n" .. row[3] }, { row[1], response.status, response.body })
    end
  end)

  it("says with a code what was wrong, and the client learns a status", function()
    local function with(disposition, more)
      return post("/", ("--%s\r\nContent-Disposition: %s\r\n%s\r\n1\r\n"):format(multipart.boundary, disposition,
        more or "") .. body())
    end
    local failure
    local server <close> = serve(function(req)
      local form, message, code = req:form { max_file = 3, max_field = 3, max_files = 1, max_fields = 1 }
      failure = { message, code }
      return tostring(assert(form, message))
    end)
    local rows = {
      { 400, "EINVAL", "a part that is no form-data", with 'attachment; name="a"' },
      { 400, "EINVAL", "a part without a name", with 'form-data; filename="a"' },
      { 400, "EINVAL", "a part with two names", with 'form-data; name="a"; name="b"' },
      { 400, "EINVAL", "a part with two file names", with 'form-data; name="a"; filename="b"; filename="c"' },
      { 400, "EINVAL", "a content-disposition that is none", with 'form-data; name="a' },
      { 400, "EINVAL", "a header of a part that is none", with('form-data; name="a"', "a b: c\r\n") },
      { 400, "EINVAL", "a control byte in a header of a part", with('form-data; name="a"', "a: \1\r\n") },
      { 400, "EINVAL", "it ends within a part's head", post("/", "--" .. multipart.boundary .. "\r\nContent-") },
      { 400, "EINVAL", "it ends without the last boundary", post("/", part("a", "1")) },
      { 400, "EINVAL", "it ends without the last boundary", post("/", "") },
      { 413, "EMSGSIZE", "field 'a' has more than 3 bytes", post("/", body(part("a", "1234"))) },
      { 413, "EMSGSIZE", "file 'x' has more than 3 bytes", post("/", body(file("a", "x", "1234"))) },
      { 413, "EMSGSIZE", "more than 1 fields", post("/", body(part("a", "1"), part("a", "1"))) },
      { 413, "EMSGSIZE", "more than 1 files", post("/", body(file("a", "x", "1"), file("a", "x", "1"))) },
      { 413, "EMSGSIZE", "too many bytes of headers of a part", with('form-data; name="a"', "a: " .. ("x"):rep(16384)
        .. "\r\n") },
      { 413, "EMSGSIZE", "too many headers of a part", with('form-data; name="a"', ("a: b\r\n"):rep(64)) },
      { 415, "ENOTSUP", "its content-type is that of no form", raw.post("/", "{}", "Content-Type: text/plain") },
      { 415, "ENOTSUP", "it has no content-type", raw.post("/", "{}") },
      { 400, "EINVAL", "multipart without a boundary", raw.post("/", "x", "Content-Type: multipart/form-data") },
      { 400, "EINVAL", "multipart without a boundary", raw.post("/", "x",
        "Content-Type: multipart/form-data; boundary=" .. ("x"):rep(71)) },
    }
    for _, row in ipairs(rows) do
      local status = raw.exchange(server.address, row[4], 1)[1].status
      assert.same({ row[1], "request form: " .. row[3], row[2] }, { status, table.unpack(failure) })
    end
    local boundary = ("x"):rep(70)
    assert.equal(200, raw.exchange(server.address, raw.post("/",
      ("--%s\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--%s--"):format(boundary, boundary),
      "Content-Type: multipart/form-data; boundary=" .. boundary), 1)[1].status)
  end)
end)

describe("an upload", function()
  it("is saved new on another file system, or not at all", function()
    local dir = test.tempdir()
    local other <close> = scratch()
    local results = {}
    local server <close> = serve(function(req)
      local upload = assert(req:form { dir = dir.path }).files.f
      for i = 1, 2 do
        local ok, _, code = upload:save(other.path .. "/a", { overwrite = false })
        results[i] = ok or code
      end
      return upload:read()
    end)
    assert.equal("tea", raw.exchange(server.address, post("/", body(file("f", "x", "tea"))), 1)[1].body)
    assert.same({ true, "EEXIST" }, results)
    assert.same({ "a" }, names(other.path))
  end)

  it("is saved whole where the client leaves while it is", function()
    local dir = test.tempdir()
    local other <close> = scratch()
    local saved
    local server <close> = serve(function(req)
      local upload = assert(req:form { dir = dir.path }).files.f
      saved = table.pack(upload:save(other.path .. "/a"))
      return "ok"
    end)
    local data = ("0123456789abcdef"):rep(1 << 18)
    local client <close> = raw.connect(server.address)
    client:send(post("/", body(file("f", "x", data))))
    client:reset()
    test.eventually(function() return saved or #names(other.path) == 0 end)
    if saved and saved[1] then
      assert.is_true(fs.read(other.path .. "/a") == data)
    else
      test.eventually(function() return #names(other.path) == 0 end)
    end
    test.eventually(function() return #names(dir.path) == 0 end)
  end)

  it("that is cancelled while it is saved leaves nothing", function()
    local dir = test.tempdir()
    local other <close> = scratch()
    local server <close> = serve(function(req)
      local upload = assert(req:form { dir = dir.path }).files.f
      local task = neap.go(function() upload:save(other.path .. "/a") end)
      timer.sleep(0)
      task:cancel()
      pcall(task.join, task)
      return assert(upload:read(), "still there"):sub(1, 4)
    end)
    local client <close> = raw.connect(server.address)
    client:send_later(post("/", body(file("f", "x", ("0123"):rep(1 << 20)))))
    assert.equal("0123", client:response().body)
    for _, name in ipairs(names(other.path)) do assert.equal("a", name) end
  end)
end)
