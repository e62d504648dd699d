-- The pieces of code in the documentation: what stands between ```lua and ``` in Markdown, and in the comments of
-- types/*.lua. Each is { path, line (of its first line), kind ("lua", "sh", "c"), info (what follows that), text }.
local blocks = {}

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local function find(pattern)
  local pipe <close> = assert(io.popen("ls " .. pattern))
  local paths = {}
  for path in pipe:lines() do paths[#paths + 1] = path end
  return paths
end

-- Every file that holds some, but for the reference: it repeats what types/ says.
function blocks.files()
  local paths = {}
  for _, path in ipairs(find "README.md CONTRIBUTING.md docs/*.md types/*.lua types/*/*.lua") do
    if path ~= "docs/reference.md" then paths[#paths + 1] = path end
  end
  return paths
end

function blocks.text(path)
  local text = read(path)
  if not path:find("%.lua$") then return text end
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = line:match("^%-%-%-(.*)") or "" end
  return table.concat(lines, "\n") .. "\n"
end

function blocks.read(path)
  local all, block, number = {}, nil, 0
  for line in blocks.text(path):gmatch("([^\n]*)\n") do
    number = number + 1
    local fence = line:match("^```(.*)")
    if fence and not block then
      block = { path = path, line = number + 1, kind = fence:match("^%a*"), info = fence:match("^%a*%s*(.*)") }
    elseif fence then
      block.text = table.concat(block, "\n") .. "\n"
      all[#all + 1] = block
      block = nil
    elseif block then
      block[#block + 1] = line
    end
  end
  assert(not block, path .. ": a block does not end")
  return all
end

return blocks
