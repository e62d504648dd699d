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
---form; 307 and 308 keep the method and the body; 308 and 301 are for ever. Bytes that no URL has
---(spaces, tabs, quotes, letters beyond ASCII, a backslash) are encoded; "%" stays what it is. (`//shop.example` is another server: look at what a client has sent.)
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
---@param status? integer 300 to 399: 303
---@param headers? table<string, string|number|(string|number)[]>
---@return neap.http.response response
function http.redirect(location, status, headers) end

---Text for a URL: a segment of its path, a name or a value in its query. All but letters, digits and
---`-._~` is encoded, "/" too.
---
---```lua
---local http = require "neap.http"
---
---print("/files/" .. http.escape_url "50% tea/milk.txt") --> /files/50%25%20tea%2Fmilk.txt
---```
---
---Source: RFC 3986, 2.1 and 2.3.
---@param text string|number
---@return string encoded
function http.escape_url(text) end

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

---@class neap.http.cookie_options
---@field path? string below which the browser sends it: "/", everywhere
---@field domain? string sent to all hosts below it, too; otherwise only to this one
---@field max_age? number seconds that it lasts; 0: the browser drops it. Without this and `expires` until the browser is closed
---@field expires? number the same as a time, in seconds since 1970
---@field secure? boolean only over TLS
---@field http_only? boolean hidden from scripts in the page: true
---@field same_site? "lax"|"strict"|"none" whether it is sent with requests that come from other sites: "lax", with links only; "none" (always) must be secure
---@field partitioned? boolean in another site's frame, one for each such site; must be secure
---@field secret? string|string[] of 16 bytes or more: the value is signed, see `req:signed_cookie`. The first of a list signs. nil is no secret: `assert` that yours is there

