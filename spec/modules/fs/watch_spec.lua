-- fs.watch: what is told of one file or directory, however it is saved, and of the way to it.
local fs, neap, timer = require "neap.fs", require "neap", require "neap.timer"
local watching = require "spec.support.watching"
local write, replace, sh, read, expect_nothing =
  watching.write, watching.replace, watching.sh, watching.read, watching.expect_nothing

local QUICK = { gather = 0.001 }

local function next_of(watcher, prefix)
  return watching.next(watcher, 1, prefix)[1]
end

-- 1,000 saves, each told of once. (One that is told of twice would be lost in the next: so now and then that waits.)
local function save_often(style, directory, watched)
  local file = directory .. "/file"
  write(file, "0")
  local watcher <close> = assert(fs.watch(watched(directory), QUICK))
  for n = 1, 1000 do
    style[2](file, tostring(n % 10))
    local change = read(watcher)
    assert.same({ style[1], "changed", file }, { style[1], change.kind, change.path })
    if n % 50 == 0 then assert.same({ style[1], nil }, { style[1], (watcher:read { timeout = 0.01 }) }) end
  end
  assert(os.remove(file))
  assert.same({ style[1], "removed" }, { style[1], read(watcher).kind })
end

-- Each in a directory of its own, side by side: it is mostly waiting. `watched` says what to watch.
local function save_in_all_styles(watched)
  neap.group(function(group)
    for _, style in ipairs(watching.styles) do
      group:go(save_often, style, watching.directory(), watched)
    end
  end)
end

