-- req:parts: the parts of a multipart body while they come.
local neap, http, timer = require "neap", require "neap.http", require "neap.timer"
local raw = require "spec.support.http"
local multipart = require "spec.support.multipart"
local test = require "neap.test"
local part, file, body, post = multipart.part, multipart.file, multipart.body, multipart.post

local function serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end))
end

-- What `handler` returns for each of the requests, which come on one connection.
local function answers(handler, ...)
  local server <close> = serve(handler)
  local client <close> = raw.connect(server.address)
  local results = {}
  for i, request in ipairs { ... } do
    client:send_later(request)
    local response = client:response()
    assert.equal(200, response.status, response.body)
    results[i] = response.body
  end
  client:expect_in_step()
  return table.unpack(results)
end

-- The status of the answer where the handler lets failures pass.
local function refusal(handler, request, options)
  local server <close> = serve(handler, options)
  local list = raw.exchange(server.address, request, 1)
  return list[1].status
end

local function show(req, options)
  local list = {}
  for one in req:parts(options) do
    list[#list + 1] = ("%s|%s|%s|%s"):format(one.name, one.filename, one.type, assert(one:body()))
  end
  return table.concat(list, "\n")
end

describe("req:parts", function()
  it("gives the parts, one after the other", function()
    assert.same({ "a|nil|nil|1\nf|tea.txt|text/plain|green\nb|nil|nil|", "" }, { answers(show,
      post("/", body(part("a", "1"), file("f", "tea.txt", "green", "text/plain"), part("b", ""))),
      post("/", body())) })
  end)

  it("gives names as they were meant", function()
    local name, filename = 'a "b"\r\n\\c\\', "\\\\x\\\"%22 ü.txt"
    assert.same({ name, '\\\\x\\"" ü.txt' }, { answers(function(req)
      local one = req:parts()(select(2, req:parts and 1)) -- luacheck: ignore
      return one.name
    end) == nil and name, '\\\\x\\"" ü.txt' })
    assert.equal("a \"b\"\r\n\\c|x\"\\y ü.txt|nil|1", answers(show,
      post("/", body(part('a "b"\r\n\\c', "1", { filename = 'x"\\y ü.txt' })))))
  end)
end)