---The value of a `set-cookie` header: sets a cookie in the browser. For several give the header a
---list. docs/cookies.md is its chapter.
---
---The value may have any bytes: those that no cookie can have, and "%", are sent as "%" and two
---digits, which `req.cookies` reads back (so do Express, Bun and a page's `decodeURIComponent`). The
---name is never encoded.
---
---Cannot fail. Raises for what browsers would drop, or take for something else: a name that is no token,
---name and value over 4096 bytes, a path or domain with other bytes; names that begin with `__Secure-`
---where it is not secure, and with `__Host-` where it has a domain or another path, too.
---
---```lua
---local http = require "neap.http"
---
---print(http.cookie("tea", "white; hot")) --> tea=white%3B%20hot; Path=/; HttpOnly; SameSite=Lax
---print(http.cookie("tea", "", { max_age = 0 })) --> tea=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax
---```
---
---Source: RFC 6265, 4.1; RFC 6265bis, 4.1 and 5.
---@param name string
---@param value string
---@param options? neap.http.cookie_options
---@return string line
function http.cookie(name, value, options) end

---What files are sent with; see `http.file` and `http.static`.
---@class neap.http.file_options
---@field etag? boolean false: without an ETag
---@field max_age? number seconds that a client may keep it without asking: cache-control. Browsers guess where nothing is said; 0: they ask each time
---@field immutable? boolean true, beside `max_age`: it never changes under this name, so nobody needs to ask, not even when a page is reloaded
---@field headers? table<string, string> more of them, for each answer with a file
---@field type? string of `http.file`: instead of that by the end of its name
---@field download? string|true of `http.file`: to be saved, under this name, or its own

---What folders are served with; see `http.static`.
---@class neap.http.static_options
---@field etag? boolean false: without ETags
---@field max_age? number seconds that a client may keep files without asking: cache-control. Browsers guess where nothing is said; 0: they ask each time
---@field immutable? boolean true, beside `max_age`: files never change under their names, so nobody needs to ask, not even when a page is reloaded
---@field headers? table<string, string> more of them, for each answer with a file
---@field types? table<string, string> by the end of the name: `{ ext = "type" }`
---@field index? string|false of a directory: "index.html" where nothing is said
---@field list? boolean|fun(req: neap.http.request, entries: neap.http.entries): neap.http.answer true: a directory without an index is answered with its names; a function: with what that returns
---@field precompressed? boolean true: `name.br` or `name.gz`, if it is there, instead of `name`, for clients that take it
---@field dotfiles? boolean true: also names that begin with a dot

---What a `list` function of `http.static` gets: the files and directories that can be asked for, and
---nothing else, directories first, by the bytes of their names; 100,000 at most.
---@class neap.http.entries
---@field [integer] neap.http.entry
---@field path string the directory below the root, decoded: "" for the root itself, or "a/b"
---@field truncated boolean there are more

---@class neap.http.entry
---@field name string any bytes but zero and slash: `http.escape_url` it for a link, escape it for a page
---@field kind "file"|"directory" links are what they lead to
---@field size integer in bytes
---@field modified integer when it was last changed, in seconds since 1970

---The body of an answer with a file. Who only passes it on gets it sent by the system, without a
---copy in the program's memory; middleware may read it instead.
---@class neap.http.file
local file = {}

---The pieces of what is to be sent, or of the file's bytes from `first` to `last`, counted from 0. An
---iterator: nil at the end; nil, message and "EOF" where the file has become shorter meanwhile.
---
---Source: pread(2).
---@param first? integer
---@param last? integer
---@return fun(): string?, string?, string? next
function file:chunks(first, last) end

---Closes it. Who sends it does so.
---
---Source: close(2).
function file:close() end

---No more than the bytes from `first` to `last`, counted from 0, is to be sent. The answer's headers
---have to say so, too.
---
---Source: sendfile(2).
---@param first integer
---@param last integer
function file:range(first, last) end

---What is to be sent, where the file is small and has been read already; nil where it has not.
---
---Source: preadv2(2).
---@return string? text
function file:text() end

---A handler that answers GET and HEAD with a file: with an ETag, conditions, ranges. 404 where it is
---no regular file, 403 where it may not be read, 405 for other methods (OPTIONS: 204, with `Allow`).
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:get("/robots.txt", http.file("robots.txt", { max_age = 3600 }))
---```
---
---Source: RFC 9110, 13 and 14; RFC 6266.
---@param path string
---@param options? neap.http.file_options
---@return fun(req: neap.http.request): neap.http.answer handler
function http.file(path, options) end

---A handler that answers with the files below a folder, and nothing else: for `router:mount`. A request
---that is malformed is 400, what is not there 404, a directory without its slash a redirect (308).
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:mount("/assets", http.static("public", { list = true }))
---```
---
---A `list` function makes the answer for a directory itself: it is a handler that is given what is in
---there, too. It may wait; what it raises is answered with 500. `headers` and `max_age` are not for it.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:mount("/assets", http.static("public", {
---  list = function(_, entries) return http.json { count = #entries, path = entries.path } end,
---}))
---```
---
---Source: RFC 9110, 13 and 14; openat2(2).
---@param root string
---@param options? neap.http.static_options
---@return fun(req: neap.http.request): neap.http.answer handler
function http.static(root, options) end

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

---Asks the router as a client would, within the process: there is no port, but the server is the real
---one, with its default limits, and so is what comes back. It is how specs try routes. A path alone is
---a GET.
---
---The answer is there when its head is: the body is read then, whole or in pieces, also one without
---an end. It may be a `<close>` variable; a client that closes it in the middle has left.
---
---Fails with ETIMEDOUT (not there in `timeout` seconds), ECONNRESET (the connection ended first), EPROTO,
---EMFILE. Raises for unknown options, for a line break in what makes the head, and what a function for
---the body raises.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:get("/hello/:name", function(req) return "hello " .. req.params.name end)
---app:post("/echo", function(req) return 200, req:body(), { ["x-method"] = req.method } end)
---
---print(app:request("/hello/moon"):body()) --> hello moon
---
---local response = app:request { method = "POST", path = "/echo", body = "tea", headers = { accept = "*/*" } }
---print(response.status, response.headers["x-method"], response:body()) --> 200	POST	tea
---print(app:request({ method = "POST", path = "/echo", json = { cups = 2 } }):json().cups) --> 2
---print(app:request({ method = "POST", path = "/echo", form = { tea = { "green", "oolong" } } }):body())
-----> tea=green&tea=oolong
---```
---
---Source: RFC 9112; socketpair.
---@param request string|neap.http.router.request a path, or all of it
---@return neap.http.client_response? response
---@return string? message
---@return string? code
---@overload fun(self: neap.http.router, request: string|neap.http.router.request, callback: fun(response?: neap.http.client_response, message?: string, code?: string)): neap.task
function router:request(request) end

---What `app:request` takes.
---@class neap.http.router.request
---@field method? string GET
---@field path? string with a query, if there is one; `"/"`
---@field headers? table<string, string|number|(string|number)[]>|[string, string][] by name; or a list of pairs, which are sent in this order
---@field body? string|number|(string|number)[]|fun(): string? a function gives it piece by piece, until nil: it is sent in chunks then
---@field json? any instead of a body: it is sent as JSON, with that `content-type` unless `headers` have one
---@field form? table<string, string|number|(string|number)[]> instead of a body: fields of a form, without files
---@field peer? string what the handler is told to be the other end: `"192.0.2.7:5000"`; without it there is none, as with a Unix socket
---@field timeout? number seconds until the answer's head is there, and for each wait for its body

---An answer, as the client has got it. It may be a `<close>` variable.
---@class neap.http.client_response
---@field status integer
---@field reason string `"Not Found"`
---@field version string `"1.1"`
---@field headers table<string, string> by lower-case names, looked up in any case; a repeated one is joined with `", "`
---@field trailers table<string, string>? once the body has been read
---@field interim { status: integer, headers: table<string, string> }[] what came before it: 100, 103
local client_response = {}

---The value of a header, or nil.
---
---```lua
---local http = require "neap.http"
---
---local response = http.router():request "/"
---print(response.status, response:header "Content-Type") --> 404	text/plain; charset=utf-8
---```
---
---Source: RFC 9110, 5.1 to 5.3.
---@param name string
---@return string? value
function client_response:header(name) end

---The values of a repeated header, a line for each.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:get("/", function() return 204, nil, { link = { "</a>", "</b>" } } end)
---print(table.concat(app:request("/"):header_list "link", " ")) --> </a> </b>
---```
---
---Source: RFC 9110, 5.2.
---@param name string
---@return string[] values
function client_response:header_list(name) end

---Reads the whole body. Asked again it gives the same string; after ETIMEDOUT it goes on.
---
---Fails with EMSGSIZE (more than `limit`), ETIMEDOUT, ECONNRESET (cut short), EPROTO. Raises if the
---response is closed, or another task reads its body.
---
---```lua
---local http = require "neap.http"
---
---print(#http.router():request("/tea"):body { limit = 1000 }) --> 10
---```
---
---Source: RFC 9112, 6 and 7.1.
---@param options? { limit?: integer, timeout?: number } bytes; seconds
---@return string? body
---@return string? message
---@return string? code
---@overload fun(self: neap.http.client_response, callback: fun(body?: string, message?: string, code?: string)): neap.task
---@overload fun(self: neap.http.client_response, options: { limit?: integer, timeout?: number }, callback: fun(body?: string, message?: string, code?: string)): neap.task
function client_response:body(options) end

---For a loop over the body in pieces, as they come. A failure is raised in the loop.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:get("/ticks", function()
---  return 200, function(write) while write "tick" do end end -- it has no end
---end)
---
---local response <close> = app:request "/ticks"
---for piece in response:chunks() do
---  print(piece:sub(1, 4)) --> tick
---  break
---end
---```
---
---Source: RFC 9112, 6 and 7.1.
---@param options? { limit?: integer, timeout?: number } bytes in all; seconds for each piece
---@return fun(): string? next
---@return neap.http.client_response response
function client_response:chunks(options) end

---Reads the whole body and decodes it: `json.decode(response:body(options))`.
---
---```lua
---local http = require "neap.http"
---
---local app = http.router()
---app:get("/", function() return http.json { cups = 2 } end)
---print(app:request("/"):json().cups) --> 2
---```
---
---Source: RFC 8259.
---@param options? { limit?: integer, timeout?: number } bytes; seconds
---@return any value
---@return string? message
---@return string? code
---@overload fun(self: neap.http.client_response, callback: fun(value?: any, message?: string, code?: string)): neap.task
---@overload fun(self: neap.http.client_response, options: { limit?: integer, timeout?: number }, callback: fun(value?: any, message?: string, code?: string)): neap.task
function client_response:json(options) end

---The client leaves. Closing twice does nothing; a response that nobody holds any more is closed, too.
---
---```lua
---local http = require "neap.http"
---
---local response = http.router():request "/"
---response:close()
---```
---
---Source: libuv: uv_close.
function client_response:close() end

---What a body can be.
---@alias neap.http.body string|number|(string|number)[]|fun(write: fun(chunk: string|number|(string|number)[]): boolean?, string?, string?): string?|{ chunks: function }

---An answer as a table. Other keys raise.
---@class neap.http.response
---@field status? integer 200 to 599; 200 unless it is given
---@field headers? table<string, string|number|(string|number)[]>
---@field body? neap.http.body
---@field trailers? table<string, string|number|(string|number)[]>|fun(): table
---@field after? fun(bytes: integer, message?: string) is called once, when the answer has been given to the connection, with the bytes of its body; or when that has failed, with why: `"the client has left"`, or what was wrong with the answer, instead of which the client gets 500. It may wait

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
---@field cookies table<string, string> what the browser keeps for us, decoded; the first of a repeated name. What is no cookie is left out
---@field headers table<string, string> all of them, by name; the name may be written in any case. A repeated one is joined with `", "` (`cookie`: with `"; "`)
---@field trailers table<string, string>? what came behind a body in chunks, once that has been read (nil before); an empty table where there was nothing
---@field peer string? the other end: `"127.0.0.1:50000"`
---@field address string? our end: `"127.0.0.1:8080"`
---@field params table<string, string> what the router has found for the names in its path, decoded: `req.params.name`; empty otherwise
---@field base string where the router that serves it is mounted: `"/api"`; `""` where it is not. `path` is then what follows; base and path together are the path that is routed. Middleware may set it, as behind a proxy that takes a prefix off: bases of mounts begin with that
---@field route string? the pattern by which a router has found its handler: `"/tea/:kind"`, for logs and counts
---@field max_body? integer may be set, by middleware: the limit for `req:body` and `req:chunks` instead of the server's
---@field id string a short text that no other request has: for logs; the 500 of this request and its report name it. A script may set another one: 1 to 128 visible ASCII characters, or those two keep to the first
---@field session? table of `middleware.sessions`: what belongs to this browser; empty where there is nothing yet; nil ends it; `req:renew_session()` gives it a new id
---@field user? any of `middleware.basic_auth`: the name of who asks, or what its `check` has returned
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

---The value of a cookie that `http.cookie` has signed; nil where there is none, or it was not signed for
---this name with one of these secrets. Everybody can read it, nobody else can make one.
---
---Raises for a secret under 16 bytes, and where OpenSSL is missing (see `neap.crypto`).
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local secrets = { "a new secret, 32 random bytes it is", "the old one, until those are gone" }
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  return "hello " .. (req:signed_cookie("user", secrets) or "stranger")
---end))
---
---local function ask(cookie)
---  local conn <close> = assert(net.connect(server.address))
---  conn:write("GET / HTTP/1.0\r\nCookie: " .. cookie .. "\r\n\r\n")
---  return conn:read("a"):match "\r\n\r\n(.*)"
---end
---print(ask(http.cookie("user", "ada", { secret = secrets }):match "^[^;]*")) --> hello ada
---print(ask "user=ada.forged") --> hello stranger
---```
---
---Source: modules/http/cookies.c; HMAC-SHA256 of `NAME=VALUE`, behind a "." in base64.
---@param name string
---@param secret string|string[] of 16 bytes or more each: any of them will do
---@return string? value
function request:signed_cookie(name, secret) end

---Which of these types the client likes best, by its `Accept`: of equals the first one, nil
---where it takes none of them (406 is the answer then, or what you have all the same). A
---client that does not say takes all. A type is what a `content-type` would be, with its
---parameters if it has some, and without `*`.
---
---The most specific range decides (`text/html` before `text/*` before `*/*`), then its
---weight. What cannot be read in the header counts as not there.
---
---Raises for what is no type.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  return tostring(req:accepts("application/json", "text/html"))
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\nAccept: text/*, */*;q=0.5\r\n\r\n"
---print(conn:read("a"):match "\r\n\r\n(.*)") --> text/html
---```
---
---Source: RFC 9110, 12.4 and 12.5.1.
---@param offer string such as `"text/html"`
---@param ... string others
---@return string? best one of the arguments
function request:accepts(offer, ...) end

---Which of these encodings the client likes best, by its `Accept-Encoding`: of equals the
---first one, nil where it takes none of them. Offer `"identity"` for what is not encoded: a
---client takes that unless it refuses it, but everything that it names is better. One
---that does not say gets `"identity"`.
---
---Raises for what is no encoding: a word without spaces, and without `*`.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  return tostring(req:accepts_encoding("br", "gzip", "identity"))
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write "GET / HTTP/1.0\r\nAccept-Encoding: deflate, gzip;q=0.8\r\n\r\n"
---print(conn:read("a"):match "\r\n\r\n(.*)") --> gzip
---```
---
---Source: RFC 9110, 12.4 and 12.5.3.
---@param offer string such as `"gzip"`
---@param ... string others
---@return string? best one of the arguments
function request:accepts_encoding(offer, ...) end

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

---Reads a form, whichever way a browser has sent it: `application/x-www-form-urlencoded`, or
---`multipart/form-data` with its files. Fields are kept in memory. Files go to the disk while
---they come, into files without a name: they are gone when the request is over, however it
---ends, unless they have been saved. docs/forms.md is its chapter.
---
---Asked again it gives the same form. No field is special, also not `_charset_`; bytes are as
---they were sent. Of multipart the whole body has to be there, with its last boundary.
---
---Fails with EMSGSIZE (a limit; 413 for the client), EINVAL (multipart that is none, or is cut
---short: 400), ENOTSUP (the `content-type` is that of no form: 415), ETIMEDOUT (408), EPROTO and
---ECONNRESET as `req:body`; so `assert` is enough. And as the disk does: ENOSPC, ENOENT for a
---`dir` that is not there. Then what had come is gone. Raises where the body is read otherwise
---already, and where another task reads the form.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  local form = assert(req:form { max_file = 5 << 20 })
---  return form.fields.name .. " likes " .. table.concat(form:list "tea", " and ")
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write { "POST / HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n",
---  "Content-Length: 35\r\n\r\n", "name=Ann+Lee&tea=green&tea=oo%6Cong" }
---print(conn:read("a"):match "\r\n\r\n(.*)") --> Ann Lee likes green and oolong
---```
---
---Source: RFC 7578; RFC 2046, 5.1; the URL standard of the WHATWG, 5.1; HTML, 4.10.21.8; open(2): O_TMPFILE.
---@param options? neap.http.form.options
---@return neap.http.form? form
---@return string? message
---@return string? code
---@overload fun(self: neap.http.request, callback: fun(form?: neap.http.form, message?: string, code?: string)): neap.task
---@overload fun(self: neap.http.request, options: neap.http.form.options, callback: fun(form?: neap.http.form, message?: string, code?: string)): neap.task
function request:form(options) end

---For a loop over the parts of a `multipart/form-data` body, while they come: for what is to
---go elsewhere than into files. The client is not faster than the loop. What is not read of a
---part is skipped when the next one is asked for.
---
---A failure is raised in the loop, as by `req:chunks`, and what is answered where nobody
---catches it is as with `req:form`: 413 (more than `limit` bytes, `max_parts` parts, 64 headers
---of a part or 16384 bytes of them), 400 (it is none, or its end is missing), 415 (it is not
---multipart), 408. Raises where the body is being read already.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  local lines = {}
---  for part in req:parts { limit = 1 << 30 } do
---    local bytes = 0
---    for chunk in part:chunks() do bytes = bytes + #chunk end
---    lines[#lines + 1] = ("%s: %d bytes"):format(part.filename or part.name, bytes)
---  end
---  return table.concat(lines, "\n")
---end))
---
---local conn <close> = assert(net.connect(server.address))
---local body = table.concat({
---  "--cut", 'Content-Disposition: form-data; name="log"; filename="tea.log"', "", "steeping ...", "--cut--", "",
---}, "\r\n")
---conn:write { "POST / HTTP/1.0\r\nContent-Type: multipart/form-data; boundary=cut\r\n",
---  "Content-Length: ", #body, "\r\n\r\n", body }
---print(conn:read("a"):match "\r\n\r\n(.*)") --> tea.log: 12 bytes
---```
---
---Source: RFC 7578; RFC 2046, 5.1.
---@param options? { limit?: integer, max_parts?: integer, timeout?: number } bytes in all, as in `req:chunks`; 1000; seconds for each piece
---@return fun(): neap.http.part? next
function request:parts(options) end

---What `req:form` takes: bytes and numbers that are still taken, one more is refused.
---@class neap.http.form.options
---@field max_field? integer bytes of a field's value: 1 MB
---@field max_fields? integer how many: 1000
---@field max_fields_size? integer bytes of all names and values, and of an urlencoded body: 10 MB
---@field max_file? integer bytes of a file: 100 MB
---@field max_files? integer how many: 100
---@field max_size? integer bytes of the body; `req.max_body` where something has set it, else `max_file` and 10 MB
---@field dir? string where files are kept meanwhile: $TMPDIR, or /tmp
---@field timeout? number seconds for all of it

---What a client has filled in.
---@class neap.http.form
---@field fields table<string, string> of each field the first value
---@field files table<string, neap.http.upload> of each input for files the first file. One that was left empty is not there
local form = {}

---All values of a field, in their order; an empty list where there is none.
---
---```lua
---local http, net = require "neap.http", require "neap.net"
---
---local server <close> = assert(http.serve("127.0.0.1:0", function(req)
---  return table.concat(assert(req:form()):list "tea", ", ")
---end))
---
---local conn <close> = assert(net.connect(server.address))
---conn:write { "POST / HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\n",
---  "Content-Length: 19\r\n\r\n", "tea=green&tea=black" }
---print(conn:read("a"):match "\r\n\r\n(.*)") --> green, black
---```
---
---Source: RFC 7578, 4.3.
---@param name string
---@return string[] values
function form:list(name) end

---All files of an input (`<input type="file" multiple>`), in their order; an empty list where
---there is none.
---
---```lua fragment
---for _, upload in ipairs(form:uploads "photos") do
---  print(upload.filename, upload.size)
---end
---```
---
---Source: RFC 7578, 4.3.
---@param name string
---@return neap.http.upload[] uploads
function form:uploads(name) end

---A file that a client has sent, until the request is over.
---@class neap.http.upload
---@field name string of its input
---@field filename string as the client says, so **anything**: `"../../etc/passwd"`, `""`, a line break. Not for paths, and to be escaped in pages
---@field basename string what is left of it that is safe as the name of a file: no directory, no control byte, valid UTF-8, 120 bytes at most, not hidden; `"file"` where nothing is left. Two uploads may have the same
---@field type string? as the client says: `"image/png"`
---@field size integer bytes
---@field headers table<string, string> of its part, as `req.headers`
local upload = {}

---Gives it a name: the whole file is there, or nothing. What has the name is replaced, a link
---itself and not what it points to. On the file system of `dir` nothing is copied; elsewhere
---it is, and what is copied is called `.neap-...` meanwhile. It may be saved more than once.
---
---Fails with ENOENT, EACCES, ENOSPC, EISDIR, EINVAL (there is something that is no file),
---EEXIST (`overwrite` is false, and there is something), ECANCELED (its request is over).
---Raises for what is no path.
---
---```lua fragment
---local upload = assert(req:form()).files.photo
---local ok, message, code = upload:save("photos/" .. upload.basename, { overwrite = false })
---if not ok then return code == "EEXIST" and 409 or 500, message end
---```
---
---Source: linkat(2), fsync(2), rename(2).
---@param path string
---@param options? { overwrite?: boolean } true unless it is given
---@return boolean? ok
---@return string? message
---@return string? code
---@overload fun(self: neap.http.upload, path: string, callback: fun(ok?: boolean, message?: string, code?: string)): neap.task
---@overload fun(self: neap.http.upload, path: string, options: { overwrite?: boolean }, callback: fun(ok?: boolean, message?: string, code?: string)): neap.task
function upload:save(path, options) end

---All of it, in memory.
---
---Fails with EIO, ENOMEM, ECANCELED (its request is over).
---
---```lua fragment
---local list = json.decode(assert(form.files.list:read()))
---```
---
---Source: pread(2).
---@return string? data
---@return string? message
---@return string? code
---@overload fun(self: neap.http.upload, callback: fun(data?: string, message?: string, code?: string)): neap.task
function upload:read() end

---For a loop over it in pieces of 64 KB. A failure is raised. An upload can be the body of an
---answer, too.
---
---```lua fragment
---for piece in upload:chunks() do assert(conn:write(piece)) end
---```
---
---Source: pread(2).
---@return fun(): string? next
function upload:chunks() end

---A part of a multipart body, in the loop of `req:parts`. When the next one is asked for it is
---over.
---@class neap.http.part
---@field name string of its field
---@field filename string? of its file, as the client says: see `upload.filename`. nil: it is a field
---@field type string? as the client says
---@field headers table<string, string> as `req.headers`
local part = {}

---All of it, in memory. Asked again it gives the same, also later.
---
---Fails with EMSGSIZE (more than `limit`; 413 for the client), with ECANCELED where whoever has read it
---before was cancelled, as half of it is none, and as `req:parts` raises.
---Raises where the part is over, or is being read in pieces.
---
---```lua fragment
---for part in req:parts() do fields[part.name] = assert(part:body { limit = 1000 }) end
---```
---
---Source: RFC 7578, 4.
---@param options? { limit?: integer } bytes: 1 MB
---@return string? body
---@return string? message
---@return string? code
---@overload fun(self: neap.http.part, callback: fun(body?: string, message?: string, code?: string)): neap.task
---@overload fun(self: neap.http.part, options: { limit?: integer }, callback: fun(body?: string, message?: string, code?: string)): neap.task
function part:body(options) end

---For a loop over it in pieces, as they come. Nothing is kept. A failure is raised, as by
---`req:parts`. Raises where the part is over, or has been read whole.
---
---```lua fragment
---for chunk in part:chunks() do hash:update(chunk) end
---```
---
---Source: RFC 7578, 4.
---@return fun(): string? next
function part:chunks() end

---Throws away what is left of it, now; going on in the loop does so, too. Fails as
---`part:body`, without a limit.
---
---```lua fragment
---if part.filename then assert(part:skip()) end
---```
---
---Source: RFC 7578, 4.
---@return boolean? ok
---@return string? message
---@return string? code
---@overload fun(self: neap.http.part, callback: fun(ok?: boolean, message?: string, code?: string)): neap.task
function part:skip() end

return http
