-- The control socket of a running program: when it is there, for whom, and what it answers.
local net, timer = require "neap.net", require "neap.timer"
local child = require "spec.support.child"
local unprivileged = require "spec.support.unprivileged"
local eventually = require "neap.test".eventually
local new_runtime = require "spec.support.runtime"
local program = require "spec.support.program"

local service = [[
  local net = require "neap.net"
  local server = assert(net.listen("127.0.0.1:0", { line = function() end }))
  print(server.address)
]]

local function shell(command)
  local pipe <close> = io.popen(command)
  return (pipe:read("a"):gsub("%s+$", ""))
end

local function is_root()
  return shell("id -u") == "0"
end

describe("the control socket", function()
  local runtime

  before_each(function() runtime = new_runtime() end)
  after_each(function() runtime:__close() end)

  it("is ours alone, in a directory that is ours alone", function()
    local process <close> = runtime:start(service)
    assert.matches("^0\n", runtime:ask(process.pid, "ps\n"))
    assert.matches("^drwx%-%-%-%-%-%-%s", shell("ls -ld " .. runtime.path .. "/neap"))
    assert.matches("^srw%-%-%-%-%-%-%-%s", shell("ls -l " .. runtime:socket(process.pid)))
  end)

  it("costs a short script nothing: it has none", function()
    local process <close> = child.start({}, { script = "print 'over'", runtime = runtime.path })
    assert.same({ 0, "over\n", "" }, { process:wait() })
    assert.equal("", shell("ls " .. runtime.path))
  end)

  it("is not made for what is no script in a file", function()
    local text = "require 'neap.timer'.sleep(0.1) print 'over'"
    local directory = program.directory { ["x_spec.lua"] = "it('waits', function() " .. text .. " end)" }
    local options = { dir = directory.path, input = text, env = { XDG_RUNTIME_DIR = runtime.path } }
    for _, arguments in ipairs { { "-e", text }, { "-" }, {}, { "test", "x_spec.lua" } } do
      local result = program.run_neap(arguments, options)
      assert.same({ 0, "" }, { result.code, result.err })
      assert.matches("over\n", result.out)
      assert.equal("", shell("ls " .. runtime.path))
    end
  end)

  it("keeps no program alive", function()
    local process <close> = runtime:start("require 'neap.net'.listen('127.0.0.1:0', function() end)"
      .. " require 'neap.timer'.sleep(0.2) os.exit(3)")
    assert.same({ 3, "", "" }, { process:wait() })
    assert.is_false(runtime:has_socket(process.pid))
  end)

  it("keeps no program alive that is over, with a client that says nothing", function()
    local process <close> = runtime:start([[
      local server = require "neap.net".listen("127.0.0.1:0", function() server:close() end)
      require "neap.timer".sleep(0.2, function() server:close() end)
    ]])
    local conn <close> = assert(runtime:connect(process.pid))
    conn:write("sta")
    local before = timer.monotonic()
    assert.same({ 0, "", "" }, { process:wait() })
    assert.is_true(timer.monotonic() - before < 4) -- the client could be silent for 5 s
    assert.is_false(runtime:has_socket(process.pid))
    assert.equal("", conn:read("a") or "")
  end)

  it("outlives each version of the program", function()
    local process <close> = runtime:start(service)
    local conn <close> = assert(runtime:connect(process.pid))
    for _ = 1, 3 do assert.matches("^0\n", runtime:ask(process.pid, "reload\n")) end
    conn:write("ps\n")
    assert.matches("^0\n%d+\t[^\t]+\t4\t", (conn:read("a")))
  end)

  for _, name in ipairs { "TERM", "INT" } do
    it("is removed at SIG" .. name, function()
      local process <close> = runtime:start(service)
      process:signal(name)
      assert.equal(0, (process:wait()))
      assert.is_false(runtime:has_socket(process.pid))
    end)
  end

  it("replaces one that a killed process of the same PID has left", function()
    local process <close> = runtime:start(service)
    process:signal "KILL"
    process:wait()
    assert.is_true(runtime:has_socket(process.pid))
    local path = ("%s/neap"):format(runtime.path)
    local old = runtime:socket(process.pid)
    -- The shell gives the stale socket its own PID, and becomes a neap.
    local other <close> = child.start({}, { script = service, runtime = runtime.path })
    assert(os.rename(old, ("%s/%d.sock"):format(path, other.pid)))
    eventually(function()
      local conn <close> = runtime:connect(other.pid)
      return conn
    end, 20)
    assert.matches("^0\n", runtime:ask(other.pid, "ps\n"))
  end)

  describe("is refused", function()
    local function refused(message)
      local process <close> = child.start({}, { runtime = runtime.path,
        script = "local timer = require 'neap.timer' timer.sleep(0.15) print 'over'" })
      message = ("neap: %s/neap is not used: %s"):format(runtime.path, message)
      local effect = ": neap ps, status and reload will not find this program\n"
      assert.same({ 0, "over\n", message .. effect }, { process:wait() })
      assert.same({ code = 1, out = "", err = message .. "\n" }, runtime:neap("ps"))
      assert.equal(1, runtime:neap("status", "x").code)
    end

    it("a directory that others may use", function()
      shell("mkdir -m 755 " .. runtime.path .. "/neap")
      refused("others may use it: its mode must be 0700")
    end)

    it("a symbolic link", function()
      shell(("mkdir -m 700 %s/real; ln -s real %s/neap"):format(runtime.path, runtime.path))
      refused("it is a symbolic link")
    end)

    it("a file", function()
      shell("touch " .. runtime.path .. "/neap")
      refused("it is not a directory")
    end)

    it("a directory of another user", function()
      if not is_root() then return pending("needs root") end
      shell(("mkdir -m 700 %s/neap; chown 65534 %s/neap"):format(runtime.path, runtime.path))
      refused("it belongs to another user")
    end)
  end)

  it("answers no other user, whatever the modes are", function()
    if not is_root() or shell("command -v setpriv") == "" then return pending("needs root and setpriv") end
    local process <close> = runtime:start(service)
    shell(("chmod 711 %s %s/neap; chmod 666 %s"):format(runtime.path, runtime.path, runtime:socket(process.pid)))
    local command = "echo status | setpriv --reuid=65534 --regid=65534 --clear-groups nc -U -N "
    assert.equal("1\nthis program belongs to another user", shell(command .. runtime:socket(process.pid)))
  end)

  it("is in the next directory where there is no $XDG_RUNTIME_DIR", function()
    local process <close> = child.start({}, { runtime = "/no/such/directory",
      script = "local timer = require 'neap.timer' timer.sleep(0.15) print 'over'" })
    assert.same({ 0, "over\n", "" }, { process:wait() })
  end)

  it("is nowhere, and nothing is said, where only another user may use the last one", function()
    local other <close> = child.start({}, { runtime = "/no/such/directory", script = "print 'over'" })
    assert.equal(0, (other:wait())) -- if we are root /run/neap is ours now
    local out, err = unprivileged "require 'neap.timer'.sleep(0.15) print 'over'"
    if not out then return pending("needs setpriv") end
    assert.same({ "over\n", "" }, { out, err })
  end)

  it("comes later where there is no descriptor for it at first", function()
    local process <close> = child.start({}, { runtime = runtime.path, before = "ulimit -n 20", script = [[
      local files = {}
      for i = 1, 20 do files[i] = io.open("/dev/null") end
      require "neap.timer".sleep(0.1)
      for _, file in pairs(files) do file:close() end
      require "neap.timer".sleep(60)
    ]] })
    eventually(function()
      local conn <close> = runtime:connect(process.pid)
      return conn
    end, 20)
    assert.equal("", process:stderr())
  end)
end)

