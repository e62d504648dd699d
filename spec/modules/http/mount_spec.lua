-- Handlers below a prefix: what they see of a request, and what is undone behind them.
local http, neap, timer = require "neap.http", require "neap", require "neap.timer"
local routes = require "spec.support.routes"
local body_of, answers, says, params = routes.body_of, routes.answers, routes.says, routes.params

describe("a mount", function()
  local function place(req)
    return ("%s|%s|%s"):format(req.base, req.path, req.target)
  end

  it("gets what is below its prefix and has no route", function()
    local app = http.router():mount("/m", place):get("/m/own", says "own"):mount("/m/deep/", place)
    assert.equal("/m||/m", body_of(app, "/m"))
    assert.equal("/m|/|/m/", body_of(app, "/m/"))
    assert.equal("/m|/a%20b/|/m/a%20b/?q", body_of(app, "/m/a%20b/?q"))
    assert.equal("own", body_of(app, "/m/own"))
    assert.equal("/m|/own|/m/own", body_of(app, "/m/own", "POST"))
    assert.equal("/m/deep|/x|/m/deep/x", body_of(app, "/m/deep/x"))
    assert.equal(404, answers(app, "/mm"))
    assert.equal("||", body_of(http.router():mount("/", function(req) return req.base .. "||" end), "/any/thing"))
  end)

  it("of a router keeps the parameters of both, and undoes its prefix", function()
    local inner = http.router():get("/", params("a", "b", "c")):get("/:c", params("a", "b", "c"))
    local middle = http.router():mount("/:b/in", inner)
    local left
    local app = http.router():use(function(req, next)
      local response = next(req)
      left = req.base .. "|" .. req.path
      return response
    end)
    app:mount("/:a", middle)
    assert.equal("1|2|nil", body_of(app, "/1/2/in"))
    assert.equal("1|2|3 3", body_of(app, "/1/2/in/3%203"))
    assert.equal("|/1/2/in/3%203", left)
    assert.equal(404, answers(app, "/1/2/out"))
    assert.same({ 405, "GET, HEAD, OPTIONS" }, { answers(app, "/1/2/in", "PUT") })
  end)

  it("has a base, where middleware has given the request another path, or base", function()
    local inner = http.router():mount("/in", place)
    local app = http.router():use(function(req, next)
      req.path, req.base = req:header "x-path", req:header "x-base"
      local response = next(req)
      assert.same({ req:header "x-path" or "/m/in/x", req:header "x-base" or "" }, { req.path, req.base })
      return response
    end):mount("/m", inner)
    local function asked(path, base)
      local headers = { ["x-path"] = path, ["x-base"] = base }
      return app:request({ path = "/m/in/x", headers = headers }):body()
    end
    assert.equal("/m/in|/x|/m/in/x", asked())
    assert.equal("/m/in|/y|/m/in/x", asked "/m/in/y")
    assert.equal("/m/in||/m/in/x", asked "/m/in")
    assert.equal("/proxy/m/in|/x|/m/in/x", asked(nil, "/proxy"))
    assert.equal("/proxy/m/in|/y|/m/in/x", asked("/m/in/y", "/proxy"))
  end)

  it("that sends a request elsewhere, fails or is cancelled leaves it as it was", function()
    local inner = http.router():use(function(req, next)
      req.path = "/other"
      return next(req)
    end)
    inner:get("/other", function(req)
      if req.query.error then error "made on purpose" end
      if req.query.wait then timer.sleep(10) end
      return place(req)
    end)
    local app = http.router():use(function(req, next)
      local ok, response = pcall(neap.deadline, 0.01, next, req)
      local text = ok and response and response.body or not ok and "failed" or "late"
      return http.text(text .. ";" .. place(req))
    end):mount("/m", inner)
    assert.equal("/m|/other|/m/x;|/m/x|/m/x", body_of(app, "/m/x"))
    assert.equal("failed;|/m/x|/m/x?error=1", body_of(app, "/m/x?error=1"))
    assert.equal("late;|/m/x|/m/x?wait=1", body_of(app, "/m/x?wait=1"))
  end)

  it("may be asked twice", function()
    local inner = http.router():get("/:x", function(req) return req.route .. " " .. req.params.x end)
    inner:use(function(req, next)
      local first = next(req).body
      return http.text(first .. ", " .. next(req).body)
    end)
    assert.equal("/m/:x 1, /m/:x 1", body_of(http.router():mount("/m", inner), "/m/1"))
  end)

  it("has an empty path, which ends there", function()
    local inner = http.router():mount("//", place)
    assert.equal("/m||/m", body_of(http.router():mount("/m", inner), "/m"))
  end)
end)
