-- scripts/echo.lua, as a program.
local net = require "neap.net"
local child = require "spec.support.child"
local sockets = require "spec.support.sockets"

local function start(...)
  return child.start { "scripts/echo.lua", ... }
end

describe("scripts/echo.lua", function()
  it("sends back what it receives, on any address", function()
    for _, address in ipairs { "127.0.0.1:0", sockets.unix() } do
      local echo <close> = start(address)
      local listening = echo:line():match("^echo: listening on (.+)$")
      for _ = 1, 3 do
        local conn <close> = assert(net.connect(listening))
        conn:write("hello\n")
        assert.equal("hello", conn:read("l", { timeout = 20 }))
        conn:write(("x"):rep(1000000), function() end)
        conn:shutdown(function() end)
        assert.equal(1000000, #conn:read("a"))
      end
      echo:signal "TERM"
      assert.same({ 0, "", "" }, { echo:wait() })
    end
  end)

  it("says what is wrong", function()
    for _, arguments in ipairs { { "nonsense" }, { "127.0.0.1:0", "more" }, { "--help" } } do
      local echo <close> = start(table.unpack(arguments))
      local code, out, err = echo:wait()
      assert.same({ 2, "" }, { code, out })
      assert.matches("^usage: neap scripts/echo%.lua %[ADDRESS%] [^\n]*\n$", err)
    end
    local first <close> = start "127.0.0.1:0"
    local address = first:line():match("%S+$")
    local second <close> = start(address)
    assert.same({ 1, "", "echo: listen " .. address .. ": address already in use\n" }, { second:wait() })
  end)
end)
