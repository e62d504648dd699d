---@meta neap.json
---JSON: text to values and back, strictly as RFC 8259 has it.
---
---| JSON | Lua |
---|---|
---| object | table with strings as keys |
---| array | table from 1 to n, marked as an array |
---| string | string, in UTF-8 |
---| number | an integer, if it is written as one and fits into 64 bits; otherwise a float |
---| true, false | true, false |
---| null | `json.null` |
---
---Nothing here waits: a text of 100 MB holds the loop for seconds.
local json = {}

---Stands for null: a table cannot hold nil. It is true in conditions, equal only to
---itself, and prints as "null".
---
---Source: RFC 8259, 3.
---@type userdata
json.null = nil

---@class neap.json.encode_options
---@field pretty? boolean|integer true: each element in a line of its own, two spaces a level; or so many spaces, 0 to 31 (0: all in one line)
---@field sorted? boolean the keys of objects in the order of their bytes; otherwise in any order
---@field ascii? boolean all but ASCII is escaped
---@field depth? integer so many tables in each other at most, 1 to 2048; by default 512

---Writes a value as JSON.
---
---A table whose keys go from 1 to n becomes an array, one whose keys are strings an
---object. An empty table becomes `{}`, or `[]` with the mark of `json.array`.
---Integers are written as integers, and floats so that they stay floats (`1.0`) and
---are read back as the same number. Metamethods are not called.
---
---Cannot fail. Raises for what has no JSON, and says where it is: a function, a
---thread, a userdata but `json.null`; nan and infinities; strings that are not UTF-8;
---other keys, mixed keys, lists with holes; a table in itself; too many levels. In
---the path `$` is the value, and indices are Lua's.
---
---```lua
---local json = require "neap.json"
---
---print(json.encode { 1, 2.0, "three", json.null }) --> [1,2.0,"three",null]
---print(json.encode({ b = {}, a = json.array() }, { sorted = true })) --> {"a":[],"b":{}}
---print(pcall(json.encode, { list = { 1, 2, print } })) --> false	$.list[3]: cannot encode a function
---```
---
---Source: modules/json/encode.c; RFC 8259.
---@param value any
---@param options? neap.json.encode_options
---@return string text
function json.encode(value, options) end

---@class neap.json.decode_options
---@field depth? integer so many arrays and objects in each other at most, 1 to 2048; by default 512
---@field unique? boolean a key that an object has twice is an error; otherwise the last one counts

---Reads JSON.
---
---The whole text must be one JSON value, with white space around it at most: no byte
---order mark, no comments, no comma at the end. Invalid UTF-8 is refused, also half a
---pair of surrogates that is escaped. An integer beyond 64 bits becomes a float, as in
---Lua; a number that is too big for a float is refused.
---
---Fails with EINVAL where the text is not JSON: "line 3, column 7: ...". Lines and
---columns count from 1, columns are characters; inside a string it may be the end of it.
---Raises for what is no string.
---
---```lua
---local json = require "neap.json"
---
---local value = json.decode '{ "name": "Ada", "tags": [], "born": 1815, "died": null }'
---print(value.name, math.type(value.born)) --> Ada	integer
---print(value.died, value.died == json.null) --> null	true
---print(json.encode(value.tags)) --> []
---print(json.decode "[1, 2") --> nil	line 1, column 6: ']' expected near end of file	EINVAL
---```
---
---Source: jansson: json_loadb; RFC 8259.
---@param text string
---@param options? neap.json.decode_options
---@return any value nil where it has failed: null is `json.null`
---@return string? message
---@return string? code
function json.decode(text, options) end

---Marks a table as an array, so that it is one when it is empty, too. The mark is a
---metatable that does nothing else.
---
---Cannot fail. Raises for what is no table, and for a table with a metatable of its
---own.
---
---```lua
---local json = require "neap.json"
---
---print(json.encode { found = json.array() }) --> {"found":[]}
---```
---
---Source: modules/json/json.c.
---@param list? table by default a new one
---@return table list the same
function json.array(list) end

---Whether a value is a table with the mark of an array: all arrays that `json.decode`
---gives are, objects are not.
---
---```lua
---local json = require "neap.json"
---
---print(json.is_array(json.decode "[]"), json.is_array(json.decode "{}")) --> true	false
---```
---
---Source: modules/json/json.c.
---@param value any
---@return boolean
function json.is_array(value) end

return json
