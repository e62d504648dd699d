-- http.router(): a handler that gives each request to the handler of its method and path.
--
-- Here routes are added, with what stands before them, and answers are found for requests that have none; the lookup
-- is in C (routing.c, tree.c). What is needed to serve a request is put together when something is added. A router and
-- its groups are scopes: a prefix, middleware, and what is added inside.
local core = ...
local error, getmetatable, ipairs, next, pairs, select, setmetatable, type =
  error, getmetatable, ipairs, next, pairs, select, setmetatable, type
local concat, find, format, getinfo, gsub, move, remove, sort, upper =
  table.concat, string.find, string.format, debug.getinfo, string.gsub, table.move, table.remove, table.sort,
  string.upper
local loaded = package.loaded
local make_response, routing_add, routing_methods, routing_serve =
  core.response_of, core.routing_add, core.routing_methods, core.routing_serve

-- Of a router, at the keys that routing.c knows: its middleware around all of it, or false; who answers where there is
-- no route; and behind them, two for each route, its handler, with all middleware between, and its pattern.
local TREE, RUN, OTHERWISE = 1, 2, 3
local ANY, MOUNT = "*", "mount" -- instead of a method

local router_class = { __name = "neap.http.router", __call = core.routing_call } -- of groups, too
local methods = {}
router_class.__index = methods

-- ---- middleware ------------------------------------------------------------------

-- `return next()` leaves nothing of its caller: then it is told which middleware that is.
local function refuse_next(middleware, value)
  local text = format("the next handler is given the request, next(req), and not %s", type(value))
  if not getinfo(2, "t").istailcall or type(middleware) ~= "function" then error(text, 3) end
  local info = getinfo(middleware, "S")
  error(format("%s (by the middleware %s:%d)", text, info.short_src, info.linedefined), 0)
end

-- What middleware calls gives it a table, whatever the handler has returned. An error about that names `outermost`,
-- a function of the script: the handler is it, or calls it.
local function wrap(middleware, handler, outermost)
  local function following(req)
    if type(req) ~= "userdata" then refuse_next(middleware, req) end
    return make_response(req, outermost, handler(req))
  end
  return function(req)
    return middleware(req, following)
  end
end

-- Middleware of neap.http.middleware hands on what it is given: it is not what an error is about.
local function is_ours(middleware)
  return type(middleware) == "function" and find(getinfo(middleware, "S").source, "^@neap:") ~= nil
end

local function compose(list, handler, outermost)
  for i = #list, 1, -1 do
    handler = wrap(list[i], handler, outermost)
    if not is_ours(list[i]) then outermost = list[i] end
  end
  return handler, outermost
end

-- The handler of a route within its groups. Before middleware of the router gets to see what it returns that is
-- looked at, as an error about it is to name the handler. (`use` puts that middleware around all of the router.)
local function run_of(route)
  local handler, outermost = compose(route.middleware, route.handler, route.handler)
  local scope = route.scope
  while scope.parent do
    handler, outermost = compose(scope.middleware, handler, outermost)
    scope = scope.parent
  end
  route.outermost = outermost
  if not scope.middleware[1] then return handler end
  return function(req) return make_response(req, outermost, handler(req)) end
end

-- ---- requests without a route ----------------------------------------------------

