---@meta neap.http.middleware
---What stands between a router and its handlers. docs/middleware.md is its chapter.
---
---Each function here makes one, for `app:use` or for a single route. A middleware is a
---function that is given the request and the next handler: what that returns to it is always
---a table, see `http.response`.
local middleware = {}

-- ---- access_log ------------------------------------------------------------

---What `access_log` takes.
---@class neap.http.access_log.options
---@field format? string|fun(entry: neap.http.access_log.entry): string? `"common"`, which is the default, `"combined"`: with referer and user agent, `"json"`: an object a line; or a function that makes the line, nil: there is none
---@field path? string a file that lines are appended to, instead of standard output. It may be renamed at any time
---@field write? fun(line: string) gets each line, instead of standard output; it may wait
---@field skip? fun(req: neap.http.request): any true: this request is not logged
---@field duration? boolean the seconds that it took, at the end of a common or combined line
---@field client? fun(req: neap.http.request): string? who asks, where that is not the peer: `client_address`

---What is known of a request when it is over. Other fields are nil.
---@class neap.http.access_log.entry
---@field req neap.http.request
---@field time number when it came: seconds since 1970
---@field duration number seconds until its answer was on its way
---@field status integer of the answer. 499: the client left before there was one
---@field bytes integer? of the body that were sent; nil where the handler did not return
---@field error string|false|nil what has failed, where something has
---@field method string
---@field target string
---@field version string
---@field client string? its address; nil at a Unix socket
---@field user string? `req.user`, where that is a string
---@field referer string?
---@field user_agent string?
---@field id string `req.id`

