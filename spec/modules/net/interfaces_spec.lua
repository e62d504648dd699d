-- net.interfaces: the addresses of this machine.
local net = require "neap.net"

describe("net.interfaces", function()
  it("lists each address with its interface, and loopback among them", function()
    local list = assert(net.interfaces())
    local loopback
    for _, entry in ipairs(list) do
      assert.is_string(entry.name)
      assert.matches("^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$", entry.mac)
      assert.is_boolean(entry.internal)
      assert.equal("integer", math.type(entry.prefix))
      if entry.family == "ipv4" then
        assert.matches("^%d+%.%d+%.%d+%.%d+$", entry.address)
        assert.matches("^%d+%.%d+%.%d+%.%d+$", entry.netmask)
        assert.is_true(entry.prefix <= 32)
      else
        assert.equal("ipv6", entry.family)
        assert.matches("^[%x:.]+%%?%w*", entry.address)
        assert.is_true(entry.prefix <= 128)
      end
      if entry.address == "127.0.0.1" then loopback = entry end
    end
    assert.is_true(loopback.internal)
    assert.equal("255.0.0.0", loopback.netmask)
    assert.equal(8, loopback.prefix)
  end)

  it("gives addresses that can be listened on", function()
    local tried = 0
    for _, entry in ipairs(net.interfaces()) do
      local host = entry.family == "ipv6" and "[" .. entry.address .. "]" or entry.address
      local server, _, code = net.listen(host .. ":0", function() end)
      -- IPv6 may be about to check whether it is alone with an address.
      if not server and code == "EADDRNOTAVAIL" and entry.family == "ipv6" then goto next end
      assert.equal(host, assert(server, code).address:match("^(.*):%d+$"))
      server:close()
      tried = tried + 1
      ::next::
    end
    assert.is_true(tried > 0)
  end)
end)