local function allow_of(set)
  local list = {}
  if set.GET then set.HEAD = true end
  set.OPTIONS = true
  for method in pairs(set) do list[#list + 1] = method end
  sort(list)
  return concat(list, ", ")
end

-- OPTIONS *
local function methods_of_all(router)
  local set = {}
  for _, route in ipairs(router.routes) do
    if route.method ~= ANY and route.method ~= MOUNT then set[route.method] = true end
  end
  return set
end

local function otherwise(router, req)
  local path = req.path
  local set = path == "*" and methods_of_all(router) or routing_methods(router[TREE], path == "" and "/" or path)
  if path ~= "*" and not next(set) then return 404, "Not Found\n" end
  local headers = { allow = allow_of(set) }
  if req.method == "OPTIONS" then return 204, nil, headers end
  return 405, "Method Not Allowed\n", headers
end

-- ---- adding ----------------------------------------------------------------------

local function is_handler(value)
  if type(value) == "function" then return true end
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__call ~= nil
end

-- A router has been called with a dot, or what it is to be called with is not there.
local function check_scope(name, scope)
  if getmetatable(scope) ~= router_class then
    error(format("call '%s' with a colon, as in app:%s(...)", name, name), 3)
  end
end

local NOTHING_RETURNED = "true; a module that returns nothing gives that"

local function refuse_handler(name, at, what, value)
  local got = value == true and NOTHING_RETURNED or type(value)
  error(format("bad argument #%d to '%s' (%s expected, got %s)", at, name, what, got), 4)
end

-- Not the middleware, but what makes it. (Nothing of that is loaded where the script has not done so.)
local function refuse_maker(name, at, value)
  for maker, made in next, loaded["neap.http.middleware"] or {} do
    if made == value then
      error(format("bad argument #%d to '%s' (middleware.%s makes middleware; call it: middleware.%s(...))", at, name,
        maker, maker), 4)
    end
  end
end

-- The handlers among the arguments of a method, from `at` on. Errors are raised where that was called. Behind what it
-- loads `require` gives the name of the file: that is none of them.
local function handlers_of(name, at, what, ...)
  local list, count = { ... }, select("#", ...)
  if count > 1 and type(list[count]) == "string" and is_handler(list[count - 1]) then
    list[count], count = nil, count - 1
  end
  for i = 1, count do
    if not is_handler(list[i]) then refuse_handler(name, at + i - 1, what, list[i]) end
    refuse_maker(name, at + i - 1, list[i])
  end
  if count == 0 then
    error(format("bad argument #%d to '%s' (%s expected, got no value)", at, name, what), 3)
  end
  return list
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

-- Errors are raised at `level`, as seen from who calls this.
local function enter(scope, route, level)
  local router = scope.router
  local routes, info = router.routes, getinfo(level + 1, "Sl")
  local number = #routes + 1
  local added, why = routing_add(router[TREE], route.path, route.method, number)
  if added == nil then
    why = why and format("bad path '%s' (%s)", route.path, why) or format(
      "bad argument #1 to 'route' ('%s' is no method; they are upper-case words, as \"PROPFIND\")", route.method)
    error(why, level + 1)
  elseif not added then
    error(format("%s %s has a route already (%s)", route.method, route.path, routes[why].where), level + 1)
  end
  route.scope, route.where = scope, format("%s:%d", info.short_src, info.currentline)
  routes[number], router[2 * number + 2], router[2 * number + 3] = route, run_of(route), route.path
  return scope
end

local function add(scope, method, path, middleware)
  local handler = remove(middleware)
  local route = { method = method, path = full_path(scope, path), middleware = middleware, handler = handler }
  return (enter(scope, route, 3))
end

for _, name in ipairs { "get", "post", "put", "patch", "delete", "head", "options", "any" } do
  local method = name == "any" and ANY or upper(name)
  methods[name] = function(scope, path, ...)
    check_scope(name, scope)
    check_string(name, 1, path)
    return (add(scope, method, path, handlers_of(name, 2, "a handler", ...)))
  end
end

function methods.route(scope, method, path, ...)
  check_scope("route", scope)
  check_string("route", 1, method)
  check_string("route", 2, path)
  return (add(scope, method, path, handlers_of("route", 3, "a handler", ...)))
end

-- Is one of them the other, or mounted in it, at any depth?
local function has_mounted(router, other, seen)
  if router == other then return true end
  if seen[router] or getmetatable(router) ~= router_class or router.parent then return false end
  seen[router] = true
  for _, route in ipairs(router.routes) do
    if route.method == MOUNT and has_mounted(route.handler, other, seen) then return true end
  end
  return false
end

-- Whatever is below the prefix and has no route. It is found as a path that goes on.
function methods.mount(scope, prefix, handler)
  check_scope("mount", scope)
  check_string("mount", 1, prefix)
  handlers_of("mount", 2, "a handler", handler)
  if has_mounted(handler, scope.router, {}) then
    error("bad argument #2 to 'mount' (the router would be mounted in itself)", 2)
  end
  local path = gsub(full_path(scope, prefix), "/$", "")
  if find(path, "/*", 1, true) then error(format("bad path '%s' (a mount has the rest of it anyway)", prefix), 2) end
  return (enter(scope, { method = MOUNT, path = path, middleware = {}, handler = handler }, 2))
end

-- What others take for the path of middleware, or for middleware, is none here.
local function check_no_path(value)
  if type(value) ~= "string" then return end
  error("bad argument #1 to 'use' (middleware expected, got string; for a path there are group and mount)", 3)
end

local function check_no_router(list)
  for i = 1, #list do
    if getmetatable(list[i]) == router_class then
      error(format("bad argument #%d to 'use' (a router is no middleware; mount it: app:mount(prefix, router))", i), 3)
    end
  end
end

-- For the routes that are there, and for those to come.
function methods.use(scope, ...)
  check_scope("use", scope)
  check_no_path((...))
  local list = handlers_of("use", 1, "middleware", ...)
  check_no_router(list)
  move(list, 1, #list, #scope.middleware + 1, scope.middleware)
  local router = scope.router
  for number, route in ipairs(router.routes) do router[2 * number + 2] = run_of(route) end
  if scope == router then
    local function run(req) return routing_serve(router, req) end
    router[RUN], router.outermost = compose(scope.middleware, run)
  end
  return scope
end

local function new_scope(prefix, parent)
  local scope = { prefix = prefix, parent = parent, router = parent and parent.router, middleware = {} }
  return setmetatable(scope, router_class)
end

local function refuse_call()
  error("a group is no handler: its router is", 0)
end

function methods.group(scope, prefix, define)
  check_scope("group", scope)
  check_string("group", 1, prefix)
  handlers_of("group", 2, "a function", define)
  local group = new_scope(full_path(scope, gsub(prefix, "/$", "")), scope)
  group[RUN] = refuse_call
  define(group)
  return scope
end

-- ---- asking it, without a port ------------------------------------------------------

local ask -- loaded when it is first needed: tests alone do that

function methods.request(scope, options, callback)
  ask = ask or core.load "modules/http/app/request.lua"
  return ask(scope, options, callback)
end

-- ---- making one ---------------------------------------------------------------------

local function new_router()
  local router = new_scope("")
  router.router, router.routes = router, {}
  router[TREE], router[RUN], router[OTHERWISE] = core.routing_tree(), false, otherwise
  return router
end

return { router = new_router }
