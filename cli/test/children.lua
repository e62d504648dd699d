-- Runs spec files in processes of their own: `run(files)` waits for one to end, and returns what it has reported.
-- Everything but the files is as it was asked of us, without what only one process may do.
local _, options = ...
local process = require "neap.process"
local children = {}

local drop = { ["--watch"] = true, ["--list"] = true, ["-l"] = true }

-- Busted's arguments; of those given twice the last one counts.
local function arguments(files, report, extra)
  local program = assert(process.exepath())
  local list = { program, "test", "--only-files=" .. files, "--report-to=" .. report }
  for _, name in ipairs { "limit", "leaks", "coverage", "coverage-specs" } do
    local value = options[name]
    if value == true then list[#list + 1] = "--" .. name
    elseif value then list[#list + 1] = ("--%s=%s"):format(name, value) end
  end
  local at = #list + 1
  local skips = false
  for _, argument in ipairs(arg) do
    if argument == "--" then break end
    if skips then
      skips = false
    elseif argument == "-C" or argument == "--directory" then -- we are there
      skips = true
    elseif not drop[argument] and not argument:find("^%-C.") and not argument:find("^%-%-directory=") then
      list[#list + 1] = argument
    end
    at = #list + 1
  end
  for i, argument in ipairs(extra or {}) do table.insert(list, at + i - 1, argument) end
  return list
end

local function write_lines(path, lines)
  local out <close> = assert(io.open(path, "w"))
  for _, line in ipairs(lines) do out:write(line, "\n") end
end

local function read(path)
  local file <close> = io.open(path)
  return file and file:read("a") or ""
end

-- What it writes goes into that file, or where our own output goes.
local function spawn(command, output)
  if not output then return process.spawn(command, { stdin = "inherit", stdout = "inherit", stderr = "inherit" }) end
  local file <close> = assert(io.open(output, "w"))
  return process.spawn(command, { stdin = "null", stdout = file, stderr = "stdout" })
end

-- A list of files; `extra`, more arguments; `is_ours`: it writes where we do. The result: report or {}, output, and
-- what it has ended with: code; signal, if there was one.
function children.run(files, extra, is_ours)
  local names, report, output = os.tmpname(), os.tmpname(), not is_ours and os.tmpname() or nil
  write_lines(names, files)
  local child <close> = assert(spawn(arguments(names, report, extra), output))
  local code, signal = child:wait()
  local chunk = load(read(report), "=report", "t", {})
  local result = { code = code, signal = signal, output = output and read(output), report = chunk and chunk() or {} }
  os.remove(names)
  os.remove(report)
  if output then os.remove(output) end
  return result
end

return children
