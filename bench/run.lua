-- Runs rows of benches and judges the budgets. Started by bench/run, which
-- has built the C parts; the working directory is the root of the checkout.
package.path = "bench/?.lua;" .. package.path

local budgets = require "lib.budgets"
local contestants = require "lib.contestants"
local json = require "lib.json"
local plot = require "lib.plot"
local report = require "lib.report"

local ROWS = { "echo", "http", "http_idle", "http_latency", "tasks", "timers",
  "router", "file", "gzip", "files", "spawn", "walk", "json", "start", "idle",
  "reload" }

local USAGE = [[
usage: bench/run [option...] [row...]
rows: echo http http_idle http_latency tasks timers router file gzip files spawn
      walk json start idle reload (all without)
  --quick       a small run, for a look only
  --rounds N    rounds of each measurement (default 5; quick: 3)
  --json FILE   also write everything, with each sample, to FILE
  --plot FILE   also draw the rows about HTTP, in SVG
  --only NAME   of the row http only this load: hello, headers, pipelined, json,
                in or out; of router hello, parameter or all; of file small or
                memory
  --peers       only get Bun, fastify and nginx with Lua, for build/peers
  --help        this text
NEAP=path chooses the program, otherwise build/release/neap.]]

local function complain(message)
  io.stderr:write("bench: ", message, "\n", USAGE, "\n")
  os.exit(2)
end

local function is_row(name)
  for _, row in ipairs(ROWS) do
    if row == name then return true end
  end
  return false
end

local function parse(words)
  local options = { rows = {} }
  local i = 1
  while i <= #words do
    local word = words[i]
    if word == "--quick" then
      options.quick = true
    elseif word == "--rounds" then
      i = i + 1
      options.rounds = math.tointeger(tonumber(words[i]))
      if not options.rounds or options.rounds < 1 then
        complain "--rounds takes a whole number from 1"
      end
    elseif word == "--json" then
      i = i + 1
      options.json = words[i] or complain "--json takes a file"
    elseif word == "--plot" then
      i = i + 1
      options.plot = words[i] or complain "--plot takes a file"
    elseif word == "--only" then
      i = i + 1
      options.only = words[i] or complain "--only takes the name of a load"
    elseif word == "--help" then
      print(USAGE)
      os.exit(0)
    elseif is_row(word) then
      table.insert(options.rows, word)
    else
      complain("unknown: " .. word)
    end
    i = i + 1
  end
  options.rounds = options.rounds or (options.quick and 3 or 5)
  if #options.rows == 0 then options.rows = ROWS end
  return options
end

local function write_json(path, document)
  local file, err = io.open(path, "w")
  if not file then complain(err) end
  file:write(json.encode(document), "\n")
  assert(file:close())
end

local function write_plot(path, results, versions)
  local file, err = io.open(path, "w")
  if not file then complain(err) end
  file:write(plot.draw(results, versions))
  assert(file:close())
end

local function any_failed(results)
  for _, result in ipairs(results) do
    for _, entry in ipairs(result.entries) do
      if entry.failed then return true end
    end
  end
  return false
end

local function main(words)
  io.stdout:setvbuf "line" -- it takes minutes: who looks sees each row at once
  local options = parse(words)
  local present = contestants.find()
  report.heading(present, options)
  local results = {}
  for _, name in ipairs(options.rows) do
    for _, result in ipairs(require("rows." .. name)(present, options)) do
      report.row(result)
      table.insert(results, result)
    end
  end
  local verdicts = budgets.judge(results)
  report.verdicts(verdicts, options)
  if options.json then
    write_json(options.json, {
      versions = present.versions,
      quick = options.quick or false,
      rounds = options.rounds,
      rows = results,
      budgets = verdicts,
    })
  end
  if options.plot then
    write_plot(options.plot, results, present.versions)
  end
  if any_failed(results) then os.exit(1) end
end

main(arg)
