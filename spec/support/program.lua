-- Runs a program to its end: ours, and plain lua to compare with. It blocks, which specs may.
local assert = require "luassert"
local test = require "neap.test"
local program = { lua = "lua5.4" }

-- The neap that runs this: what stands first on its command line.
local first = 0
while arg[first - 1] do first = first - 1 end
program.neap = arg[first]:find("/") and io.popen("realpath " .. arg[first]):read("l") or arg[first]

function program.quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

-- Starts it with the list of arguments, and returns a function that waits for its end: see program.run.
function program.start(name, arguments, options)
  options = options or {}
  local files = test.tempdir()
  local command = { "unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4;" }
  if options.dir then command[#command + 1] = "cd " .. program.quote(options.dir) .. ";" end
  if options.setup then command[#command + 1] = options.setup .. ";" end
  if options.pipe then command[#command + 1] = options.pipe .. " |" end
  for key, value in pairs(options.env or {}) do command[#command + 1] = key .. "=" .. program.quote(value) end
  command[#command + 1] = program.quote(name)
  for _, argument in ipairs(arguments) do command[#command + 1] = program.quote(argument) end
  if not options.pipe then command[#command + 1] = "<" .. files:write("in", options.input or "") end
  local pipe = assert(io.popen(("{ %s; } >%s/out 2>%s/err"):format(table.concat(command, " "), files.path, files.path)))
  return function()
    local _, how, code = pipe:close()
    local result = { code = how == "signal" and 128 + code or code, out = files:read "out", err = files:read "err" }
    files:close()
    return result
  end
end

-- Options: input, a text; pipe, a command that writes the input; setup, one that the shell runs before; env, a table;
-- dir. The results: code (128 + n: a signal ended it), out, err.
function program.run(...)
  return program.start(...)()
end

function program.run_neap(arguments, options)
  return program.run(program.neap, arguments, options)
end

-- Runs both, and expects the same of both but for their names: returns it.
function program.run_both(arguments, options)
  local ours = program.run(program.neap, arguments, options)
  local theirs = program.run(program.lua, arguments, options)
  theirs.err = theirs.err:gsub("^lua5%.4: ", "neap: ")
  assert.same(theirs, ours)
  return ours
end

-- A test.tempdir with these files, name -> text.
function program.directory(files)
  local directory = test.tempdir()
  for name, text in pairs(files) do directory:write(name, text) end
  return directory
end

return program
