-- process.spawn: a child beside us.
local neap, process = require "neap", require "neap.process"
local test, timer = require "neap.test", require "neap.timer"

local function is_alive(pid) return (process.kill(pid, 0)) == true end

describe("process.spawn", function()
  it("gives streams, in both directions", function()
    local child <close> = assert(process.spawn { "cat" })
    assert.equal(child.stdin, assert(child.stdin:write "one\ntwo\nthree"))
    assert.equal("one", child.stdout:read "l")
    assert.is_true(child.stdin:shutdown() == child.stdin)
    local lines = {}
    for line in child.stdout:lines() do lines[#lines + 1] = line end
    assert.same({ "two", "three" }, lines)
    assert.is_nil(child.stderr:read())
    assert.same({ 0 }, { child:wait() })
  end)

  it("holds up who writes faster than it reads", function()
    local child <close> = assert(process.spawn { "sh", "-c", "read line; cat >/dev/null" })
    local big = ("x"):rep(1 << 20)
    local result = table.pack(child.stdin:write(big, { timeout = 0.02 }))
    assert.same({ n = 3, nil, ("write stdin of process %d: timed out"):format(child.pid), "ETIMEDOUT" }, result)
    assert(child.stdin:write "\n")
    assert(child.stdin:shutdown())
    assert.equal(0, (child:wait()))
  end)

  it("reads no more of it than it must: it waits for us", function()
    local child <close> = assert(process.spawn { "sh", "-c", "yes | head -c 1000000; echo written >&2" })
    assert.is_nil((child.stderr:read("l", { timeout = 0.05 })))
    local size = 0
    for chunk in child.stdout:chunks() do size = size + #chunk end
    assert.equal(1000000, size)
    assert.equal("written", child.stderr:read "l")
  end)

  it("says that nobody reads any more", function()
    local child <close> = assert(process.spawn { "true" })
    child:wait()
    local ok, message, code = child.stdin:write "x"
    if ok then ok, message, code = child.stdin:write "x" end
    assert.same({ nil, ("write stdin of process %d: broken pipe"):format(child.pid), "EPIPE" }, { ok, message, code })
  end)

  it("can be read when it has ended", function()
    local child <close> = assert(process.spawn { "sh", "-c", "echo one; echo two; echo err >&2" })
    assert.equal(0, (child:wait()))
    assert.same({ "one\ntwo\n", "err\n" }, { child.stdout:read "a", child.stderr:read "a" })
  end)

  it("gives it files, or nothing", function()
    local dir = test.tempdir()
    dir:write("in", "from a file")
    local input <close> = assert(io.open(dir:path_of "in"))
    local output <close> = assert(io.open(dir:path_of "out", "w"))
    local child <close> = assert(process.spawn({ "sh", "-c", "cat; echo err >&2" },
      { stdin = input, stdout = output, stderr = "stdout" }))
    assert.same({ "nil", "nil", "nil" }, { tostring(child.stdin), tostring(child.stdout), tostring(child.stderr) })
    child:wait()
    assert.equal("from a fileerr\n", dir:read "out")
    local none <close> = assert(process.spawn({ "cat" }, { stdin = "null", stdout = "null", stderr = "null" }))
    assert.equal(0, (none:wait()))
  end)

  it("says why it cannot be started", function()
    assert.same({ nil, "spawn nosuch: no such file or directory", "ENOENT" }, { process.spawn { "nosuch" } })
    assert.same({ nil, "spawn ls: cwd /nosuch: no such file or directory", "ENOENT" },
      { process.spawn({ "ls" }, { cwd = "/nosuch" }) })
    assert.matches("%(no callback: it does not wait%)$", select(2, pcall(process.spawn, { "ls" }, print)))
    assert.has_error(function() process.spawn({ "ls" }, { timeout = 1 }) end)
    assert.has_error(function() process.spawn({ "ls" }, { detached = 1 }) end)
    assert.has_error(function() process.spawn "ls" end)
  end)
end)

describe("child:wait", function()
  it("tells how it has ended, to all who ask, as often as they do", function()
    local child <close> = assert(process.spawn { "sh", "-c", "read line; exit 3" })
    local tasks = {}
    for i = 1, 3 do tasks[i] = neap.go(child.wait, child) end
    local got
    child:wait(function(...) got = table.pack(...) end)
    timer.sleep(0)
    child.stdin:write "\n"
    for i = 1, 3 do assert.same({ 3 }, { tasks[i]:join() }) end
    assert.same({ 3 }, { child:wait() })
    test.eventually(function() return got end)
    assert.same({ n = 1, 3 }, got)
  end)

  it("has a time limit", function()
    local child <close> = assert(process.spawn { "sleep", "100" })
    assert.same({ nil, ("wait for process %d: timed out"):format(child.pid), "ETIMEDOUT" },
      { child:wait { timeout = 0.005 } })
    assert.is_true(is_alive(child.pid))
  end)

  it("can be cancelled, which ends nobody else", function()
    local child <close> = assert(process.spawn { "sleep", "100" })
    local task = neap.go(child.wait, child)
    timer.sleep(0)
    task:cancel()
    task:join()
    assert.is_true(is_alive(child.pid))
  end)
end)

describe("child:kill", function()
  it("sends a signal to it and what it has started", function()
    local child <close> = assert(process.spawn { "sh", "-c", "sleep 7311 & echo $!; wait" })
    local pid = child.stdout:read "n"
    assert.is_true(child:kill())
    assert.same({ 143, "TERM" }, { child:wait() })
    test.eventually(function()
      return not is_alive(pid) or process.run({ "ps", "-o", "stat=", "-p", pid }).stdout:find "^Z"
    end, 20)
  end)

  it("sends the one that is asked for", function()
    local child <close> = assert(process.spawn { "sh", "-c",
      "trap 'echo got; exit 7' USR1; echo ready; while :; do sleep 0.01; done" })
    child.stdout:read "l"
    assert.is_true(child:kill "USR1")
    assert.equal("got", child.stdout:read "l")
    assert.equal(7, (child:wait()))
    assert.same({ nil, ("kill process %d: no such process"):format(child.pid), "ESRCH" }, { child:kill "USR1" })
    assert.matches("unknown signal 'FOO'", select(2, pcall(child.kill, child, "FOO")))
  end)
end)

describe("child:close", function()
  it("ends it, also one that is stopped, and its pipes", function()
    local child = assert(process.spawn { "sleep", "100" })
    child:kill "STOP"
    child:close()
    child:close()
    assert.is_true(child.closed and child.stdin.closed and child.stdout.closed)
    assert.same({ 143, "TERM" }, { child:wait() })
    assert.is_false(is_alive(child.pid))
  end)

  it("kills what is left of its group when it has gone", function()
    local child = assert(process.spawn { "sh", "-c", "(trap '' TERM; echo ready; sleep 7312) & wait" })
    child.stdout:read "l"
    child:close()
    assert.same({ 143, "TERM" }, { child:wait() })
    test.eventually(function() return process.run({ "pgrep", "-xf", "sleep 7312" }).status == 1 end, 20)
  end)

  it("comes at the end of a block", function()
    local pid
    do
      local child <close> = assert(process.spawn { "sleep", "100" })
      pid = child.pid
    end
    test.eventually(function() return not is_alive(pid) end, 20)
  end)

  it("is no use of what has ended", function()
    local child = assert(process.spawn { "true" })
    child:wait()
    assert.is_true(child.closed)
    child:close()
    assert.is_number(child.pid)
  end)
end)
