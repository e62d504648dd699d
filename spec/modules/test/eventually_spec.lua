local neap, test, timer = require "neap", require "neap.test", require "neap.timer"

describe("test.eventually", function()
  local function message_of(...)
    local ok, err = pcall(test.eventually, ...)
    assert.is_false(ok)
    return tostring(err)
  end

  it("returns at once what is true", function()
    assert.same({ 1, nil, 3, n = 3 }, table.pack(test.eventually(function() return 1, nil, 3 end)))
  end)

  it("tries again until it is true", function()
    local count = 0
    assert.equal(3, test.eventually(function()
      count = count + 1
      return count == 3 and count
    end))
  end)

  it("lets the others run", function()
    local done
    neap.go(function()
      timer.sleep(0.005)
      done = true
    end)
    assert.is_true(test.eventually(function() return done end))
  end)

  it("takes an error for 'not yet'", function()
    local count = 0
    assert.is_true(test.eventually(function()
      count = count + 1
      assert(count > 2, "too early")
      return true
    end))
  end)

  it("takes a function that waits, and whatever can be called", function()
    assert.is_true(test.eventually(function() return timer.sleep(0.001) end))
    assert.equal("called", test.eventually(setmetatable({}, { __call = function() return "called" end })))
  end)

  it("fails with the last value", function()
    assert.matches("not within 0.01 s: it returned false$", message_of(function() return false end, 0.01))
  end)

  it("fails with the last error", function()
    assert.matches("not within 0 s: it raised: the reason$", message_of(function() error("the reason", 0) end, 0))
  end)

  it("tries at least once, and once when the time is over", function()
    local count = 0
    message_of(function() count = count + 1 end, 0)
    assert.equal(1, count)
    local slept
    assert.is_true(test.eventually(function()
      if slept then return true end
      slept = timer.sleep(0.02)
    end, 0.01))
  end)

  it("fails at the line that has called it", function()
    local line = debug.getinfo(1, "l").currentline + 2
    local _, err = pcall(function()
      test.eventually(function() return nil end, 0)
    end)
    assert.matches("eventually_spec.lua:" .. line .. ": not within", tostring(err))
  end)

  it("goes by virtual time, where that is in force", function()
    local clock <close> = test.clock()
    local later
    timer.sleep(4, function() later = true end)
    assert.is_true(test.eventually(function() return later end))
    assert.matches("not within 5 s", message_of(function() return nil end))
    assert.is_true(clock:now() >= 9)
  end)

  it("can be cancelled", function()
    local task = neap.go(test.eventually, function() return false end)
    timer.sleep(0.002)
    task:cancel()
    assert.equal("ECANCELED", select(3, task:join()))
  end)

  it("raises for wrong arguments", function()
    assert.has_error(function() test.eventually(5) end)
    assert.matches("#1 to 'eventually' %(function expected, got nil%)", message_of())
    assert.matches("#2 to 'eventually' %(number expected, got string%)", message_of(print, "soon"))
  end)
end)
