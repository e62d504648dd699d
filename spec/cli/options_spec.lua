local child = require "spec.support.child"
local program = require "spec.support.program"
local run_neap, run_both = program.run_neap, program.run_both

describe("lua's options mean what they mean to lua:", function()
  it("-e, as often as one likes, in order", function()
    assert.equal("1\n2\n3\n", run_both({ "-e", "print(1) x = 2", "-e", "print(x)", "-eprint(3)" }).out)
  end)

  it("-e that fails, or cannot be read, is the end", function()
    assert.equal(1, run_both({ "-e", "error('boom')", "-e", "print 'no'" }).code)
    assert.equal(1, run_both({ "-e", "x =", "-e", "print 'no'" }).code)
  end)

  it("-e before a script, which may change its arguments", function()
    local result = run_both({ "-e", "arg[1] = 'mine' x = 1", "-", "yours", "2" }, { input = "print(x, ...)" })
    assert.equal("1\tmine\t2\n", result.out)
    result = run_neap({ "-e", "arg = nil", "-" })
    assert.matches("^neap: 'arg' is not a table\n", result.err)
    assert.equal(1, result.code)
  end)

  it("-l", function()
    local directory = program.directory { ["mod.lua"] = "return { name = ... }" }
    local function same(...)
      return run_both({ ... }, { dir = directory.path }).out
    end
    assert.equal("mod\n", same("-l", "mod", "-e", "print(mod.name)"))
    assert.equal("mod\n", same("-lmod", "-e", "print(mod.name)"))
    assert.equal("mod\tnil\n", same("-l", "g=mod", "-e", "print(g.name, mod)"))
    assert.equal("true\n", same("-l", "s=string", "-e", "print(s == string)"))
  end)

  it("-l of a module that is not there", function()
    local result = run_neap { "-l", "nosuchmodule", "-e", "print 'no'" }
    assert.matches("^neap: module 'nosuchmodule' not found:\n\tno field", result.err)
    assert.same({ "", 1 }, { result.out, result.code })
  end)

  it("-W, and warnings are off without it", function()
    assert.equal("Lua warning: careful\n", run_both({ "-W", "-e", "warn('care', 'ful')" }).err)
    assert.equal("", run_both({ "-e", "warn('careful')" }).err)
    run_both { "-e", "warn('@on') warn('careful')" }
    run_both { "-e", "warn(1)", "-W", "-e", "warn(2)" }
  end)

  it("LUA_INIT", function()
    local code = { "-e", "print(x)" }
    assert.equal("1\n", run_both(code, { env = { LUA_INIT = "x = 1" } }).out)
    assert.equal("2\n", run_both(code, { env = { LUA_INIT = "x = 1", LUA_INIT_5_4 = "x = 2" } }).out)
    assert.equal("nil\n", run_both({ "-E", "-e", "print(x)" }, { env = { LUA_INIT = "x = 1" } }).out)
    assert.equal(1, run_both(code, { env = { LUA_INIT = "error 'boom'" } }).code)
    assert.equal(1, run_both(code, { env = { LUA_INIT_5_4 = "x =" } }).code)
  end)

  it("LUA_INIT that names a file", function()
    local directory = program.directory { ["init.lua"] = "x = 3" }
    local options = { dir = directory.path, env = { LUA_INIT = "@init.lua" } }
    assert.equal("3\n", run_both({ "-e", "print(x)" }, options).out)
    options.env.LUA_INIT = "@none.lua"
    assert.equal(1, run_both({ "-e", "print(x)" }, options).code)
  end)

  it("LUA_PATH and LUA_CPATH, and -E", function()
    local code = "print(package.path) print(package.cpath)"
    local options = { env = { LUA_PATH = "mine/?.lua", LUA_CPATH = "mine/?.so" } }
    assert.equal("mine/?.lua\nmine/?.so\n", run_both({ "-e", code }, options).out)
    assert.not_matches("mine", run_neap({ "-E", "-e", code }, options).out) -- see spec/host/paths_spec.lua
  end)

  it("each of them may wait", function()
    local wait = "local t = require('neap.timer') t.sleep(0.001) "
    local directory = program.directory { ["slow.lua"] = wait .. "print 'l' return 1" }
    local result = run_neap({ "-e", wait .. "print 'e'", "-l", "slow", "-e", "print(slow)", "-" },
      { dir = directory.path, env = { LUA_INIT = wait .. "print 'init'" }, input = wait .. "print 'script'" })
    assert.same({ code = 0, out = "init\ne\nl\n1\nscript\n", err = "" }, result)
  end)

  it("-v", function()
    local line = run_neap({ "--version" }).out
    assert.equal(line, run_neap({ "-v" }).out)
    assert.equal(line .. "1\n", run_neap({ "-v", "-e", "print(1)" }).out)
  end)
end)

