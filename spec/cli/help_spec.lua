local program = require "spec.support.program"
local run_neap = program.run_neap

describe("the help", function()
  local help = run_neap { "--help" }

  it("goes to standard output, whoever asks", function()
    assert.same({ code = 0, err = "" }, { code = help.code, err = help.err })
    assert.same(help, run_neap { "-h" })
    assert.same(help, run_neap { "help" })
    assert.same(help, run_neap { "--slow", "1", "--help" })
    assert.same(help, run_neap { "run", "--help" })
    assert.same(help, run_neap { "reload", "--help" })
    assert.same(help, run_neap { "ps", "-h" })
  end)

  it("fits a terminal", function()
    local lines = 0
    for line in help.out:gmatch("([^\n]*)\n") do
      lines = lines + 1
      assert.is_true(#line <= 80, line)
    end
    assert.is_true(lines <= 24)
  end)

  it("names every option and command", function()
    local names = { "run", "test", "new", "check", "repl", "reload", "status", "ps",
      "-e", "-l", "-i", "-v", "-W", "-E", "--watch", "--name",
      "--reload-limit", "--slow", "--leaks", "--version", "NEAP_GC" }
    for _, name in ipairs(names) do
      assert.is_truthy(help.out:find(name, 1, true), name)
    end
  end)

  it("tells of a name what the stubs do, as at the prompt", function()
    local about = run_neap { "help", "http.redirect" }
    assert.same({ 0, "" }, { about.code, about.err })
    assert.matches("http.redirect%(.-308", about.out)
    assert.matches("http.router%(%)", run_neap({ "help", "http" }).out)
    local both = run_neap { "help", "fs.read", "no.such" }
    assert.equal(1, both.code)
    assert.matches("fs.read.*There is no help for \"no.such\"; help%(%), in the REPL, lists", both.out)
  end)

  it("belongs to the script after its name", function()
    assert.equal("--help\n", run_neap({ "-", "--help" }, { input = "print(...)" }).out)
  end)
end)

it("the version is one line", function()
  local result = run_neap { "--version" }
  local line = result.out:gsub(", without line editing", "") -- as it may have been built
  assert.matches("^neap %d+%.%d+%.%d+ %(Lua 5%.4%.%d+, libuv 1%.%d+%.%d+%)\n$", line)
  assert.same({ 0, "" }, { result.code, result.err })
end)
