-- Runs a shell command in which $NEAP is the program and script.lua the text, in a directory of its own.
-- The results: its exit status, what it wrote to stdout and to stderr.
local program = require "spec.support.program"

return function(command, script)
  local files = program.directory { ["script.lua"] = script, ["command.sh"] = command }
  local result = program.run("timeout", { "-s", "KILL", "30", "bash", "command.sh" }, {
    dir = files.path,
    env = { NEAP = program.neap .. " --slow=0", XDG_RUNTIME_DIR = files.path },
  })
  files:close()
  if result.err:find("Sanitizer", 1, true) then error(result.err, 2) end
  return result.code, result.out, result.err
end
