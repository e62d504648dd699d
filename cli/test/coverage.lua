-- Which lines were run: a table to read, and lcov.info for tools that draw it. Only files below the current
-- directory count, and no spec files, unless that is asked for.
local core, options = ...
local lines_of = core.load("lines")()
local coverage = {}
local OUTPUT = "lcov.info"

function coverage.start()
  core.cover()
end

local function is_spec(path)
  for _, pattern in ipairs(options.parsed.pattern or { "_spec" }) do
    if path:match("[^/]*$"):find(pattern) then return true end
  end
  return path:find("^spec/") ~= nil
end

-- The path below the current directory, or nil.
local function relative(path, directory)
  if path:sub(1, #directory + 1) == directory .. "/" then path = path:sub(#directory + 2) end
  path = path:gsub("^%./", "")
  if path:find("^[/=]") or path:find("^neap:") or path:find("^%.%./") then return nil end
  if not options["coverage-specs"] and is_spec(path) then return nil end
  return path
end

-- path -> { [line] = count }
function coverage.counts()
  local counts, directory = {}, require "pl.path".currentdir()
  for path, lines in pairs(core.covered()) do
    local name = relative(path, directory)
    if name then coverage.add(counts, { [name] = lines }) end
  end
  return counts
end

function coverage.add(counts, more)
  for path, lines in pairs(more) do
    counts[path] = counts[path] or {}
    for line, count in pairs(lines) do counts[path][line] = (counts[path][line] or 0) + count end
  end
end

-- { 3, 4, 5, 9 } -> "3-5 9"
local function ranges(numbers)
  local parts, first, last = {}, nil, nil
  local function close()
    if first then parts[#parts + 1] = first == last and tostring(first) or first .. "-" .. last end
  end
  for _, number in ipairs(numbers) do
    if not first or number.line ~= last or not number.follows then
      if first and number.follows then
        last = number.line
      else
        close()
        first, last = number.line, number.line
      end
    end
  end
  close()
  return table.concat(parts, " ")
end

-- One file: how many of its lines were run, of how many, and which were not.
local function measure(path, counts)
  local lines = lines_of(path)
  if not lines then return nil end
  local hit, missed, before = 0, {}, false
  for _, line in ipairs(lines) do
    if counts[line] then
      hit, before = hit + 1, false
    else
      missed[#missed + 1] = { line = line, follows = before }
      before = true
    end
  end
  return { path = path, hit = hit, total = #lines, lines = lines, counts = counts, missed = ranges(missed) }
end

local function write_lcov(files)
  local out, message = io.open(OUTPUT, "w")
  if not out then
    io.stderr:write("neap test: ", message, "\n")
    return
  end
  for _, file in ipairs(files) do
    out:write("TN:\nSF:", file.path, "\n")
    for _, line in ipairs(file.lines) do out:write(("DA:%d,%d\n"):format(line, file.counts[line] or 0)) end
    out:write(("LF:%d\nLH:%d\nend_of_record\n"):format(file.total, file.hit))
  end
  out:close()
end

local function percent(hit, total)
  return total == 0 and 100 or 100 * hit / total
end

local function write_table(out, files)
  local width, hit, total = 5, 0, 0
  for _, file in ipairs(files) do width = math.max(width, #file.path) end
  local row = ("%%-%ds  %%11s  %%6.1f %%%%  %%s\n"):format(width)
  out:write(("\n%-" .. width .. "s  %11s  %8s  %s\n"):format("Coverage", "lines", "", "not run"))
  for _, file in ipairs(files) do
    hit, total = hit + file.hit, total + file.total
    out:write((row:format(file.path, file.hit .. "/" .. file.total, percent(file.hit, file.total), file.missed)
      :gsub(" +\n", "\n")))
  end
  out:write((row:format("total", hit .. "/" .. total, percent(hit, total), ""):gsub(" +\n", "\n")), "\n")
end

-- Where the report of busted is for a program to read, ours goes to stderr.
function coverage.report(more)
  local counts, files = coverage.counts(), {}
  coverage.add(counts, more or {})
  for path, lines in pairs(counts) do files[#files + 1] = measure(path, lines) end
  table.sort(files, function(a, b) return a.path < b.path end)
  write_table(options.is_terminal and io.stdout or io.stderr, files)
  write_lcov(files)
end

return coverage
