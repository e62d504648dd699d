-- fs.watch with `recursive`: a tree, whatever becomes of its directories.
local fs, timer = require "neap.fs", require "neap.timer"
local support = require "spec.support.neap"
local watching = require "spec.support.watching"
local write, sh, read, expect_nothing = watching.write, watching.sh, watching.read, watching.expect_nothing

local TREE = { recursive = true, gather = 0.005 }

-- Until nothing was told for a moment: path -> kind, of which each is told once.
local function all_of(watcher, n, prefix)
  local kinds = {}
  for _ = 1, n do
    local change = read(watcher)
    local path = change.path:sub(#prefix + 1)
    assert.is_nil(kinds[path], path .. " was told twice")
    kinds[path] = change.kind
  end
  return kinds
end

describe("fs.watch of a tree", function()
  local path, files

  before_each(function() path, files = watching.directory() end)

  it("sees all that happens in 1,000 directories", function()
    sh("cd %s && for i in $(seq 10); do mkdir $i && (cd $i && mkdir $(seq 100)); done", path)
    for i = 1, 10 do
      for k = 1, 100 do write(("%s/%d/%d/file"):format(path, i, k), "1") end
    end
    local watcher <close> = assert(fs.watch(path, TREE))
    for i = 1, 10 do
      for k = 1, 100 do write(("%s/%d/%d/file"):format(path, i, k), "22") end
    end
    local kinds = all_of(watcher, 1000, path)
    for i = 1, 10 do
      for k = 1, 100 do assert.equal("changed", kinds[("/%d/%d/file"):format(i, k)]) end
    end
    write(path .. "/10/100/new", "1")
    assert.same({ "created /10/100/new" }, watching.next(watcher, 1, path))
    expect_nothing(watcher, path .. "/sentinel")
    sh("rm -r %s", path .. "/5")
    kinds = all_of(watcher, 201, path)
    assert.equal("removed", kinds["/5"])
    assert.equal("removed", kinds["/5/77"])
    assert.equal("removed", kinds["/5/77/file"])
  end)

  it("misses nothing in directories that are made at once", function()
    local watcher <close> = assert(fs.watch(path, TREE))
    for i = 1, 20 do
      local top = path .. "/" .. i
      sh("mkdir -p %s && echo 1 > %s", top .. "/b/c/d", top .. "/b/c/d/file")
      assert.same({ ("created /%d"):format(i), ("created /%d/b"):format(i), ("created /%d/b/c"):format(i),
        ("created /%d/b/c/d"):format(i), ("created /%d/b/c/d/file"):format(i) }, watching.next(watcher, 5, path))
      write(top .. "/b/c/d/file", "22")
      assert.same({ ("changed /%d/b/c/d/file"):format(i) }, watching.next(watcher, 1, path))
    end
  end)

  it("nor while another process makes many", function()
    local watcher <close> = assert(fs.watch(path, TREE))
    local maker <close> = assert(io.popen(([[cd '%s' && for i in $(seq 40); do
      mkdir -p $i/a/b && echo 1 > $i/a/b/file && echo 2 > $i/a/file; done; echo done]]):format(path)))
    local there = {}
    repeat
      local change = read(watcher)
      there[change.path:sub(#path + 1)] = change.kind
      local n = 0
      for _ in pairs(there) do n = n + 1 end
    until n == 200
    for i = 1, 40 do
      for _, name in ipairs { "", "/a", "/a/b", "/a/b/file", "/a/file" } do
        assert.is_string(there[("/%d%s"):format(i, name)])
      end
    end
    assert.equal("done\n", maker:read "a")
  end)

  it("follows a directory that is renamed, within it and out of it", function()
    sh("mkdir -p %s && echo 1 > %s", path .. "/a/b", path .. "/a/b/file")
    local watcher <close> = assert(fs.watch(path, TREE))
    assert(os.rename(path .. "/a", path .. "/z"))
    assert.same({ "removed /a", "removed /a/b", "removed /a/b/file",
      "created /z", "created /z/b", "created /z/b/file" }, watching.next(watcher, 6, path))
    write(path .. "/z/b/file", "22")
    assert.same({ "changed /z/b/file" }, watching.next(watcher, 1, path))
    assert(os.rename(path .. "/z", files.path .. "/outside"))
    assert.same({ "removed /z", "removed /z/b", "removed /z/b/file" }, watching.next(watcher, 3, path))
    write(files.path .. "/outside/b/file", "not ours now")
    expect_nothing(watcher, path .. "/sentinel")
    assert(os.rename(files.path .. "/outside", path .. "/a"))
    assert.same({ "created /a", "created /a/b", "created /a/b/file" }, watching.next(watcher, 3, path))
    write(path .. "/a/b/file", "333")
    assert.same({ "changed /a/b/file" }, watching.next(watcher, 1, path))
  end)

  it("two directories change places", function()
    sh("cd %s && mkdir a b && echo 1 > a/one && echo 2 > b/two", path)
    local watcher <close> = assert(fs.watch(path, TREE))
    sh("cd %s && mv a c && mv b a && mv c b", path)
    assert.same({ "changed /a", "removed /a/one", "created /a/two", "changed /b", "created /b/one", "removed /b/two" },
      watching.next(watcher, 6, path))
    write(path .. "/a/two", "22")
    assert.same({ "changed /a/two" }, watching.next(watcher, 1, path))
    write(path .. "/b/one", "22")
    assert.same({ "changed /b/one" }, watching.next(watcher, 1, path))
  end)

  it("a directory is deleted and made again in one burst", function()
    sh("cd %s && mkdir -p a/b && echo 1 > a/b/file && echo 1 > a/b/old", path)
    local watcher <close> = assert(fs.watch(path, TREE))
    for i = 1, 5 do
      sh("cd %s && rm -r a && mkdir -p a/b && echo 2 > a/b/file && echo 1 > a/b/old" .. i, path)
      local kinds = {}
      repeat
        local change = read(watcher)
        kinds[change.path:sub(#path + 1)] = change.kind
      until kinds["/a/b/file"] and kinds["/a/b/old" .. i]
      assert.equal("created", kinds["/a/b/old" .. i])
      sh("echo 33 > %s", path .. "/a/b/file")
      repeat until read(watcher).path == path .. "/a/b/file"
    end
  end)

  it("git switches branches", function()
    sh([[cd %s && git init -q . && git config user.email a@b && git config user.name a
      for i in $(seq 60); do mkdir d$i; echo 1 > d$i/file; done; git add . && git commit -qm one && git branch one
      for i in $(seq 59); do echo 2 > d$i/file; mkdir -p d$i/new; echo 1 > d$i/new/file; done; git rm -rqf d60
      git add . && git commit -qm two && git branch two]], path)
    local watcher <close> = assert(fs.watch(path, { recursive = true }))
    sh("cd %s && git checkout -q one", path)
    local kinds
    local function take(n)
      kinds = {}
      repeat
        local change = read(watcher)
        local name = change.path:sub(#path + 1)
        if not name:find "^/%.git" then
          assert.is_nil(kinds[name])
          kinds[name] = change.kind
          n = n - 1
        end
      until n == 0
    end
    take(179)
    for i = 1, 59 do
      assert.equal("changed", kinds["/d" .. i .. "/file"])
      assert.equal("removed", kinds["/d" .. i .. "/new"])
      assert.equal("removed", kinds["/d" .. i .. "/new/file"])
    end
    assert.equal("created", kinds["/d60"])
    assert.equal("created", kinds["/d60/file"])
    sh("cd %s && git checkout -q two", path)
    take(179)
    assert.equal("changed", kinds["/d1/file"])
    assert.equal("created", kinds["/d1/new/file"])
    assert.equal("removed", kinds["/d60/file"])
  end)

  it("whose root is removed and comes back, full", function()
    sh("mkdir -p %s && echo 1 > %s", path .. "/a", path .. "/a/file")
    local watcher <close> = assert(fs.watch(path, TREE))
    for _ = 1, 3 do
      sh("rm -r %s", path)
      assert.same({ "removed ", "removed /a", "removed /a/file" }, watching.next(watcher, 3, path))
      sh("mkdir -p %s && echo 1 > %s", path .. "/a", path .. "/a/file")
      assert.same({ "created ", "created /a", "created /a/file" }, watching.next(watcher, 3, path))
    end
  end)

  it("through a link that is turned to another tree", function()
    sh("cd %s && mkdir one two && echo 1 > one/file && echo 1 > two/other && ln -s one link", path)
    local watcher <close> = assert(fs.watch(path .. "/link", TREE))
    write(path .. "/one/file", "22")
    assert.same({ "changed /link/file" }, watching.next(watcher, 1, path))
    sh("cd %s && ln -s two new && mv -T new link", path)
    assert.same({ "changed /link", "removed /link/file", "created /link/other" }, watching.next(watcher, 3, path))
    write(path .. "/one/file", "not ours now")
    write(path .. "/two/other", "22")
    assert.same({ "changed /link/other" }, watching.next(watcher, 1, path))
  end)

  it("does not follow links in it, nor run in circles", function()
    sh("cd %s && mkdir a && ln -s .. a/up && ln -s /usr a/usr", path)
    local watcher <close> = assert(fs.watch(path, TREE))
    write(path .. "/a/file", "1")
    assert.same({ "created /a/file" }, watching.next(watcher, 1, path))
    sh("ln -s /etc %s", path .. "/etc")
    assert.same({ "created /etc" }, watching.next(watcher, 1, path))
  end)

  it("knows names of any bytes, of directories too", function()
    local watcher <close> = assert(fs.watch(path, TREE))
    for _, name in ipairs { "a b", "new\nline", "\1\255\128", "%s" } do
      sh("mkdir %s", path .. "/" .. name)
      assert.equal(path .. "/" .. name, read(watcher).path)
      write(path .. "/" .. name .. "/" .. name, "1")
      assert.equal(path .. "/" .. name .. "/" .. name, read(watcher).path)
    end
  end)

  it("two watchers of one tree, and one of a file in it, are told the same", function()
    sh("mkdir %s", path .. "/a")
    local file = path .. "/a/file"
    local one <close> = assert(fs.watch(path, TREE))
    local two <close> = assert(fs.watch(path, TREE))
    local three <close> = assert(fs.watch(file, TREE))
    write(file, "1")
    for _, watcher in ipairs { one, two, three } do assert.equal(file, read(watcher).path) end
    two:close()
    write(file, "2")
    for _, watcher in ipairs { one, three } do assert.equal("changed", read(watcher).kind) end
    one:close()
    assert(os.remove(file))
    assert.equal("removed", read(three).kind)
  end)

  it("more happens than the system keeps", function()
    local limit = assert(io.open("/proc/sys/fs/inotify/max_queued_events")):read("n")
    if limit > 20000 then return end
    sh("cd %s && mkdir -p a/b c && echo 1 > a/b/file && echo 1 > c/gone", path)
    local watcher <close> = assert(fs.watch(path, TREE))
    for _ = 1, limit // 3 + 1 do -- the loop reads none of it
      write(path .. "/noise", "x")
      assert(os.remove(path .. "/noise"))
    end
    write(path .. "/a/b/file", "22")
    sh("cd %s && rm c/gone && mkdir -p new/deep && echo 1 > new/deep/file", path)
    assert.same({ "changed /a/b/file", "removed /c/gone",
      "created /new", "created /new/deep", "created /new/deep/file" }, watching.next(watcher, 5, path))
    write(path .. "/new/deep/file", "22")
    assert.same({ "changed /new/deep/file" }, watching.next(watcher, 1, path))
    assert.is_false(watcher.polling)
  end)

  it("a new directory cannot be listed for a while", function()
    local status, out, err = support.run([[
      local fs, neap, timer = require "neap.fs", require "neap", require "neap.timer"
      local path = neap.args[1]
      local watcher <close> = assert(fs.watch(path, { recursive = true, gather = 0.005 }))
      local function expect(change)
        local got = assert(watcher:read { timeout = 20 })
        assert(got.kind .. got.path:sub(#path + 1) == change, got.path)
      end
      local hogs, file = {}, nil
      repeat
        file = io.open "/dev/null"
        hogs[#hogs + 1] = file
      until not file
      assert(fs.mkdir(path .. "/new"))
      expect "created/new"
      assert(watcher.polling)
      for _, hog in ipairs(hogs) do hog:close() end
      assert(fs.write(path .. "/new/file", "1"))
      expect "created/new/file"
      while watcher.polling do timer.sleep(0.01) end
      assert(fs.write(path .. "/new/file", "22"))
      expect "changed/new/file"
      print "done"
    ]], { args = { path }, setup = "ulimit -n 40" })
    assert.same({ 0, "done\n" }, { status, out }, err)
  end)

  it("what happens while nobody reads is gathered", function()
    local watcher <close> = assert(fs.watch(path, TREE))
    local file = path .. "/file"
    write(file, "1")
    timer.sleep(0.05) -- it lies there, to be read
    for i = 1, 5 do
      write(file, tostring(i))
      write(path .. "/other", tostring(i))
      timer.sleep(0.02)
    end
    assert.same({ "created /file" }, watching.next(watcher, 1, path))
    assert.same({ "changed /file", "created /other" }, watching.next(watcher, 2, path))
    expect_nothing(watcher, path .. "/sentinel")
  end)
end)
