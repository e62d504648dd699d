local program = require "spec.support.program"
local run_neap, run_both = program.run_neap, program.run_both

-- Runs the text as a script, in both programs.
local function same(text, arguments)
  local directory = program.directory { ["a.lua"] = text }
  return run_both({ "a.lua", table.unpack(arguments or {}) }, { dir = directory.path })
end

local function run_script(text, ...)
  local directory = program.directory { ["a.lua"] = text }
  return run_neap({ "a.lua", ... }, { dir = directory.path })
end

describe("a script is run as lua runs it:", function()
  it("its arguments", function()
    local result = same("print(select('#', ...), ...) print(#arg, arg[0], arg[1], arg[3], arg[4])", { "1", "", "a b" })
    assert.equal("3\t1\t\ta b\n3\ta.lua\t1\ta b\tnil\n", result.out)
  end)

  it("what stands before it has negative indices", function()
    local directory = program.directory { ["a.lua"] = "for i = -4, 2 do print(i, i > -4 and arg[i]) end" }
    run_both({ "-W", "-e", "x = 1", "a.lua", "1" }, { dir = directory.path })
  end)

  it("a first line for the shell", function()
    assert.equal("a.lua:2: in \n", same("#!/usr/bin/env neap\nprint(debug.traceback():match('a.lua:2: in '))").out)
  end)

  it("an error", function()
    local result = same("local function f() error('boom') end\nf()")
    assert.matches("^neap: a.lua:1: boom\nstack traceback:\n\t%[C%]: in function 'error'", result.err)
    assert.equal(1, result.code)
  end)

  it("an error without a message", function()
    same("error()")
    same("error({})")
  end)

  it("an error that is a number", function() same("error(42)") end)
  it("a syntax error", function() assert.equal(1, same("x = = 1").code) end)
  it("a stack overflow", function() assert.equal(1, run_script("local function f() return 1 + f() end f()").code) end)

  it("an object that can tell what it is", function()
    local text = "error(setmetatable({}, { __tostring = function() return 'told' end }))"
    assert.matches("^neap: told\n", run_script(text).err)
  end)

  it("its exit status", function()
    assert.equal(0, same("os.exit()").code)
    assert.equal(0, same("os.exit(true, true)").code)
    assert.equal(1, same("os.exit(false)").code)
    assert.equal(7, same("os.exit(7)").code)
    assert.equal(3, same("pcall(function() io.write('out') os.exit(3) end) print('no')").code)
  end)

  it("what it returns is not looked at", function() assert.equal(0, same("return 3").code) end)
  it("a global that is misspelled", function() same("print(#undefined)") end)
  it("a module that is not there", function()
    local result = run_script("require 'no.module'")
    local text = "^neap: a.lua:1: module 'no.module' not found:\n\tno field package.preload%['no.module'%]\n\tno file"
    assert.matches(text, result.err)
  end)
end)

describe("where a script comes from:", function()
  it("a file that is not there", function()
    local result = run_both { "no/such/file.lua" }
    assert.equal("neap: cannot open no/such/file.lua: No such file or directory\n", result.err)
    assert.equal(1, result.code)
  end)

  it("standard input", function()
    assert.equal("stdin:1: in main chunk\n",
      run_both({}, { input = "print((debug.traceback():match('stdin.*chunk')))" }).out)
  end)

  it("standard input that fails (lua exits 0)", function()
    for _, text in ipairs { "error 'boom'", "x =" } do
      local theirs = run_both({ "-" }, { input = text })
      assert.same(theirs, run_neap({}, { input = text }))
      assert.equal(1, theirs.code)
    end
  end)

  it("standard input, with arguments", function()
    assert.equal("-\t1\t2\n", run_both({ "-", "1", "2" }, { input = "print(arg[0], ...)" }).out)
  end)

  it("after --, whatever its name", function()
    local directory = program.directory { ["-e"] = "print(arg[0], ...)", ["test"] = "print 'mine'" }
    assert.equal("-e\t1\n", run_both({ "--", "-e", "1" }, { dir = directory.path }).out)
    assert.equal("mine\n", run_both({ "--", "test" }, { dir = directory.path }).out)
  end)

  it("after run, whatever its name", function()
    local directory = program.directory { ["test"] = "print(arg[-1], arg[0], ...)" }
    assert.equal("run\ttest\t1\n", run_neap({ "run", "test", "1" }, { dir = directory.path }).out)
    assert.equal("1\n-\ttest\t1\n", run_neap({ "run", "-e", "print(1)", "-", "test", "1" },
      { input = "print(arg[0], ...)" }).out)
  end)

  it("not standard input, where that is closed", function()
    local code = "print(io.read(), (io.open('/dev/null')))"
    local result = program.run("sh", { "-c", '"$0" -e "$1" <&-', program.neap, code })
    assert.matches("^nil\tfile %(0x", result.out)
    result = program.run("sh", { "-c", '"$0" -e "print(1)" >&- 2>&- <&-', program.neap })
    assert.same({ code = 0, out = "", err = "" }, result)
    assert.equal(0, program.run("sh", { "-c", '"$0" -i <&-', program.neap }).code)
  end)

  it("a directory", function()
    assert.equal(1, run_both({ "." }).code)
  end)
end)

describe("a script runs in a task:", function()
  it("it may wait, at its top and in what it requires", function()
    local directory = program.directory {
      ["a.lua"] = "local timer = require 'neap.timer' timer.sleep(0.001) print(require('b')) error('end')",
      ["b.lua"] = "require('neap.timer').sleep(0.001) return 'waited'",
    }
    local result = run_neap({ "a.lua" }, { dir = directory.path })
    assert.equal("waited\ta.lua", (result.out:gsub("%./b.lua\n", "a.lua")))
    assert.matches("^neap: a.lua:1: end\nstack", result.err)
    assert.equal(1, result.code)
  end)

  it("what it has started goes on after its end", function()
    local result = run_script("require('neap.timer').sleep(0.001, function() print 'later' end) print 'end'")
    assert.same({ code = 0, out = "end\nlater\n", err = "" }, result)
  end)

  it("and after its error, which counts at the end", function()
    local result = run_script("require('neap.timer').sleep(0.001, function() print 'later' end) error('boom', 0)")
    assert.equal("later\n", result.out)
    assert.equal(1, result.code)
  end)

  it("an error in another task counts too", function()
    local result = run_script("require('neap').go(error, 'boom') require('neap.timer').sleep(0.001) print 'end'")
    assert.equal("end\n", result.out)
    assert.matches("^neap: task %d+ %(task%) failed: boom\n", result.err)
    assert.equal(1, result.code)
  end)

  it("any task ends the program", function()
    local result = run_script("require('neap').go(function() require('neap').exit(5) end)\n"
      .. "require('neap.timer').sleep(10) print('no')")
    assert.same({ code = 5, out = "", err = "" }, result)
  end)

  it("its task has a name", function()
    assert.equal("main\n", run_script("print(require('neap').tasks()[1].name)").out)
  end)

  it("waiting for what cannot come is an error", function()
    local result = run_script("local t\nt = require('neap').go(function()\nlocal me = t\n"
      .. "require('neap').go(function() me:join() end):join() end)\nt:join()")
    assert.matches("^neap: a.lua:%d: deadlock: nothing can end this join\n", result.err)
    assert.equal(1, result.code)
  end)
end)
