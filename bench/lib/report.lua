-- The tables on standard output.
local proc = require "lib.proc"

local report = {}

local function pad(text, width)
  return text .. (" "):rep(width - utf8.len(text))
end

local function pad_left(text, width)
  return (" "):rep(width - utf8.len(text)) .. text
end

local function sorted_pairs(map)
  local keys = {}
  for key in pairs(map) do table.insert(keys, key) end
  table.sort(keys)
  local i = 0
  return function()
    i = i + 1
    return keys[i], map[keys[i]]
  end
end

function report.heading(present, options)
  local words = {}
  for name, version in sorted_pairs(present.versions) do
    table.insert(words, name .. " " .. version)
  end
  print(("%s. Medians of %d rounds%s."):format(table.concat(words, ", "),
    options.rounds, options.quick and " (quick: for a look only)" or ""))
  for name, why in sorted_pairs(present.absent) do
    print(("note: %s is left out: %s"):format(name, why))
  end
  if tonumber(proc.line "nproc" or 2) < 2 then
    print "note: one core only: server and client share it"
  end
end

local function number(value, digits)
  if not value then return "-" end
  return ("%%.%df"):format(digits or 2):format(value)
end

-- Name, the first column with its range, the other columns, the ratios.
local function header_of(row)
  local cells = { "", row.columns[1].title, "min", "max" }
  for i = 2, #row.columns do table.insert(cells, row.columns[i].title) end
  for _, name in ipairs(row.against) do table.insert(cells, "/ " .. name) end
  return cells
end

local function cells_of(row, entry)
  if entry.failed then return { entry.name, "failed: " .. entry.failed } end
  local first = row.columns[1]
  local cells = {
    entry.name,
    number(entry.median[first.key], first.digits),
    number(entry.min, first.digits),
    number(entry.max, first.digits),
  }
  for i = 2, #row.columns do
    local column = row.columns[i]
    local value = entry.median[column.key]
    table.insert(cells, column.words and column.words[value]
      or number(value, column.digits))
  end
  for _, name in ipairs(row.against) do
    table.insert(cells, number(entry.ratio[name], 2))
  end
  return cells
end

local function print_table(lines)
  local widths = {}
  for _, cells in ipairs(lines) do
    for i, cell in ipairs(cells) do
      if #cells > 2 or i == 1 then
        widths[i] = math.max(widths[i] or 0, utf8.len(cell))
      end
    end
  end
  for _, cells in ipairs(lines) do
    local out = { pad(cells[1], widths[1]) }
    for i = 2, #cells do out[i] = pad_left(cells[i], widths[i]) end
    print("  " .. table.concat(out, "  "))
  end
end

function report.row(row)
  print("\n" .. row.title)
  local lines = { header_of(row) }
  for _, entry in ipairs(row.entries) do
    table.insert(lines, cells_of(row, entry))
  end
  print_table(lines)
  if row.note then print("  " .. row.note) end
end

function report.verdicts(verdicts, options)
  if #verdicts == 0 then return end
  print "\nBudgets"
  local counts = { met = 0, ["not met"] = 0, ["not measured"] = 0 }
  for _, verdict in ipairs(verdicts) do
    counts[verdict.verdict] = counts[verdict.verdict] + 1
    print(("  %s  %s: %s"):format(pad(verdict.verdict, 12), verdict.budget,
      verdict.found))
  end
  print(("%d met, %d not met, %d not measured.%s"):format(counts.met,
    counts["not met"], counts["not measured"],
    options.quick and " A quick run decides nothing." or ""))
end

return report
