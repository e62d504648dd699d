-- What neap.test makes ends with its spec, whatever that does: seen from outside, in a run of its own.
local test = require "neap.test"

local function run(text)
  local dir = test.tempdir()
  dir:write("a_spec.lua", "local test = require 'neap.test'\n" .. text)
  local flags = { "test", "-o", "TAP", "a_spec.lua" }
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
