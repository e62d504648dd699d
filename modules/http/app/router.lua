-- http.router(): a handler that finds the handler of a request by its method and its path.
--
-- Routes lie in a tree of path segments (tree.lua); those without parameters also in one table, by their whole path.
-- What a request needs to be served is put together when routes and middleware are added: serving it makes nothing but
-- its parameters. A router and its groups are scopes: a prefix, middleware, and what is added inside.
local core = ...
local error, getmetatable, ipairs, next, pairs, select, setmetatable, type =
  error, getmetatable, ipairs, next, pairs, select, setmetatable, type
local concat, find, format, getinfo, gsub, sort, sub, upper =
  table.concat, string.find, string.format, debug.getinfo, string.gsub, table.sort, string.sub, string.upper
local tree = core.load "modules/http/app/tree.lua"
local find_route, route_of, ANY = tree.find, tree.route, tree.ANY
local make_response = core.response

local router_class = { __name = "neap.http.router" } -- of groups, too
local methods = {}
router_class.__index = methods

-- ---- middleware ------------------------------------------------------------------

-- What middleware calls gives it a table, whatever the handler has returned.
local function wrap(middleware, handler)
  local function following(req)
    if req == nil then error("the next handler wants the request: next(req)", 2) end
    return make_response(handler, handler(req))
  end
  return function(req)
    return middleware(req, following)
  end
end

local function compose(list, handler)
  for i = #list, 1, -1 do handler = wrap(list[i], handler) end
  return handler
end

-- The handler of a route within its groups. (What the router itself has goes around all of it.)
local function run_of(route)
  local handler, scope = compose(route.middleware, route.handler), route.scope
  while scope.parent do
    handler, scope = compose(scope.middleware, handler), scope.parent
  end
  return handler
end

-- ---- serving ---------------------------------------------------------------------

