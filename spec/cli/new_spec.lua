local program = require "spec.support.program"

local function read(path)
  local file <close> = io.open(path)
  return file and file:read("a")
end

describe("neap new", function()
  local directory

  before_each(function() directory = program.directory {} end)

  local function new(...)
    return program.run_neap({ "new", ... }, { dir = directory.path })
  end

  it("makes a service whose spec passes, and in which nothing is to be found", function()
    local result = new("tea-room")
    assert.same({ 0, "" }, { result.code, result.err })
    local path = directory.path .. "/tea-room"
    result = program.run_neap({ "test" }, { dir = path })
    assert.matches("3 passed, 0 failed, 0 skipped\n$", result.out)
    result = program.run_neap({ "check" }, { dir = path })
    assert.equal("4 files checked, 0 problems found\n", result.out)
    result = program.run("timeout", { "-s", "TERM", "1", program.neap, "tea-room.lua", "127.0.0.1:0" }, { dir = path })
    assert.matches("^tea%-room: listening on http://127.0.0.1:%d+\n$", result.out)
  end)

  it("finds the annotations for editors", function()
    new "tea"
    local settings = require "dkjson".decode(read(directory.path .. "/tea/.luarc.json"))
    assert.is_string(read(settings["workspace.library"][1] .. "/neap/timer.lua"))
  end)

  it("overwrites nothing", function()
    new "tea"
    assert.same({ code = 1, out = "", err = "neap new: 'tea' is there already\n" }, new "tea")
  end)

  it("wants one name, that can be one", function()
    assert.matches("what shall it be called", new().err)
    assert.matches("'a/b' is no name", new("a/b").err)
    assert.matches("'--watch' is no name", new("--watch").err)
    assert.matches("one name, and here is 'b'", new("a", "b").err)
    assert.matches("^usage: neap new NAME", new("--help").out)
  end)
end)
