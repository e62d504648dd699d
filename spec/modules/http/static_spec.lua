-- Files that are served: which one a request means, what of it is sent, and that nothing else can be had.
local neap, fs, http, timer = require "neap", require "neap.fs", require "neap.http", require "neap.timer"
local raw = require "spec.support.http"
local test = require "neap.test"

local function write(path, text)
  assert(fs.write(path, text))
end

local function make_root()
  local dir = test.tempdir().path
  assert(fs.mkdir(dir .. "/root"))
  assert(fs.mkdir(dir .. "/root/sub"))
  write(dir .. "/secret.txt", "secret")
  write(dir .. "/root/a.txt", "0123456789")
  write(dir .. "/root/index.html", "<p>index")
  write(dir .. "/root/.hidden", "hidden")
  return dir .. "/root", dir
end

-- The response to a GET of a target, by a handler below "/files".
local function ask(handler, line, ...)
  local app = http.router()
  app:mount("/files", handler)
  local server <close> = assert(http.serve("127.0.0.1:0", app))
  local client <close> = raw.connect(server.address)
  client:send(raw.request(line, nil, ...))
  return client:response { head = line:find "^HEAD" ~= nil }
end

describe("http.static", function()
  it("sends a file, with what a client needs to keep it", function()
    local root = make_root()
    local response = ask(http.static(root, { max_age = 60 }), "GET /files/a.txt")
    assert.same({ 200, "0123456789", "text/plain; charset=utf-8", "max-age=60", "bytes", "10" },
      { response.status, response.body, response.headers["content-type"], response.headers["cache-control"],
        response.headers["accept-ranges"], response.headers["content-length"] })
    local etag = response.headers.etag
    assert.matches('^"%x+%-%x+%-%x+"$', etag)
    response = ask(http.static(root), "GET /files/a.txt", "If-None-Match: " .. etag)
    assert.same({ 304, "", etag }, { response.status, response.body, response.headers.etag })
    assert.equal(412, ask(http.static(root), "GET /files/a.txt", 'If-Match: "other"').status)
    response = ask(http.static(root), "HEAD /files/a.txt")
    assert.same({ 200, "10" }, { response.status, response.headers["content-length"] })
  end)

  it("sends ranges", function()
    local handler = http.static((make_root()))
    local response = ask(handler, "GET /files/a.txt", "Range: bytes=2-4")
    assert.same({ 206, "234", "bytes 2-4/10" }, { response.status, response.body, response.headers["content-range"] })
    response = ask(handler, "GET /files/a.txt", "Range: bytes=20-")
    assert.same({ 416, "bytes */10" }, { response.status, response.headers["content-range"] })
    assert.equal(200, ask(handler, "HEAD /files/a.txt", "Range: bytes=2-4").status)
  end)

  it("sends several ranges, and large files in pieces", function()
    local root = make_root()
    local text = ("0123456789"):rep(50000)
    write(root .. "/large", text)
    local handler = http.static(root)
    assert.equal(text, ask(handler, "GET /files/large").body)
    local response = ask(handler, "GET /files/large", "Range: bytes=70001-270000")
    assert.equal(text:sub(70002, 270001), response.body)
    response = ask(handler, "GET /files/large", "Range: bytes=0-4,400000-400002")
    local boundary = response.headers["content-type"]:match "^multipart/byteranges; boundary=(%x+)$"
    assert.equal(206, response.status)
    local function part(range)
      return ("--%s\r\ncontent-type: application/octet-stream\r\ncontent-range: bytes %s/500000\r\n\r\n")
        :format(boundary, range)
    end
    assert.equal(part "0-4" .. "01234\r\n" .. part "400000-400002" .. "012\r\n--" .. boundary .. "--\r\n",
      response.body)
  end)

  it("has an index, and leads to a directory's slash", function()
    local root = make_root()
    local handler = http.static(root)
    assert.equal("<p>index", ask(handler, "GET /files/").body)
    local response = ask(handler, "GET /files?q=1")
    assert.same({ 308, "/files/?q=1" }, { response.status, response.headers.location })
    response = ask(handler, "GET /files/sub")
    assert.same({ 308, "/files/sub/" }, { response.status, response.headers.location })
    assert.equal(404, ask(handler, "GET /files/sub/").status)
    assert.equal(404, ask(handler, "GET /files/a.txt/").status)
  end)

  it("gives nothing that is not below its root", function()
    local root, dir = make_root()
    assert(fs.symlink(dir .. "/secret.txt", root .. "/out"))
    assert(fs.symlink("../secret.txt", root .. "/up"))
    assert(fs.symlink("..", root .. "/parent"))
    assert(fs.symlink("a.txt", root .. "/in"))
    local handler = http.static(root, { dotfiles = true })
    for _, path in ipairs {
      "/../secret.txt", "/%2e%2e/secret.txt", "/%2E./secret.txt", "/.%2e/secret.txt", "/..%2fsecret.txt",
      "/..%5csecret.txt", "/%2e%2e%2fsecret.txt", "/sub/../../secret.txt", "/sub/%2e%2e/%2e%2e/secret.txt",
      "//../secret.txt", "/out", "/up", "/parent/secret.txt", "/%252e%252e/secret.txt", "/./a.txt", "/%2e/a.txt",
    } do
      local response = ask(handler, "GET /files" .. path)
      assert.same({ 404, path }, { response.status, path })
    end
    assert.equal(400, ask(handler, "GET /files/a%00.txt").status)
    assert.equal("0123456789", ask(handler, "GET /files/in").body)
    assert.equal("hidden", ask(handler, "GET /files/.hidden").body)
    assert.equal(404, ask(http.static(root), "GET /files/.hidden").status)
  end)

  it("opens no pipe", function()
    local root = make_root()
    assert(os.execute("mkfifo " .. root .. "/fifo"))
    assert.equal(404, ask(http.static(root), "GET /files/fifo").status)
    assert.equal(404, ask(http.file(root .. "/fifo"), "GET /files/x").status)
  end)

  it("sends what is compressed already, where that is asked for", function()
    local root = make_root()
    write(root .. "/a.txt.gz", "gz")
    write(root .. "/a.txt.br", "br")
    local response = ask(http.static(root), "GET /files/a.txt", "Accept-Encoding: gzip, br")
    assert.same({ "0123456789" }, { response.body, response.headers["content-encoding"], response.headers.vary })
    local handler = http.static(root, { precompressed = true })
    response = ask(handler, "GET /files/a.txt", "Accept-Encoding: gzip, br")
    assert.same({ "br", "br", "accept-encoding", "text/plain; charset=utf-8" }, { response.body,
      response.headers["content-encoding"], response.headers.vary, response.headers["content-type"] })
    assert.equal("gz", ask(handler, "GET /files/a.txt", "Accept-Encoding: gzip").body)
    response = ask(handler, "GET /files/a.txt")
    assert.same({ "0123456789", "accept-encoding" }, { response.body, response.headers.vary })
  end)

  it("lists names, whatever bytes they have", function()
    local place <close> = require "spec.support.scratch"()
    for byte = 1, 255 do
      local name = string.char(byte)
      if name ~= "/" and name ~= "." then write(place.path .. "/x" .. name, "it is " .. byte) end
    end
    local server <close> = assert(http.serve("127.0.0.1:0", http.static(place.path, { list = true })))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    local page, count = client:response().body, 0
    assert.is_nil(page:find "<script")
    for href in page:gmatch 'href="(x[^"]*)"' do
      client:send(raw.get("/" .. href))
      if client:response().body:find "^it is " then count = count + 1 end
    end
    assert.equal(253, count)
  end)

  it("has a listing made by a function, which gets what can be asked for", function()
    local root, dir = make_root()
    assert(fs.mkdir(root .. "/sub/deep"))
    assert(fs.symlink(dir .. "/secret.txt", root .. "/sub/out"))
    assert(fs.symlink("../a.txt", root .. "/sub/in"))
    assert(fs.symlink("deep", root .. "/sub/also"))
    assert(fs.symlink("none", root .. "/sub/dangling"))
    assert(os.execute("mkfifo " .. root .. "/sub/fifo"))
    write(root .. "/sub/b\n\xff<", "12345")
    write(root .. "/sub/.hidden", "")
    assert(os.execute("touch -d @1000000000 '" .. root .. "/sub/.hidden' && touch -d @-5 '" .. root .. "/a.txt'"))
    local got
    local function list(req, entries)
      got = entries
      return 203, req.path, { ["x-own"] = "yes" }
    end
    local response = ask(http.static(root, { list = list, max_age = 5, headers = { ["x-other"] = "no" } }),
      "GET /files/%73ub/")
    assert.same({ 203, "/%73ub/", "yes" }, { response.status, response.body, response.headers["x-own"] })
    assert.is_nil(response.headers["x-other"] or response.headers["cache-control"])
    assert.same({ "sub", false, 4 }, { got.path, got.truncated, #got })
    assert.same({ "also", "deep", "b\n\xff<", "in" }, { got[1].name, got[2].name, got[3].name, got[4].name })
    assert.same({ "directory", "directory", "file", "file" }, { got[1].kind, got[2].kind, got[3].kind, got[4].kind })
    assert.same({ 5, 10, -5 }, { got[3].size, got[4].size, got[4].modified })
    ask(http.static(root, { list = list, dotfiles = true }), "GET /files/sub/")
    assert.same({ ".hidden", 0, 1000000000 }, { got[3].name, got[3].size, got[3].modified })
    ask(http.static(root, { list = list, index = false }), "GET /files/")
    assert.same({ "", "sub", "a.txt", "index.html" }, { got.path, got[1].name, got[2].name, got[3].name })
    assert(fs.mkdir(root .. "/empty"))
    ask(http.static(root, { list = list }), "GET /files/empty/")
    assert.same({ path = "empty", truncated = false }, got)
  end)

  it("asks that function for directories only, by GET and HEAD", function()
    local root = make_root()
    local count = 0
    local handler = http.static(root, { list = function()
      count = count + 1
      return "list"
    end })
    assert.same({ 308, "/files/sub/" }, (function(answer) return { answer.status, answer.headers.location } end)(
      ask(handler, "GET /files/sub")))
    assert.equal("<p>index", ask(handler, "GET /files/").body)
    assert.equal("0123456789", ask(handler, "GET /files/a.txt").body)
    for _, path in ipairs { "none/", "a.txt/", "..%2f/", "sub/../../" } do
      assert.equal(404, ask(handler, "GET /files/" .. path).status, path)
    end
    assert.equal(400, ask(handler, "GET /files/%00/").status)
    assert.equal(405, ask(handler, "POST /files/sub/").status)
    assert.equal(0, count)
    assert.equal("list", ask(handler, "GET /files/sub/").body)
    local head = ask(handler, "HEAD /files/sub/")
    assert.same({ 200, "", 2 }, { head.status, head.body, count })
  end)

  it("answers 500 where that function fails, and lets it wait", function()
    local root = make_root()
    local reported
    neap.on_error(function(err) reported = tostring(err) end)
    local response = ask(http.static(root, { list = function() error "no list today" end }), "GET /files/sub/")
    neap.on_error(nil)
    assert.equal(500, response.status)
    assert.matches("no list today", reported)
    response = ask(http.static(root, { list = function()
      timer.sleep(0)
      return "later"
    end }), "GET /files/sub/")
    assert.same({ 200, "later" }, { response.status, response.body })
  end)

  it("refuses other methods, and wrong arguments", function()
    local root = make_root()
    local response = ask(http.static(root), "DELETE /files/a.txt")
    assert.same({ 405, "GET, HEAD, OPTIONS" }, { response.status, response.headers.allow })
    response = ask(http.static(root), "OPTIONS /files/a.txt")
    assert.same({ 204, "GET, HEAD, OPTIONS", "" }, { response.status, response.headers.allow, response.body })
    response = ask(http.static(root, { max_age = 31536000, immutable = true }), "GET /files/a.txt")
    assert.equal("max-age=31536000, immutable", response.headers["cache-control"])
    assert.has_error(function() http.static(root, { immutable = true }) end,
      "bad argument #2 to 'static' (option 'immutable': only with 'max_age')")
    assert.has_error(function() http.file(root, { max_age = -1 }) end,
      "bad argument #2 to 'file' (option 'max_age': 0 to 1e9 seconds)")
    assert.has_error(function() http.file(root, { max_age = 0 / 0 }) end,
      "bad argument #2 to 'file' (option 'max_age': 0 to 1e9 seconds)")
    assert.has_error(function() http.static(root, { indx = "x" }) end, "bad argument #2 to 'static' (unknown option "
      .. "'indx' (there are: dotfiles, etag, headers, immutable, index, list, max_age, precompressed, types))")
    for option, value in pairs { type = "a\nb", download = 5, headers = { ["x y"] = "z" } } do
      local ok, message = pcall(function() local _ = http.file(root, { [option] = value }) end)
      assert.is_false(ok)
      assert.matches("static_spec.lua:%d+: bad argument #2 to 'file' %(option '" .. option .. "'", message)
    end
    assert.has_error(function() http.static(root, { types = { x = "a\r" } }) end,
      "bad argument #2 to 'static' (option 'types': no control bytes)")
    assert.has_error(function() http.static(root, { headers = { x = "a\r" } }) end,
      "bad argument #2 to 'static' (option 'headers': no control bytes)")
    for _, value in ipairs { "yes", 1, {} } do
      assert.has_error(function() http.static(root, { list = value }) end,
        "bad argument #2 to 'static' (option 'list': boolean or function expected, got " .. type(value) .. ")")
    end
    assert.has_error(function() http.static() end, "bad argument #1 to 'static' (string expected, got nil)")
  end)
end)

describe("http.file", function()
  it("sends one file, to be saved under a name", function()
    local root = make_root()
    local response = ask(http.file(root .. "/a.txt", { download = 'ä"b.txt', type = "text/x-own" }), "GET /files/x")
    assert.same({ "0123456789", "text/x-own", "attachment; filename=\"__b.txt\"; filename*=UTF-8''%C3%A4%22b.txt" },
      { response.body, response.headers["content-type"], response.headers["content-disposition"] })
    assert.equal(404, ask(http.file(root .. "/none"), "GET /files/x").status)
    assert.equal(404, ask(http.file(root), "GET /files/x").status)
  end)
end)
