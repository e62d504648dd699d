-- `neap check [files]`: what can be told before a script runs. Its syntax, names that our modules do not have, and,
-- where luacheck is installed, what that finds; each as file:line:column. Without files: all below this directory.
local tool = ...
local process = require "neap.process"
local read_fields = tool.load("fields")()

if arg[1] == "-h" or arg[1] == "--help" then
  print [[
usage: neap check [files and directories]
Syntax, names that the modules of neap do not have and, with luacheck, lint. Without arguments: all Lua files below
this directory, but for hidden ones and build/. The exit status is 1 if anything was found.]]
  os.exit(true)
end

local found = {} -- { path, line, column, message, order }

local function report(path, line, column, message)
  found[#found + 1] = { path = path, line = line, column = column, message = message, order = #found }
end

-- ---- files ---------------------------------------------------------------------

local files, broken = {}, false

local function add(path, is_named)
  local kind = tool.kind(path)
  if kind == "file" and (is_named or path:find("%.lua$")) then
    files[#files + 1] = path
  elseif kind == "directory" then
    local names = tool.scan(path) or {}
    table.sort(names)
    for _, name in ipairs(names) do
      if not name:find("^%.") and name ~= "build" then
        local below = path == "." and name or path:gsub("/$", "") .. "/" .. name
        if tool.kind(below) then add(below) end
      end
    end
  elseif is_named then
    io.stderr:write(("neap check: no file '%s'\n"):format(path))
    broken = true
  end
end

-- ---- syntax --------------------------------------------------------------------

-- The compiler tells the line, and what it has met there; it is the first of its kind with which, if the text ended
-- right after it, the end would not be the problem.
local function column_of(text, line, message)
  local near, number, before = message:match("near '?(.-)'?$"), 0, 0
  for content in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    if number == line then
      local first, last = content:find(near or "", 1, true)
      while first and near and near ~= "<eof>" do
        local _, problem = load(text:sub(1, before + last), "=x", "t", {})
        if problem and not problem:find("near <eof>", 1, true) then return first end
        first, last = content:find(near, first + 1, true)
      end
      return #content + 1
    end
    before = before + #content + 1
  end
  return 1
end

local function check_syntax(path, text)
  local source = text:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\n]*", "")
  local chunk, message = load(source, "=x", "t", {})
  if chunk then return true end
  local line, what = message:match("^x:(%d+): (.*)$")
  line = math.tointeger(line) or 1
  report(path, line, column_of(source, line, what or message), what or message)
  return false
end

-- ---- our modules ---------------------------------------------------------------

local modules = {} -- name -> what it returns
local names = {}
for name in pairs(package.preload) do
  if name:find("^neap%f[.\0]") then
    local ok, module = pcall(require, name)
    modules[name] = ok and type(module) == "table" and module or nil
    names[#names + 1] = name
  end
end
table.sort(names)

local function keys_of(module)
  local keys = {}
  for key in pairs(module) do
    if type(key) == "string" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  return keys
end

local function meant(word, list)
  local near = tool.suggest(word, list)
  return near and (": did you mean '%s'?"):format(near) or ""
end

local function check_fields(path, text)
  read_fields(text, function(name, token, is_required)
    if is_required then
      if name:find("^neap%f[.\0]") and not package.preload[name] and not package.searchpath(name, package.path) then
        report(path, token.line, token.column, ("there is no module '%s'%s"):format(name, meant(name, names)))
      end
    elseif modules[name] and modules[name][token.text] == nil then
      report(path, token.line, token.column,
        ("%s has no '%s'%s"):format(name, token.text, meant(token.text, keys_of(modules[name]))))
    end
  end)
end

-- ---- luacheck ------------------------------------------------------------------

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read("a")
end

-- What it says of syntax has been said.
local function lint(paths)
  if #paths == 0 then return end
  local command = { "luacheck", "--no-color", "--codes", "--formatter", "plain", table.unpack(paths) }
  local result, message, code = process.run(command, { stderr = "stdout" })
  if not result then
    local what = code == "ENOENT" and "luacheck is not installed: nothing was linted" or message
    io.stderr:write("neap check: ", what, "\n")
    return
  end
  local status, text = result.status, result.stdout
  local count = 0
  for line in text:gmatch("[^\n]+") do
    local path, row, column, what = line:match("^(.-):(%d+):(%d+): (.*)$")
    if path then
      count = count + 1
      if not what:find("^%(E") then report(path, math.tointeger(row), math.tointeger(column), what) end
    end
  end
  if status > 2 or (status > 0 and count == 0) then
    io.stderr:write("neap check: luacheck: ", text)
    broken = true
  end
end

-- ---- all of it -----------------------------------------------------------------

for _, path in ipairs(#arg > 0 and arg or { "." }) do add(path, #arg > 0) end

local good = {}
for _, path in ipairs(files) do
  local text = read(path)
  if not text then
    io.stderr:write(("neap check: cannot read '%s'\n"):format(path))
    broken = true
  elseif check_syntax(path, text) then
    check_fields(path, text)
    good[#good + 1] = path
  end
end
lint(good)

table.sort(found, function(a, b)
  if a.path ~= b.path then return a.path < b.path end
  if a.line ~= b.line then return a.line < b.line end
  if a.column ~= b.column then return a.column < b.column end
  return a.order < b.order
end)
for _, one in ipairs(found) do print(("%s:%d:%d: %s"):format(one.path, one.line, one.column, one.message)) end
print(("%d file%s checked, %d problem%s found"):format(#files, #files == 1 and "" or "s",
  #found, #found == 1 and "" or "s"))
os.exit(#found == 0 and not broken)
