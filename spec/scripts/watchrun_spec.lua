-- scripts/watchrun.lua, with commands that leave a trace.
local fs, process, test = require "neap.fs", require "neap.process", require "neap.test"
local program = require "spec.support.program"

local function start(...)
  return assert(process.spawn { program.neap, "scripts/watchrun.lua", "--gather", "0.01", ... })
end

local function line(stream)
  return assert(stream:read("l", { timeout = 20 }))
end

-- An orphan that nobody waits for is over, too.
local function is_over(pid)
  local file <close> = io.open(("/proc/%s/stat"):format(pid))
  return not file or file:read("a"):match "%) (%a)" == "Z"
end

-- A write may be told in several, and each ends the run before: so what a run says is said at once, and this waits
-- until one has seen all.
local function expect(stream, text)
  local last
  repeat last = line(stream) until last == text
end

describe("scripts/watchrun.lua", function()
  local dir
  before_each(function()
    dir = test.tempdir()
    dir:write("source/one.txt", "1")
  end)

  local function replace() -- is one change
    assert(os.rename(dir:write("new", "x"), dir:path_of "source/one.txt"))
  end

  it("runs the command at once, and again after a change, in all that is below", function()
    local watch <close> = start(dir:path_of "source", "--", "sh", "-c",
      ("cd %s; echo $(cat one.txt $(find . -name two.txt))"):format(dir:path_of "source"))
    assert.equal("1", line(watch.stdout))
    assert(fs.write(dir:path_of "source/one.txt", "2"))
    expect(watch.stdout, "2")
    dir:write("source/below/deep/two.txt", "x")
    expect(watch.stdout, "2x")
  end)

  it("cancels a run that is still going, with all that it has started", function()
    local watch <close> = start(dir:path_of "source", "--", "sh", "-c",
      "echo began $$; sleep 1000 & echo sleeper $!; wait")
    for _ = 1, 3 do
      local pid = line(watch.stdout):match "^began (%d+)$"
      local sleeper = line(watch.stdout):match "^sleeper (%d+)$"
      replace()
      assert.truthy(line(watch.stderr):find "has changed: cancelled$")
      test.eventually(function()
        return is_over(pid) and is_over(sleeper)
      end, 20)
    end
    line(watch.stdout)
    local sleeper = line(watch.stdout):match "^sleeper (%d+)$"
    watch:kill "TERM"
    watch:wait { timeout = 20 }
    test.eventually(function() return is_over(sleeper) end, 20)
  end)

  it("says how a run has failed, and goes on", function()
    local watch <close> = start(dir:path_of "source", "--", "sh", "-c", "exit 3")
    assert.equal("watchrun: sh has failed with 3", line(watch.stderr))
    replace()
    assert.truthy(line(watch.stderr):find "has changed$")
    assert.equal("watchrun: sh has failed with 3", line(watch.stderr))
    local missing <close> = start(dir.path, "--", dir:path_of "no-such-command")
    assert.truthy(line(missing.stderr):find "no%-such%-command: no such file or directory$")
  end)

  it("takes no notice of what does not matter", function()
    local watch <close> = start("--ignore", "%.log$", dir:path_of "source", "--", "echo", "run")
    assert.equal("run", line(watch.stdout))
    dir:write("source/.git/index", "x")
    dir:write("source/app.log", "x")
    dir:write("source/app.lua", "x")
    assert.truthy(line(watch.stderr):find "app%.lua has changed")
    assert.equal("run", line(watch.stdout))
  end)

  it("says what is wrong with its arguments", function()
    for text, arguments in pairs { ["which command? It stands behind --"] = { "." },
      ["--gather needs a number of seconds"] = { "--gather", "soon", "--", "true" },
      ["this is no pattern: ["] = { "--ignore", "[", "--", "true" },
      ["unknown option --help"] = { "--help" } } do
      local result = assert(process.run { program.neap, "scripts/watchrun.lua", table.unpack(arguments) })
      assert.equal(2, result.status)
      assert.equal("watchrun: " .. text, result.stderr:match "^[^\n]*")
    end
  end)
end)
