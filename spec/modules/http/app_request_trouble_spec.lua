-- router:request where things go wrong, on either side: what it gives then, what it refuses, and that nothing is left
-- of a request whose task is cancelled, or that nobody waits for.
local http, neap, test, timer =
  require "neap.http", require "neap", require "neap.test", require "neap.timer"
local new_app, routes = require "spec.support.answering", require "spec.support.routes"

-- What is reported from here on.
local function errors() return routes.reports_of_errors(finally) end

local function descriptors()
  local pipe <close> = io.popen("ls /proc/$PPID/fd 2>/dev/null | wc -l")
  return pipe:read "n"
end

describe("app:request", function()
  local app = new_app()

  describe("fails", function()
    it("where an answer is cut short, each time it is asked", function()
      errors()
      local response = app:request "/cut"
      assert.equal(200, response.status)
      for _ = 1, 2 do
        local body, message, code = response:body()
        assert.same({ nil, "request GET /cut: the answer was cut short", "ECONNRESET" }, { body, message, code })
      end
      assert.has_error(function()
        for _ in app:request("/cut"):chunks() do timer.sleep(0) end
      end)
    end)

    it("where the handler has announced another length", function()
      errors()
      local own = http.router()
      own:get("/few", function()
        local pieces = { "abc" }
        return { headers = { ["content-length"] = 5 }, body = function() return table.remove(pieces) end }
      end)
      own:get("/many", function()
        return { headers = { ["content-length"] = 2 }, body = function() return "abc" end }
      end)
      for _, path in ipairs { "/few", "/many" } do
        local body, message, code = own:request(path):body()
        assert.same({ nil, "request GET " .. path .. ": the answer was cut short", "ECONNRESET" },
          { body, message, code })
      end
    end)

    it("where trailers fail behind a body", function()
      errors()
      local own = http.router()
      own:get("/", function()
        local pieces = { "abc" }
        return { body = function() return table.remove(pieces) end, trailers = function() error "made on purpose" end }
      end)
      local response, pieces = own:request "/", {}
      assert.error_matches(function()
        for piece in response:chunks() do pieces[#pieces + 1] = piece end
      end, "cut short")
      assert.same({ "abc" }, pieces)
      assert.is_nil(response.trailers)
    end)

    it("when the handler closes, or is closed, before it has answered", function()
      local own = http.router()
      own:get("/", function() return 200, "x", { connection = "close" } end)
      local response = own:request "/"
      assert.same({ "close", "x" }, { response.headers.connection, response:body() })
    end)

    it("when its time is over", function()
      local clock <close> = test.clock()
      local before = timer.monotonic()
      local response, message, code = app:request { path = "/slow", timeout = 5 }
      assert.same({ nil, "request GET /slow: timed out", "ETIMEDOUT" }, { response, message, code })
      assert.equal(5, timer.monotonic() - before)
      response = app:request "/endless"
      assert.same({ nil, "ETIMEDOUT" }, { (response:body { timeout = 3 }), (select(3, response:body { timeout = 0 })) })
      response:close()
      assert.equal("at last", app:request({ path = "/slow", timeout = 51 }):body())
      clock:advance(1)
    end)

    it("by the limits of the server, as time goes by", function()
      local clock <close> = test.clock()
      local own = http.router()
      own:get("/", function() timer.sleep(1000) end)
      assert.equal(503, own:request("/").status)
      clock:advance(1)
    end)

    it("over the limit of who reads", function()
      local body, message, code = app:request("/hello/moon"):body { limit = 3 }
      assert.same({ nil, "EMSGSIZE" }, { body, code })
      assert.equal("request GET /hello/moon: the body is longer than 3 bytes", message)
      assert.equal("home", app:request("/"):body { limit = 4 })
    end)

    it("with the error of its own body", function()
      local function post(body) return pcall(app.request, app, { method = "POST", path = "/upper", body = body }) end
      local ok, why = post(function() error("mine", 0) end)
      assert.same({ false, "mine" }, { ok, why })
      ok, why = post(function() return true end)
      assert.same({ false, "the body of a request gave a boolean, not a string" }, { ok, why })
    end)
  end)

  describe("raises", function()
    local function refused(text, options, ...)
      local more = table.pack(...)
      local line = debug.getinfo(1, "l").currentline + 1 -- the next one
      local ok, why = pcall(function() app:request(options, table.unpack(more)) end)
      assert.is_false(ok)
      assert.equal(debug.getinfo(1, "S").short_src .. ":" .. line .. ": " .. text, why)
    end

    it("for what is no request, at the line that asks", function()
      local bad = "bad argument #1 to 'request' "
      refused(bad .. "(a path or a table expected, got nil)", nil)
      refused(bad .. "(a path or a table expected, got number)", 5)
      refused(bad .. "(body must be a string, a number, a list of these, or a function, not a table of something else; "
        .. "see json and form)", { body = { a = 1 } })
      refused(bad .. "(one of body, form and json is the body)", { body = "x", json = 1 })
      refused(bad .. "(json: $: cannot encode a function)", { json = print })
      refused(bad .. "(form must be a table, not a string)", { form = "x" })
      refused(bad .. "(a value of form must be a string or a list of them, not a boolean)", { form = { a = true } })
      refused(bad .. "('a' of form must be a string or a list of them)", { form = { a = { b = "c" } } })
      refused(bad .. "(a name of form must be a string, not a number)", { form = { "a" } })
      refused(bad .. "(unknown option 'pth' (there are: body, form, headers, json, method, path, peer, timeout))",
        { pth = "/" })
      refused(bad .. "(path has a line break or a zero byte)", "/a\r\nb")
      refused(bad .. "(path has a line break or a zero byte)", { path = "/a\0" })
      refused(bad .. "(method has a line break or a zero byte)", { method = "GET\n" })
      refused(bad .. "(header 'x' has a line break or a zero byte)", { headers = { x = "a\r\nb: c" } })
      refused(bad .. "(header 'x' has a line break or a zero byte)", { headers = { { "x", "a\n" } } })
      refused(bad .. "('x y' is no name of a header)", { headers = { ["x y"] = "a" } })
      refused(bad .. "(header 'x' must be a string, not a boolean)", { headers = { x = true } })
      refused(bad .. "(headers must be a table, not a string)", { headers = "x: y" })
      refused(bad .. "(path must be a string, not a number)", { path = 1 })
      refused(bad .. "(body must be a string, a number, a list of these, or a function, not a boolean)",
        { body = true })
      for _, timeout in ipairs { -1, 0 / 0, math.huge, "1" } do
        refused(bad .. "(timeout must be a number of seconds from 0 to 1e9)", { timeout = timeout })
      end
      refused(bad .. "(peer must be an address, not 'moon')", { peer = "moon" })
      refused("bad argument #2 to 'request' (function expected, got string)", "/", "x")
    end)

    it("for a response that is closed, or whose body is read in another way", function()
      local response = app:request "/hello/x"
      response:close()
      response:close()
      assert.error_matches(function() response:body() end, "^this response is closed$")
      response = app:request "/hello/x"
      response:body()
      assert.error_matches(function() response:chunks() end, "this body has been read whole already, by body%(%)$")
      response = app:request "/hello/x"
      response:chunks()
      assert.error_matches(function() response:body() end, "this body is read in pieces already, by chunks%(%)$")
      assert.error_matches(function() response:body { x = 1 } end, "unknown option 'x'")
      assert.error_matches(function() response:chunks { timeout = 1 / 0 } end, "timeout must be a number from 0 to 1e")
    end)

    it("for a body that another task reads", function()
      local clock <close> = test.clock()
      local response <close> = app:request "/endless"
      local task = neap.go(function() return response:body { timeout = 5 } end)
      timer.sleep(1)
      for _, name in ipairs { "body", "json" } do
        assert.error_matches(function() response[name](response) end, "^another task waits for this body$")
      end
      task:join()
      assert.is_nil((response:body { timeout = 0 }))
      clock:advance(1)
    end)

    it("for a group", function()
      app:group("/g", function(group)
        assert.error_matches(function() group:request "/" end, "a group takes no requests: its router does$")
      end)
    end)
  end)

  describe("leaves", function()
    it("when its task is cancelled", function()
      local left
      local own = http.router()
      own:get("/", function()
        local _ <close> = setmetatable({}, { __close = function() left = true end })
        timer.sleep(1000)
      end)
      local task = neap.go(function() own:request "/" end)
      timer.sleep(0)
      timer.sleep(0)
      task:cancel()
      task:join()
      test.eventually(function() return left end)
    end)

    it("lets the handler end what it does behind the answer", function()
      local clock <close> = test.clock()
      local done
      local own = http.router()
      own:get("/", function()
        return { body = "hello", after = function()
          timer.sleep(5)
          done = true
        end }
      end)
      own:request("/"):close()
      assert.is_nil(done)
      clock:advance(5)
      assert.is_true(done)
    end)

    it("a handler that takes nothing of the body, and one whose client does not wait for it", function()
      local clock <close> = test.clock()
      local ended, sent = 0, 0
      local own = http.router()
      own:post("/", function()
        local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
        timer.sleep(10)
        return "taken nothing"
      end)
      local function body()
        sent = sent + 1
        return ("x"):rep(65536)
      end
      local response = own:request { method = "POST", body = body, timeout = 20 }
      assert.same({ "taken nothing", 1 }, { response:body(), ended })
      assert.is_true(sent < 100)
      local _, _, code = own:request { method = "POST", body = body, timeout = 5 }
      clock:advance(0)
      assert.same({ "ETIMEDOUT", 2 }, { code, ended })
      local before = sent
      clock:advance(100)
      assert.equal(before, sent)
    end)

    it("with its task, however it waits: for the answer, its body, or to send", function()
      local own, ended = http.router(), 0
      local function handler(req)
        local _ <close> = setmetatable({}, { __close = function() ended = ended + 1 end })
        if req.path == "/body" then return { body = function(write) while write "x" do timer.sleep(0.001) end end } end
        timer.sleep(3600)
      end
      own:any("/*rest", handler)
      local leaks <close> = test.leaks()
      local tasks = {
        neap.go(function() own:request "/" end),
        neap.go(function() own:request("/body"):body() end),
        neap.go(function()
          own:request { method = "POST", body = function()
            timer.sleep(3600)
            return "x"
          end }
        end),
        own:request("/", print),
      }
      timer.sleep(0.02)
      for _, task in ipairs(tasks) do task:cancel() end
      for _, task in ipairs(tasks) do assert.same({ nil, "ECANCELED" }, { (task:join()), (select(3, task:join())) }) end
      test.eventually(function()
        collectgarbage()
        return ended == 4 and #leaks:list() == 0
      end)
    end)

    it("no descriptors", function()
      local before = descriptors()
      for _ = 1, 100 do
        app:request("/hello/x")
        app:request("/pieces"):close()
        app:request("/pieces"):body()
        app:request { method = "POST", path = "/late", body = ("x"):rep(1 << 18) }
      end
      collectgarbage()
      test.eventually(function() return descriptors() <= before + 3 end)
    end)

    it("nothing, where it was forgotten", function()
      local leaks <close> = test.leaks()
      for _ = 1, 10 do app:request "/endless" end
      collectgarbage()
      collectgarbage()
      test.eventually(function() return #leaks:list() == 0 end)
    end)
  end)
end)
