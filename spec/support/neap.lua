-- Runs a text as a script in a neap of its own, to its end. That blocks, which
-- specs may. The program is the one that runs the specs, or $NEAP.
local support = {}

local function capture(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read("a")
end

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function find_program()
  local first = 0
  while arg and arg[first - 1] do first = first - 1 end
  local name = os.getenv("NEAP") or (first < 0 and arg[first]) or "build/release/neap"
  return capture("command -v " .. quote(name) .. " | xargs realpath"):match("[^\n]+")
end

support.program = find_program()

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local function make_directory(files)
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkdir " .. path))
  for name, text in pairs(files) do write(path .. "/" .. name, text) end
  return path
end

local function command_line(options)
  local words = { "unset LUA_INIT LUA_INIT_5_4 LUA_PATH LUA_PATH_5_4;" }
  local function add(word) words[#words + 1] = word end
  add("export XDG_RUNTIME_DIR=$PWD;") -- its control socket, if it runs for long
  if options.setup then add(options.setup .. ";") end
  for name, value in pairs(options.env or {}) do add(name .. "=" .. quote(value)) end
  add("timeout -s KILL 20 " .. quote(support.program)) -- a spec that hangs is worse than one that fails
  add("--slow=0") -- on a slow machine, any task may hold the loop
  for _, flag in ipairs(options.flags or {}) do add(quote(flag)) end
  add("script.lua")
  for _, argument in ipairs(options.args or {}) do add(quote(argument)) end
  return table.concat(words, " ")
end

-- Starts it, and returns a function that waits for its end: see support.run.
function support.start(text, options)
  options = options or {}
  local files = { ["script.lua"] = text, ["\1in"] = options.input or "" }
  for name, content in pairs(options.files or {}) do files[name] = content end
  local directory = make_directory(files)
  local pipe = assert(io.popen(("cd %s; { %s; } <'\1in' >'\1out' 2>'\1err'"):format(directory, command_line(options))))
  return function()
    local _, how, status = pipe:close()
    if how == "signal" then status = 128 + status end
    local out, err = read(directory .. "/\1out"), read(directory .. "/\1err")
    os.execute("rm -r " .. directory)
    if err:find("Sanitizer", 1, true) or err:find("runtime error:", 1, true) then error(err, 2) end
    return status, out, err
  end
end

-- The results: its exit status (128 + n: a signal ended it), what it wrote to
-- stdout and to stderr. It runs in a directory of its own, as "script.lua".
-- Options: args, flags (those before the script), env, input (a text), files
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
