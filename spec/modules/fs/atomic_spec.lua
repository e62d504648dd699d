-- fs.write with `atomic`: the old content or the new, and nothing else.
local neap, test, timer, fs = require "neap", require "neap.test", require "neap.timer", require "neap.fs"

local function names(dir)
  local list = {}
  for i, entry in ipairs(assert(fs.list(dir.path))) do list[i] = entry.name end
  return list
end

describe("fs.write, atomic", function()
  local dir, path

  before_each(function()
    dir = test.tempdir()
    path = dir:path_of "file"
  end)

  it("gives the file another content and nothing else", function()
    assert.is_true(fs.write(path, "one", { atomic = true }))
    assert.equal("one", dir:read "file")
    local before = fs.stat(path)
    assert.is_true(fs.write(path, "two", { atomic = true }))
    assert.equal("two", dir:read "file")
    assert.not_equal(before.ino, fs.stat(path).ino)
    assert.same({ "file" }, names(dir))
  end)

  it("keeps mode and owner of the old file, gives a new one its mode", function()
    assert(fs.write(path, "", { atomic = true, mode = 416 })) -- rw-r-----
    assert.equal(416, fs.stat(path).mode)
    assert(fs.chmod(path, 493))
    local is_root = fs.chown(path, 1, 1)
    assert(fs.write(path, "x", { atomic = true, mode = 384 }))
    local after = fs.stat(path)
    assert.equal(493, after.mode)
    if is_root then assert.same({ 1, 1 }, { after.uid, after.gid }) end
  end)

  it("replaces what a link points to, not the link", function()
    dir:write("deep/target", "old")
    assert(fs.symlink("deep/target", dir:path_of "relative"))
    assert(fs.symlink(dir:path_of "relative", dir:path_of "absolute"))
    assert(fs.symlink("deep/new", dir:path_of "dangling"))
    assert(fs.write(dir:path_of "absolute", "new", { atomic = true }))
    assert.equal("new", dir:read "deep/target")
    assert(fs.write(dir:path_of "dangling", "made", { atomic = true }))
    assert.equal("made", dir:read "deep/new")
    for _, name in ipairs { "relative", "absolute", "dangling" } do
      assert.equal("link", fs.lstat(dir:path_of(name)).kind)
    end
  end)

  it("works in the working directory", function()
    local child <close> = test.spawn_neap([[
      local fs = require "neap.fs"
      assert(fs.write("here", "tea", { atomic = true }))
      print(fs.read("here"))
    ]], {}, { cwd = dir.path, ready = false })
    assert.equal("tea", child:line())
    assert.equal(0, (child:wait()))
    assert.equal("tea", dir:read "here")
  end)

  it("is only for regular files", function()
    for _, name in ipairs { "/dev/null", dir.path } do
      local done, _, code = fs.write(name, "x", { atomic = true })
      assert.is_nil(done)
      assert.equal(name == dir.path and "EISDIR" or "EINVAL", code)
    end
  end)

  it("is safe with others that write the same file, and with readers", function()
    local texts, done = {}, false
    for i = 1, 30 do texts[i] = ("%02d"):format(i):rep(20000) end
    local known = { [""] = true }
    for _, text in ipairs(texts) do known[text] = true end
    dir:write("file", "")
    local reader = neap.go(function()
      local count = 0
      while not done do
        assert.is_true(known[assert(fs.read(path))])
        count = count + 1
      end
      return count
    end)
    neap.group(function(group)
      for _, text in ipairs(texts) do
        group:go(function() assert(fs.write(path, text, { atomic = true })) end)
      end
    end)
    done = true
    assert.is_true(reader:join() > 0)
    assert.is_true(known[dir:read "file"])
    assert.same({ "file" }, names(dir))
  end)

  it("takes away what others have left, but for what they still write", function()
    if not os.execute("command -v flock >/dev/null") then return pending("no flock here") end
    local held = {}
    for i = 0, 15 do held[#held + 1] = "flock " .. dir:write((".file.neap-%x"):format(i), "draft") end
    -- a process that holds the first so many; what it holds ends with it
    local function hold(count)
      local command = table.concat(held, " ", 1, count) .. " sh -c 'echo $$; exec sleep 60'"
      local pipe = assert(io.popen(command))
      return pipe, pipe:read("n")
    end
    local pipe, pid = hold(16)
    assert.equal("ETIMEDOUT", (select(3, fs.write(path, "x", { atomic = true, timeout = 0.02 }))))
    assert.equal(16, #names(dir))
    local writer = neap.go(fs.write, path, "x", { atomic = true })
    timer.sleep(0.01)
    assert(os.execute("kill -KILL " .. pid))
    pipe:close()
    assert.is_true(writer:join()) -- perhaps before the last of them was free
    assert.is_true(fs.write(path, "y", { atomic = true }))
    assert.same({ "file" }, names(dir))

    for i = 0, 15 do dir:write((".file.neap-%x"):format(i), "draft") end
    pipe, pid = hold(2)
    assert.is_true(fs.write(path, "y", { atomic = true }))
    assert.same({ ".file.neap-0", ".file.neap-1", "file" }, names(dir))
    assert(os.execute("kill -KILL " .. pid))
    pipe:close()
    assert.is_true(fs.write(path, "z", { atomic = true }))
    assert.same({ "file" }, names(dir))
  end)

  it("works where others have put something into the places of its drafts", function()
    for i = 0, 15 do dir:write((".file.neap-%x/kept"):format(i), "theirs") end
    assert.is_true(fs.write(path, "x", { atomic = true, timeout = 10 }))
    assert.equal("x", dir:read "file")
    assert.equal(17, #names(dir))
    assert.equal("theirs", dir:read ".file.neap-f/kept")
  end)

  it("gives another group no rights that not everybody has", function()
    assert(fs.write(path, "old"))
    assert(fs.chmod(path, 438 + 8)) -- 0676
    assert(fs.chmod(dir.path, 511))
    local out = require "spec.support.unprivileged"([[
      local fs = require "neap.fs"
      print(fs.write(arg[1], "new", { atomic = true }))
    ]], path)
    if out == nil then return pending("no way to be somebody else") end
    assert.equal("true\n", out)
    assert.equal("new", dir:read "file")
    local info, own = fs.stat(path), fs.stat(dir.path)
    assert.equal(info.gid == own.gid and 446 or 438, info.mode) -- an ordinary user's group is kept
  end)

  it("leaves the old file, and no litter, where there is no room", function()
    local child <close> = require("spec.support.child").start({ dir.path }, {
      under = "unshare -rm",
      script = [[
        local fs = require "neap.fs"
        local dir = ...
        if not os.execute("mount -t tmpfs -o size=64k tmpfs " .. dir .. " 2>/dev/null") then
          print "no mount"
          os.exit(0)
        end
        local path = dir .. "/file"
        assert(fs.write(path, ("x"):rep(40000), { atomic = true }))
        print(select(3, fs.write(path, ("y"):rep(40000), { atomic = true })))
        print(fs.read(path) == ("x"):rep(40000), #fs.list(dir))
        print(select(3, fs.write(path, ("y"):rep(100000))))
        os.exit(0)
      ]],
    })
    local first = child.pipe:read("l")
    if first == nil or first == "no mount" then return pending("a tmpfs cannot be mounted here") end
    assert.equal("ENOSPC", first)
    assert.equal("true\t1", child:line())
    assert.equal("ENOSPC", child:line())
  end)

  it("leaves the old content or the new when its writer is killed, and the next one cleans up", function()
    local size = 300000
    dir:write("file", ("0"):rep(size))
    local litter, round = 0, 0
    repeat
      round = round + 1
      local child <close> = test.spawn_neap([[
        local neap, fs = require "neap", require "neap.fs"
        local path, size = ...
        assert(fs.write(path, ("1"):rep(size), { atomic = true }))
        print "go"
        io.stdout:flush()
        neap.group(function(group)
          for i = 1, 3 do
            group:go(function()
              while true do assert(fs.write(path, tostring(i):rep(size), { atomic = true })) end
            end)
          end
        end)
      ]], { path, size }, { ready = "^go$" })
      local first = fs.stat(path).ino
      test.eventually(function() return fs.stat(path).ino ~= first end) -- they are at it
      timer.sleep(0.001 * (round % 7))
      child:signal "KILL"
      child:wait()
      local text = dir:read "file"
      assert.equal(size, #text)
      assert.is_true(text == text:sub(1, 1):rep(size)) -- one of them, whole
      assert.not_equal("0", text:sub(1, 1))
      if #names(dir) > 1 then litter = litter + 1 end
      if round % 5 == 0 then
        assert(fs.write(path, ("0"):rep(size), { atomic = true }))
        assert.same({ "file" }, names(dir))
      end
    until round >= 25 and litter > 0 or round == 250 -- where files are in memory, the middle is short
    assert.is_true(litter > 0) -- some were killed in the middle
  end)
end)
