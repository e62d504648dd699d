-- neap.stdin: whatever it is, it is read without holding the loop, and only when somebody asks.
local program = require "spec.support.program"
local support = require "spec.support.neap"
local shell = require "spec.support.shell"

local formats = [[
  local neap = require "neap"
  print(neap.stdin:read "l")
  print(neap.stdin:read("L", 3, "n"))
  for line in neap.stdin:lines() do io.write("[", line, "]") if line == "loop" then break end end
  print(#neap.stdin:read "a", neap.stdin:read "a", neap.stdin:read "l")
]]
local input = "one\ntwo\nabc 42\nlines\nloop\n" .. ("x"):rep(200000)
local expected = "one\ntwo\n\tabc\t42\n[][lines][loop]200000\t\tnil\n"

describe("neap.stdin", function()
  it("reads a file", function()
    assert.equal(expected, support.output(formats, { input = input }))
  end)

  it("reads a pipe", function()
    local files = program.directory { input = input }
    local code, out, err = shell(("cat %s | $NEAP script.lua"):format(files:path_of "input"), formats)
    files:close()
    assert.same({ 0, expected, "" }, { code, out, err })
  end)

  it("reads a terminal", function()
    local code, out = shell([[
      (sleep 0.2; printf 'typed\n'; sleep 0.2; printf '\004') | script -qec "stty -echo; $NEAP script.lua" /dev/null
    ]], [[
      local neap = require "neap"
      for line in neap.stdin:lines() do print("got " .. line) end
      print(neap.stdin:read())
    ]])
    assert.equal(0, code)
    assert.truthy(out:find("got typed", 1, true), out)
    assert.truthy(out:find("nil", 1, true), out)
  end)

  it("reads keys of a raw terminal", function()
    local _, out = shell([[
      mkfifo in; exec 9<>in; script -qec "echo ready; $NEAP script.lua; echo end" /dev/null <in >out &
      until grep -q raw out; do sleep 0.01; done
      printf '\003' >&9
      until grep -q end out; do sleep 0.01; done
      cat out
    ]], [[
      local neap = require "neap"
      neap.stdin:raw(true)
      print "raw"
      print("key", neap.stdin:read(1, { timeout = 10 }):byte())
    ]])
    assert.truthy(out:find("key\t3", 1, true) or out:find("key%s+3"), out)
  end)

  it("has nothing in it where there is nothing", function()
    local script = [[
      local stdin = require "neap".stdin
      print(stdin:read(), stdin:read "l", stdin:read "a", stdin:lines()(stdin))
    ]]
    for _, from in ipairs { "</dev/null", "<&-" } do
      assert.same({ 0, "nil\tnil\t\tnil\n", "" }, { shell("$NEAP script.lua " .. from, script) })
    end
  end)

  it("says what cannot be read", function()
    assert.same({ 0, "nil\tread stdin: illegal operation on a directory\tEISDIR\n", "" },
      { shell("$NEAP script.lua </", "print(require 'neap'.stdin:read())") })
  end)

  it("waits while others go on, with a timeout, or for a callback", function()
    local code, out, err = shell("(sleep 0.3; echo late) | $NEAP script.lua", [[
      local neap, timer = require "neap", require "neap.timer"
      local ticks = 0
      local tick = timer.every(0.01, function() ticks = ticks + 1 end)
      print(neap.stdin:read("l", { timeout = 0.02 }))
      neap.stdin:read("l", function(line) print("called back", line) end):join()
      print(ticks > 5)
      tick:close()
    ]])
    assert.same({ 0, "nil\tread stdin: timed out\tETIMEDOUT\ncalled back\tlate\ntrue\n", "" }, { code, out, err })
  end)

  it("keeps no program alive that does not read, and takes nothing from children", function()
    local code, out = shell([[
      mkfifo in; exec 9<>in
      echo one >&9; $NEAP script.lua <in; echo two >&9; read x <&9; echo $x
    ]], [[
      local neap = require "neap"
      print(neap.stdin:read "l")
      print(neap.stdin:read("l", { timeout = 0 }))
    ]])
    assert.same({ 0, "one\nnil\tread stdin: timed out\tETIMEDOUT\ntwo\n" }, { code, out })
  end)

  it("is cancelled with its reader, and read on by the next", function()
    local code, out = shell("(sleep 0.2; echo one; echo two) | $NEAP script.lua", [[
      local neap, timer = require "neap", require "neap.timer"
      local task = neap.go(function() neap.stdin:read() end)
      timer.sleep(0.01)
      print(pcall(neap.stdin.read, neap.stdin))
      task:cancel()
      print(neap.stdin:read "l", neap.stdin:read "l", neap.stdin:read "l")
    ]])
    assert.equal(0, code)
    assert.equal("false\tanother task waits for this stdin's input\none\ttwo\tnil\n", out)
  end)

  it("ends a read when it is closed", function()
    local code, out = shell("mkfifo in; exec 9<>in; $NEAP script.lua <in", [[
      local neap, timer = require "neap", require "neap.timer"
      neap.go(function() timer.sleep(0.01) neap.stdin:close() end)
      print(neap.stdin:read())
      print(neap.stdin.closed, pcall(neap.stdin.read, neap.stdin))
    ]])
    assert.same({ 0, "nil\tread stdin: operation canceled\tECANCELED\ntrue\tfalse\tthis stdin is closed\n" },
      { code, out })
  end)

  it("can be closed by who has just read it", function()
    for _, typed in ipairs { "echo one; sleep 0.1", "echo one" } do
      local code, out = shell(("{ %s; } | $NEAP script.lua"):format(typed), [[
        local neap = require "neap"
        print(neap.stdin:read "l")
        neap.stdin:close()
      ]])
      assert.same({ 0, "one\n" }, { code, out })
    end
  end)

  it("is only read, and its methods take no other object", function()
    local neap = require "neap"
    assert.has_error(function() neap.stdin.raw(neap.stdout, true) end)
    assert.has_error(function() neap.stdin:raw("yes") end, "bad argument #1 to 'raw' (boolean expected, got string)")
    assert.has_error(function() neap.stdin:read("x") end)
    assert.is_nil(neap.stdin.write)
    assert.equal(neap.stdin, neap.stdin)
    assert.is_nil(neap.stdlog)
  end)

  it("goes on after a reload, where the version before has stopped", function()
    local script = [[
      local neap, hot = require "neap", require "neap.hot"
      local state = hot.state("lines", function() return { versions = 0, seen = {} } end)
      state.versions = state.versions + 1
      local version = state.versions
      neap.go(function()
        for line in neap.stdin:lines() do
          state.seen[#state.seen + 1] = version .. ":" .. line
          if line == "reload" then neap.go(function() hot.reload() end) end
        end
        print(table.concat(state.seen, " "))
        neap.exit(0)
      end)
      neap.ready()
    ]]
    local typed = "(printf 'a\\nreload\\nb'; sleep 0.5; printf 'c\\nd\\n')"
    local code, out, err = shell(typed .. " | $NEAP run script.lua", script)
    assert.same({ 0, "1:a 1:reload 2:bc 2:d\n" }, { code, out }, err)
  end)

  it("waits for its turn where the version before still reads", function()
    local script = [[
      local neap, hot = require "neap", require "neap.hot"
      local state = hot.state("lines", function() return { versions = 0, seen = {} } end)
      state.versions = state.versions + 1
      local version = state.versions
      neap.ready()
      while true do
        local line = neap.stdin:read("l", { timeout = 30 })
        if not line then break end
        local whole = line == "two" and line .. neap.stdin:read(3) or line
        state.seen[#state.seen + 1] = version .. ":" .. whole
        if line == "reload" then neap.go(function() hot.reload() end) end
      end
      print(table.concat(state.seen, " "))
      neap.exit(0)
    ]]
    local typed = "(printf 'a\\nreload\\nb'; sleep 0.5; printf 'c\\ntwo\\nsix')"
    local code, out, err = shell(typed .. " | $NEAP run script.lua", script)
    assert.same({ 0, "1:a 1:reload 2:bc 2:twosix\n" }, { code, out }, err)
  end)
end)
