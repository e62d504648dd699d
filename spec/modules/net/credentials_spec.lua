-- conn.credentials: who is at the other end, on a Unix socket.
local net = require "neap.net"
local child = require "spec.support.child"
local sockets = require "spec.support.sockets"

-- Ours: the shell's parent is we.
local function own()
  local pipe <close> = io.popen("echo $PPID; id -u; id -g")
  return { pid = pipe:read("n"), uid = pipe:read("n"), gid = pipe:read("n") }
end

-- Where the system does not tell the pid, nothing is said about it.
local function expect(expected, credentials)
  assert.equal(expected.uid, credentials.uid)
  assert.equal(expected.gid, credentials.gid)
  if io.open("/proc/self/status") or credentials.pid then assert.equal(expected.pid, credentials.pid) end
end

describe("conn.credentials", function()
  it("says who is at the other end of a Unix socket, on both sides", function()
    local ends <close> = sockets.pair(sockets.unix())
    local expected = own()
    expect(expected, ends.near.credentials)
    expect(expected, ends.far.credentials)
  end)

  it("says so of another process", function()
    local address = sockets.unix()
    local other <close> = child.start({ address }, { script = [[
      local net = require "neap.net"
      net.listen(..., function(conn) conn:read() end)
      print "listening"
    ]] })
    other:line()
    local expected = own()
    expected.pid = other.pid
    local conn <close> = assert(net.connect(address))
    expect(expected, conn.credentials)
  end)

  it("is nil for TCP, and when the connection is closed", function()
    local tcp <close> = sockets.pair()
    assert.is_nil(tcp.near.credentials)
    assert.is_nil(tcp.far.credentials)
    local ends <close> = sockets.pair(sockets.unix())
    ends.near:close()
    assert.is_nil(ends.near.credentials)
  end)

  it("cannot be set", function()
    local ends <close> = sockets.pair(sockets.unix())
    assert.has_error(function() ends.near.credentials = {} end, "cannot set field 'credentials' of a neap.connection")
  end)
end)
