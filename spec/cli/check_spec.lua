local program = require "spec.support.program"

-- Without luacheck, unless it is asked for: what that says is its own.
local function check(files, options, ...)
  local directory = program.directory(files)
  options = options or {}
  return program.run_neap({ "check", ... },
    { dir = directory.path, env = { PATH = options.lint and os.getenv "PATH" or "/nonexistent" } })
end

local function found(text)
  local result = check { ["a.lua"] = text }
  return (result.out:gsub("%d+ files? checked, %d+ problems? found\n$", "")), result.code
end

describe("neap check", function()
  it("tells where the syntax is wrong", function()
    local out, code = found "local x = 1\nlocal y = = 2\n"
    assert.same({ "a.lua:2:11: unexpected symbol near '='\n", 1 }, { out, code })
    assert.equal("a.lua:2:4: syntax error near 'is'\n", (found "#!/usr/bin/neap\nx  is"))
    assert.equal("a.lua:1:12: unexpected symbol near <eof>\n", (found "return 1 + "))
  end)

  it("finds nothing where there is nothing", function()
    local result = check { ["a.lua"] = "return require 'neap'.go", ["b.lua"] = "" }
    assert.equal("2 files checked, 0 problems found\n", result.out)
    assert.equal("neap check: luacheck is not installed: nothing was linted\n", result.err)
    assert.equal(0, result.code)
  end)

  it("knows what our modules have", function()
    assert.equal("a.lua:2:7: neap.timer has no 'slep': did you mean 'sleep'?\n",
      (found "local timer = require 'neap.timer'\ntimer.slep(1)\n"))
    assert.equal("a.lua:2:20: neap.net has no 'lisen': did you mean 'listen'?\n",
      (found "local neap, net = require('neap'), require(\"neap.net\")\nprint(neap.go, net.lisen)\n"))
    assert.equal("a.lua:1:9: there is no module 'neap.tiemr': did you mean 'neap.timer'?\n",
      (found "require 'neap.tiemr'"))
    assert.equal("a.lua:1:26: neap.net has no 'x'\n", (found "print(require 'neap.net'.x)"))
    assert.equal("a.lua:3:16: neap has no 'foo'\n",
      (found "local neap = require 'neap'\nlocal function f()\n  neap.go(neap.foo)\nend\nf()\n"))
  end)

  it("knows which of two names is meant", function()
    assert.equal("", (found [[
local timer = require "neap.timer"
local function f(timer) return timer.of_another end
for timer in pairs {} do print(timer.x) end
do local timer = {} timer.y() end
local text = "timer.slep" --[==[ timer.slep ]==] -- timer.slep
local t = { timer = timer }
print(f, text, t.timer.slep)
timer.mine = 1
]]))
  end)

  it("lints, where luacheck is installed", function()
    local pipe <close> = io.popen("command -v luacheck")
    if not pipe:read() then return pending "no luacheck" end
    local result = check({ ["a.lua"] = "local x = 1\n", ["b.lua"] = "x =" }, { lint = true })
    assert.matches("^a.lua:1:7: %(W211%) unused variable 'x'\nb.lua:1:4: unexpected symbol near <eof>\n", result.out)
    assert.equal("2 files checked, 2 problems found\n", result.out:match("[^\n]*\n$"))
    assert.same({ 1, "" }, { result.code, result.err })
  end)

  it("looks at the files that are named", function()
    local result = check({ ["a.lua"] = "x =", ["b.lua"] = "" }, nil, "b.lua")
    assert.equal("1 file checked, 0 problems found\n", result.out)
    result = check({}, nil, "b.lua")
    assert.matches("no file 'b.lua'", result.err)
    assert.equal(1, result.code)
  end)
end)
