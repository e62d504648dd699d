-- The page of an error, and the same as text. Whatever comes from outside, and that is nearly all of it, is escaped.
local concat, find, format, gmatch, gsub, lower, match =
  table.concat, string.find, string.format, string.gmatch, string.gsub, string.lower, string.match
local ipairs, next, pairs, sort, tostring, type, utf8_len = ipairs, next, pairs, table.sort, tostring, type, utf8.len
local core = ...
local trace = core.load "modules/http/middleware/development/trace.lua"
local http = require "neap.http"
local escape = http.escape

-- There is nothing in it but styles, and the script that reloads it.
local POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'self'; connect-src 'self'"

local STYLE = [[
:root { color-scheme: light dark; --ground: #f6f5f2; --card: #fff; --ink: #1c2128; --dim: #69707b; --line: #e2e0da;
  --bad: #b42318; --mark: #fdebe8; --word: #7a3e9d; --text: #1a7044; --note: #848b95; --count: #a05a00; }
@media (prefers-color-scheme: dark) { :root { --ground: #12151a; --card: #1a1e25; --ink: #e4e7ec; --dim: #929aa6;
  --line: #2b313a; --bad: #ff8d80; --mark: #3b2226; --word: #cda1f0; --text: #86cfa3; --note: #76808d;
  --count: #e5b46c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  -webkit-text-size-adjust: 100%; }
body > * { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
code, pre, td, .at, summary, h1 {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
header { padding-top: 2.5rem; }
.what { margin: 0; color: var(--dim); font-size: .875rem; overflow-wrap: anywhere; }
.what b { background: var(--bad); color: var(--ground); border-radius: 4px; padding: .1em .5em; margin-right: .5em; }
h1 { margin: .75rem 0 .5rem; font-size: clamp(1.15rem, 3.5vw, 1.6rem); line-height: 1.35; font-weight: 600;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.at { margin: 0 0 1rem; color: var(--bad); font-size: .95rem; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; color: var(--dim); }
.card, details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
details { margin-bottom: .5rem; }
summary { padding: .55rem .9rem; cursor: pointer; font-size: .875rem; overflow-wrap: anywhere; }
summary span, .own { color: var(--dim); }
details[open] summary { border-bottom: 1px solid var(--line); }
.own { padding: .15rem .9rem; margin: 0 0 .5rem; font-size: .8rem; overflow-wrap: anywhere; }
pre { margin: 0; padding: .6rem 0; overflow-x: auto; font-size: .875rem; line-height: 1.6; tab-size: 2; }
pre span.row { display: block; width: max-content; min-width: 100%; padding-right: 1rem; }
pre .row i { display: inline-block; width: 4.5em; padding-right: 1.2em; text-align: right; font-style: normal;
  color: var(--note); user-select: none; }
pre .is { background: var(--mark); box-shadow: inset 3px 0 var(--bad); }
pre .is i { color: var(--bad); font-weight: 600; }
.w { color: var(--word); } .s { color: var(--text); } .n { color: var(--count); }
.c { color: var(--note); font-style: italic; }
pre.line { padding: .6rem .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: .875rem; }
td { padding: .3rem .9rem; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
tr:first-child td { border-top: 0; }
td:first-child { width: 14rem; color: var(--dim); }
footer { padding: 2rem 1.25rem 3rem; color: var(--dim); font-size: .875rem; }
@media (max-width: 40rem) {
  header { padding-top: 1.25rem; }
  pre .row i { width: 3.4em; padding-right: .9em; }
  td { display: block; padding-bottom: 0; border: 0; }
  td:first-child { width: auto; border-top: 1px solid var(--line); }
  tr:first-child td:first-child { border-top: 0; } td + td { padding: 0 .9rem .3rem; }
}]]

-- ---- Lua in colours, as far as one line tells --------------------------------------

local KEYWORDS = {}
for word in gmatch([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]], "%a+") do KEYWORDS[word] = true end

local TOKENS = {
  { "^%-%-.*", "c" }, { '^"[^"]*"?', "s" }, { "^'[^']*'?", "s" }, { "^%[%[.-%]%]", "s" }, { "^%[%[.*", "s" },
  { "^0[xX]%x+", "n" }, { "^%d[%d.eE]*", "n" }, { "^[%a_][%w_]*", "w" }, { "^%s+" }, { "^." },
}

local function colour(text)
  local out, at = {}, 1
  while at <= #text do
    for _, token in ipairs(TOKENS) do
      local piece = match(text, token[1], at)
      if piece then
        local class = token[2]
        if class == "w" and not KEYWORDS[piece] then class = nil end
        out[#out + 1] = class and format('<span class="%s">%s</span>', class, escape(piece)) or escape(piece)
        at = at + #piece
        break
      end
    end
  end
  return concat(out)
end

local function listing(lines)
  local out = {}
  for i, one in ipairs(lines) do
    out[i] = format('<span class="row%s"><i>%d</i>%s</span>', one.is and " is" or "", one.number, colour(one.text))
  end
  return "<pre>" .. concat(out) .. "</pre>"
end

-- ---- the request -------------------------------------------------------------------

local SECRET = { authorization = true, cookie = true, ["proxy-authorization"] = true }

local function is_secret(name)
  return SECRET[name] or find(name, "token") or find(name, "api%-?key") or find(name, "secret")
end

-- Sorted pairs of texts.
local function rows(map)
  local list = {}
  for name, value in pairs(map) do list[#list + 1] = { tostring(name), tostring(value) } end
  sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

local function headers(req)
  local list = rows(req.headers)
  for _, row in ipairs(list) do
    if is_secret(lower(row[1])) then row[2] = "(hidden)" end
  end
  return list
end

local function request_line(req)
  return format("%s %s HTTP/%s", req.method, req.target, req.version)
end

local function table_of(list)
  local out = {}
  for i, row in ipairs(list) do
    out[i] = format("<tr><td>%s</td><td>%s</td></tr>", escape(row[1]), escape(row[2]))
  end
  return '<div class="card"><table>' .. concat(out) .. "</table></div>"
end

local function section(title, map)
  if type(map) ~= "table" or next(map) == nil then return "" end
  return "<h2>" .. title .. "</h2>" .. table_of(rows(map))
end

-- ---- the page ------------------------------------------------------------------------

local function why_of(what)
  return what.why and " (" .. what.why .. ")" or ""
end

local function frames(story)
  local out, opened, listings = {}, false, {}
  for _, frame in ipairs(story.frames) do
    local where, name = escape(frame.where), escape(frame.name)
    if not frame.lines then
      out[#out + 1] = format('<p class="own">%s in %s%s</p>', where, name, why_of(frame))
    else
      listings[frame.lines] = listings[frame.lines] or listing(frame.lines)
      local is_first = not opened and frame.where ~= story.where
      out[#out + 1] = format("<details%s><summary>%s <span>in %s</span></summary>%s</details>",
        is_first and " open" or "", where, name, listings[frame.lines])
      opened = opened or is_first
    end
  end
  if story.is_cut then out[#out + 1] = '<p class="own">...</p>' end
  return #out > 0 and "<h2>Traceback</h2>" .. concat(out) or ""
end

local page = { POLICY = POLICY }

function page.html(req, story)
  local first = match(story.title, "^[^\n]*")
  return concat {
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">',
    "<title>", escape(first), "</title><style>", STYLE, "</style></head>\n<body><header>",
    '<p class="what"><b>500</b>', escape(req.method), " ", escape(req.path), "</p>",
    "<h1>", escape(story.title), "</h1>",
    story.where and '<p class="at">' .. escape(story.where) .. why_of(story) .. "</p>" or "",
    story.lines and '<div class="card">' .. listing(story.lines) .. "</div>" or "",
    "</header><main>", frames(story),
    '<h2>Request</h2><div class="card"><pre class="line">', escape(request_line(req)), "</pre></div>",
    section("Parameters", req.params), section("Query", req.query),
    "<h2>Headers</h2>", table_of(headers(req)),
    "</main><footer>Request <code>", escape(story.id), "</code>: the report has the same number. ",
    "Without development mode a client gets 500 and that number, and nothing else.</footer></body></html>\n",
  }
end

-- ---- the text --------------------------------------------------------------------------

function page.text(req, story)
  local out = { story.message, "" }
  local function add(line) out[#out + 1] = line end
  if story.where then add(story.where .. why_of(story)) end
  if story.lines then
    for _, line in ipairs(trace.listing(story.lines)) do add(line) end
    add ""
  end
  for _, frame in ipairs(story.frames) do
    add(frame.where .. " in " .. frame.name .. why_of(frame))
    if frame.lines and frame.where ~= story.where then
      for _, line in ipairs(trace.listing(frame.lines)) do add(line) end
    end
  end
  if story.is_cut then add "..." end
  add ""
  add(request_line(req))
  for _, row in ipairs(headers(req)) do add(row[1] .. ": " .. row[2]) end
  add ""
  add("request " .. story.id)
  local text = concat(out, "\n") .. "\n"
  if not utf8_len(text) then text = gsub(text, "[\128-\255]", "?") end -- what follows is for a terminal
  return (gsub(gsub(text, "\194[\128-\159]", "?"), "[^%C\n\t]", "?"))
end

return page
