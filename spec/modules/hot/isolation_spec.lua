-- What runs after a commit is what a restart would run: no version sees what another has made of its world.
local neap = require "neap"
local start_app = require "spec.support.app"
local eventually = require "neap.test".eventually

-- A world that is changed everywhere, and a handler that tells of it before and after a line, from the same version.
local function changed(name)
  return (([[
    function string.trim(s) return s:match "^%s*(.-)%s*$" .. "@NAME" end
    string.lower = function(s) return "lower@NAME" .. s end
    Global = (Global or "") .. "NAME"
    table.extra = (table.extra or 0) + 1
    package.path = package.path .. ";./NAME/?.lua"
    package.preload.ready_made = function() return "NAME" end
    local loaded = package.loaded
    function report()
      return table.concat({
        ("  x "):trim(), ("X"):lower(), Global, tostring(table.extra), load "return Global" (), require "ready_made",
        tostring(_G == package.loaded._G and _G == load "return _G" () and require "string" == string),
        tostring(loaded == package.loaded and loaded["neap.net"] == net),
        tostring(string.trim == getmetatable("").__index.trim), select(2, package.path:gsub(";%./%w+/", "")),
      }, " ")
    end
    net.listen("unix:main.sock", function(conn)
      repeat conn:write(report() .. "\n") until not conn:read "l"
    end)]]):gsub("NAME", name))
end

local function expected(name)
  return ("x@%s lower@%sX %s 1 %s %s true true true 1"):format(name, name, name, name, name)
end

local function hears(conn, line)
  assert.equal(line, (conn:read("l", { timeout = 20 })))
end

