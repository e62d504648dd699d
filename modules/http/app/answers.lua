-- http.response, and short ways to answers: text, html, json, redirect. Each is what a handler returns. What is wrong
-- with their arguments is raised where they were called.
local core = ...
local byte, error, format, getinfo, gsub, pcall, type =
  string.byte, error, string.format, debug.getinfo, string.gsub, pcall, type
local encode = require "neap.json".encode

local answers = {}

-- Raises an error of the function `level` levels up, where that was called. As `return http.json(...)` it was called by
-- nobody whom the stack knows: then it tells the handler.
local function fail(level, text)
  if getinfo(level + 1, "t").istailcall then error(text .. core.place(), 0) end
  error(text, level + 2)
end

-- What a handler returned, in any of its forms, as a table of its own.
function answers.response(...)
  return core.response(nil, ...)
end

local function check_text(name, body)
  if type(body) == "string" then return end
  fail(2, format("bad argument #1 to '%s' (string expected, got %s)", name, type(body)))
end

-- What stands behind the first argument, where there is something.
local function check_rest(name, status, headers, least, most)
  if status ~= nil and (type(status) ~= "number" or status % 1 ~= 0 or status < least or status > most) then
    local got = type(status) == "number" and status or type(status)
    fail(2, format("bad argument #2 to '%s' (a status from %d to %d expected, got %s)", name, least, most, got))
  end
  if headers ~= nil and type(headers) ~= "table" then
    fail(2, format("bad argument #3 to '%s' (a table of headers expected, got %s)", name, type(headers)))
  end
end

function answers.text(body, status, headers)
  check_text("text", body)
  if status or headers then check_rest("text", status, headers, 200, 599) end
  return core.response_typed("text/plain; charset=utf-8", status or 200, body, headers)
end

function answers.html(body, status, headers)
  check_text("html", body)
  if status or headers then check_rest("html", status, headers, 200, 599) end
  return core.response_typed("text/html; charset=utf-8", status or 200, body, headers)
end

function answers.json(value, status, headers)
  local ok, text = pcall(encode, value)
  if not ok then fail(1, text) end
  if status or headers then check_rest("json", status, headers, 200, 599) end
  return core.response_typed("application/json", status or 200, text, headers)
end

local function percent(c)
  return format("%%%02X", byte(c))
end

-- 303: whatever was asked, what follows is a GET. What no URL has in it is encoded; browsers take a "\" for a "/", and
-- leave tabs out: both could make of a path another server.
function answers.redirect(location, status, headers)
  if type(location) ~= "string" then
    fail(1, format("bad argument #1 to 'redirect' (string expected, got %s)", type(location)))
  end
  if status or headers then check_rest("redirect", status, headers, 300, 399) end
  local response = core.response(nil, status or 303, nil, headers)
  response.headers.location = gsub(location, '[\t "<>\\^`{|}\128-\255]', percent)
  return response
end

-- Text for a URL: a segment of its path, a name or a value of its query.
function answers.escape_url(text)
  if type(text) == "number" then text = format("%s", text) end
  if type(text) ~= "string" then
    fail(1, format("bad argument #1 to 'escape_url' (string expected, got %s)", type(text)))
  end
  return (gsub(text, "[^%w._~-]", percent))
end

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- Text for HTML, between tags and within quotes.
function answers.escape(text)
  if type(text) == "number" then text = format("%s", text) end
  if type(text) ~= "string" then
    fail(1, format("bad argument #1 to 'escape' (string expected, got %s)", type(text)))
  end
  return (gsub(text, "[&<>\"']", ENTITIES))
end

return answers
