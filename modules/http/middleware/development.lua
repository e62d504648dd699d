-- For whoever writes the program: errors as pages, and pages that reload themselves. For others it is not there.
--
-- What it shows, sources among it, is nobody else's business. So it looks at each request: it comes from this machine,
-- and means this machine. (A page of somebody else's can have its name resolved to 127.0.0.1, but its browser says
-- which name that was; what a proxy passes on says so, too. And where answers are open to the pages of others, by
-- middleware.cors, these are not: a browser says for which page it asks.)
local core = ...
local error, find, format, lower, match, pairs, sub, type =
  error, string.find, string.format, string.lower, string.match, pairs, string.sub, type
local getinfo, setmetatable, traceback, xpcall = debug.getinfo, setmetatable, debug.traceback, xpcall
local page = core.load "modules/http/middleware/development/page.lua"
local live = core.load "modules/http/middleware/development/live.lua"
local trace = core.load "modules/http/middleware/development/trace.lua"
local thrown = core.load "modules/http/middleware/thrown.lua"

-- ---- who asks --------------------------------------------------------------------

-- Without its port: "127.0.0.1:80", "[::1]:80", "localhost".
local function is_loopback(host)
  host = lower(match(host, "^%[(.*)%]:?%d*$") or match(host, "^([^:]*):?%d*$") or "")
  host = match(host, "^::ffff:(.*)$") or host
  return host == "::1" or host == "localhost" or find(host, "^127%.%d+%.%d+%.%d+$") ~= nil
    or find(host, "^[%w.-]+%.localhost$") ~= nil or find(host, "^7f%x%x:%x%x?%x?%x?$") ~= nil
end

-- Without a peer, or of a Unix socket: whoever may open that.
local function is_near(req)
  local peer = req.peer
  return peer == nil or sub(peer, 1, 5) == "unix:" or is_loopback(peer)
end

-- A page of this machine asks, or nobody's. ("null" is said of a page that wants nobody to know where it is: that may
-- be one of ours, or anybody's.)
local function is_for_us(req)
  local origin = req:header "origin"
  if not origin then return true end
  if origin == "null" then return req:header "sec-fetch-site" == "same-origin" end
  return is_loopback(match(origin, "^https?://(.*)$") or "")
end

local PASSED_ON = { "forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via" }

local function is_ours(req)
  local host = req:header "host"
  if not host or not is_loopback(host) or not is_near(req) or not is_for_us(req) then return false end
  for i = 1, #PASSED_ON do
    if req:header(PASSED_ON[i]) then return false end
  end
  return true
end

-- ---- errors ----------------------------------------------------------------------

local BELOW = "\n\t[C]: in function 'xpcall'\n\tneap:modules/http/middleware/development.lua:"

-- While the stack is there: what the page and the report need of it. Who has called us is of no interest.
local function catch(err)
  local text = traceback("", 2)
  return { err = err, trace = sub(text, 2, (find(text, BELOW, 1, true) or 0) - 1), frames = trace.frames(getinfo) }
end

-- Without memory, and for an error in the error, there was none.
local function as_caught(caught)
  if type(caught) == "table" and caught.frames then return caught end
  return { err = caught, frames = {} }
end

local function wants_html(req)
  return find(lower(req:header "accept" or ""), "text/html", 1, true) ~= nil
end

-- middleware.errors tells it to the client, as it does without us.
local function is_for_client(req, err)
  local status = thrown.answered[req] and thrown.status(err)
  return status and status < 500
end

-- The report comes first: it is the same one as ever.
local function answer(req, caught)
  if is_for_client(req, caught.err) then error(caught.err, 0) end
  local id = core.failure(req, caught.err, caught.trace)
  if not id then error(caught.err, 0) end
  local story = trace.story(caught)
  story.id = id
  local html = wants_html(req)
  local response = core.response(nil, 500, html and page.html(req, story) or page.text(req, story))
  local headers = response.headers
  headers["x-request-id"], headers["cache-control"] = id, "no-store"
  headers["x-content-type-options"] = "nosniff"
  thrown.answered[req] = "shown"
  if html then
    headers["content-type"], headers["content-security-policy"] = "text/html; charset=utf-8", page.POLICY
  end
  return response
end

-- ---- the middleware --------------------------------------------------------------

local function read_options(options)
  if options == nil then return false end
  if type(options) ~= "table" then
    error(format("bad argument #1 to 'development' (table expected, got %s)", type(options)), 3)
  end
  for name in pairs(options) do
    if name ~= "force" then
      error(format("bad argument #1 to 'development' (unknown option '%s' (there are: force))", name), 3)
    end
  end
  if options.force ~= nil and type(options.force) ~= "boolean" then
    error(format("bad argument #1 to 'development' (option 'force' is a boolean, not a %s)", type(options.force)), 3)
  end
  return options.force or false
end

local function development(options)
  local force = read_options(options)
  thrown.answered = thrown.answered or setmetatable({}, { __mode = "k" })
  return function(req, next)
    if not force and not is_ours(req) then return next(req) end
    local own = live.answer(req)
    if own then return own end
    local version = live.version() -- the request begins in the version that is live
    local ok, response = xpcall(next, catch, req)
    if not ok then response = answer(req, as_caught(response)) end
    return live.inject(req, response, version)
  end
end

return { development = development }
