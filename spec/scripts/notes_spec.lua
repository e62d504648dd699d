-- scripts/notes.lua, as a program: its API and its page; while it is changed, ended and killed no note is lost.
local neap, fs, json, test = require "neap", require "neap.fs", require "neap.json", require "neap.test"
local browsers, child = require "spec.support.browser", require "spec.support.child"
local http = require "spec.support.http"

local JSON = "Content-Type: application/json"

-- A copy that may be changed; it is told where its files are.
local function copy(files)
  local public = "notes/public"
  assert(fs.mkdir(files:path_of(public), { parents = true }))
  for _, name in ipairs { "notes.lua", "notes/store.lua", public .. "/index.html", public .. "/notes.css",
    public .. "/notes.js", public .. "/icon.svg" } do
    assert(fs.write(files:path_of(name), assert(fs.read("scripts/" .. name))))
  end
  return files:path_of "notes.lua"
end

local function start(script, file, options)
  options = options or {}
  options.under = "setsid" -- SIGHUP reloads it
  local notes = child.start({ script, "127.0.0.1:0", file }, options)
  local where = notes:line():match "^notes: listening on http://(.+)$"
  assert.equal("notes: kept in " .. file, notes:line())
  return notes, where
end

-- The answer, its body decoded.
local function ask(address, line, body, ...)
  local client <close> = http.connect(address)
  if type(body) == "table" then body = json.encode(body) end
  client:send(http.request(line, body, JSON, ...))
  local answer = client:response()
  if answer.body ~= "" then answer.content = json.decode(answer.body) end
  return answer
end

local function add(address, title, text)
  local answer = ask(address, "POST /api/notes", { title = title, text = text })
  assert.equal(201, answer.status, answer.body)
  return answer.content, answer
end

local function titles(address, query)
  local list = {}
  for i, note in ipairs(ask(address, "GET /api/notes" .. (query or "")).content.notes) do list[i] = note.title end
  return list
end

