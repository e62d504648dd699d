-- scripts/notes.lua, as a program: its API; while it is changed, ended and killed no note is lost.
local neap, fs, json, test = require "neap", require "neap.fs", require "neap.json", require "neap.test"
local child, http, support = require "spec.support.child", require "spec.support.http", require "spec.support.notes"
local add, ask, copy, start, titles = support.add, support.ask, support.copy, support.start, support.titles
local reload, stop = support.reload, support.stop

describe("scripts/notes.lua", function()
  local files, file, script, notes, address

  before_each(function()
    files = test.tempdir()
    file, script = files:path_of "notes.json", copy(files)
    notes, address = start(script, file)
  end)

  after_each(function()
    if notes then stop(notes) end
  end)

  it("makes, shows, changes and removes notes", function()
    local note, answer = add(address, "tea", "buy some")
    assert.same({ "/api/notes/1", '"1-1"' }, { answer.headers.location, answer.headers.etag })
    assert.same({ 1, 1, "tea", "buy some", "plain", false },
      { note.id, note.version, note.title, note.text, note.color, note.pinned })
    local got = ask(address, "GET /api/notes/1")
    assert.same({ 200, note, "nosniff" }, { got.status, got.content, got.headers["x-content-type-options"] })
    assert.equal(304, ask(address, "GET /api/notes/1", nil, 'If-None-Match: "1-1"').status)
    local changed = ask(address, "PATCH /api/notes/1", { pinned = true }, 'If-Match: "1-1"')
    assert.same({ 200, '"1-2"', "tea", true },
      { changed.status, changed.headers.etag, changed.content.title, changed.content.pinned })
    changed = ask(address, "PUT /api/notes/1", { text = "all new" }, 'If-Match: "1-2"')
    assert.same({ 200, "", "all new", false },
      { changed.status, changed.content.title, changed.content.text, changed.content.pinned })
    assert.equal(204, ask(address, "DELETE /api/notes/1", nil, 'If-Match: "1-3"').status)
    assert.equal(404, ask(address, "GET /api/notes/1").status)
    assert.equal(2, add(address, "no id comes twice").id)
  end)

  it("lets nobody overwrite what they have not seen", function()
    add(address, "tea", "one")
    for _, method in ipairs { "PUT", "PATCH", "DELETE" } do
      assert.equal(428, ask(address, method .. " /api/notes/1", { text = "x" }).status)
    end
    assert.equal(200, ask(address, "PATCH /api/notes/1", { text = "two" }, 'If-Match: "1-1"').status)
    for _, method in ipairs { "PUT", "PATCH", "DELETE" } do
      local late = ask(address, method .. " /api/notes/1", { text = "x" }, 'If-Match: "1-1"')
      assert.same({ 412, '"1-2"', "two" }, { late.status, late.headers.etag, late.content.note.text })
    end
    local won = 0
    neap.group(function(group)
      for i = 1, 10 do
        group:go(function()
          local answer = ask(address, "PATCH /api/notes/1", { text = "by " .. i }, 'If-Match: "1-2"')
          if answer.status == 200 then won = won + 1 else assert.equal(412, answer.status) end
        end)
      end
    end)
    assert.equal(1, won)
  end)

  it("says what is wrong, field by field, and takes none of it", function()
    local wrong = { title = ("ä"):rep(201), text = 1, color = "red", pinned = 0, x = 1 }
    local answer = ask(address, "POST /api/notes", wrong)
    assert.equal(422, answer.status)
    assert.same({
      title = "is too long: at most 200 characters", text = "is not a text", x = "is no field of a note",
      color = "is one of plain, yellow, green, blue, pink", pinned = "is true or false",
    }, answer.content.errors)
    for _, body in ipairs { "[]", "null", "1", '""', "{}", '{"title": " ", "text": "\\n"}', '{"title": "a\\u0000"}',
      '{"title": null, "text": "a"}', '{"color": {}, "text": "a"}' } do
      assert.equal(422, ask(address, "POST /api/notes", body).status, body)
    end
    for _, body in ipairs { "", "{", '{"title": "\xff"}', ("["):rep(5000) } do
      assert.equal(400, ask(address, "POST /api/notes", body).status)
    end
    assert.equal(413, ask(address, "POST /api/notes", { text = ("x"):rep(200000) }).status)
    local client <close> = http.connect(address)
    client:send(http.post("/api/notes", "title=a", "Content-Type: application/x-www-form-urlencoded"))
    assert.equal(415, client:response().status)
    for _, id in ipairs { "0", "-1", "1.0", "1e0", "01", "x", "%00", "..%2f1", ("9"):rep(100) } do
      assert.equal(404, ask(address, "GET /api/notes/" .. id).status, id)
    end
    assert.equal(405, ask(address, "DELETE /api/notes").status)
    assert.equal(404, ask(address, "GET /notes/store.lua").status)
    assert.same({}, titles(address))
  end)

  it("is searched, sorted, and taken in pages", function()
    for i, title in ipairs { "Beta", "alpha", "Gamma" } do add(address, title, "number " .. i) end
    assert.equal(200, ask(address, "PATCH /api/notes/1", { text = "last" }, 'If-Match: "1-1"').status)
    assert.same({ "Beta", "Gamma", "alpha" }, titles(address))
    assert.same({ "Gamma", "alpha", "Beta" }, titles(address, "?sort=created"))
    assert.same({ "alpha", "Beta", "Gamma" }, titles(address, "?sort=title"))
    assert.same({ "Beta" }, titles(address, "?sort=title&limit=1&offset=1"))
    assert.same({}, titles(address, "?offset=3"))
    assert.same({ "alpha" }, titles(address, "?q=NUMBER+alph"))
    assert.same({}, titles(address, "?q=%25a"))
    assert.equal(2, ask(address, "GET /api/notes?q=number&limit=1").content.total)
    for _, query in ipairs { "limit=0", "limit=10001", "limit=x", "offset=-1", "sort=x", "q=" .. ("a+"):rep(11) } do
      local answer = ask(address, "GET /api/notes?" .. query)
      assert.same({ 422, "string" }, { answer.status, type(answer.content.errors[query:match "%l+"]) })
    end
  end)

  it("tells what changes, also to who was cut off", function()
    local from = ask(address, "GET /api/notes").content.revision
    add(address, "tea")
    local client <close> = http.connect(address)
    client:send(http.get("/api/events?after=" .. from))
    assert.equal("text/event-stream", client:head().headers["content-type"])
    local heard = ""
    local function hears(text)
      while not heard:find(text, 1, true) do heard = heard .. assert(client:chunk()) end
    end
    hears '"title":"tea"'
    assert.equal(204, ask(address, "DELETE /api/notes/1", nil, "If-Match: *").status)
    hears "event: gone\ndata: 1\n\n"
    reload(notes, 2)
    repeat until not client:chunk() -- ends in good order
    local other <close> = http.connect(address)
    other:send(http.get("/api/events?after=nonsense"))
    other:head()
    heard = ""
    repeat heard = heard .. assert(other:chunk()) until heard:find("event: refresh", 1, true)
  end)

  it("has a page whose parts are kept, and asked for again", function()
    for path, kind in pairs { ["/"] = "text/html; charset=utf-8", ["/notes.css"] = "text/css; charset=utf-8",
      ["/notes.js"] = "text/javascript; charset=utf-8", ["/icon.svg"] = "image/svg+xml" } do
      local client <close> = http.connect(address)
      client:send(http.get(path))
      local answer = client:response()
      assert.same({ 200, kind }, { answer.status, answer.headers["content-type"] })
      if path ~= "/" then -- that has a script in it that knows its version
        assert.equal("max-age=0", answer.headers["cache-control"])
        client:send(http.get(path, "If-None-Match: " .. answer.headers.etag))
        assert.equal(304, client:response().status)
      end
      client:send(http.request("HEAD " .. path))
      assert.equal(200, client:response({ head = true }).status)
    end
    local wrong = ask(address, "DELETE /api/notes")
    assert.same({ 405, "GET, HEAD, OPTIONS, POST" }, { wrong.status, wrong.headers.allow })
    for _, path in ipairs { "/../notes.lua", "/%2e%2e/store.lua", "/nosuch", "/api/nosuch", "/index.html/" } do
      local client <close> = http.connect(address)
      client:send(http.get(path))
      assert.equal(404, client:response().status, path)
    end
  end)

  it("is for names of this machine", function()
    for _, host in ipairs { "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.1" } do
      assert.equal(421, ask(address, "GET /", nil, "Host: " .. host).status, host)
    end
    for _, host in ipairs { address, "localhost:1", "[::1]:80", "notes.localhost" } do
      assert.equal(200, ask(address, "GET /", nil, "Host: " .. host).status, host)
    end
  end)

  it("loses no note while it is changed", function()
    local made, people = 0, {}
    for person = 1, 3 do
      people[person] = neap.go(function()
        for i = 1, 30 do
          add(address, ("%d-%d"):format(person, i))
          made = made + 1
        end
      end)
    end
    local source = assert(fs.read(script))
    for i = 2, 5 do
      test.eventually(function() return made >= (i - 1) * 15 end, 20)
      files:write("notes.lua", source .. "-- " .. i)
      reload(notes, i)
    end
    for _, person in ipairs(people) do person:join() end
    assert.equal(90, made)
    assert.equal(90, ask(address, "GET /api/notes").content.total)
    assert.equal(90, #json.decode(fs.read(file)).notes)
  end)

  it("has all that it answered in its file, however it ends", function()
    for _, signal in ipairs { "TERM", "KILL" } do
      local before = ask(address, "GET /api/notes").content.total
      local made, people = 0, {}
      for person = 1, 4 do
        people[person] = neap.go(function()
          while pcall(add, address, "note " .. person) do made = made + 1 end
        end)
      end
      test.eventually(function() return made > 20 end, 20)
      notes:signal(signal)
      notes:wait()
      for _, person in ipairs(people) do person:join() end
      local content = json.decode(fs.read(file))
      assert.is_true(#content.notes >= before + made)
      notes:__close()
      notes, address = start(script, file)
      assert.equal(#content.notes, ask(address, "GET /api/notes?limit=1").content.total)
    end
    notes:signal "TERM" -- here, because its files go with this spec
    notes:wait()
    notes:__close()
    notes = nil
  end)

  it("changes nothing when the disk is full", function()
    local other = files:path_of "other.json"
    local limited <close>, where = start(script, other, { before = "ulimit -f 8" })
    add(where, "tea")
    local text = fs.read(other)
    local from = ask(where, "GET /api/notes").content.revision
    for _, request in ipairs { { "POST /api/notes" }, { "PUT /api/notes/1", "If-Match: *" } } do
      local answer = ask(where, request[1], { text = ("x"):rep(9000) }, request[2])
      assert.same({ 503, "it could not be saved; nothing has changed" }, { answer.status, answer.content.detail })
    end
    assert.same({ "tea" }, titles(where))
    assert.equal(text, fs.read(other))
    local client <close> = http.connect(where)
    client:send(http.get("/api/events?after=" .. from)) -- who has seen it meanwhile is told to look again
    client:head()
    local heard = ""
    repeat heard = heard .. assert(client:chunk()) until heard:find("event: refresh", 1, true)
    assert.equal(201, ask(where, "POST /api/notes", { text = "small" }).status)
    limited:signal "TERM"
    assert.equal(0, (limited:wait()))
  end)

  it("leaves a file alone that is not its own", function()
    files:write("other.json", "{ not ours")
    local other <close> = child.start { script, "127.0.0.1:0", files:path_of "other.json" }
    local code, out, err = other:wait()
    assert.same({ 1, "" }, { code, out })
    assert.matches("^notes: .*other%.json: ", err)
    assert.equal("{ not ours", files:read "other.json")
    for _, arguments in ipairs { { "nonsense" }, { "--help" }, { "127.0.0.1:0", file, "more" } } do
      local wrong <close> = child.start { script, table.unpack(arguments) }
      code, out, err = wrong:wait()
      assert.same({ 2, "" }, { code, out })
      assert.matches("^usage: neap scripts/notes%.lua [^\n]*\n$", err)
    end
  end)
end)
