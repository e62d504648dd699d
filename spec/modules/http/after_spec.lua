-- response.after: called once, whatever becomes of the answer.
local http, neap, test, timer =
  require "neap.http", require "neap", require "neap.test", require "neap.timer"
local raw, start_app = require "spec.support.http", require "spec.support.app"

local function says(text)
  return function() return text end
end

describe("response.after", function()
  local function told(handler, options)
    local list = {}
    local app = http.router():use(function(req, next)
      local response = next(req)
      response.after = function(...) list[#list + 1] = { ... } end
      return response
    end)
    app:get("/", handler)
    return list, assert(app:request(options or "/"))
  end

  it("is called with the bytes that went out", function()
    local list, response = told(says "four")
    assert.equal("four", response:body())
    test.eventually(function() return list[1] end, 20)
    assert.same({ { 4 } }, list)
    local pieces = { "abc", "de" }
    list, response = told(function() return 200, function() return table.remove(pieces, 1) end end)
    assert.equal("abcde", response:body())
    test.eventually(function() return list[1] end, 20)
    assert.same({ { 5 } }, list)
    list = told(says "four", { method = "HEAD" })
    test.eventually(function() return list[1] end, 20)
    assert.same({ { 0 } }, list)
  end)

  it("is called with why it has failed", function()
    neap.on_error(function() end)
    finally(function() neap.on_error(nil) end)
    local list, response = told(function() return 200, function(write) write "abc" error("broken", 0) end end)
    assert.is_nil((response:body()))
    test.eventually(function() return list[1] end, 20)
    assert.same({ { 3, "broken" } }, list)
  end)

  it("is called when the client has left", function()
    local list, response = told(function() return 200, function(write) while write(("x"):rep(1000)) do end end end)
    assert.truthy(response:chunks()())
    response:close()
    test.eventually(function() return list[1] end, 20)
    assert.equal("the client has left", list[1][2])
  end)

  it("is called when the answer is refused, and may wait", function()
    neap.on_error(function() end)
    finally(function() neap.on_error(nil) end)
    local list, response = told(function() return 200, "x", { ["x-a"] = "\n" } end)
    assert.equal(500, response.status)
    assert.equal(1, #list)
    assert.same({ 0, "string" }, { list[1][1], type(list[1][2]) })
    assert.matches("^response header 'x%-a'", list[1][2])
    local waited
    local function after()
      timer.sleep(0.01)
      waited = (waited or 0) + 1
    end
    local app = http.router():get("/", function() return { status = 1000, after = after } end)
    assert.equal(500, app:request("/").status)
    assert.equal(1, waited)
    app:get("/body", function() return { body = print, headers = { ["content-length"] = "x" }, after = after } end)
    assert.equal(500, app:request("/body").status)
    assert.equal(2, waited)
  end)

  it("is called where no body is sent, which is closed", function()
    local closed
    local body = setmetatable({ chunks = function() return next end }, { __close = function() closed = true end })
    local list, response = told(function() return 200, body end, { path = "/", method = "HEAD" })
    assert.equal("", response:body())
    test.eventually(function() return list[1] end, 20)
    assert.same({ { { 0 } }, true }, { list, closed })
  end)

  it("is called when the server's patience ends", function()
    local list = {}
    local server <close> = assert(http.serve("127.0.0.1:0", { drain_timeout = 0.05 }, function()
      return { after = function(...) list[#list + 1] = { ... } end, body = function(write)
        write "abc"
        timer.sleep(3600)
      end }
    end))
    local client <close> = raw.connect(server.address)
    client:send(raw.get "/")
    client:head()
    server:close()
    test.eventually(function() return list[1] end, 20)
    assert.same({ { 3, "cancelled" } }, list)
  end)

  it("is called by the code that has answered, though there is newer one", function()
    local function version(name)
      return ([[
        local http = require "neap.http"
        gate = hot.state "gate"
        server = assert(http.serve("127.0.0.1:0", function(req)
          return { after = function(bytes, message) say(%q, bytes, tostring(message)) end, body = function(write)
            write "abc"
            say "waits"
            while not gate.open do timer.sleep(0.001) end
          end }
        end))]]):format(name)
    end
    local app <close> = start_app(version "v1")
    local client <close> = raw.connect(app:eval "return server.address")
    client:send(raw.get "/")
    app:hears "waits"
    assert(app:reload(version "v2"))
    app:eval "gate.open = true"
    assert.equal("abc", client:response().body)
    assert.equal("v1 3 nil,", app:hears "v1")
  end)

  it("is a function", function()
    local reports = {}
    neap.on_error(function(message) reports[1] = message end)
    finally(function() neap.on_error(nil) end)
    local app = http.router():get("/", function() return { body = "x", after = 1 } end)
    assert.equal(500, app:request("/").status)
    test.eventually(function() return reports[1] end, 20)
    assert.matches("returned as its `after` a number", reports[1])
  end)
end)
