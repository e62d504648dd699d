-- What busted's documentation says holds under `neap test`, also where something waits.
local specs = require "spec.cli.specs"

local function passes(text, ...)
  local result = specs.tap(text, ...)
  assert.same({ 0, "" }, { result.code, result.err }, result.out)
  return result.out
end

describe("busted under neap test", function()
  it("insulates, and exposes", function()
    local result = specs.run({
      ["a_spec.lua"] = [[
        local timer = require "neap.timer"
        insulate("an insulated block", function()
          it("sets", function() timer.sleep(0.001) _G.mine = 1 package.loaded.mine = 2 end)
          it("keeps it inside", function() assert.equal(1, _G.mine) end)
        end)
        describe("after it", function()
          it("is gone", function() assert.is_nil(_G.mine) assert.is_nil(package.loaded.mine) end)
        end)
        expose("an exposed block", function()
          _G.ours, package.loaded.ours = 3, 4
          it("sets", function() timer.sleep(0.001) assert.equal(3, _G.ours) end)
        end)
        it("is there after it", function() assert.same({ 3, 4 }, { _G.ours, package.loaded.ours }) end)]],
      ["b_spec.lua"] = "it('is not in the next file', function() assert.is_nil(_G.mine) end)",
    }, { "." })
    assert.matches("6 passed, 0 failed, 0 skipped\n$", result.out)
  end)

  it("sets up when it is needed, in its order, and tears down", function()
    passes [[
      local steps = {}
      local function note(name) timer.sleep(0.001) steps[#steps + 1] = name end
      describe('lazy', function()
        lazy_setup(function() note 'lazy_setup' end)
        lazy_teardown(function() note 'lazy_teardown' end)
        setup(function() note 'setup' end)
        teardown(function() note 'teardown' end)
        before_each(function() note 'before' end)
        after_each(function() note 'after' end)
        it('one', function() note 'one' finally(function() note 'finally' end) end)
      end)
      describe('never needed', function() lazy_setup(function() note 'wrong' end) end)
      it('ran in order', function()
        assert.same({ 'setup', 'lazy_setup', 'before', 'one', 'finally', 'after', 'lazy_teardown', 'teardown' }, steps)
      end)]]
  end)

  it("runs finally after a failure, and where the spec was over its limit", function()
    local result = specs.tap([[
      local ran = 0
      it('fails', function() finally(function() timer.sleep(0.001) ran = ran + 1 end) error 'x' end)
      it('hangs', function() finally(function() ran = ran + 1 end) timer.sleep(60) end)
      it('both', function() assert.equal(2, ran) end)]], "--limit=0.1")
    assert.matches("\nok 3 %- it both\n", result.out)
  end)

  it("selects by tags and names", function()
    local text = "it('one #fast', function() end) it('two #slow', function() end) it('three', function() end)"
    assert.equal("ok 1 - it one #fast\n1..1\n", passes(text, "--tags=fast"))
    assert.equal("ok 1 - it one #fast\nok 2 - it three\n1..2\n", passes(text, "--exclude-tags=slow"))
    assert.equal("ok 1 - it two #slow\n1..1\n", passes(text, "--filter=two"))
    assert.equal("ok 1 - it one #fast\nok 2 - it two #slow\n1..2\n", passes(text, "--filter-out=three"))
  end)

  it("loads a helper, and .busted", function()
    local result = specs.run({
      ["helper.lua"] = "require 'neap.timer'.sleep(0.001) helped = true",
      ["a_test.lua"] = "it('was helped', function() assert.is_true(helped) end)",
      [".busted"] = "return { default = { ROOT = { '.' }, pattern = '_test', helper = 'helper.lua' },"
        .. " tap = { ROOT = { '.' }, pattern = '_test', helper = 'helper.lua', output = 'TAP' } }",
    }, {})
    assert.matches("1 passed, 0 failed, 0 skipped\n$", result.out)
  end)

  it("stops at the first failure on demand", function()
    local text = "it('a', function() error 'x' end) it('b', function() end)"
    local result = specs.tap(text, "--no-keep-going")
    assert.not_matches("it b", result.out)
    assert.equal(1, result.code)
  end)
end)
