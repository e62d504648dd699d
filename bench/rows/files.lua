-- Files: CPU of a process that reads many, 64 in flight.
local contestants = require "lib.contestants"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local SIZE, FILES = 4096, 1000

local COLUMNS = {
  { key = "cpu", title = "us CPU", digits = 2 },
  { key = "wall", title = "us wall", digits = 2 },
  { key = "rss", title = "MiB", digits = 0 },
}

-- The process prints how many bytes it has read; then comes what it has cost.
local function measure(one, count)
  local command = proc.with({ "build/bench/start", 1 },
    table.unpack(one.command))
  local lines, err = proc.numbers(proc.NO_CORE, command)
  if not lines then return nil, err end
  if #lines ~= 2 or lines[1][1] ~= count * SIZE then
    return nil, "it has not read all"
  end
  local wall, cpu, rss, code = table.unpack(lines[2])
  if code ~= 0 then return nil, "exit status " .. code end
  return { wall = wall / count, cpu = cpu / count, rss = rss / 1024 }
end

return function(present, options)
  local count = options.quick and 20000 or 100000
  local directory = "build/bench/files"
  local arguments = { directory, FILES, count }
  local function command(...)
    return proc.with({ ... }, table.unpack(arguments))
  end
  assert(proc.run(proc.NO_CORE,
    { "build/bench/limit_files", directory, FILES }))
  local list = contestants.choose(present, {
    command("limit", false, "build/bench/limit_files"),
    command("neap", "neap", "bench/neap/files.lua"),
    command("luv", "luv", "bench/peers/files_luv.lua"),
    command("node", "node", "bench/peers/files.js"),
  })
  local entries = rounds.run("files", list, options.rounds, function(one)
    return measure(one, count)
  end)
  return { rounds.result({
    row = "files",
    title = ("%d reads of 4 KiB files, 64 in flight: us CPU of the process "
      .. "a file"):format(count),
  }, entries, COLUMNS, { "limit", "luv", "node" }) }
end
