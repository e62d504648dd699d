-- http.response, and short ways to answers: text, html, json, redirect. Each is what a handler returns.
local core = ...
local error, format, gsub, type = error, string.format, string.gsub, type
local json = require "neap.json"

local answers = {}

-- What a handler returned, in any of its forms, as a table of its own.
function answers.response(...)
  return core.response(nil, ...)
end

local function with_type(kind, status, body, headers)
  local response = core.response(nil, status or 200, body, headers)
  response.headers["content-type"] = response.headers["content-type"] or kind
  return response
end

local function check_text(name, body)
  if type(body) == "string" then return body end
  error(format("bad argument #1 to '%s' (string expected, got %s)", name, type(body)), 3)
end

function answers.text(body, status, headers)
  return with_type("text/plain; charset=utf-8", status, check_text("text", body), headers)
end

function answers.html(body, status, headers)
  return with_type("text/html; charset=utf-8", status, check_text("html", body), headers)
end

function answers.json(value, status, headers)
  return with_type("application/json", status, json.encode(value), headers)
end

-- 303: whatever was asked, what follows is a GET.
function answers.redirect(location, status)
  if type(location) ~= "string" then
    error(format("bad argument #1 to 'redirect' (string expected, got %s)", type(location)), 2)
  end
  return core.response(nil, status or 303, nil, { location = location })
end

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- Text for HTML, between tags and within quotes.
function answers.escape(text)
  if type(text) == "number" then text = format("%s", text) end
  if type(text) ~= "string" then
    error(format("bad argument #1 to 'escape' (string expected, got %s)", type(text)), 2)
  end
  return (gsub(text, "[&<>\"']", ENTITIES))
end

return answers
