-- JSON: CPU of writing and of reading a document of 1 KiB.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local DOCUMENT = "bench/document.json"

local function entries(what, count)
  return {
    { "neap", "neap", "bench/neap/json.lua", DOCUMENT, what, count },
    { "cjson", "cjson", "bench/neap/json.lua", DOCUMENT, what, count },
    { "node", "node", "bench/peers/json.js", DOCUMENT, what, count },
    { "node, bytes", "node", "bench/peers/json.js", DOCUMENT, what, count,
      "bytes" },
    { "bun", "bun", "bench/peers/json.js", DOCUMENT, what, count },
    { "bun, bytes", "bun", "bench/peers/json.js", DOCUMENT, what, count,
      "bytes" },
  }
end

local function measure(one)
  local lines, err = proc.numbers(proc.SERVER_CORE, one.command)
  return lines and { ns = lines[1][1] }, err
end

local function row(name, what, title, present, options)
  local count = options.quick and 30000 or 300000
  local list = contestants.choose(present, entries(what, count))
  return rounds.result({ row = name, title = title },
    rounds.run(name, list, options.rounds, measure),
    { { key = "ns", title = "ns CPU", digits = 0 } },
    { "cjson", "node", "node, bytes" })
end

return function(present, options)
  return {
    row("json out", "encode", "JSON, 1 KiB, written: ns CPU", present, options),
    row("json in", "decode", "JSON, 1 KiB, read: ns CPU", present, options),
  }
end
