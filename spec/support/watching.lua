-- For the specs of fs.watch: ways to save a file, and what is expected of a watcher.
local test = require "neap.test"

local watching = { limit = 20 } -- seconds: longer than any machine takes

local function write(path, text, mode)
  local file <close> = assert(io.open(path, mode or "wb"))
  assert(file:write(text))
end

watching.write = write

function watching.replace(path, text)
  write(path .. ".new~", text)
  assert(os.rename(path .. ".new~", path))
end

-- What nobody who saves a file can do without one of them. The file is there.
watching.styles = {
  { "truncated and written", write },
  { "written in place", function(path, text) write(path, text, "r+b") end },
  { "replaced by a rename", function(path, text)
    write("/" .. path:match("^/(.*/)") .. "../aside", text) -- not in what is watched
    assert(os.rename("/" .. path:match("^/(.*/)") .. "../aside", path))
  end },
  { "replaced by a rename beside it", watching.replace, beside = true },
  { "deleted and created again", function(path, text)
    assert(os.remove(path))
    write(path, text)
  end },
  { "appended to", function(path, text) write(path, text, "ab") end },
}

-- Runs a command of the shell; %s are paths.
function watching.sh(command, ...)
  local quoted = {}
  for i, path in ipairs { ... } do quoted[i] = "'" .. path .. "'" end
  assert(os.execute("exec 2>&1; " .. command:format(table.unpack(quoted))))
end

function watching.read(watcher)
  local change, message = watcher:read { timeout = watching.limit }
  if not change then error(message, 2) end
  return change
end

-- "kind path" of the next ones, in the order of the paths; without the beginning.
function watching.next(watcher, n, prefix)
  local list = {}
  for i = 1, n do
    local change = watching.read(watcher)
    local path = change.path
    if prefix and path:sub(1, #prefix) == prefix then path = path:sub(#prefix + 1) end
    list[i] = change.kind .. " " .. path
  end
  table.sort(list, function(a, b) return a:match " (.*)" < b:match " (.*)" end)
  return list
end

-- Nothing is told before what happens now. (The sentinel lies in what is watched.)
function watching.expect_nothing(watcher, sentinel)
  write(sentinel, "sentinel")
  local change = watching.read(watcher)
  assert(change.path == sentinel, ("%s %s"):format(change.kind, change.path))
  assert(os.remove(sentinel))
  change = watching.read(watcher)
  assert(change.path == sentinel, ("%s %s"):format(change.kind, change.path))
end

-- A directory of its own, and in it one to be watched.
function watching.directory()
  local files = test.tempdir()
  files:write("tree/here", "")
  assert(os.remove(files.path .. "/tree/here"))
  return files.path .. "/tree", files
end

return watching
