-- How much a client may send: known beforehand it is refused at once, otherwise where it gets too much (req.max_body).
local core = ...
local tonumber = tonumber
local options = core.load "modules/http/middleware/options.lua"

local function body_limit(given)
  local bytes = options.as_integer(given)
  if not bytes or bytes < 0 then
    options.fail("body_limit", "bytes must be an integer from 0, not " .. options.show(given))
  end
  return function(req, next)
    local length = req:header "content-length"
    if length and tonumber(length) > bytes then return 413, "Content Too Large\n" end
    local other = req.max_body
    if not other or other > bytes then req.max_body = bytes end
    return next(req)
  end
end

return { body_limit = body_limit }
