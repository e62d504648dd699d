local specs = require "spec.cli.specs"

describe("the limit of neap test", function()
  it("ends a spec that waits, says where each of its tasks does, and goes on", function()
    local result = specs.tap([[
      it('waits', function()
        neap.go(function() timer.sleep(60) end)
        timer.sleep(60)
      end)
      it('passes', function()
        for _, task in ipairs(neap.tasks()) do assert.not_equal('sleep', task.waits) end
      end)]], "--limit=0.1")
    assert.matches("not ok 1 %- it waits\n.*a_spec.lua:5: this has taken more than 0.1 s\n"
      .. "#   task %d+ %(spec%) waits in sleep at a_spec.lua:5\n"
      .. "#   task %d+ %(task%) waits in sleep at a_spec.lua:4, started at a_spec.lua:4\n", result.out)
    assert.matches("\nok 2 %- it passes\n", result.out)
    assert.same({ 1, "" }, { result.code, result.err })
  end)

  it("ends a spec that spins, whatever it catches", function()
    local result = specs.tap([[
      it('spins', function()
        while true do pcall(function() while true do end end) end
      end)
      it('passes', function() end)]], "--limit", "0.1")
    assert.matches("a_spec.lua:4: this has held the loop for more than 0.1 s\n", result.out)
    assert.matches("\nok 2 %- it passes\n", result.out)
  end)

  it("ends one whose task spins", function()
    local result = specs.tap([[
      it('starts it', function() neap.go(function()
        while true do end
      end) timer.sleep(60) end)
      it('passes', function() end)]], "--limit=0.1")
    assert.matches("not ok 1 .*a_spec.lua:4: this has held the loop", result.out)
    assert.matches("\nok 2 %- it passes\n", result.out)
  end)

  it("lets its __close and after_each run", function()
    local result = specs.tap([[
      local steps = {}
      after_each(function() steps[#steps + 1] = 'after' end)
      it('waits', function()
        local _ <close> = setmetatable({}, { __close = function() steps[1] = 'closed' end })
        timer.sleep(60)
      end)
      it('sees', function() assert.same({ 'closed', 'after' }, steps) end)]], "--limit=0.1")
    assert.matches("\nok 2 %- it sees\n", result.out)
  end)

  it("is one for before_each, too", function()
    local result = specs.tap("before_each(function()\ntimer.sleep(60)\nend)\nit('x', function() end)", "--limit=0.1")
    assert.matches("a_spec.lua:4: this has taken more than 0.1 s", result.out)
    assert.equal(1, result.code)
  end)

  it("is in .busted, or off", function()
    local files = { ["a_spec.lua"] = specs.file("it('sleeps', function() timer.sleep(0.2) end)"),
      [".busted"] = "return { default = { limit = 0.1 } }" }
    assert.equal(1, specs.run(files, { "a_spec.lua" }).code)
    assert.equal(0, specs.run(files, { "a_spec.lua", "--limit=0" }).code)
    local result = specs.run(files, { "a_spec.lua", "--limit=soon" })
    assert.same({ 1, "neap test: error: --limit needs a number, not 'soon'\n" }, { result.code, result.err })
  end)
end)

describe("the report of neap test", function()
  local files = { ["a_spec.lua"] = specs.file [[
    it('is slow', function() timer.sleep(0.06) end)
    it('fails', function() assert.same({ 1, { 2 } }, { 1, { 3 } }) end)
    pending('later')]] }

  it("closes with the slowest specs, the failed ones and one line", function()
    local result = specs.run(files, { "-o", "plainTerminal", "a_spec.lua" })
    assert.matches("\nSlowest specs:\n +0%.%d+ s  a_spec.lua:3  it is slow\n"
      .. "\nFailed specs:\n  a_spec.lua:4  it fails: a_spec.lua:4: Expected objects to be the same. Passed in: [^\n]*\n"
      .. "1 passed, 1 failed, 1 skipped\n$", result.out)
    assert.matches("%*%[2%] = {\n +%*%[1%] = 3 } }\n", result.out) -- luassert's marks
  end)

  it("tells of a file in which no spec has failed", function()
    local result = specs.run({ ["a_spec.lua"] = "describe('it', function() error 'here' end)", ["b_spec.lua"] = "no(" },
      { ".", "--jobs=2", "--no-shuffle-files" })
    assert.matches("\nFailed specs:\n.*  ./b_spec.lua  ./b_spec.lua:1: unexpected symbol near <eof>\n", result.out)
    assert.matches("\n  ./a_spec.lua:1  it: ./a_spec.lua:1: here\n", result.out)
  end)

  it("leaves to programs what is for them", function()
    local result = specs.run(files, { "-o", "json", "a_spec.lua" })
    local report = require "dkjson".decode(result.out)
    assert.same({ 1, 1, 1 }, { #report.successes, #report.failures, #report.pendings })
    result = specs.run(files, { "-o", "junit", "a_spec.lua" })
    assert.matches("^\n*<testsuites .*tests='3'.*<testcase .*name='it is slow'.*"
      .. "<failure>.*</testsuites>\n$", result.out)
    result = specs.run(files, { "-o", "TAP", "a_spec.lua" })
    assert.matches("^ok 1 .*\nnot ok 2 .*\n1%.%.3\n$", result.out)
  end)

  it("repeats, with the seed that is given", function()
    local text = "for i = 1, 9 do it('n' .. i, function() io.stderr:write(i) end) end"
    local function order(...)
      return specs.run({ ["a_spec.lua"] = specs.file(text) }, { "a_spec.lua", "--shuffle", ... })
    end
    local one = order("--seed=7")
    assert.equal(one.err, order("--seed=7").err)
    assert.not_equal("123456789", one.err)
    local twice = order("--seed=7", "--repeat=2")
    assert.equal(one.err, twice.err:sub(1, 9))
    assert.matches("18 passed, 0 failed, 0 skipped\n$", twice.out)
  end)
end)

describe("the leaks of neap test", function()
  local files = { ["a_spec.lua"] = specs.file [[
    it('leaves', function()
      timer.every(1, print)
      neap.go(function() timer.sleep(60) end)
    end)
    it('does not', function() timer.sleep(0.001) end)]] }

  it("are told, with their lines", function()
    local result = specs.run(files, { "--leaks", "a_spec.lua" })
    assert.matches("neap: leak: a_spec.lua @ 3, it leaves: a timer of a_spec.lua:4 was left open\n", result.err)
    assert.matches("neap: leak: a_spec.lua @ 3, it leaves: a task %(task%), started at a_spec.lua:5, ", result.err)
    assert.not_matches("does not", result.err)
    assert.equal(0, result.code)
  end)

  it("fail the run on demand", function()
    local result = specs.run(files, { "--leaks=fail", "a_spec.lua" })
    assert.matches("a_spec.lua @ 4\n.*leak: a timer of a_spec.lua:4 was left open\n.*2 passed, 2 failed", result.out)
    assert.equal(1, result.code)
  end)
end)
