-- A program that is rewritten and reloaded while it runs: in a directory of its own, in a process of its own.
--
--   local app <close> = start_app [[server = net.listen("unix:chat.sock", { line = function(conn) ... end })]]
--   assert(app:reload [[server = net.listen("unix:chat.sock", { line = function(conn) ... end })]])
--   assert.equal("hello", app:ask("chat.sock", "hi"))   -- a line there, and the line that comes back
--   assert.equal(2, app:eval "return hot.status().generation")
--
-- The text is app.lua; it finds the globals neap, hot, net and timer, and say(...), which appends to what app:said()
-- returns, whichever version says it. Before it, `neap -l control` loads the other end of app:eval, so each version has
-- that too: a service on a Unix socket, adopted from version to version.
local assert = require "luassert"
local net = require "neap.net"
local child = require "spec.support.child"
local test = require "neap.test"

local CONTROL = [[
neap, hot, net, timer = require "neap", require "neap.hot", require "neap.net", require "neap.timer"
local assert, load, pairs, pcall, tostring, type = assert, load, pairs, pcall, tostring, type -- as they are now
local open, concat, pack = io.open, table.concat, table.pack
local format, gsub = string.format, string.gsub

function say(...)
  local file <close> = assert(open("said", "a"))
  file:write(concat({ ... }, " "), ",")
end

local function write(value)
  if type(value) ~= "table" then return format(type(value) == "string" and "%q" or "%s", tostring(value)) end
  local parts = {}
  for k, v in pairs(value) do parts[#parts + 1] = format("[%s]=%s", write(k), write(v)) end
  return "{" .. concat(parts, ",") .. "}"
end

local function unescape(text) return (gsub(text, "\\(.)", { n = "\n", ["\\"] = "\\" })) end
local function escape(text) return (gsub(text, "[\\\n\r]", { ["\n"] = "\\n", ["\r"] = "\\r", ["\\"] = "\\\\" })) end

assert(net.listen("unix:control", {
  line = function(conn, line)
    local results = pack(pcall(assert(load(unescape(line), "=control"))))
    conn:write(escape("return " .. write(results)) .. "\n")
  end,
}))
]]

local app = {}
app.__index = app

function app:save(name, text)
  self.files:write(name, text)
end

function app:path(name)
  return self.directory .. "/" .. name
end

-- A text: the address of a server. "chat.sock": that Unix socket in the directory of the program.
function app:connect(address)
  if not address:find(":", 1, true) then address = "unix:" .. self:path(address) end
  return net.connect(address)
end

-- One line there, one back, on a connection of its own; or what connect or read fail with. Without a line: what comes.
-- The connection is gone at once: the next one finds nothing of it.
function app:ask(address, line)
  local conn, message, code = self:connect(address)
  if not conn then return nil, message, code end
  local ending <close> = setmetatable({}, { __close = function() conn:reset() end }) -- luacheck: ignore
  if line then conn:write(line .. "\n") end
  return conn:read("l", { timeout = 20 })
end

local function escape(text) return (text:gsub("\\", "\\\\"):gsub("\n", "\\n")) end
local function unescape(text) return (text:gsub("\\(.)", { n = "\n", r = "\r", ["\\"] = "\\" })) end

-- Runs a text in the version that serves: what it returns (plain data). It may wait.
function app:eval(text)
  local answer, message = self:ask("control", escape(text))
  if not answer then error(("the program does not answer: %s\n%s"):format(message, self:stderr()), 2) end
  local results = load(unescape(answer))()
  if not results[1] then error(results[2], 2) end
  return table.unpack(results, 2, results.n)
end

-- Saves app.lua, if there is a text, and asks for a reload: what hot.reload returns.
function app:reload(text)
  if text then self:save("app.lua", text) end
  return self:eval "return hot.reload()"
end

function app:status()
  return self:eval "return hot.status()"
end

-- What was said since the last call, in order, a comma after each.
function app:said()
  local file <close> = io.open(self:path "said")
  if not file then return "" end
  file:seek("set", self.heard)
  local text = file:read("a")
  self.heard = self.heard + #text
  return text
end

-- Waits until it has been said, and returns all that was, up to then.
function app:hears(text)
  local all = ""
  return test.eventually(function()
    all = all .. self:said()
    return all:find(text, 1, true) and all or error(("not said: %q, but %q\n%s"):format(text, all, self:stderr()))
  end, 20)
end

-- What there is of it, as text: how many descriptors, and which tasks and handles of which versions.
function app:inventory()
  local lines = {}
  local generations, descriptors = self:eval [[
    local pipe <close> = io.popen("ls /proc/$PPID/fd 2>/dev/null | wc -l")
    return hot.status().generations, pipe:read("n")
  ]]
  for _, generation in ipairs(generations) do
    for _, work in ipairs(generation.tasks) do
      local name = work.name or "task"
      if not work.where:find("^%./control%.lua:") then -- one that answers us
        lines[#lines + 1] = ("%d %s: %s %s"):format(generation.id, generation.state, name, work.where)
      end
    end
    for _, work in ipairs(generation.handles) do
      lines[#lines + 1] = ("%d %s: %s %s"):format(generation.id, generation.state, work.kind, work.where)
    end
  end
  table.sort(lines)
  return ("%d descriptors\n%s"):format(descriptors, table.concat(lines, "\n"))
end

-- Waits until it is the same again: what has been closed may take a turn, and ours, too.
function app:settles(inventory)
  return test.eventually(function() return assert.equal(inventory, self:inventory()) end, 20)
end

-- Waits until no version but the live one is there.
function app:forgets_old()
  return test.eventually(function() return #self:status().generations == 1 end, 20)
end

function app:stderr()
  return self.child:stderr()
end

function app:signal(name)
  self.child:signal(name)
end

-- Ends it as a service is ended; it has to be content.
function app:ends()
  self:signal "TERM"
  local code, _, err = self.child:wait()
  if code ~= 0 then error(("ended with status %d\n%s"):format(code, err), 2) end
end

function app:__close()
  local closing <close> = self.child -- luacheck: ignore
  self.child = nil
end

-- app.lua, or a table: the files, by their names. Options: flags, those of neap; session, true: without a terminal (and
-- so SIGHUP asks for a reload).
local function start(files, options)
  options = options or {}
  if type(files) == "string" then files = { ["app.lua"] = files } end
  local directory = test.tempdir()
  local self = setmetatable({ files = directory, directory = directory.path, heard = 0 }, app)
  self:save("control.lua", CONTROL)
  for name, text in pairs(files) do self:save(name, text) end
  local flags = { "-l", "control", table.unpack(options.flags or {}) }
  self.child = child.start({ "app.lua" }, {
    before = "cd " .. self.directory, flags = flags, under = options.session and "setsid" or nil,
    runtime = self.directory,
  })
  self.pid = self.child.pid
  local socket = ("%s/neap/%d.sock"):format(self.directory, self.pid)
  test.eventually(function()
    local conn <close> = self:connect "control"
    return assert(conn, "the program does not start:\n" .. self:stderr())
  end, 20)
  self:eval "" -- it answers when the main chunk waits, or is over
  test.eventually(function() return os.rename(socket, socket) end, 20) -- a moment later: it counts as a descriptor
  return self
end

return start
