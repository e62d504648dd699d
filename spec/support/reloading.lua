-- A program in a neap of its own, for specs that change it while it runs: files in a directory, and a way to have code
-- run in the version that is live.
--
--   local app <close> = reloading.start [[ hot = require "neap.hot" users = hot.state "users" ]]
--   app:run "users.ann = true"                        -- in its globals, in a task; may wait
--   assert.same({ true, "generation 2 is ..." }, { app:reload [[ ... ]] })   -- the new text of app.lua
--   assert.equal(1, app:run "return #users")          -- what it returns: plain data
--
-- Each version answers at a Unix socket, which it adopts from the one before: see `control`. It stands in the first
-- line, so that lines keep their numbers.
local net = require "neap.net"
local child = require "spec.support.child"
local test = require "neap.test"

local reloading = {}

local control = [[
local net = require "neap.net"

local function write(value, seen)
  if type(value) == "string" then return ("%q"):format(value):gsub("\n", "n") end
  if type(value) ~= "table" then
    local plain = value == nil or type(value) == "boolean" or type(value) == "number"
    return (plain and "%s" or "%q"):format(tostring(value))
  end
  if seen[value] then return '"(again)"' end
  seen[value] = true
  local parts = {}
  for k, v in next, value do parts[#parts + 1] = ("[%s]=%s"):format(write(k, seen), write(v, seen)) end
  seen[value] = nil
  return "{" .. table.concat(parts, ",") .. "}"
end

local function run(code)
  local fn, message = load(code, "=code", "t", _G)
  if not fn then return { n = 2, false, message } end
  return table.pack(xpcall(fn, debug.traceback))
end

control = assert(net.listen("unix:control", {
  line = function(conn, line) conn:write(write(run((line:gsub("\r", "\n"))), {}) .. "\n") end,
}))
]]

local app = {}
app.__index = app

function app:write(name, text)
  if name == "app.lua" then text = 'require "control" ' .. text end
  assert(os.rename(self.files:write(name .. ".new", text), self.files:path_of(name)))
end

local function connect(self)
  return net.connect("unix:" .. self.directory .. "/control")
end

-- Runs the code and returns its results; an error of it is raised here.
function app:run(code)
  local conn <close> = assert(connect(self))
  assert(conn:write(code:gsub("\n", "\r") .. "\n"))
  local answer = conn:read("L", { timeout = 30 })
  if not answer then error("no answer: " .. self.child:stderr(), 2) end
  local results = assert(load("return " .. answer))()
  if not results[1] then error(results[2], 2) end
  return table.unpack(results, 2, results.n)
end

-- What hot.reload() answers; with a text, that of the new version.
function app:reload(text)
  if text then self:write("app.lua", text) end
  return self:run "return require 'neap.hot'.reload()"
end

-- Until the code returns something true, that.
function app:eventually(code)
  return test.eventually(function() return self:run(code) end, 20)
end

-- Until all versions but the live one are gone.
function app:settle()
  return self:eventually("return #require 'neap.hot'.status().generations == 1")
end

-- With those of neap's own control socket, which it opens a moment after its start.
function app:descriptors()
  local socket = ("%s/neap/%d.sock"):format(self.directory, self.child.pid)
  test.eventually(function() return os.rename(socket, socket) end, 20)
  local before, count
  repeat -- it may just be about to open what goes with the socket
    before = count
    local pipe <close> = io.popen(("ls /proc/%d/fd 2>/dev/null | wc -l"):format(self.child.pid))
    count = pipe:read("n")
  until count == before
  return count > 0 and count or nil
end

function app:stderr()
  return self.child:stderr()
end

function app:close()
  if self.child.pid then self.child:__close() end
  self.files:close()
end

app.__close = app.close

-- files: name -> text, beside app.lua; flags: those of neap.
function reloading.start(text, files, flags)
  local directory = test.tempdir()
  local self = setmetatable({ files = directory, directory = directory.path }, app)
  self:write("control.lua", control)
  for name, content in pairs(files or {}) do self:write(name, content) end
  self:write("app.lua", text)
  self.child = child.start({ "app.lua" }, { flags = flags, before = "cd " .. self.directory, runtime = self.directory })
  local function answers()
    local conn <close> = connect(self)
    return conn ~= nil
  end
  if not pcall(test.eventually, function() return answers() or #self.child:stderr() > 0 end, 20) or not answers() then
    local message = self.child:stderr()
    self:close()
    error("it does not answer:\n" .. message, 2)
  end
  return self
end

return reloading
