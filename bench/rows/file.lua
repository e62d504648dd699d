-- Files over HTTP: CPU of the server for one of 64 KiB, and its memory while it
-- sends one of 4 GiB.
local bursts = require "lib.bursts"
local http = require "lib.http"
local proc = require "lib.proc"
local rounds = require "lib.rounds"
local tree = require "lib.tree"
local web = require "lib.web"

local CONNECTIONS, REQUESTS, WARM_UP = 20, 2000, 6000
local MIB = 1024 * 1024
local LARGE, QUICK_LARGE = 4096 * MIB, 512 * MIB

local AGAINST = { "nginx", "bun", "fastify" }

local function run_small(list, options, directory)
  local entries, count = bursts.run("file", list, options,
    function(server, fresh)
      return http.burst(server, "files/app.js", { "-c", CONNECTIONS,
        "-n", REQUESTS, "-w", fresh and WARM_UP or REQUESTS // 10,
        "-b", directory .. "/files/app.js" })
    end)
  return rounds.result({
    row = "file",
    title = ("A file of 64 KiB; %d connections, %d bursts of %d requests, %d "
      .. "processes:\nµs CPU of the server for each"):format(CONNECTIONS, count,
      REQUESTS, options.rounds),
  }, entries, http.COLUMNS, AGAINST)
end

local COLUMNS = {
  { key = "grown", title = "KiB grown", digits = 0 },
  { key = "peak", title = "MiB peak", digits = 1 },
  { key = "cpu", title = "ms CPU", digits = 0 },
  { key = "wall", title = "ms wall", digits = 0 },
}

-- A server that has sent small files, and then the large one, to one client.
local function send_large(server, directory, size)
  local numbers, err = http.load(server, "files/app.js", { "-c", 1, "-n", 100,
    "-b", directory .. "/files/app.js" })
  if not numbers then return nil, err end
  proc.reset_peak(server)
  local before = proc.peak(server)
  numbers, err = http.load(server, "files/large", { "-n", 1, "-l", size })
  if not numbers then return nil, err end
  local peak = proc.peak(server)
  return { grown = peak - before, peak = peak / 1024, cpu = numbers[1] / 1e6,
    wall = numbers[2] / 1e6 }
end

local function measure_large(one, directory, size)
  local server, why = one.start()
  if not server then return nil, why end
  local ok, sample, err = pcall(send_large, server, directory, size)
  proc.stop(server)
  if not ok then error(sample, 0) end
  return sample, err
end

-- The file has no blocks on the disk: the kernel makes its bytes, once, before the
-- first contestant would.
local function run_large(list, options, directory)
  local size = options.quick and QUICK_LARGE or LARGE
  local times = math.min(options.rounds, 3)
  assert(os.execute(("cd '%s/files' && truncate -s %d large && "
    .. "cat large >/dev/null"):format(directory, size)))
  local entries = rounds.run("file memory", list, times, function(one)
    return measure_large(one, directory, size)
  end)
  return rounds.result({
    row = "file memory",
    title = ("A file of %d MiB, sparse, read to its end by one client, %d "
      .. "rounds: by how much the\nmost memory the server has had at once (RSS) "
      .. "is above what it had before"):format(size // MIB, times),
  }, entries, COLUMNS, {})
end

return function(present, options)
  local directory, _ <close> = tree.directory()
  web.write(directory)
  local list = web.choose(present, "file", directory, {})
  local results, only = {}, options.only
  if only ~= "memory" then
    table.insert(results, run_small(list, options, directory))
  end
  if not only or only == "memory" then
    table.insert(results, run_large(list, options, directory))
  end
  return results
end
