-- Debian's chromium without a window, for specs that need to see what a page does. It is driven through the DevTools
-- protocol, over two pipes: no port is opened. It reaches nothing but this machine.
--
--   local browsers = require "spec.support.browser"
--   local it = browsers.it(it, pending)                          -- pending where there is no chromium
--   setup(function() browser = browsers.open() end)              -- once a spec file: it takes a second
--   teardown(function() browsers.close(browser) end)
--
--   local page <close> = browser:page "http://127.0.0.1:1234/"    -- loaded; with cookies of its own
--   page:type("input[name=text]", "hello\n")                     -- keys are pressed; a line break is Enter
--   page:click "button"
--   page:wait "document.querySelectorAll('li').length == 1"      -- until it is true; returns its value
--   assert.equal("hello", page:eval "document.querySelector('li').textContent")
--   assert.same({}, page:errors())
--
-- Nothing is read from the browser while nobody waits for it, so there is no task in the background. Under test.clock
-- its time limits mean nothing.
local browsers = {}

local json, process, test = require "neap.json", require "neap.process", require "neap.test"
local timer = require "neap.timer"

local LIMIT = 30 -- seconds, for what the browser does
local PATIENCE = 30 -- for what a page does: with sanitizers, beside others, all is slow
local WIDTH, HEIGHT = 1280, 800

local browser, page = {}, {}
browser.__index, page.__index = browser, page

browsers.found = process.run({ "sh", "-c", "command -v chromium" }).status == 0

-- What a spec file uses in place of `it` where each of its specs needs the browser.
function browsers.it(it, pending)
  return browsers.found and it or pending
end

-- ---- messages ---------------------------------------------------------------

local function is_root()
  return process.run({ "id", "-u" }).stdout == "0\n"
end

-- Descriptors 3 and 4 are the pipes that we have as its stdin and stdout.
local COMMAND = [[exec chromium "$@" 3<&0 4>&1 </dev/null >"$HOME/log" 2>&1]]

-- Beside what would ask for something: processes that it starts ahead of their use, for each page one that draws the
-- suggestions of an address bar which nobody sees, and one for the next site. They take half of all its time.
local NOT_NEEDED = "Translate,MediaRouter,OptimizationHints,WebUIOmniboxPopup,WebUIOmniboxAimPopup,"
  .. "WebUIOmniboxFullPopup,SpareRendererForSitePerProcess"

-- (Its sandbox works for no root.)
local function arguments(directory)
  return {
    "sh", "-c", COMMAND, "sh", is_root() and "--no-sandbox" or "--headless", "--headless", "--remote-debugging-pipe",
    "--user-data-dir=" .. directory .. "/profile", ("--window-size=%d,%d"):format(WIDTH, HEIGHT), "--no-first-run",
    "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--disable-sync", "--disable-breakpad",
    "--disable-background-networking", "--disable-component-update", "--disable-domain-reliability",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding", "--force-color-profile=srgb", "--hide-scrollbars", "--mute-audio",
    "--password-store=basic", "--no-proxy-server", "--disable-features=" .. NOT_NEEDED,
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE ::1", "about:blank",
  }
end

local function describe(details)
  local exception = details.exception or {}
  return exception.description or exception.value and tostring(exception.value) or details.text
end

local function console_text(event)
  local words = {}
  for i, value in ipairs(event.args) do words[i] = value.description or tostring(value.value) end
  return table.concat(words, " ")
end

local on = {}

function on.Runtime_exceptionThrown(self, event)
  table.insert(self.failures, describe(event.exceptionDetails))
end

function on.Runtime_consoleAPICalled(self, event)
  if event.type == "error" or event.type == "assert" then table.insert(self.failures, console_text(event)) end
end

function on.Log_entryAdded(self, event)
  local entry = event.entry
  if entry.level ~= "error" then return end
  table.insert(self.failures, entry.url and ("%s (%s)"):format(entry.text, entry.url) or entry.text)
end

function on.Page_loadEventFired(self)
  self.loads = self.loads + 1
end

-- It would hold the page until somebody answers.
function on.Page_javascriptDialogOpening(self, event)
  table.insert(self.dialogs, event.message)
  self.browser:send("Page.handleJavaScriptDialog", { accept = true }, self.session)
end

local function take(self, text)
  local message = assert(json.decode(text))
  if message.id then
    if self.waiting[message.id] then self.answers[message.id] = message end
    return
  end
  local target, fn = self.pages[message.sessionId], on[message.method:gsub("%.", "_")]
  if target and fn then fn(target, message.params) end
end

local function log(self)
  return self.files:read "log" or ""
end

