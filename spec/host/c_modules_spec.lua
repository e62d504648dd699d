-- C modules for Lua find Lua's functions in the program that loads them.

describe("a C module for Lua", function()
  it("loads and works: lpeg", function()
    local lpeg = require "lpeg"
    local word = lpeg.C(lpeg.R "az" ^ 1)
    assert.equal("moon", word:match "moon rise")
  end)

  it("that is not there raises, and names where it was looked for", function()
    local ok, message = pcall(require, "no_such_c_module")
    assert.is_false(ok)
    assert.matches("no file '[^']*no_such_c_module%.so'", message)
  end)
end)
