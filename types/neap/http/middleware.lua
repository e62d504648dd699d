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

-- ---- request_id ------------------------------------------------------------

-- ---- body_limit ------------------------------------------------------------

-- ---- timeout ---------------------------------------------------------------

-- ---- basic_auth ------------------------------------------------------------

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