describe("a new version", function()
  it("guarantee 1: sees its own globals, libraries, string methods, packages; each goes on to see its own", function()
    local app <close> = start_app(changed "v1")
    local conns = {}
    for version = 1, 4 do
      conns[version] = assert(app:connect "main.sock")
      hears(conns[version], expected("v" .. version))
      assert(app:reload(version < 4 and changed("v" .. version + 1) or ""))
      for old = 1, version do -- each again, in between
        conns[old]:write "again\n"
        hears(conns[old], expected("v" .. old))
      end
    end
    assert.same({ false, "nil", "x", "nil" }, { app:eval [[
      return pcall(function() return ("x"):trim() end), tostring(Global), ("X"):lower(), tostring(table.extra)]] })
    app:ends()
  end)

  it("guarantee 1: sees the metatables of the basic types as nobody has changed them", function()
    local app <close> = start_app ""
    assert(app:reload [[
      debug.setmetatable(0, { __index = { double = function(n) return 2 * n end } })
      debug.setmetatable(true, { __call = function(b, x) return b and x end })
      debug.setmetatable(nil, { __index = function() return "nothing" end })
      debug.setmetatable(print, { __concat = function() return "joined" end })
      getmetatable("").__add = function(a, b) return a .. b end
      local unknown
      say(tostring((4):double()), (true)("called"), unknown.x, print .. 1, "a" + "b")]])
    assert.equal("8 called nothing joined ab,", app:said())
    assert(app:reload [[
      local unknown
      say(tostring(debug.getmetatable(0)), tostring(debug.getmetatable(true)), tostring(debug.getmetatable(nil)),
        tostring(debug.getmetatable(print)), tostring(pcall(function() return unknown.x end)),
        tostring(pcall(function() return "a" + "b" end)))]])
    assert.equal("nil nil nil nil false false,", app:said())
    app:ends()
  end)

  it("guarantee 1: writes where the process does, whatever io.output was; its functions are Lua's", function()
    local app <close> = start_app ""
    assert(app:reload [[
      io.output "out.txt"
      io.input "app.lua"
      say(tostring(io.output() == io.stdout), (io.read "l"):match "^%s*io.output")
      print, os.time, require, pcall, setmetatable = nil
      coroutine.wrap = nil]])
    assert(app:reload [[
      say(tostring(io.output() == io.stdout), tostring(io.input() == io.stdin), type(print), type(os.time()),
        type(coroutine.wrap), tostring(pcall(error)), require "string".format("%d", 7))]])
    assert.equal("false       io.output,true true function number function false 7,", app:said())
    app:ends()
  end)

  it("guarantee 1: has its arguments, what -e and -l say, and package.path anew", function()
    local app <close> = start_app({ ["app.lua"] = "", ["option.lua"] = "loads = (loads or 0) + 1 return 'option'" },
      { flags = { "-l", "option", "-e", "given = (given or 0) + 1" } })
    for _ = 1, 3 do
      assert(app:reload [[say(arg[0], tostring(#arg), select("#", ...), option, loads, given)
        arg[0], arg[1] = "changed", "added"]])
      assert.equal("app.lua 0 0 option 1 1,", app:said())
    end
    app:ends()
  end)

  it("guarantee 1: opens modules in C anew; what old ones have made still works", function()
    if not pcall(require, "lpeg") then return end
    local app <close> = start_app [[
      local lpeg = require "lpeg"
      lpeg.mine = "mine"
      hot.state("made").pattern = lpeg.P "a"
      say(lpeg.mine, lpeg.match(lpeg.C(lpeg.R "az" ^ 1), "abc1"))]]
    assert(app:reload [[
      local lpeg = require "lpeg"
      local old = hot.state("made").pattern
      say(tostring(lpeg.mine), lpeg.match(old, "ab"), lpeg.match(old + lpeg.P "b", "b"), lpeg.type(old))]])
    assert.equal("mine abc,nil 2 2 pattern,", app:said())
    app:ends()
  end)

  it("guarantee 1: runs each module again, once, also those that did not change", function()
    local app <close> = start_app {
      ["app.lua"] = "b = require 'b' require 'c'",
      ["b.lua"] = "say 'b1' return { name = 'b1 ' .. require 'c' }",
      ["c.lua"] = "say 'c1' return 'c1'",
    }
    assert.equal("b1,c1,", app:said())
    app:save("c.lua", "say 'c2' return 'c2'") -- that of which b depends, and the entry on b
    assert(app:reload())
    assert.equal("b1 c2", app:eval "return b.name")
    assert.equal("b1,c2,", app:said())
    app:save("c.lua", "error 'c3 is bad'")
    local ok, message = app:reload()
    assert.is_nil(ok)
    assert.matches("^reload: %./c%.lua:1: c3 is bad\nstack traceback:\n.*%./b%.lua:1: in .*app%.lua:1: in ", message)
    assert.equal("b1 c2", app:eval "return b.name")
    os.remove(app:path "c.lua")
    assert.matches("^reload: %./b%.lua:1: module 'c' not found", (select(2, app:reload())))
    app:save("b.lua", "return { name = 'b3' }")
    assert(app:reload "b = require 'b'")
    assert.equal("b3", app:eval "return b.name")
    app:ends()
  end)

  it("guarantee 1: finds circles as a start does", function()
    local app <close> = start_app ""
    app:save("a.lua", "local a = {} package.loaded.a = a a.name = 'a' a.other = require('b').name return a")
    app:save("b.lua", "local b = { name = 'b' } b.other = require('a').name return b")
    for version = 1, 2 do
      assert(app:reload(("say(require('a').other, require('b').other) -- %d"):format(version)))
      assert.equal("b a,", app:said())
    end
    app:save("a.lua", "return require 'b'")
    local ok, message = app:reload()
    assert.is_nil(ok)
    assert.matches("%./[ab]%.lua:1: .*stack traceback:\n", message)
    app:save("a.lua", "return { name = 'whole', other = 'of nothing' }")
    assert(app:reload())
    assert.equal("of nothing whole,", app:said())
    app:ends()
  end)

  it("guarantee 1: loads a module that waits once, though two tasks require it", function()
    local app <close> = start_app ""
    app:save("slow.lua", "say 'loads' timer.sleep(0.005) return { number = 1 }")
    for version = 1, 3 do
      assert(app:reload(([[
        local first, second = neap.go(require, "slow"), neap.go(require, "slow")
        local a, b = first:join(), second:join()
        say(tostring(a == b and a == require "slow"), a.number) -- %d]]):format(version)))
      assert.equal("loads,true 1,", app:said())
    end
    app:ends()
  end)

  it("guarantee 1, 12: forgets the old one: the collector has it", function()
    local text = [[hot.state("worlds", function() return setmetatable({}, { __mode = "k" }) end)[_G] = %d
      function string.shout(s) return s:upper() end
      timer.every(0.001, function() Count = (Count or 0) + 1 end)
      neap.go(function() while true do timer.sleep(0.001) end end)
      net.listen("unix:main.sock", { line = function(conn, line) conn:write(line:shout() .. "\n") end })
      setmetatable({}, { __gc = function() Finalized = true end })]]
    local app <close> = start_app(text:format(1))
    local conn <close> = assert(app:connect "main.sock")
    for version = 2, 20 do
      assert(app:reload(text:format(version)))
      conn:write "x\n"
      hears(conn, "X")
    end
    app:forgets_old()
    eventually(function()
      return app:eval [[
        collectgarbage() collectgarbage()
        local count = 0
        for _ in pairs(hot.state "worlds") do count = count + 1 end
        return count == 1 and hot.state "worlds"[_G] == 20]]
    end, 20)
    app:ends()
  end)

  it("guarantee 2: is never seen by a task of the old one, however often that gives way", function()
    local app <close> = start_app [[
      VERSION = "v1"
      function string.version() return "v1" end
      net.listen("unix:main.sock", function(conn)
        local function look() return VERSION .. ("").version() .. require "version" end
        for line in conn:lines() do
          local wrapped = coroutine.wrap(function() timer.sleep(0) coroutine.yield(look()) return look() end)
          local _, fourth = pcall(function() timer.sleep(0.001) return look() end)
          conn:write { look(), " ", wrapped(), " ", wrapped(), " ", fourth, " ", neap.go(look):join(), "\n" }
        end
      end)
      package.preload.version = function() return "v1" end]]
    local conn <close> = assert(app:connect "main.sock")
    local all = ("v1v1v1 "):rep(5):sub(1, -2)
    for version = 2, 5 do
      conn:write "x\n"
      hears(conn, all)
      local reload = neap.go(app.reload, app, ([[
        VERSION = "v%d"
        function string.version() return "v%d" end
        package.preload.version = function() return "v%d" end
        for _ = 1, 20 do timer.sleep(0) end]]):format(version, version, version))
      while reload.status == "ready" or reload.status == "waiting" do
        conn:write "x\n"
        hears(conn, all)
      end
      assert(reload:join())
    end
    app:ends()
  end)
end)
