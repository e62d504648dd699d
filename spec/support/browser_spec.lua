-- The browser that specs use, against pages that are known.
local browsers = require "spec.support.browser"
local http, process, test = require "neap.http", require "neap.process", require "neap.test"
local it = browsers.it(it, pending) -- luacheck: ignore 431

local PAGE = [[<!doctype html><title>first</title><link rel="icon" href="data:,">
<form action="/second" method="get"><input name="text"><input type="file" name="file" hidden><button>Go</button></form>
<div style="height: 3000px"></div><a href="/second?text=link" onclick="window.clicked = event.isTrusted">far down</a>
<script>
const seen = [];
document.querySelector("[name=text]").addEventListener("keydown", event => seen.push(event.key));
</script>]]

describe("spec.support.browser", function()
  local browser, server

  setup(function()
    browser = browsers.open()
    server = assert(http.serve("127.0.0.1:0", function(req)
      local headers = { ["content-type"] = "text/html; charset=utf-8" }
      if req.path == "/second" then return { headers = headers, body = "<p>" .. (req.query.text or "") } end
      if req.path == "/broken" then
        local body = "<script>console.error('one', 2); setTimeout(() => nosuch())</script><img src=/nosuch.png>"
        return { headers = headers, body = body .. "<script>alert('hi')</script>" }
      end
      if req.path == "/cookie" then headers["set-cookie"] = "who=" .. req.query.who end
      if req.path == "/nosuch.png" then return 404, "" end
      return { headers = headers, body = PAGE }
    end))
  end)

  teardown(function()
    server:close()
    browsers.close(browser)
  end)

  local function open(path, options)
    return browser:page("http://" .. server.address .. path, options)
  end

  it("loads a page and evaluates in it", function()
    local page <close> = open "/"
    assert.equal("first", page:eval "document.title")
    assert.same({ a = { 1, 2.5, "ü" }, b = true }, page:eval "({ a: [1, 2.5, 'ü'], b: true })")
    assert.equal(42, page:eval "new Promise(resolve => setTimeout(() => resolve(42), 5))")
    assert.is_nil(page:eval "undefined")
    assert.is_nil(page:eval "null")
    assert.has_error(function() page:eval "nosuch" end)
    assert.has_error(function() page:eval "Promise.reject(new Error('no'))" end)
    assert.same({}, page:errors())
  end)

  it("types, clicks, waits", function()
    local page <close> = open "/"
    page:type("[name=text]", "mönd 1\n")
    assert.equal("mönd 1", page:wait "document.querySelector('p')?.textContent")
    page:go("http://" .. server.address .. "/")
    page:type("[name=text]", "ab")
    assert.same({ "a", "b" }, page:eval "seen")
    page:click "button"
    assert.equal("ab", page:wait "document.querySelector('p')?.textContent")
    page:go("http://" .. server.address .. "/")
    page:click "a"
    assert.equal("link", page:wait "document.querySelector('p')?.textContent")
    local ok, message = pcall(page.wait, page, "document.title == 'no'", 0.05)
    assert.is_false(ok)
    assert.matches("not true within 0.05 s: document.title == 'no'", message, 1, true)
    assert.matches("/second?text=link: link", message, 1, true)
    assert.has_error(function() page:wait "nosuch.thing" end)
  end)

  it("chooses files", function()
    local page <close> = open "/"
    local files = test.tempdir()
    page:set_files("[name=file]", { files:write("one.txt", "one"), files:write("ü.txt", "two") })
    assert.same({ "one.txt", "one" }, page:eval [[(async () => {
      const file = document.querySelector("[name=file]").files[0];
      return [file.name, await file.text()];
    })()]])
  end)

  it("tells what fails in a page, and answers its dialogs", function()
    local page <close> = open "/broken"
    assert.same({ "hi" }, page.dialogs)
    page:wait "document.images[0].complete"
    local failures = table.concat(test.eventually(function()
      return #page:errors() == 3 and page:errors()
    end), "\n")
    assert.matches("one 2", failures, 1, true)
    assert.matches("nosuch is not defined", failures, 1, true)
    assert.matches("404.*/nosuch.png", failures)
    assert.has_error(function() page:go "http://127.0.0.1:1/" end)
  end)

  it("gives each page cookies of its own, and tabs the same", function()
    local one <close> = open "/cookie?who=ann"
    local two <close> = open "/cookie?who=bob"
    local tab <close> = one:tab("http://" .. server.address .. "/")
    assert.equal("who=ann", one:eval "document.cookie")
    assert.equal("who=bob", two:eval "document.cookie")
    assert.equal("who=ann", tab:eval "document.cookie")
  end)

  it("reaches nothing but this machine", function()
    local page <close> = browser:page()
    assert.has_error(function() page:go "http://example.org/" end)
  end)

  it("takes pictures, of a phone too, in the dark too", function()
    local files = test.tempdir()
    local page <close> = open "/"
    local phone <close> = open("/", { mobile = true, dark = true })
    assert.is_true(phone:eval "matchMedia('(prefers-color-scheme: dark)').matches")
    assert.is_false(page:eval "matchMedia('(prefers-color-scheme: dark)').matches")
    local sizes = {}
    for i, args in ipairs { { page }, { page, { full = true } }, { phone } } do
      args[1]:screenshot(files:path_of "page.png", args[2])
      local width, height = (">I4I4"):unpack(files:read "page.png", 17)
      sizes[i] = { width, height }
    end
    assert.same({ 1280, 780, true }, { sizes[1][1], phone:eval "screen.width" * 2, sizes[2][2] > 3000 })
    assert.equal(780, sizes[3][1])
  end)

  it("serves several tasks at once", function()
    local neap = require "neap"
    local page <close> = open "/"
    local got = {}
    neap.group(function(group)
      for i = 1, 10 do
        group:go(function()
          got[i] = page:eval(("new Promise(resolve => setTimeout(() => resolve(%d), %d))"):format(i, 20 - i))
        end)
      end
    end)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, got)
  end)

  it("leaves nothing behind", function()
    local other = browsers.open()
    local pid, path = other.child.pid, other.files.path
    other:page("http://" .. server.address .. "/")
    other:close()
    test.eventually(function() return not process.kill(-pid, 0) end) -- its group: what was killed has to be reaped
    assert.is_nil(io.open(path))
    assert.equal("", process.run({ "pgrep", "-f", path }).stdout)
    other:close()
  end)

  it("does not wait for a browser that dies", function()
    local other <close> = browsers.open()
    local page = other:page("http://" .. server.address .. "/")
    other.child:kill "KILL"
    local ok, message = pcall(page.eval, page, "new Promise(() => {})")
    assert.is_false(ok)
    assert.matches("the browser has ended", message, 1, true)
  end)
end)
