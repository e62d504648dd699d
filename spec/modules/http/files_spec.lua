-- Files that change, or are left alone, while they are sent.
local fs, http, neap = require "neap.fs", require "neap.http", require "neap"
local raw = require "spec.support.http"
local test = require "neap.test"

local SIZE = 32 << 20 -- more than the kernel holds

local function truncate(path, size)
  assert(os.execute(("truncate -s %d '%s'"):format(size, path)))
end

local function serve()
  local dir = test.tempdir()
  local path = dir.path .. "/large"
  assert(fs.write(path, ("0123456789abcdef"):rep(SIZE // 16)))
  return path, assert(http.serve("127.0.0.1:0", http.file(path))), dir
end

local function begin(server)
  local client = raw.connect(server.address)
  client:send(raw.get "/")
  local head = client:head()
  assert.equal(tostring(SIZE), head.headers["content-length"])
  return client
end

local function count(client)
  local size = 0
  for piece in client.chunk, client do size = size + #piece end
  return size
end

describe("a file that is sent", function()
  it("may become shorter: the connection ends, and nothing is made up", function()
    local reports = {}
    neap.on_error(function(message) reports[#reports + 1] = tostring(message) end)
    finally(function() neap.on_error(nil) end)
    local path, server = serve()
    local client <close> = begin(server)
    truncate(path, 1000)
    local ok, message = pcall(count, client)
    assert.is_false(ok)
    assert.matches("bytes are missing", message)
    test.eventually(function() return reports[1] end, 20)
    assert.matches("the file has become shorter", reports[1])
    server:close()
  end)

  it("may grow: what was announced is sent", function()
    local path, server = serve()
    local client <close> = begin(server)
    truncate(path, SIZE + 4)
    assert.equal(SIZE, count(client))
    server:close()
  end)

  it("may be replaced, or be gone: the one that was opened is sent", function()
    local path, server = serve()
    local client <close> = begin(server)
    assert(fs.remove(path))
    assert.equal(SIZE, count(client))
    server:close()
  end)

  it("may lose its client", function()
    local _, server = serve()
    local client = begin(server)
    client:reset()
    local other <close> = begin(server)
    assert.equal(SIZE, count(other))
    server:close()
  end)

  it("may be larger than memory", function()
    local dir = test.tempdir()
    local path = dir.path .. "/sparse"
    assert(fs.write(path, ""))
    truncate(path, 4 << 30)
    local server <close> = assert(http.serve("127.0.0.1:0", http.file(path)))
    local client <close> = raw.connect(server.address)
    client:send(raw.get("/", "Range: bytes=4294967290-"))
    local response = client:response()
    assert.same({ 206, ("\0"):rep(6), "bytes 4294967290-4294967295/4294967296" },
      { response.status, response.body, response.headers["content-range"] })
    collectgarbage()
    local before = collectgarbage "count"
    client:send(raw.get "/")
    client:head()
    for _ = 1, 200 do client:chunk() end
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 4096)
  end)
end)
