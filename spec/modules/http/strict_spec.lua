-- Requests that are not as RFC 9110 and 9112 have them, as bytes over a socket, split at every position: the good
-- request before is answered, then the bad one is refused and the connection closed. No handler sees anything of it,
-- or of what lies behind it. (All kinds of requests are in spec/c/http_intake_rows.h: here is one of each.)
local http = require "neap.http"
local raw = require "spec.support.http"

local good = "GET /good HTTP/1.1\r\nHost: a\r\n\r\n"
local smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
local seen, server

local function handler(req)
  seen[req.path] = (seen[req.path] or 0) + 1
  if req.path == "/read" then return assert(req:body()) end
  if req.path == "/pieces" then
    for _ in req:chunks() do end
  end
  return req.path
end

before_each(function()
  seen = {}
  server = assert(http.serve("127.0.0.1:0", { max_headers = 8, max_header_size = 200, max_target = 40 }, handler))
end)

after_each(function() server:close() end)

-- A head: its first line, headers, and a Host where none of these begins with "Host" or "host".
local function head(line, ...)
  local lines = { line, ... }
  local has_host = false
  for _, header in ipairs(lines) do has_host = has_host or header:lower():find "^host" end
  if not has_host then table.insert(lines, 2, "Host: a") end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function post(...) return head("POST /bad HTTP/1.1", ...) end
local function get(...) return head("GET /bad HTTP/1.1", ...) end

-- Sends the bytes in two pieces behind a good request, with more behind them: the good answer, then this status, and an
-- end in good order.
local function refused(bytes, position, status)
  local client <close> = raw.connect(server.address)
  client:send(good .. bytes:sub(1, position))
  client:settle()
  client:send(bytes:sub(position + 1) .. smuggled)
  assert.equal("/good", client:response().body)
  local response = client:response()
  local where = ("%q split behind byte %d"):format(bytes, position)
  assert.equal(status, response.status, where .. ": " .. response.body)
  assert.equal("close", response.headers.connection, where)
  assert.equal("end", client:expect_closed(), where)
end

