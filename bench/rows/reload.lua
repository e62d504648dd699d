-- Reload: a service is changed under load, what fails and how long it takes.
-- bench/saves.lua is the load, and does the saving.
local contestants = require "lib.contestants"
local ports = require "lib.ports"
local proc = require "lib.proc"
local rounds = require "lib.rounds"

local SAVES, MORE = 20, 40
local QUICK_SAVES, QUICK_MORE = 6, 6

local YES_NO = { [0] = "no", [1] = "yes" }

local COLUMNS = {
  { key = "ms", title = "ms live", digits = 1 },
  { key = "missed", title = "missed", digits = 0 },
  { key = "failed", title = "failed", digits = 0 },
  { key = "dropped", title = "dropped", digits = 0 },
  { key = "kept", title = "kept", digits = 0 },
  { key = "timers", title = "old timers", digits = 0 },
  { key = "state", title = "state", words = YES_NO },
  { key = "ghosts", title = "ghosts", digits = 0 },
  { key = "growth", title = "KiB grown", digits = 0 },
}

-- fixed: its process starts anew, so the kernel cannot choose its port.
local FEATURES = {
  ["neap"] = { source = "bench/neap/reload.lua" },
  ["neap, SIGHUP"] = { source = "bench/neap/reload.lua", hup = true },
  ["bun, HTTP"] = {
    source = "bench/peers/reload_bun_http.mjs", fixed = true, http = true,
  },
  ["bun, TCP"] = { source = "bench/peers/reload_bun_tcp.mjs", fixed = true },
  ["node"] = { source = "bench/peers/reload.mjs", fixed = true },
  ["node, in place"] = {
    source = "bench/peers/reload.mjs", fixed = true, in_place = true,
  },
}

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- A new directory, and in it, in another one of its own, the copy that is
-- changed: a watcher may be led astray by other files beside it.
local function copy_source(source)
  local directory = assert(proc.line "mktemp -d", "no directory")
  local name = "app" .. source:match "%.%w+$"
  assert(os.execute("mkdir " .. proc.quote(directory .. "/src")))
  local file <close> =
    assert(io.open(directory .. "/src/" .. name, "w"))
  file:write(read(source))
  return directory, name
end

-- node --watch has the service in a child, which nobody else would end.
local function children(pid)
  local list = {}
  local file <close> = io.open(("/proc/%s/task/%s/children"):format(pid, pid))
  for child in (file and file:read "a" or ""):gmatch "%d+" do
    table.insert(list, child)
  end
  return list
end

local function stop(server)
  local list = children(server.pid)
  proc.stop(server)
  for _, child in ipairs(list) do
    os.execute(("kill -KILL %s 2>/dev/null"):format(child))
  end
end

-- Samples by name, from what bench/saves.lua says.
local function parse(output)
  local samples = {}
  for name, values in output:gmatch "(%w+)([^\n]*)\n" do
    samples[name] = {}
    for value in values:gmatch "%S+" do
      table.insert(samples[name], tonumber(value))
    end
  end
  return samples
end

local function save_under_load(present, one, server, directory, options)
  local feature = FEATURES[one.name]
  local output, err = proc.run(proc.CLIENT_CORE, proc.with(present.neap,
    "--slow=0", "bench/saves.lua",
    "port=" .. server.port, "port2=" .. server.port2, "pid=" .. server.pid,
    "file=" .. directory .. "/src/" .. server.source,
    "ticks=" .. directory .. "/ticks",
    "saves=" .. (options.quick and QUICK_SAVES or SAVES),
    "more=" .. (options.quick and QUICK_MORE or MORE),
    "proto=" .. (feature.http and "http" or "line"),
    "hup=" .. (feature.hup and "yes" or "no"),
    "renames=" .. (feature.in_place and "no" or "yes")))
  if not output then return nil, err end
  local samples = parse(output)
  if #samples.ms == 0 then return nil, "no new version was ever live" end
  return samples
end

-- Started in the directory of its source: Bun sees no file that is replaced
-- outside of its working directory.
local function start(present, one, directory, source)
  local port, port2 = 0, 0
  if FEATURES[one.name].fixed then port, port2 = ports.free(present) end
  local inside = 'cd "$0/src" && exec "$@" 2>../log'
  local command = proc.with({ "sh", "-c", inside, directory },
    table.unpack(one.command))
  local server, err = proc.start_server(proc.with(command, source, port, port2,
    directory .. "/ticks"))
  if not server then return nil, err end
  server.source = source
  server.port2 = port2 ~= 0 and port2 or server.line:match ":(%d+)"
  return server
end

local function measure_in(directory, source, present, one, options)
  local server, why = start(present, one, directory, source)
  if not server then return nil, why end
  local ok, samples, err =
    pcall(save_under_load, present, one, server, directory, options)
  stop(server)
  if not ok then error(samples, 0) end
  return samples, err
end

local function measure(present, one, options)
  local directory, source = copy_source(FEATURES[one.name].source)
  local ok, samples, err =
    pcall(measure_in, directory, source, present, one, options)
  os.execute("rm -r " .. proc.quote(directory))
  if not ok then error(samples, 0) end
  return samples, err
end

return function(present, options)
  if not present.neap then return {} end -- the load is a script of its
  local list = contestants.choose(present, {
    { "neap", "neap", "--watch" },
    { "neap, SIGHUP", false, "setsid", present.neap[1] },
    { "bun, HTTP", "bun", "--hot", "--no-clear-screen" },
    { "bun, TCP", "bun", "--hot", "--no-clear-screen" },
    { "node", "node", "--watch" },
    { "node, in place", "node", "--watch" },
  })
  local entries = {}
  for i, one in ipairs(list) do
    local samples, err = measure(present, one, options)
    entries[i] = { name = one.name, samples = samples, failed = err }
  end
  local more = options.quick and QUICK_MORE or MORE
  return { rounds.result({
    row = "reload",
    title = ("A service of 20 connections, and 200 new ones a second, whose "
      .. "source is saved\n%d times, one round: ms from the save to the first "
      .. "answer of the new version"):format(options.quick and QUICK_SAVES or SAVES),
    note = ("kept: of the 20 connections, those that stayed and get new "
      .. "code; ghosts: of 20\n  requests to a removed server, the answered "
      .. "ones; KiB grown: over %d more reloads"):format(more),
  }, entries, COLUMNS, {}) }
end
