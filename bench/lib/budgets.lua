-- What neap has to reach, and whether it has.
local rounds = require "lib.rounds"

local budgets = {}

local function spec(row, text, measure, limit, digits, name)
  return { row = row, text = text, measure = measure, limit = limit,
    digits = digits or 2, name = name or "neap" }
end

-- Of what is in the first column, or of `key`.
local function ratio(other, key)
  return function(row, entry)
    local peer = rounds.by_name(row.entries, other)
    return peer and rounds.ratio(entry, peer, key or row.columns[1].key)
  end
end

local function median(key)
  return function(_, entry) return entry.median[key] end
end

local function slowest(_, entry) return entry.max end

local LIST = {
  spec("echo 64 B", "CPU <= 1.15 x limit", ratio "limit", 1.15),
  spec("echo 64 B", "CPU < luv's", ratio "luv", 1),
  spec("echo 64 B", "CPU < node's", ratio "node", 1),
  spec("echo 16 KiB", "CPU <= 1.30 x limit", ratio "limit", 1.30),
  spec("echo 16 KiB", "CPU < luv's", ratio "luv", 1),
  spec("echo 16 KiB", "CPU < node's", ratio "node", 1),
  spec("tasks", "start and run <= 200 ns", median "ns", 200, 0),
  spec("timers", "CPU <= 1/3 of node's", ratio "node", 1 / 3, 3),
  spec("files", "CPU <= 1.25 x limit", ratio "limit", 1.25),
  spec("files", "CPU <= 1/3 of node's", ratio "node", 1 / 3, 3),
  spec("spawn", "CPU < node's", ratio "node", 1),
  spec("walk", "CPU < luv's", ratio "luv", 1),
  spec("walk", "CPU < node's", ratio "node", 1),
  spec("json out", "CPU <= 0.6 of node's", ratio "node", 0.6),
  spec("start", "wall <= 1.6 x lua's", ratio "lua", 1.6),
  spec("start", "memory <= 4 MB (4096 KiB)", median "rss", 4096, 0),
  spec("idle", "parked task <= 4 KB (4096 B)", median "rss", 4096, 0),
  spec("http hello", "CPU <= 1.15 x limit", ratio "limit", 1.15),
  spec("http hello", "CPU <= 0.45 x node's", ratio "node", 0.45),
  spec("http hello", "CPU < bun's", ratio "bun", 1),
  spec("http hello", "CPU < nginx's", ratio "nginx", 1),
  spec("http headers", "CPU <= 1.15 x limit", ratio "limit", 1.15),
  spec("http pipelined", "time <= 1/4 of bun's", ratio("bun", "wall"), 0.25, 3),
  spec("http json", "CPU <= 0.6 x node's", ratio "node", 0.6),
  spec("http idle", "a connection <= 1 KB (1024 B)", median "rss", 1024, 0),
  spec("router hello", "CPU <= 1.15 x plain", ratio "neap, plain", 1.15),
  spec("router parameter", "CPU <= 1.15 x plain", ratio "neap, plain", 1.15),
  spec("file", "CPU < fastify's", ratio "fastify", 1),
  spec("file", "CPU < bun's", ratio "bun", 1),
  spec("file memory", "grown <= 1 MiB (1024 KiB)", median "grown", 1024, 0),
  spec("reload", "no request fails", median "failed", 0, 0),
  spec("reload", "no connection drops", median "dropped", 0, 0),
  spec("reload", "no version is missed", median "missed", 0, 0),
  spec("reload", "the slowest live <= 30 ms", slowest, 30, 1),
}

local function judge(budget, row)
  local verdict = { budget = budget.row .. ", " .. budget.text }
  local entry = rounds.by_name(row.entries, budget.name)
  local value = entry and budget.measure(row, entry)
  if not value then
    verdict.verdict, verdict.found = "not measured", "-"
    return verdict
  end
  local less = budget.text:find("< ", 1, true) ~= nil
  local met = value < budget.limit or (value == budget.limit and not less)
  verdict.verdict = met and "met" or "not met"
  verdict.value = value
  verdict.found = ("%%.%df"):format(budget.digits):format(value)
  return verdict
end

-- Of the rows that have been run.
function budgets.judge(results)
  local rows, verdicts = {}, {}
  for _, result in ipairs(results) do rows[result.row] = result end
  for _, budget in ipairs(LIST) do
    local row = rows[budget.row]
    if row then table.insert(verdicts, judge(budget, row)) end
  end
  return verdicts
end

return budgets
