-- Shows values as a person wants to read them: as Lua would have them written, tables in one line where they fit, big
-- ones cut. It only reads: no metamethod runs but __tostring and __name.
local type, tostring, next, rawget, rawlen, ipairs = type, tostring, next, rawget, rawlen, ipairs
local getmetatable, pcall, getinfo = debug.getmetatable, pcall, debug.getinfo
local sort, concat, huge = table.sort, table.concat, math.huge
local math_type, min, utf8_len = math.type, math.min, utf8.len
local loaded = package.loaded

local DEPTH, ITEMS, TOTAL = 6, 100, 2000 -- levels of tables, entries of one, values of all
local MOST_SORTED = 10000 -- keys
local STRING, SHORT_STRING = 10000, 200 -- bytes of a string that is shown by itself, and in a table
local INDENT = "  "

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch("%a+") do keywords[word] = true end

local function is_name(text)
  return type(text) == "string" and text:find("^[%a_][%w_]*$") and not keywords[text]
end

-- ---- strings --------------------------------------------------------------------------------------------------------

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ["\""] = "\\\"" }

local function escape(letter)
  return escapes[letter] or letter:gsub(".", function(byte) return ("\\x%02x"):format(byte:byte()) end)
end

-- The text in quotes, and a note about what is left out. UTF-8 is left as it is, but for the control characters, which
-- a terminal would obey.
local function quote(text, limit)
  local note = ""
  if #text > limit then
    local cut = limit
    while cut > limit - 4 and text:find("^[\x80-\xbf]", cut + 1) do cut = cut - 1 end
    note = (" (%d more bytes)"):format(#text - cut)
    text = text:sub(1, cut)
  end
  text = text:gsub(utf8_len(text) and "[%c\"\\]" or "[^]-~ !#-[]", escape)
  return '"' .. text:gsub("\xc2[\x80-\x9f]", escape) .. '"', note
end

-- ---- functions ------------------------------------------------------------------------------------------------------

-- "string.format": where a module that is loaded has it.
local function find_name(fn)
  for module, content in next, loaded do
    if type(module) == "string" and type(content) == "table" then
      for key, value in next, content do
        if value == fn and type(key) == "string" then
          return module == "_G" and key or ("%s.%s"):format(module:gsub("^neap%.", ""), key)
        end
      end
    end
  end
end

local function describe_function(fn)
  local info = getinfo(fn, "S")
  local name = find_name(fn)
  name = name and " " .. name or ""
  if info.what == "C" then return ("<function%s, in C>"):format(name) end
  return ("<function%s, %s:%d>"):format(name, info.short_src, info.linedefined)
end

-- ---- values ---------------------------------------------------------------------------------------------------------

local ranks = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local rank_a, rank_b = ranks[type(a)] or 4, ranks[type(b)] or 4
  if rank_a ~= rank_b then return rank_a < rank_b end
  if rank_a <= 2 then return a < b end
  return tostring(a) < tostring(b)
end

local colours = { string = "32", number = "33", boolean = "33", ["nil"] = "2", note = "2", name = "36" }

local function new_painter(coloured)
  return function(text, kind)
    local colour = coloured and colours[kind]
    return colour and text ~= "" and ("\27[%sm%s\27[0m"):format(colour, text) or text
  end
end

-- What a metatable says about it: the text of __tostring, or the name of its class.
local function describe(value)
  local meta = getmetatable(value)
  if type(meta) ~= "table" then return nil end
  if rawget(meta, "__tostring") ~= nil then
    local good, text = pcall(tostring, value)
    return good and text or ("<__tostring fails: %s>"):format(tostring(text))
  end
  local name = rawget(meta, "__name")
  return nil, type(name) == "string" and name or nil
end

local show -- (state, value, indent, path, limit) -> text, its width without colours; text has several lines or not

local function simple(state, value, kind, limit)
  local paint = state.paint
  if kind == "string" then
    local text, rest = quote(value, limit)
    return paint(text, "string") .. paint(rest, "note"), #text + #rest
  end
  local text = kind == "function" and describe_function(value) or nil
  if kind == "number" and math_type(value) == "float" then
    text = value ~= value and "nan" or value == huge and "inf" or value == -huge and "-inf" or nil
  elseif kind == "userdata" or kind == "thread" then
    text = ("<%s>"):format(describe(value) or tostring(value))
  end
  text = text or tostring(value)
  return paint(text, colours[kind] and kind or "note"), #text
end

local function show_key(state, key)
  if is_name(key) then return state.paint(key, "name"), #key end
  local text, width
  if type(key) == "table" then
    text = tostring(key)
    width = #text
  else
    text, width = simple(state, key, type(key), SHORT_STRING)
  end
  return "[" .. text .. "]", width + 2
end

local function sorted_keys(t, count)
  local keys = {}
  for key in next, t do
    if #keys == MOST_SORTED then return keys end
    if not (math_type(key) == "integer" and key >= 1 and key <= count) then keys[#keys + 1] = key end
  end
  sort(keys, before)
  return keys
end

-- Of what has so many keys that they are not all looked at, what is shown is as it comes.
local function count_keys(t)
  local count = 0
  for _ in next, t do count = count + 1 end
  return count
end

-- Lists of texts and widths: the entries of a table.
local function entries(state, t, indent, path)
  local texts, width, lines = {}, 0, false
  local function add(key, value, next_path)
    local name, name_width = "", 0
    if key ~= nil then
      name, name_width = show_key(state, key)
      name, name_width = name .. " = ", name_width + 3
    end
    local text, size = show(state, value, indent .. INDENT, next_path, SHORT_STRING)
    texts[#texts + 1] = name .. text
    width = width + name_width + size + 2
    lines = lines or text:find("\n", 1, true) ~= nil
  end
  local count = rawlen(t)
  local keys = sorted_keys(t, count)
  local left = ITEMS
  for i = 1, min(count, ITEMS) do
    if state.left <= 0 then break end
    left = left - 1
    add(nil, rawget(t, i), ("%s[%d]"):format(path, i))
  end
  for _, key in ipairs(keys) do
    if left == 0 or state.left <= 0 then break end
    left = left - 1
    add(key, rawget(t, key), is_name(key) and path .. "." .. key or ("%s[%s]"):format(path, tostring(key)))
  end
  local more = count + #keys - (ITEMS - left)
  if #keys == MOST_SORTED then more = count_keys(t) - (ITEMS - left) end
  if more > 0 then
    texts[#texts + 1] = state.paint(("... %d more"):format(more), "note")
    width = width + #texts[#texts]
  end
  return texts, width, lines
end

local function show_table(state, t, indent, path)
  local paint = state.paint
  local text, name = describe(t)
  if text then return text, #text end
  name = name and name .. " " or ""
  local used = #name
  name = paint(name, "note")
  if state.seen[t] then
    text = ("<cycle: %s>"):format(state.seen[t])
    return paint(text, "note"), #text
  end
  if next(t) == nil then return name .. "{}", used + 2 end
  if #indent // #INDENT >= DEPTH then return name .. paint("{...}", "note"), used + 5 end
  state.seen[t] = path
  local texts, width, lines = entries(state, t, indent, path)
  state.seen[t] = nil
  if not lines and used + width + 4 + #indent <= state.width then
    return ("%s{ %s }"):format(name, concat(texts, ", ")), used + width + 2
  end
  local inner = "\n" .. indent .. INDENT
  return ("%s{%s%s\n%s}"):format(name, inner, concat(texts, "," .. inner), indent), state.width + 1
end

function show(state, value, indent, path, limit)
  state.left = state.left - 1
  if type(value) == "table" then return show_table(state, value, indent, path) end
  return simple(state, value, type(value), limit)
end

-- The results of a line, in one line where they fit: options are width and coloured.
local function show_all(options, count, values)
  local texts, width, lines = {}, 0, false
  for i = 1, count do
    local state = { width = options.width, paint = new_painter(options.coloured), seen = {}, left = TOTAL }
    local text, size = show(state, values[i], "", "it", STRING)
    texts[i] = text
    width = width + size + 2
    lines = lines or text:find("\n", 1, true) ~= nil
  end
  return concat(texts, (lines or width > options.width) and ",\n" or ", ")
end

return { show = show_all, is_name = is_name, keywords = keywords }
