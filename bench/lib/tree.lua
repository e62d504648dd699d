-- Directories full of files, to be read and walked.
local tree = {}

local function pipe(directory, command, names)
  local line = ("cd '%s' && xargs %s"):format(directory, command)
  local input = assert(io.popen(line, "w"))
  input:write(table.concat(names, "\n"), "\n")
  assert(input:close(), "cannot make the files")
end

-- An empty directory; gone when the variable that is given to <close> is.
function tree.directory()
  local pipe_ = assert(io.popen("mktemp -d"))
  local path = assert(pipe_:read "l", "no directory")
  pipe_:close()
  local function remove() os.execute(("rm -rf '%s'"):format(path)) end
  return path, setmetatable({}, { __close = remove })
end

-- "1", "2" ... so many, each with so many bytes.
function tree.files(directory, count, size)
  local text = ("0123456789abcde\n"):rep(size // 16)
  for i = 1, count do
    local file = assert(io.open(directory .. "/" .. i, "wb"))
    assert(file:write(text))
    assert(file:close())
  end
end

-- Returns the number of entries: 10 * wide directories, of which nine tenths lie
-- in the others, with 110 files each.
function tree.grow(directory, wide)
  local directories, files = {}, {}
  for i = 1, wide do
    for j = 1, 9 do
      local path = i .. "/" .. j
      table.insert(directories, path)
      for k = 1, 110 do table.insert(files, path .. "/file" .. k) end
    end
  end
  pipe(directory, "mkdir -p", directories)
  pipe(directory, "touch", files)
  return wide + #directories + #files
end

return tree
