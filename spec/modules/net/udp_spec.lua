-- net.udp: datagrams, to one, to many, and those that do not arrive.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local start_app = require "spec.support.app"
local test = require "neap.test"
local eventually = test.eventually

local function port_of(address) return address:match("%d+$") end

-- An address where nobody is: it was free a moment ago.
local function nobody()
  local socket <close> = assert(net.udp("127.0.0.1:0"))
  return socket.address
end

describe("net.udp", function()
  local server, client

  before_each(function()
    server = assert(net.udp("127.0.0.1:0"))
    client = assert(net.udp())
  end)

  after_each(function()
    server:close()
    client:close()
  end)

  local function receive(socket) return socket:receive { timeout = 20 } end

  it("sends there and back, and says from whom it is", function()
    assert.is_nil(client.address) -- until it has sent
    assert.equal(client, client:send("question", server.address))
    local data, from = receive(server)
    assert.equal("question", data)
    assert.equal("127.0.0.1:" .. port_of(client.address), from)
    assert.equal(server, server:send("answer", from))
    assert.same({ "answer", server.address }, { receive(client) })
  end)

  it("keeps the borders of datagrams, and their bytes", function()
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    local texts = { "one", "", table.concat(all), ("x"):rep(65507), "" }
    for _, text in ipairs(texts) do assert(client:send(text, server.address)) end
    for _, text in ipairs(texts) do assert.equal(text, (receive(server))) end
  end)

  it("joins lists, and takes numbers", function()
    assert(client:send({ "a", 1, "b", 2.5 }, server.address))
    assert(client:send(42, server.address))
    assert(client:send({}, server.address))
    assert.same({ "a1b2.5", "42", "" }, { (receive(server)), (receive(server)), (receive(server)) })
  end)

  it("does the same for callbacks, later", function()
    local got, sent = {}, nil
    local waiting = server:receive(function(...) got = table.pack(...) end)
    local call = client:send("hello", server.address, function(...) sent = table.pack(...) end)
    assert.is_nil(sent)
    call:join()
    waiting:join()
    assert.same({ n = 1, client }, sent)
    assert.equal(2, got.n)
    assert.equal("hello", got[1])
    client:send("there", server.address, { timeout = 20 }, function() end):join()
    server:receive({ timeout = 20 }, function(...) got = table.pack(...) end):join() -- it is there already
    assert.equal("there", got[1])
  end)

  it("waits as long as it may, and then what comes is not lost", function()
    local text = "receive " .. server.address .. ": timed out"
    assert.same({ nil, text, "ETIMEDOUT" }, { server:receive { timeout = 0.001 } })
    local waiting = neap.go(server.receive, server)
    timer.sleep(0)
    assert(client:send("for who is cancelled", server.address))
    waiting:cancel()
    waiting:join()
    assert.equal("for who is cancelled", (receive(server)))
  end)

  it("lets one task wait at a time", function()
    local waiting = neap.go(server.receive, server)
    timer.sleep(0)
    assert.has_error(function() server:receive() end, "another task waits for this socket's datagrams")
    client:send("x", server.address)
    assert.equal("x", (waiting:join()))
  end)

  it("iterates over messages until it is closed", function()
    local heard = {}
    local task = neap.go(function()
      for data, from in server:messages() do
        heard[#heard + 1] = data
        if data == "last" then server:close() end
        assert.equal("127.0.0.1:" .. port_of(client.address), from)
      end
    end)
    for _, text in ipairs { "one", "", "last", "late" } do client:send(text, server.address) end
    task:join()
    assert.same({ "one", "", "last" }, heard)
  end)

  it("sends to names", function()
    local both <close> = assert(net.udp(":0")) -- it may be an IPv6 address first
    assert(client:send("by name", "localhost:" .. port_of(both.address)))
    assert.equal("by name", (receive(both)))
    local expected = "send no-such-name.invalid:5: "
    local ok, message, code = client:send("x", "no-such-name.invalid:5")
    assert.is_nil(ok)
    assert.equal(expected, message:sub(1, #expected))
    assert.matches("^EAI_", code)
    local call = client:send("never", "given-up.invalid:5", function() error "it was called" end)
    call:cancel()
    call:join()
  end)

  it("talks to IPv6, and to both at once", function()
    local six, _, code = net.udp("[::1]:0")
    if not six then return pending("no IPv6 here: " .. code) end
    assert(client:send("six", six.address))
    local data, from = receive(six)
    assert.equal("six", data)
    assert.matches("^%[::1%]:%d+$", from)
    local both = assert(net.udp(":0"))
    assert(client:send("four", ":" .. port_of(both.address)))
    assert.matches("^127%.0%.0%.1:", (select(2, receive(both))))
    assert(six:send("six", "[::1]:" .. port_of(both.address)))
    assert.equal(six.address, (select(2, receive(both))))
    local only = assert(net.udp("[::]:0", { ipv6only = true }))
    local four = assert(net.udp("0.0.0.0:" .. port_of(only.address))) -- the port is free for IPv4
    for _, socket in ipairs { six, both, only, four } do socket:close() end
    local _, _, family = server:send("x", "[::1]:9")
    assert.equal("EAFNOSUPPORT", family)
  end)

  it("connects: one peer, no other is heard, and its refusal is", function()
    local other <close> = assert(net.udp("127.0.0.1:0"))
    assert.equal(client, client:connect(server.address))
    assert.equal(server.address, client.peer)
    assert(client:send("hello"))
    local _, from = receive(server)
    assert(other:send("not for you", from))
    assert(server:send("for you", from))
    assert.equal("for you", (receive(client)))
    assert(client:disconnect())
    assert.is_nil(client.peer)
    local absent = nobody()
    assert(client:connect(absent))
    assert(client:send("anybody there?"))
    local refused = { nil, "receive " .. absent .. ": connection refused", "ECONNREFUSED" }
    assert.same(refused, { receive(client) })
    assert(client:send("and now?"))
    eventually(function() -- the next send is told, where nobody has received
      local ok, message, code = client:send("still not?")
      if ok then error "not yet" end
      return assert.same({ "send " .. absent .. ": connection refused", "ECONNREFUSED" }, { message, code })
    end)
    assert(client:connect("localhost:" .. port_of(server.address)))
    assert.equal(server.address, client.peer)
  end)

  it("does not end a loop over messages because somebody is not there yet", function()
    local address = nobody()
    assert(client:connect(address))
    local heard
    local task = neap.go(function()
      heard = client:messages()(client)
    end)
    timer.sleep(0)
    for _ = 1, 3 do client:send("hello?") timer.sleep(0.001) end
    local late <close> = assert(net.udp(address))
    assert(late:send("here", "127.0.0.1:" .. port_of(client.address)))
    task:join()
    assert.equal("here", heard)
  end)

  it("fails with what the system says", function()
    local function fails(code, text, ok, message, got)
      assert.is_nil(ok)
      assert.same({ text, code }, { message, got })
    end
    fails("EMSGSIZE", "send " .. server.address .. ": message too long", client:send(("x"):rep(65508), server.address))
    fails("EDESTADDRREQ", "send " .. server.address .. ": destination address required", server:send("x"))
    fails("EADDRINUSE", "udp " .. server.address .. ": address already in use", net.udp(server.address))
    fails("EADDRNOTAVAIL", "udp 192.0.2.123:0: address not available", net.udp("192.0.2.123:0"))
    fails("EAI_NONAME", "udp example.com:80: no such name", net.udp("example.com:80"))
    fails("EACCES", "send 127.255.255.255:9: permission denied", client:send("x", "127.255.255.255:9"))
    assert(client:broadcast(true))
    local ok, _, code = client:send("x", "127.255.255.255:9")
    assert.is_true(ok == client or code == "ENETUNREACH", code)
    assert(client:broadcast(false))
  end)

  it("shares an address with those who want to", function()
    local one <close> = assert(net.udp("127.0.0.1:0", { reuse = "port" }))
    local two <close> = assert(net.udp(one.address, { reuse = "port" }))
    assert.equal(one.address, two.address)
    local first <close> = assert(net.udp("127.0.0.1:0", { reuse = "address" }))
    local second <close> = assert(net.udp(first.address, { reuse = "address" }))
    assert.equal(first.address, second.address)
  end)

  it("ends those who wait when it is closed, and then raises", function()
    local results
    local waiting = neap.go(function() results = table.pack(client:receive()) end)
    timer.sleep(0)
    client:close()
    waiting:join()
    assert.same({ nil, "receive: operation canceled", "ECANCELED", n = 3 }, results)
    assert.is_true(client.closed)
    assert.is_nil(client.address)
    assert.is_nil(client.peer)
    client:close()
    for _, name in ipairs { "send", "receive", "messages", "connect", "disconnect", "join", "broadcast", "ttl" } do
      assert.has_error(function() client[name](client, "x", "127.0.0.1:1") end, "this datagram socket is closed")
    end
  end)

  it("raises for what cannot be meant", function()
    assert.has_error(function() net.udp("nowhere") end, "bad argument #1 to 'udp' (an address is \"host:port\", " ..
      "\":port\", \"[v6]:port\" or \"unix:/path\")")
    assert.has_error(function() net.udp("unix:/run/x") end,
      "bad argument #1 to 'udp' (datagrams have no Unix sockets here)")
    assert.has_error(function() net.udp(":0", { reuseaddr = true }) end, "bad argument #2 to 'udp' " ..
      "(unknown option 'reuseaddr' (there are: ipv6only, receive_buffer, reuse, send_buffer))")
    assert.has_error(function() net.udp { reuse = true } end,
      "bad argument #2 to 'udp' (reuse must be \"address\" or \"port\")")
    assert.has_error(function() net.udp { send_buffer = 0 } end,
      "bad argument #2 to 'udp' (send_buffer must be an integer from 1 to 1073741823, not 0)")
    assert.has_error(function() net.udp { ipv6only = 1 } end,
      "bad argument #2 to 'udp' (ipv6only must be true or false, not 1)")
    assert.has_error(function() net.udp(":0", function() end) end,
      "bad argument #2 to 'udp' (table expected, got function)")
    assert.has_error(function() client:send() end)
    assert.has_error(function() client:send(true, server.address) end)
    assert.has_error(function() client:send({ "a", {} }, server.address) end,
      "bad argument #1 to 'send' (element 2 of the list is a table, not a string)")
    assert.has_error(function() client:send("x", true) end)
    assert.has_error(function() client:send("x", "nowhere") end)
    assert.has_error(function() client:send("x", server.address, { timout = 1 }) end)
    assert.has_error(function() client:receive(5) end)
    assert.has_error(function() client:connect() end)
    assert.has_error(function() client:ttl(0) end, "bad argument #1 to 'ttl' (1 to 255 expected)")
    assert.has_error(function() client:multicast_ttl(256) end, "bad argument #1 to 'multicast_ttl' (0 to 255 expected)")
    assert.has_error(function() client:broadcast(1) end)
    assert.has_error(function() client:join("localhost") end,
      "bad argument #1 to 'join' (an address in numbers, without a port, expected)")
  end)

  it("keeps no program alive that does not wait for it", function()
    local process <close> = test.spawn_neap [[
      local net = require "neap.net"
      socket = net.udp("127.0.0.1:0")
      net.udp():send("nobody takes it", socket.address)
      print((socket:receive()))
      net.udp():send("nor this", socket.address)
    ]]
    assert.equal(0, process:wait())
    assert.equal("nobody takes it\n", process:output())
  end)
end)

describe("many datagrams", function()
  it("go both ways, and nobody needs more memory for them", function()
    local server <close> = assert(net.udp("127.0.0.1:0", { receive_buffer = 1 << 20 }))
    local echo = neap.go(function()
      for data, from in server:messages() do server:send(data, from) end
    end)
    local received = 0
    collectgarbage()
    local before
    neap.group(function(group)
      for i = 1, 10 do
        group:go(function()
          local client <close> = assert(net.udp("127.0.0.1:0"))
          for n = 1, 1000 do
            assert(client:send(i .. " " .. n, server.address))
            local data = client:receive { timeout = 20 }
            assert.equal(i .. " " .. n, data)
            received = received + 1
            if received == 1000 then collectgarbage() before = collectgarbage "count" end
          end
        end)
      end
    end)
    assert.equal(10000, received)
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 500)
    server:close()
    echo:join()
  end)

  it("that nobody takes are the system's to drop", function()
    local server <close> = assert(net.udp("127.0.0.1:0"))
    local client <close> = assert(net.udp())
    local text = ("x"):rep(1000)
    for _ = 1, 5000 do assert(client:send(text, server.address)) end
    local count = 0
    while server:receive { timeout = 0.01 } do count = count + 1 end
    assert.is_true(count > 0 and count < 5000)
    assert(client:send("again", server.address))
    assert.equal("again", (server:receive { timeout = 20 }))
  end)
end)

describe("a group", function()
  it("is heard by those who have joined it", function()
    local one <close> = assert(net.udp("0.0.0.0:0", { reuse = "address" }))
    local two <close> = assert(net.udp(one.address, { reuse = "address" }))
    local sender <close> = assert(net.udp("0.0.0.0:0"))
    local group = "239.255.77." .. math.random(1, 254)
    local joined, message = one:join(group, "127.0.0.1")
    if not joined then return pending("no groups here: " .. message) end
    assert(two:join(group, "127.0.0.1"))
    assert(sender:multicast_interface("127.0.0.1"))
    assert(sender:multicast_loop(true))
    assert(sender:multicast_ttl(0))
    local to = group .. ":" .. port_of(one.address)
    local sent
    sent, message = sender:send("to all", to)
    if not sent then return pending("no groups here: " .. message) end
    assert.equal("to all", (one:receive { timeout = 20 }))
    assert.equal("to all", (two:receive { timeout = 20 }))
    assert.same({ nil, "join " .. group .. ": address already in use", "EADDRINUSE" }, { one:join(group, "127.0.0.1") })
    assert(one:leave(group, "127.0.0.1"))
    assert.is_nil((one:leave(group, "127.0.0.1")))
  end)

  it("may be heard from one source only", function()
    local socket <close> = assert(net.udp("0.0.0.0:0"))
    local joined, message = socket:join("232.1.2.3", "127.0.0.1", "127.0.0.1")
    if not joined then return pending("no sources here: " .. message) end
    assert(socket:leave("232.1.2.3", "127.0.0.1", "127.0.0.1"))
  end)

  it("is one, and an interface is there", function()
    local socket <close> = assert(net.udp("0.0.0.0:0"))
    assert.is_nil((socket:join("127.0.0.1")))
    assert.same({ nil, "join 239.1.2.3: no such device", "ENODEV" }, { socket:join("239.1.2.3", "no such") })
    assert.same({ nil, "multicast_interface no such: no such device", "ENODEV" },
      { socket:multicast_interface("no such") })
    assert(socket:ttl(3))
    assert(socket:multicast_interface("127.0.0.1"))
    assert.error_matches(function() socket:join("239.1.2.3\0", "lo") end, "it contains a zero")
    assert.error_matches(function() socket:join("239.1.2.3", "lo\0") end, "it contains a zero")
    assert.error_matches(function() socket:multicast_interface("lo\0") end, "it contains a zero")
  end)
end)

describe("a datagram socket in a reload", function()
  local function program(name, address)
    return ([[
      socket = assert(net.udp(%q))
      neap.go(function()
        for data, from in socket:messages() do socket:send("%s " .. data, from) end
      end)
    ]]):format(address, name)
  end

  it("is taken over with what lies in it: nothing is lost", function()
    local app <close> = start_app(program("a1", "127.0.0.1:0"))
    local address = app:eval "return socket.address"
    local client <close> = assert(net.udp())
    local answered, asked, enough, over = 0, 0, false, false
    local answers = neap.go(function()
      while not over or answered < asked do
        assert(client:receive { timeout = 20 })
        answered = answered + 1
      end
    end)
    local asking = neap.go(function()
      while not enough do
        asked = asked + 1
        assert(client:send(asked, address))
        timer.sleep(0.0005)
      end
    end)
    for i = 2, 6 do
      assert(app:reload(program("a" .. i, i < 4 and "127.0.0.1:0" or address)))
      assert.equal(address, app:eval "return socket.address")
    end
    enough = true
    asking:join()
    over, asked = true, asked + 1
    assert(client:send("end", address))
    answers:join()
    app:forgets_old()
    assert.equal(asked, answered)
    local last <close> = assert(net.udp())
    last:send("x", address)
    assert.equal("a6 x", (last:receive { timeout = 20 }))
    app:ends()
  end)

  it("stays with the old version where the new one fails", function()
    local app <close> = start_app(program("a1", "127.0.0.1:0"))
    local address = app:eval "return socket.address"
    assert.is_nil((app:reload(program("a2", address) .. "error 'no'")))
    local client <close> = assert(net.udp())
    client:send("x", address)
    assert.equal("a1 x", (client:receive { timeout = 20 }))
    assert(app:reload(program("a3", address)))
    client:send("x", address)
    assert.equal("a3 x", (client:receive { timeout = 20 }))
    app:ends()
  end)
end)
