-- A runtime directory of its own for a spec's programs, so that `neap ps` sees these and no others.
--
--   local runtime <close> = runtime_directory()
--   local service <close> = runtime:start(text, { "--name", "chat" })   -- returns when it can be asked
--   local result = runtime:neap("status", "chat")                      -- blocks: code, out, err
local net = require "neap.net"
local child = require "spec.support.child"
local test = require "neap.test"
local program = require "spec.support.program"

local runtime = {}
runtime.__index = runtime

-- Its socket, whether there is one or not.
function runtime:socket(pid)
  return ("%s/neap/%d.sock"):format(self.path, pid)
end

function runtime:has_socket(pid)
  return os.rename(self:socket(pid), self:socket(pid)) == true
end

function runtime:connect(pid)
  return net.connect("unix:" .. self:socket(pid))
end

-- Asks as a client does, on a connection of ours.
function runtime:ask(pid, text)
  local conn <close> = assert(self:connect(pid))
  assert(conn:write(text))
  return conn:read("a", { timeout = 20 })
end

function runtime:start(text, flags, arguments)
  local process = child.start(arguments or {}, { script = text, flags = flags, runtime = self.path })
  test.eventually(function()
    local conn <close> = self:connect(process.pid)
    return assert(conn, "it has no control socket:\n" .. process:stderr())
  end, 20)
  return process
end

-- The same command in the background.
function runtime:start_neap(...)
  return child.start({ ... }, { runtime = self.path })
end

function runtime:neap(...)
  return program.run_neap({ ... }, { env = { XDG_RUNTIME_DIR = self.path } })
end

function runtime:__close()
  self.directory:close()
end

return function()
  local directory = test.tempdir()
  return setmetatable({ directory = directory, path = directory.path }, runtime)
end
