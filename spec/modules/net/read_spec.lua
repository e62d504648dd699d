-- conn:read and its formats, which are io's, however the bytes arrive.
local neap, timer = require "neap", require "neap.timer"
local sockets = require "spec.support.sockets"

-- All that the formats give, until the first nil, as io.read does it from a file.
local function from_file(text, ...)
  local file <close> = assert(io.tmpfile())
  file:write(text)
  file:seek("set")
  local all = {}
  repeat
    local got = table.pack(file:read(...))
    for i = 1, got.n do all[#all + 1] = got[i] == nil and "nil" or got[i] end
  until got[got.n] == nil or select("#", ...) == 0
  return all
end

-- The same from a connection: `send` writes the text to it.
local function from_connection(send, ...)
  local ends <close> = sockets.pair()
  local formats, all = table.pack(...), {}
  local sender = neap.go(function()
    send(ends.near)
    ends.near:shutdown()
  end)
  repeat
    local got = table.pack(ends.far:read(table.unpack(formats, 1, formats.n)))
    for i = 1, got.n do all[#all + 1] = got[i] == nil and "nil" or got[i] end
  until got[got.n] == nil
  sender:join()
  return all
end

describe("conn:read", function()
  it("understands io's formats, all at once or a byte at a time", function()
    for _, case in ipairs {
      { "one\ntwo\n\nfour\n", "l" },
      { "one\ntwo\n\nfour", "l" },
      { "one\ntwo\n\nfour", "L" },
      { "one\r\ntwo\r\n", "l" },
      { "\n\n\n", "l" },
      { "\n", "L" },
      { "a\0b\n\0\n", "l" },
      { "abcdefg", 3 },
      { "abcdef", 3 },
      { "abc", 100 },
      { "1 2.5 -3e2 0x10 0x.8p1\t\n +7", "n" },
      { "12abc", "n" },
      { "5\nline\nabcdef\n", "n", "L", "l", 4 },
      { "GET / x\nkey: value\n", 3, 1, "l", "l" },
      { "3 4\nrest", "n", "n", "l" },
      { "no end", "L", "l" },
    } do
      local text, formats = case[1], table.pack(table.unpack(case, 2))
      local expected = from_file(text, table.unpack(formats))
      assert.same(expected, from_connection(function(conn) conn:write(text) end, table.unpack(formats)))
      assert.same(expected, from_connection(function(conn)
        for byte in text:gmatch("[%z\1-\255]") do
          conn:write(byte)
          timer.sleep(0)
        end
      end, table.unpack(formats)))
    end
  end)

  it("gives 'a' all of it, also when that is nothing, and then nil", function()
    for _, text in ipairs { "", "x", ("0123456789"):rep(30000) } do
      local ends <close> = sockets.pair()
      neap.go(function()
        ends.near:write(text)
        ends.near:shutdown()
      end)
      assert.is_true(text == ends.far:read("a"))
      assert.equal("", ends.far:read("a"))
      assert.equal(1, select("#", ends.far:read("l")))
    end
  end)

  it("joins and splits at every byte", function()
    local text = "first\nsecond 42\nthird"
    for split = 0, #text do
      local ends <close> = sockets.pair()
      ends:write_in_pieces({ text:sub(1, split), text:sub(split + 1) })
      assert.same({ "first", "second", 42, "\n" }, { ends.far:read("l", 6, "n", "L") })
      assert.same({ "thi", "rd" }, { ends.far:read(3, "a") })
    end
  end)

  it("gives what is there without a format", function()
    local ends <close> = sockets.pair()
    ends.near:write("abc")
    assert.equal("abc", ends.far:read())
    ends.near:write("def")
    ends.near:write("ghi") -- what one turn writes goes out together
    assert.equal("defghi", ends.far:read())
    ends.near:shutdown()
    assert.equal(1, select("#", ends.far:read()))
    assert.is_nil(ends.far:read())
  end)

  it("waits for a byte or the end to read none", function()
    local ends <close> = sockets.pair()
    assert.equal("ETIMEDOUT", (select(3, ends.far:read(0, { timeout = 0.002 }))))
    ends.near:write("x")
    assert.equal("", ends.far:read(0))
    assert.equal("", ends.far:read(0))
    assert.equal("x", ends.far:read(1))
    ends.near:shutdown()
    assert.is_nil(ends.far:read(0))
  end)

  it("ends with a single nil", function()
    local ends <close> = sockets.pair()
    ends.near:shutdown()
    for _, format in ipairs { "l", "L", "n", 1, 1000 } do
      assert.same({ n = 1 }, table.pack(ends.far:read(format)))
    end
    assert.same({ n = 1 }, table.pack(ends.far:read("l", "l")))
    ends.far:read("l", function(...) assert.same({ n = 1 }, table.pack(...)) end):join()
  end)

  it("gives the same to a callback, later", function()
    local ends <close> = sockets.pair()
    ends.near:write("one\ntwo\nthree")
    local steps = {}
    assert.equal("one", ends.far:read("l")) -- the others have arrived as well
    local call = ends.far:read("l", 3, { timeout = 5 }, function(...)
      steps[#steps + 1] = table.concat({ ... }, " ")
      steps[#steps + 1] = ends.far:read(2) -- it may wait
    end)
    steps[1] = "returned"
    call:join()
    assert.same({ "returned", "two thr", "ee" }, steps)
  end)

  it("times out, and keeps the bytes", function()
    local ends <close> = sockets.pair()
    ends.near:write("par")
    local expected = { nil, ("read %s: timed out"):format(ends.near.address), "ETIMEDOUT" }
    assert.same(expected, { ends.far:read("l", { timeout = 0.005 }) })
    local got
    ends.far:read(4, { timeout = 0.005 }, function(...) got = { ... } end):join()
    assert.same(expected, got)
    assert.same(expected, { ends.far:read("a", { timeout = 0 }) })
    ends.near:write("tial\n")
    assert.equal("partial", ends.far:read("l"))
  end)

  it("finds a line in what another format has left", function()
    local ends <close> = sockets.pair()
    ends.near:write("one\ntwo")
    assert.equal("ETIMEDOUT", select(3, ends.far:read(100, { timeout = 0.01 })))
    assert.equal("one", ends.far:read("l", { timeout = 20 }))
    assert.equal("ETIMEDOUT", select(3, ends.far:read("a", { timeout = 0.01 })))
    ends.near:write("\n3\n")
    assert.equal("two", ends.far:read("l", { timeout = 20 }))
  end)

  it("survives a finalizer that closes the connection while it makes the results", function()
    local support = require "spec.support.neap"
    assert.equal("100\n", support.output([[
      local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
      local near, far
      local server = net.listen("127.0.0.1:0", function(conn) far = conn timer.sleep(3600) end)
      local text, closed = ("x"):rep(4000) .. "\n", 0
      for i = 1, 100 do
        far = nil
        near = net.connect(server.address)
        repeat timer.sleep(0) until far
        near:write { text, text, "end" }
        timer.sleep(0.001)
        setmetatable({}, { __gc = function()
          far:reset()
          closed = closed + 1
        end })
        local ok, first, second, last = pcall(far.read, far, "l", "l", 3, { timeout = 20 })
        assert(not ok or first == nil or first .. second .. last == (text .. text):gsub("\n", "") .. "end")
        repeat collectgarbage() until closed == i
        near:close()
      end
      print(closed)
      os.exit(0)
    ]], { env = { NEAP_GC = "stress" } }))
  end)

  it("keeps the bytes when it is cancelled", function()
    local ends <close> = sockets.pair()
    local task = neap.go(function() ends.far:read("l") end)
    local call
    ends.near:write("par")
    timer.sleep(0.002)
    task:cancel()
    task:join()
    call = ends.far:read("l", function() error "not reached" end)
    assert.is_true(call:cancel())
    ends.near:write("tial\n")
    assert.equal("partial", ends.far:read("l", { timeout = 20 }))
  end)

  it("fails on what is no number, as io does", function()
    for _, text in ipairs { "x1 2", "0x zz", "- 1", "1e 2", ".", "" } do
      assert.same(from_file(text, "n"), from_connection(function(conn) conn:write(text) end, "n"))
      local expected = from_file(text .. "\nline\n", "n", "l", "l")
      assert.same(expected, from_connection(function(conn) conn:write(text .. "\nline\n") end, "n", "l", "l"))
    end
  end)

  it("refuses a line that does not end", function()
    local ends <close> = sockets.pair()
    local writer = neap.go(function() ends.near:write(("x"):rep(1200000)) end)
    local line, message, code = ends.far:read("l")
    assert.is_nil(line)
    assert.equal(("read %s: message too long"):format(ends.near.address), message)
    assert.equal("EMSGSIZE", code)
    assert.equal(100, #ends.far:read(100)) -- the bytes are still there
    local rest = neap.go(function() return ends.far:read("a") end)
    writer:join()
    ends.near:shutdown()
    assert.equal(1199900, #rest:join())
  end)

  it("takes long lines, up to that", function()
    local ends <close> = sockets.pair()
    local long = ("0123456789"):rep(100000)
    neap.go(function() ends.near:write { long, "\nshort\n" } end)
    assert.is_true(ends.far:read("l") == long)
    assert.equal("short", ends.far:read("l"))
  end)

  it("raises for what is no format, at the caller's line", function()
    local ends <close> = sockets.pair()
    local far = ends.far
    for _, call in ipairs {
      function() far:read("x") end, function() far:read("") end, function() far:read(-1) end,
      function() far:read(1.5) end, function() far:read("l", "l", "l", "l", "l") end, function() far:read(true) end,
      function() far:read("l", { timeuot = 1 }) end, function() far:read("l", { timeout = -1 }) end,
      function() far:read("l", {}, 1) end, function() far.read() end, function() far.read({}) end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.matches("^.-read_spec%.lua:%d+: .*bad", message)
    end
    ends.near:write("fine\n") -- and nothing has been taken or begun
    assert.equal("fine", far:read("*l")) -- as in old scripts
  end)

  it("raises when another task reads", function()
    local ends <close> = sockets.pair()
    local first = neap.go(function() return ends.far:read("l") end)
    timer.sleep(0)
    assert.error_matches(function() ends.far:read("l") end, "another task waits for this connection's input")
    assert.error_matches(function() ends.far:read("l", function() end) end, "another task waits")
    assert.error_matches(function() ends.far:chunks()(ends.far) end, "another task waits")
    ends.near:write("one\n")
    assert(first:join())
    ends.near:write("two\n")
    assert.equal("two", ends.far:read("l"))
  end)

  it("passes the reader on from task to task", function()
    local ends <close> = sockets.pair()
    for i = 1, 50 do ends.near:write(i .. "\n") end
    for i = 1, 50 do
      local line
      neap.go(function() line = ends.far:read("n", "L") end):join()
      assert.equal(i, line)
    end
  end)

  it("stops reading when its inbox is full, and goes on", function()
    local ends <close> = sockets.pair()
    local size = 20 << 20
    local sent = 0
    local writer = neap.go(function()
      local piece = ("x"):rep(65536)
      while sent < size do
        assert(ends.near:write(piece))
        sent = sent + #piece
      end
      ends.near:shutdown()
    end)
    local before
    repeat -- until it moves no more
      before = sent
      timer.sleep(0.02)
    until sent == before and sent > 0
    assert.is_true(sent < size, "what nobody reads was taken")
    local got = 0
    for chunk in ends.far:chunks() do got = got + #chunk end
    writer:join()
    assert.equal(sent, got)
  end)
end)
