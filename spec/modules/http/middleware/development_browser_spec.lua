-- middleware.development as a browser sees it: pages that are open follow the program.
local browsers, start_app = require "spec.support.browser", require "spec.support.app"
local test = require "neap.test"
local it = browsers.it(it, pending) -- luacheck: ignore 431

-- Counts how often its page was loaded, over all versions.
local function version(text, more)
  return ([[
    http, middleware = require "neap.http", require "neap.http.middleware"
    loads = hot.state("loads", function() return { count = 0 } end)
    app = http.router():use(middleware.development())
    app:get("/", function()
      loads.count = loads.count + 1
      return http.html("<!doctype html><link rel=icon href='data:,'><title>%s</title><body><p>%s</p></body>", 200,
        { ["content-security-policy"] = "default-src 'self'; img-src data:" })
    end)
    app:post("/sent", function() return http.html "<p>sent to %s" end)
    app:get("/form", function() return http.html "<form method=post action=sent><button>Send</button></form>" end)
    %s
    server = assert(http.serve(address or "127.0.0.1:0", app))
  ]]):format(text, text, text, more or "")
end

describe("a page in development mode", function()
  local browser

  setup(function() browser = browsers.open() end)
  teardown(function() browsers.close(browser) end)

  local function open(app, path, options)
    return browser:page("http://" .. app:eval "return server.address" .. (path or "/"), options)
  end

  local function shows(page, text)
    page:wait(("document.body.innerText.includes(%q)"):format(text))
  end

  -- The stream is there: what comes now is told.
  local function is_listening(app, count)
    test.eventually(function()
      local tasks = 0
      for _, work in ipairs(app:status().generations[1].tasks) do
        if work.name == "request" then tasks = tasks + 1 end
      end
      return tasks == (count or 1)
    end, 20)
  end

  it("is loaded once for each version, and keeps no old one", function()
    local app <close> = start_app(version "one")
    local page <close> = open(app)
    for i, text in ipairs { "two", "three", "four" } do
      assert(app:reload(version(text)))
      shows(page, text)
      app:forgets_old()
      assert.equal(i + 1, app:eval "return loads.count")
    end
    is_listening(app)
    assert.equal(4, app:eval "return loads.count")
    assert.same({}, page:errors())
    app:ends()
  end)

  it("also while it is being loaded", function()
    local app <close> = start_app(version "0")
    local page <close> = open(app)
    for i = 1, 5 do
      assert(app:reload(version(i .. "")))
      if i % 2 == 0 then page:eval "location.reload()" end
    end
    shows(page, "5")
    app:forgets_old()
    app:ends()
  end)

  it("follows when it is seen again, and holds no connection before", function()
    local app <close> = start_app(version "one")
    local page <close> = open(app)
    is_listening(app)
    local tab <close> = page:tab("http://" .. app:eval "return server.address" .. "/form")
    assert.equal("hidden", page:wait "document.visibilityState == 'hidden' && document.visibilityState")
    is_listening(app)
    assert(app:reload(version "two"))
    app:forgets_old()
    is_listening(app) -- the tab is back
    assert.equal("one", page:eval "document.title")
    page:show()
    shows(page, "two")
    tab:show()
    app:ends()
  end)

  it("tells of a version that does not load, is not loaded then, and goes on when it is mended", function()
    local app <close> = start_app(version "one", { flags = { "--watch" } })
    local page <close> = open(app)
    is_listening(app)
    app:save("app.lua", "local a = 1\nlocal b = = '<b>'\n")
    local notice = "document.querySelector('neap-notice')"
    local text = page:wait(notice .. "?.shadowRoot.textContent")
    assert.matches("Not reloaded", text, 1, true)
    assert.matches("app.lua:2: unexpected symbol near '='", text, 1, true)
    assert.matches(" > 2 | local b = = '<b>'", text, 1, true)
    assert.equal("rgb(26, 30, 37)", page:eval("getComputedStyle(" .. notice
      .. ".shadowRoot.querySelector('div')).backgroundColor"))
    page:eval(notice .. ".shadowRoot.querySelector('button').click()")
    assert.is_true(page:eval(notice .. " === null"))
    app:save("app.lua", "and another error")
    page:wait(notice .. "?.shadowRoot.textContent.includes(\"near 'and'\")")
    app:save("app.lua", version "one")
    page:wait(notice .. " === null")
    assert.equal(1, app:eval "return loads.count")
    app:save("app.lua", version "two")
    shows(page, "two")
    assert.equal(2, app:eval "return loads.count")
    assert.same({}, page:errors())
    app:ends()
  end)

  it("that shows an error is the page itself, as soon as that is mended", function()
    local bad = 'app:get("/bad", function() local t = nil return t.x end)'
    local app <close> = start_app(version("one", bad))
    local page <close> = open(app, "/bad")
    assert.equal("attempt to index a nil value (local 't')", page:eval "document.querySelector('h1').textContent")
    assert.equal(1, #page:errors()) -- that it was a 500: none of a policy
    assert(app:reload(version("two", 'app:get("/bad", function() return http.html "<p>good" end)')))
    shows(page, "good")
    app:eval "return 1"
  end)

  it("fits on a phone", function()
    local bad = 'app:get("/bad", function() error(("long"):rep(100)) end) --' .. ("x"):rep(300)
    local app <close> = start_app(version("one", bad))
    local page <close> = open(app, "/bad", { mobile = true, dark = true })
    assert.is_true(page:eval "document.documentElement.scrollWidth <= innerWidth")
    assert.equal("rgb(18, 21, 26)", page:eval "getComputedStyle(document.body).backgroundColor")
  end)

  it("that a form was sent for is not sent again", function()
    local app <close> = start_app(version "one")
    local page <close> = open(app, "/form")
    page:click "button"
    shows(page, "sent to one")
    assert(app:reload(version "two"))
    page:wait "document.querySelector('neap-notice')?.shadowRoot.textContent.includes('has changed')"
    assert.equal("sent to one", page:eval "document.body.innerText.trim()")
    app:ends()
  end)

  it("comes back when the program was started again", function()
    local app <close> = start_app(version "one")
    local address = app:eval "return server.address"
    local page <close> = open(app)
    is_listening(app)
    app:ends()
    local again <close> = start_app(('address = "%s"'):format(address) .. version "two")
    shows(page, "two")
    again:ends()
  end)

  -- ---- what was typed in -----------------------------------------------------------

  local FORM = [=[
    <link rel=icon href='data:,'><title>%s</title><form><input name=a autocomplete=off><input name=b value=start>
    <textarea id=c></textarea>
    <input type=checkbox name=d><input type=radio name=e value=1><input type=radio name=e value=2>
    <select name=f><option>x<option>y</select><input name=g><script>seen = []
    addEventListener("input", event => seen.push(event.target.name || event.target.id))</script></form>
  ]=]

  local function form(title, text)
    return version(title, ('app:get("/f", function() return http.html(%q) end)'):format((text or FORM):format(title)))
  end

  local function typed(page)
    return page:eval [=[(() => {
      const [a, b, c, d, e1, e2, f, g] = document.forms[0].elements;
      return [a.value, b.value, c.value, d.checked, e1.checked, e2.checked, f.value, g.value];
    })()]=]
  end

  local function title_is(page, title)
    page:wait(("document.title == %q && document.readyState == 'complete'"):format(title))
  end

  it("keeps what is being typed, and where", function()
    local app <close> = start_app(form "one")
    local page <close> = open(app, "/f")
    page:type("[name=a]", "half a th")
    page:type("[name=b]", "!")
    page:click "[name=d]"
    page:click "[name=e][value='2']"
    page:type("[name=f]", "y")
    page:type("#c", "two\nlines")
    page:eval "document.querySelector('#c').setSelectionRange(3, 3); true"
    local before = typed(page)
    assert.same({ "half a th", "two\nlines", true, false, true, "y", "" },
      { before[1], before[3], table.unpack(before, 4) })
    for i = 2, 3 do
      assert(app:reload(form(i .. "")))
      title_is(page, i .. "")
      page:wait "document.activeElement.id == 'c'"
      assert.same(before, typed(page))
      page:type("#c", ",") -- goes on there
      before[3] = before[3]:gsub("^two,*", "%0,")
    end
    assert.is_true(page:eval "seen.includes('a') && !seen.includes('g')") -- the page knows
    assert(app:reload(form "4"))
    title_is(page, "4")
    page:wait "document.activeElement.id == 'c'"
    assert.same(before, typed(page))
    assert.same({}, page:errors())
    app:ends()
  end)

  it("keeps it over an error, and says so where there is no field for it any more", function()
    local app <close> = start_app(form "one")
    local page <close> = open(app, "/f")
    page:type("[name=a]", "precious")
    assert(app:reload(version("two", 'app:get("/f", function() error "to be mended" end)')))
    page:wait "document.querySelector('h1')?.textContent == 'to be mended'"
    assert.matches("precious", page:wait "document.querySelector('neap-notice')?.shadowRoot.textContent", 1, true)
    assert(app:reload(form "three"))
    title_is(page, "three")
    page:wait "document.querySelector('[name=a]').value == 'precious'"
    app:ends()
  end)

  it("is not loaded while there is something that it could not keep", function()
    local html = "<title>%s</title><input type=password><p contenteditable>edit me</p><input type=file><input name=a>"
    local files = test.tempdir()
    local path = files:write("upload.txt", "upload")
    local app <close> = start_app(form("0", html))
    local page <close> = open(app, "/f")
    for count, selector in ipairs { "[type=password]", "p", "[type=file]" } do
      if selector:find "file" then page:set_files(selector, { path }) else page:type(selector, "abc") end
      assert(app:reload(form(count .. "", html)))
      page:wait "document.querySelector('neap-notice')?.shadowRoot.textContent.includes('would be lost')"
      assert.equal(count - 1 .. "", page:eval "document.title")
      page:eval "document.querySelector('neap-notice').shadowRoot.querySelector('button:not(.close)').click()"
      title_is(page, count .. "")
      if count == 1 then page:type("[name=a]", "the rest") end -- stays all the same
    end
    page:wait "document.querySelector('[name=a]').value == 'the rest'"
    app:ends()
  end)

  -- ---- in flight -------------------------------------------------------------------

  it("that was asked for before, and comes after another version, is loaded again", function()
    local slow = [=[
      gate = hot.state "gate"
      app:get("/slow", function()
        say "%s asked"
        while not gate.open do timer.sleep(0.005) end
        return http.html "<link rel=icon href='data:,'><title>slow %s</title>"
      end)
      local router = app
      function app(req)
        local response = router(req)
        if req.path == "/.neap/reload" then response.after = function() heard = true end end
        return response
      end
    ]=]
    local function program(text) return version(text, slow:format(text, text)) end
    local app <close> = start_app(program "one")
    local page <close> = open(app)
    is_listening(app)
    page:eval "setTimeout(() => { location.href = '/slow'; }); true"
    app:hears "one asked"
    assert(app:reload(program "two"))
    test.eventually(function() return app:eval "return heard" end, 20) -- and has closed the stream
    app:eval "gate.open = true"
    app:hears "two asked" -- and not "/" in between
    title_is(page, "slow two")
    assert.equal(1, app:eval "return loads.count")
    assert.same({}, page:errors())
    app:ends()
  end)

  -- ---- several of them -------------------------------------------------------------

  it("shares one stream with all others that are seen", function()
    local app <close> = start_app(version("one"), { flags = { "--watch" } })
    local pages <close> = setmetatable({ open(app) }, { __close = function(pages) -- luacheck: ignore
      for _, page in ipairs(pages) do page:close() end
    end })
    for i = 2, 5 do pages[i] = pages[1]:tab("http://" .. app:eval "return server.address" .. "/", { window = true }) end
    is_listening(app)
    local function are(js)
      for _, page in ipairs(pages) do
        assert.equal("visible", page:eval "document.visibilityState")
        page:wait(js)
      end
      is_listening(app)
    end
    app:save("app.lua", "and not Lua")
    are "document.querySelector('neap-notice')?.shadowRoot.textContent.includes('not Lua')"
    local late <close> = pages[1]:tab("http://" .. app:eval "return server.address" .. "/", { window = true })
    late:wait "document.querySelector('neap-notice')?.shadowRoot.textContent.includes('not Lua')" -- is told
    app:save("app.lua", version "two")
    are "document.title == 'two' && !document.querySelector('neap-notice')"
    late:wait "document.title == 'two'"
    table.remove(pages, 1):close() -- perhaps the one that has the stream
    table.remove(pages, 1):close()
    is_listening(app)
    app:save("app.lua", version "three")
    are "document.title == 'three'"
    app:ends()
  end)
end)
