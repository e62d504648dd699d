-- neap.group and neap.deadline: tasks that end with their starter; and what
-- else there is in the module. Tasks themselves: spec/host.
local neap, test, timer = require "neap", require "neap.test", require "neap.timer"
local support = require "spec.support.neap"

local function park() timer.sleep(1000) end

local function pause(...)
  timer.sleep(0)
  return ...
end

local function closing(fn) return setmetatable({}, { __close = fn }) end

describe("a group", function()
  it("waits for all, and returns what its function returns", function()
    local done = 0
    local values = table.pack(neap.group(function(group, ...)
      for i = 1, 5 do
        group:go(function()
          timer.sleep(i / 1000)
          done = done + 1
        end)
      end
      return select("#", ...), nil, ...
    end, "a", nil))
    assert.equal(5, done)
    assert.same({ n = 4, 2, nil, "a", nil }, values)
  end)

  it("is over at once when it has nothing to wait for", function()
    assert.equal(0, select("#", neap.group(function() end)))
    assert.equal(1, neap.group(function() return 1 end))
  end)

  it("returns many values", function()
    local numbers = {}
    for i = 1, 1000 do numbers[i] = i end
    assert.equal(1000, select("#", neap.group(function() return table.unpack(numbers) end)))
  end)

  it("gives its members their arguments, and their results to who joins them", function()
    neap.group(function(group)
      local task = group:go(function(a, b) return pause(b, a) end, 1, 2)
      assert.same({ 2, 1 }, { task:join() })
      assert.is_nil(group:go(park):cancel() and nil)
    end)
  end)

  it("raises the first error, cancels the others and waits for their end", function()
    local closed, after = 0, false
    local value = {}
    local ok, err = pcall(neap.group, function(group)
      for _ = 1, 3 do
        group:go(function()
          local _ <close> = closing(function()
            timer.sleep(0.002)
            closed = closed + 1
          end)
          park()
          after = true
        end)
      end
      group:go(function()
        timer.sleep(0.001)
        error(value)
      end)
    end)
    assert.is_false(ok)
    assert.equal(value, err)
    assert.equal(3, closed)
    assert.is_false(after)
  end)

  it("raises an error of its function, and cancels its members", function()
    local task
    local ok, message = pcall(neap.group, function(group)
      task = group:go(park)
      timer.sleep(0)
      error("in the function", 0)
    end)
    assert.same({ false, "in the function" }, { ok, message })
    assert.equal("cancelled", task.status)
  end)

  it("raises an error though its function waits", function()
    local reached = false
    local ok, message = pcall(neap.group, function(group)
      group:go(error, "early")
      park()
      reached = true
    end)
    assert.same({ false, "early" }, { ok, message })
    assert.is_false(reached)
  end)

  it("raises the first of several errors; the second is not lost", function()
    local status, out, err = support.run [[
      local neap, timer = require "neap", require "neap.timer"
      print(pcall(neap.group, function(group)
        group:go(function()
          local _ <close> = setmetatable({}, { __close = function() error("second", 0) end })
          timer.sleep(1000)
        end)
        group:go(function() timer.sleep(0.001) error("first", 0) end)
      end))
    ]]
    assert.equal("false\tfirst\n", out)
    assert.matches("failed: second\n", err)
    assert.equal(1, status)
  end)

  it("takes an error once: nothing is reported", function()
    support.output [[
      local neap = require "neap"
      assert(not pcall(neap.group, function(group) group:go(error, "e") end))
    ]]
  end)

  it("lets a member be cancelled alone", function()
    local other
    local result = neap.group(function(group)
      local task = group:go(park)
      other = group:go(pause, "other")
      timer.sleep(0)
      task:cancel()
      return "result"
    end)
    assert.equal("result", result)
    assert.equal("other", other:join())
  end)

  it("ends with its caller: cancelled, it cancels its members and waits for their __close", function()
    local closed, passed = 0, false
    local task = neap.go(function()
      pcall(neap.group, function(group)
        for _ = 1, 3 do
          group:go(function()
            local _ <close> = closing(function()
              timer.sleep(0.002)
              closed = closed + 1
            end)
            park()
          end)
        end
        park()
      end)
      passed = true
    end)
    for _ = 1, 5 do timer.sleep(0) end
    task:cancel()
    assert.equal("ECANCELED", select(3, task:join()))
    assert.equal(3, closed)
    assert.is_false(passed)
  end)

  it("may be nested: an error goes up through all of them", function()
    local inner, sibling
    local ok, message = pcall(neap.group, function(outer)
      sibling = outer:go(park)
      outer:go(function()
        neap.group(function(group)
          inner = group:go(park)
          group:go(function()
            timer.sleep(0.001)
            error("deep", 0)
          end)
        end)
      end)
    end)
    assert.same({ false, "deep" }, { ok, message })
    assert.equal("cancelled", inner.status)
    assert.equal("cancelled", sibling.status)
  end)

  it("may get members from its members", function()
    local count = 0
    neap.group(function(group)
      local function branch(n)
        count = count + 1
        if n == 0 then return end
        group:go(branch, n - 1)
        group:go(branch, n - 1)
      end
      group:go(branch, 5)
    end)
    assert.equal(63, count)
  end)

  it("takes nobody more once it is over", function()
    local kept
    neap.group(function(group) kept = group end)
    local ran = false
    assert.error_matches(function() kept:go(function() ran = true end) end, "this group is over")
    timer.sleep(0)
    assert.is_false(ran)
  end)

  it("cancels who joins it after it has failed", function()
    local late
    pcall(neap.group, function(group)
      group:go(function()
        local _ <close> = closing(function() late = group:go(park) end)
        park()
      end)
      group:go(pause)
      timer.sleep(0)
      error "e"
    end)
    assert.equal("cancelled", late.status)
  end)

  it("needs a function", function()
    assert.error_matches(function() neap.group() end, "function expected, got no value")
    assert.error_matches(function() neap.group(function(group) group:go() end) end, "function expected, got no value")
    neap.group(function(group)
      assert.error_matches(function() group.go({}, park) end, "neap.group expected, got table")
      assert.is_nil(group.other)
    end)
  end)

  it("of ten thousand members is no matter", function()
    local sum = 0
    neap.group(function(group)
      for i = 1, 10000 do group:go(function(n)
          timer.sleep(0)
          sum = sum + n
        end, i)
      end
    end)
    assert.equal(50005000, sum)
  end)
end)

