-- Children belong to who has started them: a version, the program. None is left behind, and none is left a zombie.
local process, test = require "neap.process", require "neap.test"
local reloading = require "spec.support.reloading"

local function state_of(pid)
  local file <close> = io.open(("/proc/%d/stat"):format(pid))
  return file and file:read("a"):match "%) (%a)" or "gone"
end

local function await_end_of(pid)
  assert.is_number(pid)
  return test.eventually(function()
    local state = state_of(pid)
    return state == "gone" or state == "Z" -- an orphan, that nobody waits for here
  end, 20)
end

local function pid_in(child) return math.tointeger(tonumber(child:line())) end

describe("at the end of the program its children", function()
  local head = [[ local neap, process, timer = require "neap", require "neap.process", require "neap.timer"
    local function spawn(options)
      local child = assert(process.spawn({ "sleep", "100" }, options))
      print(child.pid) io.stdout:flush()
      return child
    end ]]

  it("are ended: by os.exit", function()
    local child = test.spawn_neap(head .. "spawn() os.exit(3)", nil, { ready = false })
    local pid = pid_in(child)
    assert.equal(3, (child:wait()))
    assert.equal("gone", state_of(pid))
  end)

  it("are ended: by SIGTERM", function()
    local child = test.spawn_neap(head .. "spawn() neap.go(process.run, { 'sleep', '100' })", nil, { ready = false })
    local pid = pid_in(child)
    child:signal "TERM"
    assert.equal(0, (child:wait()))
    assert.equal("gone", state_of(pid))
  end)

  it("are ended: by an error", function()
    local child = test.spawn_neap(head .. "spawn():wait{timeout=0.01} os.exit(false)", nil, { ready = false })
    local pid = pid_in(child)
    assert.equal(1, (child:wait()))
    assert.equal("gone", state_of(pid))
  end)

  it("are killed where a second signal ends it at once", function()
    local child = test.spawn_neap(head .. [[
      local child = process.spawn { "sh", "-c", "trap '' TERM; echo x; while :; do sleep 0.05; done" }
      child.stdout:read "l"
      print(child.pid) io.stdout:flush()]], nil, { ready = false })
    local pid = pid_in(child)
    child:signal "TERM"
    test.eventually(function() return process.run({ "pgrep", "-P", child.pid }).status == 0 end, 20)
    child:signal "TERM"
    assert.equal(143, (child:wait()))
    await_end_of(pid)
  end)

  it("are killed by a second signal, also while os.exit waits for them", function()
    local child = test.spawn_neap(head .. [[
      local stays = process.spawn { "sh", "-c", "trap '' TERM; echo x; while :; do sleep 0.05; done" }
      local ends_us = "trap 'while kill -TERM $1; do sleep 0.01; done' TERM; echo x; while :; do sleep 0.01; done"
      ends_us = process.spawn({ "sh", "-c", ends_us, "sh", process.pid }, { stderr = "null" }) -- "Terminated"
      stays.stdout:read "l"
      ends_us.stdout:read "l"
      print(stays.pid) io.stdout:flush()
      os.exit(3)]], nil, { ready = false })
    local pid = pid_in(child)
    assert.equal(143, (child:wait()))
    await_end_of(pid)
  end)

  it("live on where they are detached", function()
    local child = test.spawn_neap(head .. "spawn { detached = true }", nil, { ready = false })
    local pid = pid_in(child)
    assert.equal(0, (child:wait())) -- nor does it wait for that one
    assert.not_equal("gone", state_of(pid))
    assert.is_true(process.kill(pid, "KILL"))
  end)

  it("are waited for while they run", function()
    local child = test.spawn_neap [[
      require "neap.process".spawn({ "sh", "-c", "sleep 0.05; echo done" }, { stdout = "inherit" })
      print "main is over" io.stdout:flush() ]]
    assert.same({ 0, "main is over\ndone\n", "" }, { child:wait() })
  end)
end)

describe("a child, over a reload,", function()
  local head = [[ hot, process, timer = require "neap.hot", require "neap.process", require "neap.timer" ]]

  it("ends with its version", function()
    local app <close> = reloading.start(head .. "child = assert(process.spawn { 'cat' })")
    local pid = app:run "return child.pid"
    assert.not_equal("gone", state_of(pid))
    assert.is_true(app:reload(head .. "child = nil"))
    app:settle()
    test.eventually(function() return state_of(pid) == "gone" end, 20)
  end)

  it("ends with a version that is refused", function()
    local app <close> = reloading.start(head)
    assert.is_nil((app:reload(head .. [[ child = process.spawn { "sleep", "7321" } error "boom" ]])))
    test.eventually(function() return process.run({ "pgrep", "-xf", "sleep 7321" }).status == 1 end, 20)
  end)

  it("lives on when it is kept, with its pipes", function()
    local text = head .. [[ child = hot.keep "cat" or hot.keep("cat", assert(process.spawn { "cat" }))
      function ask(text) child.stdin:write(text .. "\n") return child.stdout:read "l" end ]]
    local app <close> = reloading.start(text)
    assert.equal("one", app:run "return ask 'one'")
    local pid = app:run "return child.pid"
    for i = 1, 3 do
      assert.is_true(app:reload(text .. "-- " .. i))
      app:settle()
      assert.same({ pid, "two" }, { app:run "return child.pid, ask 'two'" })
    end
    assert.is_true(app:reload(head .. "hot.keep('cat', nil)"))
    assert.is_true(app:reload(head))
    test.eventually(function() return state_of(pid) == "gone" end, 20)
  end)

  it("is no zombie, nor leaves a descriptor, however many there were", function()
    local app <close> = reloading.start(head)
    app:run "for _ = 1, 10 do process.run { 'true' } end"
    local before = app:descriptors()
    app:run [[ for _ = 1, 50 do
      process.run { "true" }
      local child <close> = process.spawn { "cat" }
      process.run { "nosuch" }
    end ]]
    app:eventually [[ collectgarbage() return #require "neap.hot".status().generations == 1 ]]
    test.eventually(function()
      local count = app:descriptors()
      return assert.is_true(count <= before, ("%d descriptors, then %d"):format(before, count))
    end, 20)
    test.eventually(function()
      return process.run({ "ps", "-o", "stat=", "--ppid", app.child.pid }).stdout == ""
    end, 20)
  end)
end)
