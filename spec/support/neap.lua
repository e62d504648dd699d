-- Runs a text as a script in a neap of its own, to its end. That blocks, which specs may.
local program = require "spec.support.program"
local support = {}

-- Starts it, and returns a function that waits for its end: see support.run.
function support.start(text, options)
  options = options or {}
  local directory = program.directory(options.files or {})
  directory:write("script.lua", text)
  local env = { XDG_RUNTIME_DIR = directory.path } -- for its control socket, if it runs for long
  for name, value in pairs(options.env or {}) do env[name] = value end
  -- a spec that hangs is worse than one that fails; and on a slow machine, any task may hold the loop
  local arguments = { "-s", "KILL", "20", program.neap, "--slow=0" }
  table.move(options.flags or {}, 1, #(options.flags or {}), #arguments + 1, arguments)
  arguments[#arguments + 1] = "script.lua"
  table.move(options.args or {}, 1, #(options.args or {}), #arguments + 1, arguments)
  local wait = program.start("timeout", arguments,
    { dir = directory.path, setup = options.setup, env = env, input = options.input, pipe = options.pipe })
  return function()
    local result = wait()
    directory:close()
    local err = result.err
    if err:find("Sanitizer", 1, true) or err:find("runtime error:", 1, true) then error(err, 2) end
    return result.code, result.out, err
  end
end

-- The results: its exit status (128 + n: a signal ended it), what it wrote to
-- stdout and to stderr. It runs in a directory of its own, as "script.lua".
-- Options: args, flags (those before the script), env, input (a text), pipe (a command
-- that writes the input), files
-- (name -> text, beside the script), setup (a shell command, before it).
function support.run(text, options)
  return support.start(text, options)()
end

-- The same, of one that is expected to end well and to complain about nothing:
-- returns what it has written.
function support.output(text, options)
  local status, out, err = support.run(text, options)
  if status ~= 0 or err ~= "" then
    error(("ended with status %s, and wrote\n%s%s"):format(status, out, err), 2)
  end
  return out
end

return support
