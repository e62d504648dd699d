local neap, test, timer = require "neap", require "neap.test", require "neap.timer"

describe("test.faults", function()
  -- A server that has got what is in `got`, chunk by chunk, and answers with the same.
  local function start_echo()
    local got = {}
    local server = test.server(function(conn)
      local chunk, message, code
      repeat
        chunk, message, code = conn:read()
        got[#got + 1] = chunk or code or "END"
        if chunk then conn:write(chunk) end
      until not chunk
      return message
    end)
    return server, got
  end

  -- All that comes until the end, and how it ends.
  local function read_all(conn)
    local chunks = {}
    while true do
      local chunk, _, code = conn:read({ timeout = 10 })
      if not chunk then return table.concat(chunks), code or "END" end
      chunks[#chunks + 1] = chunk
    end
  end

  local function connect(plan)
    local server, got = start_echo()
    local faults = test.faults(server.address, plan)
    return assert(faults:connect()), got, faults
  end

  it("is a plain proxy without a plan", function()
    local conn, got = connect()
    local text = ("0123456789"):rep(50000)
    local writer = neap.go(function()
      conn:write(text)
      conn:shutdown()
    end)
    local all, how = read_all(conn)
    assert.same({ text, "END" }, { all, how })
    writer:join()
    assert.equal(text .. "END", table.concat(got))
  end)

  it("splits what goes up, at each of the bytes", function()
    local conn, got = connect { up = { { at = 6, split = true }, { at = 1, split = true } } }
    conn:write "0123456789"
    conn:shutdown()
    assert.equal("0123456789", (read_all(conn)))
    assert.same({ "0", "12345", "6789", "END" }, got)
  end)

  it("splits what comes down", function()
    local conn = connect { down = { { at = 4, split = true } } }
    conn:write "0123456789"
    assert.equal("0123", conn:read())
    assert.equal("456789", conn:read())
  end)

  it("counts bytes, not chunks", function()
    for _, pieces in ipairs { { "0123456789" }, { "012", "3456", "789" }, { "0", "1", "23456789" } } do
      local conn = connect { up = { { at = 4, lose = 3 } } }
      for _, piece in ipairs(pieces) do
        conn:write(piece)
        timer.sleep(0)
      end
      conn:shutdown()
      assert.equal("0123789", (read_all(conn)))
    end
  end)

  it("delays what follows", function()
    local conn = connect { up = { { at = 2, delay = 0.02 } } }
    local start = timer.monotonic()
    conn:write "0123"
    assert.equal("01", conn:read())
    assert.equal("23", conn:read())
    assert.is_true(timer.monotonic() - start >= 0.02)
  end)

  it("loses all that follows, and its end", function()
    local conn, got = connect { up = { { at = 2, lose = true } } }
    conn:write "0123"
    conn:shutdown()
    assert.equal("01", conn:read())
    assert.equal("ETIMEDOUT", select(3, conn:read({ timeout = 0.01 })))
    assert.same({ "01" }, got)
  end)

  it("loses two pieces in a row", function()
    local conn = connect { up = { { at = 1, lose = 1 }, { at = 2, lose = 2 }, { at = 6, lose = 1 } } }
    conn:write "0123456789"
    conn:shutdown()
    assert.equal("045789", (read_all(conn)))
  end)

  it("half-closes one direction, the other goes on", function()
    local conn, got = connect { up = { { at = 3, finish = true } } }
    conn:write "0123456789"
    assert.same({ "012", "END" }, { read_all(conn) })
    assert.same({ "012", "END" }, got)
  end)

  it("half-closes what comes down", function()
    local conn, got = connect { down = { { at = 3, finish = true } } }
    conn:write "0123456789"
    assert.same({ "012", "END" }, { read_all(conn) })
    conn:write "more"
    test.eventually(function() return table.concat(got) == "0123456789more" end)
  end)

  it("resets both ends, after just so many bytes", function()
    local conn, got = connect { down = { { at = 5, reset = true } } }
    conn:write "0123456789"
    assert.same({ "01234", "ECONNRESET" }, { read_all(conn) })
    test.eventually(function() return got[2] end)
    assert.same({ "0123456789", "ECONNRESET" }, got)
  end)

  it("resets at once", function()
    local conn = connect { up = { { at = 0, reset = true } } }
    assert.equal("ECONNRESET", select(2, read_all(conn)))
  end)

  it("passes on the reset of a peer", function()
    local conn, got = connect()
    conn:write "x"
    assert.equal("x", conn:read())
    conn:reset()
    test.eventually(function() return got[2] end)
    assert.same({ "x", "ECONNRESET" }, got)
  end)

  it("has a plan for each connection", function()
    local second_only = { up = { { at = 1, reset = true } } }
    local _, _, faults = connect(function(number) return number == 2 and second_only or nil end)
    local second, third = assert(faults:connect()), assert(faults:connect())
    second:write "abc"
    assert.equal("ECONNRESET", select(2, read_all(second)))
    third:write "abc"
    assert.equal("abc", third:read(3))
  end)

  it("resets who comes where nobody is behind it", function()
    local server = start_echo()
    server:close()
    local faults = test.faults(server.address)
    local conn = assert(faults:connect())
    assert.equal("ECONNRESET", select(2, read_all(conn)))
    assert.matches("connection refused", faults.failure)
  end)

  it("ends with all of its connections", function()
    local conn, got, faults = connect()
    conn:write "x"
    assert.equal("x", conn:read())
    faults:close()
    assert.is_true(conn.closed)
    test.eventually(function() return #got == 2 end)
    faults:close()
  end)

  it("raises for what is no plan", function()
    local function message_of(plan)
      local ok, err = pcall(test.faults, "127.0.0.1:1", plan)
      assert.is_false(ok)
      return err
    end
    assert.matches("no 'left', it has up and down", message_of { left = {} })
    assert.matches("unknown fault 'explode'", message_of { up = { { at = 1, explode = true } } })
    assert.matches("two faults in one step", message_of { up = { { at = 1, split = true, reset = true } } })
    assert.matches("has 'at'", message_of { up = { { split = true } } })
    assert.matches("has a fault: delay", message_of { down = { { at = 1 } } })
    assert.matches("bad value of the fault 'delay'", message_of { down = { { at = 1, delay = "long" } } })
    assert.matches("a plan is a table, not a number", message_of(5))
    assert.has_error(function() test.faults() end, "bad argument #1 to 'faults' (string expected, got nil)")
  end)
end)
