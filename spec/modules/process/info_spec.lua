-- What neap.process says of this process.
local process, test = require "neap.process", require "neap.test"

local function lines(text) return text:gsub("%s+$", "") end

describe("process.env", function()
  it("is read and written, and os.getenv sees the same", function()
    assert.equal(os.getenv "PATH", process.env.PATH)
    assert.is_nil(process.env.NEAP_NOSUCH)
    process.env.NEAP_SPEC = "a=b c"
    assert.equal("a=b c", process.env.NEAP_SPEC)
    assert.equal("a=b c", os.getenv "NEAP_SPEC")
    process.env.NEAP_SPEC = 5
    assert.equal("5", process.env.NEAP_SPEC)
    process.env.NEAP_SPEC = nil
    assert.is_nil(os.getenv "NEAP_SPEC")
  end)

  it("can be gone through, and changed meanwhile", function()
    process.env.NEAP_SPEC_1, process.env.NEAP_SPEC_2 = "1", ""
    local seen = {}
    for name, value in pairs(process.env) do
      seen[name] = value
      if name:find "^NEAP_SPEC" then process.env[name] = nil end
    end
    assert.same({ "1", "" }, { seen.NEAP_SPEC_1, seen.NEAP_SPEC_2 })
    assert.equal(seen.PATH, os.getenv "PATH")
    assert.is_nil(process.env.NEAP_SPEC_1)
  end)

  it("raises for what cannot be a variable", function()
    local function set(name, value) return select(2, pcall(function() process.env[name] = value end)) end
    assert.matches("the name of a variable is a string, not a number", set(5, "x"))
    assert.matches("no variable has the name 'A=B'", set("A=B", "x"))
    assert.matches("no variable has the name ''", set("", "x"))
    assert.matches("the value of A is a string, or nil, not a boolean", set("A", true))
    assert.matches("the value of A contains a zero", set("A", "x\0"))
  end)
end)

describe("process", function()
  it("has a pid, a host, a program", function()
    assert.equal(process.pid, process.run({ "sh", "-c", "echo $PPID" }).stdout + 0)
    assert.equal(lines(process.run({ "uname", "-n" }).stdout), process.hostname())
    assert.equal(lines(process.run({ "readlink", ("/proc/%d/exe"):format(process.pid) }).stdout), process.exepath())
    assert.is_true(process.parallelism() >= 1)
  end)

  it("has a working directory", function()
    local before = process.cwd()
    assert.equal(lines(process.run({ "pwd", "-P" }).stdout), before)
    assert.is_true(process.chdir "/")
    assert.equal("/", process.cwd())
    assert.equal("/\n", process.run({ "pwd" }).stdout)
    assert.is_true(process.chdir(before))
    assert.same({ nil, "chdir /nosuch: no such file or directory", "ENOENT" }, { process.chdir "/nosuch" })
    assert.has_error(function() process.chdir "a\0b" end)
  end)

  it("has a title, that ps shows, and arg is what it was", function()
    local child = test.spawn_neap([[
      local process = require "neap.process"
      local before = table.concat(arg, " ")
      assert(process.title():find(process.exepath(), 1, true) or process.title():find "neap")
      assert(process.title "neap: spec" == "neap: spec" and process.title() == "neap: spec")
      assert(table.concat(arg, " ") == before)
      io.write(process.run({ "ps", "-o", "args=", "-p", process.pid }).stdout)]], { "one", "two" })
    assert.same({ 0, "neap: spec\n", "" }, { child:wait() })
  end)

  it("counts its memory and its time", function()
    local memory = process.memory()
    assert.is_true(memory.rss > 1 << 20 and memory.peak >= memory.rss and memory.lua < memory.rss)
    assert.is_true(memory.limit > memory.rss and memory.free > 0)
    assert.equal("integer", math.type(memory.rss))
    local user, system = process.cpu()
    local sum = user + system
    while true do
      local u, s = process.cpu()
      if u + s > sum then break end
    end
    local up, machine = process.uptime()
    assert.is_true(up > 0 and up < machine and process.uptime() >= up)
  end)

  it("sends signals", function()
    assert.is_true(process.kill(process.pid, 0))
    local child = assert(process.spawn { "sleep", "100" })
    assert.is_true(process.kill(child.pid, "KILL"))
    assert.same({ 137, "KILL" }, { child:wait() })
    child:close()
    assert.same({ nil, ("kill %d: no such process"):format(child.pid), "ESRCH" }, { process.kill(child.pid) })
    assert.has_error(function() process.kill(0) end)
    assert.has_error(function() process.kill(-1) end)
    assert.has_error(function() process.kill(process.pid, "FOO") end)
  end)
end)
