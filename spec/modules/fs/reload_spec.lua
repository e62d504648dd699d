-- Open files and reload: a file belongs to the version that has opened it.
local neap, test, fs = require "neap", require "neap.test", require "neap.fs"
local reloading = require "spec.support.reloading"

local head = [[
  fs, hot, neap = require "neap.fs", require "neap.hot", require "neap"
  state = hot.state "files"
]]

-- It answers already while its main chunk waits for the file.
local function start(text)
  local app = reloading.start(head .. text .. " done = true", { data = "one\ntwo\nthree\n" })
  local ok, err = pcall(app.eventually, app, "return done")
  if not ok then
    app:close()
    error(err, 0)
  end
  return app
end

describe("a file, when the program is reloaded", function()
  it("is closed with its version, and says so", function()
    local app <close> = start [[ state.old = assert(fs.open("data")) ]]
    local before = app:descriptors()
    assert.equal("one", app:run "return state.old:read 'l'")
    assert.is_true(app:reload(head .. "state.new = assert(fs.open 'data')"))
    app:settle()
    assert.is_true(app:run "return state.old.closed")
    for _, call in ipairs { "read('l')", "stat()", "seek()" } do
      assert.equal("ECANCELED", (select(3, app:run("return state.old:" .. call))))
    end
    assert.equal("one", app:run "return state.new:read 'l'")
    test.eventually(function() return app:descriptors() <= before end, 20) -- that of `start` may have been among them
  end)

  it("serves a request that is in flight", function()
    local app <close> = start [[
      function slow()
        local file <close> = assert(fs.open("data"))
        local pipe <close> = assert(fs.open("go"))
        pipe:read("l")
        return file:read("l")
      end
    ]]
    assert(os.execute("mkfifo " .. app.directory .. "/go"))
    local slow = neap.go(function() return app:run "return slow()" end)
    local pipe <close> = assert(fs.open(app.directory .. "/go", "w", { timeout = 20 })) -- it has come that far
    assert.is_true(app:reload(head))
    assert(pipe:write "\n")
    assert.equal("one", slow:join())
  end)
end)
