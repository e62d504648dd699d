-- req:json(): the body, read whole and decoded by neap.json.
local http, json = require "neap.http", require "neap.json"
local neap = require "neap"
local raw = require "spec.support.http"

-- What a handler has returned to each of these requests, and the statuses.
local function post(handler, ...)
  local server <close> = assert(http.serve("127.0.0.1:0", handler))
  local bodies, statuses = {}, {}
  for i, text in ipairs { ... } do
    local answer = raw.exchange(server.address, text:find "HTTP" and text or raw.post("/", text), 1)[1]
    bodies[i], statuses[i] = answer.body, answer.status
  end
  return bodies, statuses
end

-- The results of req:json in the handler, for one body (or a whole request).
local function results(text, ...)
  local got
  local arguments = table.pack(...)
  post(function(req)
    got = table.pack(req:json(table.unpack(arguments)))
    return 204
  end, text)
  return table.unpack(got, 1, got.n)
end

describe("req:json", function()
  it("gives values", function()
    assert.same({ a = { 1, 2.5, "x" } }, (results '{"a": [1, 2.5, "x"]}'))
    assert.equal(json.null, (results "null"))
    assert.is_false((results "false"))
    assert.equal(1, select("#", results "null"))
    assert.equal("integer", math.type((results " 7\n")))
    assert.same({ 1, 2 }, (results(raw.post("/", raw.chunked { "[1,", "2]" }, "Transfer-Encoding: chunked"))))
    assert.equal("[]", json.encode((results "[]"))) -- the mark is that of neap.json
  end)

  it("says what is wrong", function()
    local value, message, code = results '{"a":\n 1,}'
    assert.is_nil(value)
    assert.matches("^line 2, column %d+: ", message)
    assert.equal("EINVAL", code)
    assert.equal("EINVAL", (select(3, results "")))
    assert.equal("EMSGSIZE", (select(3, results('"1234567890"', { limit = 5 }))))
  end)

  it("is asked again, and beside the text", function()
    local bodies = post(function(req)
      local first, second = req:json(), req:json()
      return ("%s %s %s %s"):format(first == second, first[1], second[1], req:body())
    end, "[1]")
    assert.same({ "false 1 1 [1]" }, bodies)
  end)

  it("takes a callback", function()
    local bodies = post(function(req)
      local value, message, code
      req:json(function(...) value, message, code = ... end):join()
      local failed
      req:json({ limit = 100 }, function(...) failed = select("#", ...) end):join()
      return ("%s %s %s %d"):format(value and value.a, message, code, failed)
    end, '{"a":1}', "{")
    assert.equal("1 nil nil 1", bodies[1])
    assert.matches("^nil line 1, column %d+: .* EINVAL 3$", bodies[2])
  end)

  it("is 400 where the handler does not look, and no failure of ours", function()
    neap.on_error(function() error "it was reported" end)
    local function handler(req) return assert(req:json()).name end
    local bodies, statuses = post(handler, '{"name": "Ada"}', "{", '{"name": "Bob"}')
    neap.on_error(nil)
    assert.same({ 200, 400, 200 }, statuses)
    assert.same({ "Ada", "Bob" }, { bodies[1], bodies[3] })
    bodies, statuses = post(function(req) return 422, (select(2, req:json())) end, "{", "{")
    assert.same({ 422, 422 }, statuses) -- the handler has answered itself
    assert.matches("^line 1, column", bodies[2])
  end)

  it("raises for what it does not know", function()
    for _, arguments in ipairs { { { depth = 3 } }, { 5 }, { { limit = "x" } } } do
      local ok
      post(function(req)
        ok = pcall(req.json, req, table.unpack(arguments))
        return 204
      end, "1")
      assert.is_false(ok)
    end
    local ok, message
    post(function(req)
      for _ in req:chunks() do end
      ok, message = pcall(req.json, req)
      return 204
    end, "1")
    assert.is_false(ok)
    assert.matches("in pieces already", message)
  end)
end)
