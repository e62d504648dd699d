-- A router with a path for many kinds of answers, for specs of those who ask it: short ones, pieces, one without end,
-- one that is cut, one that takes its time.
local http, timer = require "neap.http", require "neap.timer"

return function()
  local app = http.router()
  app:get("/", function() return "home" end)
  app:get("/hello/:name", function(req) return "hello " .. req.params.name end)
  app:post("/upper", function(req) return assert(req:body()):upper() end)
  app:post("/count", function(req)
    local bytes = 0
    for piece in req:chunks { limit = 64 << 20 } do bytes = bytes + #piece end
    return { body = { bytes } }
  end)
  app:post("/late", function() return 403, "no" end)
  app:any("/echo", function(req)
    local lines = {}
    for name, value in pairs(req.headers) do lines[#lines + 1] = name .. "=" .. value end
    table.sort(lines)
    return table.concat({ req.method, req.target, table.concat(lines, "\n"), req:body() }, "\n")
  end)
  app:get("/peer", function(req) return tostring(req.peer) end)
  app:get("/pieces", function()
    local count = 0
    return {
      body = function()
        count = count + 1
        if count <= 3 then return "piece " .. count end
      end,
      trailers = { ["X-Sum"] = "3" },
    }
  end)
  app:get("/counted", function()
    local next_piece = coroutine.wrap(function()
      coroutine.yield "four"
      coroutine.yield "five"
    end)
    return { headers = { ["content-length"] = 8 }, body = next_piece }
  end)
  app:get("/endless", function()
    return { body = function(write)
      while write "tick\n" do timer.sleep(1) end
    end }
  end)
  app:get("/cut", function()
    return { body = function(write)
      write "half"
      error "broken on purpose"
    end }
  end)
  app:get("/slow", function()
    timer.sleep(50)
    return "at last"
  end)
  app:get("/error", function() error "made on purpose" end)
  app:get("/json", function() return http.json { cups = 2 } end)
  app:get("/nothing", function() return 204 end)
  app:get("/many", function() return 200, "", { ["set-cookie"] = { "a=1", "b=2" } } end)
  return app
end
