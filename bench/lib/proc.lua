-- Children of the runner. Each is started through build/bench/child, which
-- pins it, bounds its life and tells its pid; a server is ended by that pid.
local proc = {}

proc.SERVER_CORE, proc.CLIENT_CORE, proc.NO_CORE = 0, 1, -1

local SECONDS = 120 -- no child lives longer

local function quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

local function command_line(words)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = quote(word) end
  return table.concat(quoted, " ")
end

-- A command is a list of words; `extra` is appended to a copy of it.
function proc.with(command, ...)
  local words = { table.unpack(command) }
  for _, word in ipairs { ... } do table.insert(words, word) end
  return words
end

local function start(core, files, command)
  local child = { "build/bench/child", core, SECONDS, files }
  local words = proc.with(child, table.unpack(command))
  local pipe = assert(io.popen("exec " .. command_line(words), "r"))
  local pid = assert(pipe:read("l"), "no child")
  return pipe, pid
end

-- Runs a command to its end: its output, or nil and a message.
function proc.run(core, command, files)
  local pipe = start(core, files or 0, command)
  local output = pipe:read("a")
  local ok, how, code = pipe:close()
  if ok then return output end
  return nil, ("%s ended with %s %d"):format(command[1], how, code)
end

-- Its numbers only: a table of tables, one for each line.
function proc.numbers(core, command, files)
  local output, err = proc.run(core, command, files)
  if not output then return nil, err end
  local lines = {}
  for line in output:gmatch("[^\n]+") do
    local numbers = {}
    for word in line:gmatch("%S+") do
      table.insert(numbers, tonumber(word))
    end
    table.insert(lines, numbers)
  end
  if #lines == 0 or #lines[1] == 0 then
    return nil, command[1] .. " printed no number"
  end
  return lines
end

-- Starts a server, which prints the address it listens on as the last word of a
-- line: { port, pid, line }, to be given to proc.stop; or nil and a message.
function proc.start_server(command, files)
  local pipe, pid = start(proc.SERVER_CORE, files or 0, command)
  local line = pipe:read("l")
  local server = { pipe = pipe, pid = pid, line = line }
  server.port = line and line:match(":(%d+)%s*$")
  if server.port then return server end
  proc.stop(server)
  return nil, command[1] .. " printed no address"
end

-- Until the pipe is closed, which waits for it, the pid can be no other's.
function proc.stop(server)
  os.execute("kill -KILL " .. server.pid)
  server.pipe:close()
end

-- The most memory a server has had at once, in KiB; from now on, when it was reset.
function proc.reset_peak(server)
  local file <close> =
    assert(io.open(("/proc/%s/clear_refs"):format(server.pid), "w"))
  assert(file:write "5")
end

function proc.peak(server)
  local file <close> = assert(io.open(("/proc/%s/status"):format(server.pid)))
  return tonumber(file:read "a":match "VmHWM:%s*(%d+) kB")
end

-- First line of what a shell command prints, or nil: for versions.
function proc.line(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null </dev/null", "r"))
  local line = pipe:read("l")
  return pipe:close() and line or nil
end

function proc.exists(program)
  return proc.line("command -v " .. quote(program)) ~= nil
end

proc.quote = quote

return proc
