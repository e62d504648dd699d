-- files.lua: a directory as pages; what is in it, and with --upload a way to add to it.
-- neap scripts/files.lua [OPTION...] [DIRECTORY]; then open http://127.0.0.1:8083. --help tells the options.
--
--   curl -H 'Accept: application/json' http://127.0.0.1:8083/photos/     what is in a folder, as JSON
--   curl -F file=@tea.jpg http://127.0.0.1:8083/photos/                  adds a file: 201, 409 where the name is taken
--
-- Files are sent by http.static: in parts, if asked for, and not again to who has them. A folder's index.html is its
-- page, and name.br and name.gz go out for name, but not with --upload: who adds a file is to change no other one.
-- Scripts of what was added do not run, either.
local HERE = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
package.path = HERE .. "files/?.lua;" .. package.path

local neap, hot, fs, http = require "neap", require "neap.hot", require "neap.fs", require "neap.http"
local middleware = require "neap.http.middleware"
local read_arguments, guard, listing, page, uploads, read_users =
  require "arguments", require "guard", require "listing", require "page", require "uploads", require "users"

local LONGEST_UPLOAD = 12 * 3600 -- seconds; one that makes no headway is ended by the server's body_rate

local function stop(code, message)
  io.stderr:write((message:gsub("\n*$", "\n")))
  os.exit(code)
end

local options, usage = read_arguments(neap.args)
if not options then stop(2, usage) end
local root, message = fs.realpath(options.directory)
if not root then stop(1, "files: " .. message) end
if fs.stat(root).kind ~= "directory" then stop(1, ("files: %s: not a directory"):format(root)) end
local users
if options.users then
  users, message = read_users(options.users, root)
  if not users then stop(1, "files: " .. message) end
end
options.title = root:match "[^/]+$" or "/"

-- ---- what goes for all answers -------------------------------------------------

local address -- that it listens at

local function known_names(req, following)
  if guard.is_ours(req, address, options.names) then return following(req) end
  return 421, "This server is not known by that name: start it with --name.\n"
end

-- A person gets a page that says what has failed.
local TITLES = {
  [403] = { "Not permitted", "This may not be read." },
  [404] = { "Not found", "There is nothing by this name: it may have been renamed, or removed." },
}

local function friendly(req, following)
  local response = following(req)
  local title = TITLES[response.status]
  if not title or response.headers["content-type"] or not (req:header "accept" or ""):find "text/html" then
    return response
  end
  return response.status, page.failure(req.path, title[1], title[2]), page.headers()
end

-- What somebody has added may be shown, but runs nothing, and is nobody: it could read and send all files here.
local CAGE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"

local function caged(req, following)
  local response = following(req)
  local headers = response.headers
  local kind = headers["content-type"] or ""
  if options.upload and not headers["content-security-policy"] and (kind:find "html" or kind:find "xml") then
    headers["content-security-policy"] = CAGE
  end
  return response
end

-- ---- all of it -----------------------------------------------------------------

local app = http.router()
-- (Where a page sends no referrer a browser does not say where its forms come from, either.)
app:use(middleware.access_log(), middleware.security_headers {
  content_security_policy = false, referrer_policy = "same-origin",
}, known_names, friendly)
if users then app:use(middleware.basic_auth { realm = "files", users = users }) end

-- The parts of the page: read at each start; a change of one of them is a new version, too.
for file, kind in pairs {
  ["files.css"] = "text/css; charset=utf-8", ["files.js"] = "text/javascript; charset=utf-8",
  ["icon.svg"] = "image/svg+xml",
} do
  local name = HERE .. "files/public/" .. file
  hot.depends(name)
  local text = assert(fs.read(name))
  local headers = { ["content-type"] = kind, ["cache-control"] = "no-cache" }
  app:get("/.neap/" .. file, function() return 200, text, headers end)
end

app:get("/*path", caged, http.static(root, {
  list = listing(options), dotfiles = options.dotfiles, index = not options.upload and "index.html",
  precompressed = not options.upload, headers = { ["cache-control"] = "no-cache" },
}))
app:post("/*path", uploads(root, options, guard.is_same_site))

local ok, server
ok, server, message = pcall(http.serve, options.address, {
  handler_timeout = options.upload and LONGEST_UPLOAD or nil, drain_timeout = options.upload and LONGEST_UPLOAD or nil,
}, app)
if not ok then stop(2, "files: " .. tostring(server)) end
if not server then stop(1, "files: " .. message) end
address = server.address

print("files: listening on " .. (address:find "^unix:" and "" or "http://") .. address)
print(("files: serving %s%s"):format(root, options.upload and ", and taking uploads" or ""))
if options.upload and not users and not guard.is_loopback(address) then
  print "files: everybody who reaches this address can add files; see --users"
end
io.stdout:flush()
neap.ready()
