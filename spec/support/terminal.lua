-- Runs a command at a terminal, as a person sees it who types: script(1) makes the terminal. It blocks, as specs may.
local assert = require "luassert"
local test = require "neap.test"
local program = require "spec.support.program"

local terminal = {}
terminal.__index = terminal

local SECONDS = 60 -- then it is ended, and what is expected does not come

-- Options: env, a table.
function terminal.open(command, options)
  local files = test.tempdir()
  local setup = { "unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4;", "export TERM=xterm HOME=" .. files.path,
    "XDG_STATE_HOME=" .. files.path, "LC_ALL=C.UTF-8;" }
  for name, value in pairs(options and options.env or {}) do
    setup[#setup + 1] = ("export %s=%s;"):format(name, program.quote(value))
  end
  local keys = files.path .. "/keys"
  assert(os.execute("mkfifo " .. keys))
  -- Ctrl-C is for the command: some shells would end with it.
  local inside = "trap : INT; ulimit -c 0; stty rows 24 cols 80; " .. command
  setup[#setup + 1] = ("exec timeout -k 1 %d script -qefc %s /dev/null <%s 2>&1")
    :format(SECONDS, program.quote(inside), keys)
  local self = setmetatable({ files = files, seen = "", all = "" }, terminal)
  self.screen = assert(io.popen(table.concat(setup, " ")))
  self.keys = assert(io.open(keys, "wb"))
  self.keys:setvbuf "no"
  return self
end

terminal.NO_COLOR = { env = { NO_COLOR = "1" } }

-- `neap repl`, with the first prompt on the screen. Here any task may hold the loop.
function terminal.open_repl(options)
  local self = terminal.open(program.quote(program.neap) .. " --slow=0 repl; echo status $?", options)
  self:expect "\n> "
  return self
end

function terminal:type(text)
  assert(self.keys:write(text))
end

-- Reads on until one of the patterns is seen behind what was expected before; returns its captures.
function terminal:expect(...)
  while true do
    for _, pattern in ipairs { ... } do
      local found = table.pack(self.seen:find(pattern))
      if found[1] then
        self.seen = self.seen:sub(found[2] + 1)
        return table.unpack(found, 3)
      end
    end
    local byte = self.screen:read(1)
    if not byte then error(("%q does not come after this: %s"):format((...), self.all), 2) end
    self.seen, self.all = self.seen .. byte, self.all .. byte
  end
end

-- Types a line, and expects this, then the prompt.
function terminal:line(text, pattern)
  self:type(text .. "\r")
  if pattern then
    self:expect(pattern)
    return self:expect("^> $", "\n> $")
  end
  return self:expect "\n> $"
end

-- Its end: the exit status of the command, or what stands behind what was expected.
function terminal:finish()
  local rest = self.seen .. self.screen:read "a"
  self:close()
  return rest:gsub("\r", "")
end

function terminal:close()
  self.keys:write "\28" -- Ctrl-\: to whatever still runs
  self.keys:close()
  self.screen:close()
  self.files:close()
end

terminal.__close = terminal.close

-- What a line prints, at a terminal without colours.
function terminal.show(...)
  local repl <close> = terminal.open_repl(terminal.NO_COLOR)
  local out
  for _, line in ipairs { ... } do
    repl:type(line .. "\r")
    repl:expect "\r\n"
    out = repl:expect("^()> $", "^(.-)\r\n> $")
  end
  return type(out) == "string" and out:gsub("\r", "") or ""
end

-- The `it` for specs of what is typed and edited: `pending`, where the program is built without an editor.
function terminal.it_edits(it, pending)
  local is_without = program.run_neap({ "--version" }).out:find("without line editing")
  return is_without and pending or it
end

return terminal
