-- neap.crypto: random bytes, hashes, passwords, and bytes as text.
local crypto, neap, test = require "neap.crypto", require "neap", require "neap.test"

local hex, unhex = crypto.hex, crypto.from_hex
local big = ("0123456789abcdef"):rep(20000) -- 320 KB: hashed in a thread

-- Waits for the callback's values.
local function later(fn, ...)
  local got
  local arguments = table.pack(...)
  arguments[arguments.n + 1] = function(...) got = table.pack(...) end
  local call = fn(table.unpack(arguments, 1, arguments.n + 1))
  assert.is_nil(got) -- never before the call has returned
  call:join()
  return table.unpack(got, 1, got.n)
end

describe("crypto.hash", function()
  it("gives what the standards say", function()
    for name, answer in pairs { -- RFC 1321; FIPS 180-4 and 202; RFC 7693: of "abc"
      md5 = "900150983cd24fb0d6963f7d28e17f72",
      sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d",
      sha224 = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
      sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      sha384 = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
      sha512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        .. "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      ["sha3-256"] = "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
      ["sha3-512"] = "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
        .. "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
      blake2b512 = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        .. "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    } do
      assert.equal(answer, hex(crypto.hash(name, "abc")), name)
      assert.equal(answer, hex(later(crypto.hash, name, "abc")), name)
      assert.equal(answer, hex(crypto.hasher(name):update("a"):update(""):update("bc"):digest()), name)
    end
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", hex(crypto.hash("sha256", "")))
  end)

  it("hashes what is big in a thread, to the same", function()
    -- FIPS 180: a million times "a"
    assert.equal("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      hex(crypto.hash("sha256", ("a"):rep(1000000))))
    local whole = crypto.hash("sha1", big)
    assert.equal(whole, later(crypto.hash, "sha1", big))
    local pieces = crypto.hasher "sha1"
    for at = 1, #big, 1000 do pieces:update(big:sub(at, at + 999)) end
    assert.equal(whole, pieces:digest())
  end)

  it("lets others run meanwhile", function()
    local order = {}
    local task = neap.go(function()
      crypto.hash("sha512", big)
      order[#order + 1] = "hashed"
    end)
    neap.go(function() order[#order + 1] = "other" end)
    task:join()
    assert.same({ "other", "hashed" }, order)
  end)

  it("can be cancelled, and its text is safe until the thread is done", function()
    local tasks = {}
    for i = 1, 8 do
      tasks[i] = neap.go(function() crypto.hash("sha256", ("x"):rep(400000 + i)) end)
      tasks[i + 8] = neap.go(function() crypto.hmac("sha256", ("k"):rep(i), ("x"):rep(400000 + i)) end)
    end
    neap.go(function() end):join()
    for _, task in ipairs(tasks) do task:cancel() end
    for _, task in ipairs(tasks) do task:join() end
    tasks = nil -- luacheck: ignore
    collectgarbage()
  end)

  it("raises for what cannot be", function()
    assert.has_error(function() crypto.hash("sha257", "") end, "bad argument #1 to 'hash' (unknown hash 'sha257' "
      .. "(there are: blake2b512, md5, sha1, sha224, sha256, sha3-256, sha3-512, sha384, sha512))")
    assert.has_error(function() crypto.hash("SHA256", "") end)
    assert.has_error(function() crypto.hash("sha256", {}) end,
      "bad argument #2 to 'hash' (string expected, got table)")
    assert.has_error(function() crypto.hash("sha256", "", 5) end,
      "bad argument #3 to 'hash' (function expected, got number)")
    assert.has_error(function() crypto.hash("sha256") end)
  end)
end)

describe("crypto.hmac", function()
  local cases = { -- RFC 4231
    { ("\x0b"):rep(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
    { "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { ("\xaa"):rep(20), ("\xdd"):rep(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { ("\xaa"):rep(131), "Test Using Larger Than Block-Size Key - Hash Key First",
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    { "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
  }

  it("gives what the standards say", function()
    for _, case in ipairs(cases) do
      local key, data, answer = table.unpack(case)
      assert.equal(answer, hex(crypto.hmac("sha256", key, data)))
      assert.equal(answer, hex(later(crypto.hmac, "sha256", key, data)))
      assert.equal(answer, hex(crypto.hasher("sha256", { key = key }):update(data):digest()))
    end
    assert.equal("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", hex(crypto.hmac("sha1", "Jefe", cases[2][2]))) -- RFC 2202
    assert.equal("750c783e6ab0b503eaa86e310a5db738", hex(crypto.hmac("md5", "Jefe", cases[2][2])))
  end)

  it("does the same in a thread", function()
    local sum = crypto.hmac("sha512", "key", big)
    assert.equal(sum, crypto.hasher("sha512", { key = "key" }):update(big:sub(1, 7)):update(big:sub(8)):digest())
    assert.is_false(sum == crypto.hmac("sha512", "kez", big))
  end)
end)

describe("a hasher", function()
  it("tells the digest of what there is so far, and goes on", function()
    local hasher = crypto.hasher "sha256"
    assert.equal(crypto.hash("sha256", ""), hasher:digest())
    assert.equal(crypto.hash("sha256", "a"), hasher:update("a"):digest())
    assert.equal(crypto.hash("sha256", "a"), hasher:digest())
    assert.equal(crypto.hash("sha256", "ab"), hasher:update("b"):digest())
    local keyed = crypto.hasher("sha256", { key = "k" }):update "a"
    keyed:digest()
    assert.equal(crypto.hmac("sha256", "k", "ab"), keyed:update("b"):digest())
  end)

  it("calls back with itself", function()
    local hasher = crypto.hasher "sha256"
    assert.equal(hasher, later(hasher.update, hasher, "abc"))
    assert.equal(crypto.hash("sha256", "abc"), hasher:digest())
  end)

  it("is for one task at a time", function()
    local hasher = crypto.hasher "sha256"
    local call = hasher:update(big, function() end)
    assert.has_error(function() hasher:update "x" end, "another task is adding to this hasher")
    assert.has_error(function() hasher:digest() end, "another task is adding to this hasher")
    call:join()
    assert.equal(crypto.hash("sha256", big), hasher:digest())
  end)

  it("is of no use where adding to it was given up", function()
    local long, others = ("x"):rep(1 << 24), {}
    for i = 1, 64 do others[i] = crypto.hash("sha512", long, function() end) end -- all threads have enough to do
    local hasher = crypto.hasher "sha256"
    hasher:update(big, function() end):cancel()
    for _, call in ipairs(others) do call:cancel() end
    test.eventually(function()
      return not select(2, pcall(hasher.digest, hasher)):find "another task"
    end)
    assert.has_error(function() hasher:digest() end, "this hasher is of no use: adding to it was given up")
    assert.has_error(function() hasher:update "x" end, "this hasher is of no use: adding to it was given up")
  end)

  it("raises for what cannot be", function()
    assert.has_error(function() crypto.hasher "none" end)
    assert.has_error(function() crypto.hasher("sha256", { kye = "x" }) end,
      "bad argument #2 to 'hasher' (unknown option 'kye' (there are: key))")
    assert.has_error(function() crypto.hasher("sha256", { key = {} }) end,
      "bad argument #2 to 'hasher' (key must be a string, not a table)")
    assert.has_error(function() crypto.hasher("sha256"):update() end)
    assert.has_error(function() crypto.hasher("sha256").update({}, "x") end)
  end)
end)

describe("crypto.random", function()
  it("gives so many bytes, others each time", function()
    for _, size in ipairs { 0, 1, 16, 300, 1 << 20 } do assert.equal(size, #crypto.random(size)) end
    assert.not_equal(crypto.random(16), crypto.random(16))
    local seen = {}
    crypto.random(10000):gsub(".", function(byte) seen[byte] = true end)
    local count = 0
    for _ in pairs(seen) do count = count + 1 end
    assert.is_true(count > 200)
  end)

  it("raises for what cannot be", function()
    for _, size in ipairs { -1, (1 << 20) + 1, 1.5, "x" } do
      assert.has_error(function() crypto.random(size) end)
    end
  end)
end)

describe("crypto.equal", function()
  it("compares all bytes", function()
    assert.is_true(crypto.equal("", ""))
    assert.is_true(crypto.equal("a\0b", "a\0b"))
    assert.is_false(crypto.equal("a\0b", "a\0c"))
    assert.is_false(crypto.equal("a", "ab"))
    assert.is_false(crypto.equal("\128a", "\0a"))
    assert.has_error(function() crypto.equal("a", nil) end)
  end)
end)

describe("crypto.base64", function()
  local cases = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==", fooba = "Zm9vYmE=", -- RFC 4648
    foobar = "Zm9vYmFy", ["\255\254\251\0"] = "//77AA==" }

  it("writes and reads", function()
    for data, text in pairs(cases) do
      assert.equal(text, crypto.base64(data))
      assert.equal(data, crypto.from_base64(text))
      assert.equal(data, crypto.from_base64((text:gsub("=", ""))))
      local url = text:gsub("=", ""):gsub("/", "_"):gsub("+", "-")
      assert.equal(url, crypto.base64(data, { url = true }))
      assert.equal(data, crypto.from_base64(url, { url = true }))
      assert.equal(data, crypto.from_base64(url .. ("="):rep(-#url % 4), { url = true }))
    end
    for size = 0, 200 do
      local data = crypto.random(size)
      assert.equal(data, crypto.from_base64(crypto.base64(data)))
      assert.equal(data, crypto.from_base64(crypto.base64(data, { url = true }), { url = true }))
    end
  end)

  it("reads nothing else", function()
    for _, text in ipairs {
      "Z", "Zg=", "Zg===", "=", "==", "====", "Z===", "Zg==Zg==", "Zm8==", "Zm9v=", "Zh==", "Zm9=",
      "Zm9v\n", " Zm9v", "Zm-v", "Zm_v", "Zm9v\0", "Zm\2559v", "Zm=v" } do
      assert.same({ nil, "from_base64: this is not base64", "EINVAL" }, { crypto.from_base64(text) }, text)
    end
    for _, text in ipairs { "Zm+v", "Zm/v" } do assert.is_nil(crypto.from_base64(text, { url = true })) end
    assert.has_error(function() crypto.from_base64("", { url = 1 }) end)
    assert.has_error(function() crypto.base64("", { urls = true }) end)
  end)
end)

describe("crypto.hex", function()
  it("writes and reads", function()
    assert.equal("00ff7f80", hex "\0\255\127\128")
    assert.equal("", hex "")
    assert.equal("\0\255\127\128", unhex "00fF7F80")
    assert.equal("", unhex "")
  end)

  it("reads nothing else", function()
    for _, text in ipairs { "0", "0g", "g0", " 00", "00 ", "0x00", "000" } do
      assert.same({ nil, "from_hex: these are not pairs of hexadecimal digits", "EINVAL" }, { unhex(text) })
    end
  end)
end)

describe("a password", function()
  local cheap = { ln = 4, r = 1, p = 1 }

  it("is known again, and no other is", function()
    local hash = crypto.password("tea\0time", cheap)
    assert.matches("^%$scrypt%$ln=4,r=1,p=1%$[%w+/]+%$[%w+/]+$", hash)
    assert.is_true(crypto.verify_password("tea\0time", hash))
    assert.is_false(crypto.verify_password("tea\0tim", hash))
    assert.is_false(crypto.verify_password("", hash))
    assert.not_equal(hash, crypto.password("tea\0time", cheap)) -- salted
  end)

  it("costs what is good advice, by default", function()
    local hash = crypto.password "tea"
    assert.matches("^%$scrypt%$ln=15,r=8,p=3%$", hash)
    assert.is_true(crypto.verify_password("tea", hash))
  end)

  it("calls back with the same", function()
    local hash = later(crypto.password, "tea", cheap)
    assert.is_true(later(crypto.verify_password, "tea", hash))
    assert.is_false(later(crypto.verify_password, "coffee", hash))
    assert.same({ nil, "verify_password: this is not a hash of a password", "EINVAL" },
      { later(crypto.verify_password, "tea", "tea") })
    assert.matches("^%$scrypt", (later(crypto.password, "tea", nil)))
  end)

  it("is scrypt as others have it", function()
    -- RFC 7914, 12: the password "pleaseletmein", the salt "SodiumChloride"; and one that passlib's manual shows
    local salt, hash = crypto.base64("SodiumChloride"):gsub("=", ""), crypto.base64(unhex(
      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
      .. "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")):gsub("=", "")
    assert.is_true(crypto.verify_password("pleaseletmein", "$scrypt$ln=14,r=8,p=1$" .. salt .. "$" .. hash))
    assert.is_true(crypto.verify_password("password",
      "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"))
  end)

  it("of nobody is never right, and takes its time", function()
    assert.is_false(crypto.verify_password("tea", nil))
    assert.is_false(later(crypto.verify_password, "tea", nil))
  end)

  it("is refused where its hash is none", function()
    local salt, hash = "aM15713r3Xsvxbi31lqr1Q", "nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
    for _, text in ipairs { "", "$", "$scrypt$", "scrypt$ln=4,r=1,p=1$" .. salt .. "$" .. hash,
      "$scrypt$ln=4,r=1,p=1$" .. salt, "$scrypt$ln=4,r=1,p=1$" .. salt .. "$", "$scrypt$ln=4,r=1,p=1$$" .. hash,
      "$scrypt$ln=4,r=1$" .. salt .. "$" .. hash, "$scrypt$ln=04,r=1,p=1$" .. salt .. "$" .. hash,
      "$scrypt$ln=-4,r=1,p=1$" .. salt .. "$" .. hash, "$scrypt$ln=4,r=0,p=1$" .. salt .. "$" .. hash,
      "$scrypt$ln=4,r=1,p=0$" .. salt .. "$" .. hash, "$scrypt$ln=16,r=1,p=1$" .. salt .. "$" .. hash,
      "$scrypt$ln=24,r=8,p=1$" .. salt .. "$" .. hash, "$scrypt$ln=63,r=8,p=1$" .. salt .. "$" .. hash,
      "$scrypt$ln=4,r=1,p=1$" .. salt .. "$" .. hash .. "$", "$scrypt$ln=4,r=1,p=1$" .. salt .. "$" .. hash .. "=",
      "$scrypt$ln=4,r=1,p=1$" .. salt .. "$" .. ("A"):rep(88),
      "$scrypt$ln=4,r=1,p=1$" .. salt .. "$" .. ("A"):rep(4000),
      "$scrypt$ln=4,r=1,p=1$" .. salt .. "$AAAA", "$argon2id$v=19$m=65536,t=3,p=4$" .. salt .. "$" .. hash,
      "$scrypt$ln=99999999999999999999,r=1,p=1$" .. salt .. "$" .. hash } do
      assert.same({ nil, "verify_password: this is not a hash of a password", "EINVAL" },
        { crypto.verify_password("tea", text) }, text)
    end
  end)

  it("waits in line where there are many, and may leave it", function()
    local hash = crypto.password("tea", { ln = 10, r = 8, p = 1 })
    local tasks, right = {}, 0
    for i = 1, 40 do
      tasks[i] = neap.go(function() if crypto.verify_password("tea", hash) then right = right + 1 end end)
    end
    neap.go(function() end):join()
    for i = 1, 40, 2 do tasks[i]:cancel() end
    tasks[40]:cancel()
    for _, task in ipairs(tasks) do task:join() end
    assert.is_true(right >= 19)
    assert.is_true(crypto.verify_password("tea", hash))
  end)

  it("raises for what cannot be", function()
    assert.has_error(function() crypto.password() end)
    assert.has_error(function() crypto.password("tea", { ln = 25 }) end,
      "bad argument #2 to 'password' (ln must be an integer from 1 to 24, not 25)")
    assert.has_error(function() crypto.password("tea", { ln = 24 }) end,
      "bad argument #2 to 'password' (128 * r * 2^ln is at most 1 GB, and ln less than 16 * r)")
    assert.has_error(function() crypto.password("tea", { cost = 4 }) end)
    assert.has_error(function() crypto.verify_password("tea", {}) end)
    assert.has_error(function() crypto.verify_password("tea", "x", 1) end)
  end)
end)

describe("libcrypto", function()
  it("is not loaded before it is needed", function()
    if not io.open "/proc/self/maps" then return pending("no /proc here") end
    local child = test.spawn_neap [[
      local crypto = require "neap.crypto"
      local function is_loaded() return not not io.open "/proc/self/maps":read "a":find "libcrypto" end
      crypto.base64(crypto.random(3))
      io.write(tostring(is_loaded()), " ")
      crypto.hash("sha256", "")
      io.write(tostring(is_loaded()))
    ]]
    assert.same({ 0, "false true", "" }, { child:wait() })
  end)

  it("that cannot be loaded is an error of whoever needs it, and nothing else", function()
    local dir = test.tempdir()
    dir:write("libcrypto.so.3", "no library")
    local child = test.spawn_neap([[
      local crypto = require "neap.crypto"
      print(#crypto.hex(crypto.random(4)))
      print(select(2, pcall(crypto.hash, "sha256", "")))
      print(select(2, pcall(crypto.password, "tea")))
    ]], nil, { program = "/bin/sh",
      flags = { "-c", 'LD_LIBRARY_PATH="$1" exec "$2" "$3"', "sh", dir.path, require "neap.process".exepath() } })
    local status, out = child:wait()
    assert.equal(0, status)
    local needs = "neap%.crypto needs OpenSSL 3, and cannot load libcrypto%.so%.3 %(Debian: apt install libssl3%): "
    assert.matches("^8\n[^\n]*" .. needs .. "[^\n]*\n[^\n]*" .. needs .. "[^\n]*\n$", out)
  end)
end)

describe("a program that ends while a thread hashes", function()
  it("ends as it should", function()
    local run = require("spec.support.neap").run
    local code, out, err = run [[
      local crypto, timer = require "neap.crypto", require "neap.timer"
      local text = ("x"):rep(128 << 20)
      crypto.hash("sha512", text, function() print "done" end)
      timer.sleep(0.001) -- a thread has begun
      os.exit(3)
    ]]
    assert.same({ 3, "", "" }, { code, out, err })
  end)
end)
