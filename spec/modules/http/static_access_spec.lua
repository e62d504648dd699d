-- What http.static and http.file do not give: what may not be read, is neither a file nor a directory, or leads out.
-- And what they do beside it, while a directory with thousands of names is read.
local fs, http, neap, net = require "neap.fs", require "neap.http", require "neap", require "neap.net"
local child = require "spec.support.child"
local raw = require "spec.support.http"
local scratch = require "spec.support.scratch"
local test = require "neap.test"

local function write(path, text)
  assert(fs.write(path, text))
end

local function app_of(handler)
  local app = http.router()
  app:mount("/", handler)
  return app
end

-- Of paths that a handler is asked for: "path status" each.
local function statuses(handler, paths)
  local app, list = app_of(handler), {}
  for i, path in ipairs(paths) do
    local response <close> = assert(app:request(path))
    list[i] = path .. " " .. response.status
  end
  return list
end

describe("http.static", function()
  it("answers 403 for what may not be read", function()
    -- Root may read everything, unless it is taken away.
    local under
    if io.popen("id -u"):read("n") == 0 then
      if not os.execute "setpriv --version >/dev/null 2>&1" then return pending "no setpriv here" end
      under = "setpriv --bounding-set=-dac_override,-dac_read_search"
    end
    local dir = test.tempdir()
    for _, name in ipairs { "closed", "listed", "passed" } do
      assert(fs.mkdir(dir.path .. "/" .. name))
      write(dir.path .. "/" .. name .. "/a.txt", "a")
    end
    write(dir.path .. "/secret.txt", "secret")
    write(dir.path .. "/listed/index.html", "secret")
    assert(fs.chmod(dir.path .. "/secret.txt", 0))
    assert(fs.chmod(dir.path .. "/listed/index.html", 0))
    assert(fs.chmod(dir.path .. "/closed", 0))
    assert(fs.chmod(dir.path .. "/passed", 73)) -- 0111
    local server <close> = child.start({ dir.path }, { under = under, script = [[
      local http = require "neap.http"
      local app = http.router()
      app:get("/one", http.file(... .. "/secret.txt"))
      app:mount("/list", http.static(..., { list = true, index = false }))
      app:mount("/", http.static(...))
      print(assert(http.serve("127.0.0.1:0", app)).address)
    ]] })
    local client <close> = raw.connect(server:line())
    local expected = { "/secret.txt 403", "/one 403", "/list/secret.txt 403", "/closed/ 403", "/closed/a.txt 403",
      "/list/closed/ 403", "/passed/a.txt 200", "/list/passed/ 403", "/listed/ 403", "/listed/a.txt 200",
      "/list/listed/ 200", "/closed 403", "/none 404" }
    local found = {}
    for i, line in ipairs(expected) do
      local path = line:match "%S+"
      client:send(raw.get(path))
      local response = client:response()
      found[i] = path .. " " .. response.status
      if response.status == 403 then assert.equal("Forbidden\n", response.body) end
    end
    assert.same(expected, found)
    assert(fs.chmod(dir.path .. "/closed", 448))
    assert(fs.chmod(dir.path .. "/passed", 448))
  end)

  it("gives nothing that is neither a file nor a directory", function()
    local dir = test.tempdir()
    assert(fs.mkdir(dir.path .. "/root"))
    local root = dir.path .. "/root"
    assert(os.execute(("mkfifo '%s/pipe'"):format(root)))
    local server <close> = assert(net.listen("unix:" .. root .. "/socket", function() end)) -- luacheck: ignore 211
    for name, target in pairs { null = "/dev/null", zero = "/dev/zero", tty = "/dev/tty", stdin = "/dev/stdin",
      to_pipe = "pipe", descriptor = "/proc/self/fd/0", process = "/proc/self/root" } do
      assert(fs.symlink(target, root .. "/" .. name))
    end
    local paths = { "/pipe 404", "/socket 404", "/null 404", "/zero 404", "/tty 404", "/stdin 404", "/to_pipe 404",
      "/descriptor 404", "/process/etc/passwd 404", "/process/ 404" }
    local asked = {}
    for i, line in ipairs(paths) do asked[i] = line:match "%S+" end
    assert.same(paths, statuses(http.static(root), asked))
    local page = app_of(http.static(root, { list = true })):request("/"):body()
    assert.is_nil(page:find "<li>")
    for _, path in ipairs { "/pipe", "/socket" } do
      assert.same({ "/ 404" }, statuses(http.file(root .. path), { "/" }))
    end
    for _, path in ipairs { "/dev/null", "/dev/zero", "/dev/tty" } do
      assert.same({ "/ 404" }, statuses(http.file(path), { "/" }))
    end
  end)

  it("has no devices by their names, and no streams", function()
    local dir = test.tempdir()
    write(dir.path .. "/a.txt", "a")
    assert.same({ "/con 404", "/CON.txt 404", "/nul 404", "/aux 404", "/com1 404", "/lpt1.txt 404", "/c:/a.txt 404",
      "/a.txt::$DATA 404", "/a.txt. 404", "/a.txt%20 404", "/a.txt%2e 404" },
      statuses(http.static(dir.path), { "/con", "/CON.txt", "/nul", "/aux", "/com1", "/lpt1.txt", "/c:/a.txt",
        "/a.txt::$DATA", "/a.txt.", "/a.txt%20", "/a.txt%2e" }))
  end)

  it("follows links below its root, and goes around with none", function()
    local dir = test.tempdir()
    local root = dir.path .. "/root"
    assert(fs.mkdir(root .. "/sub", { parents = true }))
    write(dir.path .. "/secret.txt", "secret")
    write(root .. "/a.txt", "a")
    for name, target in pairs { loop = "loop", ping = "pong", pong = "ping", again = ".", out = "../secret.txt",
      winding = "sub/../../secret.txt", absolute = root .. "/a.txt", up = "..", dangling = "none",
      ["sub/a"] = "../a.txt", ["a.txt.gz"] = "../secret.txt" } do
      assert(fs.symlink(target, root .. "/" .. name))
    end
    assert(fs.symlink("root", dir.path .. "/link"))
    local expected = { "/loop 404", "/ping 404", "/ping/a 404", "/out 404", "/winding 404", "/absolute 404",
      "/up/secret.txt 404", "/dangling 404", "/sub/a 200", "/again/a.txt 200", "/again/again/again/a.txt 200",
      "/" .. ("again/"):rep(60) .. "a.txt 404" }
    local asked = {}
    for i, line in ipairs(expected) do asked[i] = line:match "%S+" end
    assert.same(expected, statuses(http.static(root, { precompressed = true }), asked))
    assert.same({ "/a.txt 200", "/out 404" }, statuses(http.static(dir.path .. "/link"), { "/a.txt", "/out" }))
    local response <close> = app_of(http.static(root)):request { path = "/a.txt",
      headers = { ["accept-encoding"] = "gzip" } }
    assert.same({ "a", nil }, { response:body(), response:header "content-encoding" })
  end)

  it("gives files whatever bytes their names have", function()
    local dir = test.tempdir()
    local app = app_of(http.static(dir.path, { dotfiles = true }))
    for _, name in ipairs { "\1", "\n", "\r\n", " ", "%", "%2e", "\\", "...", "..a", "~", "a?b#c", "\xff\xfe", "ü",
      "<'&\">" } do
      write(dir.path .. "/" .. name, name)
      local response <close> = assert(app:request("/" .. name:gsub(".", function(byte)
        return ("%%%02x"):format(byte:byte())
      end)))
      assert.same({ 200, name }, { response.status, response:body() })
    end
    assert.same({ "/%00 400", "/%2f 404", "/%2F%2e%2e 404", "/%2 400", "/% 400", "/%zz 400" },
      statuses(http.static(dir.path), { "/%00", "/%2f", "/%2F%2e%2e", "/%2", "/%", "/%zz" }))
    assert.same({ "/" .. ("x"):rep(255) .. " 404", "/" .. ("x"):rep(256) .. " 404",
      "/" .. ("x"):rep(5000) .. " 404", "/" .. ("x/"):rep(2500) .. " 404" },
      statuses(http.static(dir.path), { "/" .. ("x"):rep(255), "/" .. ("x"):rep(256), "/" .. ("x"):rep(5000),
        "/" .. ("x/"):rep(2500) }))
  end)

  it("lists ten thousand names, while others are answered", function()
    local place <close> = scratch()
    local many = os.getenv "NEAP_GC" == "stress" and 1000 or 10000 -- it collects at each string
    assert(os.execute(("cd '%s' && seq %d | xargs touch"):format(place.path, many)))
    local app = http.router()
    app:get("/ping", function() return "pong" end)
    app:mount("/names", http.static(place.path, { list = true }))
    local server <close> = assert(http.serve("127.0.0.1:0", app))
    local client <close> = raw.connect(server.address)
    local other <close> = raw.connect(server.address)
    local order = {}
    local listing = neap.go(function()
      client:send(raw.get "/names/")
      local response = client:response()
      order[#order + 1] = "names"
      return response
    end)
    other:send(raw.get "/ping")
    assert.equal("pong", other:response().body)
    order[#order + 1] = "ping"
    local response = listing:join()
    local _, count = response.body:gsub("<li>", "")
    assert.same({ 200, { "ping", "names" } }, { response.status, order })
    assert.same({ many, true }, { count, #response.pieces > 3 })
  end)
end)

describe("a file that is replaced", function()
  local SIZE = 8 << 20 -- more than the kernel holds

  it("is sent as it was to its end, and is the new one from then on", function()
    local dir = test.tempdir()
    local path = dir.path .. "/a"
    local old, new = ("old."):rep(SIZE // 4), ("new!"):rep(SIZE // 4)
    write(path, old)
    local server <close> = assert(http.serve("127.0.0.1:0", http.static(dir.path)))
    local client <close> = raw.connect(server.address)
    local other <close> = raw.connect(server.address)
    client:send(raw.get "/a")
    local etag = client:head().headers.etag
    write(path .. ".new", new)
    assert(fs.rename(path .. ".new", path))
    other:send(raw.get("/a", "If-None-Match: " .. etag, "Range: bytes=0-3"))
    local response = other:response()
    assert.same({ 206, "new!" }, { response.status, response.body })
    assert.is_true(client:rest() == old)
    client:send(raw.get("/a", "If-None-Match: " .. etag))
    response = client:response()
    assert.equal(200, response.status)
    assert.is_true(response.body == new)
    assert.not_equal(etag, response.headers.etag)
    client:send(raw.get("/a", "If-Range: " .. etag, "Range: bytes=4-7"))
    response = client:response()
    assert.same({ 200, SIZE }, { response.status, #response.body })
  end)
end)