describe("fs.watch", function()
  local path, file

  before_each(function()
    path = watching.directory()
    file = path .. "/file"
  end)

  describe("of a file", function()
    it("sees 1,000 of 1,000 saves by each style, each once", function()
      save_in_all_styles(function(directory) return directory .. "/file" end)
    end)

    it("which is not there yet", function()
      local watcher <close> = assert(fs.watch(file, QUICK))
      write(file, "1")
      assert.equal("created " .. file, next_of(watcher))
      assert(os.remove(file))
      assert.equal("removed " .. file, next_of(watcher))
      write(path .. "/other", "1") -- is none of its business
      replace(file, "2")
      assert.equal("created " .. file, next_of(watcher))
    end)

    it("whose directory is removed, and comes back", function()
      sh("mkdir %s", path .. "/a")
      sh("mkdir %s", path .. "/a/b")
      write(path .. "/a/b/file", "1")
      local watcher <close> = assert(fs.watch(path .. "/a/b/file", QUICK))
      for i = 1, 3 do
        sh("rm -r %s", path .. "/a")
        assert.equal("removed /a/b/file", next_of(watcher, path))
        sh("mkdir -p %s", path .. "/a/b")
        write(path .. "/a/b/file", tostring(i))
        assert.equal("created /a/b/file", next_of(watcher, path))
        write(path .. "/a/b/file", "again")
        assert.equal("changed /a/b/file", next_of(watcher, path))
      end
    end)

    it("whose directory is renamed away, and back", function()
      sh("mkdir -p %s", path .. "/a/b")
      write(path .. "/a/b/file", "1")
      local watcher <close> = assert(fs.watch(path .. "/a/b/file", QUICK))
      assert(os.rename(path .. "/a", path .. "/c"))
      assert.equal("removed /a/b/file", next_of(watcher, path))
      write(path .. "/c/b/file", "not ours now")
      assert(os.rename(path .. "/c", path .. "/a"))
      assert.equal("created /a/b/file", next_of(watcher, path))
    end)

    it("through a link: its target is replaced, or the link is turned", function()
      write(path .. "/one", "1")
      write(path .. "/two", "2")
      sh("ln -s one %s", file)
      local watcher <close> = assert(fs.watch(file, QUICK))
      write(path .. "/one", "changed")
      assert.equal("changed " .. file, next_of(watcher))
      replace(path .. "/one", "replaced")
      assert.equal("changed " .. file, next_of(watcher))
      sh("ln -s two %s", path .. "/new")
      assert(os.rename(path .. "/new", file))
      assert.equal("changed " .. file, next_of(watcher))
      write(path .. "/one", "no longer ours")
      write(path .. "/two", "22")
      assert.equal("changed " .. file, next_of(watcher))
      assert(os.remove(path .. "/two"))
      assert.equal("removed " .. file, next_of(watcher))
      write(path .. "/two", "3")
      assert.equal("created " .. file, next_of(watcher))
    end)

    it("becomes a directory, and a file again", function()
      write(file, "1")
      local watcher <close> = assert(fs.watch(file, QUICK))
      sh("rm %s && mkdir %s", file, file)
      assert.equal("changed " .. file, next_of(watcher))
      write(file .. "/inside", "1")
      assert.equal("created " .. file .. "/inside", next_of(watcher))
      sh("rm -r %s && echo 1 > %s", file, file)
      assert.same({ "changed ", "removed /inside" }, watching.next(watcher, 2, file))
      write(file, "2")
      assert.equal("changed " .. file, next_of(watcher))
    end)

    it("gives the path as the caller would open it", function()
      local relative = (".spec-%d"):format(math.random(1 << 40))
      local watcher <close> = assert(fs.watch(relative, QUICK))
      assert.equal(relative, watcher.path)
      write(relative, "1")
      assert.equal("created " .. relative, next_of(watcher))
      assert(os.remove(relative))
      assert.equal("removed " .. relative, next_of(watcher))
    end)

    it("tells of a touch, not of a mode", function()
      write(file, "1")
      sh("touch -d '2001-02-03' %s", file)
      local watcher <close> = assert(fs.watch(file, QUICK))
      sh("chmod 600 %s", file)
      timer.sleep(0.02) -- so that it is a burst of its own
      sh("touch -d '2002-03-04' %s", file)
      assert.equal("changed " .. file, next_of(watcher))
      assert(os.remove(file))
      assert.equal("removed " .. file, next_of(watcher))
    end)
  end)

  describe("of a directory", function()
    it("sees 1,000 of 1,000 saves by each style, each once", function()
      save_in_all_styles(function(directory) return directory end)
    end)

    for _, style in ipairs(watching.styles) do
      it("tells once of each of 200 files in a burst: " .. style[1], function()
        for i = 1, 200 do write(path .. "/" .. i, "0") end
        local watcher <close> = assert(fs.watch(path))
        for _ = 1, 3 do
          for i = 1, 200 do style[2](path .. "/" .. i, "11") end
        end
        local seen = {}
        for _ = 1, 200 do
          local change = read(watcher)
          assert.equal("changed", change.kind)
          assert.is_nil(seen[change.path])
          seen[change.path] = true
        end
        expect_nothing(watcher, path .. "/sentinel")
      end)
    end

    it("what comes and goes in a burst is nothing", function()
      write(file, "1")
      local watcher <close> = assert(fs.watch(path))
      write(path .. "/gone", "1")
      assert(os.remove(path .. "/gone"))
      replace(path .. "/gone", "1")
      assert(os.remove(path .. "/gone"))
      expect_nothing(watcher, path .. "/sentinel")
      write(path .. "/new", "1")
      write(path .. "/new", "2")
      assert(os.remove(file))
      assert.same({ "removed /file", "created /new" }, watching.next(watcher, 2, path))
    end)

    it("a rename is a removal and a creation", function()
      write(file, "1")
      local watcher <close> = assert(fs.watch(path .. "/", QUICK))
      assert(os.rename(file, path .. "/other"))
      assert.same({ "removed /file", "created /other" }, watching.next(watcher, 2, path))
      write(file, "2")
      assert.equal("created /file", next_of(watcher, path))
      assert(os.rename(file, path .. "/other"))
      assert.same({ "removed /file", "changed /other" }, watching.next(watcher, 2, path))
    end)

    it("is told of what lies right in it, not deeper", function()
      sh("mkdir %s", path .. "/old")
      local watcher <close> = assert(fs.watch(path, QUICK))
      write(path .. "/old/file", "1")
      sh("mkdir -p %s", path .. "/new/deep")
      assert.equal("created /new", next_of(watcher, path))
      write(path .. "/new/file", "1")
      expect_nothing(watcher, path .. "/sentinel")
    end)

    it("which is removed, and comes back", function()
      write(file, "1")
      local watcher <close> = assert(fs.watch(path, QUICK))
      sh("rm -r %s", path)
      assert.same({ "removed ", "removed /file" }, watching.next(watcher, 2, path))
      sh("mkdir %s", path)
      assert.equal("created ", next_of(watcher, path))
      write(file, "2")
      assert.equal("created /file", next_of(watcher, path))
    end)

    it("which is renamed away, and another one takes its place", function()
      write(file, "1")
      local watcher <close> = assert(fs.watch(path, QUICK))
      sh("mkdir %s && echo 1 > %s && mv %s %s && mv %s %s", path .. "2", path .. "2/other", path, path .. "3",
        path .. "2", path)
      assert.same({ "changed ", "removed /file", "created /other" }, watching.next(watcher, 3, path))
      write(path .. "3/file", "not ours now")
      write(path .. "/other", "22")
      assert.equal("changed /other", next_of(watcher, path))
    end)

    it("knows names of any bytes", function()
      local watcher <close> = assert(fs.watch(path, QUICK))
      for _, name in ipairs { "a b", "\n", "\1\2\255\128", "-", "'\"\\", "%d%s", ("x"):rep(255), "." .. "." .. "." } do
        write(path .. "/" .. name, "1")
        local change = read(watcher)
        assert.equal(path .. "/" .. name, change.path)
        assert.equal("created", change.kind)
      end
    end)

    it("tells of links, fifos and second names at once", function()
      local watcher <close> = assert(fs.watch(path, { gather = 0.005 }))
      sh("ln -s nowhere %s", path .. "/a")
      assert.equal("created /a", next_of(watcher, path))
      sh("mkfifo %s", path .. "/b")
      assert.equal("created /b", next_of(watcher, path))
      sh("ln %s %s", path .. "/b", path .. "/c")
      assert.equal("created /c", next_of(watcher, path))
      sh("ln -sfn elsewhere %s", path .. "/a")
      assert.equal("changed /a", next_of(watcher, path))
    end)

    it("waits for a file to be closed, though not for ever", function()
      local watcher <close> = assert(fs.watch(path, { gather = 0.01 }))
      local closed = false
      neap.go(function()
        local out <close> = assert(io.open(file, "w"))
        for _ = 1, 4 do
          assert(out:write("slice")):flush()
          timer.sleep(0.02)
        end
        closed = true
      end)
      assert.equal("created /file", next_of(watcher, path))
      assert.is_true(closed)
      local out <close> = assert(io.open(path .. "/log", "w"))
      assert(out:write("line\n")):flush()
      assert.equal("created /log", next_of(watcher, path))
      assert(out:write("line\n")):flush()
      assert.equal("changed /log", next_of(watcher, path))
    end)

    it("tells the rest while one file is written all the time", function()
      local watcher <close> = assert(fs.watch(path, { gather = 0.01 }))
      local over = false
      local task = neap.go(function()
        local out <close> = assert(io.open(path .. "/log", "w"))
        while not over do
          assert(out:write("line\n")):flush()
          timer.sleep(0.002)
        end
      end)
      write(file, "1")
      local kinds = {}
      repeat
        local change = read(watcher)
        kinds[change.path] = change.kind
      until kinds[file] and kinds[path .. "/log"] == "changed"
      assert.equal("created", kinds[file])
      over = true
      task:join()
    end)
  end)
end)
