local program = require "spec.support.program"
local terminal = require "spec.support.terminal"
local test = require "neap.test"

local NO_COLOR = { env = { NO_COLOR = "1" } }

-- What a line prints, at a terminal without colours.
local function show(...)
  local repl <close> = terminal.open_repl(NO_COLOR)
  local out
  for _, line in ipairs { ... } do
    repl:type(line .. "\r")
    repl:expect "\r\n"
    out = repl:expect("^()> $", "^(.-)\r\n> $")
  end
  return type(out) == "string" and out:gsub("\r", "") or ""
end

local function has_editor()
  return not program.run_neap({ "--version" }).out:find("without line editing")
end

local it_edits = has_editor() and it or pending

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

  it_edits("of other tasks leave the line alone", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:line "function fail() error 'behind' end"
    repl:line "_ = timer.sleep(0.1, fail)"
    repl:type "1 + "
    repl:expect "failed: stdin:1: behind\r\n"
    repl:expect "> 1 %+ "
    repl:line("1", "\n2\r\n")
  end)
end)

describe("a line at a terminal", function()
  it("may wait", function()
    assert.equal("true", show "timer.sleep(0.001)")
  end)

  it("finds the modules of neap", function()
    assert.matches("^<function net%.connect, in C>, nil, nil$", show "net.connect, tests, rawget(_G, 'hot')")
  end)

  it("may have several parts", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:type "for i = 1, 2 do\r"
    repl:expect ">> $"
    repl:type "print(i)\r"
    repl:expect ">> $"
    repl:line("end", "\n1\r\n2\r\n")
    repl:type "math.max(\r"
    repl:expect ">> $"
    repl:line("1, 2)", "\n2\r\n")
    repl:type "if x then\r"
    repl:expect ">> $"
    repl:type "\4"
    repl:expect "'end' expected near <eof>\r\n> $"
  end)

  it_edits("makes room for what others print", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:line "n = 0"
    repl:line "t = timer.every(0.05, function() n = n + 1 print('tick ' .. n) end)"
    repl:type "'typed' .. "
    repl:expect "\r\27%[Jtick %d+\r\n.-> 'typed' %.%. "
    repl:expect "\r\27%[Jtick %d+\r\n.-> 'typed' %.%. "
    repl:type "n, t:close()\r"
    repl:expect '\n"typed%d+"\r\n'
  end)

  it_edits("makes room also where it is long, or the other does not end its line", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:line "_ = timer.sleep(0.2, function() io.write 'no end' io.stdout:flush() end)"
    repl:type(("x"):rep(100))
    repl:expect "\r\27%[1A\27%[Jno end.-\n> x+"
  end)

  it("is ended by Ctrl-C where it waits, and nothing else is", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:line "n = 0"
    repl:line "t = timer.every(0.001, function() n = n + 1 end)"
    repl:type "print 'waits' timer.sleep(100)\r"
    repl:expect "\nwaits\r\n"
    repl:type "\3"
    repl:expect "interrupted\r\n> $"
    repl:line("m = n timer.sleep(0.01) return n > m", "\ntrue\r\n")
  end)

  it("is ended by Ctrl-C where it computes", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    for _, loop in ipairs { "while true do end", "while true do pcall(error) end",
      "coroutine.wrap(function() while true do end end)()" } do
      repl:type("print 'works' " .. loop .. "\r")
      repl:expect "\nworks\r\n"
      repl:type "\3"
      repl:expect "interrupted\r\n> $"
    end
    repl:line("1 + 1", "\n2\r\n")
  end)

  it("gets the terminal back from a task that computes for ever, with Ctrl-C twice", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:line "function spin() print 'behind' while true do end end"
    repl:type "t = timer.sleep(0.001, spin), timer.sleep(0.01, function() print 'free' end) timer.sleep(100)\r"
    repl:expect "\nbehind\r\n"
    repl:type "\3"
    repl:expect "task %d+ %(callback%) is at work: Ctrl%-C again ends it\r\n"
    repl:type "\3"
    repl:expect "free"
    repl:type "\3"
    repl:expect "interrupted\r\n> $"
  end)

  it_edits("is cleared by Ctrl-C while it is typed", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:type "error 'no'"
    repl:expect "'no'"
    repl:type "\3"
    repl:expect "%^C\r*\n> $"
    repl:type "if true then\r"
    repl:expect ">> $"
    repl:type "\3"
    repl:expect "%^C\r*\n> $"
    repl:line("1 + 1", "\n2\r\n")
  end)

  it("may read the next", function()
    local repl <close> = terminal.open_repl(NO_COLOR)
    repl:type "print 'read' return io.read()\r"
    repl:expect "\nread\r\n"
    repl:line("typed", '\n"typed"\r\n')
  end)
end)

