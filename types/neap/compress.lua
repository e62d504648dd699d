---@meta neap.compress
---gzip, deflate and br: packed and unpacked, as a whole or piece by piece.
---docs/compress.md is its chapter.
---
---What is short is done at once; the rest in a thread, while the task waits.
local compress = {}

---@alias neap.compress.encoding "gzip"|"deflate"|"br"

---@class neap.compress.encode_options
---@field level? integer 1 (quick) to 9 (small); with br 0 to 11. By default what suits answers that are made as they are asked for: 6 or what is as small, with br 4

---Packs a text.
---
---Raises for what is no string or list of strings, and for an encoding that is none.
---Fails only without memory (ENOMEM).
---
---```lua
---local compress = require "neap.compress"
---
---local text = ("tea "):rep(1000)
---local packed = compress.encode(text, "gzip", { level = 9 })
---print(#packed < 100, compress.decode(packed, "gzip") == text) --> true	true
---```
---
---Source: libdeflate, or zlib: deflate; brotli: BrotliEncoderCompressStream; RFC 1950, 1952, 7932.
---@param data string|string[]
---@param encoding neap.compress.encoding "deflate" is what HTTP calls so: zlib's format
---@param options? neap.compress.encode_options
---@param callback? fun(packed?: string, message?: string, code?: string)
---@return string? packed
---@return string? message
---@return string? code
function compress.encode(data, encoding, options, callback) end

---@class neap.compress.decode_options
---@field limit? integer bytes that may come of it: 128 MB (134217728)

---Unpacks a text. A few bytes can become very many, so there is always a limit: set one that
---suits what you expect.
---
---gzip may be several, one behind the other. deflate may lack zlib's head, as some
---send it. Nothing may follow the end.
---
---Fails with EMSGSIZE (it is more than the limit), EINVAL (it is malformed, or something
---follows its end), EOF (it is cut short), ENOMEM. Raises as `encode` does.
---
---```lua
---local compress = require "neap.compress"
---
---local packed = compress.encode(("x"):rep(1000000), "br")
---print(compress.decode(packed, "br", { limit = 1000 }))
-----> nil	decode br: it is more than the limit of 1000 bytes	EMSGSIZE
---print(compress.decode(packed:sub(1, -2), "br")) --> nil	decode br: it is cut short	EOF
---```
---
---Source: zlib: inflate; brotli: BrotliDecoderDecompressStream; RFC 1950, 1951, 1952, 7932.
---@param data string|string[]
---@param encoding neap.compress.encoding
---@param options? neap.compress.decode_options
---@param callback? fun(text?: string, message?: string, code?: string)
---@return string? text
---@return string? message
---@return string? code
function compress.decode(data, encoding, options, callback) end

---Packs piece by piece.
---
---Raises for an encoding that is none.
---
---```lua
---local compress = require "neap.compress"
---
---local encoder <close> = compress.encoder "gzip"
---local packed = { encoder:write "one ", encoder:write "two ", encoder:finish "three" }
---print(compress.decode(packed, "gzip")) --> one two three
---```
---
---Source: zlib: deflate; brotli: BrotliEncoderCompressStream.
---@param encoding neap.compress.encoding
---@param options? neap.compress.encode_options
---@return neap.compress.encoder encoder
function compress.encoder(encoding, options) end

---Unpacks piece by piece. `limit` is for all that comes of it; without one a single call gives
---128 MB at most, and there is no limit of all.
---
---Raises for an encoding that is none.
---
---```lua
---local compress = require "neap.compress"
---
---local packed = compress.encode("green tea", "br")
---local decoder <close> = compress.decoder("br", { limit = 100 })
---local text = ""
---for byte in packed:gmatch "." do text = text .. assert(decoder:write(byte)) end
---print(text .. assert(decoder:finish())) --> green tea
---```
---
---Source: zlib: inflate; brotli: BrotliDecoderDecompressStream.
---@param encoding neap.compress.encoding
---@param options? neap.compress.decode_options
---@return neap.compress.decoder decoder
function compress.decoder(encoding, options) end

---Packs piece by piece. One call at a time: while a task waits in one, another
---raises. After a failure, and after a call that was cancelled, every call fails in the
---same way. Closed by `close()`, `<close>` and the collector.
---@class neap.compress.encoder
local encoder = {}

