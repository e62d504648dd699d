-- How app:request reads an answer: bytes that no server of ours sends, and that come as they like.
local neap, timer = require "neap", require "neap.timer"

local reading = assert(loadfile "modules/http/app/client_reader.lua")()

-- A connection on which these pieces come. A number is a code that it fails with, false a wait that is too long.
local function connection(...)
  local pieces, at = table.pack(...), 0
  local conn = { closed = false, finished = false }
  function conn.read()
    at = at + 1
    local piece = pieces[at]
    if piece == false then return nil, "read: timed out", "ETIMEDOUT" end
    if type(piece) == "table" then return nil, "read socket: " .. piece[1], piece[2] end
    return piece
  end
  function conn:close() self.closed = true end
  function conn:finish() self.finished = true end
  return conn
end

-- The whole answer as text, and its head; or nil, message, code.
local function read(conn, is_head)
  local interim = {}
  local reader = reading.new(conn, "GET /x")
  local function note(response) interim[#interim + 1] = response.status end
  local response, message, code = reading.read(reader, nil, is_head, note)
  if not response then return nil, message, code end
  local pieces = {}
  while true do
    local piece
    piece, message, code = reading.piece(response, reader, nil)
    if code == "ETIMEDOUT" then
      pieces[#pieces + 1] = "~" -- and once more
    elseif code then
      assert.is_true(conn.closed)
      local again = table.pack(reading.piece(response, reader, nil))
      assert.same({ n = 3, [2] = message, [3] = code }, again)
      return nil, message, code
    elseif piece then
      pieces[#pieces + 1] = piece
    else
      assert.is_true(conn.finished)
      return table.concat(pieces), response, interim
    end
  end
end

local function head(...)
  return "HTTP/1.1 200 OK\r\n" .. table.concat({ ... }, "\r\n") .. (... and "\r\n\r\n" or "\r\n")
end

local CHUNKED, LENGTH = head "transfer-encoding: chunked", head "content-length: 4"

describe("an answer", function()
  -- In one piece, and byte by byte.
  local function each_way(text, check, is_head)
    check(read(connection(text), is_head))
    local bytes = { text:byte(1, -1) }
    for i, byte in ipairs(bytes) do bytes[i] = string.char(byte) end
    check(read(connection(table.unpack(bytes)), is_head))
  end

  it("is read by what its head says", function()
    local texts = {
      [LENGTH .. "full"] = "full",
      [head "content-length: 0"] = "",
      [CHUNKED .. "2\r\nfu\r\n00002\r\nll\r\n0\r\n\r\n"] = "full",
      [CHUNKED .. "0\r\n\r\n"] = "",
      [head() .. "to the end"] = "to the end",
      ["HTTP/1.0 404 \r\n\r\nto the end"] = "to the end",
      ["HTTP/1.1 204 No Content\r\n\r\n"] = "",
      ["HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n"] = "",
      ["HTTP/1.1 101 Switching Protocols\r\nupgrade: tea\r\n\r\n"] = "",
    }
    for text, body in pairs(texts) do
      each_way(text, function(got, why) assert.equal(body, got, why) end)
    end
    for _, text in ipairs { head "content-length: 7", CHUNKED, head() } do
      each_way(text, function(got, why) assert.equal("", got, why) end, true)
    end
  end)

  it("has those that came before it, trailers, and headers as they are meant", function()
    local text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" ..
      "HTTP/1.1 200 OK\r\nX-A:1\r\nx-a:\t 2 \t\r\nx-b:\r\nTransfer-Encoding: chunked\r\n\r\n" ..
      "1\r\nx\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n"
    each_way(text, function(body, response, interim)
      assert.same({ "x", { 100, 103 }, "1, 2", "", "1, 2" },
        { body, interim, response.headers["X-a"], response.headers["x-b"], response.trailers["X-SUM"] })
      assert.equal("x", response.interim[2].headers.link)
    end)
  end)

  it("may be waited for again, wherever that was given up", function()
    local function slowly(text)
      local pieces = { CHUNKED }
      for byte in text:gmatch "." do table.move({ false, byte }, 1, 2, #pieces + 1, pieces) end
      local body, response = read(connection(table.unpack(pieces)))
      return body:gsub("~", ""), response.trailers["x-sum"]
    end
    assert.equal("full", (slowly "2\r\nfu\r\n2\r\nll\r\n0\r\n\r\n"))
    local body, sum = slowly "1\r\nx\r\n0\r\nx-a: 1\r\nx-sum: 7\r\n\r\n"
    assert.same({ "x", "7" }, { body, sum })
  end)

  it("that is not of HTTP is a failure", function()
    local texts = {
      ["a malformed status line"] = { "\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/2 200 OK\r\n", "HTTP/1.1 200\r\n",
        "hello\r\n", "HTTP/1.1 200 O\27K\r\n" },
      ["a malformed line"] = { "HTTP/1.1 200 OK\n", "HTTP/1.1 200\0OK\r\n", "HTTP/1.1 200 OK\r\n\r\r\n" },
      ["a malformed header"] = { head ": x", head "x y: z", head " x: y", head "x", head "x: \1", head "x : y" },
      ["a malformed length"] = { head "content-length: 1x", head "content-length: -1", head "content-length: 1, 1",
        head "content-length: 99999999999999999999" },
      ["a length and a transfer coding"] = { head("content-length: 1", "transfer-encoding: chunked") },
      ["an unknown transfer coding"] = { head "transfer-encoding: gzip, chunked" },
      ["204 with a body"] = { "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n" },
      ["100 with a body"] = { "HTTP/1.1 100 Continue\r\ntransfer-encoding: chunked\r\n\r\n" },
      ["a malformed chunk"] = { CHUNKED .. "x\r\n", CHUNKED .. "\r\n", CHUNKED .. "1;a=b\r\n", CHUNKED .. "-1\r\n",
        CHUNKED .. "0x1\r\n", CHUNKED .. "1111111111111111\r\n" },
      ["a chunk without an end"] = { CHUNKED .. "1\r\nxy\r\n0\r\n\r\n" },
    }
    for why, list in pairs(texts) do
      for _, text in ipairs(list) do
        each_way(text, function(body, message, code)
          assert.same({ nil, "request GET /x: " .. why, "EPROTO" }, { body, message, code }, text)
        end)
      end
    end
    each_way(CHUNKED .. "0\r\nx\r\n\r\n", function(_, message)
      assert.equal("request GET /x: a malformed header", message)
    end)
  end)

  it("has lines of a length that ends", function()
    local pieces = { "HTTP/1.1 200 OK\r\nx: " }
    for i = 2, 20 do pieces[i] = ("y"):rep(1 << 16) end
    local body, message, code = read(connection(table.unpack(pieces)))
    assert.same({ nil, "request GET /x: a line without an end", "EPROTO" }, { body, message, code })
  end)

  it("that is cut short is a failure, wherever that is", function()
    for _, text in ipairs { LENGTH .. "full", CHUNKED .. "2\r\nfu\r\n2\r\nll\r\n0\r\nx: y\r\n\r\n" } do
      for i = 0, #text - 1 do
        local body, message, code = read(connection(text:sub(1, i)))
        assert.same({ nil, "request GET /x: the answer was cut short", "ECONNRESET" }, { body, message, code })
        body, message, code = read(connection(text:sub(1, i), { "connection reset by peer", "ECONNRESET" }))
        assert.same({ nil, "request GET /x: connection reset by peer", "ECONNRESET" }, { body, message, code })
      end
    end
  end)

  it("that fails ends what is still sent", function()
    local reader, ended = reading.new(connection "nonsense\r\n", "GET /x"), false
    reader.sender = neap.go(function()
      local _ <close> = setmetatable({}, { __close = function() ended = true end })
      timer.sleep(3600)
    end)
    timer.sleep(0)
    assert.is_nil((reading.read(reader, nil, false, print)))
    reader.sender:join()
    assert.is_true(ended)
  end)
end)
