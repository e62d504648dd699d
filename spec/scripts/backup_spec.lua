-- scripts/backup.lua, on trees that a spec makes.
local fs, process, test = require "neap.fs", require "neap.process", require "neap.test"
local program = require "spec.support.program"

local function back_up(...)
  return assert(process.run { program.neap, "scripts/backup.lua", ... })
end

-- path below the root -> what it is
local function read_tree(root)
  local tree = {}
  for path, kind in assert(fs.walk(root)) do
    local stat = assert(fs.lstat(path))
    local content = kind == "file" and fs.read(path) or kind == "link" and fs.readlink(path) or ""
    tree[path:sub(#root + 2)] = ("%s %o %s"):format(kind, stat.mode, content)
  end
  return tree
end

describe("scripts/backup.lua", function()
  local dir, from, to
  before_each(function()
    dir = test.tempdir()
    for number = 1, 40 do dir:write(("from/d%d/f%d"):format(number % 3, number), ("content %d"):format(number)) end
    from, to = dir:path_of "from", dir:path_of "copies/to"
    assert(fs.symlink("d1/f1", from .. "/link"))
    assert(fs.symlink("nowhere", from .. "/dangling"))
    assert(fs.mkdir(from .. "/closed", { mode = 320 })) -- r-x: nobody may write into it, not even while it is copied
    assert(fs.chmod(from .. "/d1/f1", 416))
  end)

  it("copies a tree, with modes and links", function()
    local result = back_up(from, to)
    assert.same({ 0, "" }, { result.status, result.stderr })
    assert.same(read_tree(from), read_tree(to))
    assert.truthy(result.stdout:find "copied 42 of 42 files")
    assert.truthy(result.stdout:find(from .. "/d1/f1\n", 1, true)) -- no terminal: a line for each
    assert.falsy(result.stdout:find "\r")
  end)

  it("copies what has changed, and leaves alone what only the copy has", function()
    back_up(from, to)
    assert.truthy(back_up(from, to).stdout:find "^copied 0 of 0 files")
    dir:write("from/d1/f1", "another content")
    dir:write("from/new", "new")
    dir:write("copies/to/extra", "mine")
    assert(fs.remove(from .. "/d2/f2"))
    assert.truthy(back_up(from, to).stdout:find "copied 2 of 2 files")
    local copy, source = read_tree(to), read_tree(from)
    assert.equal("file 644 mine", copy.extra)
    copy.extra, copy["d2/f2"] = nil, nil
    assert.same(source, copy)
  end)

  it("only says what it would do, where it is asked to", function()
    local result = back_up("--dry-run", from, to)
    assert.truthy(result.stdout:find "would copy 42 of 42 files")
    assert.is_nil((fs.stat(dir:path_of "copies")))
  end)

  it("names what cannot be copied, and does the rest", function()
    assert(process.run { "mkfifo", from .. "/pipe" })
    local result = back_up(from, to)
    assert.equal(1, result.status)
    assert.truthy(result.stderr:find("pipe", 1, true))
    assert.truthy(result.stdout:find "copied 42 of 43 files, [%d.]+ B, 1 failed")
    assert.equal("content 7", fs.read(to .. "/d1/f7"))
  end)

  it("shows a bar on a terminal", function()
    local result = assert(process.run { "script", "-qec",
      ("%s scripts/backup.lua %s %s"):format(program.neap, from, to), "/dev/null" })
    assert.equal(0, result.status)
    assert.truthy(result.stdout:find "copied 42 of 42 files")
    assert.falsy(result.stdout:find(from .. "/d1/f1", 1, true))
  end)

  it("refuses what cannot end well, and says why", function()
    local inside = back_up(from, from .. "/copy")
    assert.equal(1, inside.status)
    assert.truthy(inside.stderr:find "lies in")
    local file = back_up(from .. "/d1/f1", to)
    assert.truthy(file.stderr:find "is no directory")
    local nothing = dir:path_of "nothing"
    assert.equal(("backup: stat %s: no such file or directory\n"):format(nothing), back_up(nothing, to).stderr)
    assert.equal("backup: realpath : no such file or directory\n", back_up(from, "").stderr)
    assert.truthy(back_up("--dry-run", "/", from).stderr:find "lies in /")
    assert.equal(2, back_up(from).status)
    assert.equal(2, back_up("--jobs", "0", from, to).status)
  end)
end)
