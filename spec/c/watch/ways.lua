-- Every name on the way to a file matters: directories and links that go, come, and are turned.
local kit = ... -- see spec/c/watch.lua
local root, test, write, replace, remove_all, expect =
  kit.root, kit.test, kit.write, kit.replace, kit.remove_all, kit.expect
local expect_nothing, expect_soon, watch, sys =
  kit.expect_nothing, kit.expect_soon, kit.watch, kit.sys

test("a directory is deleted and comes back", function()
  sys.mkdir("lib")
  sys.mkdir("lib/sub")
  write("lib/sub/a.lua", "1")
  write("b.lua", "1")
  local watcher <close> = watch { "lib/sub/a.lua", "b.lua" }
  for i = 1, 3 do
    remove_all("lib")
    expect_soon(watcher, "lib/sub/a.lua")
    sys.mkdir("lib")
    expect_soon(watcher, "lib/sub/a.lua")
    sys.mkdir("lib/sub")
    write("lib/sub/a.lua", i)
    expect_soon(watcher, "lib/sub/a.lua")
    write("lib/sub/a.lua", "again")
    expect(watcher, "lib/sub/a.lua")
  end
  remove_all("lib") -- all at once, as git does it
  sys.mkdir("lib")
  sys.mkdir("lib/sub")
  write("lib/sub/a.lua", "last")
  expect(watcher, "lib/sub/a.lua")
  expect_nothing(watcher, "b.lua")
  write("lib/sub/a.lua", "and later")
  expect(watcher, "lib/sub/a.lua")
end)

test("a directory is moved away, another one comes", function()
  sys.mkdir("one")
  sys.mkdir("two")
  write("one/a.lua", "1")
  write("two/a.lua", "2")
  local path = root .. "/tree/one/a.lua"
  local watcher <close> = watch { path }
  os.rename("one", "old")
  os.rename("two", "one")
  expect(watcher, path)
  write("one/a.lua", "3")
  expect(watcher, path)
  write("old/a.lua", "none of our business")
  expect_nothing(watcher, path)
end)

test("neither file nor directory is there yet", function()
  local watcher <close> = watch { "x/y/z.lua", "new.lua" }
  write("new.lua", "1")
  expect(watcher, "new.lua")
  sys.mkdir("x")
  sys.mkdir("x/y")
  write("x/y/z.lua", "1")
  expect(watcher, "x/y/z.lua")
  write("x/y/z.lua", "2")
  expect(watcher, "x/y/z.lua")
end)

test("a name on the way is a file, then a directory", function()
  write("x", "a file")
  local watcher <close> = watch { "x/a.lua" }
  os.remove("x")
  sys.mkdir("x")
  write("x/a.lua", "1")
  expect(watcher, "x/a.lua")
  write("x/a.lua", "2")
  expect(watcher, "x/a.lua")
end)

test("links", function()
  sys.mkdir("real")
  sys.mkdir("other")
  write("real/a.lua", "1")
  write("other/b.lua", "1")
  sys.symlink("real/a.lua", "link")
  sys.symlink(root .. "/tree/link", "chain")
  local watcher <close> = watch { "link", "chain" }
  write("real/a.lua", "2")
  expect(watcher, "link", "chain")
  replace("real/a.lua", "3")
  expect(watcher, "link", "chain")
  sys.symlink("other/b.lua", "new") -- turned to another file
  os.rename("new", "link")
  expect(watcher, "link", "chain")
  replace("other/b.lua", "2")
  expect(watcher, "link", "chain")
  write("real/a.lua", "none of our business")
  os.remove("chain")
  write("chain", "now a file")
  expect(watcher, "chain")
end)

test("a link to a directory is turned", function()
  for _, name in ipairs { "r1", "r2" } do
    sys.mkdir(name)
    write(name .. "/a.lua", name)
  end
  sys.symlink("r1", "current")
  local watcher <close> = watch { "current/a.lua", "./current/../r1/a.lua" }
  sys.symlink("r2", "new")
  os.rename("new", "current")
  expect(watcher, "current/a.lua", "./current/../r1/a.lua")
  write("r2/a.lua", "2")
  expect(watcher, "current/a.lua")
  write("r1/a.lua", "2")
  expect(watcher, "./current/../r1/a.lua")
end)

test("links in a circle, and to nothing", function()
  sys.symlink("b", "a")
  sys.symlink("a", "b")
  sys.symlink("missing/c", "c")
  local watcher <close> = watch { "a", "c", "", "/", ".", ("x"):rep(300), ("x/"):rep(3000) }
  sys.mkdir("missing")
  write("missing/c", "1")
  expect(watcher, "c")
  os.remove("b")
  write("b", "1")
  expect(watcher, "a")
end)