-- Reads once, if no other task does.
local function receive(self, seconds)
  if self.reading then return timer.sleep(0.001) end
  self.reading = true
  local done <close> = setmetatable({}, { __close = function() self.reading = false end }) -- luacheck: ignore
  local chunk, message, code = self.child.stdout:read { timeout = seconds }
  if not chunk and code ~= "ETIMEDOUT" then
    error(("the browser has ended: %s\n%s"):format(message or "end", log(self)), 0)
  end
  for piece, ending in (chunk or ""):gmatch "([^\0]*)(\0?)" do
    table.insert(self.pieces, piece)
    if ending == "\0" then
      local text = table.concat(self.pieces)
      self.pieces = {}
      take(self, text)
    end
  end
end

-- Until done() gives something, that; after so many seconds, nothing.
local function receive_until(self, done, seconds)
  local limit = timer.monotonic() + seconds
  while true do
    local result = done()
    if result then return result end
    local left = limit - timer.monotonic()
    if left <= 0 then return nil end
    receive(self, left)
  end
end

function browser:send(method, params, session)
  self.last = self.last + 1
  local message = { id = self.last, method = method, params = params or {}, sessionId = session }
  if not next(message.params) then message.params = nil end
  assert(self.child.stdin:write({ assert(json.encode(message)), "\0" }, { timeout = LIMIT }))
  return self.last
end

-- What a method of the protocol answers; or nil and a message.
function browser:call(method, params, session)
  local id = self:send(method, params, session)
  self.waiting[id] = true
  local answer = receive_until(self, function() return self.answers[id] end, LIMIT)
  self.waiting[id], self.answers[id] = nil, nil
  if not answer then error(("%s: no answer within %d s\n%s"):format(method, LIMIT, log(self)), 0) end
  if answer.error then return nil, ("%s: %s"):format(method, answer.error.message) end
  return answer.result
end

-- nil where there is none: see browsers.it.
function browsers.open()
  if not browsers.found then return nil end
  local files = test.tempdir()
  local child = assert(process.spawn(arguments(files.path), { env = { HOME = files.path }, stderr = "null" }))
  local self = setmetatable({
    files = files, child = child, last = 0, pieces = {}, waiting = {}, answers = {}, pages = {},
  }, browser)
  local ok, message = pcall(function() assert(self:call "Browser.getVersion") end)
  if ok then return self end
  self:close()
  error(message, 2)
end

function browser:close()
  if self.closed then return end
  self.closed = true
  pcall(self.send, self, "Browser.close")
  if not self.child:wait { timeout = 5 } then self.child:close() end
  self.child:wait()
  self.child:close()
  self.files:close()
end

browser.__close = browser.close

function browsers.close(self)
  if self then self:close() end
end

-- ---- a page -----------------------------------------------------------------

function page:call(method, params)
  return self.browser:call(method, params, self.session)
end

local function set_up(self, options)
  for _, domain in ipairs { "Page", "Runtime", "Log", "DOM" } do assert(self:call(domain .. ".enable")) end
  assert(self:call("Page.setLifecycleEventsEnabled", { enabled = true }))
  if options.width or options.mobile then
    assert(self:call("Emulation.setDeviceMetricsOverride", {
      width = options.width or 390, height = options.height or HEIGHT, deviceScaleFactor = options.mobile and 2 or 1,
      mobile = options.mobile or false,
    }))
  end
  assert(self:call("Emulation.setEmulatedMedia", {
    features = { { name = "prefers-color-scheme", value = options.dark and "dark" or "light" } },
  }))
end

local function new_page(self, url, context, options)
  local target = assert(self:call("Target.createTarget", {
    url = "about:blank", browserContextId = context, newWindow = options and options.window or nil,
  }))
  local session = assert(self:call("Target.attachToTarget", { targetId = target.targetId, flatten = true }))
  local new = setmetatable({
    browser = self, context = context, target = target.targetId, session = session.sessionId,
    failures = {}, dialogs = {}, loads = 0,
  }, page)
  self.pages[new.session] = new
  set_up(new, options or {})
  if url then new:go(url) end
  return new
end

-- A page of its own, with cookies of its own. Options: width, height; mobile, true: as a phone has it; dark, true.
function browser:page(url, options)
  local context = assert(self:call "Target.createBrowserContext")
  return new_page(self, url, context.browserContextId, options)
end

-- Another page that has the same cookies. It stands before this one, which is hidden then, see show; unless `window`
-- among its options is true: then it has a window of its own, and both are seen.
function page:tab(url, options)
  return new_page(self.browser, url, self.context, options)
end

-- Brings it to the front: of the tabs of a window that one is visible.
function page:show()
  assert(self:call "Page.bringToFront")
end

-- Loads it, and waits until it is there.
function page:go(url)
  local loads = self.loads
  local answer = assert(self:call("Page.navigate", { url = url }))
  if answer.errorText then error(("%s: %s"):format(url, answer.errorText), 2) end
  self:wait_load(loads)
end

-- Waits until it has been loaded more often than `loads`: for what is not to be missed, take page.loads before.
function page:wait_load(loads)
  receive_until(self.browser, function() return self.loads > loads end, PATIENCE)
  if self.loads <= loads then error(("not loaded within %g s"):format(PATIENCE), 2) end
end

