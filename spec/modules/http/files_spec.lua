-- Files that change, or are left alone, while they are sent.
local fs, http, neap = require "neap.fs", require "neap.http", require "neap"
local child, raw = require "spec.support.child", require "spec.support.http"
local test, timer = require "neap.test", require "neap.timer"

local SIZE = 32 << 20 -- more than the kernel holds

-- So many bytes, of which no eight come twice.
local function numbers(size)
  local pieces = {}
  for i = 1, size // 8 do pieces[i] = ("%08x"):format(i) end
  return table.concat(pieces)
end

-- A file of them: its path, its text.
local function write_numbers(size)
  local path, text = test.tempdir():path_of "numbers", numbers(size)
  assert(fs.write(path, text))
  return path, text
end

local function assert_sends(address, text)
  local client <close> = raw.connect(address)
  client:send(raw.get "/")
  assert.is_true(client:response().body == text)
end

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

local function rest(client)
  local pieces = {}
  for piece in client.chunk, client do pieces[#pieces + 1] = piece end
  return table.concat(pieces)
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

  it("comes whole and in order, at whatever pace", function()
    local path, text = write_numbers(4 << 20)
    local address = "unix:" .. test.tempdir():path_of "s"
    for _, where in ipairs { "127.0.0.1:0", address } do
      local server <close> = assert(http.serve(where, http.file(path)))
      local client <close> = raw.connect(server.address)
      client:send(raw.get "/" .. raw.get("/", "Range: bytes=1000001-3999999") .. raw.request "HEAD /" .. raw.get "/")
      for _ = 1, 20 do -- slowly at first
        client.buffer = client.buffer .. client.conn:read(1000)
        timer.sleep(0)
      end
      assert.is_true(client:response().body == text)
      assert.is_true(client:response().body == text:sub(1000002, 4000000))
      assert.equal(#text, tonumber(client:response { head = true }.headers["content-length"]))
      assert.is_true(client:response().body == text)
    end
  end)

  it("comes from the disk, where the system has forgotten it", function()
    local dir = test.tempdir()
    local server <close> = assert(http.serve("127.0.0.1:0", http.static(dir.path)))
    local client <close> = raw.connect(server.address)
    for _, size in ipairs { 8, 65536, 1 << 20 } do
      local path, text = dir:path_of "file", numbers(size)
      assert(fs.write(path, text))
      for _ = 1, 2 do
        assert(os.execute(("sync '%s' && dd if='%s' iflag=nocache count=0 status=none"):format(path, path)))
        client:send(raw.get "/file")
        assert.is_true(client:response().body == text)
      end
    end
  end)

  it("goes to a client that has ended its side, and to an old one", function()
    local _, server = serve()
    for _, line in ipairs { "GET / HTTP/1.1", "GET / HTTP/1.0" } do
      local client <close> = raw.connect(server.address)
      client:send(raw.request(line))
      client.conn:shutdown()
      assert.equal(SIZE, #client:response().body)
      client:expect_closed()
    end
    server:close()
  end)

  it("goes through middleware that looks at its body, or has another idea of its length", function()
    local path = test.tempdir():path_of "numbers"
    local file, failures = http.file(path), {}
    for _, size in ipairs { 800, 1 << 20 } do
      local text = numbers(size)
      assert(fs.write(path, text))
      local change
      local server <close> = assert(http.serve("127.0.0.1:0", function(req)
        local response = http.response(file(req))
        change(response)
        return response
      end))
      local function ask(by)
        change = by
        local client <close> = raw.connect(server.address)
        client:send(raw.get "/")
        return client:response()
      end
      local response = ask(function(given) given.headers["content-length"] = nil end)
      assert.is_true(response.body == text)
      response = ask(function(given)
        given.headers["content-length"] = nil
        local body, pieces = given.body, {}
        for piece in body:chunks() do pieces[#pieces + 1] = piece end
        body:close()
        given.body = table.concat(pieces):reverse()
      end)
      assert.is_true(response.body == text:reverse())
      neap.on_error(function(message) failures[#failures + 1] = tostring(message) end)
      finally(function() neap.on_error(nil) end)
      pcall(ask, function(given) given.headers["content-length"] = "100" end)
      pcall(ask, function(given) given.body:close() end)
      test.eventually(function() return #failures == 2 end)
      assert.matches("content%-length", failures[1])
      assert.matches("the file is closed", failures[2])
      failures = {}
    end
  end)

  it("is given by one response, to one client", function()
    local path, failures = test.tempdir():path_of "numbers", {}
    neap.on_error(function(message) failures[#failures + 1] = tostring(message) end)
    finally(function() neap.on_error(nil) end)
    for _, size in ipairs { 800, 8 << 20 } do
      local text, kept = ("01234567"):rep(size // 8), nil
      assert(fs.write(path, text))
      local server <close> = assert(http.serve("127.0.0.1:0", function(req)
        kept = kept or http.file(path)(req)
        return kept
      end))
      local first <close> = raw.connect(server.address)
      local second <close> = raw.connect(server.address)
      first:send(raw.get "/")
      first:head()
      second:send(raw.get "/")
      assert.equal(500, second:response().status)
      assert.is_true(rest(first) == text)
      second:send(raw.get "/")
      assert.equal(500, second:response().status)
      for _, failure in ipairs(failures) do assert.matches("the file is %a+", failure) end
      assert.equal(2, #failures)
      failures = {}
    end
  end)

  it("may be closed while its response is read: that is an error", function()
    local path, failures = test.tempdir():path_of "numbers", {}
    assert(fs.write(path, numbers(800)))
    neap.on_error(function(message) failures[#failures + 1] = tostring(message) end)
    finally(function() neap.on_error(nil) end)
    local file = http.file(path)
    local server <close> = assert(http.serve("127.0.0.1:0", function(req)
      local response = file(req)
      return setmetatable(response, { __index = function() response.body:close() end })
    end))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    assert.equal(500, client:response().status)
    assert.matches("the file is closed", failures[1])
  end)

  it("has no pieces behind its end, nor before its beginning", function()
    local path = test.tempdir():path_of "numbers"
    local file, bodies = http.file(path), {}
    local app = http.router()
    app:get("/", function(req)
      local response = file(req)
      local body = response.body
      for _, range in ipairs { { -1, 3 }, { 0, -2 }, { 0, math.mininteger }, { 0, math.maxinteger } } do
        assert.error_matches(function() body:chunks(range[1], range[2]) end, "out of the file")
      end
      bodies = { body:chunks(0, -1)(), body:chunks(1, 2)() }
      return response
    end)
    for _, size in ipairs { 8, 1 << 20 } do
      assert(fs.write(path, numbers(size)))
      assert.equal(size, #app:request("/"):body())
      assert.same({ [2] = "00" }, bodies)
    end
  end)

  it("goes to a client that has ended its side, when threads work for it", function()
    local dir = test.tempdir()
    assert(fs.write(dir:path_of "large", numbers(1 << 20)))
    local server <close> = assert(http.serve("127.0.0.1:0", http.static(dir.path, { list = true })))
    for _ = 1, 20 do
      for target, status in pairs { ["/"] = 200, ["/large"] = 206 } do
        local client <close> = raw.connect(server.address)
        client:send(raw.get(target, "Range: bytes=0-500000,600000-900000"))
        client.conn:shutdown()
        assert.equal(status, client:response().status)
      end
    end
  end)

  it("waits for a descriptor, where there is none", function()
    local path, text = write_numbers(4 << 20)
    local server <close> = child.start({ path }, { before = "ulimit -n 100", script = [[
      local http, neap, timer = require "neap.http", require "neap", require "neap.timer"
      local file = http.file((...))
      local server = assert(http.serve("127.0.0.1:0", function(req)
        local response, taken = file(req), {}
        repeat
          local one = io.open "/dev/null"
          taken[#taken + 1] = one
        until not one
        neap.go(function()
          timer.sleep(0.1)
          for _, each in ipairs(taken) do each:close() end
        end)
        return response
      end))
      print(server.address)]] })
    assert_sends(server:line(), text)
  end)

  it("ends with a client that takes nothing, whatever memory lies about", function()
    local path = test.tempdir():path_of "large"
    assert(fs.write(path, ("x"):rep(SIZE)))
    local server <close> = child.start({ path }, { script = [[
      local http = require "neap.http"
      local file = http.file((...))
      local server = assert(http.serve("127.0.0.1:0", { write_timeout = 0.1 }, function(req)
        local response = file(req)
        response.after = function(_, message) print(message) end
        collectgarbage "stop"
        return response
      end))
      print(server.address)]] })
    local client <close> = raw.connect(server:line())
    client:send(raw.get "/")
    client:head()
    assert.equal("the client has left", server:line())
    while not client.ended do pcall(client.chunk, client) end
    assert.not_equal("ETIMEDOUT", client.ended)
  end)

  it("may keep its client waiting for longer than that may", function()
    local path, text = write_numbers(1 << 20)
    local server <close> = child.start({ path }, { before = "export UV_THREADPOOL_SIZE=1", script = [[
      local crypto, http, neap = require "neap.crypto", require "neap.http", require "neap"
      local file = http.file((...))
      local server = assert(http.serve("127.0.0.1:0", { write_timeout = 0.1 }, function(req)
        local response = file(req)
        neap.go(crypto.password, "it holds the only thread", { ln = 12, p = 64 })
        require "neap.timer".sleep(0)
        return response
      end))
      print(server.address)]] })
    assert_sends(server:line(), text)
  end)

  it("tells how much of it has gone out", function()
    local path = test.tempdir():path_of "numbers"
    for _, size in ipairs { 800, 1 << 20 } do
      assert(fs.write(path, numbers(size)))
      local file, told = http.file(path), nil
      local server <close> = assert(http.serve("127.0.0.1:0", function(req)
        local response = http.response(file(req))
        response.after = function(...) told = table.pack(...) end
        return response
      end))
      local client <close> = raw.connect(server.address)
      client:send(raw.get("/", "Range: bytes=100-"))
      client:response()
      test.eventually(function() return told end)
      assert.same({ size - 100, n = 2 }, told)
    end
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