describe("a request", function()
  local runtime, process, address

  setup(function()
    runtime = new_runtime()
    process = runtime:start(service, { "--name", "moon" })
    address = process:line()
  end)

  teardown(function()
    process:__close()
    runtime:__close()
  end)

  it("of the status is answered in lines", function()
    local answer = runtime:ask(process.pid, "status\n")
    assert.matches("^0\npid: " .. process.pid .. "\nname: moon\nscript: /[^\n]+\ngeneration: 1\nuptime: %d%d:%d%d\n",
      answer)
    for _, name in ipairs { "live since", "why", "tasks", "connections", "reloads", "failed reloads", "watching" } do
      assert.is_truthy(answer:find("\n" .. name .. ": ", 1, true), name)
    end
    for line in answer:sub(3):gmatch("[^\n]+") do assert.matches("^[%l ]+: .+$", line) end
  end)

  it("counts connections, but not its own", function()
    local function connections()
      return tonumber(runtime:ask(process.pid, "status\n"):match("\nconnections: (%d+)"))
    end
    local _ <close> = assert(runtime:connect(process.pid))
    eventually(function() return connections() == 0 end, 20)
    do
      local _ <close> = assert(net.connect(address))
      local _ <close> = assert(net.connect(address))
      eventually(function() return connections() == 2 end, 20)
    end
    eventually(function() return connections() == 0 end, 20)
  end)

  it("of a row is answered with fields", function()
    assert.matches("^0\n" .. process.pid .. "\tmoon\t1\t%d%d:%d%d\t%d+\t%d+\t/[^\t]+\n$",
      runtime:ask(process.pid, "ps\n"))
  end)

  it("may come in pieces; what follows it is ignored", function()
    local conn <close> = assert(runtime:connect(process.pid))
    for piece in ("ps\n"):gmatch(".") do
      conn:write(piece)
      timer.sleep(0)
    end
    assert.matches("^0\n[^\n]*\n$", (conn:read("a")))
    assert.matches("^0\n[^\n]*\n$", runtime:ask(process.pid, "ps\nstatus\n"))
  end)

  it("that is unknown, or no text, is refused", function()
    assert.equal("1\nunknown request ''\n", runtime:ask(process.pid, "\n"))
    assert.equal("1\nunknown request 'frobnicate'\n", runtime:ask(process.pid, "frobnicate\n"))
    assert.equal("1\nunknown request 'PS'\n", runtime:ask(process.pid, "PS\n"))
    assert.equal("1\nunknown request '??[31mps'\n", runtime:ask(process.pid, "\0\27[31mps\n"))
    assert.equal("1\nunknown request '__index'\n", runtime:ask(process.pid, "__index\n"))
  end)

  it("that is long is refused before it has ended", function()
    assert.equal("1\nthe request is too long\n", runtime:ask(process.pid, ("x"):rep(100)))
    local conn <close> = assert(runtime:connect(process.pid))
    for _ = 1, 100 do conn:write(("x"):rep(10000), function() end) end
    local text, _, code = conn:read("a") -- who writes on may miss the answer
    assert.is_true(text == "1\nthe request is too long\n" or code == "ECONNRESET")
    assert.matches("^0\n", runtime:ask(process.pid, "ps\n"))
  end)

  it("that never ends is not waited for", function()
    for _, text in ipairs { "", "stat" } do
      local conn <close> = assert(runtime:connect(process.pid))
      conn:write(text)
      conn:shutdown()
      assert.equal("", conn:read("a", { timeout = 3 }))
    end
  end)

  it("of a slow client does not hold up others, and has 5 seconds", function()
    local before = timer.monotonic()
    local slow <close> = assert(runtime:connect(process.pid))
    local other <close> = assert(runtime:connect(process.pid))
    slow:write("p")
    assert.matches("^0\n", runtime:ask(process.pid, "ps\n"))
    assert.is_true(timer.monotonic() - before < 4)
    assert.equal("1\nno request came\n", slow:read("a", { timeout = 20 }))
    assert.is_true(timer.monotonic() - before >= 4.9)
    assert.equal("1\nno request came\n", other:read("a", { timeout = 20 }))
  end)

  it("is answered beside others", function()
    local conns = {}
    for i = 1, 20 do conns[i] = assert(runtime:connect(process.pid)) end
    for i = 20, 1, -1 do conns[i]:write(i % 2 == 0 and "ps\n" or "status\n") end
    for i = 1, 20 do
      assert.matches(i % 2 == 0 and "^0\n%d+\tmoon\t" or "^0\npid: ", (conns[i]:read("a")))
      conns[i]:close()
    end
  end)

  it("of a client that has left does no harm", function()
    for _ = 1, 20 do
      local conn = assert(runtime:connect(process.pid))
      conn:write("status\n")
      conn:reset()
    end
    assert.matches("^0\n", runtime:ask(process.pid, "ps\n"))
    assert.equal("", process:stderr())
  end)
end)
