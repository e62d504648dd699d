-- neap.json: encode, array, is_array, null.
local json, neap = require "neap.json", require "neap"
local reloading = require "spec.support.reloading"

local null, array = json.null, json.array
local times = os.getenv "NEAP_GC" == "stress" and 1 or 10 -- a full collection for each allocation

describe("json.encode", function()
  it("writes plain values", function()
    for text, value in pairs { ["true"] = true, ["false"] = false, ["null"] = null, ['""'] = "", ['"x"'] = "x" } do
      assert.equal(text, json.encode(value))
    end
  end)

  it("writes integers as integers", function()
    for _, value in ipairs { 0, 1, -1, 10, 1234567890, 1 << 53, math.maxinteger, math.mininteger } do
      assert.equal(("%d"):format(value), json.encode(value))
    end
  end)

  it("writes floats as floats, short", function()
    local texts = { ["0.0"] = 0.0, ["-0.0"] = -0.0, ["1.0"] = 1.0, ["-2.5"] = -2.5, ["0.1"] = 0.1, ["19.99"] = 19.99,
      ["0.00000001"] = 1e-8, ["100000.0"] = 1e5, ["999999999999999.0"] = 999999999999999.0, ["1e+15"] = 1e15,
      ["1e+300"] = 1e300, ["1e-09"] = 1e-9, ["123456.789"] = 123456.789, ["0.30000000000000004"] = 0.1 + 0.2,
      ["9007199254740992.0"] = 2.0 ^ 53, ["1.7976931348623157e+308"] = 0x1.fffffffffffffp1023 }
    for text, value in pairs(texts) do assert.equal(text, json.encode(value)) end
  end)

  it("writes floats so that they read back the same", function()
    local function check(value)
      local text = json.encode(value)
      local back = json.decode(text)
      assert.equal("float", math.type(back), text)
      assert.equal(("%a"):format(value), ("%a"):format(back), text)
    end
    for exponent = -1074, 1023, 41 // times do check(2.0 ^ exponent) end
    for _ = 1, 50 * times do
      local value = string.unpack("d", string.pack("j", math.random(0)))
      if value - value == 0 then check(value) end
      check(math.random(-10 ^ 9 // 1, 10 ^ 9 // 1) / 10 ^ math.random(0, 12))
      check((math.random() - 0.5) * 10.0 ^ math.random(-20, 20))
    end
  end)

  it("writes a point whatever the locale has", function()
    local before = os.setlocale()
    for _, name in ipairs { "de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8" } do
      if os.setlocale(name) then
        assert.equal("[0.5,0.30000000000000004]", json.encode { 0.5, 0.1 + 0.2 })
        assert.same({ 0.5 }, json.decode "[0.5]")
      end
    end
    os.setlocale(before)
  end)

  it("escapes what has to be", function()
    assert.equal([["\"\\/\b\f\n\r\t\u0000\u001f]] .. '\127"', json.encode '"\\/\b\f\n\r\t\0\31\127')
    for size = 0, 2 * times do -- also where eight bytes are looked at together
      for at = 1, size do
        local left, right = ("a"):rep(at - 1), ("b"):rep(size - at)
        assert.equal('"' .. left .. '\\n' .. right .. '"', json.encode(left .. "\n" .. right))
        assert.equal('"' .. left .. '\\"' .. right .. '"', json.encode(left .. '"' .. right))
        assert.equal('"' .. left .. "é" .. right .. '"', json.encode(left .. "é" .. right))
      end
    end
  end)

  it("reads back every character, escaped or not", function()
    for _, options in ipairs { {}, { ascii = true } } do
      local step = 1
      for code = 0, 0x10ffff do
        if code > 0x100 then step = 3001 // times end
        if code % step == 0 and (code < 0xd800 or code > 0xdfff) then
          local char = utf8.char(code)
          local text = json.encode({ [char] = char }, options)
          if options.ascii then assert.is_nil(text:find "[\128-\255]") end
          assert.equal(char, json.decode(text)[char])
        end
      end
    end
    assert.equal([["\u00e9\ud83d\ude00"]], json.encode("é😀", { ascii = true }))
    for size = 1, 9 do -- it is ASCII, alone and among others
      local text = ("\127"):rep(size)
      assert.equal('"' .. text .. '"', json.encode(text, { ascii = true }))
    end
  end)

  it("makes lists of 1 to n, and objects of names", function()
    assert.equal("[1,[2,[]],{}]", json.encode { 1, { 2, array() }, {} })
    assert.equal('{"a":{"b":[1]}}', json.encode { a = { b = { 1 } } })
    assert.equal('{"":1}', json.encode { [""] = 1 })
    assert.equal('{"1":1}', json.encode { ["1"] = 1 })
    local backwards = {}
    for i = 100, 1, -1 do backwards[i] = i end
    local list = {}
    for i = 1, 100 do list[i] = i end
    assert.equal(json.encode(list), json.encode(backwards))
    assert.equal("[1]", json.encode { 1, nil, nil })
  end)

  it("calls no metamethod", function()
    local function fail() error "called" end
    local meta = { __index = fail, __len = fail, __pairs = fail, __tostring = fail }
    assert.equal("[1]", json.encode(setmetatable({ 1 }, meta)))
    assert.equal('{"a":1}', json.encode(setmetatable({ a = 1 }, meta)))
    assert.equal("{}", json.encode(setmetatable({}, meta)))
    local key = { [setmetatable({}, meta)] = 1 }
    assert.error_matches(function() json.encode(key) end, "cannot encode the key %(a table%)")
    assert.error_matches(function() json.encode(array(key)) end, "an array cannot have the key %(a table%)")
  end)

  it("sorts", function()
    local value = { b = 1, a = 2, ["a\0"] = 3, B = 4, [""] = 5, ab = { y = 1, x = 2 }, ["é"] = 6 }
    local text = '{"":5,"B":4,"a":2,"a\\u0000":3,"ab":{"x":2,"y":1},"b":1,"é":6}'
    assert.equal(text, json.encode(value, { sorted = true }))
    local many = {}
    for i = 1, 1000 do many[("%04d"):format(i)] = i end
    local keys = {}
    for key in json.encode(many, { sorted = true }):gmatch '"(%d+)"' do keys[#keys + 1] = tonumber(key) end
    assert.equal(1000, #keys)
    for i, key in ipairs(keys) do assert.equal(i, key) end
  end)

  it("lays out", function()
    local value = { list = { 1, { x = 2 } }, none = array(), object = {} }
    local text = [[
{
  "list": [
    1,
    {
      "x": 2
    }
  ],
  "none": [],
  "object": {}
}]]
    assert.equal(text, json.encode(value, { pretty = true, sorted = true }))
    assert.equal(text, json.encode(value, { pretty = 2, sorted = true }))
    assert.equal((text:gsub("  ", (" "):rep(31))), json.encode(value, { pretty = 31, sorted = true }))
    assert.equal("[1]", json.encode({ 1 }, { pretty = 0 }))
    assert.equal("[1]", json.encode({ 1 }, { pretty = false }))
  end)

  it("goes on where its first memory is full", function()
    for _, size in ipairs { 4090, 4094, 4095, 4096, 4097, 100000, 3000000 } do
      local text = ("x"):rep(size)
      assert.equal('"' .. text .. '"', json.encode(text))
      assert.equal(text, json.decode(json.encode(text .. "")))
    end
    local list = {}
    for i = 1, 20000 do list[i] = { i, "\n" } end
    local back = assert(json.decode(json.encode(list)))
    assert.same(list, back)
  end)

  local function refuses(message, value, options)
    local ok, text = pcall(json.encode, value, options)
    assert.is_false(ok)
    assert.equal(message, text)
  end

  it("raises for what has no JSON, and says where", function()
    refuses("$: cannot encode a function", print)
    refuses("$: cannot encode a nil", nil)
    refuses("$.a[2]: cannot encode a function", { a = { 1, print } })
    refuses("$.a.b: cannot encode a thread", { a = { b = coroutine.create(print) } })
    refuses("$[1]: cannot encode a FILE*", { io.stdout })
    refuses("$: cannot encode nan", 0 / 0)
    refuses("$.x: cannot encode inf", { x = 1 / 0 })
    refuses("$.x: cannot encode -inf", { x = -1 / 0 })
    refuses('$["a b"]["\\"?"][1]: cannot encode a function', { ["a b"] = { ['"\n'] = { print } } })
    refuses("$: cannot encode a neap.task", neap.go(function() end))
    assert.error_matches(function() json.encode() end, "bad argument #1 to 'encode' %(value expected%)")
  end)

  it("raises at the line of the caller", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local ok, text = pcall(function() local _ = json.encode(print) end)
    assert.is_false(ok)
    assert.is_truthy(text:find("json_spec.lua:" .. line .. ": $: cannot", 1, true), text)
  end)

  it("raises for keys that are neither a list's nor an object's", function()
    local rule = ": those of an object are strings, those of a list go from 1 to n"
    refuses("$.t: cannot encode the key true" .. rule, { t = { [true] = 1 } })
    refuses("$: cannot encode the key 1.5" .. rule, { [1.5] = 1 })
    refuses("$: cannot encode the key 0" .. rule, { [0] = 1 })
    refuses("$: cannot encode the key -1" .. rule, { [-1] = 1, 1, 2 })
    refuses("$.list: cannot encode the key 'x'" .. rule, { list = { 1, 2, x = 3 } })
    refuses("$: an array cannot have the key 'x'", array { x = 1 })
    refuses("$: an array cannot have the key 'x'", array { 1, x = 1 })
    assert.error_matches(function() json.encode({ [true] = 1 }, { sorted = true }) end, "cannot encode the key true")
    assert.error_matches(function() json.encode({ a = 1, [3] = 1 }, { sorted = true }) end, "cannot encode the key")
  end)

  it("raises for lists with holes, and says where the first is", function()
    local why = ": the list has a hole here (json.null fills one)"
    refuses("$.list[3]" .. why, { list = { 1, 2, nil, 4 } })
    refuses("$[1]" .. why, { [10] = 1 })
    refuses("$[1]" .. why, array { nil, 1 })
    refuses("$[4]" .. why, { 1, 2, 3, [5] = 5 })
  end)

  it("raises for strings and keys that are not UTF-8", function()
    for _, bad in ipairs { "\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
      "\xf8\x88\x80\x80\x80", "\xe2\x82", "\x80", "\xf0\x80\x80\x80" } do
      refuses("$.a: not UTF-8 at byte 3 of the string", { a = "ab" .. bad })
      refuses("$.a: not UTF-8 at byte 12 of the string", { a = "12345678901" .. bad .. "x" })
      assert.error_matches(function() json.encode { [bad] = 1 } end, "not UTF%-8 at byte 1")
    end
  end)

  it("finds cycles, and names both ends", function()
    local value = { child = { {} } }
    value.child[1].parent = value
    refuses("$.child[1].parent: a cycle: this is $ again", value)
    value.child[1].parent = value.child
    refuses("$.child[1].parent: a cycle: this is $.child again", value)
    local twice = { 1 }
    assert.equal("[[1],[1]]", json.encode { twice, twice })
  end)

  it("goes as deep as it may", function()
    local function nested(depth)
      local value = array()
      for _ = 2, depth do value = { value } end
      return value
    end
    assert.equal(("["):rep(512) .. ("]"):rep(512), json.encode(nested(512)))
    refuses("$" .. ("[1]"):rep(8) .. " ... " .. ("[1]"):rep(8) .. ": deeper than 512 levels", nested(513))
    refuses("$[1][1]: deeper than 2 levels", nested(3), { depth = 2 })
    assert.equal(4096, #json.encode(nested(2048), { depth = 2048 }))
    assert.error_matches(function() json.encode(nested(2049), { depth = 2048 }) end, "deeper than 2048")
    assert.error_matches(function() json.encode(nested(100000)) end, "deeper than 512")
    assert.equal("1", json.encode(1, { depth = 1 }))
  end)

  it("takes only the options that there are", function()
    local function fails(options, message)
      assert.error_matches(function() json.encode(1, options) end, message)
    end
    fails({ prety = true }, "unknown option 'prety' %(there are: ascii, depth, pretty, sorted%)")
    fails(print, "bad argument #2 to 'encode' %(table expected, got function%)")
    fails(true, "table expected, got boolean")
    fails({ pretty = 32 }, "pretty must be an integer from 0 to 31, not 32")
    fails({ pretty = "  " }, "pretty must be an integer")
    fails({ pretty = 1.5 }, "pretty must be an integer")
    fails({ sorted = 1 }, "sorted must be true or false")
    fails({ ascii = "yes" }, "ascii must be true or false")
    for _, depth in ipairs { 0, -1, 2049, "3" } do
      fails({ depth = depth }, "depth must be an integer from 1 to 2048")
    end
    assert.equal("1", json.encode(1, nil))
  end)
end)

describe("json.array", function()
  it("marks a table, or a new one", function()
    local list = { 1 }
    assert.equal(list, array(list))
    assert.equal(list, array(list)) -- twice
    assert.equal("[]", json.encode(array()))
    assert.equal("[]", json.encode(array {}))
    assert.is_true(json.is_array(array()))
    for _, other in ipairs { {}, 1, "x", true, null, print } do assert.is_false(json.is_array(other)) end
  end)

  it("takes only tables without a metatable", function()
    assert.error_matches(function() array(1) end, "table expected, got number")
    assert.error_matches(function() array(setmetatable({}, {})) end, "a table with a metatable cannot be marked")
    assert.error_matches(function() json.is_array() end, "value expected")
  end)
end)

describe("json.null", function()
  it("is one value, and prints as null", function()
    assert.equal("null", tostring(null))
    assert.equal("userdata", type(null))
    assert.is_true(rawequal(null, json.decode "[null]"[1]))
    assert.equal('[null,{"a":null}]', json.encode { null, { a = null } })
  end)
end)

it("null and the mark of arrays mean the same to the next version of a program", function()
  local text = [[ state = require "neap.hot".state "kept" json = require "neap.json" ]]
  local app <close> = reloading.start(text)
  app:run [[ state.list, state.none, state.read = json.array(), json.null, json.decode "[]" ]]
  assert.is_true((app:reload(text .. " version = 2")))
  assert.equal(2, app:run "return version")
  assert.equal('{"list":[],"none":null,"read":[]}', app:run "return json.encode(state, { sorted = true })")
  assert.is_true(app:run "return state.none == json.null and json.is_array(state.list)")
end)
