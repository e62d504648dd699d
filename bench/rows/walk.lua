-- Walk: CPU of a process that walks a big tree.
local tree = require "lib.tree"
local whole = require "lib.whole"

return function(present, options)
  local directory, _ <close> = tree.directory()
  local entries = tree.grow(directory, options.quick and 20 or 100)
  return { whole.row("walk",
    ("A tree of %d entries walked: ms CPU of the process"):format(entries),
    present, options, {
      { "limit", false, "build/bench/limit_walk", directory },
      { "neap", "neap", "bench/neap/walk.lua", directory },
      { "luv", "luv", "bench/peers/walk_luv.lua", directory },
      { "node", "node", "bench/peers/walk.js", directory },
      { "bun", "bun", "bench/peers/walk.js", directory },
    }, entries) }
end
