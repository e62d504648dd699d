-- A name for each request, in its answer and in `req.id`. What a client sends is taken over only where that is said.
local core = ...
local find, lower, type = string.find, string.lower, type
local error, format = error, string.format
local options = core.load "modules/http/middleware/options.lua"

local LONGEST = 128

-- It goes into logs and into headers, and is looked up by people: nothing in it may mean something there.
local function is_good(id)
  return type(id) == "string" and #id <= LONGEST and find(id, "^[%w._~:/+=@-]+$") ~= nil
end

local rules = { header = options.header_name, trust = options.flag, make = options.func }

local function request_id(given)
  given = options.check("request_id", given, rules)
  local header, trust, make = lower(given.header or "x-request-id"), given.trust, given.make
  return function(req, next)
    local id = trust and req:header(header)
    if not is_good(id) then
      id = make and make(req) or req.id
      if make and not is_good(id) then
        error(format("request_id: make returned %s, which is no id", options.show(id)), 0)
      end
    end
    if trust or make then req.id = id end
    local response = next(req)
    local headers = response.headers
    if headers[header] == nil then headers[header] = id end
    return response
  end
end

return { request_id = request_id }
