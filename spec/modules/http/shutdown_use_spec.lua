-- The end of a program, and what requests in flight use meanwhile: files, programs, directories. It is theirs until
-- they are answered, and holds nothing up after that.
local net, fs = require "neap.net", require "neap.fs"
local child = require "spec.support.child"
local raw = require "spec.support.http"
local test = require "neap.test"

local program = [[
local fs, http, process, timer = require "neap.fs", require "neap.http", require "neap.process", require "neap.timer"
local dir = ...
local shared = assert(fs.open(dir .. "/shared", "w")) -- of no request
local kept = {}
local function wait()
  print "waits" io.stdout:flush()
  while not io.open(dir .. "/gate") do timer.sleep(0.001) end
end
local server = assert(http.serve("127.0.0.1:0", function(req)
  if req.path == "/file" then
    local file <close> = assert(fs.open(dir .. "/own", "w"))
    assert(file:write "one ")
    assert(shared:write "one ")
    wait()
    assert(file:write "two")
    assert(shared:write "two")
    return "done"
  elseif req.path == "/run" then
    print "waits" io.stdout:flush()
    return assert(process.run({ "sh", "-c", "cat; until test -e gate; do sleep 0.01; done; echo end" },
      { stdin = "read to the ", cwd = dir })).stdout
  elseif req.path == "/spawn" then
    local tool <close> = assert(process.spawn { "cat" })
    wait()
    assert(tool.stdin:write "cat\n")
    return tool.stdout:read "l"
  elseif req.path == "/directory" then
    local temp <close> = assert(fs.tempdir())
    assert(fs.write(temp.path .. "/a", "in there"))
    local walk = fs.walk(dir)
    walk()
    wait()
    walk()
    return assert(fs.read(temp.path .. "/a"))
  elseif req.path == "/forget" then
    kept[1] = assert(process.spawn { "sleep", "1000" })
    kept[2] = assert(fs.open(dir .. "/forgotten", "w"))
  end
  return req.path
end))
print(server.address) io.stdout:flush()
]]

local function start()
  local files = test.tempdir()
  local self = child.start({ files.path }, { script = program })
  return self, self:line(), files
end

local function ends(process)
  local code, _, err = process:wait()
  assert.same({ 0, "" }, { code, err })
end

-- What is answered, where SIGTERM comes in the middle.
local function ask(path)
  local process <close>, address, files = start() -- luacheck: ignore
  local client <close> = raw.connect(address)
  client:send(raw.get(path))
  assert.equal("waits", process:line())
  process:signal "TERM"
  test.eventually(function() return not net.connect(address) end, 20)
  files:write("gate", "")
  local body = client:response().body
  ends(process)
  return body, files
end

describe("SIGTERM leaves to a request in flight", function()
  it("its files, and those of the program", function()
    local body, files = ask "/file"
    assert.equal("done", body)
    assert.equal("one two", fs.read(files:path_of "own"))
    assert.equal("one two", fs.read(files:path_of "shared"))
  end)

  it("a program that it runs", function()
    assert.equal("read to the end\n", (ask "/run"))
  end)

  it("a program that it talks to", function()
    assert.equal("cat", (ask "/spawn"))
  end)

  it("a directory for the time being, and the tree that it walks", function()
    assert.equal("in there", (ask "/directory"))
  end)
end)

describe("what a request has left behind", function()
  it("does not hold up the end", function()
    local process <close>, address = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    client:send(raw.get "/forget")
    assert.equal("/forget", client:response().body)
    process:signal "TERM"
    ends(process)
  end)

  it("ends with the last that may use it", function()
    local process <close>, address, files = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    local other <close> = raw.connect(address)
    other:send(raw.get "/forget")
    assert.equal("/forget", other:response().body)
    client:send(raw.get "/file")
    process:line()
    process:signal "TERM"
    test.eventually(function() return not net.connect(address) end, 20)
    files:write("gate", "")
    assert.equal("done", client:response().body)
    ends(process)
  end)
end)
