local program = require "spec.support.program"

-- `neap test` with one file of specs; "..." is what stands in its describe.
local function run_specs(text, arguments, options)
  local directory = program.directory {
    ["a_spec.lua"] = "local neap, timer = require 'neap', require 'neap.timer'\ndescribe('it', function()\n"
      .. text .. "\nend)",
  }
  local command = { "test", "-o", "TAP", "a_spec.lua", table.unpack(arguments or {}) }
  options = options or {}
  options.dir = directory.path
  return program.run_neap(command, options)
end

describe("neap test", function()
  it("runs specs that wait, wherever they do", function()
    local result = run_specs [[
      local steps = {}
      local function step(name) timer.sleep(0.001) steps[#steps + 1] = name end
      before_each(function() step 'before' end)
      after_each(function() step 'after' end)
      it('a', function() step 'a' assert.has_error(function() step 'error' error('x', 0) end, 'x') end)
      it('b', function()
        assert.is_false((pcall(function() step 'pcall' error() end)))
        assert.same({ 'before', 'a', 'error', 'after', 'before', 'pcall' }, steps)
      end)]]
    assert.same({ 0, "" }, { result.code, result.err })
    assert.matches("ok 1 %- it a\nok 2 %- it b\n", result.out)
  end)

  it("says where a spec has failed, after it has waited", function()
    local result = run_specs("it('fails', function()\ntimer.sleep(0.001)\nassert.equal(1, 2)\nend)\n"
      .. "it('passes', function() end)")
    assert.matches("not ok 1 %- it fails\n# a_spec.lua @ 3\n.*a_spec.lua:5: Expected objects to be equal", result.out)
    assert.matches("\nok 2 %- it passes\n", result.out)
    assert.equal(1, result.code)
  end)

  it("fails the one spec that waits in vain, at its line", function()
    local result = run_specs [[
      it('waits', function()
        local task
        task = neap.go(function() local me = task neap.go(function() me:join() end):join() end)
        task:join()
      end)
      it('goes on', function() timer.sleep(0.001) end)]]
    assert.matches("not ok 1 %- it waits\n.*a_spec.lua:5: deadlock: nothing can end this join", result.out)
    assert.matches("\nok 2 %- it goes on\n", result.out)
    assert.equal(1, result.code)
  end)

  it("fails the spec that has started a task that fails, and that nobody joins", function()
    local result = run_specs("it('starts', function() neap.go(function() error('boom') end) end)\n"
      .. "it('passes', function() end)")
    assert.matches("not ok 1 %- it starts\n# a_spec.lua @ 3\n# Failure message: a_spec.lua:3: boom "
      .. "%(in task %d+, task, started at a_spec.lua:3%)\n# stack traceback:\n", result.out)
    assert.matches("\nok 2 %- it passes\n", result.out)
    assert.same({ 1, "" }, { result.code, result.err })
  end)

  it("names the spec that has started what fails after its end", function()
    local result = run_specs("it('starts', function()\ntimer.sleep(0.02, function() error('late') end)\nend)\n"
      .. "it('waits', function() timer.sleep(0.04) end)")
    assert.matches("ok 1 %- it starts\n.*\nok 3 %- it waits\n", result.out)
    assert.matches("not ok 2 %- a_spec.lua @ 3, it starts\n.*a_spec.lua:4: late .*"
      .. "The spec that has started it was over: a_spec.lua @ 3, it starts\n", result.out)
    assert.equal(1, result.code)
  end)

  it("leaves errors to the spec that wants to judge them", function()
    local result = run_specs [[
      it('judges', function()
        local message
        neap.on_error(function(err) message = err end)
        neap.go(error, 'mine')
        timer.sleep(0.001)
        neap.on_error(nil)
        assert.equal('mine', message)
      end)]]
    assert.same({ 0, "" }, { result.code, result.err })
  end)

  it("and no longer than it wants to", function()
    local result = run_specs("it('judges', function() neap.on_error(print) neap.on_error(nil) neap.go(error, 'x') end)")
    assert.equal(1, result.code)
  end)

  it("ends when the specs do, whatever still runs", function()
    local result = run_specs("it('leaves', function() timer.every(0.001, function() end)\n"
      .. "neap.go(function() timer.sleep(60) end) end)")
    assert.same({ 0, "" }, { result.code, result.err })
  end)

  it("gives busted its options", function()
    local result = run_specs("it('one', function() end) it('two', function() end)", { "--filter", "two" })
    assert.matches("ok 1 %- it two\n", result.out)
    assert.not_matches("one", result.out)
    result = run_specs("it('one', function() end)", { "--nonsense" })
    assert.matches("^neap test: error: .*%-%-nonsense", result.err)
    assert.equal(1, result.code)
  end)

  it("does not watch specs that block, unless it is told to", function()
    local busy = "it('blocks', function() local t = os.clock() + 0.06 while os.clock() < t do end end)"
    assert.equal("", run_specs(busy).err)
  end)

  it("shows busted's help", function()
    local result = program.run_neap { "test", "--help" }
    assert.matches("^Usage: neap test %[OPTIONS%].*%-%-filter.*\n$", result.out)
    assert.same({ 0, "" }, { result.code, result.err })
    assert.same(result, program.run_neap { "test", "-h" })
  end)

  it("says what to install", function()
    local result = run_specs("", {}, { env = { LUA_PATH = "./?.lua" } })
    assert.matches("^neap test: busted is not installed. Debian: apt install lua%-busted;", result.err)
    assert.equal(1, result.code)
  end)
end)
