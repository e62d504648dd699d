-- Reloads under load, and many of them, at a small size: bench/reload/run does the same at full size.
local loads = require "spec.support.reload_load"

describe("reloads under load", function()
  it("lose no line of a connection, and its versions never go back (guarantees 5 and 7)", function()
    local result = loads.lines(10, 20)
    assert.equal(0, result.errors, result.message)
    assert.same({ 0, 21 }, { result.back, result.seen })
    assert.is_true(result.asked > 200)
  end)

  it("refuse no connection (guarantee 4)", function()
    local result = loads.connects(5, 20)
    assert.equal(0, result.errors, result.message)
    assert.same({ 0, 21 }, { result.back, result.seen })
    assert.is_true(result.asked > 100)
  end)
end)

describe("many reloads (guarantee 12)", function()
  it("need no more memory and no more descriptors than ten", function()
    local first, last = loads.many(120)
    assert.equal(1, last.versions)
    assert.is_true((last.descriptors or 0) <= (first.descriptors or 0),
      ("%s descriptors, then %s"):format(first.descriptors, last.descriptors))
    assert.is_true(last.lua - first.lua < 100, ("Lua: %.0f KB, then %.0f KB"):format(first.lua, last.lua))
  end)
end)

describe("a commit beside connections that are silent (guarantee 15)", function()
  it("leaves them as they are", function()
    assert.equal(3, #loads.commits(100, 3))
  end)
end)

describe("chat.lua under --watch", function()
  it("answers with new code after a save, to who was there before", function()
    assert.equal(10, #loads.saves(10)) -- at once: some are looked at while they are written
  end)
end)
