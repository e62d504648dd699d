-- http.response, and short ways to answers: text, html, json, redirect. Each is what a handler returns. What is wrong
-- with the rest of their arguments is raised by what they call at last, where they were called.
local core = ...
local error, format, gsub, pcall, type = error, string.format, string.gsub, pcall, type
local encode = require "neap.json".encode

local answers = {}

-- What a handler returned, in any of its forms, as a table of its own.
function answers.response(...)
  return core.response(nil, ...)
end

local function check_text(name, body)
  if type(body) == "string" then return end
  error(format("bad argument #1 to '%s' (string expected, got %s)", name, type(body)), 3)
end

function answers.text(body, status, headers)
  check_text("text", body)
  return core.response_typed("text/plain; charset=utf-8", status or 200, body, headers)
end

function answers.html(body, status, headers)
  check_text("html", body)
  return core.response_typed("text/html; charset=utf-8", status or 200, body, headers)
end

function answers.json(value, status, headers)
  local ok, text = pcall(encode, value)
  if not ok then error(text, 2) end
  return core.response_typed("application/json", status or 200, text, headers)
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
