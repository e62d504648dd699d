-- Measures whole processes, from fork to exit: those that print one number, by
-- which is known that they have done their work.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local whole = {}

whole.COLUMNS = {
  { key = "cpu", title = "ms CPU", digits = 0 },
  { key = "wall", title = "ms wall", digits = 0 },
  { key = "rss", title = "MiB", digits = 0 },
}

-- CPU is user + system, with that of children it has waited for. `core`: -1 for
-- any. The command's last line but one is the number that is expected.
function whole.measure(one, expected, core)
  local command = proc.with({ "build/bench/start", 1 },
    table.unpack(one.command))
  local lines, err = proc.numbers(core or proc.SERVER_CORE, command)
  if not lines then return nil, err end
  if #lines ~= 2 or lines[1][1] ~= expected then
    return nil, ("printed %s, not %d"):format(lines[1][1], expected)
  end
  local wall, cpu, rss, code = table.unpack(lines[2])
  if code ~= 0 then return nil, "exit status " .. code end
  return { wall = wall / 1e3, cpu = cpu / 1e3, rss = rss / 1024 }
end

-- One row: who is there of `entries` (see contestants.choose) is measured.
function whole.row(name, title, present, options, entries, expected, core)
  local list = contestants.choose(present, entries)
  local measured = rounds.run(name, list, options.rounds, function(one)
    return whole.measure(one, expected, core)
  end)
  local against = {}
  for _, one in ipairs(list) do
    if one.name ~= "neap" then table.insert(against, one.name) end
  end
  return rounds.result({ row = name, title = title }, measured, whole.COLUMNS,
    against)
end

return whole
