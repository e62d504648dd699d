-- neap.exit, which is os.exit: from anywhere, in good order.
local support = require "spec.support.neap"

local prelude = [[
  local neap, timer = require "neap", require "neap.timer"
  local function closing(fn) return setmetatable({}, { __close = fn }) end
]]

-- Runs it, and expects this status and no complaint: returns what it wrote.
local function run(expected, text)
  local status, out, err = support.run(prelude .. text)
  assert.equal("", err)
  assert.equal(expected, status)
  return out
end

describe("exit", function()
  it("ends with the status it is given", function()
    run(0, "neap.exit()")
    run(0, "neap.exit(true)")
    run(1, "neap.exit(false)")
    run(7, "neap.exit(7)")
    run(255, "neap.exit(-1)")
    run(0, "neap.exit(0)")
    run(3, "os.exit(3, true)")
    run(5, "os.exit(5.0)")
  end)

  it("takes a status, nothing else", function()
    local out = run(0, [[
      print(pcall(neap.exit, {}))
      print(pcall(os.exit, "x"))
      print(pcall(neap.exit, 1.5))
    ]])
    local _, count = out:gsub("false\tbad argument #1 to '[%w.]*exit'", "")
    assert.equal(3, count)
  end)

  it("does not come back", function()
    assert.equal("before\n", run(2, "print 'before' neap.exit(2) print 'after'"))
  end)

  it("passes pcall, xpcall and coroutines", function()
    local out = run(3, [[
      pcall(function()
        coroutine.wrap(function()
          xpcall(function()
            coroutine.resume(coroutine.create(function() os.exit(3) end))
            print "after resume"
          end, print)
          print "after xpcall"
        end)()
        print "after wrap"
      end)
      print "after pcall"
    ]])
    assert.equal("", out)
  end)

  it("passes table.sort, gsub and metamethods", function()
    run(3, "table.sort({ 1, 2 }, function() os.exit(3) end) print 'after'")
    run(3, "string.gsub('x', 'x', function() os.exit(3) end) print 'after'")
    run(3, "local _ = setmetatable({}, { __add = function() os.exit(3) end }) + 1 print 'after'")
  end)

  it("ends the program from a task, a callback, a tick", function()
    run(3, "neap.go(function() neap.exit(3) end) timer.sleep(1000)")
    run(3, "timer.sleep(0.001, function() neap.exit(3) end) timer.sleep(1000)")
    run(3, "timer.every(0.001, function() neap.exit(3) end) timer.sleep(1000)")
    run(3, "neap.go(print):join(function() neap.exit(3) end) timer.sleep(1000)")
  end)

  it("ends the program from a group and a deadline", function()
    run(3, "neap.group(function(group) group:go(function() neap.exit(3) end) timer.sleep(1000) end)")
    run(3, "neap.deadline(1000, function() timer.sleep(0) neap.exit(3) end) print 'after'")
  end)

  it("ends the program from on_error and while a module loads", function()
    run(3, "neap.on_error(function() neap.exit(3) end) neap.go(error) timer.sleep(1000)")
    run(3, "package.preload.m = function() timer.sleep(0) os.exit(3) end require 'm' print 'after'")
  end)

  it("flushes what was written, to stdout and to files", function()
    local out = run(0, [[
      local name = os.tmpname()
      local file = io.open(name, "w")
      file:write("in a file")
      io.write("no line break")
      neap.go(function()
        local _ <close> = closing(function()
          file:flush()
          io.write(", ", io.open(name):read("a"))
          os.remove(name)
        end)
        timer.sleep(1000)
      end)
      timer.sleep(0)
      os.exit()
    ]])
    assert.equal("no line break, in a file", out)
  end)

  it("runs __close of the task that calls it", function()
    local out = run(0, [[
      local _ <close> = closing(function() print "outer" end)
      do
        local _ <close> = closing(function()
          timer.sleep(0.001)
          print "inner, it has waited"
        end)
        neap.exit()
      end
    ]])
    assert.equal("inner, it has waited\nouter\n", out)
  end)

  it("runs __close of all tasks that wait, and lets them wait", function()
    local out = run(6, [[
      for i = 1, 3 do
        neap.go(function()
          local _ <close> = closing(function()
            local start = timer.monotonic()
            for _ = 1, 10 do timer.sleep(i / 1000) end
            assert(timer.monotonic() - start >= i / 100)
            print(i)
          end)
          timer.sleep(1000)
        end)
      end
      timer.sleep(0)
      neap.exit(6)
    ]])
    local lines = {}
    for line in out:gmatch "%d" do lines[#lines + 1] = line end
    table.sort(lines)
    assert.equal("123", table.concat(lines))
  end)

  it("does not run what has not begun", function()
    assert.equal("", run(0, "neap.go(print, 1) timer.sleep(0.001, print) neap.exit()"))
  end)

  it("forbids to start anything more", function()
    local out = run(0, [[
      local _ <close> = closing(function()
        print(pcall(neap.go, print))
        print(pcall(timer.every, 1, print))
        print(pcall(timer.sleep, 1, print))
        print(pcall(neap.group, print))
      end)
      neap.exit()
    ]])
    local _, count = out:gsub("false\t[^\n]*the program is ending\n", "")
    assert.equal(4, count)
  end)

  it("may be called again: in __close, by another task", function()
    assert.equal("closed\n", run(2, [[
      local _ <close> = closing(function() print "closed" neap.exit(2) end)
      neap.exit(1)
    ]]))
    run(2, [[
      neap.go(function()
        local _ <close> = closing(function() neap.exit(2) end)
        timer.sleep(1000)
      end)
      timer.sleep(0)
      neap.exit(1)
    ]])
  end)

  it("ends with handles alive", function()
    run(0, [[
      local net = require "neap.net"
      local server = assert(net.listen("127.0.0.1:0", function(conn)
        for chunk in conn:chunks() do conn:write(chunk) end
      end))
      local conns = {}
      for i = 1, 10 do
        conns[i] = assert(net.connect(server.address))
        conns[i]:write("x")
        if i > 1 then neap.go(function() conns[i]:read(2) end) end
      end
      conns[1]:read(1)
      timer.every(0.001, function() end)
      timer.sleep(1000, print)
      neap.go(timer.sleep, 1000)
      timer.sleep(0.003)
      neap.exit()
    ]])
  end)

  it("is not turned into a failure by an error in __close", function()
    local status, _, err = support.run(prelude .. [[
      local _ <close> = closing(function() error "in close" end)
      neap.exit(4)
    ]])
    assert.equal(4, status)
    assert.matches("in close", err)
  end)

  it("lets finalizers run, once, which may call it themselves", function()
    local out = run(2, [[
      local object = setmetatable({}, { __gc = function() io.write "finalized" os.exit(9) end })
      kept = object
      neap.exit(2)
    ]])
    assert.equal("finalized", out)
  end)

  it("in a finalizer ends whom it has interrupted where that waits next", function()
    assert.equal("collected\nclosed\n", run(3, [[
      local _ <close> = closing(function() print "closed" end)
      setmetatable({}, { __gc = function() os.exit(3) end })
      collectgarbage()
      collectgarbage()
      print "collected"
      timer.sleep(1)
      print "not reached"
    ]]))
  end)
end)

describe("the end of a script", function()
  it("is the end of its last task, timer and handle", function()
    assert.equal("1\n2\n3\n", run(0, [[
      timer.sleep(0.001, function() print(1) end)
      local n = 0
      local every
      every = timer.every(0.004, function()
        n = n + 1
        if n < 2 then return end
        every:close()
        print(2)
        neap.go(function() timer.sleep(0.02) print(3) end)
      end)
    ]]))
  end)

  it("closes the state: finalizers run", function()
    assert.equal("finalized\n", run(0, "kept = setmetatable({}, { __gc = function() print 'finalized' end })"))
  end)
end)
