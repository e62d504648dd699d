local neap, test, timer = require "neap", require "neap.test", require "neap.timer"

describe("test.capture", function()
  it("has what Lua, C and children write", function()
    local captured <close> = test.capture()
    io.write "lua "
    io.stderr:write "stderr "
    io.stdout:flush()
    os.execute "echo child; echo problem >&2"
    local out, err = captured:close()
    assert.same({ "lua child\n", "stderr problem\n" }, { out, err })
  end)

  it("gives what there is so far", function()
    local captured <close> = test.capture()
    io.write "one"
    assert.equal("one", captured:stdout())
    io.write " two"
    assert.equal("one two", captured:stdout())
    assert.equal("", captured:stderr())
    captured:close()
    assert.equal("one two", captured:stdout())
    assert.same({ "one two", "" }, { captured:close() })
  end)

  it("does not stop a writer, however much that writes", function()
    local captured <close> = test.capture()
    local text = ("x"):rep(1 << 20)
    io.write(text)
    assert.equal(#text, #captured:close())
  end)

  it("has the lines of the host", function()
    local captured <close> = test.capture()
    io.stderr:write "neap: reloaded\n\tand more\nnot the host's\nneap: again\n"
    captured:close()
    assert.same({ "reloaded", "again" }, captured:log())
  end)

  it("lets others run, and has what they write", function()
    local captured <close> = test.capture()
    neap.go(function()
      timer.sleep(0.001)
      io.write "later"
    end):join()
    assert.equal("later", captured:close())
  end)

  it("may be inside another one", function()
    local outer <close> = test.capture()
    io.write "a"
    do
      local inner <close> = test.capture()
      io.write "b"
      assert.equal("b", inner:stdout())
    end
    io.write "c"
    assert.equal("ac", outer:close())
  end)

  it("ends those that began after it", function()
    local outer, inner = test.capture(), test.capture()
    io.write "x"
    assert.equal("", outer:close())
    assert.equal("x", inner:stdout())
    assert.equal("x", inner:close())
  end)

  it("ends with a block that fails", function()
    local outer <close> = test.capture()
    pcall(function()
      local _ <close> = test.capture()
      io.write "inside"
      error "it fails"
    end)
    io.write "outside"
    assert.equal("outside", outer:close())
  end)
end)
