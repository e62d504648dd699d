-- help(): what types/ says about a module, a function, a class or an object of it. The stubs are in the program; they
-- are parsed when somebody first asks.
local core, coloured, way_to_all = ...
local type, rawget, next, ipairs = type, rawget, next, ipairs
local getmetatable, getregistry = debug.getmetatable, debug.getregistry
local loaded = package.loaded
local concat, sort = table.concat, table.sort

local MANUAL = "https://www.lua.org/manual/5.4/manual.html#pdf-"

local overview = [[
Each line is run as a task: it may wait, while timers and servers go on.
The modules below are there by themselves; in a script: local fs = require "neap.fs".

  help(fn), help(object), help "net.connect", help "neap.net"   what it does
  Tab completes   Up, Down, Ctrl-R: history   Ctrl-C: ends the line   Ctrl-D: the end

]]

local function bold(text)
  return coloured and ("\27[1m%s\27[0m"):format(text) or text
end

-- ---- all that is described ------------------------------------------------------------------------------------------

local list -- of modules, each as annotations.parse has it

local function stubs()
  if list then return list end
  list = {}
  local annotations = core.load_part("tools/annotations.lua")()
  for path, text in next, core.list_stubs() do list[#list + 1] = annotations.parse(path, text) end
  sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function short(name)
  return (name:gsub("^neap%.", ""))
end

local function is_called(name, wanted)
  return name == wanted or short(name) == wanted
end

-- Calls visit(place, one) for all functions and fields: place is a module's or a class's stub.
local function each(visit)
  for _, stub in ipairs(stubs()) do
    for _, place in ipairs { stub, table.unpack(stub.classes) } do
      for _, kind in ipairs { place.functions, place.fields } do
        for _, one in ipairs(kind) do
          if visit(place, one) then return end
        end
      end
    end
  end
end

-- ---- what is shown --------------------------------------------------------------------------------------------------

local function add_prose(out, lines)
  local code, gap = false, true
  for _, line in ipairs(lines) do
    local fence = line:find("^```")
    if fence then
      code = not code
    elseif line ~= "" or not gap then
      out[#out + 1] = (code and "    " or "") .. line
    end
    if not fence then gap = line == "" end
  end
  if not gap then out[#out + 1] = "" end
end

local function add_entries(out, title, entries)
  if #entries == 0 then return end
  out[#out + 1] = title
  for _, one in ipairs(entries) do
    local name = one.name and ("%s%s: "):format(one.name, one.optional and "?" or "") or ""
    out[#out + 1] = ("  %s%s  %s"):format(name, one.type or "any", one.text or ""):gsub(" +$", "")
  end
  out[#out + 1] = ""
end

local function signature(place, one)
  local optional, names = {}, {}
  for _, param in ipairs(one.params) do optional[param.name] = param.optional end
  for i, name in ipairs(one.names) do names[i] = name .. (optional[name] and "?" or "") end
  local owner = one.mark == ":" and one.qualified:match("^[^:]+") or short(place.name)
  return ("%s%s%s(%s)"):format(owner, one.mark, one.name, concat(names, ", "))
end

local function describe_function(place, one)
  local out = { bold(signature(place, one)), "" }
  add_prose(out, one.prose)
  for _, overload in ipairs(one.overloads) do out[#out + 1] = "Also: " .. overload .. "\n" end
  add_entries(out, "Parameters:", one.params)
  add_entries(out, "Returns:", one.returns)
  return out
end

local function first_sentence(lines)
  local text = {}
  for _, line in ipairs(lines) do
    if line == "" then break end
    text[#text + 1] = line
  end
  text = concat(text, " ")
  return text:match("^(.-[.:])%s") or text
end

local function describe_place(place)
  local out = { bold(place.name), "" }
  add_prose(out, place.prose)
  add_entries(out, "Fields:", place.fields)
  for _, one in ipairs(place.functions) do
    out[#out + 1] = bold(signature(place, one))
    out[#out + 1] = "    " .. first_sentence(one.prose)
  end
  if #place.functions > 0 then out[#out + 1] = "" end
  if place.classes and #place.classes > 0 then
    local names = {}
    for i, class in ipairs(place.classes) do names[i] = short(class.name) end
    out[#out + 1] = "Classes and tables: " .. concat(names, ", ") .. "\n"
  end
  return out
end

local function describe_one(place, one)
  if one.params then return describe_function(place, one) end
  local out = { bold(("%s.%s"):format(short(place.name), one.name)) .. "  " .. (one.type or "any"), "" }
  add_prose(out, { one.text or "" })
  return out
end

local function describe_all()
  local out, longest = { overview:gsub("\n$", "") .. "" }, 0
  for _, stub in ipairs(stubs()) do longest = math.max(longest, #short(stub.name)) end
  for _, stub in ipairs(stubs()) do
    local name = short(stub.name)
    out[#out + 1] = ("  %s%s  %s"):format(bold(name), (" "):rep(longest - #name), first_sentence(stub.prose))
  end
  out[#out + 1] = ""
  return out
end

-- ---- what is meant --------------------------------------------------------------------------------------------------

local function find_place(is_it)
  for _, stub in ipairs(stubs()) do
    for _, place in ipairs { stub, table.unpack(stub.classes) } do
      if is_it(place) then return describe_place(place) end
    end
  end
end

local function by_name(name)
  local out = find_place(function(place) return is_called(place.name, name) end)
  if out then return out end
  each(function(place, one)
    local owner, key = name:match("^(.*)[.:]([^.:]+)$")
    local variable = one.qualified and one.qualified:match("^[^.:]+")
    if key ~= one.name or not (is_called(place.name, owner) or variable == owner) then return false end
    out = describe_one(place, one)
    return true
  end)
  return out
end

local function methods_of(class)
  local meta = getregistry()[class]
  local index = type(meta) == "table" and rawget(meta, "__index")
  if type(index) == "function" then index = select(2, debug.getupvalue(index, 1)) end
  return type(index) == "table" and index or {}
end

-- A function is known by where it is found.
local function by_function(fn)
  local out
  each(function(place, one)
    local home = loaded[place.name]
    if type(home) ~= "table" then home = methods_of(place.name) end
    if rawget(home, one.name) ~= fn then return false end
    out = describe_one(place, one)
    return true
  end)
  return out
end

-- What Lua itself brings along has its manual.
local function of_lua(fn)
  for _, module in ipairs { "_G", "coroutine", "debug", "io", "math", "os", "package", "string", "table", "utf8" } do
    for key, value in next, loaded[module] or {} do
      if value == fn then
        local name = module == "_G" and key or module .. "." .. key
        return { ("%s is Lua's own: %s%s\n"):format(bold(name), MANUAL, name) }
      end
    end
  end
end

local function by_value(value)
  local meta = getmetatable(value)
  local class = type(meta) == "table" and rawget(meta, "__name")
  return find_place(function(place) return place.name == class or loaded[place.name] == value end)
end

local function show_where(fn)
  local info = debug.getinfo(fn, "S")
  if info.what == "C" then return nil end
  return { ("a function of %s, lines %d to %d\n"):format(info.short_src, info.linedefined, info.lastlinedefined) }
end

return function(...)
  local what = ...
  local out
  if select("#", ...) == 0 then
    out = describe_all()
  elseif type(what) == "string" then
    out = by_name(what)
  elseif type(what) == "function" then
    out = by_function(what) or of_lua(what) or show_where(what)
  elseif what ~= nil then
    out = by_value(what)
  end
  local known = out ~= nil
  out = out or { ("There is no help for %s; %s lists what there is.\n"):format(
    type(what) == "string" and '"' .. what .. '"' or what == nil and "nil" or "this " .. type(what),
    way_to_all or "help()") }
  io.stdout:write(concat(out, "\n"))
  return known
end