describe("Tab", function()
  local function complete(text, ...)
    local repl = terminal.open_repl(NO_COLOR)
    for _, line in ipairs { ... } do repl:line(line) end
    repl:type(text)
    repl:expect(text:gsub("%p", "%%%0") .. "$")
    repl:type "\t"
    return repl
  end

  it_edits("completes names and fields", function()
    local repl <close> = complete "coroutine.isyiel"
    repl:expect "dable$"
    repl:line("()", "\nfalse\r\n")
    repl:type "timer.ev"
    repl:expect "timer.ev"
    repl:type "\t"
    repl:expect "ery"
    repl:type "\3"
    repl:expect "> $"
    repl:type "collectg"
    repl:expect "collectg"
    repl:type "\t"
    repl:expect "arbage$"
    repl:line("('count') > 0", "\ntrue\r\n")
  end)

  it_edits("completes fields of fields, and what is inherited", function()
    local repl <close> = complete("a.list[1].inh",
      "a = { list = { setmetatable({}, { __index = { inherited = 7 } }) } }")
    repl:expect "erited$"
    repl:line("", "\n7\r\n")
  end)

  it_edits("completes methods and fields of objects", function()
    local repl <close> = complete("task:ca", "task = neap.go(function() end)")
    repl:expect "ncel$"
    repl:line("()", "\nfalse\r\n")
    repl:type "task.st"
    repl:expect "task.st"
    repl:type "\t"
    repl:expect "atus$"
    repl:line("", '\n"done"\r\n')
  end)

  it_edits("completes modules, and keys in quotes", function()
    local repl <close> = complete "require 'neap.ti"
    repl:expect "mer'$"
    repl:type "\3"
    repl:expect "%^C.*> $"
    repl:line "t = { ['a key'] = 5 }"
    repl:type "t['a"
    repl:expect "t%['a$"
    repl:type "\t"
    repl:expect "key'%]$"
    repl:line("", "\n5\r\n")
  end)

  it_edits("leaves keys alone that would have to be escaped", function()
    local repl <close> = complete("t['a", [[t = { ['a"b'] = 1, ["a\27[2J"] = 2, ['a c'] = 3 }]])
    repl:expect "c'%]$"
    repl:line("", "\n3\r\n")
  end)

  it_edits("completes help", function()
    local repl <close> = complete "hel"
    repl:expect "p$"
    repl:line("'timer.sleep'", "timer%.sleep%(")
  end)

  it_edits("lists what it may be", function()
    local repl <close> = complete "math.m"
    repl:expect "\nmax  +maxinteger  +min  +mininteger  +modf\r\n.*> math%.m"
    repl:line("ax(1, 2)", "\n2\r\n")
  end)

  it_edits("does no harm", function()
    local repl <close> = complete("t.x.", "t = setmetatable({}, { __index = function() error 'no' end })")
    repl:type "\3"
    repl:expect "%^C.*> $"
    repl:type "loop.x."
    repl:expect "loop.x."
    repl:type "\3"
    repl:expect "> $"
    repl:line "loop = setmetatable({}, { __index = function() print 'loops' while true do end end })"
    repl:type "loop.x."
    repl:expect "loop%.x%."
    repl:type "\t"
    repl:expect "loops\r\n"
    repl:type "\3"
    repl:expect "loop%.x%.$"
    repl:type "\3"
    repl:expect "> $"
    repl:line("1 + 1", "\n2\r\n")
  end)
end)