describe("a wrong command line", function()
  local function refused(arguments, message, options)
    local result = run_neap(arguments, options)
    assert.same({ code = 2, out = "", err = "neap: " .. message .. "\n" }, result)
  end

  it("has an unknown option", function()
    refused({ "-x" }, "unknown option '-x', see neap --help")
    refused({ "-vE" }, "unknown option '-vE', see neap --help")
    refused({ "-e", "print(1)", "--nothing", "a.lua" }, "unknown option '--nothing', see neap --help")
    refused({ "--versoin" }, "unknown option '--versoin': did you mean --version?")
    refused({ "--hlep" }, "unknown option '--hlep': did you mean --help?")
  end)

  it("lacks an argument", function()
    refused({ "-e" }, "'-e' needs an argument, see neap --help")
    refused({ "-l", "-e", "x" }, "'-l' needs an argument, see neap --help")
    refused({ "--slow" }, "'--slow' needs an argument, see neap --help")
    refused({ "run" }, "run which script? see neap --help")
    refused({ "run", "-l", "neap" }, "run which script? see neap --help")
    refused({ "--name" }, "'--name' needs an argument, see neap --help")
    refused({ "--reload-limit" }, "'--reload-limit' needs an argument, see neap --help")
  end)

  it("asks no program, or several", function()
    local which = " which program? say its PID or its name, neap ps lists them"
    refused({ "reload" }, "reload" .. which)
    refused({ "status" }, "status" .. which)
    refused({ "reload", "a", "b" }, "reload takes one PID or name, and here is 'b'")
    refused({ "status", "1", "2" }, "status takes one PID or name, and here is '2'")
    refused({ "ps", "a" }, "ps takes no argument, and here is 'a'")
  end)

  it("has a name that is none", function()
    local names = { ["is empty"] = "", ["holds a '/'"] = "a/b", ["is longer than 64 bytes"] = ("x"):rep(65),
      ["looks like an option"] = "-x", ["holds what cannot be printed"] = "a\27b" }
    for problem, name in pairs(names) do
      local message = ("the name '%s' %s"):format(name, problem)
      refused({ "--name=" .. name, "-" }, message)
      refused({ "--name", name, "-" }, message)
      refused({ "status", name }, message)
      refused({ "reload", name }, message)
    end
    refused({ "--name", "12", "-" }, "the name '12' is a number, like a PID")
  end)

  it("watches what is no script in a file", function()
    local message = "--watch needs a script in a file"
    refused({ "--watch" }, message)
    refused({ "--watch", "-" }, message)
    refused({ "run", "-", "--watch" }, message)
    refused({ "--watch", "-e", "print(1)" }, message)
    refused({ "--watch", "test" }, message)
    refused({ "--watch", "ps" }, message)
    refused({ "--watch", "-i", "a.lua" }, message .. ", and no -i")
  end)

  it("names no command", function()
    refused({ "tset" }, "no file 'tset' here, and no such command: did you mean 'neap test'?")
    refused({ "rnu", "a.lua" }, "no file 'rnu' here, and no such command: did you mean 'neap run'?")
    refused({ "reolad", "a" }, "no file 'reolad' here, and no such command: did you mean 'neap reload'?")
    refused({ "stauts", "a" }, "no file 'stauts' here, and no such command: did you mean 'neap status'?")
    refused({ "frobnicate" }, "no file 'frobnicate' here, and no such command, see neap --help")
  end)

  it("has a value that means nothing", function()
    refused({ "--slow", "soon", "-" }, "--slow needs seconds (0: never), not 'soon'")
    refused({ "--slow=-1", "-" }, "--slow needs seconds (0: never), not '-1'")
    refused({ "--slow=nan", "-" }, "--slow needs seconds (0: never), not 'nan'")
    refused({ "--reload-limit", "soon", "-" }, "--reload-limit needs seconds, not 'soon'")
    refused({ "--reload-limit=0", "-" }, "--reload-limit needs seconds, not '0'")
    refused({ "--reload-limit=", "-" }, "--reload-limit needs seconds, not ''")
    refused({ "-" }, "NEAP_GC is incremental, generational or stress, not 'much'", { env = { NEAP_GC = "much" } })
  end)
end)