---Writes a line for each request, when its answer has gone out, or has failed.
---
---The status is the true one: 500 where the handler has raised an error, 413, 408 or 400 where
---that came of a body that was refused, 503 where the handler was cancelled, and 499 where
---the client left before there was an answer. Put it first: what stands before it is not
---seen. What the server refuses itself (a malformed request) reaches no middleware.
---
---Nothing is written as a client has sent it: quotes, control bytes and all bytes above 126 are
---escaped (`\x0A`), in JSON as JSON does it. What a function makes is one line, too.
---
---No line holds the loop, and lines do not mix. Standard output has a queue; lines of a file
---go out in one job of the thread pool, all that have come meanwhile together. When a
---megabyte is under way the requests wait for it. Lines that a file does not take are lost, and
---stderr tells of it, once a minute at most.
---
---Raises for options that are none, and for a file that cannot be opened.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net = require "neap.net"
---
---local app = http.router()
---app:use(middleware.access_log {
---  format = function(entry) return ("%s %s: %d"):format(entry.method, entry.target, entry.status) end,
---  write = print,
---})
---app:get("/", function() return "hello" end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\n\r\n"
---conn:read "a"
-----> GET /: 200
---```
---
---Source: Apache's mod_log_config (the formats); modules/http/middleware/access_log.lua.
---@param options? neap.http.access_log.options
---@return neap.http.middleware middleware
function middleware.access_log(options) end

-- ---- compress --------------------------------------------------------------

-- ---- cors ------------------------------------------------------------------

---What `cors` takes.
---@class neap.http.cors.options
---@field origins? string|string[]|fun(origin: string, req: neap.http.request): any whose pages may read the answers: `"*"`, which is the default, an origin (`"https://shop.example"`), a list of them, or a function that says so of one. `"null"` (files, sandboxes) only if it is named
---@field methods? string|string[] that a preflight allows: GET, HEAD, PUT, PATCH, POST, DELETE
---@field headers? string|string[] of requests that a preflight allows; all that it asks for, if this is nil
---@field expose? string|string[] headers of answers that a page may read, besides the simple ones
---@field credentials? boolean cookies and passwords may be sent along. Not with `origins = "*"`
---@field max_age? integer seconds for which a browser may remember a preflight
---@field private_network? boolean public pages may ask a server in a private network

---Lets pages of other origins read the answers, by the headers of the Fetch standard, and
---answers the questions that browsers ask before (preflights: OPTIONS with
---Access-Control-Request-Method) with 204. They do not reach the handler.
---
---A refusal is the lack of these headers: the request itself is answered as ever, and the browser
---keeps the answer from the page. It is no protection of the server. Where the answer depends on
---the origin, `Vary: Origin` says so. What the handler has set stands.
---
---Raises for options that are none, for what is no origin (a path or a slash behind it), and
---where credentials meet a `"*"`.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net = require "neap.net"
---
---local app = http.router()
---app:use(middleware.cors { origins = { "https://shop.example" }, credentials = true })
---app:get("/", function() return "hello" end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---for _, origin in ipairs { "https://shop.example", "https://evil.example" } do
---  local conn <close> = assert(net.connect(server.address))
---  conn:write { "GET / HTTP/1.0\r\nOrigin: ", origin, "\r\n\r\n" }
---  print(conn:read("a"):match "access%-control%-allow%-origin: ([^\r]*)")
---end
-----> https://shop.example
-----> nil
---```
---
---Source: Fetch standard, 3.2; RFC 6454.
---@param options? neap.http.cors.options
---@return neap.http.middleware middleware
function middleware.cors(options) end

-- ---- sessions --------------------------------------------------------------

-- ---- request_id ------------------------------------------------------------

---What `request_id` takes.
---@class neap.http.request_id.options
---@field header? string `"x-request-id"`
---@field trust? boolean what comes in this header is taken over, if it is 1 to 128 letters, digits and `. _ ~ : / + = @ -`. For a server that only a proxy reaches
---@field make? fun(req: neap.http.request): string makes one, instead of the server

---Puts the id of a request into its answer. It is `req.id`, also where it came with the request
---(`trust`) or was made by a function.
---
---An error's answer and its report have an id in any case: that of the server.
---
---Raises for options that are none.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net = require "neap.net"
---
---local app = http.router()
---app:use(middleware.request_id { trust = true })
---app:get("/", function(req) return req.id end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\nX-Request-Id: from-the-proxy\r\n\r\n"
---local answer = conn:read "a"
---print(answer:match "x%-request%-id: ([^\r]*)", answer:match "\r\n\r\n(.*)") --> from-the-proxy	from-the-proxy
---```
---
---Source: modules/http/middleware/request_id.lua.
---@param options? neap.http.request_id.options
---@return neap.http.middleware middleware
function middleware.request_id(options) end

-- ---- body_limit ------------------------------------------------------------

---Limits the body of a request. Where its length says that it is longer, the answer is 413 at
---once, and the handler is not called. Otherwise it is the limit of `req:body`, `req:chunks` and
---what else reads it, where these say nothing: `req.max_body`. Of several the least counts; so
---a route that takes more belongs outside the one that takes less. It can be more than
---`max_body` of the server.
---
---Raises for what is no number of bytes.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net = require "neap.net"
---
---local app = http.router()
---app:post("/note", middleware.body_limit(1000), function(req) return #assert(req:body()) .. " bytes" end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---for _, size in ipairs { 1000, 1001 } do
---  local conn <close> = assert(net.connect(server.address))
---  conn:write { "POST /note HTTP/1.0\r\nContent-Length: ", size, "\r\n\r\n", ("x"):rep(size) }
---  print(conn:read("a"):match " (%d%d%d) ")
---end
-----> 200
-----> 413
---```
---
---Source: RFC 9110, 15.5.14.
---@param bytes integer
---@return neap.http.middleware middleware
function middleware.body_limit(bytes) end

-- ---- timeout ---------------------------------------------------------------

---Cancels a handler that has not returned in so many seconds, where it waits; its `__close`
---handlers run. The client gets 503. Unlike `handler_timeout` of the server it can be another one
---for each route, and the connection stays open. A body that is made while it is sent begins after
---that, and may take as long as it likes. A handler that never waits cannot be cancelled.
---
---Raises for a time that is not above 0.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net, timer = require "neap.net", require "neap.timer"
---
---local app = http.router()
---app:get("/slow", middleware.timeout(0.01), function() timer.sleep(60) end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET /slow HTTP/1.0\r\n\r\n"
---print(conn:read("a"):match "^[^\r]*") --> HTTP/1.1 503 Service Unavailable
---```
---
---Source: `neap.deadline`; RFC 9110, 15.6.4.
---@param seconds number
---@return neap.http.middleware middleware
function middleware.timeout(seconds) end

-- ---- basic_auth ------------------------------------------------------------

-- ---- rate_limit ------------------------------------------------------------

---What `rate_limit` takes.
---@class neap.http.rate_limit.options
---@field rate number requests a second, 1e-6 to 1e6: `5 / 60` is five a minute
---@field burst? integer so many may come at once, and are then missing: as many as in a second, unless it is given; at least 1
---@field key? fun(req: neap.http.request): string? who it is, instead of the peer's address; nil: not limited
---@field max_clients? integer so many are remembered, at most: 10000
---@field name? string its state has this name; two limits of one name are one
---@field headers? boolean answers say how much is left: RateLimit-Policy, RateLimit

---Lets each client ask so many times a second, and `burst` times at once. Who asks more often
---gets 429, with Retry-After, and loses nothing by it.
---
---A client is an IPv4 address, the first 64 bits of an IPv6 address (who has one address has all
---of these), or whoever comes by a Unix socket. So behind a proxy all are one: say who asks
---with `key`, see `client_address`. A key that is an address counts like one.
---
---The state is kept over a reload (`hot.state`): the first limit of a version goes on where the first
---of the one before was, and so on; those with a name by their name. Of a client one number is
---kept, for as long as a burst takes. Where more than `max_clients` ask in that time, those
---that have asked longest ago are forgotten.
---
---Raises for options that are none, and without `rate`.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net = require "neap.net"
---
---local app = http.router()
---app:post("/login", middleware.rate_limit { rate = 1 / 60, burst = 2 }, function() return "welcome" end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---for _ = 1, 3 do
---  local conn <close> = assert(net.connect(server.address))
---  conn:write "POST /login HTTP/1.0\r\n\r\n"
---  local answer = conn:read "a"
---  print(answer:match " (%d%d%d) ", answer:match "retry%-after: (%d+)")
---end
-----> 200	nil
-----> 200	nil
-----> 429	60
---```
---
---Source: GCRA, ITU-T I.371; RFC 6585, 4; draft-ietf-httpapi-ratelimit-headers.
---@param options neap.http.rate_limit.options
---@return neap.http.middleware middleware
function middleware.rate_limit(options) end

---What `client_address` takes.
---@class neap.http.client_address.options
---@field header? string `"x-forwarded-for"`
---@field proxies? integer how many proxies of our own are one behind the other, each of which adds an entry: 1

---Makes a function that tells the address of who asks, where proxies stand in between: for
---`rate_limit` (`key`) and `access_log` (`client`), or for a handler. It takes the entry of the header
---that the outermost of these proxies has made, without a port: what stands before it anybody can
---send. Where there is none, or it is no address, it is the peer's; nil at a Unix socket.
---
---Use it only where nobody reaches the server but through the proxies.
---
---Raises for options that are none.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net = require "neap.net"
---
---local address_of = middleware.client_address { proxies = 1 }
---local server <close> = assert(http.serve("127.0.0.1:0", function(req) return address_of(req) end))
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\nX-Forwarded-For: 10.1.1.1, 203.0.113.7\r\n\r\n"
---print(conn:read("a"):match "\r\n\r\n(.*)") --> 203.0.113.7
---```
---
---Source: RFC 7239, 7.4 and 8.1, on why only the last entries can be believed.
---@param options? neap.http.client_address.options
---@return fun(req: neap.http.request): string? address_of
function middleware.client_address(options) end

-- ---- security_headers ------------------------------------------------------

---Sets headers that make browsers more careful. What the handler has set stands.
---
---| header | value |
---|---|
---| `content-security-policy` | `default-src 'self'` and more, see below |
---| `cross-origin-opener-policy` | `same-origin` |
---| `cross-origin-resource-policy` | `same-origin` |
---| `origin-agent-cluster` | `?1` |
---| `referrer-policy` | `no-referrer` |
---| `x-content-type-options` | `nosniff` |
---| `x-dns-prefetch-control` | `off` |
---| `x-download-options` | `noopen` |
---| `x-frame-options` | `SAMEORIGIN` |
---| `x-permitted-cross-domain-policies` | `none` |
---| `x-xss-protection` | `0` |
---
---Each can be given as an option: another text, a function of the request that returns one, or
---false: it is left out. The name may be written with `_`. Others that can be asked for:
---`strict-transport-security` (true: `max-age=31536000; includeSubDomains`), which only helps where a
---proxy speaks HTTPS for us, `permissions-policy`, `cross-origin-embedder-policy`,
---`content-security-policy-report-only`, `reporting-endpoints`.
---
---A policy may be a table: it changes single directives, `{ ["script-src"] = "'self' https://cdn.example" }`,
---false takes one away, true is one without a value. Without it scripts, connections and frames are
---those of the same origin (`'self'`), no inline script runs, plugins do not, styles may be inline.
---
---Raises for headers that it does not know, and for values that are none.
---
---```lua
---local http, middleware = require "neap.http", require "neap.http.middleware"
---local net = require "neap.net"
---
---local app = http.router()
---app:use(middleware.security_headers { x_frame_options = "DENY", content_security_policy = false })
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\n\r\n"
---local answer = conn:read "a"
---print(answer:match "x%-frame%-options: ([^\r]*)", answer:match "content%-security%-policy") --> DENY	nil
---```
---
---Source: the defaults of helmet 8, less what plain HTTP cannot keep; Content Security Policy Level 3.
---@param options? table<string, string|boolean|table|fun(req: neap.http.request): string?>
---@return neap.http.middleware middleware
function middleware.security_headers(options) end

-- ---- development -----------------------------------------------------------

return middleware
