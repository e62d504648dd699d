-- neap ps, neap status, neap reload: what they print, and whom they believe.
local neap, net = require "neap", require "neap.net"
local child = require "spec.support.child"
local eventually = require "neap.test".eventually
local new_runtime = require "spec.support.runtime"

local service = "require 'neap.net'.listen('127.0.0.1:0', { line = function() end })"
local header = "^%s*PID  NAME%s+GENERATION%s+UPTIME%s+TASKS%s+CONNECTIONS%s+SCRIPT\n"

local function own_pid()
  local pipe <close> = io.popen("echo $PPID")
  return pipe:read("n")
end

describe("neap", function()
  local runtime

  before_each(function() runtime = new_runtime() end)
  after_each(function() runtime:__close() end)

  local function fails(message, ...)
    assert.same({ code = 1, out = "", err = "neap: " .. message .. "\n" }, runtime:neap(...))
  end

  -- A server of ours in the place of a program's; its PID is that of whoever runs this spec.
  local function serve(handler, pid)
    os.execute(("mkdir -p -m 700 %s/neap"):format(runtime.path))
    return assert(net.listen("unix:" .. runtime:socket(pid or own_pid()), handler))
  end

  local function answers(text)
    return serve(function(conn)
      conn:read("l")
      conn:write(text)
    end)
  end

  describe("ps", function()
    it("is a header where nothing runs", function()
      local result = runtime:neap("ps")
      assert.same({ 0, "" }, { result.code, result.err })
      assert.matches(header .. "$", result.out)
      assert.is_nil(io.open(runtime.path .. "/neap")) -- it makes nothing
    end)

    it("is a table, in order", function()
      local one <close> = runtime:start(service, { "--name", "a quite long name" })
      local two <close> = runtime:start(service, { "--name=b" })
      local result = runtime:neap("ps")
      assert.same({ 0, "" }, { result.code, result.err })
      assert.matches(header, result.out)
      local rows = {}
      for line in result.out:gmatch("[^\n]+") do rows[#rows + 1] = line end
      assert.equal(3, #rows)
      table.remove(rows, 1)
      if one.pid > two.pid then rows[1], rows[2] = rows[2], rows[1] end
      assert.matches("^%s*" .. one.pid .. "  a quite long name%s+1%s+%d+:%d%d%s+%d+%s+%d+  /[^ ]+$", rows[1])
      assert.matches("^%s*" .. two.pid .. "  b                 %s+1%s+%d+:%d%d%s+%d+%s+%d+  /[^ ]+$", rows[2])
    end)

    it("leaves out what was killed, and removes its socket", function()
      local process <close> = runtime:start(service)
      process:signal "KILL"
      process:wait()
      assert.is_true(runtime:has_socket(process.pid))
      assert.matches(header .. "$", runtime:neap("ps").out)
      assert.is_false(runtime:has_socket(process.pid))
    end)

    it("removes nothing that is no socket", function()
      serve(function() end, 1):close()
      local path = runtime:socket(123)
      io.open(path, "w"):close()
      assert.matches(header .. "$", runtime:neap("ps").out)
      assert.is_true(runtime:has_socket(123))
    end)

    it("does not wait for long for one that is busy", function()
      local process <close> = runtime:start(service)
      process:signal "STOP"
      local result = runtime:neap("ps")
      process:signal "CONT"
      assert.matches("\n%s*" .. process.pid .. "  %?[%s-]+%(does not answer%)\n$", result.out)
      assert.equal(0, result.code)
    end)
  end)

  it("status finds a program by its PID and by its name", function()
    local process <close> = runtime:start(service, { "--name", "moon" })
    local result = runtime:neap("status", "moon")
    assert.same({ 0, "" }, { result.code, result.err })
    assert.matches("^pid: " .. process.pid .. "\nname: moon\n.*\ngeneration: 1\n", result.out)
    assert.matches("^pid: " .. process.pid .. "\n", runtime:neap("status", tostring(process.pid)).out)
    assert.matches("^pid: " .. process.pid .. "\n", runtime:neap("status", "00" .. process.pid).out)
  end)

  it("status finds a program by the name of its file", function()
    local path = runtime.directory:write("evening.star.lua", service)
    local process <close> = child.start({ path }, { runtime = runtime.path })
    eventually(function() return runtime:has_socket(process.pid) end, 20)
    local expected = ("pid: %d\nname: evening.star\nscript: %s\n"):format(process.pid, path)
    assert.equal(expected, runtime:neap("status", "evening.star").out:sub(1, #expected))
  end)

  describe("reload", function()
    local path, process

    local function write(text)
      local file <close> = assert(io.open(path, "w"))
      file:write(text)
    end

    -- "name: value" of the status, with the lines that are set in.
    local function status(name)
      local out = "\n" .. runtime:neap("status", "moon").out:gsub("\n  ", "\0")
      local value = out:match("\n" .. name .. ": ([^\n]*)")
      return value and value:gsub("%z", "\n")
    end

    before_each(function()
      path = runtime.path .. "/moon.lua"
      write(service)
      process = child.start({ path }, { runtime = runtime.path })
      eventually(function() return runtime:has_socket(process.pid) end, 20)
    end)
    after_each(function() process:__close() end)

    it("replaces the program, and says how it went", function()
      for generation = 2, 3 do
        local result = runtime:neap("reload", "moon")
        assert.same({ 0, "" }, { result.code, result.err })
        assert.matches("^generation " .. generation .. " is live after [%d.]+ ms %(neap reload%).-\n$", result.out)
        assert.equal(tostring(generation), status "generation")
        assert.equal(tostring(generation - 1), status "reloads")
      end
      assert.equal("neap reload", status "why")
      assert.equal("0", status "failed reloads")
      assert.is_nil(status "last error")
      assert.matches("^%s*%d+  moon%s+3 ", runtime:neap("ps").out:match("\n(.*)"))
    end)

    it("that fails is told with the line, and changes nothing", function()
      write("local x = 1\nlocal function f() error('no \27 tea') end\nf()")
      local result = runtime:neap("reload", "moon")
      assert.same({ 1, "" }, { result.code, result.out })
      assert.matches("moon%.lua:2: no %S tea\nstack traceback:\n", result.err)
      assert.is_nil(result.err:find("\27", 1, true)) -- it is shown, and does nothing
      assert.equal("1", status "generation")
      assert.equal("1", status "failed reloads")
      assert.matches("moon%.lua:2: no %? tea\nstack traceback:\n", (status "last error"))
      write(service)
      assert.equal(0, runtime:neap("reload", "moon").code)
      assert.is_nil(status "last error")
    end)

    it("waits for as long as it takes; meanwhile others are answered", function()
      write("require 'neap.timer'.sleep(0.3) " .. service)
      local reload <close> = runtime:start_neap("reload", "moon")
      eventually(function() return status "preparing" end, 20)
      assert.equal("1", status "generation")
      local code, out = reload:wait()
      assert.equal(0, code)
      assert.matches("^generation 2 is live", out)
    end)

    it("fails when the program is killed meanwhile", function()
      write("require 'neap.timer'.sleep(60)")
      local reload <close> = runtime:start_neap("reload", "moon")
      eventually(function() return status "preparing" end, 20)
      process:signal "KILL"
      assert.same({ 1, "", "neap: the program ended while reloading\n" }, { reload:wait() })
    end)

    it("leaves what is still in use in its version, and says what that is", function()
      write([[
        local server = require 'neap.net'.listen('127.0.0.1:0', function(conn) conn:read() end)
        local file <close> = io.open(arg[0] .. ".address", "w")
        file:write(server.address, "\n")
      ]])
      assert.equal(0, runtime:neap("reload", "moon").code)
      local file <close> = io.open(path .. ".address")
      local conn <close> = assert(net.connect(file:read("l")))
      eventually(function() return status "connections" == "1" end, 20)
      assert.equal(0, runtime:neap("reload", "moon").code)
      assert.matches("^generation 2, held by task %d+ %(connection%) at %S+moon%.lua:1, connection of %S+moon.lua:1$",
        (status "draining"))
      conn:close()
      eventually(function() return not status "draining" end, 20)
    end)
  end)

  it("finds nobody", function()
    fails("no program called 'moon' runs here (see neap ps)", "status", "moon")
    fails("no program called 'moon' runs here (see neap ps)", "reload", "moon")
    fails("no program with the PID 1 runs here (see neap ps)", "status", "1")
    fails("no program with the PID 99999999999999999999 runs here (see neap ps)", "reload", "99999999999999999999")
  end)

  it("tells programs of one name apart by their PID only", function()
    local one <close> = runtime:start(service, { "--name", "chat" })
    local two <close> = runtime:start(service, { "--name", "chat" })
    local first, second = math.min(one.pid, two.pid), math.max(one.pid, two.pid)
    fails(("2 programs are called 'chat': %d, %d; say which by its PID"):format(first, second), "status", "chat")
    assert.equal(0, runtime:neap("status", tostring(second)).code)
  end)

  it("does not take a socket for that of the process which has its PID now", function()
    local process <close> = runtime:start(service)
    process:signal "KILL"
    process:wait()
    local pid = own_pid() -- one that runs
    assert(os.rename(runtime:socket(process.pid), runtime:socket(pid)))
    fails(("no program with the PID %d runs here (see neap ps)"):format(pid), "reload", tostring(pid))
    assert.is_false(runtime:has_socket(pid))
  end)

  it("believes no socket that another process serves", function()
    if not io.open("/proc/self/status") then return pending("needs the peer's PID") end
    local _ <close> = serve(function(conn) conn:write("0\nlies\n") end, 1)
    local message = ("%s is served by another process, %d"):format(runtime:socket(1), own_pid())
    fails(message, "status", "1")
    fails(message, "reload", "1")
    local result = runtime:neap("ps")
    assert.matches(header .. "$", result.out)
    assert.equal("neap: " .. message .. "\n", result.err)
    assert.is_true(runtime:has_socket(1))
  end)

  it("prints what it is told, where it belongs", function()
    local server = answers("0\ntwo\nlines\n")
    local good <close> = runtime:start_neap("reload", own_pid())
    assert.same({ 0, "two\nlines\n", "" }, { good:wait() })
    server:close()
    server = answers("1\napp.lua:3: no\n")
    local bad <close> = runtime:start_neap("reload", own_pid())
    assert.same({ 1, "", "app.lua:3: no\n" }, { bad:wait() })
    server:close()
  end)

  it("says so when the program ends first", function()
    for _, text in ipairs { "", "0", "nonsense\n" } do
      local _ <close> = answers(text)
      local reload <close> = runtime:start_neap("reload", own_pid())
      assert.same({ 1, "", "neap: the program ended while reloading\n" }, { reload:wait() })
      local status <close> = runtime:start_neap("status", own_pid())
      assert.same({ 1, "", "neap: the program ended before it answered\n" }, { status:wait() })
    end
  end)

  it("reload waits; interrupted, it has not succeeded", function()
    local asked = false
    local task = neap.go(function() require "neap.timer".sleep(3600) end)
    local _ <close> = serve(function(conn)
      asked = conn:read("l") == "reload"
      task:join()
    end)
    local reload <close> = runtime:start_neap("reload", own_pid())
    eventually(function() return asked end, 20)
    reload:signal "INT"
    assert.same({ 130, "", "" }, { reload:wait() })
    task:cancel()
  end)

  it("runs nothing else for it", function()
    local program = require "spec.support.program"
    local result = program.run_neap({ "-e", "print 'no'", "ps" },
      { env = { XDG_RUNTIME_DIR = runtime.path, LUA_INIT = "print 'no'" } })
    assert.matches(header .. "$", result.out)
  end)
end)
