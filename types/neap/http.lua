---@meta neap.http
---A web server: HTTP/1.1 and HTTP/1.0. docs/http.md is its chapter.
---
---A *handler* is a function that is given a request and returns the answer. Each request
---is a task of its own: it may wait, and the others go on. It is cancelled when the client
---leaves.
---
---| the handler returns | the answer |
---|---|---|
---| `"text"` | 200, `text/plain; charset=utf-8` |
---| `204` | that status, without a body |
---| `404, body` | a status and a body |
---| `200, body, headers` | and headers: `{ ["content-type"] = "text/html" }` |
---| `{ status =, headers =, body =, trailers = }` | all by name; each may be left out, and the status is 200 then |
---
---**A body** is a string, a number, or a list of them, one after the other. Or it is made
---while it is sent, and then is as long as it gets:
---
---- a function: it is called with `write` again and again, until it returns nil. A string
---  that it returns is sent; `write(chunk)` sends one, too, or a list of them, and waits
---  while the client is slow. It returns true, or `nil, message, code`. So a generator
---  (`coroutine.wrap`), a closure that returns the next piece, and a function that writes
---  all of it, each work.
---- an object with a method `chunks`: a file of `neap.fs`, a connection, the output of a
---  child. It is closed afterwards.
---
---Such a body is sent in chunks; with a header `content-length` it is sent as it is, and
---has to have that length: everything else is an error. A client of HTTP/1.0 gets it as it
---is, and then the end of the connection.
---
---**Headers** are a table: name to a string, to a number, or to a list of them, which is a
---line for each. `date`, `content-type` (`text/plain; charset=utf-8`) and `content-length`
---are sent unless they are given. `transfer-encoding`, `keep-alive`, `upgrade`, and
---`connection` with another value than `"close"` are the server's own affair. These, a name
---that is no token, and a value with a line break or another control byte raise in the
---handler: nobody can put a header of his own into an answer.
---
---**Trailers** are headers that come behind a body in chunks: a table, or a function that is
---called after the body and returns one: a checksum, say.
---
---**An answer to HEAD** is made like that to GET; its body is not sent.
---
---What a handler returns otherwise is an error: it says what it was, and which handler has
---returned it. An error ends that request alone. The client gets 500 and an id, the log has
---the same id and the traceback. `return nil, message, code`, the way in which functions
---fail here, is such an error, too.
local http = {}

---What `http.serve` takes. Times are seconds, sizes bytes. docs/http.md tells which status
---answers whom.
---@class neap.http.options
---@field header_timeout? number|false until a request's line and headers are there: 10; false, here as in the times below: as long as it likes
---@field idle_timeout? number|false without a request on an open connection: 60
---@field handler_timeout? number|false until the handler has returned: 60
---@field write_timeout? number|false in which a client takes nothing of its answer: 60
---@field drain_timeout? number|false for what is in flight when the server is closed, or replaced in a reload: 30
---@field body_rate? integer|false bytes per second that a body has to come with, after 10 seconds: 500; 0 or false: as slow as it likes
---@field max_header_size? integer a request's line and headers together, 64 to 1048576: 16384
---@field max_headers? integer how many of these there may be, 1 to 10000: 100
---@field max_target? integer the length of `req.target`, 16 to 1048576: 8192
---@field max_body? integer|false of a request, where `req:body` and `req:chunks` say nothing else: 1048576; false: no limit
---@field max_requests? integer|false on one connection, which is then closed: 0; 0 or false, here as below: no limit
---@field max_connections? integer|false at once: 10000
---@field max_connections_per_client? integer|false at once from one address: 0

