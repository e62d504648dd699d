-- Compares the program with its stubs: whatever a script can reach must be
-- described in types/, and what is described must exist. Run by the program
-- that is checked: build/release/neap tools/stubs.lua

package.path = "tools/?.lua;" .. package.path
local annotations = require "annotations"

local failures, seen = 0, 0

local function fail(format, ...)
  failures = failures + 1
  io.stderr:write(format:format(...), "\n")
end

local function is_public(name)
  return type(name) == "string" and not name:find("^_")
end

local function sorted_keys(t)
  local keys = {}
  for key in next, t do
    if is_public(key) then keys[#keys + 1] = key end
  end
  table.sort(keys)
  return keys
end

-- The modules are those that the list in modules/modules.c names.
local function module_names()
  local names, known = {}, {}
  local file <close> = assert(io.open("modules/modules.c", "rb"))
  for name in file:read("a"):gmatch('"(neap[%w_.]*)"') do
    if not known[name] then names[#names + 1] = name end
    known[name] = true
  end
  return names
end

-- Methods are what __index holds, or what it has as its first upvalue where
-- it is a function that also answers for fields.
local function methods_of(metatable)
  local index = rawget(metatable, "__index")
  if type(index) == "function" then
    index = select(2, debug.getupvalue(index, 1))
  end
  return type(index) == "table" and index or {}
end

-- Class name -> its methods, for every metatable that can be reached, wherever
-- a module keeps it: in the registry, or in a function's upvalue.
local function find_classes()
  local classes, visited = {}, {}
  local queue = { debug.getregistry() }
  local function add(value)
    local kind = type(value)
    if (kind == "table" or kind == "function" or kind == "userdata") and not visited[value] then
      visited[value] = true
      queue[#queue + 1] = value
    end
  end
  while #queue > 0 do
    local value = table.remove(queue)
    if type(value) ~= "function" then add(debug.getmetatable(value)) end
    if type(value) == "table" then
      for key, content in next, value do add(key) add(content) end
      local name = rawget(value, "__name")
      if type(name) == "string" and name:find("^neap%.") then
        classes[name] = classes[name] or {}
        for key, method in next, methods_of(value) do classes[name][key] = method end
      end
    elseif type(value) == "function" then
      local i = 1
      while true do
        local name, content = debug.getupvalue(value, i)
        if not name then break end
        add(content)
        i = i + 1
      end
    elseif io.type(value) == nil then
      add((debug.getuservalue(value, 1)))
    end
  end
  return classes
end

-- Both directions, for a module's table or a class's methods. Fields that are
-- no functions are only looked for in a module: an object's are computed.
local function compare(actual, described, place, is_module)
  local stubs = {}
  for _, one in ipairs(described.functions) do
    if stubs[one.name] then fail("%s: %s is described twice", place, one.name) end
    stubs[one.name] = "function"
    if #one.prose == 0 then fail("%s: %s is declared but not described", place, one.name) end
  end
  for _, one in ipairs(described.fields) do
    stubs[one.name] = one.type:find("^fun%f[%W]") and "function" or "field"
  end
  for name in pairs(stubs) do local _ = actual[name] end -- some are loaded when they are asked for
  for _, name in ipairs(sorted_keys(actual)) do
    if is_module or type(actual[name]) == "function" then
      seen = seen + 1
      if not stubs[name] then fail("%s: %s has no stub", place, name) end
    end
  end
  for _, name in ipairs(sorted_keys(stubs)) do
    if actual[name] == nil and (is_module or stubs[name] == "function") then
      fail("%s: %s does not exist", place, name)
    end
  end
end

local stubs = {}
for _, stub in ipairs(annotations.read()) do
  if stubs[stub.name] then fail("%s: %s has another stub too", stub.path, stub.name) end
  stubs[stub.name] = stub
end

for _, name in ipairs(module_names()) do
  local module, stub = require(name), stubs[name]
  if not stub then
    fail("types: no stub for the module %s", name)
  elseif type(module) == "table" then
    compare(module, stub, ("%s: %s"):format(stub.path, name), true)
  end
end

local actual, described = find_classes(), {}
for name, stub in pairs(stubs) do
  if not package.loaded[name] then fail("%s: there is no module %s", stub.path, name) end
  for _, class in ipairs(stub.classes) do
    described[class.name] = true
    local place = ("%s: %s"):format(stub.path, class.name)
    if actual[class.name] then
      compare(actual[class.name], class, place, false)
    elseif #class.functions > 0 then -- one without is the shape of a table
      fail("%s: there is no such class", place)
    end
  end
end
for _, name in ipairs(sorted_keys(actual)) do
  if not described[name] and #sorted_keys(actual[name]) > 0 then
    fail("types: no stub for the class %s", name)
  end
end

if failures > 0 then os.exit(1) end
print(("stubs: %d names, all described"):format(seen))
