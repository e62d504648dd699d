-- net.connect: names, failures, and giving up, which leaves nothing behind.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

-- A socket that listens, but never accepts, with its queue full: to connect takes forever. Only perl, which Debian
-- always has, lets one say how long the queue is. Returns the address, and what ends it when it is closed.
local function black_hole()
  local pipe = io.popen([[exec perl -MIO::Socket::INET -e '
    $s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:0") or exit 1;
    $address = "127.0.0.1:" . $s->sockport;
    push @queue, IO::Socket::INET->new(PeerAddr => $address, Blocking => 0) for 1 .. 10;
    $| = 1; print "$$ $address\n"; sleep 60' 2>/dev/null]])
  local pid, address = (pipe:read("l") or ""):match("(%d+) (%S+)")
  return address, setmetatable({}, { __close = function()
    if pid then os.execute("kill " .. pid) end
    pipe:close()
  end })
end

describe("net.connect", function()
  local server, open

  before_each(function()
    open = 0
    server = assert(net.listen("127.0.0.1:0", function(conn)
      open = open + 1
      conn:write("hello\n")
      conn:read("a")
      open = open - 1
    end))
  end)

  after_each(function()
    server:close()
    eventually(function() return open == 0 end)
  end)

  it("waits for the connection", function()
    local conn <close> = assert(net.connect(server.address))
    assert.equal(server.address, conn.peer)
    assert.matches("^127%.0%.0%.1:%d+$", conn.address)
    assert.equal("hello", conn:read("l"))
  end)

  it("gives the same to a callback, later", function()
    local returned, conn = false, nil
    local call = net.connect(server.address, function(...)
      assert.is_true(returned)
      assert.equal(1, select("#", ...))
      conn = ...
      assert.equal("hello", conn:read("l")) -- it may wait
      conn:close()
    end)
    returned = true
    call:join()
    assert.is_true(conn.closed)
  end)

  it("takes options before the callback", function()
    local conn
    net.connect(server.address, { timeout = 60 }, function(c) conn = c end):join()
    assert.equal("hello", conn:read("l"))
    conn:close()
  end)

  it("looks names up, and tries all addresses", function()
    local port = server.address:match("%d+$")
    for _, name in ipairs { "localhost", "LOCALHOST" } do -- v6 first, if the machine says so
      local conn <close> = assert(net.connect(name .. ":" .. port))
      assert.equal(server.address, conn.peer)
    end
    net.connect("localhost:" .. port, function(conn) conn:close() end):join()
  end)

  it("says that nobody listens there, in both forms", function()
    local free = sockets.free_address()
    local expected = { nil, "connect " .. free .. ": connection refused", "ECONNREFUSED" }
    assert.same(expected, { net.connect(free) })
    local got
    net.connect(free, function(...) got = table.pack(...) end):join()
    expected.n = 3
    assert.same(expected, got)
    local name = "localhost:" .. free:match("%d+$") -- the last of its addresses
    assert.same({ nil, "connect " .. name .. ": connection refused", "ECONNREFUSED" }, { net.connect(name) })
    local path = sockets.unix()
    assert.same({ nil, "connect " .. path .. ": no such file or directory", "ENOENT" }, { net.connect(path) })
  end)

  it("says that a name is not known, in both forms", function()
    local expected = { nil, "connect no such name:1: no such name", "EAI_NONAME" }
    assert.same(expected, { net.connect("no such name:1") })
    local got
    net.connect("no such name:1", function(...) got = { ... } end):join()
    assert.same(expected, got)
  end)

  it("raises for wrong arguments", function()
    assert.error_matches(function() net.connect(server.address, { timeuot = 1 }) end,
      "bad argument #2 to '.-connect' %(unknown option 'timeuot' %(there are: timeout%)%)")
    assert.error_matches(function() net.connect(server.address, { timeout = -1 }) end, "timeout must be a number")
    assert.error_matches(function() net.connect(server.address, { timeout = "soon" }) end, "timeout must be a number")
    assert.error_matches(function() net.connect(server.address, 5) end, "bad argument #2")
    assert.error_matches(function() net.connect(server.address, {}, 5) end, "bad argument #3")
    assert.error_matches(function() net.connect() end, "bad argument #1")
  end)

  it("may be cancelled before it has begun to wait, in both forms", function()
    local task = neap.go(function() net.connect(server.address) end)
    timer.sleep(0) -- it is on its way
    assert.is_true(task:cancel())
    task:join()
    local call = net.connect(server.address, function() error "not reached" end)
    assert.is_true(call:cancel())
    call:join()
    timer.sleep(0.005)
  end)

  it("leaves nothing behind when it is cancelled in the turn in which it succeeds", function()
    collectgarbage("stop") -- which would close what is forgotten
    finally(function() collectgarbage("restart") end)
    local second
    local first = neap.go(function()
      local conn <close> = assert(net.connect(server.address)) -- luacheck: ignore
      second:cancel()
    end)
    second = neap.go(function() net.connect(server.address) end)
    second:join()
    first:join()
    eventually(function() return open == 0 end)
  end)

  it("survives a timeout that is due in the turn in which it succeeds", function()
    local results = {}
    local tasks = {}
    for i = 1, 10 do
      tasks[i] = neap.go(function() results[i] = table.pack(net.connect(server.address, { timeout = 0.002 })) end)
    end
    timer.sleep(0)
    local late = timer.monotonic() + 0.01
    repeat until timer.monotonic() > late -- a task that holds the loop
    for i = 1, 10 do
      tasks[i]:join()
      if results[i][1] then
        results[i][1]:close()
      else
        assert.equal("ETIMEDOUT", results[i][3])
      end
    end
  end)

  it("connects hundreds at once", function()
    local conns = {}
    neap.group(function(group)
      for i = 1, 200 do group:go(function() conns[i] = assert(net.connect(server.address)) end) end
    end)
    for _, conn in ipairs(conns) do
      assert.equal("hello", conn:read("l"))
      conn:close()
    end
  end)
end)

describe("net.connect to who does not answer", function()
  -- Leaves nothing behind: no descriptor, and so no attempt that goes on.
  local function with_black_hole(fn)
    local hole, ending = black_hole()
    local _ <close> = ending
    if not hole then return pending("no perl here") end
    sockets.pair():close() -- libuv opens one more with the first stream, in reserve
    collectgarbage()
    timer.sleep(0)
    local before = sockets.descriptors()
    fn(hole)
    if before then eventually(function() return sockets.descriptors() <= before end) end
  end

  it("gives up when the time is over, in both forms", function()
    with_black_hole(function(hole)
      local expected = { nil, "connect " .. hole .. ": timed out", "ETIMEDOUT" }
      assert.same(expected, { net.connect(hole, { timeout = 0.01 }) })
      local got
      net.connect(hole, { timeout = 0.01 }, function(...) got = { ... } end):join()
      assert.same(expected, got)
    end)
  end)

  it("can be cancelled, in both forms", function()
    with_black_hole(function(hole)
      local task = neap.go(function() net.connect(hole) error "not reached" end)
      local call = net.connect(hole, function() error "not reached" end)
      timer.sleep(0.005)
      assert.equal("waiting", task.status)
      assert.is_true(task:cancel())
      assert.is_true(call:cancel())
      task:join()
      call:join()
    end)
  end)

  it("obeys a deadline around it", function()
    with_black_hole(function(hole)
      local conn, _, code = neap.deadline(0.01, net.connect, hole)
      assert.is_nil(conn)
      assert.equal("ETIMEDOUT", code)
    end)
  end)
end)
