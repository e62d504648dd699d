-- What a child gets of us: three files, and nothing else.
local process, signal, test = require "neap.process", require "neap.signal", require "neap.test"

local function sh(text, options) return assert(process.run({ "sh", "-c", text }, options)).stdout end

describe("a child", function()
  it("has no descriptor of ours, however it was opened", function()
    local shell = { "-c", 'exec 7</dev/null 9</dev/null; exec "$0" "$@"', process.exepath() }
    local child = test.spawn_neap([[
      local net, process = require "neap.net", require "neap.process"
      local server = net.listen("127.0.0.1:0", function() end)
      local file = io.open "/dev/null"
      local other = process.spawn { "cat" }
      io.write(process.run({ "ls", "/proc/self/fd" }).stdout)
      local lister <close> = process.spawn { "ls", "/proc/self/fd" }
      io.write(lister.stdout:read "a")
      server:close() other:close()
    ]], nil, { program = "/bin/sh", flags = shell })
    assert.same({ 0, "0\n1\n2\n3\n0\n1\n2\n3\n", "" }, { child:wait() }) -- 3 is of ls itself
  end)

  it("has no signal blocked or ignored", function()
    local _ <close> = signal.on("USR2", function() end)
    local status = sh "cat /proc/self/status"
    assert.equal(0, tonumber(status:match "SigBlk:%s*(%x+)", 16))
    assert.equal(0, tonumber(status:match "SigIgn:%s*(%x+)", 16) & 0x7fffffff) -- above: those of the C library
    assert.equal(141, process.run({ "sh", "-c", "kill -PIPE $$" }).status)
    local shell = { "-c", 'trap "" HUP QUIT; exec "$0" "$@"', process.exepath() }
    local child = test.spawn_neap([[io.write(require "neap.process".run({ "sh", "-c", "kill -HUP $$" }).signal)]],
      nil, { program = "/bin/sh", flags = shell })
    assert.equal("HUP", select(2, child:wait()))
  end)

  it("has a session of its own", function()
    local pid, session, group = sh("ps -o pid=,sid=,pgid= -p $$"):match "(%d+)%s+(%d+)%s+(%d+)"
    assert.same({ pid, pid }, { session, group })
  end)

  it("shares ours where it reads from our standard input", function()
    local child = test.spawn_neap([[
      local process = require "neap.process"
      local child = process.spawn({ "sh", "-c", "ps -o sid=,pgid= -p $$" }, { stdin = "inherit" })
      print(child.stdout:read "n" == tonumber(process.run({ "ps", "-o", "sid=", "-p", process.pid }).stdout))
    ]])
    assert.equal("true\n", select(2, child:wait()))
  end)

  it("gets what process.env has", function()
    process.env.NEAP_SPEC = "moon"
    assert.equal("moon\n", sh "echo $NEAP_SPEC")
    process.env.NEAP_SPEC = nil
    assert.equal("\n", sh "echo $NEAP_SPEC")
  end)
end)
