-- scripts/files.lua, as a program: what it takes, and what it refuses. Nobody sees half of a file, nothing is
-- overwritten, nothing is written outside of its directory.
local neap, fs, net, test = require "neap", require "neap.fs", require "neap.net", require "neap.test"
local http, multipart = require "spec.support.http", require "spec.support.multipart"
local support = require "spec.support.files"
local ask, send, names, served = support.ask, support.send, support.names, support.served
local ended, kill, reload, stop = support.ended, support.kill, support.reload, support.stop

local TO_PROGRAMS, TO_PEOPLE = "Accept: application/json", "Accept: text/html"

describe("scripts/files.lua", function()
  local files, root, server, address

  before_each(function() files, root = support.prepare() end)

  local function start_after(before, ...)
    address, server = support.start_after(before, ...)
  end

  local function start(...)
    return start_after(nil, ...)
  end

  it("takes files into the folder that is shown", served(function()
    start "--upload"
    assert.matches("<form id=\"upload\"", ask(address, "GET /photos/", TO_PEOPLE).body, 1, true)
    local large = ("0123456789"):rep(100000)
    local answer = send(address, "/photos/", { "tea & ä'\".txt", "tea", "large", large, "empty", "" })
    assert.equal(201, answer.status, answer.body)
    assert.same({ saved = {
      { name = "empty", href = "empty", size = 0 }, { name = "large", href = "large", size = #large },
      { name = "tea & ä'\".txt", href = "tea%20%26%20%C3%A4%27%22.txt", size = 3 },
    } }, answer.content)
    assert.same({ "empty", "large", "old", "tea & ä'\".txt" }, names "/photos")
    assert.equal(large, fs.read(root .. "/photos/large"))
    assert.equal("tea", ask(address, "GET /photos/" .. answer.content.saved[3].href).body)
    answer = send(address, "/photos/old", { "a", "1" }, TO_PEOPLE)
    assert.same({ 303, "./old/" }, { answer.status, answer.headers.location })
    assert(fs.mkdir(root .. "/http:evil.example"))
    answer = send(address, "/http:evil.example", { "a", "1" }, TO_PEOPLE)
    assert.same({ 303, "./http:evil.example/" }, { answer.status, answer.headers.location })
    answer = send(address, "/photos/old/", { "b", "1" }, TO_PEOPLE)
    assert.same({ 303, "./" }, { answer.status, answer.headers.location })
    assert.same({ "a", "b" }, names "/photos/old")
  end))

  it("overwrites nothing, and says what it has saved", served(function()
    assert(fs.symlink("nowhere", root .. "/dangling"))
    start "--upload"
    for _, name in ipairs { "hello.txt", "photos", "dangling" } do
      local answer = send(address, "/", { name, "new" })
      assert.same({ 409, name .. " is there already: nothing is overwritten." },
        { answer.status, answer.content.detail })
    end
    local answer = send(address, "/", { "a", "1", "hello.txt", "new", "z", "3", "z", "4" })
    assert.same({ 409, "2 of 4 files were not saved.", 2, 2, "hello.txt", "z" }, { answer.status,
      answer.content.detail, #answer.content.saved, #answer.content.refused, answer.content.refused[1].name,
      answer.content.refused[2].name })
    assert.same({ "a", "dangling", "hello.txt", "photos", "z" }, names())
    assert.equal("Hello, World!", fs.read(root .. "/hello.txt"))
    answer = send(address, "/", { "b", "1", "<b>.txt", "", "hello.txt", "x" }, TO_PEOPLE)
    assert.equal(409, answer.status)
    assert.matches("<bdi>&lt;b&gt;.txt</bdi>", answer.body, 1, true)
    assert.matches("hello.txt is there already", answer.body, 1, true)
    local winners = 0
    neap.group(function(group)
      for i = 1, 8 do
        group:go(function()
          local one = send(address, "/", { "race", tostring(i) })
          if one.status == 201 then winners = winners + 1 else assert.equal(409, one.status) end
        end)
      end
    end)
    assert.equal(1, winners)
  end))

  it("refuses names that are none", served(function()
    start("--upload", "--dotfiles")
    local before = names()
    for _, name in ipairs {
      "../up", "..", ".", "a/b", "/etc/passwd", "a\\b", "C:\\x", ".bashrc", ".htaccess", "con", "NUL.txt", "com1",
      "Lpt9.x", "aux .txt", "\xff", "a\xC0\xAFb", " a", "a ", "a.", ("x"):rep(256), ("ä"):rep(128), "a\tb", "a\u{85}b",
      "\u{202E}gpj.exe", "\u{202A}", "a\u{2066}b", "\u{2069}",
    } do
      local answer = send(address, "/", { name, "x" })
      assert.same({ 422, name }, { answer.status, name }, answer.body)
    end
    for _, name in ipairs { "a\0b", "a\x7fb" } do -- not a form at all
      assert.equal(400, send(address, "/", { name, "x" }).status)
    end
    assert.same(before, names())
    assert.same({ "files", "files.lua", "root", "secret.txt" }, names "/..")
    assert.equal(201, send(address, "/", { ("x"):rep(255), "x" }).status)
    assert.equal(201, send(address, "/", { "console.log", "x", "a b…c", "x", "\u{200E}a\u{200D}\u{2065}", "x" }).status)
  end))

  it("takes nothing outside of its directory", served(function()
    assert(fs.mkdir(files:path_of "outside"))
    assert(fs.mkdir(files:path_of "root2"))
    assert(fs.mkdir(root .. "/.hidden"))
    assert(fs.symlink("../outside", root .. "/out"))
    assert(fs.symlink("../root2", root .. "/beside"))
    assert(fs.symlink("photos", root .. "/in"))
    start "--upload"
    for _, path in ipairs {
      "/../outside/", "/%2e%2e/outside/", "/..%2foutside/", "/photos/../../outside/", "/out/", "/beside/", "/none/",
      "/hello.txt/", "/hello.txt", "/.hidden/", "/%2ehidden/", "/photos/%00/", "/photos/%2f/", "/.neap/", "/./",
      "/.neap/files.css",
    } do
      local answer = send(address, path, { "x", "x" })
      assert.same({ 404, path }, { answer.status == 405 and 404 or answer.status, path })
    end
    assert.same({ {}, {}, {} }, { names "/../outside", names "/../root2", names "/.hidden" })
    assert.equal(201, send(address, "/in//", { "x", "x" }).status)
    assert.same({ "old", "x" }, names "/photos")
  end))

  it("takes nothing for a page of another site, and nothing at all without --upload", served(function()
    start "--upload"
    local host = "Host: " .. address
    for _, lines in ipairs {
      { "Origin: http://evil.example" }, { "Origin: null" }, { "Origin: http://" .. address .. ".evil.example" },
      { "Origin: ftp://" .. address }, { "Sec-Fetch-Site: cross-site" }, { "Sec-Fetch-Site: same-site" },
      { "Sec-Fetch-Site: cross-site", "Origin: http://" .. address },
      { "Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1:1" },
    } do
      local answer = send(address, "/", { "x", "x" }, host, table.unpack(lines))
      assert.same({ 403, "A page of another site has sent this." }, { answer.status, answer.content.detail }, lines[1])
    end
    assert.equal(421, send(address, "/", { "x", "x" }, "Host: evil.example", "Origin: http://evil.example").status)
    assert.same({ "hello.txt", "photos" }, names())
    assert.equal(201, send(address, "/", { "x", "x" }, host, "Origin: http://" .. address,
      "Sec-Fetch-Site: same-origin").status)
    stop()
    start()
    local answer = send(address, "/", { "y", "y" })
    assert.same({ 403, "Files cannot be added here." }, { answer.status, answer.content.detail })
    assert.same({ "hello.txt", "photos", "x" }, names())
  end))

  it("has limits, and says which", served(function()
    start("--upload", "--max-file", "2k", "--max-files", "3", "--max-size", "5k")
    for _, sent in ipairs {
      { "a", ("x"):rep(2001) }, { "a", "", "b", "", "c", "", "d", "" },
      { "a", ("x"):rep(1900), "b", ("x"):rep(1900), "c", ("x"):rep(1900) },
    } do
      local answer = send(address, "/photos/", sent)
      assert.same({ 413, "A file may have 2 kB, all that is sent at once 5 kB, and it may be 3 files." },
        { answer.status, answer.content.detail })
    end
    assert.equal(413, send(address, "/photos/", { "a", ("x"):rep(10000000) }, TO_PEOPLE).status)
    assert.equal(201, send(address, "/photos/", { "a", ("x"):rep(2000), "b", ("x"):rep(2000) }).status)
    assert.same({ "a", "b", "old" }, names "/photos")
    local upload = ask(address, "GET /", TO_PROGRAMS).content.upload
    assert.same({ max_file = 2000, max_files = 3, max_size = 5000 }, upload)
  end))

  it("says what the system does not let it have, and goes on", served(function()
    local many = {}
    for i = 1, 100 do many[#many + 1], many[#many + 2] = "f" .. i, "x" end
    start_after("ulimit -n 64; ulimit -f 200", "--upload") -- blocks of 512 bytes, or of 1024
    local answer = send(address, "/photos/", many)
    assert.same({ 503, "What was sent was not saved: too many files are open." },
      { answer.status, answer.content.detail })
    answer = send(address, "/photos/", { "large", ("x"):rep(300000) })
    assert.same({ 413, "What was sent was not saved: it is larger than a file can be there." },
      { answer.status, answer.content.detail })
    assert.same({ "old" }, names "/photos")
    assert.equal(201, send(address, "/photos/", { "small", "x" }).status)
  end))

  it("says that the disk is full, and keeps no half", served(function()
    if not os.execute(("mount -t tmpfs -o size=256k tmpfs %s/photos/old 2>/dev/null"):format(root)) then
      return pending "no right to mount here"
    end
    finally(function() os.execute(("umount %s/photos/old"):format(root)) end)
    start "--upload"
    local answer = send(address, "/photos/old/", { "large", ("x"):rep(1 << 20) })
    assert.same({ 507, "What was sent was not saved: the disk is full." }, { answer.status, answer.content.detail })
    assert.same({}, names "/photos/old")
    assert.equal(201, send(address, "/photos/old/", { "small", ("x"):rep(100000) }).status)
    stop()
  end))

  it("says what was no upload", served(function()
    start "--upload"
    local client <close> = http.connect(address)
    local function status(...)
      client:send(http.post("/", ...))
      return client:response().status
    end
    assert.equal(415, status("x", "Content-Type: text/plain"))
    assert.equal(422, status("a=b", "Content-Type: application/x-www-form-urlencoded"))
    assert.equal(422, send(address, "/", {}).status)
    assert.equal(422, send(address, "/", { "", "" }).status)
    assert.equal(422, send(address, "/", { "", "content" }).status)
    local other <close> = http.connect(address)
    other:send(multipart.post("/", multipart.file("files", "x", "x")))
    assert.equal(400, other:response().status)
    assert.same({ "hello.txt", "photos" }, names())
  end))

  -- An upload of which half is sent, and is read: the client, and the rest.
  local function begin(name, content)
    local client = http.connect(address)
    local bytes = multipart.post("/photos/", multipart.body(multipart.file("files", name, content)),
      "Expect: 100-continue")
    local head, body = bytes:match "^(.-\r\n\r\n)(.*)$"
    client:send(head)
    assert.equal(100, client:head().status)
    client:send(body:sub(1, #body // 2))
    return client, body:sub(#body // 2 + 1)
  end

  -- The files without a name that the server has open.
  local function nameless()
    local command = "ls -l /proc/%d/fd 2>/dev/null | grep -c '%s/photos.*deleted'"
    local pipe <close> = io.popen(command:format(server.pid, root))
    return pipe:read "n"
  end

  it("keeps nothing of an upload that was cut off", served(function()
    start "--upload"
    for _, ending in ipairs { "reset", "close" } do
      local client = begin("cut", ("x"):rep(200000))
      if fs.stat "/proc/self/fd" then test.eventually(function() return nameless() == 1 end, 20) end
      assert.same({ "old" }, names "/photos") -- nobody sees half of it
      client[ending](client)
      if fs.stat "/proc/self/fd" then test.eventually(function() return nameless() == 0 end, 20) end
      assert.same({ "old" }, names "/photos")
    end
    local client <close> = begin("cut", ("x"):rep(200000))
    assert.equal(200, ask(address, "GET /").status)
    kill()
    client:close()
    assert.same({ "old" }, names "/photos")
  end))

  it("goes on with an upload while the program is changed", served(function()
    start_after("export NEAP_GC=incremental", "--upload") -- a version may compute for a second while it is loaded
    local content = ("0123456789"):rep(30000)
    local client <close>, rest = begin("tea", content)
    local source = assert(fs.read(files:path_of "files/page.lua"))
    files:write("files/page.lua", (source:gsub("Add files", "Put files here")))
    reload(2)
    assert.matches("Put files here", ask(address, "GET /", TO_PEOPLE).body, 1, true)
    assert.same({ "old" }, names "/photos")
    client:send(rest)
    assert.equal(201, client:response().status)
    assert.equal(content, fs.read(root .. "/photos/tea"))
  end))

  it("ends an upload in good order, when it is told to end", served(function()
    start "--upload"
    local client <close>, rest = begin("tea", ("x"):rep(200000))
    server:signal "TERM"
    test.eventually(function() -- it listens no more
      local conn <close> = net.connect(address)
      return not conn
    end, 20)
    client:send(rest)
    assert.equal(201, client:response().status)
    assert.equal(200000, fs.stat(root .. "/photos/tea").size)
    ended()
  end))

  it("takes so many uploads at once", served(function()
    start "--upload"
    local clients = {}
    for i = 1, 16 do clients[i] = { begin("tea" .. i, ("x"):rep(1000)) } end
    local answer = send(address, "/photos/", { "one more", "x" })
    assert.equal(503, answer.status)
    assert.same({ "5", "Others are sending files: try again in a moment." },
      { answer.headers["retry-after"], answer.content.detail })
    for _, each in ipairs(clients) do
      each[1]:send(each[2])
      assert.equal(201, each[1]:response().status)
      each[1]:close()
    end
    assert.equal(201, send(address, "/photos/", { "one more", "x" }).status)
  end))

  it("shows what was added, and runs nothing of it", served(function()
    start "--upload"
    assert.equal(201, send(address, "/photos/", { "index.html", "<script>alert(1)</script>", "a.svg", "<svg/>",
      "a.xhtml", "", "a.txt", "text" }).status)
    assert.equal(201, send(address, "/", { "hello.txt.gz", "not what you think" }).status)
    for _, name in ipairs { "index.html", "a.svg", "a.xhtml" } do
      assert.matches("^sandbox;", ask(address, "GET /photos/" .. name).headers["content-security-policy"])
    end
    assert.is_nil(ask(address, "GET /photos/a.txt").headers["content-security-policy"])
    -- Its own page is not that of somebody else.
    assert.equal(5, #ask(address, "GET /photos/", TO_PROGRAMS).content.entries)
    assert.equal("Hello, World!", ask(address, "GET /hello.txt", "Accept-Encoding: gzip").body)
  end))
end)