describe("our own options:", function()
  local busy = "local t = os.clock() + 0.04 while os.clock() < t do end"
  local others_wait = "local timer = require 'neap.timer'.sleep(60, print) " .. busy .. " timer:cancel()"

  it("--slow", function()
    local result = run_neap { "--slow", "0.01", "-e", others_wait }
    assert.matches("^neap: task 1 %(main%) has held the loop for over 10 ms, at %(command line%):1\n$", result.err)
    assert.equal(0, result.code)
    assert.equal("", run_neap({ "--slow=0", "-e", others_wait }).err)
    assert.equal("", run_neap({ "run", "--slow=5", "-e", others_wait }).err)
    assert.equal("", run_neap({ "--slow", "0.01", "-e", busy }).err) -- nobody waits
  end)

  it("NEAP_GC", function()
    local function mode(name)
      return run_neap({ "-e", "print(collectgarbage('incremental'))" }, { env = { NEAP_GC = name } }).out
    end
    assert.equal("incremental\n", mode(""))
    assert.equal("incremental\n", mode("incremental"))
    assert.equal("incremental\n", mode("stress"))
    assert.equal("generational\n", mode("generational"))
  end)

  it("NEAP_GC=stress collects all the time", function()
    local code = [[
      local cycles = 0
      local function watch()
        setmetatable({}, { __gc = function() cycles = cycles + 1 watch() end })
      end
      watch()
      for _ = 1, 1000 do local _ = {} end
      print(cycles)]]
    assert.is_true(tonumber(run_neap({ "-e", code }, { env = { NEAP_GC = "stress" } }).out) > 100)
    assert.is_true(tonumber(run_neap({ "-e", code }, { env = { NEAP_GC = "incremental" } }).out) < 100)
  end)

  it("--leaks", function()
    assert.same({ code = 0, out = "1\n", err = "" }, run_neap { "--leaks", "-e", "print(1)" })
  end)

  describe("--watch", function()
    local directory

    before_each(function() directory = program.directory { ["a.lua"] = "print(#arg, ...)" } end)

    -- One that watches goes on after its end.
    local function prints(expected, ...)
      local process <close> = child.start({ ... }, { before = "cd " .. directory.path })
      assert.equal(expected, process:line())
      process:signal "TERM"
      assert.equal(0, (process:wait()))
    end

    it("is ours before a script, and right after that of `run`", function()
      prints("1\tx", "--watch", "a.lua", "x")
      prints("1\tx", "run", "--watch", "a.lua", "x")
      prints("0", "run", "a.lua", "--watch")
      prints("2\tx\ty", "run", "a.lua", "--watch", "x", "y")
      prints("1\t--watch", "run", "a.lua", "--watch", "--watch")
    end)

    it("is the script's elsewhere", function()
      local function same(expected, ...)
        assert.same({ code = 0, out = expected .. "\n", err = "" }, run_neap({ ... }, { dir = directory.path }))
      end
      same("1\t--watch", "a.lua", "--watch")
      same("2\tx\t--watch", "run", "a.lua", "x", "--watch")
      same("1\t--watching", "run", "a.lua", "--watching")
    end)
  end)

  it("--name and --reload-limit", function()
    assert.equal("1\n", run_neap({ "--name", "a b", "--reload-limit", "0.5", "-e", "print(1)" }).out)
    assert.equal("1\n", run_neap({ "run", "--name=b\u{e9}", "--reload-limit=60", "-e", "print(1)" }).out)
  end)
end)