it_edits("what is typed ahead is edited when the line has ended", function()
  local repl <close> = terminal.open_repl(NO_COLOR)
  repl:type "print 'waits' timer.sleep(0.1)\r"
  repl:expect "\nwaits\r\n"
  repl:type "1 + "
  repl:expect "\r\n> 1 %+ $"
  repl:line("1", "\n2\r\n")
  repl:type "print(1)\rprint(2)\rprint(3)\r"
  repl:expect "\n1\r\n> print%(2%)\r*\n2\r\n> print%(3%)\r*\n3\r\n> $"
end)

it_edits("a tab that is pasted is only space", function()
  local repl <close> = terminal.open_repl(NO_COLOR)
  repl:line("print('a',\t1) string.format(\t'x')", "\na\t1\r\n")
end)

it("an error that cannot be shown is an error", function()
  local text = show "error(setmetatable({}, { __tostring = function() error 'no' end }))"
  assert.equal("(error object whose __tostring fails)", text)
end)

it("a prompt that cannot be shown ends nothing", function()
  local repl <close> = terminal.open_repl(NO_COLOR)
  repl:line "setmetatable(_G, { __index = function(_, name) error('no ' .. name) end }) and nil"
  repl:line "_PROMPT = setmetatable({}, { __tostring = function() error 'no' end })"
  repl:line("1 + 1", "\n2\r\n")
end)

