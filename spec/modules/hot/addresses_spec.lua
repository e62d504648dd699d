-- What listens is handed on from version to version: no address is without somebody who answers.
local neap = require "neap"
local start_app = require "spec.support.app"
local eventually = require "neap.test".eventually
local sockets = require "spec.support.sockets"

-- A line of a program: a server, which answers with its name and what it was told. It lies in the global table `at`.
local function events(address, name)
  return ([[at = at or {} at.%s = assert(net.listen(%q, { line = function(conn, line)
    conn:write("%s " .. line .. "\n")
  end }))
  ]]):format(name:match "%a+", address, name)
end

-- The same by a function, for one line.
local function handler(address, name)
  return ([[at = at or {} at.%s = assert(net.listen(%q, function(conn)
    conn:write("%s " .. conn:read "l" .. "\n")
  end))
  ]]):format(name:match "%a+", address, name)
end

local function address_of(app, name)
  return app:eval(("return at.%s.address"):format(name))
end

local function ask(conn, line)
  assert(conn:write(line .. "\n"))
  return conn:read("l", { timeout = 20 })
end

local function refuses(app, address)
  local _, _, code = app:connect(address)
  return code == "ECONNREFUSED" or code == "ENOENT"
end

-- Which file lies at the path; nil: none.
local function inode(app, name)
  local pipe <close> = io.popen("stat -c %i " .. app:path(name) .. " 2>/dev/null")
  return pipe:read("n")
end

