-- pcall and xpcall: ours, because a cancellation passes them (see cancel_spec).
-- In all else they are Lua's.
local timer = require "neap.timer"

describe("pcall", function()
  it("gives true and the results, or false and the error", function()
    assert.same({ n = 4, true, 1, nil, nil }, table.pack(pcall(function() return 1, nil, nil end)))
    assert.same({ n = 2, false, nil }, table.pack(pcall(error)))
    assert.same({ n = 2, false, "e" }, table.pack(pcall(error, "e", 0)))
    assert.same({ false, "attempt to call a nil value" }, { pcall(nil) })
    assert.error_matches(function() pcall() end, "bad argument #1 to 'pcall' %(value expected%)")
  end)

  it("of itself, many times", function()
    assert.same({ true, true, true, false, "hi" }, { pcall(pcall, pcall, pcall, error, "hi", 0) })
  end)

  it("is there for metatables and for C functions", function()
    assert.same({ true, 3 }, { pcall(setmetatable({}, { __call = function(_, a, b) return a + b end }), 1, 2) })
    assert.same({ true, "b" }, { pcall(string.rep, "b", 1) })
  end)
end)

describe("xpcall", function()
  it("passes arguments and results", function()
    assert.same({ n = 4, true, 1, nil, nil }, table.pack(xpcall(function(...) return ... end, print, 1, nil, nil)))
    assert.same({ true }, { xpcall(function() end, print) })
  end)

  it("gives what the handler makes of the error, one value", function()
    local function handler(...)
      return select("#", ...), ...
    end
    assert.same({ n = 2, false, 1 }, table.pack(xpcall(error, handler, "e")))
    assert.same({ n = 2, false, nil }, table.pack(xpcall(error, function() end, "e")))
    assert.same({ n = 2, false, "E" }, table.pack(xpcall(error, string.upper, "e", 0)))
  end)

  it("lets the handler see the stack as Lua does", function()
    local info, before
    local function fail()
      local x = nil + 1 -- luacheck: ignore
    end
    assert.is_false((xpcall(fail, function()
      info, before = debug.getinfo(2, "fl"), debug.getinfo(3, "S").what
    end)))
    assert.equal(fail, info.func)
    assert.equal(debug.getinfo(fail, "S").linedefined + 1, info.currentline)
    assert.equal("C", before) -- xpcall
  end)

  it("takes debug.traceback as a handler", function()
    local _, trace = xpcall(error, debug.traceback, "boom", 0)
    assert.matches("^boom\nstack traceback:\n\t%[C%]: in function 'error'\n\t%[C%]: in function 'xpcall'\n", trace)
    local value = {}
    assert.same({ false, value }, { xpcall(error, debug.traceback, value) })
  end)

  it("may be nested, and wait in between", function()
    local function inner()
      timer.sleep(0)
      error("e", 0)
    end
    local function outer()
      local _, message = xpcall(inner, function(e) return e .. "1" end)
      timer.sleep(0)
      error(message .. "2", 0)
    end
    assert.same({ false, "e123" }, { xpcall(outer, function(e) return e .. "3" end) })
  end)

  it("ends when the handler fails, too", function()
    local ok = xpcall(error, function() error "again" end, "e")
    assert.is_false(ok)
    local function overflow() return 1 + overflow() end
    local message
    ok, message = xpcall(overflow, function(e) return e:match "stack overflow" end)
    assert.is_false(ok)
    assert.equal("stack overflow", message)
  end)

  it("needs a handler that is a function", function()
    assert.error_matches(function() xpcall(print) end, "bad argument #2 to 'xpcall' %(function expected, got no value")
    assert.error_matches(function() xpcall(print, {}) end, "function expected, got table")
  end)

  it("does not let a handler wait, and says so", function()
    local _, message = xpcall(error, function()
      return select(2, pcall(timer.sleep, 0))
    end)
    assert.matches("cannot wait here", message)
  end)
end)
