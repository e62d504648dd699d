-- Runs a program to its end, for the specs of the command line: ours, and plain
-- lua to compare with. It blocks, which specs may.
local assert = require "luassert"
local program = { lua = "lua5.4" }

-- The neap that runs this: what stands first on its command line.
local first = 0
while arg[first - 1] do first = first - 1 end
program.neap = arg[first]:find("/") and io.popen("realpath " .. arg[first]):read("l") or arg[first]

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function write(name, text)
  local file <close> = assert(io.open(name, "w"))
  assert(file:write(text))
end

local function read(name)
  local file <close> = assert(io.open(name))
  return file:read("a")
end

-- Runs it with the list of arguments. Options: input, a text; pipe, a command
-- that writes the input; env, a table; dir. The results: code, out, err.
function program.run(name, arguments, options)
  options = options or {}
  local err, input = os.tmpname(), os.tmpname()
  write(input, options.input or "")
  local command = { "unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4;" }
  if options.dir then command[#command + 1] = "cd " .. quote(options.dir) .. ";" end
  if options.pipe then command[#command + 1] = options.pipe .. " |" end
  for key, value in pairs(options.env or {}) do command[#command + 1] = key .. "=" .. quote(value) end
  command[#command + 1] = quote(name)
  for _, argument in ipairs(arguments) do command[#command + 1] = quote(argument) end
  if not options.pipe then command[#command + 1] = "<" .. input end
  local pipe = assert(io.popen("{ " .. table.concat(command, " ") .. "; } 2>" .. err))
  local out = pipe:read("a")
  local _, _, code = pipe:close()
  local result = { code = code, out = out, err = read(err) }
  os.remove(err)
  os.remove(input)
  return result
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

-- A directory with these files, name -> text. It is gone after the spec, if
-- that says finally(directory.remove).
function program.directory(files)
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkdir " .. path))
  for name, text in pairs(files) do write(path .. "/" .. name, text) end
  return { path = path, remove = function() os.execute("rm -r " .. path) end }
end

return program
