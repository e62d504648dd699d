-- test.tempdir: a directory of a spec's own, that goes with it.
local core = ...
local busted = core.busted
local assert, error, setmetatable, type = assert, error, setmetatable, type
local open = io.open

local directory = {}

local function check_name(name)
  if type(name) ~= "string" then
    error(("bad argument 'name' (string expected, got %s)"):format(type(name)), 3)
  end
  local parts = "/" .. name .. "/"
  if name:find("^/") or parts:find("/%.%./") then
    error(("'%s' lies outside of the directory"):format(name), 3)
  end
end

function directory:path_of(name)
  check_name(name)
  return self.path .. "/" .. name
end

function directory:write(name, text)
  check_name(name)
  for at in name:gmatch("()/") do assert(core.make_directory(self.path .. "/" .. name:sub(1, at - 1))) end
  local path = self.path .. "/" .. name
  local file <close> = assert(open(path, "wb"))
  assert(file:write(text))
  return path
end

function directory:read(name)
  check_name(name)
  local file <close>, message = open(self.path .. "/" .. name, "rb")
  if not file then return nil, message end
  return file:read("a")
end

function directory:close()
  if self.closed then return end
  self.closed = true
  assert(core.remove_tree(self.path))
end

busted.class("neap.test.directory", directory)

return function()
  local path = assert(core.new_directory())
  return busted.close_after(setmetatable({ path = path, closed = false }, directory))
end
