-- net.lookup and net.reverse: names. (What a resolver that does not answer does to the rest: spec/c/lookup.c.)
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"

local families = { ipv4 = "^%d+%.%d+%.%d+%.%d+$", ipv6 = "^[%x:.]+$" }

-- No network may be there: then a name is not known, or nobody can say. It fails, whatever the code.
local function fails(name, found, message, code)
  assert.is_nil(found)
  assert.matches("^lookup " .. name:gsub("%p", "%%%0") .. ": .", message)
  assert.matches("^EAI_", code)
end

describe("net.lookup", function()
  it("gives the addresses of a name, as numbers, each once", function()
    local found = assert(net.lookup("localhost"))
    assert.is_true(#found >= 1)
    local seen = {}
    for _, address in ipairs(found) do
      assert.is_true(address:find(families.ipv4) ~= nil or address:find(families.ipv6) ~= nil)
      assert.is_nil(seen[address])
      seen[address] = true
    end
    assert.is_true(seen["127.0.0.1"] or seen["::1"])
  end)

  it("gives those of one family", function()
    assert.same({ "127.0.0.1" }, net.lookup("localhost", { family = "ipv4" }))
    for _, address in ipairs(net.lookup("localhost", { family = "ipv6" }) or {}) do
      assert.matches("::1$", address) -- not every machine says so
    end
  end)

  it("calls back with the same, later", function()
    local expected = net.lookup("localhost")
    local got
    local call = net.lookup("localhost", function(...) got = table.pack(...) end)
    assert.is_nil(got)
    call:join()
    assert.same({ n = 1, expected }, got)
    net.lookup("localhost", { timeout = 60 }, function(...) got = table.pack(...) end):join()
    assert.same({ n = 1, expected }, got)
  end)

  it("knows numbers by itself, and writes them as everybody does", function()
    assert.same({ "127.0.0.1" }, net.lookup("127.0.0.1"))
    assert.same({ "::1" }, net.lookup("0:0:0::1"))
    assert.same({ "2001:db8::5" }, net.lookup("2001:DB8::5", { family = "ipv6" }))
    local got
    net.lookup("127.0.0.1", function(...) got = table.pack(...) end):join()
    assert.same({ n = 1, { "127.0.0.1" } }, got)
  end)

  it("says that there is no such name, in both forms", function()
    fails("no-such-name.invalid", net.lookup("no-such-name.invalid"))
    local got
    net.lookup("no-such-name.invalid", function(...) got = table.pack(...) end):join()
    fails("no-such-name.invalid", table.unpack(got, 1, 3))
    assert.same({ nil, "lookup : no such name", "EAI_NONAME" }, { net.lookup("") })
    fails("::1", net.lookup("::1", { family = "ipv4" }))
  end)

  it("says that a name is too long, and takes the longest there can be", function()
    local long = ("x"):rep(300)
    assert.same({ nil, "lookup " .. long .. ": name too long", "ENAMETOOLONG" }, { net.lookup(long) })
    local label = ("y"):rep(60) .. "."
    assert.is_nil((net.lookup(label:rep(4) .. "invalid")))
  end)

  it("answers many who ask at once", function()
    local count = 0
    neap.group(function(group)
      for i = 1, 200 do
        group:go(function()
          if i % 4 == 0 then
            fails("one.invalid", net.lookup("one.invalid"))
          else
            assert(net.lookup(i % 2 == 0 and "localhost" or "LocalHost"))
          end
          count = count + 1
        end)
      end
    end)
    assert.equal(200, count)
  end)

  it("can be given up, alone or beside others who wait for the same", function()
    local answers = {}
    local calls = {}
    for i = 1, 20 do
      calls[i] = net.lookup("localhost", function(found) answers[#answers + 1] = found and i end)
    end
    for i = 1, 20, 2 do calls[i]:cancel() end
    local alone = neap.go(net.lookup, "given-up.invalid")
    timer.sleep(0)
    alone:cancel()
    for _, call in ipairs(calls) do call:join() end
    alone:join()
    assert.equal(10, #answers)
    for _, i in ipairs(answers) do assert.equal(0, i % 2) end
  end)

  it("raises for what cannot be meant", function()
    assert.has_error(function() net.lookup({}) end, "bad argument #1 to 'lookup' (string expected, got table)")
    assert.has_error(function() net.lookup("a\0b") end, "bad argument #1 to 'lookup' (it contains a zero)")
    assert.has_error(function() net.lookup("localhost", { family = "ipx" }) end,
      "bad argument #2 to 'lookup' (family must be \"ipv4\" or \"ipv6\")")
    assert.has_error(function() net.lookup("localhost", { timout = 1 }) end,
      "bad argument #2 to 'lookup' (unknown option 'timout' (there are: family, timeout))")
    assert.has_error(function() net.lookup("localhost", 5) end,
      "bad argument #2 to 'lookup' (table expected, got number)")
  end)
end)

describe("net.reverse", function()
  it("gives the name of an address, with or without a port, in both forms", function()
    local name = assert(net.reverse("127.0.0.1"))
    assert.is_string(name)
    assert.equal(name, net.reverse("127.0.0.1:80"))
    local got
    net.reverse("127.0.0.1", { timeout = 60 }, function(...) got = table.pack(...) end):join()
    assert.same({ n = 1, name }, got)
  end)

  it("says that an address has no name", function()
    local name, message, code = net.reverse("192.0.2.77", { timeout = 20 }) -- for documentation only: RFC 5737
    assert.is_nil(name)
    assert.matches("^reverse 192%.0%.2%.77: .", message)
    assert.is_true(code == "ETIMEDOUT" or code:find("^EAI_") ~= nil)
  end)

  it("raises for what is no address in numbers", function()
    for _, text in ipairs { "localhost", "localhost:80", "", "unix:/run/x", "1.2.3", "[::1", "127.0.0.1:http" } do
      assert.has_error(function() net.reverse(text) end,
        "bad argument #1 to 'reverse' (an address in numbers, with or without a port, expected)")
    end
  end)
end)
