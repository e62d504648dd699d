-- A neap in the background, for specs that need a process of its own: limits, signals, stderr, memory.
--
--   local echo <close> = child.start { "scripts/echo.lua", "127.0.0.1:0" }
--   local address = echo:line():match("%S+$")      -- blocks until it has printed a line
--   echo:signal "TERM"
--   assert.equal(0, (echo:wait()))                 -- waits, the loop of the specs goes on; then its stderr
--
-- A shell stands between: the pid is printed first, and the exit status written into a file, because nobody else can
-- learn of it without blocking. Closing kills the child if it still runs, so nothing survives a spec that fails.
local test = require "neap.test"
local program = require "spec.support.program"

local child = {}
child.__index = child

local function read(name)
  local file <close> = io.open(name)
  return file and file:read("a")
end

-- Arguments: those of neap. Options: before, shell commands that are run first ("ulimit -n 40"); under, a program that
-- becomes neap ("setsid"); flags, a list of those of neap; script, the text of one: then the arguments are its own;
-- runtime, the $XDG_RUNTIME_DIR (one of its own).
function child.start(arguments, options)
  options = options or {}
  local files = test.tempdir()
  local self = setmetatable({ files = files }, child)
  local words = { options.under or "env", program.quote(program.neap), "--slow=0" } -- here any task may hold the loop
  for _, flag in ipairs(options.flags or {}) do words[#words + 1] = program.quote(flag) end
  if options.script then words[#words + 1] = program.quote(files:write("script", options.script)) end
  for _, argument in ipairs(arguments) do words[#words + 1] = program.quote(argument) end
  local command = {
    "unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4",
    options.before or ":",
    "export XDG_RUNTIME_DIR=" .. program.quote(options.runtime or files.path),
    ([[sh -c 'echo $$; exec "$@"' sh %s 2>%s/err &]]):format(table.concat(words, " "), files.path),
    ("{ wait $!; } 2>/dev/null; echo $? >%s/new; mv %s/new %s/code"):format(files.path, files.path, files.path),
  }
  self.pipe = assert(io.popen(table.concat(command, "\n")))
  self.pid = self.pipe:read("n", "l")
  return self
end

-- The next line it prints; blocks. An error with what it says on stderr if it ends instead.
function child:line()
  local line = self.pipe:read("l")
  if not line then error("the child has ended:\n" .. self:stderr(), 2) end
  return line
end

function child:stderr()
  return self.files:read "err" or ""
end

function child:signal(name)
  assert(os.execute(("kill -%s %d"):format(name, self.pid)))
end

-- Its resident memory in KB, where there is /proc.
function child:memory()
  return tonumber((read(("/proc/%d/status"):format(self.pid)) or ""):match("VmRSS:%s*(%d+)"))
end

-- The CPU time it has used, in seconds.
function child:cpu()
  local ticks = { read(("/proc/%d/stat"):format(self.pid)):match("%) %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)") }
  return (ticks[1] + ticks[2]) / 100
end

-- Waits for its end: its exit status (128 + signal), what it has printed and not been read, its stderr.
function child:wait(seconds)
  local code = test.eventually(function()
    return assert(self.files:read "code", "the child still runs:\n" .. self:stderr())
  end, seconds or 30)
  local err = self:stderr()
  if err:find("Sanitizer", 1, true) or err:find("runtime error:", 1, true) then error(err, 2) end
  return tonumber(code), self.pipe:read("a"), err
end

function child:__close()
  if not self.files:read "code" then -- or it has just ended, and that is not written yet
    os.execute(("kill -KILL %d 2>/dev/null"):format(self.pid))
  end
  self.pipe:close() -- waits for the shell, and so for the child
  self.files:close()
end

return child
