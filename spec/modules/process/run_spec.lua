-- process.run: a program as a function.
local fs, neap, process = require "neap.fs", require "neap", require "neap.process"
local test = require "neap.test"

local function sh(text, options) return process.run({ "sh", "-c", text }, options) end

-- Until no process has this among its arguments: a mark that a spec has put there.
local function await_end_of(mark)
  return test.eventually(function()
    return process.run({ "pgrep", "-xf", "sleep " .. mark }).status == 1
  end, 20)
end

describe("process.run", function()
  it("returns what a program has written, and how it has ended", function()
    assert.same({ status = 0, stdout = "hello 3\n", stderr = "" }, process.run { "echo", "hello", 3 })
    assert.same({ status = 4, stdout = "", stderr = "oh\n" }, sh "echo oh >&2; exit 4")
    assert.same({ status = 137, signal = "KILL", stdout = "so far", stderr = "" }, sh "printf 'so far'; kill -9 $$")
  end)

  it("calls back with the same", function()
    local got
    local call = process.run({ "echo", "x" }, { cwd = "/" }, function(...) got = table.pack(...) end)
    assert.is_nil(got)
    call:join()
    assert.same({ n = 1, { status = 0, stdout = "x\n", stderr = "" } }, got)
    process.run({ "nosuch" }, function(...) got = table.pack(...) end):join()
    assert.same({ n = 3, nil, "run nosuch: no such file or directory", "ENOENT" }, got)
  end)

  it("passes every byte of an argument, and no shell sees it", function()
    local bytes = {}
    for i = 1, 255 do bytes[i] = string.char(i) end
    local text = table.concat(bytes)
    assert.equal(text, process.run({ "printf", "%s", text }).stdout)
    assert.equal("a b|$HOME|*||", process.run({ "printf", "%s|", "a b", "$HOME", "*", "" }).stdout)
  end)

  it("gives it its input; without any that is empty", function()
    assert.equal("moon", process.run({ "cat" }, { stdin = "moon" }).stdout)
    assert.equal("", process.run({ "cat" }, { stdin = "" }).stdout)
    assert.equal("", process.run({ "cat" }).stdout)
    local big = ("0123456789abcdef"):rep(1 << 17)
    assert.is_true(process.run({ "cat" }, { stdin = big }).stdout == big)
  end)

  it("does not mind a program that does not read its input", function()
    local big = ("x"):rep(8 << 20)
    assert.equal(0, process.run({ "true" }, { stdin = big }).status)
    assert.equal("x", process.run({ "head", "-c1" }, { stdin = big }).stdout)
    assert.equal(0, sh("exec <&-; sleep 0.01", { stdin = big }).status)
  end)

  it("runs it elsewhere, with another environment", function()
    assert.equal("/\n", process.run({ "pwd" }, { cwd = "/" }).stdout)
    local dir = test.tempdir()
    dir:write("here", "#!/bin/sh\necho here")
    os.execute("chmod +x " .. dir.path .. "/here")
    assert.equal("here\n", process.run({ "./here" }, { cwd = dir.path }).stdout)
    assert.equal("1-\n", sh("echo $A-$HOME", { env = { A = 1, HOME = false } }).stdout)
    assert.equal("A=1\n", process.run({ "env" }, { env = { A = 1, B = false }, inherit_env = false }).stdout)
    assert.is_true(#process.run({ "env" }, { env = { A = 1 } }).stdout > 10)
  end)

  it("finds it in the PATH that it is given, relative to where it runs", function()
    local dir = test.tempdir()
    dir:write("bin/tool", "#!/bin/sh\necho mine")
    os.execute("chmod +x " .. dir.path .. "/bin/tool")
    assert.equal("mine\n", process.run({ "tool" }, { env = { PATH = dir.path .. "/bin" } }).stdout)
    assert.equal("mine\n", process.run({ "tool" }, { cwd = dir.path, env = { PATH = "/nosuch:bin" } }).stdout)
    assert.same({ nil, "run tool: no such file or directory", "ENOENT" }, { process.run { "tool" } })
    dir:write("bin/plain", "echo $0 $1") -- no #!: as a shell does
    os.execute("chmod +x " .. dir.path .. "/bin/plain")
    assert.equal(dir.path .. "/bin/plain x\n", process.run({ dir.path .. "/bin/plain", "x" }).stdout)
  end)

  it("says why it cannot run", function()
    local function fails(...) return table.pack(select(2, process.run(...))) end
    assert.same({ n = 2, "run nosuch: no such file or directory", "ENOENT" }, fails { "nosuch" })
    assert.same({ n = 2, "run : no such file or directory", "ENOENT" }, fails { "" })
    assert.same({ n = 2, "run /etc/passwd: permission denied", "EACCES" }, fails { "/etc/passwd" })
    assert.same({ n = 2, "run /etc: permission denied", "EACCES" }, fails { "/etc" })
    assert.same({ n = 2, "run ls: cwd /nosuch: no such file or directory", "ENOENT" },
      fails({ "ls" }, { cwd = "/nosuch" }))
    assert.same({ n = 2, "run ls: cwd /etc/passwd: not a directory", "ENOTDIR" },
      fails({ "ls" }, { cwd = "/etc/passwd" }))
    assert.same({ n = 2, "run echo: argument list too long", "E2BIG" }, fails { "echo", ("x"):rep(16 << 20) })
  end)

  it("ends it when its time is over, and tells what it has written", function()
    local result, message, code, partial = sh("echo so far; sleep 7301 & sleep 7301", { timeout = 0.05 })
    assert.same({ "run sh: timed out", "ETIMEDOUT" }, { message, code })
    assert.is_nil(result)
    assert.same({ status = 143, signal = "TERM", stdout = "so far\n", stderr = "" }, partial)
    await_end_of "7301"
  end)

  it("goes by real time where that of the spec is virtual", function()
    local clock <close> = test.clock()
    assert.equal("x\n", sh("sleep 0.05; echo x", { timeout = 20 }).stdout)
    assert.equal("ETIMEDOUT", (select(3, sh("sleep 100", { timeout = 0.01 }))))
    assert.equal(0, clock:now() % 1)
  end)

  it("ends it when it writes too much", function()
    local result, message, code, partial = process.run({ "yes" }, { limit = 100000 })
    assert.is_nil(result)
    assert.same({ "run yes: more than 100000 bytes of output", "ENOBUFS" }, { message, code })
    assert.is_true(#partial.stdout > 100000 and #partial.stdout < 1000000)
    assert.equal(5, #process.run({ "printf", "12345" }, { limit = 5 }).stdout)
    assert.is_nil((process.run({ "printf", "12345" }, { limit = 4 })))
    assert.is_nil((sh("echo 123 >&2; echo 456", { limit = 7 })))
  end)

  it("ends it, and what it has started, when its task is cancelled", function()
    local task = neap.go(sh, "sleep 7302 & sleep 7302")
    test.eventually(function() return process.run({ "pgrep", "-xf", "sleep 7302" }).status == 0 end, 20)
    task:cancel()
    task:join()
    await_end_of "7302"
    assert.equal("ETIMEDOUT", (select(3, neap.deadline(0.01, sh, "sleep 7303"))))
    await_end_of "7303"
  end)

  it("does not wait for what it leaves in the background", function()
    local result = sh "sleep 7304 & echo $!"
    assert.equal(0, result.status)
    local pid = math.tointeger(tonumber(result.stdout))
    assert.is_true(process.kill(pid, 0)) -- it lives on
    assert.is_true(process.kill(pid))
  end)

  it("puts its output where one wants it", function()
    assert.same({ status = 0, stdout = "out\nerr\n" }, sh("echo out; echo err >&2", { stderr = "stdout" }))
    assert.same({ status = 0 }, sh("echo out; echo err >&2", { stdout = "null", stderr = "null" }))
    local dir = test.tempdir()
    local file <close> = assert(io.open(dir:path_of "file", "w"))
    file:write "before "
    assert.same({ status = 0, stderr = "" }, sh("echo out", { stdout = file }))
    file:close()
    assert.equal("before out\n", dir:read "file")
    do
      local written <close> = assert(fs.open(dir:path_of "file", "a"))
      assert.equal(0, sh("echo more", { stdout = written }).status)
      assert.equal(0, sh("echo and more", { stdout = written }).status)
      written:close()
      assert.matches("or an open file", select(2, pcall(sh, "true", { stdout = written })))
    end
    assert.equal("before out\nmore\nand more\n", dir:read "file")
    local child = test.spawn_neap([[
      local process = require "neap.process"
      io.write "first "
      process.run({ "sh", "-c", "echo out; echo err >&2" }, { stdout = "inherit", stderr = "inherit" })
      process.run({ "sh", "-c", "echo swapped" }, { stdout = io.stderr })]])
    assert.same({ 0, "first out\n", "err\nswapped\n" }, { child:wait() })
  end)

  it("runs many at a time", function()
    local tasks = {}
    for i = 1, 200 do tasks[i] = neap.go(process.run, { "echo", i }) end
    for i = 1, 200 do assert.equal(i .. "\n", tasks[i]:join().stdout) end
  end)

  it("leaves nothing open where no more files can be opened", function()
    local child = test.spawn_neap([[
      local process = require "neap.process"
      local held = {}
      while true do
        local file = io.open "/dev/null"
        if not file then break end
        held[#held + 1] = file
      end
      for i = 0, 5 do
        for _ = 1, 3 do
          local result, message, code = process.run({ "echo", "x" }, { stdin = "y" })
          if result then print "ran" os.exit(0) end
          if code ~= "EMFILE" or message ~= "run echo: too many open files" then print(message) end
          assert(select(3, process.spawn { "echo" }) == "EMFILE")
        end
        for _ = 1, 2 do table.remove(held):close() end
      end]], nil, { program = "/bin/sh", flags = { "-c", 'ulimit -n 60; exec "$0" "$@"', process.exepath() } })
    assert.same({ 0, "ran\n", "" }, { child:wait() })
  end)

  it("raises for what can be meant by nobody", function()
    local function message(...) return select(2, pcall(process.run, ...)) end
    assert.matches('a list is expected: { "ls", "%-l" }; for a shell: { "sh", "%-c"', message "ls -l")
    assert.matches("table expected", message())
    assert.matches("an empty list", message {})
    assert.matches("element 2 of the list contains a zero", message { "ls", "a\0b" })
    assert.matches("element 2 of the list is a string, not a table", message { "ls", {} })
    assert.matches("unknown option 'dir' %(there are: cwd, env,", message({ "ls" }, { dir = "/" }))
    assert.matches("stdin is a string", message({ "ls" }, { stdin = 5 }))
    assert.matches("cwd contains a zero", message({ "ls" }, { cwd = "a\0" }))
    assert.matches("env is a table of names", message({ "ls" }, { env = "A=1" }))
    assert.matches("no variable has the name 'A=B'", message({ "ls" }, { env = { ["A=B"] = "1" } }))
    assert.matches("the value of A is a string, not a table", message({ "ls" }, { env = { A = {} } }))
    assert.matches("inherit_env is true or false", message({ "ls" }, { inherit_env = 1 }))
    assert.matches("timeout must be a number of seconds", message({ "ls" }, { timeout = -1 }))
    assert.matches("limit is a number of bytes", message({ "ls" }, { limit = -1 }))
    assert.matches('stdout is "pipe", "inherit", "null" or an open file, not "stdout"',
      message({ "ls" }, { stdout = "stdout" }))
    assert.matches("or an open file", message({ "ls" }, { stderr = 5 }))
  end)
end)
