-- neap.json and JSONTestSuite (github.com/nst/JSONTestSuite): `y_` must be accepted, `n_` refused, `i_` may be either.
-- It is looked for beside the checkout, or where NEAP_JSON_SUITE says.
local json, fs = require "neap.json", require "neap.fs"

local suite = os.getenv "NEAP_JSON_SUITE" or "../shared/corpora/json"

-- path, text
local function documents(folder)
  local paths = {}
  for _, entry in ipairs(fs.list(folder) or {}) do
    if entry.name:find "%.json$" then paths[#paths + 1] = folder .. "/" .. entry.name end
  end
  table.sort(paths)
  return function(_, at)
    at = at + 1
    if paths[at] then return at, paths[at], assert(fs.read(paths[at])) end
  end, nil, 0
end

describe("JSONTestSuite", function()
  if not fs.stat(suite) then
    pending("is not there: " .. suite)
    return
  end

  it("is accepted and refused as it says", function()
    local count = { y = 0, n = 0, i = 0 }
    for _, path, text in documents(suite .. "/test_parsing") do
      local kind = path:match "/([yni])_[^/]*$"
      local value, message, code = json.decode(text)
      count[kind] = count[kind] + 1
      if kind == "y" then
        assert.is_true(value ~= nil, ("%s: %s"):format(path, message))
      elseif kind == "n" then
        assert.is_true(value == nil, path)
      end
      if value == nil then
        assert.is_truthy(message:find "^line %d+, column %d+: ", path)
        assert.equal("EINVAL", code)
      else
        assert.same(value, json.decode(json.encode(value)), path)
      end
    end
    assert.is_true(count.y > 50 and count.n > 100 and count.i > 10)
  end)

  it("has documents with several meanings: none ends the program", function()
    for _, path, text in documents(suite .. "/test_transform") do
      local value, message = json.decode(text)
      assert.is_true(value ~= nil or message:find "^line" ~= nil, path)
    end
  end)
end)
