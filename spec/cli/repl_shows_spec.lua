-- What the REPL shows at a terminal: results, errors, help.
local program, terminal = require "spec.support.program", require "spec.support.terminal"
local show = terminal.show

describe("results at a terminal", function()
  it("need no return", function()
    assert.equal("2", show "1 + 1")
    assert.equal("3", show "return 3")
    assert.equal("4", show "= 4")
    assert.equal("", show "local x = 1")
    assert.equal("", show "(function() end)()")
    assert.equal("nil", show "nil -- and that is all")
  end)

  it("are several", function()
    assert.equal('nil, "no such thing", "ENOENT"', show 'nil, "no such thing", "ENOENT"')
    assert.equal(('"%s",\n"b"'):format(("a"):rep(90)), show "('a'):rep(90), 'b'")
  end)

  it("are written as Lua has them", function()
    assert.equal([["a\n\"b\" \\ \x00\x1b[1m \xff\xc3\xa4"]], show [["a\n\"b\" \\ \0\27[1m \xff\xc3\xa4"]])
    assert.equal('"\xc3\xa4 \\xc2\\x9b"', show [["\xc3\xa4 \xc2\x9b"]])
    assert.equal("1, 1.0, 1e+100, inf, -inf, nan, true", show "1, 1.0, 1e100, 1/0, -1/0, -(0/0), true")
    assert.equal('{ 1, 2, nil, 4, [7] = 7, _a = { {} }, ["a b"] = 0, ["end"] = "x", [true] = 1 }',
      show [[t = { 1, 2, nil, 4, _a = { {} }, ["end"] = "x", ["a b"] = 0, [true] = 1 } t[7] = 7 return t]])
  end)

  it("are cut where they are big", function()
    assert.matches('^"x+" %(10000 more bytes%)$', show "('x'):rep(20000)")
    assert.matches('{ "x+" %(50 more bytes%) }', (show "{ ('x'):rep(250) }":gsub("[\n%s]+", " ")))
    assert.matches("\n  100,\n  %.%.%. 900 more\n}$", show "t = {} for i = 1, 1000 do t[i] = i end return t")
    assert.matches("%.%.%. 19900 more\n}$", show "t = {} for i = 1, 20000 do t['k' .. i] = i end return t")
    assert.equal("{ { { { { { {...} } } } } } }", show "{{{{{{{}}}}}}}" :gsub("{}", "{...}"))
    assert.equal("{ { { { { { {...} } } } } } }", show "{{{{{{{1}}}}}}}")
  end)

  it("have an end where tables have none", function()
    assert.equal('{ child = { name = "x", parent = <cycle: it> } }',
      show "t = { child = { name = 'x' } } t.child.parent = t return t")
    assert.equal("{ { 1 }, { 1 } }", show "a = {1} return {a, a}")
  end)

  it("go over several lines where one is too short", function()
    assert.equal(('{\n  a = "%s",\n  b = { 1, 2 }\n}'):format(("x"):rep(80)), show "{ a = ('x'):rep(80), b = {1, 2} }")
  end)

  it("tell where functions come from, and what userdata are", function()
    assert.equal("<function string.rep, in C>, <function timer.sleep, in C>", show "string.rep, timer.sleep")
    assert.equal("<function, stdin:1>", show "function() end")
    assert.matches("^<neap%.task: 0x%x+>, <thread: 0x%x+>$", show "neap.go(math.abs, 1), coroutine.create(print)")
    assert.equal("point 1", show "setmetatable({}, { __tostring = function() return 'point 1' end })")
    assert.equal("point { 1 }", show "setmetatable({ 1 }, { __name = 'point' })")
    assert.matches("^<__tostring fails: stdin:1: no>$",
      show "setmetatable({}, { __tostring = function() error 'no' end })")
  end)

  it("have colours, if they are wanted", function()
    local repl <close> = terminal.open_repl()
    repl:line("{ 1, x = 'y' }", '{ \27%[33m1\27%[0m, \27%[36mx\27%[0m = \27%[32m"y"\27%[0m }\r\n')
    repl:line("error 'no'", "\27%[31mstdin:1: no\27%[0m\r\n")
  end)
end)

describe("errors at a terminal", function()
  it("have a traceback, where it says something", function()
    assert.equal("stdin:1: boom", show "error 'boom'")
    assert.equal("stdin:1: unexpected symbol near '='", show "x = = 1")
    assert.equal("{ code = 3 }", show "error { code = 3 }")
    assert.equal("stdin:1: deep\nstack traceback:\n\t[C]: in function 'error'\n\tstdin:1: in function 'f'",
      show "function f() error 'deep' end f()")
  end)
end)

it("an error that cannot be shown is an error", function()
  local text = show "error(setmetatable({}, { __tostring = function() error 'no' end }))"
  assert.equal("(error object whose __tostring fails)", text)
end)

describe("help", function()
  it("tells what there is", function()
    local text = show "help()"
    assert.matches("\n  net +Stream sockets", text)
    assert.matches("Ctrl%-D", text)
  end)

  it("tells about a function, whatever it is called", function()
    local text = show "help(timer.sleep)"
    assert.matches("^timer%.sleep%(seconds%)\n\nWaits for so many seconds%.", text)
    assert.matches('\n    local timer = require "neap%.timer"\n', text)
    assert.matches("\nParameters:\n  seconds: number  0 to 1e9\n", text)
    assert.equal(text, show "help 'timer.sleep'")
    assert.equal(text, show "sleep = timer.sleep help(sleep)")
    assert.equal(text, show "help 'neap.timer.sleep'")
  end)

  it("tells about modules, objects and their methods", function()
    assert.matches("^neap%.timer\n", show "help 'timer'")
    assert.equal(show "help(timer)", show "help 'neap.timer'")
    assert.matches("^neap%.task\n", show "help(neap.go(function() end))")
    assert.matches("^task:join%(", show "help(neap.go(function() end).join)")
    assert.equal(show "help 'task.join'", show "help 'neap.task:join'")
  end)

  it("says where else to look", function()
    assert.equal("string.rep is Lua's own: https://www.lua.org/manual/5.4/manual.html#pdf-string.rep",
      show "help(string.rep)")
    assert.equal("a function of stdin, lines 1 to 1", show "help(function() end)")
    assert.equal('There is no help for "moon"; help() lists what there is.', show "help 'moon'")
    assert.equal("There is no help for nil; help() lists what there is.", show "help(nil)")
  end)

  it("is a global only if the script has none of its own", function()
    local result = program.run_neap({ "-i", "-e", "help = 5" }, { input = "help\n" })
    assert.matches("\n> 5\n", result.out)
    result = program.run_neap({ "-e", "print(help, timer)" })
    assert.equal("nil\tnil\n", result.out)
    result = program.run_neap({ "-i", "-e", "setmetatable(_G, { __index = function(_, k) return k end })" },
      { input = "timer\n" })
    assert.matches("timer\n", result.out)
  end)
end)