local function refused_everywhere(bytes, status)
  for position = 0, #bytes do refused(bytes, position, status) end
  assert.same({ ["/good"] = #bytes + 1 }, seen)
end

describe("a request is refused", function()
  local kinds = {
    ["two lengths"] = { post("Content-Length: 4", "Content-Length: 5") .. "moon" },
    ["the same length twice"] = { post("Content-Length: 4", "content-length: 4") .. "moon" },
    ["a list of lengths"] = { post "Content-Length: 4, 4" .. "moon" },
    ["a signed length"] = { post "Content-Length: +4" .. "moon" },
    ["a hexadecimal length"] = { post "Content-Length: 0x4" .. "moon" },
    ["an empty length"] = { post "Content-Length:" },
    ["a length that overflows"] = { post "Content-Length: 18446744073709551620" .. "moon" },
    ["a length and a transfer coding"] = { post("Content-Length: 4", "Transfer-Encoding: chunked") .. "0\r\n\r\n" },
    ["a transfer coding and a length"] = { post("Transfer-Encoding: chunked", "Content-Length: 4") .. "0\r\n\r\n" },
    ["two transfer codings"] = { post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") .. "0\r\n\r\n" },
    ["a coding that is not chunked"] = { post "Transfer-Encoding: identity" .. "moon" },
    ["a last coding that is not chunked"] = { post "Transfer-Encoding: chunked, gzip" .. "0\r\n\r\n" },
    ["a coding that looks like chunked"] = { post "Transfer-Encoding: xchunked" .. "0\r\n\r\n" },
    ["a coding behind a vertical tab"] = { post "Transfer-Encoding: \vchunked" .. "0\r\n\r\n" },
    ["a coding in HTTP/1.0"] = { head("POST /bad HTTP/1.0", "Transfer-Encoding: chunked") .. "0\r\n\r\n" },
    ["white space before a colon"] = { post "Transfer-Encoding : chunked" .. "0\r\n\r\n" },
    ["white space before the first header"] = { "GET /bad HTTP/1.1\r\n Host: a\r\n\r\n" },
    ["a folded line"] = { get("X: a", " b") },
    ["a line with no colon"] = { get "X" },
    ["a line with no name"] = { get ": x" },
    ["a bare LF behind the first line"] = { "GET /bad HTTP/1.1\nHost: a\r\n\r\n" },
    ["a bare LF behind a header"] = { "GET /bad HTTP/1.1\r\nHost: a\n\r\n" },
    ["a bare LF at the end"] = { "GET /bad HTTP/1.1\r\nHost: a\r\n\n" },
    ["a bare CR in a value"] = { get "X: a\rb" },
    ["a bare CR behind a header"] = { "GET /bad HTTP/1.1\r\nHost: a\rX: b\r\n\r\n" },
    ["a NUL in a value"] = { get "X: a\0b" },
    ["a control byte in a value"] = { get "X: a\bb" },
    ["a control byte in a name"] = { get "X\1: a" },
    ["a control byte in the target"] = { head "GET /b\1d HTTP/1.1" },
    ["a byte above ASCII in the target"] = { head "GET /b\xe4d HTTP/1.1" },
    ["a fragment"] = { head "GET /bad#x HTTP/1.1" },
    ["no target"] = { head "GET HTTP/1.1" },
    ["a target that is no path"] = { head "GET bad HTTP/1.1" },
    ["two spaces"] = { head "GET  /bad HTTP/1.1" },
    ["a tab for a space"] = { head "GET\t/bad HTTP/1.1" },
    ["no host"] = { "GET /bad HTTP/1.1\r\nX: y\r\n\r\n" },
    ["two hosts"] = { get("Host: a", "host: a") },
    ["an empty host and another"] = { get("Host:", "Host: a") },
    ["a malformed host"] = { get "Host: a b" },
    ["a host that is not the target's"] = { head("GET http://a/bad HTTP/1.1", "Host: b") },
    ["a host with a path"] = { get "Host: a/b" },
    ["a host with a user"] = { get "Host: u@a" },
    ["HTTP/0.9"] = { "GET /bad\r\n" },
    ["a lower-case version"] = { head "GET /bad http/1.1" },
    ["a version of three digits"] = { head "GET /bad HTTP/1.10" },
    ["HTTP/2"] = { head "GET /bad HTTP/2.0", 505 },
    ["the preface of HTTP/2"] = { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
    ["a method that is unknown"] = { head "BREW /bad HTTP/1.1", 501 },
    ["a tunnel"] = { head "CONNECT a:1 HTTP/1.1", 501 },
    ["a method with a control byte"] = { head "GE\1 /bad HTTP/1.1" },
    ["an expectation"] = { post("Expect: the-best", "Content-Length: 4") .. "moon", 417 },
    ["too long a target"] = { head("GET /" .. ("b"):rep(40) .. " HTTP/1.1"), 414 },
    ["too many headers"] = { get("a: 1", "b: 1", "c: 1", "d: 1", "e: 1", "f: 1", "g: 1", "h: 1"), 431 },
    ["too long a head"] = { get("X: " .. ("y"):rep(200)), 431 },
  }

  for name, kind in pairs(kinds) do
    it("for " .. name, function() refused_everywhere(kind[1], kind[2] or 400) end)
  end
end)

-- RFC 9110, 9.3.2
it("a refused HEAD is answered without a body", function()
  for line, status in pairs { ["bad header: 1"] = 400, ["X: " .. ("x"):rep(300)] = 431 } do
    local client <close> = raw.connect(server.address)
    client:send(head("HEAD /bad HTTP/1.1", line))
    assert.equal(status, client:response({ head = true }).status)
    client:expect_closed()
  end
end)

describe("a body is refused", function()
  local function chunked(body, path)
    return head("POST " .. (path or "/read") .. " HTTP/1.1", "Transfer-Encoding: chunked") .. body
  end

  local kinds = {
    ["a size that is none"] = { "g\r\nmoon\r\n0\r\n\r\n" },
    ["no size"] = { "\r\nmoon\r\n0\r\n\r\n" },
    ["a signed size"] = { "+4\r\nmoon\r\n0\r\n\r\n" },
    ["a size that begins with 0x"] = { "0x4\r\nmoon\r\n0\r\n\r\n" },
    ["white space before a size"] = { " 4\r\nmoon\r\n0\r\n\r\n" },
    ["white space behind a size"] = { "4 \r\nmoon\r\n0\r\n\r\n" },
    ["a size that overflows"] = { "10000000000000004\r\nmoon\r\n0\r\n\r\n" },
    ["a bare LF behind a size"] = { "4\nmoon\r\n0\r\n\r\n" },
    ["a bare CR behind a size"] = { "4\rmoon\r\n0\r\n\r\n" },
    ["a chunk longer than its size"] = { "3\r\nmoon\r\n0\r\n\r\n" },
    ["a bare LF behind a chunk"] = { "4\r\nmoon\n0\r\n\r\n" },
    ["a bare LF behind the last chunk"] = { "4\r\nmoon\r\n0\n\r\n" },
    ["a bare LF at the end"] = { "4\r\nmoon\r\n0\r\n\n" },
    ["a control byte in an extension"] = { "4;a=\1\r\nmoon\r\n0\r\n\r\n" },
    ["a trailer that says how to read it"] = { "0\r\nContent-Length: 4\r\n\r\n" },
    ["a trailer that is a coding"] = { "0\r\nTransfer-Encoding: chunked\r\n\r\n" },
    ["a folded trailer"] = { "0\r\nX: a\r\n b\r\n\r\n" },
    ["too many trailers"] = { "0\r\n" .. ("a: b\r\n"):rep(9) .. "\r\n", 431 },
    ["too long trailers"] = { "0\r\nX: " .. ("y"):rep(200) .. "\r\n\r\n", 431 },
  }

  for name, kind in pairs(kinds) do
    it("for " .. name, function()
      local begin = #chunked("", "/read")
      local bytes = chunked(kind[1])
      for position = begin, #bytes do refused(bytes, position, kind[2] or 400) end
      local count = #kind[1] + 1
      assert.same({ ["/good"] = count, ["/read"] = count }, seen)
      refused(chunked(kind[1], "/pieces"), begin + 5, kind[2] or 400)
      assert.is_nil(seen["/smuggled"])
    end)

    it("for " .. name .. ", also where nobody reads it: what lies behind it is no request", function()
      local bytes = chunked(kind[1], "/unread")
      for position = #chunked("", "/unread"), #bytes do
        local client <close> = raw.connect(server.address)
        client:send(bytes:sub(1, position))
        client:settle()
        client:send(bytes:sub(position + 1) .. smuggled)
        assert.equal("/unread", client:response().body)
        assert.equal("end", client:expect_closed())
      end
      assert.same({ ["/unread"] = #kind[1] + 1 }, seen)
    end)
  end

  it("for extensions without end", function()
    for _, body in ipairs { "4;" .. ("x"):rep(300) .. "\r\nmoon\r\n0\r\n\r\n",
      ("1;" .. ("x"):rep(200) .. "\r\nm\r\n"):rep(30) .. "0\r\n\r\n" } do
      refused(chunked(body), #chunked(body), 400)
    end
    assert.is_nil(seen["/smuggled"])
  end)
end)

describe("a request is accepted", function()
  local kinds = {
    ["plain"] = get(),
    ["a query"] = head "GET /bad?a=b HTTP/1.1",
    ["an absolute target"] = head("GET http://a/bad HTTP/1.1", "Host: a"),
    ["blank lines before it"] = "\r\n\r\n" .. get(),
    ["no host in HTTP/1.0"] = "GET /bad HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ["white space around a value"] = get "X: \t a b \t ",
    ["bytes above ASCII in a value"] = get "X: \xe4\xff",
    ["an empty value"] = get("X:", "Y: "),
    ["a body with a length"] = post "Content-Length: 4" .. "moon",
    ["a body with length 0"] = post "Content-Length: 0",
    ["a chunked body"] = post "Transfer-Encoding: chunked" .. "4\r\nmoon\r\n2;a=b\r\nup\r\n0\r\nX: y\r\n\r\n",
    ["chunked in capitals"] = post "TRANSFER-ENCODING: Chunked" .. "4\r\nmoon\r\n0\r\n\r\n",
  }

  for name, bytes in pairs(kinds) do
    it("with " .. name, function()
      for position = 0, #bytes do
        local client <close> = raw.connect(server.address)
        client:send(good .. bytes:sub(1, position))
        client:settle()
        client:send(bytes:sub(position + 1) .. good)
        local answers = client:responses(2)
        assert.same({ 200, 200 }, { answers[1].status, answers[2].status })
        if answers[2].headers.connection ~= "close" then -- it had not come whole: nobody knew how long it would be
          assert.equal("/good", client:response().body)
          client:expect_in_step()
        else
          assert.is_truthy(name:find "chunked")
          client:expect_closed()
        end
      end
    end)
  end
end)
