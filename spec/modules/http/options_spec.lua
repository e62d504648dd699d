-- The options of http.serve: what they may be, and what is said of the others.
local http = require "neap.http"

local function handler() return "" end

local function raises(options)
  local ok, message = pcall(http.serve, "127.0.0.1:0", options, handler)
  assert.is_false(ok)
  return message
end

describe("an option of http.serve", function()
  it("that is unknown is named, with those there are", function()
    assert.matches("unknown option 'max_bodies' %(there are: body_rate, .+, write_timeout%)", raises { max_bodies = 1 })
    assert.matches("unknown option '1'", raises { "header_timeout" })
  end)

  it("that is a time is seconds, or false", function()
    for _, name in ipairs { "header_timeout", "idle_timeout", "handler_timeout", "write_timeout" } do
      for _, value in ipairs { -1, 0 / 0, 1 / 0, true, "soon", {}, 2e9 } do
        assert.matches(name .. " must be a number of seconds from 0 to 1e9, not ", raises { [name] = value })
      end
      assert.matches(name .. " must be more than 0, or false: none", raises { [name] = 0 })
      for _, value in ipairs { false, 0.001, 1e9 } do
        assert(http.serve("127.0.0.1:0", { [name] = value }, handler)):close()
      end
    end
  end)

  it("that is a count is an integer, 0 or false for none", function()
    for _, name in ipairs { "body_rate", "max_requests", "max_connections", "max_connections_per_client" } do
      for _, value in ipairs { -1, 1.5, true, "1", {}, 1 << 40 } do
        assert.matches(name .. " must be an integer from 0 to ", raises { [name] = value })
      end
      for _, value in ipairs { false, 0, 1, 1000 } do
        assert(http.serve("127.0.0.1:0", { [name] = value }, handler)):close()
      end
    end
  end)

  it("that is a size is an integer", function()
    for _, name in ipairs { "max_body", "max_header_size", "max_headers", "max_target" } do
      for _, value in ipairs { -1, 1.5, true, "1", {} } do
        assert.matches(name .. " must be an integer from ", raises { [name] = value })
      end
    end
    for _, name in ipairs { "max_header_size", "max_headers", "max_target" } do
      assert.matches(name .. " must be an integer from ", raises { [name] = false })
      assert.matches(name .. " must be an integer from ", raises { [name] = 0 })
      assert.matches(name .. " must be an integer from ", raises { [name] = 1 << 40 })
    end
    assert(http.serve("127.0.0.1:0", { max_body = false }, handler)):close()
    assert(http.serve("127.0.0.1:0", { max_body = 0 }, handler)):close()
  end)

  it("lies in a table, before the handler", function()
    assert.has_error(function() http.serve("127.0.0.1:0", 1, handler) end)
    assert.has_error(function() http.serve("127.0.0.1:0", {}) end)
    assert.has_error(function() http.serve("127.0.0.1:0", {}, "handler") end)
    assert.has_error(function() http.serve("127.0.0.1:0", handler, {}) end)
  end)
end)