describe("the history", function()
  it_edits("may be no file, and changes nothing there", function()
    local state <close> = test.tempdir()
    local null = state.path .. "/null"
    state:write("neap/other", "")
    if not os.execute(("mknod -m 666 %s c 1 3 2>/dev/null && : 2>/dev/null >%s"):format(null, null)) then
      return -- only root makes devices, and not everywhere
    end
    assert(os.execute(("ln -s %s %s/neap/history"):format(null, state.path)))
    local repl <close> = terminal.open_repl { env = { NO_COLOR = "1", XDG_STATE_HOME = state.path } }
    repl:line("1 + 1", "\n2\r\n")
    local mode <close> = io.popen("stat -c %a " .. null)
    assert.equal("666\n", mode:read "a")
  end)

  it_edits("is there in the next session", function()
    local state <close> = test.tempdir()
    local options = { env = { NO_COLOR = "1", XDG_STATE_HOME = state.path } }
    do
      local repl <close> = terminal.open_repl(options)
      repl:line("1 + 1", "\n2\r\n")
      repl:line("1 + 1", "\n2\r\n")
      repl:type "for i = 7, 7 do\r"
      repl:expect ">> $"
      repl:line("print(i, '\\n') end", "\n7\t\r?\n")
      repl:type "\4"
      repl:expect "status 0"
    end
    assert.equal("1 + 1\nfor i = 7, 7 do\\nprint(i, '\\\\n') end\n", state:read "neap/history")
    local mode <close> = io.popen("stat -c %a " .. state.path .. "/neap/history " .. state.path .. "/neap")
    assert.equal("600\n700\n", mode:read "a")
    local repl <close> = terminal.open_repl(options)
    repl:type "\27[A" -- up
    repl:expect "end$"
    repl:line("", "\n7\t\r?\n")
    repl:type "\27[A\27[A"
    repl:expect "1 %+ 1$"
    repl:line("", "\n2\r\n")
    repl:type "\18" -- Ctrl-R
    repl:type "for"
    repl:expect "for"
    repl:type "\r"
    repl:expect "\n7\t\r?\n.*> $"
  end)

  it_edits("is cut, and may be impossible", function()
    local state <close> = test.tempdir()
    assert(os.execute("mkdir " .. state.path .. "/neap"))
    local lines = {}
    for i = 1, 2500 do lines[i] = "return " .. i .. "\n" end
    state:write("neap/history", table.concat(lines))
    do
      local repl <close> = terminal.open_repl { env = { NO_COLOR = "1", XDG_STATE_HOME = state.path } }
      repl:type "\27[A"
      repl:expect "return 2500$"
    end
    local text = state:read "neap/history"
    assert.equal(1000, select(2, text:gsub("\n", "")))
    assert.matches("^return 1501\n", text)
    local home <close> = terminal.open_repl { env = { NO_COLOR = "1", XDG_STATE_HOME = "", HOME = state.path } }
    home:line("1 + 1", "\n2\r\n")
    assert.equal("1 + 1\n", state:read ".local/state/neap/history")
    local repl <close> = terminal.open_repl { env = { NO_COLOR = "1", XDG_STATE_HOME = "/dev/null" } }
    repl:line("1 + 1", "cannot write the history to /dev/null/neap/history.*\n2\r\n")
    repl:line("1 + 2", "\r\n3\r\n")
  end)
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

describe("the terminal", function()
  local function settings(type_in)
    local repl <close> = terminal.open("before=$(stty -g); " .. program.quote(program.neap)
      .. " repl; echo status $?; [ $before = $(stty -g) ] && echo same", NO_COLOR)
    repl:expect "> $"
    type_in(repl)
    return repl:expect "status (%d+)\r\n[^\n]*same"
  end

  it("is as it was, after Ctrl-D, os.exit and an error", function()
    assert.equal("0", settings(function(repl) repl:type "\4" end))
    assert.equal("3", settings(function(repl) repl:type "os.exit(3)\r" end))
    assert.equal("4", settings(function(repl)
      repl:line "_ = timer.sleep(0.05, function() os.exit(4) end)"
      repl:type "os.exi"
    end))
  end)

  it("is as it was, after a signal", function()
    for name, code in pairs { TERM = 0, HUP = 129, QUIT = 131 } do
      local status = settings(function(repl)
        repl:line("_ = timer.sleep(0.05, function() io.popen('kill -" .. name .. " $PPID'):close() end)")
        repl:type "typed"
      end)
      assert.equal(tostring(code), status)
    end
  end)

  it_edits("is as it was while the program is stopped", function()
    -- The shell that has job control says how it finds its terminal.
    local shell <close> = terminal.open("PS1='$ ' bash --norc -i", NO_COLOR)
    shell:expect "%$ $"
    shell:type(program.quote(program.neap) .. " repl\r")
    shell:expect "\n> $"
    shell:type "1 + "
    shell:expect "1 %+ $"
    shell:type "\26" -- Ctrl-Z
    shell:expect "Stopped"
    shell:type "stty -a | grep -c -e -icanon\r"
    shell:expect "0\r\n"
    shell:type "fg\r"
    shell:expect "> 1 %+ $"
    shell:type "1\r"
    shell:expect "\n2\r\n> $"
    shell:type "\4"
    shell:expect "%$ $"
    shell:type "exit\r"
    shell.screen:read "a" -- it has ended: a Ctrl-\ before that would take the line away, unread
  end)

  it("may be a dumb one", function()
    local repl <close> = terminal.open_repl { env = { TERM = "dumb" } }
    repl:type "1 + 1\r"
    repl:expect "\n2\r\n> $"
    repl:type "print 'waits' timer.sleep(100)\r"
    repl:expect "\nwaits\r\n"
    repl:type "\3"
    repl:expect "interrupted\r\n> $"
    repl:type "typed\3"
    repl:expect "%^C\r\n> $"
    repl:type "\4"
    repl:expect "status 0"
  end)
end)

it("`neap repl` takes a script, and options", function()
  local result = program.run_neap({ "repl", "-e", "x = 1", "-" }, { input = "" })
  assert.equal(0, result.code)
  local files <close> = program.directory { ["s.lua"] = "y = x + 1 print('script')" }
  result = program.run_neap({ "repl", "-e", "x = 1", files.path .. "/s.lua" }, { input = "y\n" })
  assert.matches("script\n> 2\n", result.out)
end)
