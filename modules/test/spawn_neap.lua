-- test.spawn_neap: a neap of its own that runs a script: for limits, signals, exits, crashes, reloads. Everything waits
-- as a task does: the loop of the specs goes on, and may serve the child. Its
-- limits are of real time, also where that of the specs is virtual.
local core, test = ...
local busted = core.busted
local assert, error, ipairs, next, pairs, setmetatable, tostring, type =
  assert, error, ipairs, next, pairs, setmetatable, tostring, type
local net, process = require "neap.net", require "neap.process"

local SECONDS = 30
local PAUSE = 0.005

local child = {}

-- ---- what it has written --------------------------------------------------------------------------------------------

-- Waits for news of it, which are for all who wait. False: none until then.
local function take_news(self, seconds)
  local out, err, over = self.process:news(seconds)
  if not out then error("the child has been closed", 0) end
  self.out = self.out .. out
  self.err = self.err .. err
  self.over = self.over or over
end

local function advance(self, limit)
  local left = limit - core.real_time()
  if left > 0 then take_news(self, left) end
  return left > 0
end

local function catch_up(self)
  if not self.over and not self.closed then take_news(self, 0) end
end

local function tell(self)
  return ("%s\nstdout: %s\nstderr: %s"):format(self.over and "it has ended with " .. self.process:code()
    or "it still runs", self.out, self.err)
end

function child:output()
  catch_up(self)
  return self.out
end

function child:stderr()
  catch_up(self)
  return self.err
end

-- Takes the next line off what nobody has taken. Nil: there is none (yet).
local function take_line(self)
  local line, after = self.out:match("^([^\n]*)\n()", self.at)
  if not line and self.over and self.at <= #self.out then
    line, after = self.out:sub(self.at), #self.out + 1
  end
  if line then self.at = after end
  return line
end

function child:line(timeout)
  local limit = core.real_time() + (timeout or SECONDS)
  while true do
    local line = take_line(self)
    if line then return line end
    if self.over then return nil end
    if not advance(self, limit) then
      error("the child has not written a line: " .. tell(self), 2)
    end
  end
end

-- ---- signals, the end -----------------------------------------------------------------------------------------------

function child:signal(name)
  return self.process:kill(name)
end

function child:wait(timeout)
  local limit = core.real_time() + (timeout or SECONDS)
  while not self.over do
    if not advance(self, limit) then error("the child has not ended: " .. tell(self), 2) end
  end
  return self.process:code(), self.out, self.err
end

function child:close()
  if self.closed then return end
  self.closed = true
  self.process:close()
  self.directory:close()
end

-- ---- ready ----------------------------------------------------------------------------------------------------------

local function await_line(self, pattern, limit)
  while true do
    local line = take_line(self)
    if line and line:find(pattern) then return line end
    if not line and (self.over or not advance(self, limit)) then return nil end
  end
end

local function await_socket(self, limit)
  local address = ("unix:%s/neap/%d.sock"):format(self.runtime, self.pid)
  while not self.over and core.real_time() < limit do
    local conn <close> = net.connect(address)
    if conn then return true end
    advance(self, core.real_time() + PAUSE)
  end
  return self.over -- it was so short that it never got one: it has done what it does
end

local function await(self, options)
  local limit = core.real_time() + (options.timeout or SECONDS)
  if options.ready == false then return end
  if options.ready then
    self.ready = await_line(self, options.ready, limit)
  else
    self.ready = await_socket(self, limit)
  end
  if self.ready then return end
  local message = "the child is not ready: " .. tell(self)
  self:close()
  busted.fail(message, 2)
end

-- ---- the start ------------------------------------------------------------------------------------------------------

local function make_environment(changes, runtime)
  local new = { XDG_RUNTIME_DIR = runtime }
  for name, value in next, changes or {} do new[name] = value end
  local list = {}
  for name, value in pairs(process.env) do
    if new[name] == nil then list[#list + 1] = name .. "=" .. value end
  end
  for name, value in pairs(new) do
    if value ~= false then list[#list + 1] = name .. "=" .. tostring(value) end
  end
  return list, new.XDG_RUNTIME_DIR
end

local function make_command(program, flags, script, arguments)
  local command = { program }
  for _, flag in ipairs(flags or {}) do command[#command + 1] = tostring(flag) end
  command[#command + 1] = script
  for _, argument in ipairs(arguments or {}) do command[#command + 1] = tostring(argument) end
  return command
end

-- A name that ends in .lua is a script's; anything else is the text of one.
local function is_name(script)
  return script:find("%.lua$") and not script:find("\n")
end

busted.class("neap.test.child", child)

return function(script, arguments, options)
  if type(script) ~= "string" then
    error(("bad argument #1 to 'spawn_neap' (string expected, got %s)"):format(type(script)), 2)
  end
  if arguments ~= nil and type(arguments) ~= "table" then
    error(("bad argument #2 to 'spawn_neap' (table expected, got %s)"):format(type(arguments)), 2)
  end
  options = busted.check_options(options, { "cwd", "env", "flags", "program", "ready", "timeout" }, 1)
  local directory = test.tempdir()
  local program = options.program or assert(process.exepath())
  local environment, runtime = make_environment(options.env, directory.path)
  if not is_name(script) then script = directory:write("script.lua", script) end
  local command = make_command(program, options.flags, script, arguments)
  local started, message = core.spawn(program, command, environment, options.cwd)
  if not started then
    directory:close()
    error(message, 2)
  end
  local self = setmetatable({ process = started, pid = started:pid(), directory = directory, runtime = runtime,
    out = "", err = "", at = 1, over = false, closed = false }, child)
  busted.close_after(self)
  await(self, options)
  return self
end
