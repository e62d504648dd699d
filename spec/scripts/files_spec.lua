-- scripts/files.lua, as a program: what it shows, and to whom. (Uploads and its page have specs of their own.)
local neap, fs = require "neap", require "neap.fs"
local timer = require "neap.timer"
local child, http, support = require "spec.support.child", require "spec.support.http", require "spec.support.files"
local ask, send, served, stop = support.ask, support.send, support.served, support.stop

local TO_PROGRAMS, TO_PEOPLE = "Accept: application/json", "Accept: text/html"

describe("scripts/files.lua", function()
  local files, root, script, address

  before_each(function() files, root, script = support.prepare() end)

  local function start(...)
    address = support.start(...)
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

  -- ---- whom it is for -----------------------------------------------------------

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
end)
