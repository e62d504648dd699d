-- Files: CPU of a process that reads many small ones.
local proc = require "lib.proc"
local tree = require "lib.tree"
local whole = require "lib.whole"

local FILES, SIZE = 1000, 4096

return function(present, options)
  local count = options.quick and 20000 or 100000
  local directory, _ <close> = tree.directory()
  tree.files(directory, FILES, SIZE)
  local arguments = { directory, FILES, count }
  local function entry(name, host, script)
    return { name, host, script, table.unpack(arguments) }
  end
  return { whole.row("files",
    ("%d files of 4 KiB read, 64 in flight: ms CPU of the process")
      :format(count),
    present, options, {
      entry("limit", false, "build/bench/limit_files"),
      entry("neap", "neap", "bench/neap/files.lua"),
      entry("luv", "luv", "bench/peers/files_luv.lua"),
      entry("node", "node", "bench/peers/files.js"),
      entry("bun", "bun", "bench/peers/files.js"),
    }, count * SIZE, proc.NO_CORE) }
end
