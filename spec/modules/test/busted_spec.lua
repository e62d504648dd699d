-- What neap.test makes ends with its spec, whatever that does: seen from outside, in a run of its own.
local test = require "neap.test"

local function run(text, helper)
  local dir = test.tempdir()
  dir:write("helper.lua", helper or "")
  dir:write("a_spec.lua", "local test = require 'neap.test'\n" .. text)
  local flags = { "test", "-o", "TAP", "--helper=helper.lua", "a_spec.lua" }
  local child = test.spawn_neap("", {}, { ready = false, cwd = dir.path, flags = flags })
  local code, out, err = child:wait()
  return out .. err, code
end

describe("after a spec", function()
  local EXISTS = "local function exists(path) return os.rename(path, path) == true end\n"

  it("all is closed, the newest first", function()
    local out, code = run(EXISTS .. [[
      local dir, server
      it('1', function()
        dir = test.tempdir()
        server = test.server(print, { address = 'unix:' .. dir:path_of 's' })
        assert.is_true(exists(dir:path_of 's'))
      end)
      it('2', function()
        assert.is_false(exists(dir.path))
        assert.is_nil((server:connect()))
      end)]])
    assert.same({ 0, 2 }, { code, select(2, out:gsub("ok %d", "")) }, out)
  end)

  it("all is closed when it has failed", function()
    local out, code = run(EXISTS .. [[
      local dir
      it('1', function() dir = test.tempdir() error 'it fails' end)
      it('2', function() assert.is_false(exists(dir.path)) end)]])
    assert.equal(1, code)
    assert.matches("not ok 1.*it fails.*\nok 2", out)
  end)

  it("the spec's own finally is called too", function()
    local out, code = run(EXISTS .. [[
      local dir, called
      it('1', function()
        finally(function() called = exists(dir.path) end)
        dir = test.tempdir()
      end)
      it('2', function()
        assert.is_true(called)
        assert.is_false(exists(dir.path))
      end)]])
    assert.equal(0, code, out)
  end)

  it("what a setup has made goes on, to the end of its file", function()
    local out, code = run(EXISTS .. [[
      describe('a', function()
        local dir
        setup(function() dir = test.tempdir() end)
        it('1', function() assert.is_true(exists(dir.path)) end)
        it('2', function() assert.is_true(exists(dir.path)) end)
        teardown(function() io.write('PATH ', dir.path, '\n') end)
      end)]])
    assert.equal(0, code, out)
    local path = out:match "PATH ([^\n]+)"
    assert.is_nil((os.rename(path, path)))
  end)

  it("what cannot be closed is an error, and the others are closed", function()
    local out, code = run(EXISTS .. [[
      local dir
      it('1', function()
        dir = test.tempdir()
        local other = test.tempdir()
        other.close = function() error 'cannot' end
      end)
      it('2', function() assert.is_false(exists(dir.path)) end)]])
    assert.equal(1, code)
    assert.matches("cannot", out)
    assert.matches("\nok %d %- 2", out)
  end)

  it("a runner finds what it has left, and only that", function()
    local out, code = run([[
      local net, timer = require 'neap.net', require 'neap.timer'
      local leaked
      it('1', function() test.server(print) test.tempdir() end)
      it('2', function() leaked = timer.every(60, print) end)
      it('3', function() leaked:close() error 'it fails' end)
      it('4', function() net.listen('127.0.0.1:0', print) end)]], [[
      local busted, test = require 'busted', require 'neap.test'
      local check
      busted.subscribe({ 'test', 'start' }, function() check = test.leaks() return nil, true end)
      busted.subscribe({ 'test', 'end' }, function(element)
        for _, leak in ipairs(check:finish()) do print(element.name, leak) end
        return nil, true
      end)]])
    assert.equal(1, code)
    assert.same({ "2\ta timer of a_spec.lua:5 was left open", "4\ta server of a_spec.lua:7 was left open" },
      { out:match "(2\t[^\n]*).*(4\t[^\n]*)" }, out)
    assert.not_matches("[13]\t", out)
  end)

  it("stdout is what it was", function()
    local out, code = run [[
      it('1', function()
        test.capture()
        io.write 'SWALLOWED'
        error 'it fails'
      end)]]
    assert.equal(1, code)
    assert.not_matches("SWALLOWED", out)
    assert.matches("not ok 1.*it fails", out)
  end)

  it("eventually fails a spec as an assertion does", function()
    local out = run "it('1', function() test.eventually(function() end, 0) end)"
    assert.matches("not ok 1.*Failure message: a_spec.lua:2: not within 0 s: it returned nil", out)
  end)

  it("a module loaded inside of a spec knows it is in one", function()
    local out, code = run [[
      local path
      it('1', function()
        package.loaded['neap.test'] = nil
        path = require 'neap.test'.tempdir().path
      end)
      it('2', function() assert.is_nil((os.rename(path, path))) end)]]
    assert.same({ 0 }, { code }, out)
  end)
end)