describe("scripts/notes.lua", function()
  local files, file, script, notes, address

  before_each(function()
    files = test.tempdir()
    file, script = files:path_of "notes.json", copy(files)
    notes, address = start(script, file)
  end)

  after_each(function()
    if not notes then return end
    local ending <close> = notes -- luacheck: ignore
    notes:signal "TERM"
    assert.equal(0, (notes:wait()))
  end)

  local function reload(number)
    notes:signal "HUP"
    test.eventually(function() return notes:stderr():find(("generation %d is live"):format(number), 1, true) end, 20)
  end

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
    reload(2)
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
      reload(i)
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

  describe("in a browser", function()
    local it = browsers.it(it, pending) -- luacheck: ignore 431
    local browser

    setup(function() browser = browsers.open() end)
    teardown(function() browsers.close(browser) end)

    local function open(options)
      local page = browser:page("http://" .. address .. "/", options)
      page:wait "document.getElementById('state').className == 'open'"
      return page
    end

    local function shows(page, text)
      page:wait(("document.getElementById('list').innerText.includes(%q)"):format(text))
    end

    it("notes are written, changed and deleted, in all windows", function()
      local page <close> = open()
      local other <close> = open { mobile = true, dark = true }
      page:click "#new"
      page:type("#title", "tea")
      page:type("#text", "buy <b>some</b>")
      page:click "#save"
      shows(other, "buy <b>some</b>")
      page:click ".card h2 button"
      page:type("#text", " more")
      page:click "#save"
      page:wait "!document.querySelector('.busy')"
      other:wait "document.querySelector('.card .body').textContent.includes('more')"
      page:click ".card .remove"
      other:wait "document.querySelectorAll('.card').length == 0"
      assert.same({}, page:errors())
      assert.same({}, other:errors())
    end)

    it("nothing runs of what a note says", function()
      local attack = "<img src=x onerror=alert(1)><script>alert(2)</script>"
      add(address, attack, attack)
      local page <close> = open()
      shows(page, attack)
      assert.same({ {}, {} }, { page.dialogs, page:errors() })
      assert.equal(0, page:eval "document.querySelectorAll('#list img, #list script').length")
    end)

    -- Of a form that is open
    local function value(page, name)
      return page:eval(("document.getElementById('form').elements.%s.value"):format(name))
    end

    it("a note that two change shows both, and nothing is lost", function()
      add(address, "tea", "one")
      local mine <close> = open()
      mine:click ".card h2 button"
      mine:type("#text", ", mine")
      assert.equal(200, ask(address, "PATCH /api/notes/1", { text = "theirs" }, "If-Match: *").status)
      mine:wait "!document.getElementById('conflict').hidden"
      assert.matches("theirs", mine:eval "document.getElementById('conflict').innerText", 1, true)
      assert.is_true(mine:eval "document.getElementById('save').disabled")
      assert.equal("one, mine", value(mine, "text"))
      mine:click "#mine"
      mine:click "#save"
      shows(mine, "one, mine")
      mine:wait "!document.querySelector('.busy')"
      assert.equal("one, mine", ask(address, "GET /api/notes/1").content.text)
      mine:click ".card h2 button"
      mine:type("#text", ", again")
      assert.equal(204, ask(address, "DELETE /api/notes/1", nil, "If-Match: *").status)
      mine:wait "document.getElementById('conflict').innerText.includes('was deleted elsewhere')"
      mine:click "#mine" -- as a new note
      mine:click "#save"
      shows(mine, "one, mine, again")
      mine:wait "!document.querySelector('.busy')"
      assert.equal(2, ask(address, "GET /api/notes").content.notes[1].id)
      assert.same({}, mine:errors())
    end)

    it("a change that came too late opens again, with what the note says now", function()
      add(address, "tea", "one")
      local page <close> = open()
      page:eval "window.EventSource = class { addEventListener() {} close() {} }; disconnect(); listen(); true"
      assert.equal(200, ask(address, "PATCH /api/notes/1", { text = "theirs" }, "If-Match: *").status)
      page:click ".card h2 button"
      page:type("#text", ", mine")
      page:click "#save"
      page:wait "!document.getElementById('conflict').hidden"
      assert.equal("one, mine", value(page, "text"))
      page:click "#theirs"
      page:wait "document.getElementById('form').elements.text.value == 'theirs'"
    end)

    it("keys are enough", function()
      local page <close> = open()
      page:type(nil, "n")
      page:wait "document.activeElement.id == 'title'"
      page:type(nil, "by keys\n")
      page:wait "document.activeElement.id == 'text'"
      page:type(nil, "all of it")
      page:key("Enter", { ctrl = true })
      shows(page, "all of it")
      page:wait "!document.querySelector('.busy')"
      page:eval "document.activeElement.blur(); true"
      page:type(nil, "/")
      page:wait "document.activeElement.id == 'search'"
      page:type(nil, "nosuch")
      page:wait "document.querySelectorAll('.card').length == 0"
      page:key "Escape"
      page:wait "document.querySelectorAll('.card').length == 1"
      page:eval "document.querySelector('.card h2 button').focus(); true"
      page:type(nil, "\n")
      page:wait "document.getElementById('editor').open"
      page:wait "document.activeElement.id == 'text'"
      page:type(nil, "!")
      page:key "Escape"
      page:wait "!document.getElementById('editor').open && document.querySelector('.toast')" -- still one click away
      assert.equal("all of it", ask(address, "GET /api/notes/1").content.text)
      assert.same({}, page:errors())
    end)

    it("a tab that is not seen holds no connection, and is told when it is seen again", function()
      add(address, "tea")
      local page <close> = open()
      local tabs <close> = setmetatable({}, { __close = function(tabs) -- luacheck: ignore
        for _, tab in ipairs(tabs) do tab:close() end
      end })
      for i = 1, 6 do -- so many connections there are for all of them
        tabs[i] = page:tab("http://" .. address .. "/")
        tabs[i]:wait "document.getElementById('state').className == 'open'"
      end
      add(address, "made meanwhile")
      assert.equal(204, ask(address, "DELETE /api/notes/1", nil, "If-Match: *").status)
      shows(tabs[6], "made meanwhile")
      assert.equal("hidden", page:eval "document.visibilityState")
      assert.is_false(page:eval "list.innerText.includes('made meanwhile')")
      page:show()
      shows(page, "made meanwhile")
      page:wait "document.querySelectorAll('.card').length == 1"
      assert.equal(1, page:eval "performance.getEntriesByName(location.href + 'api/notes?limit=10000').length")
      assert.same({}, page:errors())
    end)

    it("what could not be saved is offered again, also after a load", function()
      local page <close> = open()
      page:eval "window.fetch = () => Promise.reject(new TypeError('no')); true"
      page:click "#new"
      page:type("#title", "precious")
      page:click "#save"
      page:wait "document.querySelector('.toast.wrong')?.innerText.includes('precious')"
      page:go("http://" .. address .. "/")
      page:wait "document.querySelector('.toast.wrong')?.innerText.includes('precious')"
      page:click ".toast.wrong button"
      page:wait "document.getElementById('form').elements.title.value == 'precious'"
      page:click "#save"
      shows(page, "precious")
      page:wait "!document.querySelector('.busy')"
      assert.equal(1, ask(address, "GET /api/notes").content.total)
      page:go("http://" .. address .. "/")
      page:wait "document.getElementById('state').className == 'open'"
      assert.equal(0, page:eval "document.querySelectorAll('.toast').length")
    end)

    it("but not what arrived, though its answer was lost", function()
      local page <close> = open()
      page:eval [=[
        const real = window.fetch;
        window.fetch = async (...all) => { await real(...all); throw new TypeError("lost"); };
        true
      ]=]
      page:click "#new"
      page:type("#title", "once")
      page:click "#save"
      shows(page, "once")
      page:wait "document.querySelectorAll('.toast').length == 0 && !document.querySelector('.busy')"
      page:go("http://" .. address .. "/")
      shows(page, "once")
      assert.equal(0, page:eval "document.querySelectorAll('.toast').length")
      assert.equal(1, ask(address, "GET /api/notes").content.total)
    end)

    it("many of them are a page of some, and more on demand", function()
      local list = {}
      for i = 1, 450 do
        list[i] = { id = i, version = 1, title = "note " .. i, text = "", color = "plain", pinned = false, created = i,
          updated = i }
      end
      local many = files:write("many.json", (json.encode { next_id = 451, notes = list }))
      local other <close>, where = start(script, many)
      local page <close> = browser:page("http://" .. where .. "/")
      page:wait "document.querySelectorAll('.card').length == 200"
      page:click "#more"
      page:wait "document.querySelectorAll('.card').length == 400"
      page:type("#search", "note 449")
      page:wait "document.querySelectorAll('.card').length == 1 && document.getElementById('more').hidden"
      other:signal "TERM"
      assert.equal(0, (other:wait()))
    end)

    it("a version that does not load never goes live, and the page says so, before what is being written", function()
      add(address, "tea", "one")
      local page <close> = open()
      page:click ".card h2 button"
      page:type("#text", ", two")
      local source = assert(fs.read(script))
      files:write("notes.lua", source .. "\nlocal broken = = 1\n")
      notes:signal "HUP"
      local text = page:wait "document.querySelector('neap-notice:popover-open')?.shadowRoot.textContent"
      assert.matches("unexpected symbol near '='", text, 1, true)
      assert.matches(" | local broken = = 1", text, 1, true)
      assert.equal("one, two", value(page, "text"))
      page:click "#save"
      page:wait "!document.querySelector('.busy') && !document.getElementById('editor').open"
      assert.equal("one, two", ask(address, "GET /api/notes/1").content.text)
      page:eval "document.querySelector('neap-notice').shadowRoot.querySelector('button.close').click(); true"
      page:wait "!document.querySelector('neap-notice')"
      files:write("notes.lua", source .. "\n-- mended\n")
      local loads = page.loads
      notes:signal "HUP"
      page:wait_load(loads)
      shows(page, "one, two")
      assert.same({}, page:errors())
    end)

    it("a change of the program is live, and what is being written stays", function()
      add(address, "tea", "one")
      local page <close> = open()
      page:click "#new"
      page:type("#title", "half a th")
      local source = assert(fs.read(script))
      files:write("notes.lua", (source:gsub('return http%.json%(note, status', 'note = { id = note.id }\n  %0')))
      local html = assert(fs.read(files:path_of "notes/public/index.html"))
      files:write("notes/public/index.html", (html:gsub("<h1>Notes", "<h1>Other notes")))
      local loads = page.loads
      reload(2)
      page:wait_load(loads)
      page:wait "document.querySelector('h1').textContent == 'Other notes'"
      page:wait "document.getElementById('title').value == 'half a th'"
      shows(page, "tea")
    end)
  end)
end)