---Takes a piece: what can be given so far, often "".
---
---Fails as `encode` and `decode` do. Raises after `finish` and `close`.
---
---```lua
---local compress = require "neap.compress"
---
---local encoder <close> = compress.encoder "br"
---print(encoder:write "a short piece is kept" == "") --> true
---```
---
---Source: zlib: Z_NO_FLUSH; brotli: BROTLI_OPERATION_PROCESS.
---@param data string|string[]
---@param callback? fun(bytes?: string, message?: string, code?: string)
---@return string? bytes
---@return string? message
---@return string? code
function encoder:write(data, callback) end

---Takes a piece, or none, and gives all there is: whoever unpacks it has every byte so far. Costs
---a few bytes each time.
---
---Fails and raises as `write`.
---
---```lua
---local compress = require "neap.compress"
---
---local encoder <close> = compress.encoder "gzip"
---local decoder <close> = compress.decoder "gzip"
---print(decoder:write(encoder:flush "now")) --> now
---```
---
---Source: zlib: Z_SYNC_FLUSH; brotli: BROTLI_OPERATION_FLUSH.
---@param data? string|string[]
---@param callback? fun(bytes?: string, message?: string, code?: string)
---@return string? bytes
---@return string? message
---@return string? code
function encoder:flush(data, callback) end

---Takes the last piece, or none, and ends it.
---
---Fails and raises as `write`.
---
---```lua
---local compress = require "neap.compress"
---
---local decoder <close> = compress.decoder "gzip"
---print(decoder:finish(compress.encoder("gzip"):finish "all")) --> all
---```
---
---Source: zlib: Z_FINISH; brotli: BROTLI_OPERATION_FINISH.
---@param data? string|string[]
---@param callback? fun(bytes?: string, message?: string, code?: string)
---@return string? bytes
---@return string? message
---@return string? code
function encoder:finish(data, callback) end

---Frees its memory, a quarter of a megabyte and more. Who waits for a thread gets ECANCELED.
---
---```lua
---local compress = require "neap.compress"
---
---local encoder = compress.encoder "gzip"
---encoder:close()
---print((pcall(encoder.write, encoder, "x"))) --> false
---```
---
---Source: zlib: deflateEnd.
function encoder:close() end

---Unpacks piece by piece; for the rest as an encoder.
---@class neap.compress.decoder
local decoder = {}

---Takes a piece: what comes of it, as much as there is.
---
---Fails and raises as `compress.decode` does, and after `finish` and `close` it raises.
---
---```lua
---local compress = require "neap.compress"
---
---local packed = compress.encode("tea and milk", "deflate")
---local decoder <close> = compress.decoder "deflate"
---print(decoder:write(packed:sub(1, 5)) .. decoder:write(packed:sub(6))) --> tea and milk
---```
---
---Source: zlib: inflate; brotli: BrotliDecoderDecompressStream.
---@param data string|string[]
---@param callback? fun(bytes?: string, message?: string, code?: string)
---@return string? bytes
---@return string? message
---@return string? code
function decoder:write(data, callback) end

---The same: a decoder keeps nothing back. It is there so that both have the same methods.
---
---Fails and raises as `write`.
---
---```lua
---local compress = require "neap.compress"
---
---local decoder <close> = compress.decoder "gzip"
---print(decoder:flush(compress.encode("all", "gzip"))) --> all
---```
---
---Source: zlib: inflate; brotli: BrotliDecoderDecompressStream.
---@param data? string|string[]
---@param callback? fun(bytes?: string, message?: string, code?: string)
---@return string? bytes
---@return string? message
---@return string? code
function decoder:flush(data, callback) end

---Takes the last piece, or none. Fails with EOF where the end has not come, for the rest as
---`write`.
---
---```lua
---local compress = require "neap.compress"
---
---local decoder <close> = compress.decoder "gzip"
---decoder:write(compress.encode("all", "gzip"):sub(1, 12))
---print(decoder:finish()) --> nil	decode gzip: it is cut short	EOF
---```
---
---Source: zlib: inflate; brotli: BrotliDecoderDecompressStream.
---@param data? string|string[]
---@param callback? fun(bytes?: string, message?: string, code?: string)
---@return string? bytes
---@return string? message
---@return string? code
function decoder:finish(data, callback) end

---Frees its memory. Who waits for a thread gets ECANCELED.
---
---```lua
---local compress = require "neap.compress"
---
---local decoder = compress.decoder "br"
---decoder:close()
---print((pcall(decoder.write, decoder, "x"))) --> false
---```
---
---Source: zlib: inflateEnd.
function decoder:close() end

return compress
