-- A handler that takes too long is cancelled, and the client is told so.
local core = ...
local traceback, type, xpcall = debug.traceback, type, xpcall
local error = error
local deadline = require("neap").deadline
local options = core.load "modules/http/middleware/options.lua"

-- It runs in a task of its own, whose stack is gone when the error is reported.
local function keep_traceback(err)
  return type(err) == "string" and traceback(err, 2) or err
end

local function run(req, next)
  local ok, response = xpcall(next, keep_traceback, req)
  if not ok then error(response, 0) end
  return response
end

local function timeout(seconds)
  if type(seconds) ~= "number" or not (seconds > 0 and seconds <= 1e9) then
    options.fail("timeout", "seconds must be a number above 0, at most 1e9, not " .. options.show(seconds))
  end
  return function(req, next)
    local response = deadline(seconds, run, req, next)
    if response == nil then return 503, "Service Unavailable\n" end
    return response
  end
end

return { timeout = timeout }
