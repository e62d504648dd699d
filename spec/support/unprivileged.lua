-- Runs a text as a script of a user who may not do everything: permissions say nothing to root.
local program = require "spec.support.program"
local test = require "neap.test"

-- What it has written to stdout, and to stderr; nil where there is no way to be somebody else. `arguments` are the
-- script's. (A sanitizer's check for leaks would need rights, too.)
return function(text, ...)
  local dir = test.tempdir()
  dir:write("script.lua", text)
  os.execute("chmod 755 " .. program.quote(dir.path))
  local words, neap = { "cd " .. program.quote(dir.path) .. " && HOME=/ ASAN_OPTIONS=detect_leaks=0" }, program.neap
  if io.popen("id -u"):read("n") == 0 then
    if not os.execute("command -v setpriv >/dev/null") then return nil end
    words[#words + 1] = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    assert(os.execute(("cp %s %s"):format(program.quote(neap), program.quote(dir.path)))) -- root's folder may be closed
    neap = "./" .. neap:match "[^/]+$"
  end
  words[#words + 1] = "timeout -s KILL 20 " .. program.quote(neap) .. " --slow=0 script.lua"
  for _, argument in ipairs { ... } do words[#words + 1] = program.quote(argument) end
  local pipe <close> = io.popen(table.concat(words, " ") .. " 2>err")
  return pipe:read("a"), dir:read "err"
end
