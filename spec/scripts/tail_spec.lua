-- scripts/tail.lua, as a program that prints what a spec writes into files.
local fs, process, test = require "neap.fs", require "neap.process", require "neap.test"
local program = require "spec.support.program"

local function start(...)
  return assert(process.spawn { program.neap, "scripts/tail.lua", ... })
end

local function line(stream)
  return assert(stream:read("l", { timeout = 20 }))
end

-- The next line that is no title.
local function content(stream)
  local text
  repeat text = line(stream) until text ~= "" and not text:find "^==> "
  return text
end

local function add(path, text)
  assert(fs.write(path, text, { append = true }))
end

describe("scripts/tail.lua", function()
  local dir, log
  before_each(function()
    dir = test.tempdir()
    log = dir:path_of "log"
  end)

  it("prints the last lines, then what is added", function()
    local numbers = {}
    for number = 1, 20000 do numbers[number] = "line " .. number end
    assert(fs.write(log, table.concat(numbers, "\n") .. "\n"))
    local tail <close> = start("-n", "12000", log)
    for number = 8001, 20000 do assert.equal("line " .. number, line(tail.stdout)) end
    for number = 1, 3 do
      add(log, "more " .. number .. "\n")
      assert.equal("more " .. number, line(tail.stdout))
    end
  end)

  it("counts a last line that has no end, and prints all of a short file", function()
    assert(fs.write(log, "one\ntwo\nthr"))
    local tail <close> = start("-n", "2", log)
    assert.equal("two", line(tail.stdout))
    add(log, "ee\n")
    assert.equal("three", line(tail.stdout))
    local whole <close> = start(log)
    assert.equal("one", line(whole.stdout))
    local none <close> = start("-n", "0", log)
    local text
    repeat -- it may not have begun
      add(log, "four\n")
      text = none.stdout:read("l", { timeout = 0.1 })
    until text
    assert.equal("four", text)
  end)

  it("follows the name: what the old file still got, then the new one", function()
    assert(fs.write(log, "a\n"))
    local tail <close> = start(log)
    assert.equal("a", line(tail.stdout))
    for round = 1, 5 do
      assert(fs.rename(log, log .. ".1"))
      add(log .. ".1", "late " .. round .. "\n")
      assert(fs.write(log, "new " .. round .. "\n"))
      assert.equal("late " .. round, line(tail.stdout))
      assert.equal("new " .. round, line(tail.stdout))
    end
  end)

  it("starts again where a file is cut off", function()
    assert(fs.write(log, "a long first line\n"))
    local tail <close> = start(log)
    assert.equal("a long first line", line(tail.stdout))
    assert(fs.write(log, "short\n"))
    assert.equal("short", line(tail.stdout))
    assert.equal(("tail: %s: was cut off"):format(log), line(tail.stderr))
  end)

  it("waits for a file that is not there", function()
    local tail <close> = start(log)
    assert.equal(("tail: %s: no such file or directory"):format(log), line(tail.stderr))
    assert(fs.write(log, "here\n"))
    assert.equal("here", line(tail.stdout))
  end)

  it("says which file, and mixes none of their lines", function()
    local other = dir:write("other", "x\n")
    assert(fs.write(log, "a\n"))
    local tail <close> = start(log, other)
    local seen = { line(tail.stdout), line(tail.stdout), line(tail.stdout), line(tail.stdout), line(tail.stdout) }
    table.sort(seen)
    assert.same({ "", ("==> %s <=="):format(log), ("==> %s <=="):format(other), "a", "x" }, seen)
    add(log, "begun, ")
    add(other, "y\n")
    assert.equal("y", content(tail.stdout))
    add(log, "ended\n")
    assert.equal("begun, ended", content(tail.stdout))
  end)

  it("ends in good order, and when nobody reads any more", function()
    assert(fs.write(log, "a\n"))
    local tail <close> = start(log)
    assert.equal("a", line(tail.stdout))
    tail:kill "TERM"
    assert.equal(0, (tail:wait { timeout = 20 }))
    local deaf <close> = start(log)
    assert.equal("a", line(deaf.stdout))
    deaf.stdout:close()
    add(log, "b\n")
    assert.truthy(deaf:wait { timeout = 20 })
  end)

  it("says what is wrong with its arguments", function()
    for text, arguments in pairs { ["which file?"] = {}, ["-n needs a number of lines"] = { "-n", "x", "f" },
      ["unknown option --help"] = { "--help" } } do
      local result = assert(process.run { program.neap, "scripts/tail.lua", table.unpack(arguments) })
      assert.equal(2, result.status)
      assert.equal("tail: " .. text, result.stderr:match "^[^\n]*")
    end
  end)

  it("follows files, and nothing else", function()
    assert(process.run { "mkfifo", log })
    local result = assert(process.run({ program.neap, "scripts/tail.lua", log }, { timeout = 20 }))
    assert.same({ 1, ("tail: %s: is no file\n"):format(log) }, { result.status, result.stderr })
  end)
end)
