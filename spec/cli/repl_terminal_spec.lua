-- The REPL at a terminal: how lines are read and ended, and that the terminal is left as it was.
local program, terminal = require "spec.support.program", require "spec.support.terminal"
local NO_COLOR, show = terminal.NO_COLOR, terminal.show
local it_edits = terminal.it_edits(it, pending)

describe("errors at a terminal", function()
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

it("a prompt that cannot be shown ends nothing", function()
  local repl <close> = terminal.open_repl(NO_COLOR)
  repl:line "setmetatable(_G, { __index = function(_, name) error('no ' .. name) end }) and nil"
  repl:line "_PROMPT = setmetatable({}, { __tostring = function() error 'no' end })"
  repl:line("1 + 1", "\n2\r\n")
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
