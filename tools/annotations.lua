-- Reads the stubs in types/: Lua files that only declare, annotated as
-- lua-language-server has it. They are the one source of the reference and of
-- editor help; tools/stubs.lua compares them with the program. They and this
-- file are also in the program, for help() in lines that are typed.
--
--   ---@meta neap.timer          the module that the file describes
--   ---Prose about it.
--   ---@class neap.interval      followed by `local interval = {}`: a class,
--   ---@field name string        or by nothing: the shape of a table
--   ---Prose, ```lua examples, and lines such as "Fails with ETIMEDOUT".
--   ---@param seconds number how long
--   ---@return boolean ok true
--   function timer.sleep(seconds, callback) end
--   return timer                 which of the locals the module is

local annotations = {}

-- "fun(a: b, c): d|nil rest" -> "fun(a: b, c): d|nil", "rest". A type goes on
-- over what brackets enclose and over "|", and ends at a space.
local function split_type(text)
  local at = text:match("^%s*()")
  local begin = at
  while true do
    local word_end = text:match('^"[^"]*"()', at) or text:match("^'[^']*'()", at)
    if not word_end then
      word_end = text:match("^[%w_.%-*`]*()", at)
      local is_function = text:sub(at, word_end - 1) == "fun"
      while text:find("^[({<%[]", word_end) do
        word_end = text:match("^%b()()", word_end) or text:match("^%b{}()", word_end)
          or text:match("^%b<>()", word_end) or text:match("^%b[]()", word_end)
          or error("brackets that do not match in " .. text, 0)
      end
      local results = is_function and text:match("^%s*:%s*()", word_end)
      while results do
        local one = split_type(text:sub(results))
        word_end = results + #one
        results = text:match("^%s*,%s*()", word_end)
      end
    end
    word_end = text:match("^%?()", word_end) or word_end
    local more = text:match("^%s*|%s*()", word_end)
    if not more then
      return text:sub(begin, word_end - 1), (text:sub(word_end):gsub("^%s*#?%s*", ""))
    end
    at = more
  end
end

local function new_block(line)
  return { line = line, prose = {}, params = {}, returns = {}, fields = {}, overloads = {} }
end

local tags = {}

function tags.meta(block, rest) block.meta = rest:match("^%S+") end
function tags.class(block, rest) block.class = rest:gsub("^%(.-%)%s*", ""):match("^[%w_.]+") end
function tags.type(block, rest) block.type = split_type(rest) end
function tags.overload(block, rest) table.insert(block.overloads, (split_type(rest))) end
function tags.deprecated(block) block.deprecated = true end

function tags.param(block, rest)
  local name, optional, tail = rest:match("^([%w_.]+)(%??)%s+(.*)$")
  local type, text = split_type(tail or "")
  table.insert(block.params, { name = name, optional = optional == "?", type = type, text = text })
end

tags["return"] = function(block, rest)
  local type, tail = split_type(rest)
  local name, text = tail:match("^([%w_.]+)%s*#?%s*(.*)$")
  table.insert(block.returns, { name = name, type = type, text = text or "" })
end

function tags.field(block, rest)
  local visibility, after = rest:match("^(%a+)%s+(%S.*)$")
  if visibility == "private" or visibility == "protected" or visibility == "package" then return end
  if visibility == "public" then rest = after end
  local name, optional, tail = rest:match("^([%w_]+)(%??)%s+(.*)$")
  if not name then return end -- [string]: an index, not a name
  local type, text = split_type(tail)
  table.insert(block.fields, { name = name, optional = optional == "?", type = type, text = text })
end

function tags.alias(block, rest)
  local name, tail = rest:match("^([%w_.]+)%s*(.*)$")
  block.alias = { name = name, type = tail, values = {} }
end

local function read_comment(block, text)
  local tag, rest = text:match("^%s*@(%a+)%s*(.*)$")
  if tag then
    if tags[tag] then tags[tag](block, rest) end
  elseif text:find("^%s*|") and block.alias then
    table.insert(block.alias.values, (text:gsub("^%s*|[+>]?%s*", "")))
  else -- who writes "--- Prose" means that space, who writes "---Prose" an indent
    block.margin = block.margin or text:match("^ ?")
    table.insert(block.prose, (text:gsub("^" .. block.margin, "", 1)))
  end
end

-- A stub: path, name (of the module), prose, functions, fields, classes (each
-- with name, prose, functions and fields) and aliases, all in order.
function annotations.parse(path, text)
  local stub = { path = path, classes = {}, aliases = {}, functions = {}, fields = {}, prose = {} }
  local locals = {} -- Lua's name -> { name = , functions = , fields = , prose = }
  local main, number = nil, 0
  local block

  local function add_class(name)
    local class = { name = name, functions = {}, fields = block.fields, prose = block.prose, line = block.line }
    table.insert(stub.classes, class)
    return class
  end

  local function finish() -- the comment ended and no declaration followed
    if not block then return end
    if block.meta then
      stub.name = block.meta
      stub.prose = block.prose
    elseif block.class then
      add_class(block.class)
    elseif block.alias then
      block.alias.prose = block.prose
      table.insert(stub.aliases, block.alias)
    end
    block = nil
  end

  local function declare(line)
    block = block or new_block(number)
    local owner, mark, name, params = line:match("^function%s+([%w_]+)([.:])([%w_]+)%s*(%b())")
    if not owner then owner, name = line:match("^([%w_]+)%.([%w_]+)%s*=") end
    if not owner then
      local variable = line:match("^local%s+([%w_]+)%s*=%s*{")
      if not variable then return finish() end
      if block.meta then finish() block = new_block(number) end
      locals[variable] = block.class and add_class(block.class)
        or { functions = {}, fields = block.fields, prose = block.prose }
    else
      local place = locals[owner]
      if not place then error(("%s:%d: nothing is called %s here"):format(path, number, owner), 0) end
      if params then
        block.name, block.mark, block.line = name, mark, number
        block.names = {}
        for one in params:gmatch("[%w_.]+") do table.insert(block.names, one) end
        block.qualified = owner .. mark .. name
        table.insert(place.functions, block)
      else
        table.insert(place.fields, { name = name, type = block.type or "any", text = table.concat(block.prose, " ") })
      end
    end
    block = nil
  end

  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    number = number + 1
    local comment = line:match("^%-%-%-(.*)$")
    if comment then
      block = block or new_block(number)
      read_comment(block, comment)
    elseif line:find("^%s*$") or line:find("^%-%-") then
      finish()
    else
      main = line:match("^return%s+([%w_]+)") or main
      if not line:find("^return") then declare(line) end
    end
  end
  finish()

  if not stub.name then error(path .. ": no ---@meta with the module's name", 0) end
  local place = locals[main]
  if not place then error(path .. ": does not return a local table", 0) end
  stub.functions, stub.fields = place.functions, place.fields
  for _, text_line in ipairs(place.prose) do table.insert(stub.prose, text_line) end
  for i, class in ipairs(stub.classes) do -- the module's own @class is no class
    if class == place then table.remove(stub.classes, i) break end
  end
  return stub
end

-- All stubs, sorted by the names of their modules.
function annotations.read()
  local paths, stubs = {}, {}
  local list <close> = assert(io.popen("find types -name '*.lua' 2>/dev/null"))
  for path in list:lines() do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do
    local file <close> = assert(io.open(path, "rb"))
    stubs[#stubs + 1] = annotations.parse(path, file:read("a"))
  end
  table.sort(stubs, function(a, b) return a.name < b.name end)
  return stubs
end

return annotations
