-- One function for the look of all that went wrong: errors, refused bodies, and answers from 400 on that say no more
-- than their status and a text: those of a router, of middleware, and `return 404, "no such tea"`.
--
-- An error is reported as ever, before it is asked: unless it is the client's.
local core = ...
local error, find, gsub, match, move, pairs, setmetatable, sub, traceback, type, utf8_length, xpcall =
  error, string.find, string.gsub, string.match, table.move, pairs, setmetatable, string.sub, debug.traceback, type,
  utf8.len, xpcall
local encode = require "neap.json".encode
local options = core.load "modules/http/middleware/options.lua"
local thrown = core.load "modules/http/middleware/thrown.lua"

-- ---- what has happened --------------------------------------------------------------

local BELOW = "\n\t[C]: in function 'xpcall'\n\tneap:modules/http/middleware/errors.lua:"

-- While the stack is there. Who has called us is of no interest.
local function catch(err)
  local text = traceback("", 2)
  return { err = err, trace = sub(text, 2, (find(text, BELOW, 1, true) or 0) - 1) }
end

-- error { status = 404, message = "no such tea" } is for the client, and from 500 on for the report, too.
local function problem_in(err)
  local status = thrown.status(err)
  return status and { status = status, message = thrown.message(err), error = err }
end

-- What is wrong with a body: what req:body, req:json, req:form say.
local function is_of_body(text)
  return find(text, "^request %l+: ") ~= nil or find(text, "^line %d+, column %d+: ") ~= nil
end

-- Of a body that was refused, without a traceback, which middleware.timeout adds. (Assertions of others raise a table.)
-- What has the line of ours at which it was raised may be any error: of the handler that went on without the body, say.
local function text_of(err)
  if type(err) == "table" then err = thrown.message(err) end
  if type(err) ~= "string" then return nil end
  local line = match(err, "^[^\n]*")
  local raised = match(line, "^.-:%d+: (.*)")
  if not raised or is_of_body(line) then return line end
  return is_of_body(raised) and raised or nil
end

local function problem_of(req, caught)
  if type(caught) ~= "table" or not caught.trace then caught = { err = caught } end -- no memory, or an error in that
  local err = caught.err
  local problem = problem_in(err)
  if problem and problem.status < 500 then return problem end
  local status = core.outcome(req, err)
  if status == 499 or not status then error(err, 0) end -- nobody is there to be told
  local id = core.failure(req, err, caught.trace)
  if not id then return { status = status, message = text_of(err), error = err } end
  problem = problem or { status = 500, error = err }
  problem.id = id
  return problem
end

-- ---- what is said of it ---------------------------------------------------------------

-- A message may repeat what a client has sent, which may be anything.
local function readable(text)
  if text and not utf8_length(text) then return (gsub(text, "[\128-\255]", "?")) end
  return text
end

-- `errors` of what was raised for the client: which field is wrong, say.
local function as_json(_, problem)
  local status, err = problem.status, problem.error
  local text = encode { status = status, detail = readable(problem.message), id = problem.id,
    errors = status < 500 and type(err) == "table" and thrown.field(err, "errors") or nil }
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

-- They speak of the body that is not sent.
local OF_BODY = { ["accept-ranges"] = true, ["content-disposition"] = true, ["content-language"] = true,
  ["content-length"] = true, ["content-location"] = true, ["content-range"] = true, ["content-type"] = true,
  etag = true, ["last-modified"] = true }

-- Of those each line counts.
local LISTS = { ["set-cookie"] = true, vary = true }

local function add_lines(list, value)
  if type(value) ~= "table" then value = { value } end
  return move(value, 1, #value, #list + 1, list)
end

local function both(first, second)
  if not first or not second then return first or second end
  return function(bytes, message)
    local _ <close> = setmetatable({}, { __close = function() second(bytes, message) end })
    first(bytes, message)
  end
end

-- What the first answer would have said besides: Allow, WWW-Authenticate, cookies.
local function inherit(response, from)
  local headers = response.headers
  for name, value in pairs(from.headers) do
    if headers[name] == nil then
      if not OF_BODY[name] then headers[name] = value end
    elseif LISTS[name] then
      headers[name] = add_lines(add_lines({}, value), headers[name])
    end
  end
  response.after = both(response.after, from.after)
  return response
end

-- A text, or nothing at all. (What is packed nobody can read here.)
local function is_bare(req, response)
  if thrown.answered and thrown.answered[req] == "shown" then return false end
  if response.status < 400 or (response.body ~= nil and type(response.body) ~= "string") then return false end
  if response.headers["content-encoding"] then return false end
  local kind = response.headers["content-type"]
  return kind == nil or type(kind) == "string" and find(kind, "^text/plain") ~= nil
end

local function errors(answer)
  if answer ~= nil and type(answer) ~= "function" then
    options.fail("errors", "function expected, got " .. type(answer))
  end
  answer = answer or as_json
  return function(req, next)
    if thrown.answered then thrown.answered[req] = true end
    local ok, response = xpcall(next, catch, req)
    if ok then
      if not is_bare(req, response) then return response end
      local body = response.body
      local problem = { status = response.status, message = body and body ~= "" and gsub(body, "\n$", "") or nil }
      if response.status >= 500 then problem.id = response.headers["x-request-id"] end -- of another one behind it
      local other = ask(answer, req, problem)
      return other and inherit(other, response) or response
    end
    local problem = problem_of(req, response)
    local other = ask(answer, req, problem) or plain(problem)
    other.headers["x-request-id"] = other.headers["x-request-id"] or problem.id
    return other
  end
end

return { errors = errors }
