local program = require "spec.support.program"
local run_neap = program.run_neap

-- What is printed after the version, without prompts, and what stderr got.
local function type_in(...)
  local result = run_neap({ "-i", "-e", "_PROMPT, _PROMPT2 = '', ''" }, { input = table.concat({ ... }, "\n") .. "\n" })
  assert.equal(0, result.code)
  return result.out:gsub("^neap [^\n]*\n", ""):gsub("\n$", ""), result.err
end

describe("lines that are typed", function()
  it("are run one by one, and show what they return", function()
    assert.equal("1\n2\t3\nx\n", (type_in("print(1)", "2, 3", "=('x')", "local y = 1", "nil_is_no_result = 1")))
  end)

  it("show nil, but not nothing", function()
    assert.equal("nil\n", (type_in("nil", "(function() end)()")))
  end)

  it("may be a statement of several", function()
    assert.equal("1\n2\n", (type_in("for i = 1, 2 do", "print(i)", "end")))
    assert.equal("3\n", (type_in("return 1 +", "2")))
  end)

  it("may fail, and the next one is run", function()
    local out, err = type_in("error('boom')", "x = = 1", "error({})", "print('on')")
    assert.equal("on\n", out)
    assert.equal("stdin:1: boom\nstack traceback:\n\t[C]: in function 'error'\n\tstdin:1: in main chunk\n\t[C]: in ?\n"
      .. "stdin:1: unexpected symbol near '='\n"
      .. "(error object is a table value)\nstack traceback:\n\t[C]: in function 'error'\n\tstdin:1: in main chunk\n"
      .. "\t[C]: in ?\n", err)
  end)

  it("may end in the middle", function()
    local _, err = type_in("if x then")
    assert.matches("^stdin:1: 'end' expected near <eof>\n$", err)
  end)

  it("may wait, and start what goes on", function()
    local out = type_in("timer = require 'neap.timer'", "timer.sleep(0.001)", "n = 0",
      "t = timer.every(0.001, function() n = n + 1 end)", "repeat timer.sleep(0.001) until n > 1", "n > 1")
    assert.equal("true\ntrue\n", out) -- what sleep returns, and the last line
  end)

  it("may wait in vain", function()
    local out, err = type_in("neap = require 'neap'", "t = nil",
      "t = neap.go(function() local me = t neap.go(function() me:join() end):join() end)", "t:join()", "print('on')")
    assert.equal("on\n", out)
    assert.matches("^stdin:1: deadlock: nothing can end this join\n", err)
  end)

  it("may read the next line", function()
    assert.equal("typed\n5\n", (type_in("io.read()", "typed", "2 + 3")))
  end)

  it("may come from a pipe too", function()
    local result = run_neap({ "-i" }, { pipe = "printf 'io.read()\\ntyped\\n2 + 3'" })
    assert.matches("\n> typed\n> 5\n> \n$", result.out)
  end)

  it("may end the program", function()
    assert.equal(4, run_neap({ "-i" }, { input = "os.exit(4)\nprint('no')" }).code)
    assert.equal(4, run_neap({ "-i" }, { input = "require('neap.timer').sleep(0, function() os.exit(4) end)\n"
      .. "require('neap.timer').sleep(9)" }).code)
  end)

  it("are told what print did wrong", function()
    local out, err = type_in("print = nil", "1", "print = error", "2")
    assert.equal("", out)
    assert.equal("error calling 'print' (attempt to call a nil value)\nerror calling 'print' (2)\n", err)
  end)

  it("follow the script", function()
    local result = run_neap({ "-i", "-e", "x = 1" }, { input = "x" })
    assert.matches("^neap [^\n]*\n> 1\n> \n$", result.out)
    result = run_neap({ "-i", "-e", "error('boom')" }, { input = "print('no')" })
    assert.same({ 1, false }, { result.code, result.out:find("no") or false })
  end)

  it("are asked for as the script wants", function()
    local result = run_neap({ "-i", "-e", "_PROMPT = 'a? ' _PROMPT2 = setmetatable({}, { __tostring = function()"
      .. " return 'b? ' end })" }, { input = "print(\n1)" })
    assert.matches("\na%? b%? 1\na%? \n$", result.out)
  end)

  it("do not stop what runs while they are typed", function()
    local directory = program.directory {}
    local result = run_neap({ "-i" }, { dir = directory.path, pipe = [[
      timeout 10 sh -c 'echo "timer = require [=[neap.timer]=]"
        echo "timer.sleep(0.001, function() io.open([=[flag]=], [=[w]=]):close() end)"
        while ! [ -e flag ]; do :; done
        echo "[=[ticked]=]"']] })
    assert.matches("\n> ticked\n> \n$", result.out)
  end)

  it("are asked for at a terminal", function()
    -- script(1) is a terminal; it ends what it runs at the end of its own input.
    local state <close> = program.directory {}
    local result = program.run("script", { "-qec", program.neap, "/dev/null" },
      { input = "1 + 1\nio.read()\nread\nos.exit(3)\n", env = { NO_COLOR = "1", XDG_STATE_HOME = state.path } })
    assert.matches("neap [^\n]*\r\n.*> .*2\r\n> .*\"read\"\r\n> ", result.out)
    assert.equal(3, result.code)
  end)

  it("end the program, whatever runs, when no more come", function()
    assert.same(0, run_neap({ "-i", "-e", "require('neap.timer').every(9, print)" }).code)
  end)
end)
