-- Finds uses of what a module of ours does not have: `timer.slep` after `local timer = require "neap.timer"`. It reads
-- words and blocks, so that it knows which `timer` is meant, and judges only what surely is a module.

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch("%a+") do keywords[word] = true end

-- ---- words ---------------------------------------------------------------------

-- Strings and comments of the form [[ ]] that begin at `at`: what follows them, and what is inside.
local function long_bracket(text, at)
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local first, last = text:find("]" .. level .. "]", at, true)
  return (last or #text) + 1, text:sub(at + #level + 2, (first or #text + 1) - 1)
end

local function skip_string(text, at)
  local quote = text:sub(at, at)
  local first = at + 1
  at = first
  while at <= #text do
    local char = text:sub(at, at)
    if char == quote or char == "\n" then break end
    at = at + (char == "\\" and 2 or 1)
  end
  return at + 1, text:sub(first, at - 1)
end

-- The next token from `at`: kind, text, where it begins, what follows it.
local function next_token(text, at)
  while true do
    at = text:find("%S", at)
    if not at then return nil end
    if text:find("^%-%-", at) then
      at = long_bracket(text, at + 2) or text:find("\n", at, true) or #text + 1
    else
      break
    end
  end
  local word = text:match("^[%a_][%w_]*", at)
  if word then return keywords[word] and "keyword" or "name", word, at, at + #word end
  local char = text:sub(at, at)
  if char == '"' or char == "'" then
    local after, inside = skip_string(text, at)
    return "string", inside, at, after
  end
  local after, inside = long_bracket(text, at)
  if after then return "string", inside, at, after end
  local number = text:match("^%.?%d[%w.]*", at)
  if number then return "number", number, at, at + #number end
  local symbol = text:match("^%.%.%.?", at) or text:match("^[=~<>]=", at) or text:match("^::", at) or char
  return "symbol", symbol, at, at + #symbol
end

local function read_tokens(text)
  local tokens, at, line, line_start, counted = {}, 1, 1, 1, 1
  if text:sub(1, 1) == "#" then at = text:find("\n", 1, true) or #text + 1 end
  while true do
    local kind, word, first, after = next_token(text, at)
    if not kind then return tokens end
    for position in text:sub(counted, first - 1):gmatch("()\n") do
      line, line_start = line + 1, counted + position
    end
    counted = first
    tokens[#tokens + 1] = { kind = kind, text = word, line = line, column = first - line_start + 1 }
    at = after
  end
end

-- ---- blocks --------------------------------------------------------------------

local reader = {}
reader.__index = reader

function reader:is(at, text)
  local token = self.tokens[at]
  return token ~= nil and token.kind ~= "string" and token.text == text
end

function reader:kind_of(at)
  return self.tokens[at] and self.tokens[at].kind
end

function reader:push() self.scopes[#self.scopes + 1] = {} end

function reader:pop()
  if #self.scopes > 1 then self.scopes[#self.scopes] = nil end
end

function reader:declare(name, module) self.scopes[#self.scopes][name] = module or false end

function reader:lookup(name)
  for i = #self.scopes, 1, -1 do
    if self.scopes[i][name] ~= nil then return self.scopes[i][name] end
  end
end

-- `require "x"` or `require("x")` at `at`: the name, and what follows.
function reader:required(at)
  if not (self:is(at, "require") and not self:lookup("require")) then return nil end
  if self:kind_of(at + 1) == "string" then return self.tokens[at + 1].text, at + 2, at + 1 end
  if self:is(at + 1, "(") and self:kind_of(at + 2) == "string" and self:is(at + 3, ")") then
    return self.tokens[at + 2].text, at + 4, at + 2
  end
end

local continues = { ["."] = true, [":"] = true, ["("] = true, ["["] = true }

-- Modules that stand after "=", as far as nothing else comes between.
function reader:required_list(at)
  local modules = {}
  while true do
    local name, after = self:required(at)
    if not name then return modules end
    local token = self.tokens[after]
    local more = token and (token.kind == "string" or continues[token.text])
    modules[#modules + 1] = not more and name or false
    if more or not self:is(after, ",") then return modules end
    at = after + 1
  end
end

-- local a <const>, b = ...
function reader:read_local(at)
  local names = {}
  while self:kind_of(at) == "name" do
    names[#names + 1] = self.tokens[at].text
    at = at + 1
    if self:is(at, "<") then at = at + 3 end
    if not self:is(at, ",") then break end
    at = at + 1
  end
  local modules = self:is(at, "=") and self:required_list(at + 1) or {}
  for i, name in ipairs(names) do self:declare(name, modules[i]) end
  return at
end

-- function a.b:c(d, e)
function reader:read_function(at, is_local)
  if is_local and self:kind_of(at) == "name" then self:declare(self.tokens[at].text) end
  while self.tokens[at] and not self:is(at, "(") do at = at + 1 end
  self:push()
  while self.tokens[at] and not self:is(at, ")") do
    if self:kind_of(at) == "name" then self:declare(self.tokens[at].text) end
    at = at + 1
  end
  return at + 1
end

function reader:check_field(module, at)
  local field = self.tokens[at + 1]
  if not (self:is(at, ".") or self:is(at, ":")) or not field or field.kind ~= "name" then return end
  if self:is(at + 2, "=") then return end -- the script adds it
  self.judge(module, field)
end

function reader:read_name(at)
  local before = self.tokens[at - 1]
  if before and before.kind == "symbol" and (before.text == "." or before.text == ":") then return at + 1 end
  local module, after, place = self:required(at)
  if module then
    self.judge(module, self.tokens[place], true)
    self:check_field(module, after)
    return after
  end
  module = self:lookup(self.tokens[at].text)
  if module then self:check_field(module, at + 1) end
  return at + 1
end

local steps = {
  ["do"] = function(self, at)
    self:push()
    for _, name in ipairs(self.loop or {}) do self:declare(name) end
    self.loop = nil
    return at + 1
  end,
  ["then"] = function(self, at) self:push() return at + 1 end,
  ["repeat"] = function(self, at) self:push() return at + 1 end,
  ["else"] = function(self, at) self:pop() self:push() return at + 1 end,
  ["elseif"] = function(self, at) self:pop() return at + 1 end,
  ["end"] = function(self, at) self:pop() return at + 1 end,
  ["until"] = function(self, at) self:pop() return at + 1 end,
  ["function"] = function(self, at) return self:read_function(at + 1) end,
  ["local"] = function(self, at)
    if self:is(at + 1, "function") then return self:read_function(at + 2, true) end
    return self:read_local(at + 1)
  end,
  ["for"] = function(self, at)
    self.loop = {}
    at = at + 1
    while self:kind_of(at) == "name" do
      table.insert(self.loop, self.tokens[at].text)
      at = at + (self:is(at + 1, ",") and 2 or 1)
    end
    return at
  end,
}

-- judge(module, token): the field of that name is used; judge(module, token, true): the module is required.
return function(text, judge)
  local self = setmetatable({ tokens = read_tokens(text), scopes = { {} }, judge = judge }, reader)
  local at = 1
  while self.tokens[at] do
    local token = self.tokens[at]
    local step = token.kind == "keyword" and steps[token.text]
    if step then
      at = step(self, at)
    elseif token.kind == "name" then
      at = self:read_name(at)
    else
      at = at + 1
    end
  end
end
