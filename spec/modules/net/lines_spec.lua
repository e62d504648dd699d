-- conn:lines and conn:chunks: the loops that most handlers are.
local neap, timer = require "neap", require "neap.timer"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

describe("conn:lines and conn:chunks", function()
  it("go on until the end", function()
    local ends <close> = sockets.pair()
    ends:write_in_pieces({ "a\nb", "c\n\nd", "\ne" })
    local lines = {}
    for line in ends.far:lines() do lines[#lines + 1] = line end
    assert.same({ "a", "bc", "", "d", "e" }, lines)

    local other <close> = sockets.pair()
    other:write_in_pieces({ "abc", "def", "ghi" })
    local text = ""
    for chunk in other.far:chunks() do
      assert.is_true(#chunk > 0)
      text = text .. chunk
    end
    assert.equal("abcdefghi", text)
  end)

  it("end when the connection is closed in them", function()
    local ends <close> = sockets.pair()
    ends.near:write("a\nb\nc\n")
    local lines = {}
    for line in ends.far:lines() do
      lines[#lines + 1] = line
      if line == "b" then ends.far:close() end
    end
    assert.same({ "a", "b" }, lines)
    assert.error_matches(function() ends.far:lines() end, "this connection is closed")
    assert.error_matches(function() ends.far:chunks() end, "this connection is closed")
  end)

  it("say why, when it is no end", function()
    local ends <close> = sockets.pair()
    ends.near:write("a\nb")
    assert.equal("a", ends.far:read("l"))
    ends.near:reset()
    local next_line, state = ends.far:lines()
    local line, message, code = next_line(state)
    assert.is_nil(line)
    assert.matches("^read.*: connection reset by peer$", message)
    assert.equal("ECONNRESET", code)
  end)

  it("give way to others, however much there is", function()
    local ends <close> = sockets.pair()
    ends.near:write(("x\n"):rep(30000))
    eventually(function() return ends.near.pending == 0 end)
    local turns, count = 0, 0
    local other = neap.go(function()
      while count < 30000 do
        turns = turns + 1
        timer.sleep(0)
      end
    end)
    for _ in ends.far:lines() do
      count = count + 1
      if count == 30000 then break end
    end
    other:join()
    assert.is_true(turns > 100)
  end)
end)
