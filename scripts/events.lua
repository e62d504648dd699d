-- events.lua: a room for talking, in the browser. Live, over server-sent events, with its own page.
-- neap scripts/events.lua [PORT or ADDRESS]; then open http://127.0.0.1:8081 in two windows.
--
--   GET /           the page
--   GET /events     what is said, as it is said: a response that never ends
--   POST /say       {"name": "Ada", "text": "hello"}
--
-- Nothing is lost. Each message has a number; a browser that was cut off tells the last one it has seen (Last-Event-ID)
-- and gets what came after it. What was said is kept in hot.state, so a change of this file (--watch) goes unnoticed:
-- the streams of the old version end, the browsers come back at once, to the new one.
local neap, hot, http, json, timer =
  require "neap", require "neap.hot", require "neap.http", require "neap.json", require "neap.timer"

local HISTORY = 100 -- messages that are kept
local NAME_LIMIT, TEXT_LIMIT = 30, 1000 -- characters
local QUIET = 15 -- s: then a comment is sent, so that nobody on the way takes the connection for dead
local RETRY = 500 -- ms until a browser comes back

-- ---- the room ----------------------------------------------------------------

-- `run` tells the messages of one run of the program from those of another: after a restart numbers begin again.
local room = hot.state("room", function()
  return { run = ("%08x"):format(math.random(0, 0xffffffff)), last = 0, messages = {}, listeners = {}, people = 0 }
end)

-- Those who listen, of all versions: each has the task in which it waits, if it does.
local function wake_all()
  for listener in pairs(room.listeners) do
    if listener.nap then listener.nap:cancel() end
  end
end

local function add(name, text)
  room.last = room.last + 1
  room.messages[room.last] = { id = room.last, time = os.time(), name = name, text = text }
  room.messages[room.last - HISTORY] = nil
  wake_all()
end

-- ---- listening ---------------------------------------------------------------

local over = false -- this version listens no more

-- A task in the background ends when the program is told to end, and when the next version goes live. Then streams end,
-- too: they would hold up the one, and keep the other from their listeners.
neap.go(function()
  local _ <close> = setmetatable({}, { __close = function()
    over = true
    wake_all()
  end })
  while true do timer.sleep(86400) end
end).name = "end of streams"

-- Waits until somebody wakes it.
local function nap(listener)
  listener.nap = neap.go(timer.sleep, QUIET)
  local _ <close> = setmetatable({}, { __close = function()
    listener.nap:cancel() -- also where the client has left meanwhile
    listener.nap = nil
  end })
  return listener.nap:join() == nil
end

-- The number of the last message that a browser has, by its own account; 0 if it has none of this run.
local function seen_by(req)
  local run, number = (req:header "last-event-id" or req.query.after or ""):match "^(%x+)%-(%d+)$"
  number = run == room.run and math.tointeger(tonumber(number))
  return number and number <= room.last and number or 0
end

local function event_of(message)
  return ("id: %s-%d\ndata: %s\n\n"):format(room.run, message.id, json.encode(message)) -- JSON has no line breaks
end

