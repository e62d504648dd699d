-- neap.stdout, neap.stderr, and what print does: nothing is lost, nothing holds the loop.
local program = require "spec.support.program"
local shell = require "spec.support.shell"

-- A terminal is made by script(1); its lines end with a carriage return.
local function in_terminal(command, script)
  local code, out, err = shell(("script -qec %s /dev/null </dev/null"):format(program.quote(command)), script)
  return code, (out:gsub("\r\n", "\n")), err
end

describe("what is printed", function()
  it("is not lost where its reader is slow, and the program ends", function()
    local code, out, err = shell("$NEAP script.lua | { sleep 0.3; wc -c; }; exit ${PIPESTATUS[0]}", [[
      for i = 1, 100000 do print(("x"):rep(99)) end -- 10 MB
    ]])
    assert.same({ 0, "10000000", "" }, { code, out:match("%d+"), err })
  end)

  it("is not lost by os.exit, nor by an error", function()
    local code, out = shell("$NEAP script.lua | { sleep 0.2; wc -c; }; exit ${PIPESTATUS[0]}", [[
      io.write(("x"):rep(1000000)) os.exit(3)
    ]])
    assert.same({ 3, "1000000" }, { code, out:match("%d+") })
    code, out = shell("$NEAP script.lua 2>/dev/null | { sleep 0.2; wc -c; }; exit ${PIPESTATUS[0]}", [[
      io.write(("x"):rep(1000000)) error "it fails"
    ]])
    assert.same({ 1, "1000000" }, { code, out:match("%d+") })
  end)

  it("is not lost by SIGTERM; a second one ends it at once", function()
    local script = [[
      local neap, timer = require "neap", require "neap.timer"
      print(("x"):rep(999999))
      io.stderr:write(io.open("/proc/self/stat"):read("n"), "\n")
      timer.sleep(1000)
    ]]
    local code, out = shell([[
      mkfifo err
      { $NEAP script.lua 2>err; echo $? >code; } | {
        read pid <err; kill -TERM $pid; sleep 0.2; wc -c
      }
      cat code
    ]], script)
    assert.same({ 0, "1000000\n0\n" }, { code, (out:gsub(" ", "")) })
    code, out = shell([[
      mkfifo err
      { $NEAP script.lua 2>err; echo $? >code; } | {
        read pid <err; kill -TERM $pid; sleep 0.3; kill -TERM $pid
        while [ ! -s code ]; do sleep 0.01; done; wc -c
      }
      cat code
    ]], script)
    assert.equal(0, code)
    assert.is_true(tonumber(out:match("%d+")) < 1000000)
    assert.equal("143", out:match("(%d+)\n$"))
  end)

  it("is not lost by one SIGTERM that comes when the program has ended already", function()
    local code, out = shell([[
      mkfifo err
      { $NEAP script.lua 2>err; echo $? >code; } | {
        read pid <err
        while ls -l /proc/$pid/fd | grep -q eventpoll; do sleep 0.01; done
        kill -TERM $pid; kill -USR1 $pid; sleep 0.1; wc -c
      }
      cat code
    ]], [[
      io.write(("x"):rep(1000000))
      io.stderr:write(io.open("/proc/self/stat"):read("n"), "\n")
      os.exit(3)
    ]])
    assert.same({ 0, "1000000\n3\n" }, { code, (out:gsub(" ", "")) })
  end)

  it("does not hold the loop while nobody reads", function()
    local code, _, err = shell("$NEAP script.lua | sleep 1; exit ${PIPESTATUS[0]}", [[
      local neap, timer = require "neap", require "neap.timer"
      local ticks = 0
      timer.every(0.005, function()
        ticks = ticks + 1
        if ticks < 20 then return end
        io.stderr:write("ticks; ", neap.stdout.pending > 1000000 and "pending" or "gone")
        neap.exit(5)
      end)
      print(("x"):rep(2000000))
      io.stderr:write("printed; ")
    ]])
    assert.equal("printed; ticks; pending", err)
    assert.equal(128 + 13, code) -- what was pending at the exit nobody wanted
  end)

  it("is seen before the program waits, whatever is written with", function()
    local code, out = shell([[
      mkfifo go
      $NEAP script.lua | { read line; echo "seen: $line"; echo >go; cat; }
    ]], [[
      local timer = require "neap.timer"
      io.write("no flush\n")
      while not io.open("done") do timer.sleep(0.01) os.rename("x", "y") if io.open("go"):read() then break end end
      print "end"
    ]])
    assert.same({ 0, "seen: no flush\nend\n" }, { code, out })
  end)

  it("keeps its order, with neap.stdout and standard error in between", function()
    local code, out = shell("$NEAP script.lua 2>&1 | { sleep 0.2; grep -v x; }", [[
      local neap = require "neap"
      print(("x"):rep(200000))
      for i = 1, 5 do
        io.write(i, " print\n") io.stdout:flush()
        io.stderr:write(i, " err\n")
        neap.stdout:write(i .. " out\n", function() end)
        neap.stderr:write(i .. " stderr\n", function() end)
      end
    ]])
    local expected = {}
    for i = 1, 5 do expected[i] = ("%d print\n%d err\n%d out\n%d stderr\n"):format(i, i, i, i) end
    assert.same({ 0, table.concat(expected) }, { code, out })
  end)

  it("comes before what a child writes", function()
    local code, out = shell("$NEAP script.lua | { sleep 0.2; tr -d x; }", [[
      print(("x"):rep(300000) .. 1)
      os.execute "echo 2"
      print(("x"):rep(300000) .. 3)
      io.popen("echo 4", "w"):close()
      print(("x"):rep(300000) .. 5)
      require "neap.process".spawn({ "echo", "6" }, { stdout = "inherit" }):wait()
      print(pcall(os.execute, {}) == false)
    ]])
    assert.same({ 0, "1\n2\n3\n4\n5\n6\ntrue\n" }, { code, out })
  end)

  it("blocks beyond a limit, and the report of slow tasks says why", function()
    local reader = "{ until [ -e started ]; do sleep 0.05; done; sleep 1.5; wc -c; }"
    local code, out, err = shell("$NEAP --slow=0.3 script.lua | " .. reader .. "; exit ${PIPESTATUS[0]}", [[
      local timer = require "neap.timer"
      local tick = timer.every(1, function() end)
      local text = ("x"):rep(9999):rep(2000)
      io.open("started", "w"):close()
      timer.sleep(0)
      print(text)
      tick:close()
    ]])
    assert.same({ 0, "19998001" }, { code, out:match("%d+") })
    assert.truthy(err:find("script.lua:6: much is printed and slowly read, neap.stdout:write would wait", 1, true), err)
  end)

  it("ends the program quietly when its reader has gone, and __close runs", function()
    local code, out, err = shell("$NEAP script.lua | head -n 1; exit ${PIPESTATUS[0]}", [[
      local closing <close> = setmetatable({}, { __close = function() io.stderr:write("closed") end })
      while true do pcall(print, "endless") end
    ]])
    assert.same({ 128 + 13, "endless\n", "closed" }, { code, out, err })
  end)

  it("goes into a file as ever", function()
    local code, out = shell("$NEAP script.lua >file; cat file", [[
      io.write("head") print(io.stdout:seek("set", 0)) io.write("HEAD") io.stdout:flush()
      os.execute "printf ' child' >>file"
    ]])
    assert.same({ 0, "0\nHEAD child" }, { code, out })
  end)

  it("that does not fit on the disk is told of", function()
    local code, _, err = shell("$NEAP script.lua >/dev/full", "print 'lost'")
    assert.same({ 1, "neap: write stdout: no space left on device\n" }, { code, err })
  end)

  it("that a terminal does not take, which has gone, is told of", function()
    local code, out, err = shell([[
      mkfifo out; exec 9<>out # nobody reads it: so the terminal takes no more, too
      script -qec "trap '' HUP; $NEAP script.lua 2>err; echo \$? >code" /dev/null </dev/null >out 2>/dev/null &
      until grep -q printed err 2>/dev/null; do sleep 0.01; done
      kill -KILL $!
      until [ -s code ]; do sleep 0.01; done
      cat err code
    ]], [[
      local neap, timer = require "neap", require "neap.timer"
      print(("x"):rep(999999))
      io.stderr:write "printed\n"
      while neap.stdout.pending > 0 do timer.sleep(0.01) end
    ]])
    assert.same({ 0, "printed\nneap: write stdout: i/o error\n1\n" }, { code, out }, err)
  end)

  it("goes nowhere where standard output is closed", function()
    assert.same({ 0, "", "" }, { shell("$NEAP script.lua >&-", "print(1)") })
  end)

  it("leaves the descriptors that it shares as they are", function()
    local script = [[
      local neap = require "neap"
      neap.go(function() neap.stdin:read() end)
      print(("x"):rep(300000))
      require "neap.timer".sleep(0.01)
      local flags = io.open("/proc/self/fdinfo/1"):read("a"):match("flags:%s*0*(%d+)")
      local input = io.open("/proc/self/fdinfo/0"):read("a"):match("flags:%s*0*(%d+)")
      io.stderr:write(tonumber(flags, 8) & 0x800, " ", tonumber(input, 8) & 0x800)
    ]]
    if not io.open("/proc/self/fdinfo/1") then return end
    local _, _, err = shell("sleep 0.2 | $NEAP script.lua | { sleep 0.1; cat >/dev/null; }", script)
    assert.equal("0 0", err)
  end)

  it("goes where dup2 sends it: capture sees all", function()
    local code, out = shell("$NEAP script.lua | { sleep 0.1; tail -c 30; }", [[
      local test = require "neap.test"
      print(("x"):rep(100000))
      local out, err
      do
        local captured <close> = test.capture()
        print "captured" os.execute "echo child" io.stderr:write "err"
        out, err = captured:texts()
      end
      print(out == "captured\nchild\n" and err == "err" and "all of it" or out .. err)
    ]])
    assert.equal(0, code)
    assert.equal("all of it", out:match("([^\n]*)\n$"))
  end)
end)