---Listens at an address, and answers requests with a handler. It does not wait.
---
---The address is one of `net.listen`: `"127.0.0.1:8080"`, `":8080"`, `"127.0.0.1:0"`,
---`"unix:/run/app.sock"`. The server lives until it is closed, also if nobody holds it.
---
---In a reload a server at the same address goes on with the same socket and the same
---connections: the next request is answered by the new handler. A request in flight ends
---in the code in which it has begun, and has `drain_timeout` seconds for that.
---
---Fails with EADDRINUSE (another server is there), EADDRNOTAVAIL, EACCES, ENOENT (no
---such directory), EAI_NONAME. Raises for what is no address or no handler, for unknown
---options, and for limits that are none.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", { max_body = 65536 }, function(req)
---  if req.path == "/" then return "hello" end
---  return 404, "there is no " .. req.path
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET /tea HTTP/1.0\r\n\r\n"
---local answer = conn:read "a"
---print(answer:match "^[^\r]*") --> HTTP/1.1 404 Not Found
---print(answer:match "\r\n\r\n(.*)") --> there is no /tea
---print(http.serve(server.address, print) == nil) --> true
---```
---
---Source: RFC 9110, RFC 9112; the parser is llhttp; libuv: uv_tcp_bind, uv_listen, uv_accept.
---@param address string
---@param handler fun(req: neap.http.request): neap.http.answer, ...
---@return neap.http.server? server
---@return string? message
---@return string? code
---@overload fun(address: string, options: neap.http.options, handler: fun(req: neap.http.request): neap.http.answer, ...): neap.http.server?, string?, string?
function http.serve(address, handler) end

---What a handler may return, as one table: `{ status =, headers =, body =, trailers =, after = }`.
---Its headers are a table of its own, with lower-case names, so it may be changed. Given such a
---table it returns that. What is no answer raises.
---
---```lua
---local http = require "neap.http"
---
---local response = http.response(404, "not here", { ["X-Tea"] = "green" })
---print(response.status, response.body, response.headers["x-tea"]) --> 404	not here	green
---print(http.response "hello".status, http.response(response) == response) --> 200	true
---```
---
---Source: our own; the forms are those of `http.serve`.
---@param ... any what a handler returns
---@return neap.http.response response
function http.response(...) end

---An answer of plain text. It is what a handler returns with a string; this is for a status and
---headers beside it.
---
---```lua
---local http = require "neap.http"
---
---print(http.text("no tea", 503, { ["retry-after"] = 60 }).headers["content-type"]) --> text/plain; charset=utf-8
---```
---
---Source: RFC 2046, 4.1.
---@param text string
---@param status? integer 200
---@param headers? table<string, string|number|(string|number)[]>
---@return neap.http.response response
function http.text(text, status, headers) end

---An answer of HTML. What comes from elsewhere has to go through `http.escape`.
---
---```lua
---local http = require "neap.http"
---
---local response = http.html("<p>hello, " .. http.escape "<moon>" .. "</p>")
---print(response.body) --> <p>hello, &lt;moon&gt;</p>
---print(response.headers["content-type"]) --> text/html; charset=utf-8
---```
---
---Source: RFC 2854.
---@param text string
---@param status? integer 200
---@param headers? table<string, string|number|(string|number)[]>
---@return neap.http.response response
function http.html(text, status, headers) end

---An answer of JSON: `json.encode(value)`. It raises for what cannot be encoded.
---
---```lua
---local http = require "neap.http"
---
---local response = http.json({ cups = 2 }, 201)
---print(response.status, response.body, response.headers["content-type"]) --> 201	{"cups":2}	application/json
---```
---
---Source: RFC 8259.
---@param value any
---@param status? integer 200
---@param headers? table<string, string|number|(string|number)[]>
---@return neap.http.response response
function http.json(value, status, headers) end

---Sends the client elsewhere. 303, the default, makes a GET of whatever was asked, as after a
---form; 307 and 308 keep the method and the body; 308 and 301 are for ever.
---
---```lua
---local http = require "neap.http"
---
---local response = http.redirect "/notes/7"
---print(response.status, response.headers.location) --> 303	/notes/7
---```
---
---Source: RFC 9110, 15.4 and 10.2.2.
---@param location string a URL, or a path on this server
---@param status? integer 303
---@return neap.http.response response
function http.redirect(location, status) end

---Text for HTML: between tags, and in the value of an attribute that is in quotes. (Not for what
---stands in a script or in a style.)
---
---```lua
---local http = require "neap.http"
---
---print(http.escape [[<a href="x">Tom & Jerry's</a>]]) --> &lt;a href=&quot;x&quot;&gt;Tom &amp; Jerry&#39;s&lt;/a&gt;
---```
---
---Source: HTML Living Standard, 13.1.4.
---@param text string|number
---@return string html
function http.escape(text) end

---A handler that finds the handler of each request, by its method and its path. docs/routing.md
---is its chapter.
---
---A path is matched in segments. `:name` stands for one that is not empty, `*rest`, at the end, for
---all that is left, also where that is nothing. Their values are in `req.params`, decoded. A
---segment as it is written goes before `:name`, that before `*rest`, in whatever order they were
---added: and it takes as long with ten routes as with ten thousand.
---
---Without a handler for a path the answer is 404; without one for the method 405, with `Allow`.
---HEAD is answered by the handler for GET. OPTIONS is answered 204, with `Allow`, where there is
---no handler for it.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local app = http.router()
---app:get("/", function() return "the way in" end)
---app:get("/tea/:kind", function(req) return "a cup of " .. req.params.kind end)
---app:get("/files/*path", function(req) return "a file: " .. req.params.path end)
---
---local server <close> = assert(http.serve("127.0.0.1:0", app))
---for _, path in ipairs { "/", "/tea/white%20tea", "/files/a/b", "/coffee" } do
---  local conn <close> = assert(net.connect(server.address))
---  conn:write { "GET ", path, " HTTP/1.0\r\n\r\n" }
---  print(conn:read("a"):match "\r\n\r\n([^\n]*)")
---end
-----> the way in
-----> a cup of white tea
-----> a file: a/b
-----> Not Found
---```
---
---Source: RFC 9110, 9.3 and 15.5.5 and 15.5.6; RFC 3986, 3.3.
---@return neap.http.router router
function http.router() end

---What stands before a handler: it is given the request and the next handler, and returns an
---answer: that of `next(req)`, which is always a table (see `http.response`) and may be changed, or
---one of its own.
---@alias neap.http.middleware fun(req: neap.http.request, next: fun(req: neap.http.request): neap.http.response): neap.http.answer, ...

---Where routes are added: a router, or a group of one. Methods that add something return it, so they
---can be chained. What was called with wrong arguments, a path that is none, and a route that is there
---already raise.
---@class neap.http.router
local router = {}

---Adds a handler for GET, and HEAD. Middleware that stands before the handler is for this route alone.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:get("/tea/:kind", function(req) return "get " .. req.params.kind end)
---```
---
---Source: RFC 9110, 9.3.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:get(path, ...) end

---Adds a handler for POST. Middleware that stands before the handler is for this route alone.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:post("/tea/:kind", function(req) return "post " .. req.params.kind end)
---```
---
---Source: RFC 9110, 9.3.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:post(path, ...) end

---Adds a handler for PUT. Middleware that stands before the handler is for this route alone.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:put("/tea/:kind", function(req) return "put " .. req.params.kind end)
---```
---
---Source: RFC 9110, 9.3.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:put(path, ...) end

---Adds a handler for PATCH. Middleware that stands before the handler is for this route alone.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:patch("/tea/:kind", function(req) return "patch " .. req.params.kind end)
---```
---
---Source: RFC 9110, 9.3 and RFC 5789.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:patch(path, ...) end

---Adds a handler for DELETE. Middleware that stands before the handler is for this route alone.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:delete("/tea/:kind", function(req) return "delete " .. req.params.kind end)
---```
---
---Source: RFC 9110, 9.3.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:delete(path, ...) end

---Adds a handler for HEAD, where the handler for GET is not to answer it. Middleware that stands before the handler is for this route alone.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:head("/tea/:kind", function(req) return "head " .. req.params.kind end)
---```
---
---Source: RFC 9110, 9.3.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:head(path, ...) end

---Adds a handler for OPTIONS, where `Allow` alone does not do. Middleware that stands before the handler is for this route alone.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:options("/tea/:kind", function(req) return "options " .. req.params.kind end)
---```
---
---Source: RFC 9110, 9.3.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:options(path, ...) end

---Adds a handler for all methods that have none of their own for this path.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:any("/*path", function(req) return 404, "there is no /" .. req.params.path end)
---```
---
---Source: RFC 9110, 9.1.
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:any(path, ...) end

---Adds a handler for a method by its name, also for those that have no function here.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:route("PROPFIND", "/", function() return 207, "<multistatus/>" end)
---```
---
---Source: RFC 9110, 9.1.
---@param method string
---@param path string
---@param ... neap.http.middleware|fun(req: neap.http.request): neap.http.answer, ... middleware, and then the handler
---@return neap.http.router self
function router:route(method, path, ...) end

---Adds middleware, which stands before everything that is added here, before or after this call.
---What comes first is the outermost. A router's own sees all requests, also those that no route
---answers; that of a group the routes of the group.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:use(function(req, next)
---  local response = next(req)
---  response.headers["x-served-by"] = "neap"
---  return response
---end)
---```
---
---Source: our own.
---@param ... neap.http.middleware
---@return neap.http.router self
function router:use(...) end

---Adds routes that have a prefix and middleware in common: the function is given the group, and
---adds them to that.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:group("/admin", function(admin)
---  admin:use(function(req, next) return req:header "x-key" == "secret" and next(req) or 401 end)
---  admin:get("/users", function() return "nobody" end) -- /admin/users
---end)
---```
---
---Source: our own.
---@param prefix string
---@param define fun(group: neap.http.router)
---@return neap.http.router self
function router:group(prefix, define) end

---Puts a handler at a prefix: a router, `http.static`, a function. It is given all requests below that
---which have no route here. There `req.path` is what follows the prefix (`""` where nothing does), and
---`req.base` is the prefix; both are as before when it has returned.
---
---```lua
---local http = require "neap.http"
---
---local api = http.router()
---api:get("/notes", function(req) return "the notes of " .. req.base end)
---
---local app = http.router()
---app:mount("/api", api) -- /api/notes
---```
---
---Source: our own.
---@param prefix string
---@param handler fun(req: neap.http.request): neap.http.answer, ...
---@return neap.http.router self
function router:mount(prefix, handler) end

---What a body can be.
---@alias neap.http.body string|number|(string|number)[]|fun(write: fun(chunk: string|number|(string|number)[]): boolean?, string?, string?): string?|{ chunks: function }

---An answer as a table. Other keys raise.
---@class neap.http.response
---@field status? integer 200 to 599; 200 unless it is given
---@field headers? table<string, string|number|(string|number)[]>
---@field body? neap.http.body
---@field trailers? table<string, string|number|(string|number)[]>|fun(): table
---@field after? fun(bytes: integer, message?: string) is called once, when the answer has been given to the connection, with the bytes of its body; or when that has failed, with why: `"the client has left"`

---What a handler returns first; see above.
---@alias neap.http.answer string|integer|neap.http.response

---What listens. It may be a `<close>` variable.
---@class neap.http.server
---@field address string? where it listens, with the real port: `"127.0.0.1:8080"`, `"[::]:8080"`, `"unix:/path"`; nil when it is closed; read only
---@field closed boolean read only
---@field connections integer how many are open now; read only
---@field requests integer how many it has served so far; read only
local server = {}

---Stops listening. Requests in flight are answered, for `drain_timeout` seconds; then their
---connections are closed. Those without a request are closed in half a second: one may be on
---its way. Closing twice does nothing.
---
---```lua
---local http = require "neap.http"
---
---local server = assert(http.serve("127.0.0.1:0", function() return "hello" end))
---server:close()
---print(server.closed, server.address) --> true	nil
---```
---
---Source: libuv: uv_close; RFC 9112, 9.6.
function server:close() end

---A request, as its handler sees it.
---
---Only what is asked for is made: a handler that looks at `method` and `path` pays for
---nothing else. Any other name is the script's own: `req.user = "ann"` is there for whoever
---gets the request next.
---@class neap.http.request
---@field method string `"GET"`, `"POST"`: as sent, methods are upper case
---@field target string all that follows the method, as sent: `"/search?q=two+words"`
---@field path string the target without `?` and what follows, as sent, so not decoded: `"/search"`; of an absolute target (`http://host/search`), too
---@field version string `"1.1"` or `"1.0"`
---@field query table<string, string> what follows the `?`, decoded (`%20` and `+` are a space): `{ q = "two words" }`. Of a repeated key the first value, see `query_list`
---@field headers table<string, string> all of them, by name; the name may be written in any case. A repeated one is joined with `", "` (`cookie`: with `"; "`)
---@field trailers table<string, string>? what came behind a body in chunks, once that has been read (nil before); an empty table where there was nothing
---@field peer string? the other end: `"127.0.0.1:50000"`
---@field address string? our end: `"127.0.0.1:8080"`
---@field params table<string, string> what the router has found for the names in its path, decoded: `req.params.name`; empty otherwise
---@field base string where the router that serves it is mounted: `"/api"`; `""` where it is not. `path` is then what follows
---@field max_body? integer may be set, by middleware: the limit for `req:body` and `req:chunks` instead of the server's
---@field id string a short text that no other request has: for logs; the 500 of this request and its report name it
---@field [string] any the script's own
local request = {}

---All values of a key of the query, decoded, in their order; an empty list where there is
---none. A key without `=` has the value `""`.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  return req.query.name .. ": " .. table.concat(req:query_list "tag", ", ")
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET /?name=white+tea&tag=hot&tag=5%25 HTTP/1.0\r\n\r\n"
---print(conn:read("a"):match "\r\n\r\n(.*)") --> white tea: hot, 5%
---```
---
---Source: RFC 3986, 2.1 and 3.4; application/x-www-form-urlencoded of the WHATWG's URL standard, 5.1.
---@param name string
---@return string[] values
function request:query_list(name) end

---The value of a header, or nil. It makes no table of all of them, so it is the cheaper way
---to a few. The name may be written in any case; a repeated header is joined as in
---`req.headers`.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  return ("%s %s %s"):format(req:header "Host", req.headers.HOST, req:header "cookie")
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\nhost: moon.example\r\n\r\n"
---print(conn:read("a"):match "\r\n\r\n(.*)") --> moon.example moon.example nil
---```
---
---Source: RFC 9110, 5.1 to 5.3.
---@param name string
---@return string? value
function request:header(name) end

---The values of a repeated header, one for each line, in their order; an empty list where
---there is none.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  return { body = { #req:header_list "Via", " proxies: ", req:header "via" } }
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\nVia: 1.0 one\r\nVia: 1.1 two\r\n\r\n"
---print(conn:read("a"):match "\r\n\r\n(.*)") --> 2 proxies: 1.0 one, 1.1 two
---```
---
---Source: RFC 9110, 5.2 and 5.3.
---@param name string
---@return string[] values
function request:header_list(name) end

---Reads the whole body, and waits until it is there. `""` where there is none. Asked again
---it gives the same string.
---
---A client that waits for leave to send it (`Expect: 100-continue`) gets that now; or before
---an answer (below 300) whose body is a function or has chunks: it may be made of that. A
---handler that never asks for the body need not care: it is thrown away, or the connection
---is closed after the answer (more than 64 KB are still to come, or nobody knows how much).
---
---Fails with EMSGSIZE (more than `limit`, or `max_body` of the server), ETIMEDOUT (not there
---in time), EPROTO (chunks that are none), ECONNRESET (the client left). `assert` is enough to
---answer these: an error that a handler raises after such a failure becomes 413, 408 or
---400, and not 500. ECANCELED: the request is over, and somebody still asks. Raises where
---the body is being read in pieces, and where another task waits for it.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  local text = assert(req:body { limit = 20 })
---  return text:upper()
---end))
---
---for _, text in ipairs { "a cup of tea", "one cup of tea and one of coffee" } do
---  local conn <close> = assert(net.connect(server.address))
---  conn:write { "POST / HTTP/1.0\r\nContent-Length: ", #text, "\r\n\r\n", text }
---  local answer = conn:read "a"
---  print(answer:match " (%d%d%d) ", answer:match "\r\n\r\n([^\n]*)")
---end
-----> 200	A CUP OF TEA
-----> 413	Content Too Large
---```
---
---Source: RFC 9110, 6.4, 10.1.1 and 15.5.14; RFC 9112, 6 and 7.1.
---@param options? { limit?: integer, timeout?: number } bytes; seconds for all of it
---@return string? body
---@return string? message
---@return string? code
---@overload fun(self: neap.http.request, callback: fun(body?: string, message?: string, code?: string)): neap.task
---@overload fun(self: neap.http.request, options: { limit?: integer, timeout?: number }, callback: fun(body?: string, message?: string, code?: string)): neap.task
function request:body(options) end

---For a loop over the body in pieces, as they come: each time a non-empty string. Nothing
---is kept, and a client is not faster than the loop: so a body of any size can be taken,
---with a `limit` of its own.
---
---A failure is raised in the loop, as by `io.lines`: what was cut short is not taken for
---the whole. For its reasons, and the answer where nobody catches it, see `req:body`.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  local bytes = 0
---  for piece in req:chunks { limit = 10 << 30 } do bytes = bytes + #piece end
---  return bytes .. " bytes"
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write { "POST / HTTP/1.0\r\nContent-Length: 100000\r\n\r\n", ("x"):rep(100000) }
---print(conn:read("a"):match "\r\n\r\n(.*)") --> 100000 bytes
---```
---
---Source: RFC 9112, 6 and 7.1; TCP's window is the backpressure (RFC 9293, 3.8.6).
---@param options? { limit?: integer, timeout?: number } bytes; seconds for each piece
---@return fun(req: neap.http.request): string? next
---@return neap.http.request req
function request:chunks(options) end

---Reads the whole body and decodes it as JSON: `json.decode(req:body(options))`.
---
---Fails as `req:body` does, and with EINVAL for what is no JSON: `"line 3, column 7: ..."`;
---an error that the handler raises then is 400 for the client. What the body calls itself
---(`content-type`) is not looked at. `null` is `json.null`, and `false` is false: where it has
---failed there is a code.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  local order, message = req:json { limit = 10000 }
---  if type(order) ~= "table" then return 400, message or "no object" end
---  return tostring(order.cups) .. " cups"
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write "POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\n{\"cups\":2}"
---print(conn:read("a"):match "\r\n\r\n(.*)") --> 2 cups
---```
---
---Source: RFC 8259; the parser is jansson.
---@param options? { limit?: integer, timeout?: number } bytes; seconds for all of it
---@return any value
---@return string? message
---@return string? code
---@overload fun(self: neap.http.request, callback: fun(value?: any, message?: string, code?: string)): neap.task
---@overload fun(self: neap.http.request, options: { limit?: integer, timeout?: number }, callback: fun(value?: any, message?: string, code?: string)): neap.task
function request:json(options) end

return http