-- Nothing is queued for a listener: it has a number, and takes what came after it when it gets round to that. So who is
-- slow costs nothing, and is told if more was said meanwhile than is kept.
local function listen(write, seen)
  local listener = {}
  room.listeners[listener], room.people = true, room.people + 1
  wake_all()
  local _ <close> = setmetatable({}, { __close = function()
    room.listeners[listener], room.people = nil, room.people - 1
    wake_all()
  end })
  local people, woken
  write(("retry: %d\n\n"):format(RETRY))
  while not over do
    local lines = {}
    local oldest = math.max(1, room.last - HISTORY + 1)
    local gap = seen > 0 and oldest - seen - 1 or 0
    if gap > 0 then lines[1] = ("event: gap\ndata: %d\n\n"):format(gap) end
    for number = math.max(oldest, seen + 1), room.last do lines[#lines + 1] = event_of(room.messages[number]) end
    seen = room.last
    if people ~= room.people then
      people = room.people
      lines[#lines + 1] = ("event: people\ndata: %d\n\n"):format(people)
    elseif #lines == 0 and not woken then
      lines[1] = ":\n\n"
    end
    if #lines > 0 and not write(lines) then return end
    if seen == room.last and people == room.people and not over then woken = nap(listener) end
  end
end

local routes = {}

routes["GET /events"] = function(req)
  local seen = seen_by(req)
  return 200, function(write) listen(write, seen) end, {
    ["content-type"] = "text/event-stream",
    ["cache-control"] = "no-store",
    ["x-accel-buffering"] = "no", -- nginx: pass it on as it comes
  }
end

-- ---- speaking ----------------------------------------------------------------

-- Without control characters, and not longer than allowed; or nil and why.
local function clean(what, value, limit, keep)
  if type(value) ~= "string" then return nil, "the " .. what .. " is missing" end
  value = value:gsub("%c", keep or ""):match "%S.*" or ""
  value = value:match "^.*%S" or "" -- "^%s*(.-)%s*$" would look at a thousand blanks again for each of them
  if value == "" then return nil, "the " .. what .. " is empty" end
  if (utf8.len(value) or limit + 1) > limit then
    return nil, ("the %s is too long: at most %d characters"):format(what, limit)
  end
  return value
end

local LINE_BREAK = { ["\n"] = "\n", ["\t"] = " " } -- these stay, in a text

routes["POST /say"] = function(req)
  -- A page of somebody else's can make a browser send a form, but not this.
  if not (req:header "content-type" or ""):lower():find "^application/json%f[^%w]" then
    return 415, "send application/json\n"
  end
  local message, why, code = req:json()
  if code == "EINVAL" then return 400, why .. "\n" end
  if code then error(why) end -- too much, too slow: 413, 408
  if type(message) ~= "table" then message = {} end
  local name, text
  name, why = clean("name", message.name, NAME_LIMIT)
  if not name then return 422, why .. "\n" end
  text, why = clean("text", message.text, TEXT_LIMIT, function(c) return LINE_BREAK[c] or "" end)
  if not text then return 422, why .. "\n" end
  add(name, text)
  return 204
end

-- ---- the page ----------------------------------------------------------------

-- What somebody says is only ever put into the page as text. And if that were wrong: the browser runs no script but the
-- one at /page.js, nor loads anything from elsewhere.
local POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
  .. "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

local files = {}

files["/"] = { "text/html; charset=utf-8", [[
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
<meta name="color-scheme" content="light dark">
<title>Events</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<header>
  <h1>Events</h1>
  <p id="state" role="status">connecting</p>
</header>
<main id="log" role="log" aria-label="What was said" tabindex="0">
<p class="note" id="empty">Nobody has said anything yet.</p>
</main>
<button id="down" type="button" hidden>new messages below</button>
<form id="form" autocomplete="off">
  <p id="problem" role="alert" hidden></p>
  <label for="name">Name</label>
  <input id="name" maxlength="30" placeholder="Your name" required>
  <label for="text">Message</label>
  <textarea id="text" rows="1" maxlength="1000" placeholder="Say something" required enterkeyhint="send"></textarea>
  <button id="send">Send</button>
</form>
<noscript><p class="note">This page needs JavaScript.</p></noscript>
<script src="/page.js"></script>
</body>
</html>
]] }

files["/page.css"] = { "text/css; charset=utf-8", [[
:root {
  --back: #f6f5f1; --sheet: #fff; --ink: #23262b; --faint: #6a6f78; --line: #dcdad3; --accent: #1f5f8b;
  --on-accent: #fff; --mine: #e3eef6; --bad: #a3261d; --light: 38%; --saturation: 45%;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #15181c; --sheet: #1f2329; --ink: #e6e7e9; --faint: #979da8; --line: #343a43; --accent: #7ab8e0;
    --on-accent: #10222e; --mine: #22384a; --bad: #ff8f85; --light: 72%; --saturation: 50%;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; }
body {
  display: flex; flex-direction: column; height: 100dvh; max-width: 46rem; margin: 0 auto;
  padding: 0 max(.75rem, env(safe-area-inset-right)) 0 max(.75rem, env(safe-area-inset-left));
  background: var(--back); color: var(--ink); font: 1rem/1.45 system-ui, sans-serif;
}
header { display: flex; align-items: baseline; justify-content: space-between; padding: .6rem .25rem; gap: 1rem; }
h1 { font-size: 1.15rem; margin: 0; }
#state { margin: 0; color: var(--faint); font-size: .9rem; }
#state::before {
  content: ""; display: inline-block; width: .55em; height: .55em; margin-right: .45em; border-radius: 50%;
  background: #d0942c;
}
#state.open::before { background: #3c9a5f; }
#log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: .25rem; min-height: 0; }
#log:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.note { color: var(--faint); text-align: center; font-size: .9rem; margin: 1.2rem 0; }
article {
  background: var(--sheet); border: 1px solid var(--line); border-radius: .8rem; padding: .45rem .75rem .5rem;
  margin: 0 2.5rem .5rem 0; width: fit-content; max-width: calc(100% - 2.5rem); min-width: 9rem;
}
article.mine { background: var(--mine); margin: 0 0 .5rem auto; }
article h2 { display: flex; gap: .75rem; justify-content: space-between; font-size: .85rem; margin: 0; }
article h2 bdi { color: hsl(var(--hue, 210) var(--saturation) var(--light)); overflow-wrap: anywhere; }
time { color: var(--faint); font-weight: normal; font-size: .8rem; white-space: nowrap; }
article p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
form {
  display: grid; grid-template-columns: minmax(5rem, 9rem) 1fr auto; gap: .5rem;
  padding: .5rem .25rem max(.75rem, env(safe-area-inset-bottom));
}
label { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
#problem { grid-column: 1 / -1; margin: 0; color: var(--bad); font-size: .9rem; }
input, textarea, button { font: inherit; font-size: 1rem; border-radius: .6rem; padding: .5rem .7rem; min-width: 0; }
input, textarea { background: var(--sheet); color: inherit; border: 1px solid var(--line); }
textarea { resize: none; max-height: 9rem; }
button { background: var(--accent); color: var(--on-accent); border: 0; font-weight: 600; cursor: pointer; }
button:disabled { opacity: .55; cursor: default; }
:is(input, textarea, button):focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
#down {
  align-self: center; margin: -2.6rem 0 .3rem; padding: .3rem .9rem; border-radius: 1rem; font-size: .85rem; z-index: 1;
}
@media (max-width: 32rem) {
  form { grid-template-columns: 1fr auto; }
  #name { grid-column: 1 / -1; }
  article { margin-right: 1rem; max-width: calc(100% - 1rem); }
}
]] }

files["/page.js"] = { "text/javascript; charset=utf-8", [[
"use strict";
const at = id => document.getElementById(id);
const log = at("log"), form = at("form"), text = at("text"), name = at("name"), down = at("down");
let source, last = null, people = 0;

try { name.value = localStorage.getItem("name") || ""; } catch (e) { /* not allowed: it is asked for again */ }

function element(kind, content, parent) {
  const made = document.createElement(kind);
  made.textContent = content; // text, never HTML
  if (parent) parent.append(made);
  return made;
}

function isAtEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function toEnd() {
  log.scrollTop = log.scrollHeight;
  down.hidden = true;
}

function append(made) {
  const follow = isAtEnd() || made.classList.contains("mine");
  at("empty").hidden = true;
  log.append(made);
  if (log.children.length > 600) log.children[1].remove();
  if (follow) toEnd(); else down.hidden = false;
}

function show(message) {
  const item = document.createElement("article");
  const title = element("h2", "", item);
  const who = element("bdi", message.name, title);
  let hue = 0;
  for (const letter of message.name) hue = (hue * 31 + letter.codePointAt(0)) % 360;
  who.style.setProperty("--hue", hue);
  const date = new Date(message.time * 1000);
  const time = element("time", date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }), title);
  time.dateTime = date.toISOString();
  time.title = date.toLocaleString();
  element("p", message.text, item).dir = "auto";
  if (message.name === name.value.trim()) item.classList.add("mine");
  append(item);
}

function note(content) {
  const made = element("p", content);
  made.className = "note";
  append(made);
}

function setState(open) {
  at("state").classList.toggle("open", open);
  at("state").textContent = !open ? "connecting" : people === 1 ? "only you are here" : people + " people here";
}

// The browser comes back by itself, and then tells which message it has seen last. It gives up where it got an answer
// that is no stream (the service is overloaded, say): then a new stream has to tell.
function connect() {
  source = new EventSource("/events" + (last ? "?after=" + encodeURIComponent(last) : ""));
  source.onmessage = event => {
    if (event.lastEventId === last) return;
    last = event.lastEventId;
    show(JSON.parse(event.data));
  };
  source.addEventListener("people", event => {
    people = Number(event.data);
    setState(true);
  });
  source.addEventListener("gap", event => note(event.data + " messages are gone"));
  source.onerror = () => {
    setState(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000 + Math.random() * 1000);
  };
}

function problem(content) {
  at("problem").textContent = content;
  at("problem").hidden = !content;
}

async function say(event) {
  event.preventDefault();
  at("send").disabled = true;
  problem("");
  try {
    localStorage.setItem("name", name.value.trim());
  } catch (e) { /* see above */ }
  try {
    const answer = await fetch("/say", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: name.value, text: text.value }),
    });
    if (answer.ok) text.value = ""; else problem(await answer.text());
  } catch (e) {
    problem("It could not be sent. Try again.");
  }
  at("send").disabled = false;
  resize();
  text.focus();
}