local function evaluate(self, js, by_value)
  local answer, message = self:call("Runtime.evaluate", {
    expression = js, awaitPromise = true, returnByValue = by_value, userGesture = true,
  })
  if not answer then return nil, message, true end
  if answer.exceptionDetails then return nil, describe(answer.exceptionDetails) end
  if by_value then
    local value = answer.result.value
    if value == json.null then value = nil end
    return value
  end
  return answer.result.objectId
end

-- The value of an expression; that of a promise is waited for. undefined and null are nil, objects and arrays tables.
function page:eval(js)
  local value, message = evaluate(self, js, true)
  if message then error(message, 2) end
  return value
end

-- Waits until the expression is true, also over pages that follow on this one. Returns its value. What is not there yet
-- may be used: a TypeError is not true.
function page:wait(js, limit)
  local ends, message, passing = timer.monotonic() + (limit or PATIENCE)
  while true do
    local value
    value, message, passing = evaluate(self, js, true)
    passing = passing or message and message:find "^TypeError" -- or the page that was asked is gone
    if message and not passing then error(message, 2) end
    if value then return value end
    if timer.monotonic() > ends then break end
    timer.sleep(0.01)
  end
  local text = message or evaluate(self, "location.href + ': ' + document.body.innerText", true) or "?"
  local failures = table.concat(self.failures, "\n")
  error(("not true within %g s: %s\n%s\n%s"):format(limit or PATIENCE, js, text, failures), 2)
end

local function quote(text)
  return (assert(json.encode(text)))
end

-- The object of an element that can be seen, as soon as there is one.
local function element(self, selector, hidden)
  local js = ("document.querySelector(%s)"):format(quote(selector))
  self:wait(hidden and js .. " != null" or js .. "?.getClientRects().length > 0")
  return assert(evaluate(self, js, false))
end

-- A click of the mouse in the middle of the element that a CSS selector finds.
function page:click(selector)
  local object = element(self, selector)
  assert(self:call("DOM.scrollIntoViewIfNeeded", { objectId = object }))
  local quad = assert(self:call("DOM.getContentQuads", { objectId = object })).quads[1]
  local x, y = (quad[1] + quad[3] + quad[5] + quad[7]) / 4, (quad[2] + quad[4] + quad[6] + quad[8]) / 4
  for _, kind in ipairs { "mouseMoved", "mousePressed", "mouseReleased" } do
    local button = kind ~= "mouseMoved" and "left" or "none"
    assert(self:call("Input.dispatchMouseEvent", { type = kind, x = x, y = y, button = button, clickCount = 1 }))
  end
end

-- Presses the keys of a text, in the element that the selector finds, nil: where the focus is; "\n" is Enter.
function page:type(selector, text)
  if selector then assert(self:call("DOM.focus", { objectId = element(self, selector) })) end
  for _, code in utf8.codes(text) do
    local key = utf8.char(code)
    local event = { type = "keyDown", key = key, text = key }
    if key == "\n" then event = { type = "keyDown", key = "Enter", text = "\r", windowsVirtualKeyCode = 13 } end
    assert(self:call("Input.dispatchKeyEvent", event))
    event.type, event.text = "keyUp", nil
    assert(self:call("Input.dispatchKeyEvent", event))
  end
end

-- Presses a key by its name, where the focus is: "Escape", "Tab", "Enter". Options: ctrl, shift, true.
function page:key(name, options)
  local codes = { Enter = 13, Escape = 27, Tab = 9 }
  local event = {
    type = "keyDown", key = name, code = name, windowsVirtualKeyCode = codes[name],
    modifiers = (options and options.ctrl and 2 or 0) + (options and options.shift and 8 or 0),
    text = name == "Enter" and "\r" or nil,
  }
  assert(self:call("Input.dispatchKeyEvent", event))
  event.type, event.text = "keyUp", nil
  assert(self:call("Input.dispatchKeyEvent", event))
end

-- Chooses files for an <input type=file>.
function page:set_files(selector, paths)
  local object = element(self, selector, true)
  assert(self:call("DOM.setFileInputFiles", { objectId = object, files = json.array(paths) }))
end

-- A PNG of what is seen; { full = true }: of all of the page.
function page:screenshot(path, options)
  local full = options and options.full or false
  local answer = assert(self:call("Page.captureScreenshot", { format = "png", captureBeyondViewport = full }))
  local image = assert(process.run({ "base64", "-d" }, { stdin = answer.data }))
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(image.stdout))
end

-- What its scripts and requests have failed with so far, as texts: exceptions that nobody has caught, console.error,
-- what the browser itself says.
function page:errors()
  self:call("Runtime.evaluate", { expression = "0" }) -- whatever it has said before stands before the answer
  return self.failures
end

function page:close()
  if self.closed then return end
  self.closed = true
  self.browser.pages[self.session] = nil
  if self.browser.closed then return end
  pcall(self.browser.call, self.browser, "Target.closeTarget", { targetId = self.target })
end

page.__close = page.close

return browsers
