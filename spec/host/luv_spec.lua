-- luv, another libuv binding, on our loop: its callbacks are tasks.
local neap, net, timer = require "neap", require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local reloading = require "spec.support.reloading"
local support = require "spec.support.neap"
local uv = require "luv"

local prelude = 'local uv, neap, timer = require "luv", require "neap", require "neap.timer" '

-- Calls it with a callback, and waits for what that gets.
local function wait(fn, ...)
  local results
  local args = table.pack(...)
  args[args.n + 1] = function(...) results = table.pack(...) end
  fn(table.unpack(args, 1, args.n + 1))
  while not results do timer.sleep(0.001) end
  return table.unpack(results, 1, results.n)
end

local function close(handle)
  if not handle:is_closing() then wait(handle.close, handle) end
end

describe("luv", function()
  it("uses this loop: its timers tick beside ours", function()
    local handle, ticks = uv.new_timer(), 0
    handle:start(1, 1, function() ticks = ticks + 1 end)
    repeat timer.sleep(0.001) until ticks >= 3
    close(handle)
  end)

  it("calls back in a task, which may wait", function()
    local handle, before, task, after = uv.new_timer(), nil, nil, nil
    handle:start(0, 0, function()
      for _, info in ipairs(neap.tasks()) do
        if info.state == "running" then task = info end
      end
      before = true
      timer.sleep(0.002)
      after = true
    end)
    assert.is_nil(before)
    repeat timer.sleep(0.001) until after
    assert.equal("luv", task.name)
    assert.matches("luv_spec.lua:%d+$", task.started)
    close(handle)
  end)

  it("reads files", function()
    local name = debug.getinfo(1, "S").source:sub(2)
    local err, fd = wait(uv.fs_open, name, "r", 438)
    assert.is_nil(err)
    local _, stat = wait(uv.fs_fstat, fd)
    local _, text = wait(uv.fs_read, fd, stat.size, 0)
    assert.is_nil(wait(uv.fs_close, fd))
    assert.matches("^%-%- luv, another", text)
    assert.equal(stat.size, #text)
    assert.matches("^ENOENT", (wait(uv.fs_stat, "/no/such/file")))
    local _, scan = wait(uv.fs_scandir, "spec/host")
    local names = {}
    for entry in function() return uv.fs_scandir_next(scan) end do names[entry] = true end
    assert.is_true(names["luv_spec.lua"])
  end)

  it("connects to our servers", function()
    local server <close> = assert(net.listen("127.0.0.1:0", function(conn)
      for line in conn:lines() do conn:write(line:reverse() .. "\n") end
    end))
    local tcp, got = uv.new_tcp(), ""
    assert.is_nil(wait(tcp.connect, tcp, "127.0.0.1", tonumber(server.address:match "%d+$")))
    tcp:read_start(function(err, chunk) got = got .. (err or chunk or "(end)") end)
    assert.is_nil(wait(tcp.write, tcp, "star\nrats\n"))
    while #got < 10 do timer.sleep(0.001) end
    assert.is_nil(wait(tcp.shutdown, tcp))
    while #got < 15 do timer.sleep(0.001) end
    assert.equal("rats\nstar\n(end)", got)
    close(tcp)
  end)

  it("serves our connections", function()
    local server = uv.new_tcp()
    server:bind("127.0.0.1", 0)
    server:listen(16, function()
      local client = uv.new_tcp()
      server:accept(client)
      client:read_start(function(_, chunk)
        if chunk then client:write(chunk) else client:close() end
      end)
    end)
    neap.group(function(group)
      for i = 1, 10 do
        group:go(function()
          local conn <close> = assert(net.connect("127.0.0.1:" .. server:getsockname().port))
          conn:write { "hello ", i, "\n" }
          assert.equal("hello " .. i, conn:read("l", { timeout = 10 }))
        end)
      end
    end)
    close(server)
  end)

  it("starts programs", function()
    local out, text, code = uv.new_pipe(false), "", nil
    local handle = assert(uv.spawn("/bin/sh", { args = { "-c", "echo hello; exit 3" }, stdio = { nil, out } },
      function(...) code = { ... } end))
    out:read_start(function(_, chunk) text = text .. (chunk or ".") end)
    repeat timer.sleep(0.001) until code and text:find "%.$"
    assert.same({ 3, 0 }, code)
    assert.equal("hello\n.", text)
    close(handle)
    close(out)
  end)

  it("has threads", function()
    local sum
    local work = uv.new_work(function(a, b) return a + b end, function(result) sum = result end)
    work:queue(40, 2)
    local thread = uv.new_thread(function() return 1 end)
    thread:join()
    repeat timer.sleep(0.001) until sum
    assert.equal(42, sum)
    local got
    local async = uv.new_async(function(...) got = { ... } end)
    async:send("a", 1)
    repeat timer.sleep(0.001) until got
    assert.same({ "a", 1 }, got)
    close(async)
  end)

  it("goes on with callbacks in the order in which they came", function()
    local order = {}
    local handles = {}
    for i = 1, 20 do
      handles[i] = uv.new_timer()
      handles[i]:start(0, 0, function() order[#order + 1] = i end)
    end
    repeat timer.sleep(0.001) until #order == 20
    for i = 1, 20 do
      assert.equal(i, order[i])
      close(handles[i])
    end
  end)

  it("resumes coroutines, as its users do", function()
    local kind
    coroutine.wrap(function()
      local co = coroutine.running()
      uv.fs_stat(".", function(_, stat) assert(coroutine.resume(co, stat)) end)
      kind = coroutine.yield().type
    end)()
    repeat timer.sleep(0.001) until kind
    assert.equal("directory", kind)
  end)

  it("walks over its own handles only, at once", function()
    local handle, seen = uv.new_timer(), {}
    local server <close> = assert(net.listen("127.0.0.1:0", print))
    uv.walk(function(one) seen[tostring(one)] = true end)
    assert.is_true(seen[tostring(handle)])
    assert.is_truthy(server)
    assert.is_false((pcall(uv.walk, error)))
    uv.walk(function(one) if not one:is_closing() then one:close() end end)
    timer.sleep(0.001)
    seen = {}
    uv.walk(function(one) seen[tostring(one)] = true end)
    assert.same({}, seen)
    assert.has_error(function() uv.walk() end, "bad argument #1 to 'walk' (function expected, got no value)")
  end)

  it("may neither run nor end the loop", function()
    local function message(fn, ...) return (select(2, pcall(fn, ...))) end
    assert.matches("the loop runs already: leave uv.run%(%) out", message(uv.run))
    assert.matches("the loop runs already", message(uv.run, "nowait"))
    assert.matches("neap.exit%(%) ends the program", message(uv.stop))
    assert.matches("neap.exit%(%) ends the program", message(uv.loop_close))
  end)

  it("raises as ever for wrong arguments", function()
    local handle = uv.new_timer()
    local _, text = pcall(handle.start, handle, "soon", 0, print)
    assert.matches("bad argument #[12] to .*number expected, got string", text)
    assert.matches("number expected", select(2, pcall(uv.sleep, {})))
    close(handle)
  end)
end)

describe("an error in a callback of luv", function()
  it("is that task's alone", function()
    local status, out, err = support.run(prelude .. [[

      uv.fs_stat(".", function()
        error "boom"
      end)
      timer.sleep(0.02)
      print "alive"
    ]])
    assert.equal(1, status)
    assert.equal("alive\n", out)
    assert.matches("^neap: task %d+ %(luv%) failed: script.lua:3: boom\nstack traceback:\n", err)
    assert.matches("started at script.lua:2\n$", err)
  end)
end)

describe("a program that uses luv", function()
  local function run(text, options) return support.output(prelude .. text, options) end

  it("lives as long as a handle of luv is active", function()
    assert.equal("tick\nclosed\n", run [[
      local handle = uv.new_timer()
      handle:start(5, 0, function() print "tick" handle:close(function() print "closed" end) end)
    ]])
    assert.equal("", run "local handle = uv.new_timer() handle:start(1e6, 0, print) handle:unref()")
  end)

  it("ends with all kinds of handles and requests open, whatever ends it", function()
    local open = [[
      handles = {}
      local function nop() end
      local t = uv.new_timer() t:start(1, 1, nop)
      local lost = uv.new_timer() lost = nil
      local idle = uv.new_idle() idle:start(nop)
      local tcp = uv.new_tcp() tcp:bind("127.0.0.1", 0) tcp:listen(1, nop)
      local client = uv.new_tcp()
      client:connect("127.0.0.1", tcp:getsockname().port, function() client:read_start(nop) end)
      local watch = uv.new_fs_event() watch:start(".", {}, nop)
      local async = uv.new_async(nop)
      local signal = uv.new_signal() signal:start("sigusr2", nop)
      uv.spawn("sleep", { args = { "0.1" } }, nop)
      for i = 1, 100 do uv.fs_stat(".", function() handles[i] = true end) end
      uv.getaddrinfo("localhost", nil, {}, nop)
      local work = uv.new_work(nop, nop) work:queue()
      if timed then timer.sleep(0.005) end
      collectgarbage()
    ]]
    for _, last in ipairs { "os.exit(true)", "neap.go(os.exit)", "t:close() neap.go(neap.exit) timer.sleep(10)" } do
      assert.equal("", run(open .. last))
      assert.equal("", run("timed = true " .. open .. last))
    end
  end)

  it("ends when it is asked to", function()
    local server <close> = child.start({}, { script = prelude .. [[
      local handle = uv.new_timer()
      handle:start(1, 1, function() end)
      local tcp = uv.new_tcp() tcp:bind("127.0.0.1", 0) tcp:listen(1, function() end)
      print "ready" io.stdout:flush()
    ]] })
    assert.equal("ready", server:line())
    server:signal "TERM"
    assert.equal(0, (server:wait(10)))
  end)

  it("can be reloaded: callbacks run in the version that has passed them; handles go on", function()
    local app <close> = reloading.start [[
      hot, uv = require "neap.hot", require "luv"
      state = hot.state "ticks"
      version = 1
      local handle = uv.new_timer()
      handle:start(1, 1, function() state.first = version state.old = require "luv" == uv end)
    ]]
    local function eventually(code)
      for _ = 1, 2000 do
        if app:run(code) then return true end
        timer.sleep(0.005)
      end
    end
    assert.is_true(eventually "return state.first == 1")
    assert.is_true((app:reload [[
      hot, uv = require "neap.hot", require "luv"
      state = hot.state "ticks"
      version = 2
      string.tag = "second"
      state.first = nil
      uv.fs_stat(".", function() state.tag = ("").tag end)
      require "neap.timer".sleep(0.02)
      state.early = state.tag
      local handle = uv.new_timer()
      handle:start(1, 1, function() state.second = version state.new = require "luv" == uv end)
    ]]))
    assert.is_true(eventually "return state.second == 2 and state.new")
    assert.is_true(eventually "return state.tag == 'second' and state.early == nil") -- staged, and in its realm
    assert.is_true(eventually "return state.first == 1") -- the old handle, and code
    assert.is_true(app:run "uv.walk(function(handle) handle:close() end) return true")
  end)
end)
