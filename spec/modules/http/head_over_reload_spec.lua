-- The program is replaced in the middle of the head of a request: the limits of that head are those it began with.
local raw = require "spec.support.http"
local start_app = require "spec.support.app"

local function version(max_headers)
  return ([[
    server = assert(require "neap.http".serve("127.0.0.1:0", { max_headers = %d }, function(req)
      return req:header "last" or "none"
    end))
  ]]):format(max_headers)
end

local function lines(count)
  local all = {}
  for i = 1, count do all[i] = ("X-%d: %d\r\n"):format(i, i) end
  return table.concat(all)
end

-- Three lines before the commit, and so many behind it; what the answer is.
local function ask(before, after, count)
  local app <close> = start_app(version(before))
  local client <close> = raw.connect(app:eval "return server.address")
  assert(client:send("GET / HTTP/1.1\r\nHost: localhost\r\n" .. lines(2)))
  client:settle()
  assert(app:reload(version(after)))
  assert.is_true(app:eval "return server.connections > 0")
  assert(client:send(lines(count) .. "Last: yes\r\n\r\n"))
  local answer = client:response()
  if answer.status == 200 then -- the next one has the new limit
    client:send(raw.get("/", table.unpack { "A: 1", "A: 2", "A: 3", "A: 4", "A: 5" }))
    assert.equal(after < 6 and 431 or 200, client:response().status)
  end
  app:ends()
  return answer.status, answer.status == 200 and answer.body
end

describe("a reload in the middle of a head", function()
  it("that allows more headers, allows them from the next request on", function()
    assert.same({ 431, false }, { ask(5, 1000, 900) })
    assert.same({ 200, "yes" }, { ask(5, 1000, 1) })
  end)

  it("that allows fewer, allows fewer from the next request on", function()
    assert.same({ 431, false }, { ask(1000, 2, 1000) })
    assert.same({ 200, "yes" }, { ask(1000, 2, 900) })
  end)
end)
