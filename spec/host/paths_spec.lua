-- Where require looks: LuaRocks' trees first, then the places of Lua's own.
local support = require "spec.support.neap"
local program = require "spec.support.program"

local show = "print(package.path) print(package.cpath)"

-- What package.path and package.cpath are.
local function paths(options)
  options = options or {}
  options.env = options.env or {}
  options.setup = "unset LUA_PATH LUA_CPATH LUA_PATH_5_4 LUA_CPATH_5_4; " .. (options.setup or ":")
  return support.output(show, options):match "^(.-)\n(.-)\n$"
end

local lua = program.run(program.lua, { "-E", "-e", show }).out
local standard, c_standard = lua:match "^(.-)\n(.-)\n$"

local function trees(...)
  local list = {}
  for i, root in ipairs { ... } do list[i] = root .. "/share/lua/5.4/?.lua;" .. root .. "/share/lua/5.4/?/init.lua;" end
  return table.concat(list)
end

local function c_trees(...)
  local list = {}
  for i, root in ipairs { ... } do list[i] = root .. "/lib/lua/5.4/?.so;" end
  return table.concat(list)
end

describe("package.path and package.cpath", function()
  it("are a project's tree, a user's, and then what plain Lua has", function()
    local path, cpath = paths { env = { HOME = "/home/moon" } }
    assert.equal(trees("./lua_modules", "/home/moon/.luarocks") .. standard, path)
    assert.equal(c_trees("./lua_modules", "/home/moon/.luarocks") .. c_standard, cpath)
  end)

  it("leave the user's out where no home is known, or its name could not be one in a path", function()
    for _, home in ipairs { "", "relative", "/a;b", "/a?" } do
      assert.equal(trees "./lua_modules" .. standard, (paths { env = { HOME = home } }))
    end
    assert.equal(trees "./lua_modules" .. standard, (paths { setup = "unset HOME" }))
    assert.equal(trees("./lua_modules", "/100%/.luarocks") .. standard, (paths { env = { HOME = "/100%" } }))
  end)

  it("are what LUA_PATH and LUA_CPATH say; ';;' stands for all of the default", function()
    local default = trees("./lua_modules", "/h/.luarocks") .. standard
    local function with(env)
      env.HOME = "/h"
      return paths { env = env }
    end
    assert.equal("/x/?.lua", (with { LUA_PATH = "/x/?.lua" }))
    assert.equal("/x/?.lua;" .. default, (with { LUA_PATH = "/x/?.lua;;" }))
    assert.equal(default .. ";/x/?.lua", (with { LUA_PATH_5_4 = ";;/x/?.lua", LUA_PATH = "/y/?.lua" }))
    local _, cpath = with { LUA_CPATH = "/a.so;;/b.so" }
    assert.equal("/a.so;" .. c_trees("./lua_modules", "/h/.luarocks") .. c_standard .. ";/b.so", cpath)
    _, cpath = with { LUA_PATH = "/x/?.lua", LUA_CPATH_5_4 = "/only.so" }
    assert.equal("/only.so", cpath)
  end)

  it("have nothing of the environment with -E", function()
    local path, cpath = paths { flags = { "-E" }, env = { HOME = "/h", LUA_PATH = "/x/?.lua", LUA_CPATH = "/x.so" } }
    assert.equal(trees "./lua_modules" .. standard, path)
    assert.equal(c_trees "./lua_modules" .. c_standard, cpath)
  end)

  it("find what LuaRocks has installed, a project's before a user's", function()
    local files = {
      ["lua_modules/share/lua/5.4/mine.lua"] = "return 'of the project'",
      ["home/.luarocks/share/lua/5.4/mine.lua"] = "return 'of the user'",
      ["home/.luarocks/share/lua/5.4/deep/init.lua"] = "return require 'deep.part'",
      ["home/.luarocks/share/lua/5.4/deep/part.lua"] = "return ...",
    }
    local out = support.output("print(require 'mine') print((require 'deep'))",
      { files = files, setup = [[export HOME="$PWD/home"]] })
    assert.equal("of the project\t./lua_modules/share/lua/5.4/mine.lua\ndeep.part\n", out)
  end)

  it("find modules in C there, too", function()
    local installed = package.searchpath("lpeg", package.cpath)
    local out = support.output("print(select(2, require 'lpeg'))",
      { setup = "mkdir -p lua_modules/lib/lua/5.4; ln -s " .. installed .. " lua_modules/lib/lua/5.4/lpeg.so" })
    assert.equal("./lua_modules/lib/lua/5.4/lpeg.so\n", out)
  end)

  it("are named where a module is not found", function()
    local out = support.output("print(select(2, pcall(require, 'no.such')))", { env = { HOME = "/h" } })
    assert.matches("no file './lua_modules/share/lua/5.4/no/such.lua'", out, 1, true)
    assert.matches("no file '/h/.luarocks/lib/lua/5.4/no/such.so'", out, 1, true)
  end)
end)
