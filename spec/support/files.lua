-- For specs of scripts/files.lua: a copy of it that runs, in a directory that may be changed. There is one at a time;
-- whatever becomes of a spec that is `served`, it ends with it.
--
--   before_each(function() files, root, script = support.prepare() end)  -- `root` is what it will serve
--   it("...", served(function() address = start "--upload" ... end))
local assert = require "luassert"
local fs, json = require "neap.fs", require "neap.json"
local child, http = require "spec.support.child", require "spec.support.http"
local multipart, test = require "spec.support.multipart", require "neap.test"

local support = {}

local PARTS = { "arguments", "guard", "listing", "names", "page", "sorting", "text", "uploads", "users" }

local root, script, server

-- A copy that may be changed.
local function copy(files)
  assert(fs.mkdir(files:path_of "files/public", { parents = true }))
  local names = { "files.lua", "files/public/files.css", "files/public/files.js", "files/public/icon.svg" }
  for _, part in ipairs(PARTS) do names[#names + 1] = ("files/%s.lua"):format(part) end
  for _, name in ipairs(names) do assert(fs.write(files:path_of(name), assert(fs.read("scripts/" .. name)))) end
  return files:path_of "files.lua"
end

function support.ask(address, line, ...)
  local client <close> = http.connect(address)
  client:send(http.request(line, nil, ...))
  local answer = client:response { head = line:find "^HEAD" ~= nil }
  if (answer.headers["content-type"] or ""):find "json" then answer.content = json.decode(answer.body) end
  return answer
end

-- Sends files, name, content, name, content ...
function support.send(address, path, files, ...)
  local client <close> = http.connect(address)
  local parts = {}
  for i = 1, #files, 2 do parts[#parts + 1] = multipart.file("files", files[i], files[i + 1]) end
  client:send_later(multipart.post(path, multipart.body(table.unpack(parts)), ...))
  local answer = client:response()
  if (answer.headers["content-type"] or ""):find "json" then answer.content = json.decode(answer.body) end
  return answer
end

-- Its address, and its process. `before`: shell commands.
function support.start_after(before, ...)
  server = child.start({ script, "--address", "127.0.0.1:0", root, ... },
    { before = before, under = "setsid" }) -- SIGHUP reloads it
  local address = server:line():match "^files: listening on http://(.+)$"
  assert.equal("files: serving " .. root, server:line():match "^[^,]*")
  return address, server
end

function support.start(...)
  return support.start_after(nil, ...)
end

-- The directory, what is in it to be served, and the script.
function support.prepare()
  local files = test.tempdir()
  script, root = copy(files), files:path_of "root"
  assert(fs.mkdir(root .. "/photos/old", { parents = true }))
  assert(fs.write(root .. "/hello.txt", "Hello, World!"))
  files:write("secret.txt", "secret")
  return files, root, script
end

-- It was told to end.
function support.ended()
  local code, _, err = server:wait()
  server:__close()
  server = nil
  assert.same({ 0, "" }, { code, (err:gsub("[^\n]*generation %d is live[^\n]*\n", "")) })
end

function support.stop()
  server:signal "TERM"
  support.ended()
end

-- At once, in mid-work.
function support.kill()
  server:signal "KILL"
  server:wait()
  server:__close()
  server = nil
end

-- A spec that starts it: it ends well, or is ended. (After the spec its files are gone.)
function support.served(fn)
  return function()
    local _ <close> = setmetatable({}, { __close = function()
      if server then server:__close() end
      server = nil
    end })
    fn()
    if server then support.stop() end
  end
end

function support.names(path)
  local list = {}
  for i, entry in ipairs(assert(fs.list(root .. (path or "")))) do list[i] = entry.name end
  table.sort(list)
  return list
end

function support.reload(number)
  server:signal "HUP"
  test.eventually(function() return server:stderr():find(("generation %d is live"):format(number), 1, true) end, 20)
end

return support
