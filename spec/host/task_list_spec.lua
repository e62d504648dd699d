-- neap.tasks(): what runs, what waits, for what, since when, created where.
local neap, timer = require "neap", require "neap.timer"

-- The line that calls it.
local function line()
  return debug.getinfo(2, "l").currentline
end

local function find(task)
  for _, entry in ipairs(neap.tasks()) do
    if entry.id == task.id then return entry end
  end
end

local function ends_with(text, tail)
  assert.equal(tail, text and text:sub(-#tail))
end

-- Fields that each task has, of the right types.
local function check(entry)
  assert.equal("integer", math.type(entry.id))
  assert.equal("integer", math.type(entry.parent))
  assert.equal("integer", math.type(entry.generation))
  assert.equal("float", math.type(entry.age))
  assert.equal("string", type(entry.name))
  assert.equal("string", type(entry.state))
  assert.equal("string", type(entry.owner))
  assert.is_true(entry.age >= 0)
end

describe("neap.tasks", function()
  local started = {}
  local function keep(task)
    started[#started + 1] = task
    return task
  end
  local function go(...) return keep(neap.go(...)) end

  after_each(function()
    for _, task in ipairs(started) do
      task:cancel()
      task:join()
    end
    started = {}
  end)

  it("lists the running task, with the line that runs", function()
    local here
    local self = neap.go(function()
      local tasks
      tasks, here = neap.tasks(), line()
      for _, entry in ipairs(tasks) do
        if entry.state == "running" then return entry end
      end
    end)
    local entry = self:join()
    assert.equal(self.id, entry.id)
    ends_with(entry.where, "task_list_spec.lua:" .. here)
    assert.is_nil(entry.waits)
    assert.is_nil(entry.waited)
  end)

  it("lists a task that waits: for what, since when, on which line, started where", function()
    local wait_line
    local function sleep()
      wait_line = line() + 1
      timer.sleep(1000)
    end
    local start_line = line() + 1
    local task = keep(neap.go(sleep))
    task.name = "sleeper"
    timer.sleep(0.01)
    local entry = find(task)
    check(entry)
    assert.equal("sleeper", entry.name)
    assert.equal("waiting", entry.state)
    assert.equal("sleep", entry.waits)
    assert.equal("background", entry.owner)
    ends_with(entry.where, "task_list_spec.lua:" .. wait_line)
    ends_with(entry.started, "task_list_spec.lua:" .. start_line)
    assert.is_true(entry.waited > 0.005 and entry.age > 0.005)
  end)

  it("lists a task that is ready: where it was started", function()
    local task, here = keep(neap.go(function() end)), line()
    local entry = find(task)
    check(entry)
    assert.equal("ready", entry.state)
    ends_with(entry.where, "task_list_spec.lua:" .. here)
    ends_with(entry.started, "task_list_spec.lua:" .. here)
    assert.is_nil(entry.waits)
  end)

  it("lists oldest first, each once, and none that has ended", function()
    local ended = neap.go(function() end)
    ended:join()
    for _ = 1, 20 do go(timer.sleep, 1000) end
    timer.sleep(0)
    local last, seen = 0, 0
    for _, entry in ipairs(neap.tasks()) do
      check(entry)
      assert.is_true(entry.id > last)
      last = entry.id
      for _, task in ipairs(started) do
        if task.id == entry.id then seen = seen + 1 end
      end
    end
    assert.equal(20, seen)
    assert.is_nil(find(ended))
  end)

  it("names what each waits for", function()
    local sleeper = go(timer.sleep, 1000)
    local joiner = go(function() sleeper:join() end)
    local group = go(function() neap.group(function() timer.sleep(1000) end) end)
    local deadline = go(function() neap.deadline(1000, timer.sleep, 1000) end)
    local callback = sleeper:join(function() end)
    timer.sleep(0)
    timer.sleep(0)
    assert.equal("sleep", find(sleeper).waits)
    assert.equal("join", find(joiner).waits)
    assert.equal("group", find(group).waits)
    assert.equal("deadline", find(deadline).waits)
    assert.equal("join", find(callback).waits)
    assert.equal("callback", find(callback).name)
    callback:cancel()
  end)

  it("knows who has started whom", function()
    local child
    local parent = go(function()
      child = go(timer.sleep, 1000)
      timer.sleep(1000)
    end)
    timer.sleep(0)
    assert.equal(parent.id, find(child).parent)
  end)

  it("names the line inside a coroutine that waits there", function()
    local wait_line
    local task = go(function()
      coroutine.wrap(function()
        coroutine.wrap(function()
          wait_line = line() + 1
          timer.sleep(1000)
        end)()
      end)()
    end)
    timer.sleep(0)
    ends_with(find(task).where, "task_list_spec.lua:" .. wait_line)
  end)

  it("names the owner of what serves a connection", function()
    local net = require "neap.net"
    local handler
    local server <close> = assert(net.listen("127.0.0.1:0", function(conn)
      handler = neap.tasks()
      conn:read()
    end))
    local client <close> = assert(net.connect(server.address))
    while not handler do timer.sleep(0.001) end
    local last = handler[#handler]
    check(last)
    assert.equal("connection", last.owner)
    assert.equal("connection", last.name)
    assert.equal("running", last.state)
    assert.is_nil(client.closed and "closed" or nil)
  end)

  it("shows the age of a task that spins", function()
    local task = go(function()
      local limit = timer.monotonic() + 0.05
      while timer.monotonic() < limit do end
      return neap.tasks()
    end)
    local tasks = task:join()
    local mine
    for _, entry in ipairs(tasks) do
      if entry.id == task.id then mine = entry end
    end
    assert.is_true(mine.age >= 0.05)
  end)

  it("gives fresh tables", function()
    neap.tasks()[1].name = "changed"
    assert.not_equal("changed", neap.tasks()[1].name)
  end)
end)
