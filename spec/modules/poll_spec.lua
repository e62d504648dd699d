-- neap.poll: waits for a file descriptor that a foreign library has. Here they are those of pipes.
local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
local support = require "spec.support.neap"

-- Both ends of a pipe in one file: what is written to it can be read from it.
local function pipe()
  local directory <close> = test.tempdir()
  local path = directory.path .. "/pipe"
  assert(os.execute("mkfifo " .. path))
  local file = assert(io.open(path, "r+"))
  file:setvbuf "no"
  return file
end

-- Until there is no more room, or nobody reads it any more: how many bytes that took.
local function fill(file)
  local size, block = 0, ("x"):rep(4096)
  while neap.poll(file, "w", 0) and file:write(block) do size = size + #block end
  return size
end

local function count_descriptors()
  collectgarbage() -- files that other specs have left
  collectgarbage()
  local directory <close> = test.tempdir()
  os.execute("ls /proc/$PPID/fd | wc -l > " .. directory.path .. "/count")
  return tonumber(directory:read "count")
end

describe("neap.poll", function()
  it("waits until there is something to read", function()
    local file <close> = pipe()
    local order = {}
    local task = neap.go(function()
      order[1] = "waits"
      table.insert(order, neap.poll(file, "r"))
      table.insert(order, file:read(5))
    end)
    timer.sleep(0.01)
    table.insert(order, "writes")
    file:write "hello"
    task:join()
    assert.same({ "waits", "writes", "r", "hello" }, order)
  end)

  it("says what is ready", function()
    local file <close> = pipe()
    assert.equal("w", neap.poll(file, "rw"))
    file:write "x"
    assert.equal("rw", neap.poll(file, "rw"))
    assert.equal("r", neap.poll(file, "r"))
    assert.equal("w", neap.poll(file, "w"))
    fill(file)
    assert.equal("r", neap.poll(file, "rw"))
  end)

  it("waits until there is room to write", function()
    local file <close> = pipe()
    local size = fill(file)
    local task = neap.go(neap.poll, file, "w")
    timer.sleep(0.01)
    assert.equal("waiting", task.status)
    file:read(size)
    assert.equal("w", task:join())
  end)

  it("calls back with the same, and not before it has returned", function()
    local file <close> = pipe()
    local got = {}
    local call = neap.poll(file, "r", function(...) got[1] = { ... } end)
    local other = neap.poll(file, "w", function(...) got[2] = { ... } end)
    local bad = neap.poll(-1, "w", { timeout = 1 }, function(...) got[3] = { ... } end)
    assert.same({}, got)
    other:join()
    bad:join()
    file:write "x"
    call:join()
    assert.same({ { "r" }, { "w" }, { nil, "poll -1: bad file descriptor", "EBADF" } }, got)
  end)

  it("lets many wait for the same descriptor, each for its own", function()
    local file <close> = pipe()
    file:read(fill(file))
    local readers = {}
    for i = 1, 20 do readers[i] = neap.go(neap.poll, file, i % 2 == 0 and "r" or "rw", 10) end
    for i = 1, 20, 2 do assert.equal("w", readers[i]:join()) end
    assert.equal("waiting", readers[2].status)
    file:write "x"
    for i = 2, 20, 2 do assert.equal("r", readers[i]:join()) end
  end)

  it("takes a limit, as seconds or as an option", function()
    local file <close> = pipe()
    local text = ("poll %d: timed out"):format(0):gsub("%d", "%%d+")
    for _, limit in ipairs { 0, 0.005, { timeout = 0.005 } } do
      local ready, message, code = neap.poll(file, "r", limit)
      assert.is_nil(ready)
      assert.matches(text, message)
      assert.equal("ETIMEDOUT", code)
    end
    file:write "x"
    assert.equal("r", neap.poll(file, "r", 0))
  end)

  it("finds the end of a pipe ready, and one that nobody reads", function()
    local ended <close> = io.popen "exit"
    assert.equal("r", neap.poll(ended, "r", 10))
    assert.equal("", ended:read "a")
    local unread <close> = io.popen("exec <&-; sleep 0.05", "w")
    assert.equal("w", neap.poll(unread, "w", 10))
    local full <close> = io.popen("sleep 0.05", "w")
    full:setvbuf "no"
    fill(full)
    assert.equal("w", neap.poll(full, "w", 10))
  end)

  it("finds plain files always ready", function()
    local directory <close> = test.tempdir()
    local file <close> = assert(io.open(directory:write("file", ""), "r+"))
    assert.equal("rw", neap.poll(file, "rw"))
    assert.equal("r", neap.poll(file, "r", 0))
  end)

  it("fails with EBADF for what is not open", function()
    assert.same({ nil, "poll 987: bad file descriptor", "EBADF" }, { neap.poll(987, "r") })
    assert.same({ nil, "poll -1: bad file descriptor", "EBADF" }, { neap.poll(-1, "rw", 1) })
    assert.equal("EBADF", (select(3, neap.poll(1 << 40, "r"))))
  end)

  it("takes objects that tell their descriptor", function()
    local file <close> = pipe()
    file:write "x"
    local ready = neap.poll(file, "r")
    local class = { getfd = function(self) return self.fd end }
    class.__index = class
    assert.equal("EBADF", (select(3, neap.poll(setmetatable({ fd = -1 }, class), "r"))))
    assert.equal("EBADF", (select(3, neap.poll({ fileno = function() return 987 end }, "r"))))
    assert.equal("r", ready)
  end)

  it("leaves the descriptor as it is: the library's reads still block", function()
    local file <close> = io.popen "sleep 0.05; echo one; sleep 0.05; echo two"
    assert.equal("r", neap.poll(file, "r"))
    assert.equal("one\ntwo\n", file:read "a")
  end)

  it("outlives the descriptor, and leaves none behind", function()
    local before = count_descriptors()
    do
      local file <close> = pipe()
      local tasks = {}
      for i = 1, 10 do tasks[i] = neap.go(neap.poll, file, "r", i % 2 == 0 and 0.002 or nil) end
      timer.sleep(0.01)
      for i = 1, 9, 2 do tasks[i]:cancel() end
      for i = 2, 10, 2 do assert.equal("ETIMEDOUT", (select(3, tasks[i]:join()))) end
      tasks[1] = neap.go(neap.poll, file, "r", 0.002)
      timer.sleep(0)
      file:close()
      assert.equal("ETIMEDOUT", (select(3, tasks[1]:join())))
    end
    assert.equal(before, count_descriptors())
  end)

  it("waits in a coroutine, and ends with a deadline", function()
    local file <close> = pipe()
    local next_ready = coroutine.wrap(function() while true do coroutine.yield(neap.poll(file, "r")) end end)
    timer.sleep(0.002, function() file:write "x" end)
    assert.equal("r", next_ready())
    file:read(1)
    assert.equal("ETIMEDOUT", (select(3, neap.deadline(0.005, neap.poll, file, "r"))))
  end)

  it("lets virtual time pass", function()
    local file <close> = pipe()
    local clock <close> = test.clock()
    assert.equal("ETIMEDOUT", (select(3, neap.poll(file, "r", 3600))))
    assert.is_truthy(clock)
  end)

  it("raises for what makes no sense", function()
    local function message(...) return select(2, pcall(neap.poll, ...)) end
    local closed = pipe()
    closed:close()
    assert.matches("#1.*descriptor, file or object with getfd expected, got string", message("7", "r"))
    assert.matches("#1.*descriptor, file or object with getfd expected, got table", message({}, "r"))
    assert.matches("#1.*this file is closed", message(closed, "r"))
    assert.matches("#1.*number has no integer representation", message(1.5, "r"))
    assert.matches("#2.*invalid option 'x'", message(0, "x"))
    assert.matches("#2.*string expected, got n", message(0))
    assert.matches("#3.*unknown option 'timout' %(there are: timeout%)", message(0, "r", { timout = 1 }))
    assert.matches("#3.*from 0 to 1e9, not %-1", message(0, "r", -1))
    assert.matches("#4.*function expected, got number", message(0, "r", 1, 2))
  end)

  it("keeps the program alive, and lets it end", function()
    local text = [[
      local neap, timer = require "neap", require "neap.timer"
      local file = io.popen "sleep 0.05; echo x"
      neap.poll(file, "r", function(ready) print(ready, file:read "l") %s end)
      local forever = io.popen("cat", "w")
      %s
    ]]
    assert.equal("r\tx\n", support.output(text:format("", "")))
    assert.equal("r\tx\n", support.output(text:format("os.exit(0)",
      "neap.poll(forever, 'r', print) neap.go(neap.poll, forever, 'r')")))
  end)
end)