local function allow_of(set)
  local list = {}
  if set.GET then set.HEAD = true end
  set.OPTIONS = true
  for method in pairs(set) do list[#list + 1] = method end
  sort(list)
  return concat(list, ", ")
end

-- OPTIONS *
local function serve_all(router)
  local set = {}
  for _, route in ipairs(router.routes) do
    if route.method and route.method ~= ANY then set[route.method] = true end
  end
  return 204, nil, { allow = allow_of(set) }
end

local function serve_nothing(router, method, path)
  if path == "*" then return serve_all(router) end
  local set = tree.methods(router.tree, path)
  if not next(set) then return 404, "Not Found\n" end
  local allow = allow_of(set)
  if method == "OPTIONS" then return 204, nil, { allow = allow } end
  return 405, "Method Not Allowed\n", { allow = allow }
end

-- Where a router is mounted below another one, what that has found stays.
local function set_params(req, route, values)
  local names, params = route.names, {}
  if req.base ~= "" then
    for name, value in pairs(req.params) do params[name] = value end
  end
  for i = 1, #names do params[names[i]] = values[i] end
  req.params = params
end

local function undo(req, path, base, ...)
  req.path, req.base = path, base
  return ...
end

local function serve_mounted(mount, req, path, rest)
  local base = req.base
  req.path, req.base = rest, base .. sub(path, 1, #path - #rest)
  return undo(req, path, base, mount.run(req))
end

-- Before middleware gets to see what it returns: an error about that is to name the handler.
local function run_route(router, route, req)
  if router.run then return make_response(route.handler, route.run(req)) end
  return route.run(req)
end

local function serve(router, req)
  local method, path = req.method, req.path
  local node = router.literal[path]
  local route = node and route_of(node, method)
  if route then return run_route(router, route, req) end
  if path == "" then path = "/" end
  local values, rest
  if path ~= "*" then route, values, rest = find_route(router.tree, path, method) end
  if not route then return serve_nothing(router, method, path) end
  if route.names[1] then set_params(req, route, values) end
  if rest then return serve_mounted(route, req, path, rest) end
  return run_route(router, route, req)
end

function router_class.__call(router, req)
  local run = router.run -- all middleware around `serve`, where there is some
  if run then return run(req) end
  return serve(router, req)
end

-- ---- adding ----------------------------------------------------------------------

local function is_handler(value)
  if type(value) == "function" then return true end
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__call ~= nil
end

-- Arguments of a method, from `at` on. Errors are raised where that was called.
local function check_handlers(name, at, ...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if not is_handler(value) then
      error(format("bad argument #%d to '%s' (a handler expected, got %s)", at + i - 1, name, type(value)), 3)
    end
  end
  if select("#", ...) == 0 then
    error(format("bad argument #%d to '%s' (a handler expected, got no value)", at, name), 3)
  end
end

local function check_string(name, at, value)
  if type(value) ~= "string" then
    error(format("bad argument #%d to '%s' (string expected, got %s)", at, name, type(value)), 3)
  end
end

-- The path of a group's own "/" is that of the group.
local function full_path(scope, path)
  if scope.prefix ~= "" and path == "/" then return scope.prefix end
  return scope.prefix .. path
end

local function node_for(scope, path, level)
  local node, names = tree.add(scope.router.tree, path)
  if node then return node, names end
  error(format("bad path '%s' (%s)", path, names), level + 1)
end

local function enter(scope, route, level)
  local info = getinfo(level + 1, "Sl")
  route.scope, route.where = scope, format("%s:%d", info.short_src, info.currentline)
  route.run = run_of(route)
  scope.router.routes[#scope.router.routes + 1] = route
end

local function add(scope, method, path, ...)
  local full, middleware = full_path(scope, path), { ... }
  local node, names = node_for(scope, full, 3)
  local routes = node.routes or {}
  node.routes = routes
  if routes[method] then
    error(format("%s %s has a route already (%s)", method, full, routes[method].where), 3)
  end
  local handler = middleware[#middleware]
  middleware[#middleware] = nil
  routes[method] = { method = method, path = full, names = names, middleware = middleware, handler = handler }
  enter(scope, routes[method], 3)
  if not names[1] then scope.router.literal[full] = node end
  return scope
end

for _, name in ipairs { "get", "post", "put", "patch", "delete", "head", "options", "any" } do
  local method = name == "any" and ANY or upper(name)
  methods[name] = function(scope, path, ...)
    check_string(name, 1, path)
    check_handlers(name, 2, ...)
    return (add(scope, method, path, ...))
  end
end

function methods.route(scope, method, path, ...)
  check_string("route", 1, method)
  check_string("route", 2, path)
  check_handlers("route", 3, ...)
  return (add(scope, method, path, ...))
end

-- Whatever is below the prefix, and is no route. It is found like a path that goes on.
function methods.mount(scope, prefix, handler)
  check_string("mount", 1, prefix)
  check_handlers("mount", 2, handler)
  local full = gsub(full_path(scope, prefix), "/$", "")
  local node, names = scope.router.tree, {}
  if full ~= "" then node, names = node_for(scope, full, 2) end
  if node.mount then error(format("something is mounted at '%s' already (%s)", prefix, node.mount.where), 2) end
  if find(full, "/*", 1, true) then error(format("bad path '%s' (a mount has the rest of it anyway)", prefix), 2) end
  node.mount = { path = full, names = names, middleware = {}, handler = handler }
  enter(scope, node.mount, 2)
  return scope
end

-- For the routes that are there, and for those to come.
function methods.use(scope, ...)
  check_handlers("use", 1, ...)
  for i = 1, select("#", ...) do scope.middleware[#scope.middleware + 1] = (select(i, ...)) end
  local router = scope.router
  if scope == router then
    router.run = compose(scope.middleware, function(req) return serve(router, req) end)
  else
    for _, route in ipairs(router.routes) do route.run = run_of(route) end
  end
  return scope
end

local function new_scope(prefix, parent)
  local scope = { prefix = prefix, parent = parent, router = parent and parent.router, middleware = {} }
  return setmetatable(scope, router_class)
end

local function refuse_call()
  error("a group is no handler: its router is", 3)
end

function methods.group(scope, prefix, define)
  check_string("group", 1, prefix)
  check_handlers("group", 2, define)
  local group = new_scope(full_path(scope, gsub(prefix, "/$", "")), scope)
  group.run = refuse_call
  define(group)
  return scope
end

local function router()
  local new = new_scope("")
  new.router, new.tree, new.routes, new.literal = new, tree.new(), {}, {}
  return new
end

return { router = router }
