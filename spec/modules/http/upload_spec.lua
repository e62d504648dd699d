-- Files of forms: where they lie, how they are read and saved, and that nothing of them is left.
local neap, fs, process = require "neap", require "neap.fs", require "neap.process"
local raw = require "spec.support.http"
local child = require "spec.support.child"
local forms, multipart = require "spec.support.forms", require "spec.support.multipart"
local test = require "neap.test"
local part, file, body, post = multipart.part, multipart.file, multipart.body, multipart.post
local serve, read, names, nameless, is_empty = forms.serve, forms.read, forms.names, forms.nameless, forms.is_empty

local MB = 1 << 20

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
