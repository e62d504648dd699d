-- The page of scripts/files.lua, in a browser: files are sent by it, and dropped on it; what a name or a file says is
-- never run.
local fs = require "neap.fs"
local browsers, support = require "spec.support.browser", require "spec.support.files"
local names, served = support.names, support.served
local it = browsers.it(it, pending) -- luacheck: ignore 431

describe("scripts/files.lua in a browser", function()
  local files, root, address, browser

  before_each(function() files, root = support.prepare() end)

  setup(function() browser = browsers.open() end)
  teardown(function() browsers.close(browser) end)

  local function start(...)
    address = support.start(...)
  end

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
