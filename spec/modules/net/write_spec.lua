-- conn:write and conn:shutdown: what goes out, in which order, and who waits for a peer that does not read.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

local piece = ("0123456789abcdef"):rep(4096) -- 64 KB

-- Writes until the peer takes no more, and the write waits: returns the task, and a function that counts.
local function fill(conn)
  local count = 0
  local task = neap.go(function()
    repeat
      local ok = conn:write(piece)
      count = count + 1
    until not ok
  end)
  local before
  repeat
    before = count
    timer.sleep(0.02)
  until before == count and count > 0
  return task, function() return count end
end

describe("conn:write", function()
  it("sends strings, numbers and lists of them", function()
    local ends <close> = sockets.pair()
    local near = ends.near
    assert.equal(near, near:write("one\n")) -- itself, for assert and for chains
    near:write(2)
    near:write { " ", "three", 4, 5.5, "\n" }
    near:write {}
    near:write ""
    local many = {}
    for i = 1, 5000 do many[i] = i % 10 end
    near:write(many)
    near:write { ("x"):rep(100000), ("y"):rep(100000) }
    near:shutdown()
    assert.equal("one\n2 three45.5\n" .. ("1234567890"):rep(500) .. ("x"):rep(100000) .. ("y"):rep(100000),
      ends.far:read("a"))
  end)

  it("raises for what is no string, at the caller's line, and sends nothing of it", function()
    local ends <close> = sockets.pair()
    local near = ends.near
    for _, call in ipairs {
      function() near:write() end, function() near:write(nil) end, function() near:write(true) end,
      function() near:write { "a", {} } end, function() near:write { "a", nil, "b", false } end,
      function() near:write(print) end, function() near:write("x", { nonsense = 1 }) end,
      function() near:write("x", { timeout = -1 }) end, function() near:write("x", {}, 1) end,
      function() near.write() end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.matches("^.-write_spec%.lua:%d+: .*bad argument", message)
    end
    near:write("fine")
    near:shutdown()
    assert.equal("fine", ends.far:read("a"))
  end)

  it("returns at once below the mark, above it waits for the drain", function()
    local ends <close> = sockets.pair()
    local writer, count = fill(ends.near)
    assert.equal("waiting", writer.status)
    local pending = ends.near.pending
    assert.is_true(pending > 65536 and pending <= 65536 + #piece, pending)
    local sent, got = count(), 0
    while got < sent * #piece do got = got + #ends.far:read() end
    eventually(function() return count() > sent end)
    writer:cancel()
    writer:join()
  end)

  it("times out, but what it has taken goes out", function()
    local ends <close> = sockets.pair()
    local writer = fill(ends.near)
    writer:cancel()
    writer:join()
    local expected = { nil, ("write %s: timed out"):format(ends.near.peer), "ETIMEDOUT" }
    assert.same(expected, { ends.near:write("late", { timeout = 0.005 }) })
    local got
    ends.near:write("!", { timeout = 0.005 }, function(...) got = { ... } end):join()
    assert.same(expected, got)
    local last = ""
    neap.go(function() ends.near:shutdown() end)
    for chunk in ends.far:chunks() do last = (last .. chunk):sub(-5) end
    assert.equal("late!", last)
  end)

  it("keeps the order of many writers", function()
    local ends <close> = sockets.pair()
    local expected = {}
    neap.group(function(group)
      for i = 1, 300 do
        local text = ("%d:%s\n"):format(i, ("x"):rep(i * 37 % 20000))
        expected[i] = text
        group:go(function() assert(ends.near:write(text)) end)
      end
      group:go(function()
        timer.sleep(0)
        ends.near:shutdown()
      end)
      group:go(function() assert.is_true(table.concat(expected) == ends.far:read("a")) end)
    end)
  end)

  it("with a callback: the same, later", function()
    local ends <close> = sockets.pair()
    local steps = {}
    local call = ends.near:write("hello", function(...)
      assert.same({ ends.near, n = 1 }, table.pack(...))
      steps[#steps + 1] = ends.far:read(5)
    end)
    steps[1] = "returned"
    call:join()
    assert.same({ "returned", "hello" }, steps)
  end)

  it("with a callback: waits for the drain", function()
    local ends <close> = sockets.pair()
    fill(ends.near):cancel()
    local drained = false
    local call = ends.near:write("end", { timeout = 60 }, function(conn) drained = conn end)
    timer.sleep(0.005)
    assert.is_false(drained)
    local text
    repeat text = ends.far:read() until text:sub(-3) == "end"
    call:join()
    assert.equal(ends.near, drained)
  end)

  it("gives way to others, however fast the peer is", function()
    local ends <close> = sockets.pair()
    local turns, over = 0, false
    local other = neap.go(function()
      while not over do
        turns = turns + 1
        timer.sleep(0)
      end
    end)
    local reader = neap.go(function() return #ends.far:read("a") end)
    for _ = 1, 10000 do ends.near:write("x") end
    over = true
    ends.near:shutdown()
    reader:join()
    other:join()
    assert.is_true(turns > 100, turns)
  end)

  it("fails when the peer is gone, again and again", function()
    for _, address in ipairs { "127.0.0.1:0", sockets.unix() } do
      local ends <close> = sockets.pair(address)
      ends.far:reset()
      local ok, message, code
      eventually(function()
        ok, message, code = ends.near:write("x")
        return not ok
      end)
      assert.is_nil(ok)
      assert.matches("^write.*: [%a ]+$", message)
      assert.is_true(code == "EPIPE" or code == "ECONNRESET", code)
      ok, _, code = ends.near:write("x")
      assert.is_nil(ok)
      assert.is_true(code == "EPIPE" or code == "ECONNRESET", code)
    end
  end)

  it("that waits fails when the peer resets in the middle of it", function()
    local ends <close> = sockets.pair()
    local result
    local writer = neap.go(function()
      repeat result = table.pack(ends.near:write(piece)) until not result[1]
    end)
    assert(ends.far:read())
    ends.far:reset()
    writer:join()
    assert.is_true(result[3] == "ECONNRESET" or result[3] == "EPIPE", result[3])
    assert.matches("^write.*: [%a ]+$", result[2])
  end)

  it("gives way to others also where it fails at once", function()
    local ends <close> = sockets.pair()
    ends.far:reset()
    local limit, turns = timer.monotonic() + 5, 0
    local other = neap.go(function()
      for _ = 1, 3 do
        timer.sleep(0)
        turns = turns + 1
      end
    end)
    while turns < 3 and timer.monotonic() < limit do ends.near:write("x") end
    assert.equal(3, turns)
    other:join()
  end)

  it("does not take everything from those who do not wait", function()
    local ends <close> = sockets.pair()
    local failed
    for _ = 1, 100 do -- callbacks: nobody here waits for the drain
      ends.near:write(("x"):rep(1 << 20), function(ok, _, code) failed = failed or not ok and code end)
    end
    eventually(function() return failed end)
    assert.is_true(failed == "ENOBUFS" or failed == "ECANCELED", failed)
    assert.is_true(ends.near.closed)
  end)
end)

describe("conn:shutdown", function()
  it("sends all, then the end; the other direction stays", function()
    local ends <close> = sockets.pair()
    ends.near:write(("x"):rep(3000000), function() end)
    local closing = neap.go(function() return ends.near:shutdown() end)
    assert.equal(3000000, #ends.far:read("a"))
    assert.equal(ends.near, closing:join())
    ends.far:write("answer\n")
    assert.equal("answer", ends.near:read("l"))
    ends.far:shutdown()
    assert.is_nil(ends.near:read())
  end)

  it("allows no more writes", function()
    local ends <close> = sockets.pair()
    ends.near:shutdown()
    local expected = { nil, ("write %s: broken pipe"):format(ends.near.peer), "EPIPE" }
    assert.same(expected, { ends.near:write("x") })
    assert.equal(ends.near, ends.near:shutdown()) -- as with close: it does not matter
  end)

  it("has a callback and a timeout", function()
    local ends <close> = sockets.pair()
    fill(ends.near):cancel()
    assert.equal("ETIMEDOUT", (select(3, ends.near:shutdown { timeout = 0.005 })))
    local other <close> = sockets.pair()
    local got
    other.near:shutdown(function(...) got = table.pack(...) end):join()
    assert.same({ other.near, n = 1 }, got)
    assert.error_matches(function() other.near:shutdown { nonsense = 1 } end, "unknown option 'nonsense'")
    assert.error_matches(function() other.near:shutdown(1) end, "bad argument #1")
  end)
end)

describe("a slow reader", function()
  it("makes its writer wait, and no other", function()
    local server <close> = sockets.listen(function(conn)
      if conn:read("l") == "all" then
        for _ = 1, 400 do if not conn:write(piece) then return end end
      else
        conn:write("pong\n")
      end
    end)
    local slow = assert(net.connect(server.address))
    slow:write("all\n")
    for _ = 1, 20 do
      local quick <close> = assert(net.connect(server.address))
      quick:write("ping\n")
      assert.equal("pong", quick:read("l"))
    end
    local got = 0
    for chunk in slow:chunks() do got = got + #chunk end
    slow:close()
    assert.equal(400 * #piece, got)
  end)
end)
