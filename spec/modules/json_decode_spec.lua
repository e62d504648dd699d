-- neap.json: decode.
local json = require "neap.json"

local null = json.null
local times = os.getenv "NEAP_GC" == "stress" and 1 or 10 -- a full collection for each allocation

describe("json.decode", function()
  it("reads plain values", function()
    assert.is_true(json.decode "true")
    assert.is_false(json.decode "false")
    assert.equal(null, json.decode "null")
    assert.equal("x", json.decode ' "x"\r\n\t')
    assert.equal("", json.decode '""')
  end)

  it("tells integers from floats", function()
    for text, value in pairs { ["0"] = 0, ["-1"] = -1, ["-0"] = 0, ["9223372036854775807"] = math.maxinteger,
      ["-9223372036854775808"] = math.mininteger } do
      local got = json.decode(text)
      assert.equal("integer", math.type(got), text)
      assert.equal(value, got)
    end
    for text, value in pairs { ["1.0"] = 1, ["1e2"] = 100, ["0.1"] = 0.1, ["1E-2"] = 0.01, ["1e-400"] = 0 } do
      local got = json.decode(text)
      assert.equal("float", math.type(got), text)
      assert.equal(value, got)
    end
    assert.equal("-0.0", tostring(json.decode "-0.0"))
  end)

  it("makes floats of integers beyond 64 bits, as Lua does", function()
    local list = { "9223372036854775808", "-9223372036854775809", "123456789012345678901234567890",
      "1" .. ("0"):rep(300) }
    local text = "[1, %s, \"12345678901234567890\", {\"9223372036854775808\": 2}]"
    local got = assert(json.decode(text:format(table.concat(list, ","))))
    assert.equal("integer", math.type(got[1]))
    for i, number in ipairs(list) do
      assert.equal("float", math.type(got[i + 1]))
      assert.equal(tonumber(number), got[i + 1])
    end
    assert.equal("12345678901234567890", got[6])
    assert.same({ ["9223372036854775808"] = 2 }, got[7])
    assert.equal("integer", math.type(got[7]["9223372036854775808"]))
    assert.is_nil(json.decode("1" .. ("0"):rep(400)))
  end)

  it("reads zero bytes, in strings and in keys", function()
    assert.equal("a\0b", json.decode [["a\u0000b"]])
    local got = json.decode [[
      { "\u0000": "\u0000", "a\u0000b": "\\u0000", "\\\u0000": "\ue000\uE001", "c": ["\u0000\u0000"] }]]
    assert.same({ ["\0"] = "\0", ["a\0b"] = "\\u0000", ["\\\0"] = "\u{e000}\u{e001}", c = { "\0\0" } }, got)
    got = json.decode('{ "x\\u0000": "\u{e000}", "y": 9223372036854775808 }')
    assert.same({ ["x\0"] = "\u{e000}", y = 2.0 ^ 63 }, got)
  end)

  it("marks arrays, and objects not", function()
    local got = json.decode '{ "a": [], "b": {}, "c": [{}] }'
    assert.is_true(json.is_array(got.a))
    assert.is_true(json.is_array(got.c))
    assert.is_false(json.is_array(got))
    assert.is_false(json.is_array(got.b))
    assert.is_false(json.is_array(got.c[1]))
    table.remove(got.c)
    assert.equal('{"a":[],"b":{},"c":[]}', json.encode(got, { sorted = true }))
  end)

  it("takes the last of keys that come twice, or refuses", function()
    assert.same({ a = 2 }, json.decode '{"a":1,"a":2}')
    local value, message, code = json.decode('{"a":1,\n"a":2}', { unique = true })
    assert.is_nil(value)
    assert.is_truthy(message:find("^line 2, column %d: duplicate object key"), message)
    assert.equal("EINVAL", code)
    assert.same({ a = 1, b = { a = 1 } }, json.decode('{"a":1,"b":{"a":1}}', { unique = true }))
  end)

  local function refuses(place, text, options)
    local value, message, code = json.decode(text, options)
    assert.is_nil(value)
    assert.equal("EINVAL", code)
    local line, column = place:match "(%d+):(%d+)"
    local start = ("line %s, column %s: "):format(line, column)
    assert.equal(start, message:sub(1, #start), text .. "\n" .. message)
    assert.is_true(#message > #start)
  end

  it("says where a text is wrong", function()
    refuses("1:1", "nope")
    refuses("1:1", "")
    refuses("1:4", "[1 2]")
    refuses("1:6", '{"a" 1}')
    refuses("3:4", "[1,\n 2,\n   treu]")
    refuses("2:1", "[\n}")
    refuses("1:6", '["é",x]') -- characters, not bytes
    refuses("1:4", "[1]]")
    refuses("1:1", "\u{feff}1")
    refuses("1:1", "'x'")
    refuses("1:4", "[1,]")
    refuses("1:2", "[01]")
    refuses("1:4", '"ab') -- behind the end
    refuses("1:4", "[1,")
    refuses("1:2", "[1e999]")
    refuses("1:2", '"\xff"')
    refuses("1:4", '"ab\n"')
    refuses("1:4", '"ab\1"')
    refuses("1:6", '"abc\\x"')
    refuses("2:3", "[\n1,\0]")
    refuses("1:4", "123\0")
    refuses("1:26", "[ 12345678901234567890,  x]") -- though jansson has read another text
    refuses("2:26", '[12345678901234567890,\n"\\u0000", 1' .. ("0"):rep(12) .. ' ,x]')
  end)

  it("refuses what is not UTF-8, and halves of pairs", function()
    for _, bad in ipairs { "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\\ud800",
      "\\udc00", "\\ud800\\u0041" } do
      assert.is_nil((json.decode('"' .. bad .. '"')))
      assert.is_nil((json.decode('{"' .. bad .. '":1}')))
    end
  end)

  it("goes as deep as it may, and says where it was too deep", function()
    local function nested(depth) return ("["):rep(depth) .. ("]"):rep(depth) end
    assert.equal(nested(512), json.encode(assert(json.decode(nested(512)))))
    refuses("1:513", nested(513))
    refuses("2:2", "[{},\n[[]]]", { depth = 2 })
    assert.is_truthy(json.decode('["[[[[", {"[[[": "\\"[["}]', { depth = 2 }))
    assert.is_truthy(json.decode(nested(2048), { depth = 2048 }))
    refuses("1:2049", nested(2049), { depth = 2048 })
    refuses("1:2", '[{"a":[]}]', { depth = 1 })
    assert.is_nil((json.decode(("["):rep(1000000))))
    assert.is_nil((json.decode(('{"a":'):rep(1000000))))
  end)

  it("takes only what it can", function()
    assert.error_matches(function() json.decode() end, "bad argument #1 to 'decode' %(string expected, got no value%)")
    assert.error_matches(function() json.decode(12) end, "string expected, got number")
    assert.error_matches(function() json.decode("1", { deph = 1 }) end,
      "unknown option 'deph' %(there are: depth, unique%)")
    assert.error_matches(function() json.decode("1", print) end, "table expected, got function")
    assert.error_matches(function() json.decode("1", { depth = 0 }) end, "depth must be an integer from 1 to 2048")
  end)

  it("takes any bytes", function()
    local seeds = { '[[{"k":"v"}],-1e5]',
      '{"a":[1,2.5,"x\\u0000\\ud83d\\ude00é",null,true],"b\\u0000":12345678901234567890}' }
    for _ = 1, 50 * times do
      local text = seeds[math.random(#seeds)]
      for _ = 1, math.random(3) do
        local at = math.random(#text)
        local byte = math.random(3) > 1 and ('{}[]",:\\u0e19-.\0\xff '):sub(math.random(18)):sub(1, 1) or ""
        text = text:sub(1, at - 1) .. byte .. text:sub(at + math.random(0, 1))
      end
      local value, message, code = json.decode(text)
      if value == nil then
        assert.is_truthy(message:find "^line %d+, column %d+: ", message)
        assert.equal("EINVAL", code)
      else -- what is read is written, and read as the same
        assert.same(value, json.decode(json.encode(value)))
      end
    end
  end)
end)
