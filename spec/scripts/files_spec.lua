-- scripts/files.lua, as a program: what it shows, what it takes, what it refuses; and its page.
local neap, fs, json, net = require "neap", require "neap.fs", require "neap.json", require "neap.net"
local test, timer = require "neap.test", require "neap.timer"
local browsers, child = require "spec.support.browser", require "spec.support.child"
local http, multipart = require "spec.support.http", require "spec.support.multipart"

local TO_PROGRAMS, TO_PEOPLE = "Accept: application/json", "Accept: text/html"
local PARTS = { "arguments", "guard", "listing", "names", "page", "sorting", "text", "uploads", "users" }

-- A copy that may be changed.
local function copy(files)
  assert(fs.mkdir(files:path_of "files/public", { parents = true }))
  local names = { "files.lua", "files/public/files.css", "files/public/files.js", "files/public/icon.svg" }
  for _, part in ipairs(PARTS) do names[#names + 1] = ("files/%s.lua"):format(part) end
  for _, name in ipairs(names) do assert(fs.write(files:path_of(name), assert(fs.read("scripts/" .. name)))) end
  return files:path_of "files.lua"
end

local function ask(address, line, ...)
  local client <close> = http.connect(address)
  client:send(http.request(line, nil, ...))
  local answer = client:response { head = line:find "^HEAD" ~= nil }
  if (answer.headers["content-type"] or ""):find "json" then answer.content = json.decode(answer.body) end
  return answer
end

-- Sends files, name, content, name, content ...
local function send(address, path, files, ...)
  local client <close> = http.connect(address)
  local parts = {}
  for i = 1, #files, 2 do parts[#parts + 1] = multipart.file("files", files[i], files[i + 1]) end
  client:send_later(multipart.post(path, multipart.body(table.unpack(parts)), ...))
  local answer = client:response()
  if (answer.headers["content-type"] or ""):find "json" then answer.content = json.decode(answer.body) end
  return answer
end

describe("scripts/files.lua", function()
  local files, root, script, server, address

  -- `before`: shell commands.
  local function start_after(before, ...)
    server = child.start({ script, "--address", "127.0.0.1:0", root, ... },
      { before = before, under = "setsid" }) -- SIGHUP reloads it
    address = server:line():match "^files: listening on http://(.+)$"
    assert.equal("files: serving " .. root, server:line():match "^[^,]*")
  end

  local function start(...)
    return start_after(nil, ...)
  end

  before_each(function()
    files = test.tempdir()
    script, root = copy(files), files:path_of "root"
    assert(fs.mkdir(root .. "/photos/old", { parents = true }))
    assert(fs.write(root .. "/hello.txt", "Hello, World!"))
    files:write("secret.txt", "secret")
  end)

  local function ended()
    local code, _, err = server:wait()
    server:__close()
    server = nil
    assert.same({ 0, "" }, { code, (err:gsub("[^\n]*generation %d is live[^\n]*\n", "")) })
  end

  local function stop()
    server:signal "TERM"
    ended()
  end

  -- A spec that starts it: it ends well, or is ended. (After the spec its files are gone.)
  local function served(fn)
    return function()
      local _ <close> = setmetatable({}, { __close = function()
        if server then server:__close() end
        server = nil
      end })
      fn()
      if server then stop() end
    end
  end

  local function names(path)
    local list = {}
    for i, entry in ipairs(assert(fs.list(root .. (path or "")))) do list[i] = entry.name end
    table.sort(list)
    return list
  end

  local function reload(number)
    server:signal "HUP"
    test.eventually(function() return server:stderr():find(("generation %d is live"):format(number), 1, true) end, 20)
  end

  -- ---- what it shows -----------------------------------------------------------

  local function listed(path, ...)
    local list = {}
    for i, entry in ipairs(ask(address, "GET " .. path, TO_PROGRAMS, ...).content.entries) do list[i] = entry.name end
    return list
  end

  it("shows a folder as JSON and as a page, in an order", served(function()
    for name, content in pairs { ["b10.txt"] = "1234", ["b9.txt"] = "123", ["Änd"] = "", ["B2.lua"] = "12" } do
      assert(fs.write(root .. "/photos/" .. name, content))
    end
    assert(os.execute(("cd '%s/photos' && touch -d @1000000000 b9.txt && touch -d @2 Änd"):format(root)))
    start()
    local answer = ask(address, "GET /photos/", TO_PROGRAMS)
    assert.same({ 200, "application/json", "accept" },
      { answer.status, answer.headers["content-type"], answer.headers.vary })
    local entries = answer.content.entries
    assert.same({ "/photos/", false, false }, { answer.content.path, answer.content.truncated, answer.content.upload })
    assert.same({ "old", "directory", "old/", nil }, { entries[1].name, entries[1].kind, entries[1].href,
      entries[1].size })
    assert.same({ name = "b9.txt", kind = "file", href = "b9.txt", size = 3, modified = "2001-09-09T01:46:40Z" },
      entries[3])
    assert.same({ "old", "B2.lua", "b9.txt", "b10.txt", "Änd" }, listed "/photos/")
    assert.same({ "old", "Änd", "b10.txt", "b9.txt", "B2.lua" }, listed "/photos/?sort=name&order=desc")
    assert.same({ "old", "Änd", "B2.lua", "b9.txt", "b10.txt" }, listed "/photos/?sort=size")
    assert.same({ "old", "Änd", "b9.txt" }, { table.unpack(listed "/photos/?sort=time", 1, 3) })
    assert.same({ "old", "B2.lua", "b9.txt", "b10.txt", "Änd" }, listed "/photos/?sort=%00&order=%3Cb%3E")
    answer = ask(address, "GET /photos/", TO_PEOPLE)
    assert.equal("text/html; charset=utf-8", answer.headers["content-type"])
    assert.matches("script%-src 'self'", answer.headers["content-security-policy"])
    assert.matches('href="../"', answer.body, 1, true)
    assert.matches("1 folder, 4 files, 9 bytes", answer.body, 1, true)
    assert.is_nil(answer.body:find "<form")
    assert.equal(200, ask(address, "HEAD /photos/").status)
    assert.equal(308, ask(address, "GET /photos").status)
  end))

  it("shows and links names of any bytes, and none of them is HTML", served(function()
    local count = 0
    for byte = 1, 255 do
      local name = "x" .. string.char(byte) .. "<script>"
      if byte ~= 47 then
        assert(fs.write(root .. "/photos/old/" .. name, "it is " .. byte))
        count = count + 1
      end
    end
    assert(fs.write(root .. "/photos/old/\u{202E}gpj.exe", ""))
    start()
    local page = ask(address, "GET /photos/old/", TO_PEOPLE).body
    assert.is_truthy(utf8.len(page))
    assert.is_nil(page:find "\u{202E}")
    local _, scripts = page:gsub("<script", "")
    assert.equal(1, scripts)
    local seen = 0
    local client <close> = http.connect(address)
    for href in page:gmatch '<td class="name"><a href="(x[^"]*)"' do
      client:send(http.get("/photos/old/" .. href))
      assert.matches("^it is ", client:response().body)
      seen = seen + 1
    end
    assert.equal(count, seen)
    for _, entry in ipairs(ask(address, "GET /photos/old/", TO_PROGRAMS).content.entries) do
      client:send(http.get("/photos/old/" .. entry.href))
      assert.equal(200, client:response().status)
    end
  end))

  it("sends files as http.static does", served(function()
    assert(fs.write(root .. "/hello.txt.gz", "compressed"))
    assert(fs.write(root .. "/photos/index.html", "<p>my photos"))
    assert(fs.symlink(files:path_of "secret.txt", root .. "/out"))
    start()
    local answer = ask(address, "GET /hello.txt", "Range: bytes=0-4")
    assert.same({ 206, "Hello" }, { answer.status, answer.body })
    assert.equal(304, ask(address, "GET /hello.txt", "If-None-Match: " .. answer.headers.etag).status)
    assert.equal("compressed", ask(address, "GET /hello.txt", "Accept-Encoding: gzip").body)
    answer = ask(address, "GET /photos/", TO_PEOPLE)
    assert.same({ "<p>my photos", nil }, { answer.body, answer.headers["content-security-policy"] })
    assert.same({ "photos", "hello.txt", "hello.txt.gz" }, listed "/")
    for _, path in ipairs { "/out", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/none",
      "/photos/none/" } do
      answer = ask(address, "GET " .. path, TO_PEOPLE)
      assert.same({ 404, path }, { answer.status, path })
      assert.matches("There is nothing by this name", answer.body, 1, true)
    end
    assert.equal("Not Found\n", ask(address, "GET /none").body)
  end))

  it("shows names with a dot to who asks for it", served(function()
    assert(fs.mkdir(root .. "/.git"))
    start()
    assert.same({ "photos", "hello.txt" }, listed "/")
    assert.equal(404, ask(address, "GET /.git/").status)
    stop()
    start "--dotfiles"
    assert.same({ ".git", "photos", "hello.txt" }, listed "/")
    assert.equal(200, ask(address, "GET /.git/").status)
  end))

  it("writes sizes, times and names so that they can be read", function()
    local text = dofile "scripts/files/text.lua"
    for bytes, expected in pairs { [0] = "0 bytes", [1] = "1 byte", [999] = "999 bytes", [1000] = "1 kB",
      [1049] = "1 kB", [1051] = "1.1 kB", [9949] = "9.9 kB", [9951] = "10 kB", [999949] = "1000 kB",
      [999951] = "1 MB", [math.maxinteger] = "9223372 TB" } do
      assert.equal(expected, text.size(bytes))
    end
    assert.equal("2001-09-09T01:46:40Z", text.iso(1000000000))
    for _, seconds in ipairs { math.mininteger, -1, 0, math.maxinteger } do
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT", text.iso(seconds))
      assert.is_string(text.time(seconds))
    end
    assert.equal("a\u{FFFD}b\u{FFFD}\u{FFFD}c\u{FFFD}\u{FFFD}", text.readable "a\0b\xC0\xAFc\u{85}\u{202E}")
    assert.equal("ä…\u{65E5}", text.readable "ä…\u{65E5}")
    assert.equal(("\u{FFFD}"):rep(1000000), text.readable(("\xff"):rep(1000000))) -- not for each byte all of it
    assert.equal("\u{FFFD}ä\u{FFFD}", text.readable "\xC3ä\xC3")
    assert.equal("a%2Fb%25%FF%0A-._~", text.link "a/b%\xff\n-._~")
  end)

  it("sorts long lists in turns with others", function()
    local sorted = dofile "scripts/files/sorting.lua"
    local list, turns, is_over = {}, 0, false
    for i = 1, 10000 do list[i] = i * 7919 % 10007 end
    local other = neap.go(function()
      while not is_over do
        turns = turns + 1
        timer.sleep(0)
      end
    end)
    local result = sorted(list, function(a, b) return a < b end)
    is_over = true
    other:join()
    table.sort(list)
    assert.same(list, result)
    assert.is_true(turns > 20, turns)
    for _, count in ipairs { 0, 1, 199, 200, 201, 401 } do
      local short = table.move(result, 1, count, 1, {})
      assert.same(short, sorted(table.move(short, 1, count, 1, {}), function(a, b) return a < b end))
    end
  end)

  it("answers others while it lists ten thousand files", served(function()
    local one = root .. "/photos/1"
    assert(fs.write(one, ""))
    for i = 2, 10000 do assert(fs.link(one, ("%s/photos/%d"):format(root, i))) end -- in a tenth of the time of files
    start()
    local client <close> = http.connect(address)
    client:send(http.get("/photos/?sort=size", TO_PEOPLE))
    assert.equal("Hello, World!", ask(address, "GET /hello.txt").body)
    local answer = client:response()
    local _, rows = answer.body:gsub('<tr class="file"', "")
    assert.same({ 10000, true }, { rows, #answer.pieces > 10 })
    assert.equal(10001, #listed "/photos/")
  end))

  -- ---- what it takes -----------------------------------------------------------

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
    server:signal "KILL"
    server:wait()
    server:__close()
    server = nil
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
    assert.equal(5, #listed "/photos/") -- its own page is not that of somebody else
    assert.equal("Hello, World!", ask(address, "GET /hello.txt", "Accept-Encoding: gzip").body)
  end))

  it("is for names of this machine, and those it is given", served(function()
    start("--name", "Files.example", "--name", "other.example")
    for _, host in ipairs { "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1" } do
      assert.equal(421, ask(address, "GET /", "Host: " .. host).status, host)
    end
    for _, host in ipairs { address, "localhost:1", "[::1]:80", "x.localhost", "files.example", "other.example:443" } do
      assert.equal(200, ask(address, "GET /", "Host: " .. host).status, host)
    end
    stop()
    start("--name", "files.example", "--upload")
    for i, lines in ipairs { -- a proxy may keep the name that was used, or not
      { "Host: files.example", "Origin: https://files.example", 201 }, { "Host: " .. address,
        "Origin: https://Files.example", 201 },
      { "Host: files.example", "Origin: http://files.example:81", 403 },
      { "Host: files.example", "Origin: http://" .. address, 403 },
      { "Host: " .. address, "Origin: https://files.example.evil", 403 },
      { "Host: " .. address, "Origin: https://files.example", "Sec-Fetch-Site: same-site", 403 },
    } do
      local expected = table.remove(lines)
      assert.equal(expected, send(address, "/", { "a" .. i, "x" }, table.unpack(lines)).status, i)
    end
  end))

  it("is for a network by addresses, and by names that no other site can have", function()
    local guard = dofile "scripts/files/guard.lua"
    local function is_ours(host, at, ...)
      return guard.is_ours({ header = function() return host end }, at, ...) and true or false
    end
    for _, at in ipairs { "0.0.0.0:8083", "[::]:8083", "10.0.0.1:8083" } do
      for _, host in ipairs { "10.0.0.1:8083", "[fe80::1]:8083", "[::ffff:1.2.3.4]", "tower", "Tower.local:8083",
        "tower.lan", "tower.internal", "tower.home.arpa", "x.localhost:8083", "127.0.0.1" } do
        assert.is_true(is_ours(host, at, {}), host)
      end
      assert.is_true(is_ours(nil, at, {}))
      for _, host in ipairs { "evil.example", "evil.example:8083", "10.0.0.1.evil.example", "local.evil.example",
        "1.2.3.4.5", "", ":8083" } do
        assert.is_false(is_ours(host, at, {}), host)
      end
      assert.is_true(is_ours("files.example:8083", at, { ["files.example"] = true }))
      assert.is_false(is_ours("tower", at, { ["files.example"] = true }))
    end
    assert.is_true(is_ours("evil.example", "unix:/run/files", {})) -- a proxy's concern
  end)

  it("is for those who are in a file", served(function()
    local hash = require "neap.crypto".password "correct horse"
    files:write("users", "# us\nada:" .. hash .. "\r\n\nbob:a:b\n")
    start("--upload", "--users", files:path_of "users")
    for _, path in ipairs { "/", "/hello.txt", "/none", "/.neap/files.css" } do
      local answer = ask(address, "GET " .. path)
      assert.same({ 401, 'Basic realm="files", charset="UTF-8"' },
        { answer.status, answer.headers["www-authenticate"] })
    end
    local function login(text)
      return "Authorization: Basic " .. require "neap.crypto".base64(text)
    end
    assert.equal(401, send(address, "/", { "x", "x" }, login "ada:wrong").status)
    assert.equal(401, ask(address, "GET /", login "#us:").status)
    assert.equal("Hello, World!", ask(address, "GET /hello.txt", login "bob:a:b").body)
    assert.equal(201, send(address, "/", { "x", "x" }, login "ada:correct horse").status)
    stop()
    for _, text in ipairs { "", "# nobody\n", "ada\n", "ada:\n", "a:b\na:c\n" } do
      files:write("users", text)
      local wrong <close> = child.start { script, "--users", files:path_of "users", "--address", "127.0.0.1:0", root }
      local code, _, err = wrong:wait()
      assert.equal(1, code, text)
      assert.matches("^files: .*users:", err)
    end
    assert(fs.write(root .. "/.users", "a:b\n"))
    assert(fs.symlink("root/.users", files:path_of "link"))
    for _, path in ipairs { root .. "/.users", files:path_of "link" } do
      local wrong <close> = child.start { script, "--users", path, "--address", "127.0.0.1:0", root }
      assert.equal(1, (wrong:wait()))
      assert.matches("it lies in what is served", wrong:stderr())
    end
  end))

  it("says what is wrong with its arguments", function()
    for _, arguments in ipairs { { "--help" }, { "--max-file" }, { "--max-file", "big" }, { "--max-file", "0" },
      { "--max-files", "0" }, { root, root }, { "--max-size", "1e9" }, { "--address", "nonsense" } } do
      local wrong <close> = child.start { script, table.unpack(arguments) }
      local code, out, err = wrong:wait()
      assert.same({ 2, "" }, { code, out }, err)
      if arguments[1] ~= "--address" then assert.matches("usage: neap scripts/files%.lua", err) end
    end
    for _, path in ipairs { files:path_of "none", files:path_of "secret.txt" } do
      local wrong <close> = child.start { script, "--address", "127.0.0.1:0", path }
      local code, out, err = wrong:wait()
      assert.same({ 1, "" }, { code, out })
      assert.matches("^files: [^\n]*no[^\n]*directory\n$", err)
    end
  end)

  -- ---- its page ----------------------------------------------------------------

  describe("in a browser", function()
    local it = browsers.it(it, pending) -- luacheck: ignore 431
    local browser

    setup(function() browser = browsers.open() end)
    teardown(function() browsers.close(browser) end)

    local function open(path, options)
      return browser:page("http://" .. address .. path, options)
    end

    local function note(page, state)
      page:wait(("document.querySelector('#uploads .%s .note')"):format(state))
      return page:eval(("document.querySelector('#uploads .%s .note').textContent"):format(state))
    end

    for kind, options in pairs { ["a computer"] = { width = 1280, height = 800 }, ["a phone"] = { mobile = true } } do
      it("files are sent, and seen on their way, on " .. kind, served(function()
        start("--upload", "--max-file", "3M")
        local large = ("0123456789"):rep(200000)
        files:write("large.bin", large)
        files:write("small & <b>.txt", "small")
        local page <close> = open("/photos/", options)
        assert(page:call "Network.enable")
        assert(page:call("Network.emulateNetworkConditions",
          { offline = false, latency = 0, downloadThroughput = -1, uploadThroughput = 1000000 }))
        page:set_files("#pick input", { files:path_of "large.bin", files:path_of "small & <b>.txt" })
        page:wait "(bar => bar.value > 0 && bar.value < 1)(document.querySelector('#uploads .running progress'))"
        assert.matches("^%d+ %% of 2 MB$", page:eval "document.querySelector('#uploads .running .note').textContent")
        assert(page:call("Network.emulateNetworkConditions",
          { offline = false, latency = 0, downloadThroughput = -1, uploadThroughput = -1 }))
        page:wait "document.querySelectorAll('#uploads .done').length == 2"
        page:wait "document.querySelectorAll('#list tr.fresh').length == 2"
        page:wait "document.getElementById('total').textContent == '2 files added'"
        page:wait "document.getElementById('sum').textContent == '1 folder, 2 files, 2 MB'"
        assert.equal("small & <b>.txt", page:eval "document.querySelector('#list tr:last-child bdi').textContent")
        assert.equal(large, fs.read(root .. "/photos/large.bin"))
        assert.is_true(page:eval "document.documentElement.scrollWidth <= innerWidth")
        page:click "#list tr.up a"
        page:wait "document.querySelector('h1').textContent == 'root'"
        assert.same({ {}, {} }, { page:errors(), page.dialogs })
      end))
    end

    it("what is refused says why, and may be tried again", served(function()
      start("--upload", "--max-file", "1k")
      files:write("hello.txt", "mine")
      files:write("large", ("x"):rep(1001))
      files:write("late", "late")
      local page <close> = open "/"
      page:set_files("#pick input", { files:path_of "hello.txt" })
      assert.matches("^Something of this name is there already", note(page, "failed"))
      page:click "#uploads .failed button"
      page:wait "document.getElementById('uploads').hidden"
      page:set_files("#pick input", { files:path_of "large" })
      assert.equal("It has 1 kB; a file may have 1 kB.", note(page, "failed"))
      page:click "#uploads .failed button"
      assert(fs.write(root .. "/late", "before it")) -- the page does not know that
      page:set_files("#pick input", { files:path_of "late" })
      assert.equal("late is there already: nothing is overwritten.", note(page, "failed"))
      page:click "#uploads .failed button"
      page.failures = {} -- the browser has told of the 409
      assert(page:call "Network.enable")
      local network = { offline = true, latency = 0, downloadThroughput = -1, uploadThroughput = -1 }
      assert(page:call("Network.emulateNetworkConditions", network))
      files:write("again", "again")
      page:set_files("#pick input", { files:path_of "again" })
      assert.equal("The connection was lost, and nothing of it was kept.", note(page, "failed"))
      network.offline = false
      assert(page:call("Network.emulateNetworkConditions", network))
      page:click "#uploads .failed button"
      page:wait "document.querySelector('#list tr.fresh')"
      assert.equal("again", fs.read(root .. "/again"))
      assert.equal("Hello, World!", fs.read(root .. "/hello.txt"))
    end))

    it("an upload is cancelled, and files are dropped", served(function()
      start "--upload"
      local page <close> = open "/photos/"
      files:write("large.bin", ("0123456789"):rep(300000))
      assert(page:call "Network.enable")
      assert(page:call("Network.emulateNetworkConditions",
        { offline = false, latency = 0, downloadThroughput = -1, uploadThroughput = 300000 }))
      page:set_files("#pick input", { files:path_of "large.bin" })
      page:wait "document.querySelector('#uploads .running progress').value > 0"
      page:click "#uploads .running button"
      page:wait "document.getElementById('uploads').hidden"
      -- (The line stays slow: were it fast again, what was sent might arrive before the browser's end of it.)
      page:eval [[ (() => {
        const data = new DataTransfer();
        data.items.add(new File(["dropped"], "dropped.txt"));
        const options = { dataTransfer: data, bubbles: true, cancelable: true };
        document.body.dispatchEvent(new DragEvent("dragenter", options));
        if (!document.body.classList.contains("dropping")) throw Error("not marked");
        document.body.dispatchEvent(new DragEvent("drop", options));
        if (document.body.classList.contains("dropping")) throw Error("still marked");
      })() ]]
      page:wait "document.querySelector('#list tr.fresh')"
      assert.same({ "dropped.txt", "old" }, names "/photos")
      assert.same({}, page:errors())
    end))

    it("the form works without JavaScript", served(function()
      start "--upload"
      files:write("tea.txt", "tea")
      local page <close> = open "/none"
      assert(page:call("Emulation.setScriptExecutionDisabled", { value = true }))
      page:go("http://" .. address .. "/photos/")
      page:set_files("#pick input", { files:path_of "tea.txt" })
      local loads = page.loads
      page:click "#upload button"
      page:wait_load(loads)
      page:wait "document.querySelectorAll('#list tbody tr').length == 3"
      page:set_files("#pick input", { files:path_of "tea.txt" })
      loads = page.loads
      page:click "#upload button"
      page:wait_load(loads)
      page:wait "document.querySelector('h1').textContent == 'Not saved'"
      page:wait "document.body.innerText.includes('tea.txt is there already')"
      page:click ".failure a"
      page:wait "document.querySelector('h1').textContent == 'photos'"
    end))

    it("columns sort, nothing runs of what a name says, nothing of what was added", served(function()
      assert(fs.write(root .. "/photos/<img src=x onerror=alert(1)>", "1234"))
      assert(fs.write(root .. "/photos/a.html", "<script>alert(2)</script><p>added"))
      start "--upload"
      local page <close> = open "/photos/"
      local last = "document.querySelector('#list tbody tr:last-child bdi').textContent"
      assert.equal("a.html", page:eval(last))
      local function click(selector)
        local loads = page.loads
        page:click(selector)
        page:wait_load(loads)
      end
      click "th.name a"
      page:wait(last .. " != 'a.html'")
      click "th.size a"
      page:wait "document.querySelector('th.size').ariaSort == 'descending'"
      page:wait(last .. " != 'a.html'")
      page:go("http://" .. address .. "/photos/a.html")
      page:wait "document.body.innerText.includes('added')"
      assert.same({}, page.dialogs)
    end))
  end)
end)
