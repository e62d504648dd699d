-- Writes docs/reference.md from types/. With --check it only says whether that
-- file is what it would write: so a change of a stub and of the reference
-- come in one commit.

package.path = "tools/?.lua;" .. package.path
local annotations = require "annotations"

local PATH = "docs/reference.md"
local out = {}

local function line(text)
  out[#out + 1] = text
end

local function prose(lines)
  if #lines == 0 then return end
  for _, text in ipairs(lines) do line(text) end
  line("")
end

-- One line of a list: `name` `type`: text
local function entry(one)
  local parts = {}
  if one.name then parts[#parts + 1] = ("`%s%s`"):format(one.name, one.optional and "?" or "") end
  parts[#parts + 1] = one.name and ("(`%s`)"):format(one.type) or ("`%s`"):format(one.type)
  local text = table.concat(parts, " ")
  if one.text ~= "" then text = text .. ": " .. one.text end
  line("- " .. text)
end

local function entries(title, list)
  if #list == 0 then return end
  line(title)
  line("")
  for _, one in ipairs(list) do entry(one) end
  line("")
end

local function signature(one)
  local optional = {}
  for _, param in ipairs(one.params) do optional[param.name] = param.optional end
  local names = {}
  for i, name in ipairs(one.names) do names[i] = name .. (optional[name] and "?" or "") end
  return ("%s(%s)"):format(one.qualified, table.concat(names, ", "))
end

local function functions(list, level)
  for _, one in ipairs(list) do
    line(("%s `%s`"):format(level, signature(one)))
    line("")
    if one.deprecated then
      line("Deprecated.")
      line("")
    end
    prose(one.prose)
    for _, overload in ipairs(one.overloads) do
      line(("Also: `%s`"):format(overload))
      line("")
    end
    entries("Parameters:", one.params)
    entries("Returns:", one.returns)
  end
end

local function alias(one)
  line(("### `%s`"):format(one.name))
  line("")
  prose(one.prose)
  if one.type ~= "" then
    line(("`%s`"):format(one.type))
    line("")
  end
  if #one.values == 0 then return end
  for _, value in ipairs(one.values) do
    local literal, text = value:match("^(%S+)%s*#?%s*(.*)$")
    entry { type = literal, text = text }
  end
  line("")
end

local function anchor(name)
  return (name:lower():gsub("[^%w_-]", ""))
end

local stubs = annotations.read()
line "# Reference"
line ""
line "Written by `make docs` from the annotations in `types/`: edit those."
line ""
for _, stub in ipairs(stubs) do line(("- [%s](#%s)"):format(stub.name, anchor(stub.name))) end
line ""
for _, stub in ipairs(stubs) do
  line(("## %s"):format(stub.name))
  line ""
  prose(stub.prose)
  entries("Fields:", stub.fields)
  functions(stub.functions, "###")
  for _, class in ipairs(stub.classes) do
    line(("### `%s`"):format(class.name))
    line ""
    prose(class.prose)
    entries("Fields:", class.fields)
    functions(class.functions, "####")
  end
  for _, one in ipairs(stub.aliases) do alias(one) end
end
-- Paragraphs end with an empty line each: one newline ends the file.
while out[#out] == "" do out[#out] = nil end
local text = table.concat(out, "\n") .. "\n"

if arg[1] == "--check" then
  local file <close> = io.open(PATH, "rb")
  if not file or file:read("a") ~= text then
    io.stderr:write(PATH, " is not what types/ says: run `make docs`\n")
    os.exit(1)
  end
  print "reference: up to date"
else
  local file <close> = assert(io.open(PATH, "wb"))
  assert(file:write(text))
end
