-- The editor of the REPL: what Tab completes, what is typed ahead or pasted, the history.
local terminal, test = require "spec.support.terminal", require "neap.test"
local NO_COLOR = terminal.NO_COLOR
local it_edits = terminal.it_edits(it, pending)

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
