-- Who announces a body asks for leave to send it: when it is given, and when not.
local http = require "neap.http"
local raw = require "spec.support.http"

local function serve(handler)
  return assert(http.serve("127.0.0.1:0", function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end))
end

describe("Expect: 100-continue", function()
  local function server_for(log)
    return serve(function(req)
      if req.path == "/refuse" then return 403, "no" end
      if req.path == "/big" then
        log[1] = select(3, req:body { limit = 1 })
        return 413
      end
      return req:body()
    end)
  end
  local function request(target, length)
    return raw.request("POST " .. target, nil, "Expect: 100-Continue", "Content-Length: " .. length)
  end

  it("is answered when the handler asks for the body", function()
    local server <close> = server_for {}
    local client <close> = raw.connect(server.address)
    client:send(request("/", 5))
    assert.equal(100, client:head().status)
    client:send "hello"
    local response = client:response()
    assert.same({ 200, "hello" }, { response.status, response.body })
    client:expect_in_step()
  end)

  it("is answered once", function()
    local server <close> = server_for {}
    local client <close> = raw.connect(server.address)
    client:send(raw.request("POST /", nil, "Expect: 100-continue", "Transfer-Encoding: chunked"))
    assert.equal(100, client:head().status)
    client:send_split(raw.chunked { "a", "b", "c" })
    local response = client:response()
    assert.same({ "abc", {} }, { response.body, response.interim })
    client:expect_in_step()
  end)

  it("is not, where the handler refuses, or the body is too long", function()
    for _, target in ipairs { "/refuse", "/big" } do
      local log = {}
      local server <close> = server_for(log)
      local client <close> = raw.connect(server.address)
      client:send(request(target, 5))
      local response = client:response()
      assert.same({ target == "/big" and 413 or 403, {}, "close" },
        { response.status, response.interim, response.headers.connection })
      client:expect_closed()
      assert.equal(target == "/big" and "EMSGSIZE" or nil, log[1])
    end
  end)

  it("is answered before an answer that is made of the body", function()
    local server <close> = serve(function(req)
      local status = req.path == "/refuse" and 403 or 200
      return status, function(write)
        if status == 200 then for piece in req:chunks() do write(piece) end end
        return nil
      end
    end)
    local client <close> = raw.connect(server.address)
    client:send(request("/", 5))
    assert.equal(100, client:head().status)
    client:send "hello"
    local response = client:response()
    assert.same({ 200, "hello", {} }, { response.status, response.body, response.interim })
    client:expect_in_step()
    client:send(request("/refuse", 5))
    response = client:response()
    assert.same({ 403, {} }, { response.status, response.interim })
    client:expect_closed()
  end)

  it("is never answered within an answer", function()
    local server <close> = serve(function(req)
      return 403, function(write)
        write "("
        for piece in req:chunks() do write(piece) end
        return write ")" and nil
      end
    end)
    local client <close> = raw.connect(server.address)
    client:send(request("/", 5))
    assert.equal(403, client:head().status)
    client:send "hello"
    assert.equal("(hello)", client:rest()) -- without a line in it that is no chunk
  end)

  it("is not, where the client has not waited", function()
    local server <close> = server_for {}
    local client <close> = raw.connect(server.address)
    client:send(request("/", 5) .. "hello" .. request("/", 0) .. request("/", 3) .. "a")
    local first, second = table.unpack(client:responses(2))
    assert.same({ "hello", {}, "", {} }, { first.body, first.interim, second.body, second.interim })
    client:send "bc"
    local third = client:response()
    assert.same({ "abc", {} }, { third.body, third.interim })
    client:expect_in_step()
  end)
end)
