-- fs.watch and hot reload: a watcher belongs to its version of the program.
local reloading = require "spec.support.reloading"
local watching = require "spec.support.watching"
local write = watching.write

local head = [[fs, hot, timer = require "neap.fs", require "neap.hot", require "neap.timer"
  log = hot.state "log" ]]

-- Its main chunk waits, for fs.watch.
local function start(text)
  local app = reloading.start(text .. " ready = true")
  assert(app:eventually "return ready")
  return app
end

local function watch(version, path)
  return head .. ("watcher = assert(fs.watch(%q, { gather = 0.001 }, function() log[#log + 1] = '%s' end))")
    :format(path, version)
end

describe("fs.watch and reload", function()
  local path, file

  before_each(function()
    path = watching.directory()
    file = path .. "/file"
  end)

  it("guarantee 8: that of the old version ends at the commit, that of the new one begins", function()
    local app <close> = start(watch("1", file))
    write(file, "1")
    assert.is_truthy(app:eventually "return #log == 1")
    for version = 2, 6 do
      assert.is_true(app:reload(watch(tostring(version), file)))
      app:settle()
      write(file, tostring(version))
      assert.is_truthy(app:eventually(("return #log >= %d"):format(version)))
    end
    assert.same({ "1", "2", "3", "4", "5", "6" }, (app:run "return log"))
  end)

  it("a version that is refused is never called", function()
    local app <close> = start(watch("1", file))
    assert.is_false((app:reload(watch("2", file) .. (" local out = io.open(%q, 'w') out:close() "):format(file)
      .. "timer.sleep(0.05) error 'no'")) == true)
    assert.is_truthy(app:eventually "return #log >= 1")
    write(file, "2")
    assert.is_truthy(app:eventually "return #log >= 2")
    assert.same({ "1", "1" }, (app:run "return log"))
  end)

  it("what happens while a version is loaded is told after the commit", function()
    local app <close> = start(head)
    assert.is_true(app:reload(watch("2", file) .. (" local out = io.open(%q, 'w') out:close() "):format(file)
      .. "timer.sleep(0.05) log[1] = 'loaded'"))
    assert.is_truthy(app:eventually "return #log == 2")
    assert.same({ "loaded", "2" }, (app:run "return log"))
  end)

  it("guarantee 11: hot.keep keeps one that is read", function()
    local text = head .. ([[
      watcher = hot.keep "watcher" or hot.keep("watcher", assert(fs.watch(%q, { gather = 0.001 })))
    ]]):format(file)
    local app <close> = start(text)
    for i = 1, 3 do
      write(file, tostring(i))
      assert.equal(i == 1 and "created" or "changed", app:run "return watcher:read({ timeout = 20 }).kind")
      assert.is_true(app:reload(text .. ("-- %d"):format(i)))
      app:settle()
    end
    assert.is_false(app:run "return watcher.closed")
    app:run "old = watcher watcher:close()"
    assert.equal("nil", app:run "return tostring(hot.keep 'watcher')")
  end)

  it("hot.keep keeps none with a callback", function()
    local app <close> = start(watch("1", file))
    assert.same({ false, "a watcher with a callback ends with its version: keep one that is read" },
      { app:run [[ local ok, message = pcall(hot.keep, "watcher", watcher)
        return ok, (message:gsub("^.-:%d+: ", "")) ]] })
  end)

  it("guarantee 12: 50 reloads leave no watch behind", function()
    local app <close> = start(watch("1", path))
    local count = [[
      local n = 0
      for fd = 0, 50 do
        local info <close> = io.open("/proc/self/fdinfo/" .. fd)
        for line in info and info:lines() or function() end do
          if line:find "^inotify wd" then n = n + 1 end
        end
      end
      return n]]
    local before = app:run(count)
    for version = 2, 51 do assert.is_true(app:reload(watch(tostring(version), path))) end
    app:settle()
    assert.is_truthy(app:eventually(("return %d == (function() %s end)()"):format(before, count)))
  end)
end)
