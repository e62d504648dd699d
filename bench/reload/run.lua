-- bench/reload/run: see there. The loads are those of spec/modules/hot/load_spec.lua, which runs them small.
package.path = "./?.lua;" .. package.path
local loads = require "spec.support.reload_load"
local http_load = require "spec.support.http_reload"

local failed = false

-- A line with what was measured, and what is asked for.
local function tell(ok, text, ...)
  if not ok then failed = true end
  print((ok and "ok      " or "FAILED  ") .. text:format(...))
  io.stdout:flush()
end

local function middle(list)
  return list[(#list + 1) // 2]
end

local rows = {}

function rows.many()
  local first, last = loads.many(1000)
  local resident, lua = (last.resident or 0) - (first.resident or 0), last.lua - first.lua
  tell(resident <= 2048 and lua <= 2048,
    "1,000 reloads: %+.0f KB resident, %+.0f KB of Lua since the tenth (at most 2,048); %.2f ms CPU each",
    resident, lua, last.cpu * 1000)
  tell((last.descriptors or 0) <= (first.descriptors or 0), "1,000 reloads: %s descriptors after ten, %s at the end",
    first.descriptors, last.descriptors)
end

local function tell_load(what, result)
  tell(result.errors == 0, "%s: %d questions, %d errors (none)%s", what, result.asked, result.errors,
    result.message and " " .. result.message or "")
  tell(result.seen == result.versions + 1 and result.back == 0, "%s: %d of %d versions seen, %d went back", what,
    result.seen, result.versions + 1, result.back)
end

function rows.lines()
  tell_load("20 connections, 100 reloads", loads.lines(20, 100))
end

function rows.connects()
  tell_load("a connection each, 100 reloads", loads.connects(20, 100))
end

-- Under --watch: the handler and what it requires are saved in turn, each fourth time broken first.
function rows.http()
  local result = http_load(20, 5, 100, 4)
  result.versions = 100
  tell_load(("20 keep-alive connections and new ones, 100 saves and %d broken ones"):format(result.broken), result)
end

function rows.commit()
  for _, count in ipairs { 0, 10000 } do
    local seconds = loads.commits(math.max(count, 1), 50)
    tell(seconds[#seconds] < 0.001, "commit beside %d connections: %.3f ms in the middle of 50, %.3f at most (1)",
      count, middle(seconds) * 1000, seconds[#seconds] * 1000)
  end
end

function rows.save()
  local seconds = loads.saves(50, 0.05)
  tell(seconds[#seconds] < 0.030, "chat.lua answers %.1f ms after its save in the middle of 50, %.1f at most (30)",
    middle(seconds) * 1000, seconds[#seconds] * 1000)
end

local names = #arg > 0 and arg or { "many", "lines", "connects", "http", "commit", "save" }
for _, name in ipairs(names) do
  if not rows[name] then
    io.stderr:write("bench/reload/run: no row '", name, "' (there are: many, lines, connects, http, commit, save)\n")
    os.exit(2)
  end
  rows[name]()
end
os.exit(not failed)
