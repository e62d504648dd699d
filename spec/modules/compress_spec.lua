-- What is packed comes back, in one piece or many; what is no such thing, or too much, is said so.
local compress, neap, timer = require "neap.compress", require "neap", require "neap.timer"

local ENCODINGS = { "gzip", "deflate", "br" }

-- Text with some sense in it, of so many bytes.
local function text_of(size)
  local list, length, i = {}, 0, 0
  while length < size do
    i = i + 1
    list[i] = ('{"id":%d,"name":"item %d","price":%d.5},\n'):format(i, i * 7919 % 1000, i * 31 % 97)
    length = length + #list[i]
  end
  return table.concat(list):sub(1, size)
end

local NOISE = {} -- what was made before

local function noise_of(size)
  if NOISE[size] then return NOISE[size] end
  local list, seed = {}, 1
  for i = 1, size do
    seed = seed * 1103515245 + 12345 & 0x7fffffff
    list[i] = string.char(seed >> 16 & 255)
  end
  NOISE[size] = table.concat(list)
  return NOISE[size]
end

local function fails(code, text, ...)
  local value, message, got = ...
  assert.is_nil(value)
  assert.equal(code, got)
  assert.is_truthy(message:find(text, 1, true), message)
end

local function raises(text, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_truthy(message:find(text, 1, true), message)
end

local SIZES = { 0, 1, 300, 16384, 70000, 1000000 }

for _, encoding in ipairs(ENCODINGS) do
  describe(encoding, function()
    it("gives back what was packed, whatever its size and level", function()
      for _, size in ipairs(SIZES) do
        local text = text_of(size)
        for _, level in ipairs { 1, 6, 9 } do
          local packed = assert(compress.encode(text, encoding, { level = level }))
          if size > 1000 then assert.is_true(#packed < size / 3) end
          assert.is_true(compress.decode(packed, encoding) == text)
        end
      end
      local noise = noise_of(200000)
      assert.is_true(compress.decode(compress.encode(noise, encoding), encoding) == noise)
    end)

    it("takes a list of strings", function()
      assert.equal("one two", compress.decode({ compress.encode({ "one ", "two" }, encoding) }, encoding))
    end)

    it("has a callback for what is done at once, and for a thread", function()
      for _, text in ipairs { "short", text_of(500000) } do
        local got, early
        compress.encode(text, encoding, function(packed)
          compress.decode(packed, encoding, { limit = #text }, function(back) got = back end)
        end)
        early = got
        repeat timer.sleep(0.001) until got
        assert.is_nil(early)
        assert.is_true(got == text)
      end
    end)

    it("stops at the limit", function()
      local packed = compress.encode(("x"):rep(5000000), encoding)
      assert.is_true(#packed < 10000)
      assert.equal(5000000, #compress.decode(packed, encoding, { limit = 5000000 }))
      fails("EMSGSIZE", "decode " .. encoding .. ": it is more than the limit of 4999999 bytes",
        compress.decode(packed, encoding, { limit = 4999999 }))
      fails("EMSGSIZE", "limit of 0 bytes", compress.decode(packed, encoding, { limit = 0 }))
      assert.equal("", compress.decode(compress.encode("", encoding), encoding, { limit = 0 }))
    end)

    it("unpacks 128 MB where nothing is said", function()
      local encoder <close> = compress.encoder(encoding, { level = 1 })
      local megabytes, packed = ("x"):rep(8 << 20), {}
      for i = 1, 17 do packed[i] = encoder:write(megabytes) end
      packed[#packed + 1] = encoder:finish()
      fails("EMSGSIZE", "134217728", compress.decode(packed, encoding))
    end)

    it("refuses what is cut short, malformed, or goes on", function()
      for _, size in ipairs { 0, 100, 100000 } do
        local packed = compress.encode(text_of(size), encoding)
        fails("EOF", "decode " .. encoding .. ": it is cut short", compress.decode(packed:sub(1, -2), encoding))
        for _, more in ipairs { "x", "xyz", ("\0"):rep(100) } do
          fails("EINVAL", "something follows its end", compress.decode(packed .. more, encoding))
        end
      end
      fails("EOF", "cut short", compress.decode("", encoding))
      fails("EINVAL", "decode " .. encoding .. ": ", compress.decode(("\xff"):rep(100), encoding))
    end)

    it("survives any byte that is wrong", function()
      local packed = compress.encode(text_of(400), encoding)
      for i = 1, #packed do
        local broken = packed:sub(1, i - 1) .. string.char(packed:byte(i) ~ 0x55) .. packed:sub(i + 1)
        local back, _, code = compress.decode(broken, encoding, { limit = 100000 })
        assert.is_true(back ~= nil or code == "EINVAL" or code == "EOF" or code == "EMSGSIZE")
      end
    end)

    it("goes piece by piece: a flush gives all there is", function()
      local text = text_of(150000)
      local encoder <close> = compress.encoder(encoding)
      local decoder <close> = compress.decoder(encoding)
      for from = 1, #text, 33333 do
        local piece = text:sub(from, from + 33332)
        local packed = encoder:write(piece:sub(1, 100)) .. encoder:flush(piece:sub(101))
        assert.is_true(decoder:write(packed) == piece)
      end
      assert.equal("", encoder:flush() and "")
      assert.equal("", decoder:finish(encoder:finish()))
    end)

    it("takes its input byte by byte", function()
      local text, back = text_of(3000), {}
      local packed = compress.encode(text, encoding)
      local decoder <close> = compress.decoder(encoding)
      for i = 1, #packed do back[i] = assert(decoder:write(packed:sub(i, i))) end
      back[#back + 1] = decoder:finish()
      assert.equal(text, table.concat(back))
    end)

    it("has callbacks piece by piece", function()
      local encoder <close> = compress.encoder(encoding)
      local packed, done = "", false
      encoder:write(text_of(300000), function(first)
        encoder:flush(function(second)
          encoder:finish("end", function(third)
            packed, done = first .. second .. third, true
          end)
        end)
      end)
      repeat timer.sleep(0.001) until done
      assert.is_true(compress.decode(packed, encoding) == text_of(300000) .. "end")
    end)

    it("limits what comes of all pieces, and fails from then on", function()
      local packed = compress.encode(("x"):rep(1000), encoding)
      local decoder <close> = compress.decoder(encoding, { limit = 999 })
      fails("EMSGSIZE", "limit of 999 bytes", decoder:write(packed))
      fails("EMSGSIZE", "limit of 999 bytes", decoder:write "more")
      fails("EMSGSIZE", "limit of 999 bytes", decoder:finish())
      local short <close> = compress.decoder(encoding)
      short:write(packed:sub(1, 4))
      fails("EOF", "cut short", short:finish())
    end)

    it("is of no use after its end", function()
      local encoder = compress.encoder(encoding)
      encoder:finish "text"
      raises("it is finished", encoder.write, encoder, "more")
      raises("it is finished", encoder.finish, encoder)
      encoder:close()
      encoder:close()
      raises("it is closed", encoder.write, encoder, "more")
    end)

    it("is closed while a thread is at it: who waits is told so", function()
      local encoder = compress.encoder(encoding)
      local task = neap.go(function() return encoder:write(noise_of(1000000)) end)
      timer.sleep(0)
      raises("another call of it has not ended", encoder.write, encoder, "x")
      encoder:close()
      fails("ECANCELED", "encode " .. encoding, task:join())
    end)

    it("fails after a call was cancelled: its output is lost", function()
      local encoder <close> = compress.encoder(encoding)
      local task = neap.go(function() return encoder:write(noise_of(1000000)) end)
      timer.sleep(0)
      task:cancel()
      task:join()
      fails("ECANCELED", "encode " .. encoding, encoder:write "x")
    end)

    it("can be left alone in a thread", function()
      neap.go(function() return compress.encode(noise_of(1000000), encoding, { level = 9 }) end):cancel()
      local task = neap.go(function() return compress.encode(noise_of(1000000), encoding, { level = 9 }) end)
      timer.sleep(0)
      task:cancel()
      compress.encoder(encoding):write(noise_of(1000000), function() end):cancel()
      collectgarbage()
    end)

    it("lets others run while it works", function()
      local ticks, done = 0, false
      local task = neap.go(function()
        repeat
          ticks = ticks + 1
          timer.sleep(0)
        until done
      end)
      compress.encode(text_of(3000000), encoding)
      done = true
      task:join()
      assert.is_true(ticks > 3)
    end)
  end)
end

describe("gzip", function()
  it("may be several, one behind the other", function()
    local one, two = compress.encode("one ", "gzip"), compress.encode("two", "gzip")
    assert.equal("one two", compress.decode(one .. two, "gzip"))
    local back = {}
    local decoder <close> = compress.decoder "gzip"
    for byte in (one .. two):gmatch "." do back[#back + 1] = decoder:write(byte) end
    assert.is_truthy(decoder:finish())
    fails("EMSGSIZE", "6 bytes", compress.decode(one .. two, "gzip", { limit = 6 }))
    fails("EOF", "cut short", compress.decode(one .. two:sub(1, 12), "gzip"))
  end)

  it("is what others read and write", function()
    local packed = "\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"
    assert.equal("hello", compress.decode(packed, "gzip"))
    fails("EINVAL", "incorrect data check", compress.decode(packed:gsub("\x86", "\x87"), "gzip"))
    assert.equal("\x1f\x8b\x08", compress.encode("hello", "gzip"):sub(1, 3))
  end)
end)

describe("deflate", function()
  it("is read without zlib's head, too", function()
    assert.equal("hello", compress.decode("\xcb\x48\xcd\xc9\xc9\x07\x00", "deflate"))
    assert.equal(0x78, compress.encode("hello", "deflate"):byte())
  end)
end)

describe("mistakes", function()
  it("raise", function()
    raises("(invalid option 'zip')", compress.encode, "x", "zip")
    raises("bad argument #1", compress.encode, nil, "gzip")
    raises("(invalid option 'x')", compress.decoder, "x")
    raises("level must be an integer from 1 to 9", compress.encode, "x", "gzip", { level = 10 })
    raises("level must be an integer from 0 to 11", compress.encoder, "br", { level = 12 })
    raises("unknown option 'limit' (there are: level)", compress.encode, "x", "br", { limit = 1 })
    raises("limit must be an integer from 0", compress.decode, "x", "br", { limit = -1 })
    raises("bad argument", compress.encoder("br").write, compress.encoder "br", {}, 5)
  end)
end)
