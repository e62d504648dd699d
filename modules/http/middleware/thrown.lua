-- Errors that are meant for the client: tables with a status, as error { status = 404, message = "no such tea" }.
-- Their metatables may be of any kind, so a look at them must not raise another error.
local core = ...
local pcall, type = pcall, type
local options = core.load "modules/http/middleware/options.lua"

-- The requests whose errors middleware.errors answers, where development wants to know (nil: nobody does); and "shown",
-- where that has answered.
local thrown = { answered = nil }

function thrown.field(err, name)
  local ok, value = pcall(function() return err[name] end)
  if ok then return value end
end

function thrown.message(err)
  local message = thrown.field(err, "message")
  if type(message) == "string" then return message end
end

-- 400 to 599; nil: it is another error.
function thrown.status(err)
  if type(err) ~= "table" then return nil end
  local status = options.as_integer(thrown.field(err, "status"))
  if status and status >= 400 and status <= 599 then return status end
end

return thrown
