---@meta neap.crypto
---Random bytes, hashes, passwords, and bytes as text.
---
---Random bytes are the system's. What computes is OpenSSL's libcrypto; it is loaded when it
---is first needed, and an error names it where it is not installed.
---
---What is hashed may be big: more than 128 KB at once is done in the thread pool, so that it
---does not hold the loop. The call waits then, or calls back.
local crypto = {}

---@alias neap.crypto.hash_name "blake2b512"|"md5"|"sha1"|"sha224"|"sha256"|"sha384"|"sha512"|"sha3-256"|"sha3-512"

---The same bytes as text of A-Z, a-z, 0-9, "+" and "/", with "=" at the end.
---
---Cannot fail. Does not wait: 1 MB takes about a millisecond.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(crypto.base64 "moon?>", crypto.base64("moon?>", { url = true })) --> bW9vbj8+	bW9vbj8-
---print(crypto.base64 "tide") --> dGlkZQ==
---```
---
---Source: RFC 4648, 4 and 5.
---@param data string
---@param options? { url?: boolean } url: "-" and "_" instead of "+" and "/", and no "=": for addresses, cookies and names of files
---@return string text
function crypto.base64(data, options) end

---Whether two strings are the same. How long that takes does not tell where they differ: for
---secrets that somebody else may try to guess. (That their sizes differ is no secret.)
---
---Cannot fail.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(crypto.equal("moon", "moon"), crypto.equal("moon", "noon")) --> true	false
---```
---
---Source: modules/crypto/equal.h.
---@param left string
---@param right string
---@return boolean
function crypto.equal(left, right) end

---Reads what `crypto.base64` writes. The "=" at the end may be missing.
---
---Fails with EINVAL for anything else: other characters, white space, wrong "=", bits left over.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(crypto.from_base64 "dGlkZQ==") --> tide
---print(crypto.from_base64 "tide!") --> nil	from_base64: this is not base64	EINVAL
---```
---
---Source: RFC 4648, 4 and 5.
---@param text string
---@param options? { url?: boolean } url: it is of "-" and "_"
---@return string? data
---@return string? message
---@return string? code
function crypto.from_base64(text, options) end

---Reads what `crypto.hex` writes; capitals, too.
---
---Fails with EINVAL for anything else.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(crypto.from_hex "74696465") --> tide
---```
---
---Source: RFC 4648, 8.
---@param text string
---@return string? data
---@return string? message
---@return string? code
function crypto.from_hex(text) end

