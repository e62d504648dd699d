-- require may wait: the module waits while it loads, those who want it for it.
local support = require "spec.support.neap"

local function run(text, files)
  local options = { files = files }
  return support.output('package.path = "./?.lua"\nlocal neap, timer = require "neap", require "neap.timer"\n' .. text,
    options)
end

describe("require", function()
  it("loads a module that waits", function()
    local out = run('print(require("waits").value, require("waits") == package.loaded.waits)', {
      ["waits.lua"] = "require('neap.timer').sleep(0.001) return { value = ... }",
    })
    assert.equal("waits\ttrue\n", out)
  end)

  it("loads a module once, though two tasks want it at the same time", function()
    local out = run([[
      local a, b = neap.go(require, "slow"), neap.go(require, "slow")
      print(a:join() == b:join(), a:join().value)
    ]], { ["slow.lua"] = "print 'loading' require('neap.timer').sleep(0.005) return { value = 1 }" })
    assert.equal("loading\ntrue\t1\n", out)
  end)

  it("loads other modules while one waits", function()
    local out = run([[
      local slow = neap.go(require, "slow")
      timer.sleep(0)
      print(require "quick")
      print(slow:join())
    ]], {
      ["slow.lua"] = "require('neap.timer').sleep(0.005) return 'slow'",
      ["quick.lua"] = "return 'quick'",
    })
    assert.matches("^quick\t.*quick.lua\nslow\t.*slow.lua\n$", out)
  end)

  it("lets modules require each other while they wait, in any depth", function()
    local files = {}
    for i = 1, 20 do
      files[("m%d.lua"):format(i)] = ("require('neap.timer').sleep(0) return 1 + require('m%d')"):format(i + 1)
    end
    files["m21.lua"] = "require('neap.timer').sleep(0) return 0"
    assert.equal("20\n", run('print((require "m1"))', files))
  end)

  it("tells of an error in a module that has waited, to all who want it", function()
    local out = run([[
      local a, b = neap.go(pcall, require, "bad"), neap.go(pcall, require, "bad")
      print(a:join())
      print(b:join())
      print(package.loaded.bad)
    ]], { ["bad.lua"] = "print 'loading' require('neap.timer').sleep(0.001)\nerror 'broken'" })
    assert.equal("loading\nloading\nfalse\t./bad.lua:2: broken\nfalse\t./bad.lua:2: broken\nnil\n", out)
  end)

  it("can be tried again after an error", function()
    local out = run([[
      print(pcall(require, "flaky"))
      print((require "flaky"))
    ]], {
      ["flaky.lua"] = "require('neap.timer').sleep(0) tries = (tries or 0) + 1 assert(tries > 1, 'first') return 'ok'",
    })
    assert.equal("false\t./flaky.lua:1: first\nok\n", out)
  end)

  it("is free again when the task that loads is cancelled", function()
    local out = run([[
      local first = neap.go(require, "slow")
      timer.sleep(0)
      local second = neap.go(require, "slow")
      timer.sleep(0)
      first:cancel()
      print((second:join()))
    ]], { ["slow.lua"] = "n = (n or 0) + 1 require('neap.timer').sleep(n == 1 and 1000 or 0) return n" })
    assert.equal("2\n", out)
  end)

  it("finds a circle, also through modules that wait", function()
    local out = run([[
      local ok, message = pcall(require, "a")
      print(ok, (message:gsub("\n.*", "")))
    ]], {
      ["a.lua"] = "require('neap.timer').sleep(0) return require 'b'",
      ["b.lua"] = "require('neap.timer').sleep(0) return require 'a'",
    })
    assert.equal("false\t./b.lua:1: loop or previous error loading module 'a'\n", out)
  end)

  it("finds a circle that several tasks close, whatever else is alive", function()
    local out = run([[
      local other = neap.go(timer.sleep, 1000)
      local tasks = { neap.go(pcall, require, "a"), neap.go(pcall, require, "b"), neap.go(pcall, require, "c") }
      for i, task in ipairs(tasks) do
        local ok, message = task:join()
        print(ok, (message:gsub("\n.*", "")))
      end
      other:cancel()
    ]], {
      ["a.lua"] = "require('neap.timer').sleep(0.001) return require 'b'",
      ["b.lua"] = "require('neap.timer').sleep(0.001) return require 'c'",
      ["c.lua"] = "require('neap.timer').sleep(0.001) return require 'a'",
    })
    assert.equal(("false\t./c.lua:1: loop or previous error loading module 'a'\n"):rep(3), out)
  end)

  it("gives what Lua's gives: value, true, where; and what is in package.loaded", function()
    local out = run([[
      print(require "nothing")
      print(require "nothing")
      print(require "sets")
      package.preload.pre = function(...) print(select("#", ...), ...) return "preloaded" end
      print(require "pre")
      print(require "neap" == neap, require "string" == string)
      package.loaded.given = "given"
      print(require "given")
      print(require(7))
    ]], {
      ["nothing.lua"] = "",
      ["sets.lua"] = "package.loaded[...] = 'set'",
      ["7.lua"] = "return 'seven'",
    })
    local text = "true\t./nothing.lua\ntrue\nset\t./sets.lua\n2\tpre\t:preload:\npreloaded\t:preload:\ntrue\ttrue\n"
    assert.equal(text .. "given\nseven\t./7.lua\n", out)
  end)

  it("names the line of the one who calls it wrongly, or for what is not there", function()
    local out = run [[
      print(pcall(function() local x = require "no.such" return x end))
      print(pcall(function() local x = require() return x end))
      print(pcall(function() local x = require {} return x end))
    ]]
    assert.matches("^false\tscript.lua:3: module 'no.such' not found:\n\tno field package.preload%['no.such'%]\n", out)
    assert.matches("false\tscript.lua:4: bad argument #1 to 'require' %(string expected, got no value%)\n", out)
    assert.matches("false\tscript.lua:5: bad argument #1 to 'require' %(string expected, got table%)\n", out)
  end)

  it("tells of a module that does not compile, with its file", function()
    local out = run('print(pcall(require, "bad"))', { ["bad.lua"] = "x = = 1" })
    assert.matches("^false\terror loading module 'bad' from file './bad.lua':\n\t./bad.lua:1: unexpected symbol", out)
  end)

  it("uses package.searchers as the script has left them", function()
    local out = run [[
      table.insert(package.searchers, 2, function(name)
        if name ~= "mine" then return "\n\tno mine" end
        timer.sleep(0.001)
        return function(...) timer.sleep(0.001) return table.concat({ ... }, " ") end, "extra"
      end)
      print(require "mine")
    ]]
    assert.equal("mine extra\textra\n", out)
  end)
end)