describe("neap.stdout:write", function()
  it("waits while much is pending, and the others go on", function()
    local code, out, err = shell("$NEAP script.lua | { sleep 0.2; wc -c; }; exit ${PIPESTATUS[0]}", [[
      local neap, timer = require "neap", require "neap.timer"
      local ticks, most = 0, 0
      local tick = timer.every(0.01, function() ticks = ticks + 1 end)
      for _ = 1, 100 do
        assert(neap.stdout:write(("x"):rep(10000)) == neap.stdout)
        most = math.max(most, neap.stdout.pending)
      end
      assert(neap.stdout:flush())
      io.stderr:write(ticks > 5 and "ticked " or ticks, most < 100000 and "bounded " or most, neap.stdout.pending)
      tick:close()
    ]])
    assert.same({ 0, "1000000", "ticked bounded 0" }, { code, out:match("%d+"), err })
  end)

  it("takes lists, numbers, a callback, a timeout", function()
    local code, out, err = shell("$NEAP script.lua | { sleep 0.3; wc -c; }; exit ${PIPESTATUS[0]}", [[
      local neap = require "neap"
      neap.stdout:write { "a", 1, "\n" }
      local called
      neap.stdout:write("b\n", function(out) called = out == neap.stdout end):join()
      local ok, message, code = neap.stdout:write(("x"):rep(300000), { timeout = 0.01 })
      io.stderr:write(tostring(called), " ", tostring(ok), " ", message, " ", code, " ")
      ok, message, code = neap.stdout:flush { timeout = 0.01 }
      io.stderr:write(tostring(ok), " ", message, " ", code)
    ]])
    assert.same({ 0, "300005",
      "true nil write stdout: timed out ETIMEDOUT nil flush stdout: timed out ETIMEDOUT" },
      { code, out:match("%d+"), err })
  end)

  it("fails with EPIPE where nobody reads, and the program goes on", function()
    local code, _, err = shell("$NEAP script.lua | true; exit ${PIPESTATUS[0]}", [[
      local neap, timer = require "neap", require "neap.timer"
      local ok, message, code
      repeat
        timer.sleep(0.01)
        ok, message, code = neap.stdout:write "x"
      until not ok
      io.stderr:write(message, " ", code)
    ]])
    assert.same({ 0, "write stdout: broken pipe EPIPE" }, { code, err })
  end)

  it("that waits is told when its reader goes", function()
    local code, _, err = shell("$NEAP script.lua | sleep 0.2; exit ${PIPESTATUS[0]}", [[
      local neap = require "neap"
      local ok, message, code = neap.stdout:write(("x"):rep(1000000))
      io.stderr:write(tostring(ok), " ", message, " ", code)
    ]])
    assert.same({ 0, "nil write stdout: broken pipe EPIPE" }, { code, err })
  end)

  it("fails with ENOSPC", function()
    local code, _, err = shell("$NEAP script.lua >/dev/full", [[
      local neap = require "neap"
      io.stderr:write(select(2, neap.stdout:write "x"), " ", select(3, neap.stdout:write "x"))
    ]])
    assert.same({ 0, "write stdout: no space left on device ENOSPC" }, { code, err })
  end)

  it("raises for what is no data", function()
    local neap = require "neap"
    assert.has_error(function() neap.stdout:write() end,
      "bad argument #1 to 'write' (string expected, got nil)")
    assert.has_error(function() neap.stdout:write("a", "b") end)
    assert.has_error(function() neap.stdout:write("", { hurry = 1 }) end)
    assert.has_error(function() neap.stdout:write { "a", {} } end,
      "bad argument #1 to 'write' (element 2 of the list is a table, not a string)")
    assert.has_error(function() neap.stdout.pending = 1 end)
  end)
end)

