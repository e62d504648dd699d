---@meta neap.http.middleware
---What stands between a router and its handlers. docs/middleware.md is its chapter.
---
---Each function here makes one, for `app:use` or for a single route. A middleware is a
---function that is given the request and the next handler: what that returns to it is always
---a table, see `http.response`.
local middleware = {}

-- ---- access_log ------------------------------------------------------------

-- ---- compress --------------------------------------------------------------

-- ---- cors ------------------------------------------------------------------

-- ---- sessions --------------------------------------------------------------

---@class neap.http.sessions_options
---@field name? string of the cookie, and of the sessions: "session". Where it is the same they are the same
---@field max_age? number seconds without a request, then it is over: 86400, a day
---@field max_lifetime? number|false seconds, then it is over in any case: 2592000, 30 days
---@field max_sessions? integer at most; who was away longest goes first: 10000
---@field secure? boolean the cookie goes over TLS only: false
---@field same_site? "lax"|"strict"|"none" see `http.cookie`: "lax"
---@field path? string of the cookie: "/"
---@field domain? string of the cookie: none, this host only

---Keeps a table for each browser: `req.session`.
---
---It is empty for who has none; what a handler has written into it when it returns makes a session, and
---the answer brings a cookie with its id. From then on it is the same table for all requests of that
---browser, also those at the same time. `req.session = nil` ends it; `req:renew_session()` gives it a
---new id, and the old one is worth nothing: do that when somebody logs in.
---
---Sessions are in memory, in `hot.state`: a reload keeps them, a restart does not. An id is 144 random
---bits; one that is not known is ignored.
---
---Cannot fail. Raises for options that no cookie can have. A handler that makes something else of
---`req.session` than a table or nil is answered with 500.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---local middleware = require "neap.http.middleware"
---
---local app = http.router()
---app:use(middleware.sessions { max_age = 3600 })
---app:get("/", function(req)
---  req.session.visits = (req.session.visits or 0) + 1
---  return "visit " .. req.session.visits
---end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---local function ask(cookie)
---  local conn <close> = assert(net.connect(server.address))
---  conn:write("GET / HTTP/1.0\r\nCookie: " .. cookie .. "\r\n\r\n")
---  return conn:read "a"
---end
---local answer = ask ""
---print(answer:match "\r\n\r\n(.*)") --> visit 1
---print(ask(answer:match "session=[^;]*"):match "\r\n\r\n(.*)") --> visit 2
---```
---
---Source: modules/http/middleware/sessions.lua; RFC 6265.
---@param options? neap.http.sessions_options
---@return fun(req: neap.http.request, following: function): neap.http.response middleware
function middleware.sessions(options) end

-- ---- request_id ------------------------------------------------------------

-- ---- body_limit ------------------------------------------------------------

-- ---- timeout ---------------------------------------------------------------

-- ---- basic_auth ------------------------------------------------------------

---@class neap.http.basic_auth_options
---@field users? table<string, string> name -> password: as it is, or hashed by `crypto.password`. It is copied
---@field check? fun(name: string, password: string, req: neap.http.request): any instead of users: whether they are right. True, or what `req.user` is to be; false or nil: they are not. It may wait
---@field realm? string what the browser shows, and keeps the password for: "restricted"

---Lets nobody by without a name and a password, which browsers ask for: others are answered with 401.
---`req.user` is the name, or what `check` has returned.
---
---For a few users, and over TLS only: the password comes with each request, and can be read on its
---way. How long a refusal takes does not tell whether there is such a user. A hashed password takes a
---fifth of a second to check; once it was right it is remembered (as a digest), and takes no time.
---
---A header that is malformed, has control bytes or is not UTF-8 is answered with 401, too; `check` does
---not see it. Raises for options that cannot be: a name with ":", an empty password. A hash that is none
---is an error of the request, 500.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---local crypto, middleware = require "neap.crypto", require "neap.http.middleware"
---
---local users = { ada = crypto.password "correct horse" }
---local app = http.router()
---app:use(middleware.basic_auth { realm = "tea room", users = users })
---app:get("/", function(req) return "hello " .. req.user end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---local function ask(credentials)
---  local conn <close> = assert(net.connect(server.address))
---  conn:write("GET / HTTP/1.0\r\nAuthorization: Basic " .. crypto.base64(credentials) .. "\r\n\r\n")
---  return conn:read("a"):match "^HTTP/1.%d (%d+).*\r\n\r\n(.*)"
---end
---print(ask "ada:correct horse") --> 200	hello ada
---print((ask "ada:battery staple")) --> 401
---```
---
---Source: modules/http/middleware/basic_auth.lua; RFC 7617.
---@param options neap.http.basic_auth_options
---@return fun(req: neap.http.request, following: function): neap.http.response middleware
function middleware.basic_auth(options) end

-- ---- rate_limit ------------------------------------------------------------

-- ---- security_headers ------------------------------------------------------

-- ---- development -----------------------------------------------------------

---For whoever writes the program: errors as pages, and pages that reload themselves.
---
---An error of a handler, or of middleware behind this one, is shown where it happened: the
---message, the stack with the lines of source around each of its frames, the request. To who
---accepts HTML as a page, to others as text. Values of `Authorization`, `Cookie` and headers
---whose names speak of tokens, keys or secrets are hidden. Nothing else changes: the status is
---500 with the same `x-request-id`, and the error is counted and reported as ever.
---
---Responses of the type `text/html` get a small script, before their last `</body>` or at
---their end. When another version of the program is live (`--watch`, `neap reload`), or it was started
---again, the page is loaded again, once. When a version could not be loaded, the page says why,
---and goes on. These responses are not cached (`no-store`, and no `etag`). Left alone are responses
---with a `content-encoding`, parts of pages that a script asks for, and 204, 206, 304.
---
---It has two paths of its own, `/.neap/reload` and `/.neap/reload.js`, below where its router
---is mounted: so it belongs into `app:use`, not to a single route; before middleware whose errors it
---is to show, behind `compress`. A content security policy has to allow scripts and connections of
---`'self'`; where it has a nonce, the script has it, too.
---
---**It is there only for requests from this machine to this machine**: the client is on a
---loopback address or a Unix socket, the header `host` names `localhost`, a name below that, or a
---loopback address (which a foreign page whose name resolves to 127.0.0.1 cannot make a browser
---say), and no header says that a proxy has passed it on. All others are served as if it was not
---there. But a proxy on this machine that says nothing of whom it serves looks like you: in
---production leave it out. With `force` it does not look.
---
---Raises for other options.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---local middleware = require "neap.http.middleware"
---
---local app = http.router()
---app:use(middleware.development())
---app:get("/", function() return http.html "<h1>hello</h1>" end)
---
---local server <close> = assert(http.serve("127.0.0.1:8080", app))
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
---print(conn:read("a"):match "<h1>hello</h1><script src=\"[^\"]*\"") --> <h1>hello</h1><script src="/.neap/reload.js"
---```
---
---Source: modules/http/middleware/development.lua; HTML, 9.2 (server-sent events).
---@param options? { force?: boolean } force: for every client
---@return fun(req: neap.http.request, next: function): neap.http.response middleware
function middleware.development(options) end

return middleware
