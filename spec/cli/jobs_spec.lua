local program = require "spec.support.program"
local specs = require "spec.cli.specs"

local files = {
  ["a_spec.lua"] = specs.file "it('one', function() end)\nit('two', function()\nassert.equal(1, 2)\nend)",
  ["b_spec.lua"] = specs.file "it('three', function() print 'here' end) pending('later')",
  ["m.lua"] = "local m = {}\nfunction m.used()\n  return 1\nend\nfunction m.unused()\n  return 2\nend\nreturn m\n",
  ["c_spec.lua"] = "it('uses', function() assert.equal(1, require 'm'.used()) end)",
}

describe("neap test --jobs", function()
  it("makes the same report as one process", function()
    local one = specs.run(files, { "-o", "TAP", ".", "--lpath=./?.lua" })
    local three = specs.run(files, { "-o", "TAP", ".", "--lpath=./?.lua", "--jobs=3" })
    assert.equal(one.out:gsub("here\n", ""), three.out)
    assert.equal("here\n", three.err)
    assert.equal(1, three.code)
    assert.matches("3 passed, 1 failed, 1 skipped\n$", specs.run(files, { ".", "--jobs=2", "--lpath=./?.lua" }).out)
  end)

  it("gives its children what was asked for", function()
    local result = specs.run(files, { ".", "--jobs", "2", "--filter", "three", "--repeat=2" })
    assert.matches("2 passed, 0 failed, 0 skipped\n$", result.out)
    assert.equal(0, result.code)
  end)

  it("reports one that crashes, with its file", function()
    local crash = { ["a_spec.lua"] = files["b_spec.lua"],
      ["b_spec.lua"] = specs.file "it('breaks', function() os.execute 'kill -KILL $PPID' timer.sleep(9) end)" }
    local result = specs.run(crash, { ".", "--jobs=2" })
    assert.matches("b_spec.lua: its process ended with signal SIGKILL, in the spec 'breaks'", result.out)
    assert.matches("1 passed, 1 failed, 1 skipped\n$", result.out)
    assert.equal(1, result.code)
  end)

  it("is not content with a process that breaks when its specs have passed", function()
    local result = specs.run({ ["a_spec.lua"] = [[
      debug.getregistry().last = setmetatable({}, { __gc = function() os.execute("kill -9 $PPID") end })
      it("passes", function() end)]] }, { "--jobs", "2", "a_spec.lua" })
    assert.matches("a_spec.lua: its process ended with signal SIGKILL", result.out)
    assert.matches("1 passed, 1 failed, 0 skipped\n$", result.out)
  end)

  it("wants a count", function()
    assert.equal("neap test: error: --jobs needs a count from 1 on\n", specs.run({}, { "--jobs=0" }).err)
  end)
end)

describe("neap test --coverage", function()

  for _, jobs in ipairs { 0, 2 } do
    it("tells which lines were run, " .. (jobs > 0 and "by children" or "here"), function()
      local arguments = { "--coverage", "--lpath=./?.lua", ".", jobs > 0 and "--jobs=2" or nil }
      local result = specs.run(files, arguments, { keep = { "lcov.info" } })
      assert.matches("\nm.lua +%d/%d +%d+%.%d %%  6\n", result.out)
      assert.matches("\ntotal +", result.out)
      assert.matches("^TN:\nSF:m.lua\nDA:1,%d+\n.*DA:3,%d+\n.*DA:6,0\n.*LF:%d\nLH:%d\nend_of_record\n$",
        result.files["lcov.info"])
    end)
  end

  it("follows tasks and coroutines, and leaves specs out unless they are asked for", function()
    local own = {
      ["m.lua"] = "local function a()\n  coroutine.yield()\n  return 1\nend\n"
        .. "return coroutine.wrap(function()\n  a()\nend)\n",
      ["a_spec.lua"] = specs.file [[it('x', function()
        local m = require 'm'
        neap.go(function() timer.sleep(0.001) m() m() end):join()
      end)]],
    }
    local result = specs.run(own, { "-c", "--lpath=./?.lua", "a_spec.lua" })
    assert.matches("\nm.lua +(%d+)/%1 +100.0 %%\n", result.out)
    assert.not_matches("\na_spec.lua", result.out)
    assert.matches("\na_spec.lua ", specs.run(own, { "--coverage-specs", "--lpath=./?.lua", "a_spec.lua" }).out)
  end)
end)

describe("neap test --watch", function()
  it("runs again what a change concerns", function()
    local directory = program.directory(files)
    os.execute(([[cd %s && { timeout 20 %s test --watch --lpath='./?.lua' . >log 2>&1 & } 2>/dev/null; P=$!
      until_waiting() {
        n=0
        until [ "$(grep -c waiting log 2>&1)" = $1 ] || [ $n = 200 ]; do sleep 0.05; n=$((n+1)); done
      }
      until_waiting 1
      echo '-- changed' >>m.lua
      until_waiting 2
      kill $P]]):format(directory.path, program.neap))
    assert.matches("3 passed, 1 failed, 1 skipped\nneap test: waiting for changes\n\n"
      .. "neap test: ./m.lua changed\n.*\n1 passed, 0 failed, 0 skipped\nneap test: waiting for changes\n",
      directory:read "log")
  end)
end)
