-- neap.test: what specs use. Each feature is a file of its name beside this one: a chunk that is called with `core`,
-- the C functions (see test.c), and the module's table, and returns what stands in it under that name.
local core = ...
local ipairs = ipairs
local test = {}

local features = {
  "capture",
  "clock",
  "eventually",
  "faults",
  "leaks",
  "server",
  "shuffle",
  "spawn_neap",
  "tempdir",
}

core.busted = core.load("busted")()

for _, name in ipairs(features) do test[name] = core.load(name)(core, test) end

return test
