-- The page of scripts/notes.lua, in a browser: by mouse and by keys, in several windows, while the program changes.
local fs, json, test = require "neap.fs", require "neap.json", require "neap.test"
local browsers, support = require "spec.support.browser", require "spec.support.notes"
local add, ask, copy, start = support.add, support.ask, support.copy, support.start
local reload, stop = support.reload, support.stop
local it = browsers.it(it, pending) -- luacheck: ignore 431

describe("the page of scripts/notes.lua:", function()
  local files, file, script, notes, address, browser

  before_each(function()
    files = test.tempdir()
    file, script = files:path_of "notes.json", copy(files)
    notes, address = start(script, file)
  end)

  after_each(function() stop(notes) end)

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
    reload(notes, 2)
    page:wait_load(loads)
    page:wait "document.querySelector('h1').textContent == 'Other notes'"
    page:wait "document.getElementById('title').value == 'half a th'"
    shows(page, "tea")
  end)
end)