describe("a deadline", function()
  it("returns what the function returns, if it is in time", function()
    local values = table.pack(neap.deadline(1000, function(...) return pause(select("#", ...), ...) end, nil, "a", nil))
    assert.same({ n = 4, 3, nil, "a", nil }, values)
    assert.equal(0, select("#", neap.deadline(1000, function() end)))
    assert.equal(1, neap.deadline(0, function() return 1 end))
  end)

  it("returns nil, a message and ETIMEDOUT, if it is late", function()
    local values = table.pack(neap.deadline(0.002, park))
    assert.same({ n = 3, nil, "deadline of 0.002 s: timed out", "ETIMEDOUT" }, values)
  end)

  it("is never early", function()
    local start = timer.monotonic()
    neap.deadline(0.01, park)
    assert.is_true(timer.monotonic() - start >= 0.01)
  end)

  it("cancels what it waited for, and waits for its __close", function()
    local clock <close> = test.clock() -- luacheck: ignore -- it has begun by then
    local closed, after = false, false
    neap.deadline(0.001, function()
      local _ <close> = closing(function()
        timer.sleep(0.002)
        closed = true
      end)
      pcall(park)
      after = true
    end)
    assert.is_true(closed)
    assert.is_false(after)
  end)

  it("raises an error of the function", function()
    local value = {}
    local ok, err = pcall(neap.deadline, 1000, function() error(pause(value)) end)
    assert.is_false(ok)
    assert.equal(value, err)
  end)

  it("may be nested: the earlier one counts, and only that is late", function()
    local inner
    local result = table.pack(neap.deadline(1000, function()
      inner = table.pack(neap.deadline(0.002, park))
      return "outer"
    end))
    assert.equal("ETIMEDOUT", inner[3])
    assert.equal("outer", result[1])
    inner = nil
    result = table.pack(neap.deadline(0.002, function() inner = table.pack(neap.deadline(1000, park)) end))
    assert.is_nil(inner)
    assert.equal("ETIMEDOUT", result[3])
  end)

  it("ends with its caller", function()
    local closed = false
    local task = neap.go(function()
      neap.deadline(1000, function()
        local _ <close> = closing(function() closed = true end)
        park()
      end)
    end)
    timer.sleep(0)
    timer.sleep(0)
    task:cancel()
    assert.equal("ECANCELED", select(3, task:join()))
    assert.is_true(closed)
  end)

  it("ends a group inside it", function()
    local clock <close> = test.clock() -- luacheck: ignore -- it has begun by then
    local task
    local _, _, code = neap.deadline(0.002, neap.group, function(group)
      task = group:go(park)
    end)
    assert.equal("ETIMEDOUT", code)
    assert.equal("cancelled", task.status)
  end)

  it("that comes while the result does is one or the other, never both", function()
    for _ = 1, 50 do
      local value, _, code = neap.deadline(0.001, function()
        timer.sleep(0.001)
        return "value"
      end)
      assert.is_true((value == "value" and code == nil) or (value == nil and code == "ETIMEDOUT"))
    end
  end)

  it("needs seconds and a function", function()
    assert.error_matches(function() neap.deadline(park) end, "bad argument #1 to 'deadline' %(number expected")
    assert.error_matches(function() neap.deadline(1) end, "bad argument #2 to 'deadline' %(function expected")
    for _, bad in ipairs { -1, 0 / 0, 1 / 0, 1e10 } do
      assert.error_matches(function() neap.deadline(bad, park) end, "must be a number of seconds from 0 to 1e9")
    end
  end)
end)

describe("the module", function()
  it("adds no global", function()
    local out = support.output [[
      local before = {}
      for name in pairs(_G) do before[name] = true end
      require "neap" require "neap.timer" require "neap.net"
      for name in pairs(_G) do assert(before[name], name) end
      local names = {}
      for name in pairs(before) do names[#names + 1] = name end
      table.sort(names)
      print(table.concat(names, " "))
    ]]
    local names = "_G _VERSION arg assert collectgarbage coroutine debug dofile error getmetatable io ipairs load " ..
      "loadfile math next os package pairs pcall print rawequal rawget rawlen rawset require select setmetatable " ..
      "string table tonumber tostring type utf8 warn xpcall\n"
    assert.equal(names, out)
  end)

  it("has a version and the arguments of the script", function()
    assert.matches("^%d+%.%d+%.%d+$", neap.version)
    local out = support.output('print(#require("neap").args, table.unpack(require("neap").args))', {
      args = { "a", "b c", "" },
    })
    assert.equal("3\ta\tb c\t\n", out)
    assert.equal("0\n", support.output 'print(#require("neap").args)')
  end)

  it("has ready(), which may be called at any time", function()
    assert.equal("done\n", support.output [[
      local neap = require "neap"
      neap.ready()
      neap.ready()
      print "done"
    ]])
  end)
end)
