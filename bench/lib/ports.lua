-- Ports for servers that cannot have theirs chosen by the kernel.
local proc = require "lib.proc"

local ports = {}

-- Two that are free now: bound by the kernel, and let go.
function ports.free(present)
  local code = [[local net = require "neap.net"
    local function ignore() end
    local one = net.listen("127.0.0.1:0", ignore)
    local two = net.listen("127.0.0.1:0", ignore)
    print(one.address:match "%d+$", two.address:match "%d+$")
    one:close() two:close()]]
  local output = assert(proc.run(proc.NO_CORE,
    proc.with(present.neap, "-e", code)))
  return output:match "(%d+)%s+(%d+)"
end

return ports
