-- A program under --watch: what runs in the end is what is on the disk, however it was saved (guarantee 13), and the
-- developer is told in a line (what is seen of single files is in spec/c/watch.lua).
local test = require "neap.test"
local start_app = require "spec.support.app"

local SERVER = [[
local version = %s
server = assert(net.listen("unix:app.sock", { line = function(conn) conn:write(tostring(version) .. "\n") end }))
]]

local function version(text) return SERVER:format(text) end

local function watched(files)
  return start_app(files, { flags = { "--watch" } })
end

local function shell(app, command)
  assert(os.execute(("cd %s && { %s; } >/dev/null 2>&1"):format(app.directory, command)))
end

-- Waits until that version answers.
local function serves(app, text)
  return test.eventually(function() return assert.equal(text, app:ask("app.sock", "which?"), app:stderr()) end, 20)
end

local function says(app, pattern)
  return test.eventually(function() return assert.matches(pattern, app:stderr()) end, 20)
end

-- Waits until so many were counted, which they are a moment after they serve.
local function counts(app, expected)
  local count = test.eventually(function()
    local count = app:status().reloads
    return count >= expected and count
  end, 20)
  assert.equal(expected, count, app:stderr())
end

describe("neap --watch", function()
  it("guarantee 13: every way of saving is one reload", function()
    local app <close> = watched(version "1")
    local ways = {
      function(name) shell(app, ("cp %s app.lua"):format(name)) end, -- in place
      function(name) shell(app, ("mv %s app.lua"):format(name)) end, -- renamed over
      function(name) shell(app, ("cp app.lua app.lua~; rm app.lua; mv %s app.lua"):format(name)) end,
      function(name) shell(app, ("mv app.lua app.lua.orig && mv %s app.lua"):format(name)) end,
      function(name) shell(app, ("ln -sf %s app.lua.new && mv app.lua.new app.lua"):format(name)) end,
      function(name) shell(app, ("rm app.lua; cp %s app.lua"):format(name)) end,
    }
    for i, save in ipairs(ways) do
      app:save("next" .. i, version(tostring(i + 1)))
      save("next" .. i)
      serves(app, tostring(i + 1))
    end
    counts(app, #ways)
    app:ends()
  end)

  it("guarantee 13: a file that is written in slices is loaded when it is closed", function()
    local app <close> = watched(version "1")
    local text = version "2"
    do
      local file <close> = assert(io.open(app:path "app.lua", "w"))
      file:setvbuf("no")
      for i = 1, #text, 40 do
        file:write(text:sub(i, i + 39))
        app:status() -- the program has had turns in between
      end
    end
    serves(app, "2")
    counts(app, 1)
    assert.equal(0, app:status().failures)
    app:ends()
  end)

  it("guarantee 13: no reload where no content changed, nor for what editors leave beside", function()
    local app <close> = watched(version "1")
    shell(app, "touch app.lua; cp app.lua other; cp other app.lua; cp other app.lua~; cp other .app.lua.swp")
    shell(app, "touch 4913; mv other app.lua")
    app:save("app.lua", version "2") -- later than all of that
    serves(app, "2")
    counts(app, 1)
    app:ends()
  end)

  it("guarantee 13: a burst of many files is one reload, and all of them are new", function()
    local files = { ["app.lua"] = [[
      local sum = 0
      for i = 1, 200 do sum = sum + require("part" .. i) end
    ]] .. version "sum" }
    for i = 1, 200 do files[("part%d.lua"):format(i)] = "return 1" end
    local app <close> = watched(files)
    serves(app, "200")
    shell(app, "mkdir new; for i in $(seq 200); do echo return 2 > new/part$i.lua; done; mv new/* .")
    serves(app, "400")
    app:save("part7.lua", "return 3") -- a barrier: what came of the burst has come
    serves(app, "401")
    assert.is_true(app:status().reloads <= 3, app:stderr()) -- the shell may have been slower than the quiet period
    app:ends()
  end)

  it("guarantee 13: a branch is switched with git", function()
    local app <close> = watched(version "0")
    app:save("next.lua", version 'require "sub.name"')
    shell(app, [[
      git init -q -b none . && git config user.email a@b.c && git config user.name a
      git add app.lua && git commit -qm none
      git checkout -q -b one && cp next.lua app.lua && mkdir sub && echo 'return "one"' > sub/name.lua
      git add app.lua sub && git commit -qm one
      git checkout -q -b two && echo 'return "two"' > sub/name.lua && git commit -qam two]])
    serves(app, "two")
    for _, branch in ipairs { "one", "none", "two", "none", "one" } do
      shell(app, "git checkout -q " .. branch)
      serves(app, branch == "none" and "0" or branch)
    end
    app:ends()
  end)

  it("what was required by what was required, what was not there, and hot.depends", function()
    local app <close> = watched {
      ["app.lua"] = 'hot.depends("conf", "later")\n' .. version [[require "a" .. (io.open("later") and "!" or "")]],
      ["a.lua"] = 'return require "b" .. (pcall(require, "c") and "c" or "")',
      ["b.lua"] = "return io.open('conf'):read('a')",
      ["conf"] = "x",
    }
    serves(app, "x")
    app:save("conf", "y")
    serves(app, "y")
    app:save("b.lua", "return 'z'")
    serves(app, "z")
    app:save("c.lua", "")
    serves(app, "zc")
    app:save("later", "")
    serves(app, "zc!")
    counts(app, 4)
    app:ends()
  end)

  it("watches what is required later, too", function()
    local app <close> = watched { ["app.lua"] = version "1", ["late.lua"] = "return 1" }
    app:eval 'require "late"'
    app:save("late.lua", "return 2")
    counts(app, 1)
    app:ends()
  end)

  it("tells of each reload in a line, of an error with its line, and of its end", function()
    local app <close> = watched(version "1")
    app:save("app.lua", version "2" .. "timer.every(1000, print)")
    serves(app, "2")
    says(app, "neap: generation 2 is live after [%d.]+ ms %(app.lua changed%): adopted 2 servers, started 1 timer\n")
    app:save("app.lua", version "3" .. "oops(")
    says(app, "neap: not reloaded, generation 2 goes on: app.lua:3: [^\n]+\n     3 | oops%(\n")
    serves(app, "2")
    assert.matches("app.lua:3:", app:status().error)
    app:save("app.lua", version "4")
    serves(app, "4")
    says(app, "neap: mended: generation 4 is live after [%d.]+ ms %(app.lua changed%)")
    assert.is_nil(app:status().error)
    app:save("app.lua", version "5" .. "error 'no'")
    says(app, "not reloaded, generation 4 goes on: app.lua:3: no\n     3 | error 'no'\nstack traceback:")
    app:save("app.lua", version "4")
    says(app, "neap: mended: generation 4 is what is on the disk\n")
    counts(app, 2)
    app:ends()
  end)

  it("waits for a mistake in the first version to be mended, and stops what that has started", function()
    local child = require "spec.support.child"
    local directory = test.tempdir()
    local path = directory:path_of "app.lua"
    local function save(text) directory:write("app.lua", text) end
    save "require('neap.timer').every(1000, print)\nprint 'first'\nerror 'early'"
    local app <close> = child.start({ path }, { flags = { "--watch" } })
    assert.equal("first", app:line())
    test.eventually(function() return app:stderr():find "nothing serves, until a file changes" end, 20)
    assert.matches(":3: early", app:stderr())
    save "print 'second'\nio.stdout:flush()"
    assert.equal("second", app:line())
    app:signal "TERM"
    assert.equal(0, (app:wait()))
  end)
end)

describe("--watch", function()
  local program = require "spec.support.program"

  it("is refused where there is nothing to watch", function()
    local result = program.run_neap({ "--watch", "-" }, {})
    assert.equal(2, result.code)
    assert.matches("%-%-watch", result.err)
  end)

  it("guarantee 18: without it nothing is watched", function()
    local app <close> = start_app(version "1")
    app:save("app.lua", version "2")
    assert.is_false(app:status().watching)
    assert.equal("1", app:ask("app.sock", "which?"))
    assert.equal("0", app:eval [[
      local pipe <close> = io.popen("ls -l /proc/$PPID/fd | grep -c inotify")
      return pipe:read("l")]])
    app:ends()
  end)
end)
