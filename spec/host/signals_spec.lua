-- What the system may say. A script sends a signal to itself with kill: the
-- parent of the shell that io.popen starts is the neap that runs it. (While
-- os.execute waits for its shell, C lets SIGINT be ignored.)
local child = require "spec.support.child"
local support = require "spec.support.neap"

local prelude = [[
  local neap, timer = require "neap", require "neap.timer"
  local function send(signal) assert(io.popen("kill -" .. signal .. " $PPID"):close()) end
  local function closing(fn) return setmetatable({}, { __close = fn }) end
]]

local function run(text, options) return support.run(prelude .. text, options) end

describe("SIGTERM and SIGINT", function()
  it("end a program with status 0, and run __close", function()
    for _, signal in ipairs { "TERM", "INT" } do
      local status, out, err = run(([[
        local _ <close> = closing(function() timer.sleep(0.001) print "closed" end)
        timer.every(0.001, function() end)
        timer.sleep(1000, print)
        neap.go(function() timer.sleep(0) send %q end)
        timer.sleep(1000)
      ]]):format(signal))
      assert.equal("", err)
      assert.equal("closed\n", out)
      assert.equal(0, status)
    end
  end)

  it("end a program that spins, where it is, also in pcall and in coroutines", function()
    local status, out, err = run [[
      local _ <close> = closing(function() timer.sleep(0.001) print "closed" end)
      timer.sleep(0)
      pcall(coroutine.wrap(function()
        io.popen "(sleep 0.1; kill -TERM $PPID) &"
        while true do end
      end))
      print "not reached"
    ]]
    assert.equal("", err)
    assert.equal("closed\n", out)
    assert.equal(0, status)
  end)

  it("end a program that sleeps", function()
    local status, out, err = run [[
      os.execute "(sleep 0.1; kill -TERM $PPID) &"
      timer.sleep(1000)
    ]]
    assert.equal("", out .. err)
    assert.equal(0, status)
  end)

  it("end a server, which nobody uses", function()
    local status, out, err = run [[
      local net = require "neap.net"
      local server = net.listen("127.0.0.1:0", function() end)
      timer.sleep(0.001, function() send "TERM" end)
    ]]
    assert.equal("", out .. err)
    assert.equal(0, status)
  end)

  it("let a connection that is served finish", function()
    local status, out, err = run [[
      local net = require "neap.net"
      local server = net.listen("127.0.0.1:0", function(conn)
        local _ <close> = closing(function() print "finished" end)
        send "TERM"
        timer.sleep(0.01)
        timer.sleep(0.01)
        print "served"
      end)
      local client = net.connect(server.address)
      timer.sleep(1000)
    ]]
    assert.equal("", err)
    assert.equal("served\nfinished\n", out)
    assert.equal(0, status)
  end)

  -- A server in a process of its own, and a connection to it.
  local function connect(server)
    return assert(require "neap.net".connect(server))
  end

  it("let a request that needs another connection finish", function()
    local server <close> = child.start({}, { script = [[
      local net, timer = require "neap.net", require "neap.timer"
      local behind = net.listen("127.0.0.1:0", function(conn)
        for line in conn:lines() do
          timer.sleep(0.2)
          conn:write("answer to " .. line .. "\n")
        end
      end)
      local front = net.listen("127.0.0.1:0", function(conn)
        for line in conn:lines() do
          local inner <close> = net.connect(behind.address)
          inner:write(line .. "\n")
          if line == "last" then io.stdout:write "waits\n" io.stdout:flush() end
          conn:write(inner:read "l" .. "\n")
        end
      end)
      print(front.address)
      io.stdout:flush()
    ]] })
    local conn <close> = connect(server:line())
    conn:write "last\n"
    require "neap.timer".sleep(0) -- for it to go out, before we block
    assert.equal("waits", server:line())
    server:signal "TERM"
    assert.equal("answer to last", conn:read("l", { timeout = 20 }))
    assert.is_nil(conn:read("l", { timeout = 20 }))
    assert.equal(0, (server:wait()))
  end)

  it("end a connection that rests, also one that has just been written to", function()
    local server <close> = child.start({}, { script = [[
      local net = require "neap.net"
      local conns = {}
      local server = net.listen("127.0.0.1:0", function(conn)
        conns[#conns + 1] = conn
        for line in conn:lines() do
          for _, other in ipairs(conns) do other:write(line .. "\n") end
          if line == "end" then assert(io.popen("kill -TERM $PPID"):close()) end
        end
      end)
      print(server.address)
      io.stdout:flush()
    ]] })
    local address = server:line()
    local rests <close> = connect(address)
    local conn <close> = connect(address)
    conn:write "hello\n"
    assert.equal("hello", rests:read("l", { timeout = 20 }))
    conn:write "end\n"
    assert.equal("end", rests:read("l", { timeout = 20 }))
    assert.same({}, { rests:read("l", { timeout = 20 }) })
    assert.equal(0, (server:wait(10)))
  end)

  it("end at once when they come a second time", function()
    for signal, expected in pairs { INT = 130, TERM = 143 } do
      local status, out, err = run(([[
        io.stdout:setvbuf "no"
        local _ <close> = closing(function()
          print "once"
          send %q
          while true do end
        end)
        send %q
        while true do end
      ]]):format(signal, signal))
      assert.equal("", err)
      assert.equal("once\n", out)
      assert.equal(expected, status)
    end
  end)

  it("end at once when they come while __close waits for too long", function()
    local status = run [[
      local _ <close> = closing(function() send "INT" timer.sleep(1000) end)
      send "INT"
      timer.sleep(1000)
    ]]
    assert.equal(130, status)
  end)

  it("give the status 1 no more, though tasks have failed", function()
    local status, _, err = run [[
      neap.go(error, "boom")
      timer.sleep(0.001)
      send "TERM"
      timer.sleep(1000)
    ]]
    assert.matches("boom", err)
    assert.equal(0, status)
  end)
end)

describe("SIGUSR1", function()
  it("prints the tasks while the loop rests", function()
    local status, out, err = run [[
      local sleeper = neap.go(function()
        timer.sleep(1000)
      end)
      sleeper.name = "sleeper"
      os.execute "(sleep 0.1; kill -USR1 $PPID; sleep 0.2; kill -TERM $PPID) &"
      sleeper:join()
    ]]
    assert.equal("", out)
    assert.equal(0, status)
    assert.matches("^neap: 2 tasks, 0 failed, 0 overruns\n +id +state +age +waits for +name +owner +where\n", err)
    assert.matches("\n +1 +waiting +%d+%.%d+ +join +main +gen 1 background +script.lua:9\n", err)
    assert.matches("\n +2 +waiting +%d+%.%d+ +sleep +sleeper +gen 1 background +script.lua:5\n$", err)
  end)

  it("prints the running line while Lua spins", function()
    local status, out, err = run [[
      neap.go(timer.sleep, 0)
      os.execute "(sleep 0.1; kill -USR1 $PPID; sleep 0.2; kill -TERM $PPID) &"
      while true do

      end
    ]]
    assert.equal("", out)
    assert.equal(0, status)
    assert.matches("^neap: 2 tasks", err)
    assert.matches("\n +1 +running +%d+%.%d+ +%- +main +gen 1 background +script.lua:6\n", err)
    assert.matches("\n +2 +ready +%d+%.%d+ +%- +task +gen 1 background +script.lua:4\n", err)
  end)

  it("prints the line in the innermost coroutine", function()
    local _, _, err = run [[
      local function spin()
        io.popen("kill -USR1 $PPID"):close()
        return 1
      end
      coroutine.wrap(function()
        coroutine.resume(coroutine.create(function() pcall(spin) end))
      end)()
    ]]
    assert.matches("\n +1 +running .* script.lua:[56]\n", err)
  end)

  it("can come again and again, and changes nothing", function()
    local status, out, err = run [[
      for i = 1, 10 do
        send "USR1"
        timer.sleep(0)
      end
      print "alive"
    ]]
    assert.equal(0, status)
    assert.equal("alive\n", out)
    local _, count = err:gsub("neap: 1 tasks", "")
    assert.is_true(count > 1 and count <= 10) -- two that come close together are one
  end)

  it("leaves a hook of the script in place", function()
    local status, out = run [[
      local calls = 0
      local function hook() calls = calls + 1 end
      debug.sethook(hook, "", 10)
      send "USR1"
      for _ = 1, 1000 do end
      print(debug.gethook() == hook, calls > 10)
    ]]
    assert.equal(0, status)
    assert.equal("true\ttrue\n", out)
  end)
end)

describe("SIGPIPE", function()
  it("is ignored", function()
    local status, out = run [[
      send "PIPE"
      timer.sleep(0)
      print "alive"
    ]]
    assert.equal(0, status)
    assert.equal("alive\n", out)
  end)

  it("is as ever in the programs that we start", function()
    local status, out = run [[
      print(os.execute "kill -PIPE $$; echo survived")
      local pipe = io.popen "sh -c 'kill -PIPE $$; echo survived'; echo $?"
      print(pipe:read "a")
    ]]
    assert.equal(0, status)
    assert.equal("nil\tsignal\t13\n141\n\n", out)
  end)
end)

describe("a task that holds the loop", function()
  -- Somebody else must be alive, whom it keeps waiting.
  local spin = [[
    local function spin(seconds)
      local limit = timer.monotonic() + seconds
      while timer.monotonic() < limit do end
    end
    local other = timer.every(1000, print)
  ]]

  it("is reported once, with its name and line, and goes on", function()
    local status, out, err = run(spin .. [[
      local task = neap.go(function()
        spin(0.3)
        other:close()
        print "done"
      end)
      task.name = "spinner"
    ]], { flags = { "--slow", "0.1" } })
    assert.equal(0, status)
    assert.equal("done\n", out)
    assert.matches("^neap: task 2 %(spinner%) has held the loop for over 100 ms.-, at script.lua:6\n$", err)
  end)

  it("is reported also when it blocks in C, or spins in a coroutine", function()
    local _, _, err = run(spin .. [[
      neap.go(function()
        os.execute "sleep 0.3"
      end):join()
      coroutine.wrap(function()
        os.execute "sleep 0.3"
      end)()
      other:close()
    ]], { flags = { "--slow=0.1" } })
    assert.matches("task 2 %(task%) has held the loop for over 100 ms in os.execute, at script.lua:10: use ", err)
    assert.matches("task 1 %(main%) has held the loop for over 100 ms in os.execute, at script.lua:13: use ", err)
  end)

  it("is counted", function()
    local _, _, err = run(spin .. [[
      spin(0.2)
      timer.sleep(0)
      spin(0.2)
      timer.sleep(0)
      other:close()
      send "USR1"
    ]], { flags = { "--slow", "0.05" } })
    assert.matches("neap: 1 tasks, 0 failed, 2 overruns\n", err)
  end)

  it("is not reported when nobody wants to know, or it is quick enough, or it is alone", function()
    local _, _, err = run(spin .. "spin(0.2) other:close()", { flags = { "--slow", "0" } })
    assert.equal("", err)
    _, _, err = run(spin .. "spin(0.1) other:close()", { flags = { "--slow", "10" } })
    assert.equal("", err)
    _, _, err = run(spin .. "other:close() timer.sleep(0) spin(0.2)", { flags = { "--slow", "0.05" } })
    assert.equal("", err)
  end)

  it("is not one that waits, and none of many that are quick", function()
    local _, out, err = run(spin .. [[
      local tasks = {}
      for i = 1, 10 do tasks[i] = neap.go(spin, 0.02) end
      for i = 1, 10 do tasks[i]:join() end
      timer.sleep(0.2)
      other:close()
      print "done"
    ]], { flags = { "--slow", "0.15" } })
    assert.equal("", err)
    assert.equal("done\n", out)
  end)
end)
