-- JSON, ns of CPU for a document: json.lua FILE encode|decode COUNT
-- For neap, and for plain Lua with lua-cjson.
local found, json = pcall(require, "neap.json")
if not found then json = require "cjson" end

local file <close> = assert(io.open(arg[1]))
local text = file:read "a"
local run, value = json[arg[2]], text
if arg[2] == "encode" then value = json.decode(text) end

local function go(count)
  for _ = 1, count do run(value) end
end

local count = tonumber(arg[3])
go(count // 10 + 1)
local start = os.clock()
go(count)
local seconds = os.clock() - start
assert(#json.encode(json.decode(text)) > 1000)
print(("%.1f"):format(seconds / count * 1e9))
