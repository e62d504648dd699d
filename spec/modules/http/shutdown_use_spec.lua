-- The end of a program, and what requests in flight use meanwhile: files, programs, directories, whoever has made
-- them. It is theirs until they are answered, and holds nothing up after that.
local net, fs = require "neap.net", require "neap.fs"
local child = require "spec.support.child"
local raw = require "spec.support.http"
local test = require "neap.test"

local program = [[
local fs, http, process, timer = require "neap.fs", require "neap.http", require "neap.process", require "neap.timer"
local dir = ...
local shared = assert(fs.open(dir .. "/shared", "w")) -- of no request
local tool = assert(process.spawn { "cat" })
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
  elseif req.path == "/tool" then
    assert(tool.stdin:write "cat\n")
    return tool.stdout:read "l"
  elseif req.path == "/forget" then
    kept[1] = assert(process.spawn { "sleep", "1000" })
    kept[2] = assert(fs.open(dir .. "/forgotten", "w"))
  elseif req.path == "/lend" then
    kept.file = assert(fs.open(dir .. "/lent", "w"))
  elseif req.path == "/borrow" then
    wait()
    return assert(kept.file:write "lent") and "done"
  elseif req.path == "/heir" then -- somebody else has the pipe, too
    local heir = "while test -d " .. dir .. "; do sleep 0.05; done"
    kept[1] = assert(process.spawn { "sh", "-c", "setsid sh -c '" .. heir .. "' & exec cat" })
    kept[1].stdin:write "cat\n"
    kept[1].stdout:read "l"
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

local function get(client, path)
  client:send(raw.get(path))
  return client:response().body
end

-- It is told to end, and has heard it.
local function tell(process, address)
  process:signal "TERM"
  test.eventually(function() return not net.connect(address) end, 20)
end

-- What is answered, where SIGTERM comes in the middle; and perhaps before, on another connection, something else was.
local function ask(path, before)
  local process <close>, address, files = start() -- luacheck: ignore
  local client <close> = raw.connect(address)
  local other <close> = raw.connect(address)
  if before then assert.equal(before, get(other, before)) end
  client:send(raw.get(path))
  assert.equal("waits", process:line())
  tell(process, address)
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

  it("what another one has made", function()
    local body, files = ask("/borrow", "/lend")
    assert.equal("done", body)
    assert.equal("lent", fs.read(files:path_of "lent"))
  end)

  it("what the program has, also where it was on its way", function()
    local process <close>, address = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    local request = raw.get "/tool"
    assert.equal("cat", get(client, "/tool"))
    client:send(request:sub(1, 5))
    tell(process, address)
    client:send(request:sub(6))
    assert.equal("cat", client:response().body)
    ends(process)
  end)

  it("what was kept over reloads", function()
    local process <close> = child.start({}, { script = [[
local hot, net, process = require "neap.hot", require "neap.net", require "neap.process"
local tool = hot.keep("tool", assert(process.spawn { "cat" }))
local server = assert(net.listen("127.0.0.1:0", function(conn)
  conn:read "l"
  print "waits" io.stdout:flush()
  print(conn:read "l") -- the program ends
  assert(tool.stdin:write "cat\n")
  conn:write(tool.stdout:read "L")
end))
print(server.address) io.stdout:flush()
]] })
    local client <close> = assert(net.connect(process:line()))
    client:write "now\n"
    process:line()
    process:signal "TERM"
    assert.equal("cat", client:read "l")
    ends(process)
  end)
end)

describe("what a request has left behind", function()
  local function ends_after(path)
    local process <close>, address = start() -- luacheck: ignore
    local client <close> = raw.connect(address)
    assert.equal(path, get(client, path))
    process:signal "TERM"
    ends(process)
  end

  it("does not hold up the end", function() ends_after "/forget" end)

  it("does not hold up the end, whoever else has it", function() ends_after "/heir" end)

  it("ends with the last that may use it", function()
    assert.equal("done", (ask("/file", "/forget")))
  end)
end)

describe("what a program has", function()
  it("is there for __close, and ends where that has made it", function()
    local process <close> = child.start({}, { script = [[
local neap, process, timer = require "neap", require "neap.process", require "neap.timer"
local tool = assert(process.spawn { "cat" })
local function bye()
  assert(tool.stdin:write "bye\n")
  print(tool.stdout:read "l")
  tool = assert(process.spawn { "sleep", "1000" })
end
neap.go(function()
  local last <close> = setmetatable({}, { __close = bye })
  print "waits" io.stdout:flush()
  timer.sleep(1000)
end)
]] })
    assert.equal("waits", process:line())
    process:signal "TERM"
    local code, out, err = process:wait()
    assert.same({ 0, "bye\n", "" }, { code, out, err })
  end)
end)