---The hash of a string, as bytes: `crypto.hex` makes them readable.
---
---More than 128 KB are hashed in the thread pool: then it waits. Fails with ENOMEM, and only
---there. Raises for a name that is none, and where libcrypto is missing. md5 and sha1 are for
---what is older than their end: nothing that an enemy may write is safe with them.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(crypto.hex(crypto.hash("sha1", "abc"))) --> a9993e364706816aba3e25717850c26c9cd0d89d
---crypto.hash("md5", "abc", function(hash) print(crypto.hex(hash)) end) --> 900150983cd24fb0d6963f7d28e17f72
---```
---
---Source: OpenSSL: EVP_DigestUpdate; FIPS 180-4, FIPS 202, RFC 1321, RFC 7693.
---@async
---@param name neap.crypto.hash_name
---@param data string
---@param callback? fun(hash: string?, message: string?, code: string?)
---@return string? hash
---@return string? message
---@return string? code
function crypto.hash(name, data, callback) end

---A hash, or with a key an HMAC, of what comes in pieces.
---
---Cannot fail. Raises for a name that is none, and where libcrypto is missing.
---
---```lua
---local crypto, fs = require "neap.crypto", require "neap.fs"
---
---local file <close> = assert(fs.open "README.md")
---local hasher = crypto.hasher "sha256"
---for chunk in file:chunks() do hasher:update(chunk) end
---print(#crypto.hex(hasher:digest())) --> 64
---```
---
---Source: OpenSSL: EVP_DigestInit_ex2, EVP_MAC_init.
---@param name neap.crypto.hash_name
---@param options? { key?: string } key: it is an HMAC
---@return neap.crypto.hasher hasher
function crypto.hasher(name, options) end

---The same bytes as text: two digits of 0-9 and a-f for each.
---
---Cannot fail. Does not wait.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(crypto.hex "tide") --> 74696465
---```
---
---Source: RFC 4648, 8.
---@param data string
---@return string text
function crypto.hex(data) end

---What proves that somebody with the key has seen these bytes; compare it with `crypto.equal`.
---
---Waits, fails and raises as `crypto.hash`.
---
---```lua
---local crypto = require "neap.crypto"
---
---local key = "secret"
---local signature = crypto.hmac("sha256", key, "42 coins")
---print(crypto.equal(signature, crypto.hmac("sha256", key, "43 coins"))) --> false
---```
---
---Source: OpenSSL: EVP_MAC_update; RFC 2104.
---@async
---@param name neap.crypto.hash_name
---@param key string
---@param data string
---@param callback? fun(hmac: string?, message: string?, code: string?)
---@return string? hmac
---@return string? message
---@return string? code
function crypto.hmac(name, key, data, callback) end

---A password as it may be kept: salted, and hashed so that guessing is slow.
---
---It is a text as other programs write it, too: "$scrypt$ln=15,r=8,p=3$SALT$HASH". What it costs is
---part of it, so the options may change later, and old ones are still known.
---
---It takes about a fifth of a second and 32 MB in a thread, on purpose. Two of these calls run at a time,
---with those of `crypto.verify_password`; the others wait in line. Fails with ENOMEM. Raises where
---libcrypto is missing.
---
---```lua
---local crypto = require "neap.crypto"
---
---local kept = crypto.password "correct horse"
---print(crypto.verify_password("correct horse", kept)) --> true
---```
---
---Source: OpenSSL: EVP_PBE_scrypt; RFC 7914.
---@async
---@param text string
---@param options? { ln?: integer, r?: integer, p?: integer } RFC 7914's parameters, N is 2^ln: by default 15, 8 and 3. It takes 128 * r * 2^ln bytes (1 GB at most), and p times that long
---@param callback? fun(hash: string?, message: string?, code: string?)
---@return string? hash
---@return string? message
---@return string? code
---@overload fun(text: string, callback: fun(hash: string?, message: string?, code: string?)): neap.task
function crypto.password(text, options, callback) end

---Random bytes of the system, fit for keys and tokens.
---
---Cannot fail: where the system has none it raises, as nobody should go on without.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(#crypto.base64(crypto.random(16), { url = true })) --> 22
---```
---
---Source: libuv: uv_random.
---@param size integer bytes, from 0 to 1048576
---@return string bytes
function crypto.random(size) end

---Whether this is the password that was hashed, by `crypto.password` or another program's scrypt.
---
---Without a hash (nil) it takes as long as with one, and the answer is false: so that nobody
---learns who has an account from how long the answer takes. Otherwise as `crypto.password`; it
---fails with EINVAL for what is no such hash, or would take more than 1 GB.
---
---```lua
---local crypto = require "neap.crypto"
---
---local users = { ada = crypto.password "correct horse" }
---print(crypto.verify_password("correct horse", users.ada)) --> true
---print(crypto.verify_password("correct horse", users.bob)) --> false
---```
---
---Source: OpenSSL: EVP_PBE_scrypt; RFC 7914.
---@async
---@param text string
---@param hash string?
---@param callback? fun(right: boolean?, message: string?, code: string?)
---@return boolean? right
---@return string? message
---@return string? code
function crypto.verify_password(text, hash, callback) end

---What `crypto.hasher` returns.
---@class neap.crypto.hasher
local hasher = {}

---The hash of all there is so far, as bytes. More may be added after it.
---
---Cannot fail. Raises while another task adds to it.
---
---```lua
---local crypto = require "neap.crypto"
---
---print(crypto.hex(crypto.hasher("md5"):digest())) --> d41d8cd98f00b204e9800998ecf8427e
---```
---
---Source: OpenSSL: EVP_DigestFinal_ex, EVP_MAC_final.
---@return string hash
function hasher:digest() end

---Adds to it. More than 128 KB are added in the thread pool: then it waits, and until then nobody
---else may use the hasher. Where the task that waits is cancelled the hasher is of no use any more.
---
---Fails with ENOMEM, and only there. Raises while another task adds to it.
---
---```lua
---local crypto = require "neap.crypto"
---
---local hasher = crypto.hasher("md5"):update("a"):update("bc")
---print(crypto.hex(hasher:digest())) --> 900150983cd24fb0d6963f7d28e17f72
---```
---
---Source: OpenSSL: EVP_DigestUpdate, EVP_MAC_update.
---@async
---@param data string
---@param callback? fun(hasher: neap.crypto.hasher?, message: string?, code: string?)
---@return neap.crypto.hasher? hasher itself
---@return string? message
---@return string? code
function hasher:update(data, callback) end

return crypto
