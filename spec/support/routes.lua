-- What the specs of routers, mounts and answers ask of an app, and small handlers for it.
local assert = require "luassert"
local neap = require "neap"

local routes = {}

function routes.body_of(app, path, method)
  return assert(app:request { path = path, method = method }):body()
end

-- The status, and what is allowed.
function routes.answers(app, path, method)
  local response = assert(app:request { path = path, method = method })
  return response.status, response.headers.allow
end

-- A handler that returns this text.
function routes.says(text)
  return function() return text end
end

-- A handler that returns the parameters of these names.
function routes.params(...)
  local names = { ... }
  return function(req)
    local list = {}
    for i, name in ipairs(names) do list[i] = tostring(req.params[name]) end
    return table.concat(list, "|")
  end
end

-- The line of a file in which the error was raised, and its text.
function routes.fails(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

-- What is reported from here on, until `finally`, which is that of the spec.
function routes.reports_of_errors(finally)
  local reports = {}
  neap.on_error(function(message, _, info) reports[#reports + 1] = info.name .. ": " .. tostring(message) end)
  finally(function() neap.on_error(nil) end)
  return reports
end

return routes