describe("a terminal", function()
  it("is known as one, and its size", function()
    local code, out = in_terminal("stty cols 91 rows 17; $NEAP script.lua", [[
      local neap = require "neap"
      print(neap.stdin.is_terminal, neap.stdout.is_terminal, neap.stderr.is_terminal)
      print(neap.stdout:size()) print(neap.stdin:size())
    ]])
    assert.same({ 0, "true\ttrue\ttrue\n91\t17\n91\t17\n" }, { code, out })
  end)

  it("is one for C modules, too, which ask for the number of the file", function()
    local script = "local term = require 'term' print(term.isatty(io.stdout), term.isatty(io.stderr))"
    local code, out = in_terminal("$NEAP script.lua", script)
    assert.same({ 0, "true\ttrue\n" }, { code, out })
    code, out = shell("$NEAP script.lua 2>/dev/null | cat", script)
    assert.same({ 0, "false\tfalse\n" }, { code, out })
  end)

  it("that is none has no size", function()
    local code, out = shell("$NEAP script.lua </dev/null", [[
      local neap = require "neap"
      print(neap.stdin.is_terminal, neap.stdout.is_terminal)
      print(neap.stdout:size())
      print(neap.stdin:raw(true))
    ]])
    assert.same({ 0, "false\tfalse\nnil\tsize of stdout: inappropriate ioctl for device\tENOTTY\n" ..
      "nil\traw mode of stdin: inappropriate ioctl for device\tENOTTY\n" }, { code, out })
  end)

  it("shows lines as they are printed", function()
    local code, out = in_terminal("$NEAP script.lua", [[
      io.write("1\n") io.stderr:write("2\n") print(3) io.stderr:write("4\n")
    ]])
    assert.same({ 0, "1\n2\n3\n4\n" }, { code, out })
  end)

  for how, last in pairs {
    ["the end"] = "",
    ["an error"] = "error 'fails'",
    ["os.exit"] = "os.exit(0)",
    ["SIGTERM"] = "os.execute 'kill -TERM $PPID' require 'neap.timer'.sleep(10)",
    ["SIGHUP"] = "os.execute 'kill -HUP $PPID' require 'neap.timer'.sleep(10)",
    ["a second SIGTERM"] = "os.execute 'kill -TERM $PPID; sleep 0.1; kill -TERM $PPID' while true do end",
    ["raw(false)"] = "neap.stdin:raw(false) os.execute 'stty -a' os.exit(0)",
  } do
    it("that was made raw is put back by " .. how, function()
      local _, out = in_terminal("$NEAP script.lua; echo after; stty -a", [[
        local neap = require "neap"
        assert(neap.stdin:raw(true) == neap.stdin)
        os.execute "stty -a; echo then"
      ]] .. last)
      local raw, between, after = out:match("^(.*)then(.*)after(.*)$")
      assert.truthy(raw and raw:find("%s%-icanon") and raw:find("%s%-echo%s") and raw:find("%s%-isig"), out)
      assert.truthy(after:find("%sicanon") and after:find("%secho%s") and after:find("%sisig"), after)
      if how == "raw(false)" then assert.truthy(between:find("%sicanon")) end
    end)
  end
end)