describe("an address", function()
  it("guarantee 4: is taken over: by events from events, functions from functions, the one from the other", function()
    for _, old in ipairs { events, handler } do
      for _, new in ipairs { events, handler } do
        local app <close> = start_app(old("127.0.0.1:0", "a1") .. old("unix:b.sock", "b1"))
        local address, path = address_of(app, "a"), inode(app, "b.sock")
        assert.equal("a1 x", app:ask(address, "x"))
        local before = app:inventory()
        assert(app:reload(new(address, "a2") .. new("unix:b.sock", "b2")))
        assert.equal("a2 x", app:ask(address, "x"))
        assert.equal("b2 x", app:ask("b.sock", "x"))
        assert.equal(address, address_of(app, "a"))
        assert.equal(path, inode(app, "b.sock"))
        app:forgets_old()
        app:settles((before:gsub("\n1 ", "\n2 ")))
        assert.equal(2, #app:status().generations[1].handles - 1)
        app:ends()
        assert.is_nil(inode(app, "b.sock"))
      end
    end
  end)

  it("guarantee 4: is known while its version is still being loaded", function()
    local app <close> = start_app(events("127.0.0.1:0", "a"))
    assert(app:reload(events("127.0.0.1:0", "a") .. "say(at.a.address)"))
    assert.equal(address_of(app, "a") .. ",", app:said())
    app:ends()
  end)

  it("guarantee 4: moves, and the old one is left", function()
    local app <close> = start_app(events("127.0.0.1:0", "a1"))
    local old, new = address_of(app, "a"), sockets.free_address()
    assert(app:reload(events(new, "a2")))
    assert.equal("a2 x", app:ask(new, "x"))
    eventually(function() return refuses(app, old) end, 20)
    assert(app:reload(events("unix:a.sock", "a3")))
    assert.equal("a3 x", app:ask("a.sock", "x"))
    eventually(function() return refuses(app, new) end, 20)
    app:ends()
  end)

  it("guarantee 4: is left by whoever does not want it any more", function()
    local both = events("127.0.0.1:0", "a") .. events("127.0.0.1:0", "b") .. events("unix:c.sock", "c")
    local app <close> = start_app(both)
    local a, b = address_of(app, "a"), address_of(app, "b")
    assert(app:reload(events(b, "b2")))
    assert.equal("b2 x", app:ask(b, "x"))
    eventually(function() return refuses(app, a) and refuses(app, "c.sock") end, 20)
    eventually(function() return not inode(app, "c.sock") end, 20)
    app:forgets_old()
    assert(app:reload(""))
    eventually(function() return refuses(app, b) end, 20)
    app:ends()
  end)

  it("guarantee 4: is swapped with another one", function()
    for _, serve in ipairs { events, handler } do
      local app <close> = start_app(serve("127.0.0.1:0", "a1") .. serve("127.0.0.1:0", "b1")
        .. serve("unix:c.sock", "c1") .. serve("unix:d.sock", "d1"))
      local a, b = address_of(app, "a"), address_of(app, "b")
      local c, d = inode(app, "c.sock"), inode(app, "d.sock")
      assert(app:reload(serve(b, "a2") .. serve(a, "b2") .. serve("unix:d.sock", "c2") .. serve("unix:c.sock", "d2")))
      assert.same({ "a2 x", "b2 x" }, { app:ask(b, "x"), (app:ask(a, "x")) })
      assert.same({ "c2 x", "d2 x" }, { app:ask("d.sock", "x"), (app:ask("c.sock", "x")) })
      assert.same({ c, d }, { inode(app, "c.sock"), inode(app, "d.sock") })
      app:ends()
    end
  end)

  it("guarantee 4: whose port the system chooses keeps it: the n-th that of the n-th", function()
    local app <close> = start_app(events("127.0.0.1:0", "a1") .. events("127.0.0.1:0", "b1"))
    local a, b = address_of(app, "a"), address_of(app, "b")
    assert(app:reload(handler("127.0.0.1:0", "a2") .. events("127.0.0.1:0", "b2") .. events("127.0.0.1:0", "c2")))
    local c = address_of(app, "c")
    assert.same({ a, b }, { address_of(app, "a"), address_of(app, "b") })
    assert.same({ "a2 x", "b2 x" }, { app:ask(a, "x"), (app:ask(b, "x")) })
    assert.equal("c2 x", app:ask(c, "x"))
    assert(app:reload(events("127.0.0.1:0", "x") .. events("127.0.0.1:0", "y") .. events("127.0.0.1:0", "z")))
    assert.same({ a, b, c }, { address_of(app, "x"), address_of(app, "y"), address_of(app, "z") })
    assert(app:reload(events("127.0.0.1:0", "x")))
    assert.equal(a, address_of(app, "x"))
    eventually(function() return refuses(app, b) and refuses(app, c) end, 20)
    app:ends()
  end)

  it("guarantee 4: may be one of IPv6, or of all interfaces", function()
    if not sockets.has_v6() then return end
    local app <close> = start_app(events("127.0.0.1:0", "a1") .. events("[::1]:0", "b1") .. events(":0", "c1"))
    local a, b, c = address_of(app, "a"), address_of(app, "b"), address_of(app, "c")
    assert(app:reload(events(":0", "c2") .. events("[::1]:0", "b2") .. events("127.0.0.1:0", "a2")))
    assert.same({ a, b, c }, { address_of(app, "a"), address_of(app, "b"), address_of(app, "c") })
    local port = c:match ":(%d+)$"
    assert.same({ "b2 x", "c2 x", "c2 x" },
      { app:ask(b, "x"), (app:ask("[::1]:" .. port, "x")), (app:ask("127.0.0.1:" .. port, "x")) })
    assert(app:reload(events(":" .. port, "c3") .. events(b, "b3"))) -- asked for as it was bound
    assert.same({ "b3 x", "c3 x" }, { app:ask(b, "x"), (app:ask("127.0.0.1:" .. port, "x")) })
    app:ends()
  end)

  it("guarantee 4: serves from the commit on; who connects before that waits", function()
    local app <close> = start_app ""
    local reload = neap.go(app.reload, app,
      events("unix:new.sock", "new") .. "say 'loads' while not io.open 'go' do timer.sleep(0.001) end")
    app:hears "loads"
    local early <close> = assert(app:connect "new.sock")
    early:write "x\n"
    assert.equal("ETIMEDOUT", (select(3, early:read("l", { timeout = 0.01 }))))
    app:save("go", "")
    assert(reload:join())
    assert.equal("new x", (early:read("l", { timeout = 20 })))
    app:ends()
  end)

  it("guarantee 3, 4: of a version that fails is left, and its path; that of the old one stays", function()
    local app <close> = start_app(events("unix:a.sock", "old"))
    local path = inode(app, "a.sock")
    local reload = neap.go(app.reload, app, events("unix:a.sock", "bad") .. events("unix:new.sock", "bad")
      .. "say 'loads' while not io.open 'go' do timer.sleep(0.001) end error 'boom'")
    app:hears "loads"
    local early <close> = assert(app:connect "new.sock")
    assert.equal("old x", app:ask("a.sock", "x"))
    app:save("go", "")
    assert.is_nil((reload:join()))
    assert.is_nil((early:read("l", { timeout = 20 })))
    eventually(function() return not inode(app, "new.sock") end, 20)
    assert.equal(path, inode(app, "a.sock"))
    assert.equal("old x", app:ask("a.sock", "x"))
    app:ends()
  end)

  it("guarantee 4: is given once: the second in the same version fails, unless the first was closed", function()
    local app <close> = start_app(events("127.0.0.1:0", "a1") .. events("unix:b.sock", "b1"))
    local a = address_of(app, "a")
    assert(app:reload(events(a, "a2") .. events("unix:b.sock", "b2") .. ([[
      say((select(3, net.listen(%q, function() end))))
      say((select(3, net.listen("unix:b.sock", function() end))))
    ]]):format(a)))
    assert.equal("EADDRINUSE,EADDRINUSE,", app:said())
    assert.same({ "a2 x", "b2 x" }, { app:ask(a, "x"), (app:ask("b.sock", "x")) })
    local path = inode(app, "b.sock")
    assert(app:reload(events(a, "a") .. events("unix:b.sock", "b") .. "at.a:close() at.b:close()"
      .. events(a, "a3") .. events("unix:b.sock", "b3")))
    assert.same({ "a3 x", "b3 x" }, { app:ask(a, "x"), (app:ask("b.sock", "x")) })
    assert.equal(path, inode(app, "b.sock"))
    app:ends()
  end)

  it("guarantee 4: is closed by the new version before it is live: nobody serves it then", function()
    local app <close> = start_app(events("unix:a.sock", "a1"))
    local conn <close> = assert(app:connect "a.sock")
    assert(app:reload(events("unix:a.sock", "a2") .. "at.a:close()"))
    assert.is_nil((conn:read("l", { timeout = 20 })))
    eventually(function() return refuses(app, "a.sock") and not inode(app, "a.sock") end, 20)
    app:forgets_old()
    app:ends()
  end)

  for _, serve in ipairs { events, handler } do
    it("guarantee 4: is taken over from a server that its script closes meanwhile", function()
      local app <close> = start_app(serve("unix:a.sock", "a1"))
      local text = serve("unix:a.sock", "a%d") .. "say 'loads' while not io.open 'go' do timer.sleep(0.001) end "
      local reload = neap.go(app.reload, app, text:gsub("%%d", "2") .. "")
      app:hears "loads"
      app:eval "at.a:close()"
      app:save("go", "")
      assert(reload:join())
      assert.equal("a2 x", app:ask("a.sock", "x"))
      app:forgets_old()
      os.remove(app:path "go") -- the same, but it fails
      reload = neap.go(app.reload, app, text:gsub("%%d", "3") .. "error 'boom'")
      app:hears "loads"
      local conn <close> = assert(app:connect "a.sock")
      conn:write "y"
      app:eval "at.a:close()"
      app:save("go", "")
      assert.is_nil((reload:join()))
      assert.equal("a2 yes", ask(conn, "es")) -- it is served on, but nobody else is
      eventually(function() return refuses(app, "a.sock") and not inode(app, "a.sock") end, 20)
      assert(app:reload(serve("unix:a.sock", "a4")))
      assert.equal("a4 x", app:ask("a.sock", "x"))
      app:ends()
    end)
  end

  it("guarantee 4: belongs to a connection: no reload touches it", function()
    local app <close> = start_app [[
      net.listen("unix:main.sock", function(conn)
        local server <close> = assert(net.listen("unix:inner.sock", { line = function(c) c:write "inner\n" end }))
        conn:write "ready\n"
        conn:read "l"
      end)]]
    local conn <close> = assert(app:connect "main.sock")
    assert.equal("ready", conn:read "l")
    assert(app:reload "")
    assert.equal("inner", app:ask("inner.sock", "x"))
    conn:write "end\n"
    eventually(function() return refuses(app, "inner.sock") end, 20)
    app:forgets_old()
    app:ends()
  end)

  it("guarantee 4: is never without an answer: who connects while reloads go on is served", function()
    local app <close> = start_app(events("127.0.0.1:0", "a1") .. handler("127.0.0.1:0", "b1"))
    local over = false
    local counts = {}
    neap.group(function(group)
      for _, name in ipairs { "a", "b" } do
        local address = address_of(app, name)
        group:go(function()
          local newest, count = 0, 0
          repeat
            local last = over
            local answer, message = app:ask(address, "x")
            local version = tonumber(assert(answer, message):match "^%a(%d+) x$")
            assert.is_true(version >= newest)
            newest, count = version, count + 1
          until last and count >= 20
          assert.equal(21, newest)
          counts[name] = count
        end)
      end
      for version = 2, 21 do
        assert(app:reload(events("127.0.0.1:0", "a" .. version) .. handler("127.0.0.1:0", "b" .. version)))
      end
      over = true
    end)
    assert.is_true(counts.a >= 20 and counts.b >= 20)
    app:ends()
  end)
end)
