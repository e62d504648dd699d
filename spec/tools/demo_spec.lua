-- tools/demo.lua, with hardly a pause: that the story comes true, and that what it draws is an SVG that can be shown.
local program = require "spec.support.program".neap
local test = require "neap.test"

local LIMIT = 60 * 1024 -- bytes

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- An error where the text is not well-formed XML, as far as we use it: no comments, no sections, no instructions.
local function check_xml(text)
  local open, position = {}, 1
  while true do
    local first, last, slash, name, attributes, empty = text:find("<(/?)([%w:]+)([^<>]-)(/?)>", position)
    local between = text:sub(position, (first or 0) - 1)
    assert(not between:find "[<>]", "a bracket in: " .. between)
    for entity in between:gmatch "&[^;]*;?" do
      assert(entity:find "^&%l+;$", "not an entity: " .. entity)
    end
    if not first then break end
    if slash == "/" then
      assert(table.remove(open) == name, "</" .. name .. "> closes something else")
    else
      local rest = attributes:gsub('%s+[%w:-]+="[^"<&]*"', "")
      assert(not rest:find "%S", "not attributes: " .. attributes)
      if empty == "" then open[#open + 1] = name end
    end
    position = last + 1
  end
  assert(#open == 0, (open[#open] or "") .. " is not closed")
end

local function check_film(svg)
  check_xml(svg)
  assert.matches("^<svg xmlns=", svg)
  assert.is_true(#svg < LIMIT, "it has " .. #svg .. " bytes")
  local said = svg:gsub(' xmlns="[^"]*"', "", 1)
  for _, unwanted in ipairs { "://", "/tmp", "/home", "/root", "url%(", "@import", "<script", "<image" } do
    assert.is_nil(said:find(unwanted), unwanted)
  end
end

describe("tools/demo.lua", function()
  it("films a reload, a refused one and a mended one", function()
    local path = test.tempdir():path_of "reload.svg"
    local pipe = assert(io.popen(("timeout -s KILL 60 %s --slow=0 tools/demo.lua %s 0.02 2>&1"):format(program, path)))
    local said = pipe:read "a"
    local ended_well = pipe:close()
    local svg = read(path)
    assert.same({ true, "" }, { ended_well, said })
    check_film(svg)
    for _, text in ipairs { "no such command: /time", "it is %d%d:%d%d:%d%d<", "generation 2 is live",
      "it is %d%d:%d%d<",
      "not reloaded, generation 2 goes on: chat%.lua:%d+:", "neap: mended: ", "%d answers, 0 failed" } do
      assert.matches(text, svg)
    end
  end)

  it("is what docs/images/reload.svg was made by", function()
    check_film(read "docs/images/reload.svg")
  end)
end)