function resize() {
  text.style.height = "auto";
  text.style.height = text.scrollHeight + 2 + "px";
}

form.addEventListener("submit", say);
text.addEventListener("input", () => { resize(); problem(""); });
text.addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
down.addEventListener("click", toEnd);
log.addEventListener("scroll", () => { if (isAtEnd()) down.hidden = true; });
window.addEventListener("resize", () => { if (down.hidden) toEnd(); });
connect();
(name.value ? text : name).focus();
]] }

for path, file in pairs(files) do
  routes["GET " .. path] = function()
    return 200, file[2], {
      ["content-type"] = file[1],
      ["cache-control"] = "no-cache",
      ["content-security-policy"] = POLICY,
      ["x-content-type-options"] = "nosniff",
      ["referrer-policy"] = "no-referrer",
    }
  end
end

-- ---- the server --------------------------------------------------------------

local function handler(req)
  local method = req.method == "HEAD" and req.path ~= "/events" and "GET" or req.method
  local route = routes[method .. " " .. req.path]
  if route then return route(req) end
  return 404, "there is nothing at " .. req.path .. "\n"
end

local address = (neap.args[1] or "8081"):gsub("^%d+$", "127.0.0.1:%0")
local ok, server, message = pcall(http.serve, address, { max_body = 16384 }, handler)
if not ok or #neap.args > 1 then
  io.stderr:write("usage: neap scripts/events.lua [PORT or ADDRESS]   (HOST:PORT, :PORT or unix:PATH)\n")
  os.exit(2)
elseif not server then
  io.stderr:write("events: ", message, "\n")
  os.exit(1)
end

print("events: listening on " .. (server.address:find "^unix:" and "" or "http://") .. server.address)
io.stdout:flush()
neap.ready()
