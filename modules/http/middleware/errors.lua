-- One function for the look of all that went wrong: errors, refused bodies, and answers from 400 on that say no more
-- than their status and a text: those of a router, of middleware, and `return 404, "no such tea"`.
--
-- An error is reported as ever, before it is asked: unless it is the client's.
local core = ...
local error, find, gsub, match, pairs, sub, traceback, type, xpcall =
  error, string.find, string.gsub, string.match, pairs, string.sub, debug.traceback, type, xpcall
local encode = require "neap.json".encode
local options = core.load "modules/http/middleware/options.lua"

-- ---- what has happened --------------------------------------------------------------

local BELOW = "\n\t[C]: in function 'xpcall'\n\tneap:modules/http/middleware/errors.lua:"

-- While the stack is there. Who has called us is of no interest.
local function catch(err)
  local text = traceback("", 2)
  return { err = err, trace = sub(text, 2, (find(text, BELOW, 1, true) or 0) - 1) }
end

-- error { status = 404, message = "no such tea" } is for the client, and from 500 on for the report, too.
local function thrown(err)
  if type(err) ~= "table" then return nil end
  local status = options.as_integer(err.status)
  if not status or status < 400 or status > 599 then return nil end
  local message = err.message
  return { status = status, message = type(message) == "string" and message or nil, error = err }
end

-- Without the line of ours at which it was raised, and without a traceback, which middleware.timeout adds. (Assertions
-- of others raise a table.)
local function text_of(err)
  if type(err) == "table" then err = err.message end
  if type(err) ~= "string" then return nil end
  local line = match(err, "^[^\n]*")
  return match(line, "^.-:%d+: (.*)") or line
end

local function problem_of(req, caught)
  if type(caught) ~= "table" or not caught.trace then caught = { err = caught } end -- no memory, or an error in that
  local err = caught.err
  local problem = thrown(err)
  if problem and problem.status < 500 then return problem end
  local status = core.outcome(req, err)
  if status == 499 or not status then error(err, 0) end -- nobody is there to be told
  if core.failure(req, err, caught.trace) then return problem or { status = 500, error = err }, true end
  return { status = status, message = text_of(err), error = err }
end

-- ---- what is said of it ---------------------------------------------------------------

-- `errors` of what was raised for the client: which field is wrong, say.
local function as_json(req, problem)
  local status, err = problem.status, problem.error
  local text = encode { status = status, detail = problem.message, id = status >= 500 and req.id or nil,
    errors = status < 500 and type(err) == "table" and err.errors or nil }
  return status, text, { ["content-type"] = "application/problem+json" }
end

local function plain(problem)
  return core.response(nil, problem.status, problem.message and problem.message .. "\n")
end

-- nil: the function does not care, and the answer is as it would have been.
local function ask(answer, req, problem)
  local function take(first, ...)
    if first == nil then return nil end
    local response = core.response_of(req, answer, first, ...)
    if response.status == 200 then response.status = problem.status end
    return response
  end
  return take(answer(req, problem))
end

-- What the first answer would have said besides: Allow, WWW-Authenticate, cookies.
local function inherit(response, from)
  local headers = response.headers
  for name, value in pairs(from.headers) do
    if headers[name] == nil and sub(name, 1, 8) ~= "content-" then headers[name] = value end
  end
  response.after = response.after or from.after
  return response
end

-- A text, or nothing at all.
local function is_bare(response)
  if response.status < 400 or (response.body ~= nil and type(response.body) ~= "string") then return false end
  local kind = response.headers["content-type"]
  return kind == nil or type(kind) == "string" and find(kind, "^text/plain") ~= nil
end

local function errors(answer)
  if answer ~= nil and type(answer) ~= "function" then
    options.fail("errors", "function expected, got " .. type(answer))
  end
  answer = answer or as_json
  return function(req, next)
    local ok, response = xpcall(next, catch, req)
    if ok then
      if not is_bare(response) then return response end
      local body = response.body
      local problem = { status = response.status, message = body and body ~= "" and gsub(body, "\n$", "") or nil }
      local other = ask(answer, req, problem)
      return other and inherit(other, response) or response
    end
    local problem, is_reported = problem_of(req, response)
    local other = ask(answer, req, problem) or plain(problem)
    if is_reported and not other.headers["x-request-id"] then other.headers["x-request-id"] = req.id end
    return other
  end
end

return { errors = errors }
