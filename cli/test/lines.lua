-- Which lines of a Lua file can be run: those that its compiled form has instructions for. It is read from what
-- string.dump writes (Lua 5.4), because functions that were never made cannot be asked.

local HEADER = "\27Lua\x54\0\x19\x93\r\n\x1a\n"

local function reader(text, at)
  local self = {}
  function self.byte()
    at = at + 1
    return text:byte(at - 1)
  end
  function self.skip(count) at = at + count end
  function self.size() -- seven bits in each byte, the last one has the eighth set
    local value = 0
    while true do
      local byte = self.byte()
      value = value << 7 | byte & 0x7f
      if byte & 0x80 ~= 0 then return value end
    end
  end
  function self.string()
    local size = self.size()
    if size > 0 then at = at + size - 1 end
  end
  function self.signed_byte()
    local byte = self.byte()
    return byte < 128 and byte or byte - 256
  end
  return self
end

local constants = {
  [0x13] = function(input) input.skip(8) end, -- a float, an integer
  [0x03] = function(input) input.skip(8) end,
  [0x04] = function(input) input.string() end,
  [0x14] = function(input) input.string() end,
}

local ABSOLUTE = -128

local function add_lines(input, lines, first, is_vararg)
  local steps, absolute = {}, {}
  for i = 1, input.size() do steps[i] = input.signed_byte() end
  for _ = 1, input.size() do
    local pc = input.size()
    absolute[pc] = input.size()
  end
  local line = first
  for i, step in ipairs(steps) do
    line = step == ABSOLUTE and absolute[i - 1] or line + step
    if not (is_vararg and i == 1) then lines[line] = true end -- that one only prepares
  end
end

local function read_function(input, lines)
  input.string()
  local first = input.size()
  input.size() -- its last line
  input.skip(1) -- parameters
  local is_vararg = input.byte() ~= 0
  input.skip(1) -- stack size
  input.skip(4 * input.size()) -- code
  for _ = 1, input.size() do
    local read = constants[input.byte()]
    if read then read(input) end
  end
  input.skip(3 * input.size()) -- upvalues
  for _ = 1, input.size() do read_function(input, lines) end
  add_lines(input, lines, first, is_vararg)
  for _ = 1, input.size() do -- local variables
    input.string()
    input.size()
    input.size()
  end
  for _ = 1, input.size() do input.string() end -- names of upvalues
end

-- The numbers, in order; nil: it cannot be read or compiled.
return function(path)
  local chunk = loadfile(path)
  if not chunk then return nil end
  local text, lines, list = string.dump(chunk), {}, {}
  assert(text:sub(1, #HEADER) == HEADER, "another Lua")
  read_function(reader(text, #HEADER + 3 + 8 + 8 + 1 + 1), lines)
  for line in pairs(lines) do list[#list + 1] = line end
  table.sort(list)
  return list
end
