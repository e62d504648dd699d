-- scripts/chat.lua, as a program with a few people in it.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

describe("scripts/chat.lua", function()
  local chat, address

  before_each(function()
    chat = child.start { "scripts/chat.lua", "127.0.0.1:0" }
    address = chat:line():match("^chat: listening on (.+)$")
  end)

  after_each(function()
    local ending <close> = chat -- luacheck: ignore
    chat:signal "TERM"
    assert.same({ 0, "", "" }, { chat:wait() })
  end)

  local function hears(conn, expected)
    assert.equal(expected, (conn:read("l", { timeout = 20 })))
  end

  -- Somebody comes in; those who are there already hear of it.
  local function join(name, ...)
    local conn = assert(net.connect(address))
    local guest = conn:read("l", { timeout = 20 }):match("^%* welcome, (guest%d+)%. .*; here: ")
    assert.is_string(guest)
    for _, other in ipairs { ... } do hears(other, "* " .. guest .. " has joined") end
    if not name then return conn, guest end
    conn:write("/nick " .. name .. "\n")
    hears(conn, "* you are " .. name)
    for _, other in ipairs { ... } do hears(other, "* " .. guest .. " is now " .. name) end
    return conn
  end

  it("lets everybody hear the others, and not themselves", function()
    local ada <close> = join "ada"
    local bob <close> = join("bob", ada)
    local cyd <close> = join("cyd", ada, bob)
    ada:write("hello\r\n\n")
    hears(bob, "ada: hello")
    hears(cyd, "ada: hello")
    bob:write("hi ada\n")
    hears(ada, "bob: hi ada")
    hears(cyd, "bob: hi ada")
    cyd:write("/quit\n")
    hears(cyd, "* bye")
    assert.is_nil(cyd:read())
    hears(ada, "* cyd has left")
    hears(bob, "* cyd has left")
    bob:close()
    hears(ada, "* bob has left")
  end)

  it("knows names", function()
    local ada <close> = join "ada"
    local guest <close>, name = join(nil, ada)
    for bad, answer in pairs {
      ["/nick ada"] = "* ada is taken", ["/nick"] = "* a name has up to 20 letters and digits",
      ["/nick a b"] = "* a name has up to 20 letters and digits", ["/dance now"] = "* no such command: /dance",
      ["/"] = "* no such command: /", ["/who"] = "* here: ada, " .. name,
    } do
      guest:write(bad .. "\n")
      hears(guest, answer)
    end
    guest:write("/nick ada2\n")
    hears(ada, "* " .. name .. " is now ada2")
    ada:close()
    hears(guest, "* you are ada2")
    hears(guest, "* ada has left")
    guest:write("/nick ada\n") -- it is free now
    hears(guest, "* you are ada")
  end)

  it("has a limit for lines", function()
    local ada <close> = join "ada"
    local bob <close> = join("bob", ada)
    bob:write(("x"):rep(1000) .. "\n")
    hears(ada, "bob: " .. ("x"):rep(1000))
    bob:write(("x"):rep(1001) .. "\n")
    hears(bob, "* too long: a line has up to 1000 bytes")
    assert.is_nil(bob:read())
    hears(ada, "* bob has left")
    local eve <close> = join("eve", ada)
    eve:write(("x"):rep(3000000), function() end) -- and never an end
    hears(ada, "* eve has left")
  end)

  it("notices who vanishes", function()
    local ada <close> = join "ada"
    local bob = join("bob", ada)
    bob:reset()
    hears(ada, "* bob has left")
  end)

  it("drops who does not read, and nobody else is slow for that", function()
    local ada <close> = join "ada"
    local deaf <close> = join("deaf", ada)
    local bob <close> = join("bob", ada, deaf)
    local lines, heard, left = 60000, 0, false
    local speaker = neap.go(function()
      local text = ("x"):rep(200)
      for i = 1, lines do
        assert(bob:write(text .. i .. "\n"))
        while i - heard > 500 do timer.sleep(0) end -- as fast as the others hear it
      end
    end)
    for line in ada:lines() do
      if line == "* deaf has left" then left = true else heard = heard + 1 end
      if heard == lines then break end
    end
    speaker:join()
    assert.is_true(left or select(1, ada:read("l", { timeout = 20 })) == "* deaf has left")
    eventually(function() return not deaf:write("still here?\n") end, 20)
    ada:write("/who\n")
    hears(ada, "* here: ada, bob")
  end)

  it("says what is wrong with its arguments", function()
    for _, argument in ipairs { "nonsense", "--help", sockets.free_address() .. "x" } do
      local other <close> = child.start { "scripts/chat.lua", argument }
      local code, out, err = other:wait()
      assert.same({ 2, "" }, { code, out })
      assert.matches("^usage: neap scripts/chat%.lua %[ADDRESS%] [^\n]*\n$", err)
    end
    local other <close> = child.start { "scripts/chat.lua", address }
    assert.same({ 1, "", "chat: listen " .. address .. ": address already in use\n" }, { other:wait() })
  end)
end)
