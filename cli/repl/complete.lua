-- Completes what stands before the cursor: names, fields and methods, keys in quotes, modules that can be required.
-- It reads values, and so may run an __index; it calls nothing.
local show = ...
local type, pcall, rawget, next = type, pcall, rawget, next
local getmetatable, getupvalue = debug.getmetatable, debug.getupvalue
local globals, string_methods = _G, string
local loaded, preload = package.loaded, package.preload

local MOST = 200 -- that are listed

local complete = {}

-- ---- what a value has ----------------------------------------------------------------------------------------------

-- Where its fields are looked for, one table after the other. A class of ours asks a function, whose first two upvalues
-- are its methods and its fields.
local function add_index(meta, tables)
  local index = type(meta) == "table" and rawget(meta, "__index")
  if type(index) == "table" then return index end
  if type(index) ~= "function" or type(rawget(meta, "__name")) ~= "string" then return nil end
  for i = 1, 2 do
    local _, content = getupvalue(index, i)
    if type(content) == "table" then tables[#tables + 1] = content end
  end
end

local function tables_of(value)
  local tables, seen = {}, {}
  if type(value) == "string" then return { string_methods } end
  while value ~= nil and not seen[value] do
    seen[value] = true
    if type(value) == "table" then tables[#tables + 1] = value end
    value = add_index(getmetatable(value), tables)
  end
  return tables
end

local function add_keys(found, value, prefix, is_wanted)
  for _, t in ipairs(tables_of(value)) do
    for key, content in next, t do
      if type(key) == "string" and key:sub(1, #prefix) == prefix and is_wanted(key, content) then found[key] = true end
    end
  end
end

local function is_field(key)
  return show.is_name(key)
end

local function is_method(key, content)
  return type(content) == "function" and show.is_name(key)
end

-- As a key in quotes: what would have to be escaped is left to be typed.
local function is_plain(key)
  return not key:find("[%c\"'\\]")
end

-- ---- what stands before the cursor ----------------------------------------------------------------------------------

-- "a.b[1]['c']" -> its value; nil: it is something else, or has none.
local function evaluate(text)
  local name, at = text:match("^([%a_][%w_]*)()")
  if not name then return nil end
  local good, value = true, globals[name]
  while good and value ~= nil and at <= #text do
    local key, after = text:match("^[.:]([%a_][%w_]*)()", at)
    if not key then key, after = select(2, text:match("^%[([\"'])(.-)%1%]()", at)) end
    if not key then
      key, after = text:match("^%[(%d+)%]()", at)
      key = math.tointeger(key)
    end
    if key == nil then return nil end
    good, value = pcall(function(t) return t[key] end, value)
    at = after
  end
  if good then return value end
end

-- The longest end of the text that evaluate() may understand.
local function last_expression(text)
  local at = #text
  while at > 0 do
    local char = text:sub(at, at)
    if char == "]" then
      local before = text:sub(1, at):match("()%[%d+%]$") or text:sub(1, at):match("()%[\"[^\"]*\"%]$")
        or text:sub(1, at):match("()%['[^']*'%]$")
      if not before then break end
      at = before - 1
    elseif char:find("[%w_.:]") then
      at = at - 1
    else
      break
    end
  end
  return text:sub(at + 1)
end

local function modules(found, prefix)
  for _, list in ipairs { preload, loaded } do
    for name in next, list do
      if type(name) == "string" and name:sub(1, #prefix) == prefix then found[name] = true end
    end
  end
end

-- The word to complete, and what follows a word that is completed: three kinds, tried in this order.
local function find(text)
  local found = {}
  local quote, word = text:match("require%s*%(?%s*([\"'])([^\"']*)$")
  if quote then
    modules(found, word)
    return word, found, quote
  end
  local before
  before, quote, word = text:match("^(.*)%[([\"'])([^\"']*)$")
  if quote then
    add_keys(found, evaluate(last_expression(before)), word, is_plain)
    return word, found, quote .. "]"
  end
  local mark
  before, mark, word = last_expression(text):match("^(.*)([.:])([%w_]*)$")
  if mark then
    add_keys(found, evaluate(before), word, mark == ":" and is_method or is_field)
    return word, found, ""
  end
  word = text:match("[%a_][%w_]*$") or ""
  if word == "" and text:find("[\"')%]%w]$") then return word, found, "" end
  add_keys(found, globals, word, is_field)
  for name in next, preload do
    local short = name:match("^neap%.(%w+)$") or name:match("^neap$")
    if short and short:sub(1, #word) == word then found[short] = true end
  end
  if ("help"):sub(1, #word) == word then found.help = true end
  for keyword in next, show.keywords do
    if word ~= "" and keyword:sub(1, #word) == word then found[keyword] = true end
  end
  return word, found, ""
end

-- ---- the answer -----------------------------------------------------------------------------------------------------

local function common_prefix(names)
  local prefix = names[1]
  for _, name in ipairs(names) do
    while name:sub(1, #prefix) ~= prefix do prefix = prefix:sub(1, -2) end
  end
  return prefix
end

local function in_columns(names, width)
  local longest, texts = 0, {}
  local count = math.min(#names, MOST)
  for i = 1, count do longest = math.max(longest, #names[i]) end
  local columns = math.max(1, width // (longest + 2))
  local rows = (count + columns - 1) // columns
  for row = 1, rows do
    local line = {}
    for i = row, count, rows do line[#line + 1] = names[i] .. (" "):rep(longest - #names[i]) end
    texts[row] = table.concat(line, "  "):gsub(" +$", "")
  end
  if #names > count then texts[#texts + 1] = ("... %d more"):format(#names - count) end
  return table.concat(texts, "\n") .. "\n"
end

-- What to insert, or nil; what to list, or nil.
function complete.complete(text, width)
  if not text:match("[^\n]*$"):find("%S") then return "  " end
  local word, found, ending = find(text)
  local names = {}
  for name in next, found do names[#names + 1] = name end
  table.sort(names)
  if #names == 0 then return nil end
  if #names == 1 then return names[1]:sub(#word + 1) .. ending end
  local prefix = common_prefix(names)
  if #prefix > #word then return prefix:sub(#word + 1) end
  return nil, in_columns(names, width)
end

return complete
