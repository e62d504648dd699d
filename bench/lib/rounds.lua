-- Rounds: every contestant once a round, each round beginning with another,
-- so that what the machine does meanwhile falls on all of them alike.
local rounds = {}

function rounds.median(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local half = #sorted // 2
  if #sorted % 2 == 1 then return sorted[half + 1] end
  return (sorted[half] + sorted[half + 1]) / 2
end

local on_terminal = os.execute "test -t 2"

local function progress(text)
  if not on_terminal then return end
  io.stderr:write("\r\27[K", text)
  io.stderr:flush()
end

local function add(entry, sample)
  for key, value in pairs(sample) do
    entry.samples[key] = entry.samples[key] or {}
    table.insert(entry.samples[key], value)
  end
end

-- measure(contestant) gives a table of numbers by name, or nil and a message:
-- then it is out. The result's entries keep every sample.
function rounds.run(title, list, count, measure)
  local entries = {}
  for i, one in ipairs(list) do
    entries[i] = { name = one.name, samples = {} }
  end
  for round = 1, count do
    for step = 1, #list do
      local i = (round + step - 2) % #list + 1
      local entry = entries[i]
      if not entry.failed then
        progress(("%s: round %d of %d: %s"):format(title, round, count,
          entry.name))
        local sample, err = measure(list[i])
        if sample then add(entry, sample) else entry.failed = err end
      end
    end
  end
  progress ""
  return entries
end

local function by_name(entries, name)
  for _, entry in ipairs(entries) do
    if entry.name == name and not entry.failed then return entry end
  end
end

rounds.by_name = by_name

-- The ratio of two contestants: the median over the rounds of the ratio
-- within the round.
function rounds.ratio(entry, other, key)
  local mine, theirs, ratios = entry.samples[key], other.samples[key], {}
  for i = 1, math.min(#mine, #theirs) do ratios[i] = mine[i] / theirs[i] end
  return rounds.median(ratios)
end

-- Adds medians and ratios. columns: { { key, title, digits, words }... }, the
-- first is what is compared; against: names to compare with.
function rounds.result(row, entries, columns, against)
  local key = columns[1].key
  for _, entry in ipairs(entries) do
    entry.median, entry.ratio = {}, {}
    if not entry.failed then
      for name, values in pairs(entry.samples) do
        entry.median[name] = rounds.median(values)
      end
      entry.min = math.min(table.unpack(entry.samples[key]))
      entry.max = math.max(table.unpack(entry.samples[key]))
      for _, name in ipairs(against) do
        local other = by_name(entries, name)
        if other then
          entry.ratio[name] = rounds.ratio(entry, other, key)
        end
      end
    end
  end
  row.entries, row.columns, row.against = entries, columns, against
  return row
end

return rounds
