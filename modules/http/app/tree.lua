-- The paths that a router knows, as a tree of their segments.
--
-- A node has its literal children by their names, one child for `:name` and one for `*rest`; what ends there is a route
-- for each method, or what is mounted. So a lookup takes a step for each segment of the path, however many routes there
-- are. A literal goes before `:name`, that before `*rest`, that before what is mounted; where the better way leads
-- nowhere the next one is tried.
local char, find, format, gsub, match, sub =
  string.char, string.find, string.format, string.gsub, string.match, string.sub
local ipairs, pairs, tonumber = ipairs, pairs, tonumber

local ANY = "*" -- instead of a method

local tree = { ANY = ANY }

function tree.new()
  return { children = {} }
end

-- ---- paths as they are registered ------------------------------------------------

local function child_of(node, segment, names)
  local kind = match(segment, "^[:*]")
  if kind then
    local name = match(segment, "^.([%a_][%w_]*)$")
    if not name then return nil, format("'%s' names no parameter", segment) end
    for _, other in ipairs(names) do
      if other == name then return nil, format("'%s' is there twice", name) end
    end
    names[#names + 1] = name
  end
  local key, children = kind or segment, kind and node or node.children
  children[key] = children[key] or tree.new()
  return children[key]
end

-- The node of a path, made where there is none, and the names of its parameters; or nil, and why it is no path.
function tree.add(root, path)
  if sub(path, 1, 1) ~= "/" then return nil, "it does not begin with '/'" end
  local node, names, at = root, {}, 1
  repeat
    local slash = find(path, "/", at + 1, true)
    local segment = sub(path, at + 1, (slash or 0) - 1)
    if slash and sub(segment, 1, 1) == "*" then return nil, "'*' can only be its end" end
    local child, why = child_of(node, segment, names)
    if not child then return nil, why end
    node, at = child, slash
  until not at
  return node, names
end

-- ---- paths that are asked for ----------------------------------------------------

local function byte_of(digits)
  return char(tonumber(digits, 16))
end

-- What is no "%" with two digits stands for itself.
local function decode(text)
  if not find(text, "%", 1, true) then return text end
  return (gsub(text, "%%(%x%x)", byte_of))
end

function tree.route(node, method)
  local routes = node.routes
  return routes and (routes[method] or method == "HEAD" and routes.GET or routes[ANY])
end

local route_of = tree.route
local walk

-- Beyond the segment that ends at `slash`, or at the end of the path.
local function follow(node, path, slash, method, values, count)
  if slash then return walk(node, path, slash, method, values, count) end
  local route = route_of(node, method)
  if route then return route end
  if node.mount then return node.mount, "" end
end

-- The route of the path that goes on with the slash at `at`; of what is mounted, the rest of the path, too. The values
-- of its parameters are put behind the first `count` ones.
function walk(node, path, at, method, values, count)
  local slash = find(path, "/", at + 1, true)
  local segment = decode(sub(path, at + 1, (slash or 0) - 1))
  local literal, named, rest = node.children[segment], node[":"], node["*"]
  if literal then
    local route, left = follow(literal, path, slash, method, values, count)
    if route then return route, left end
  end
  if named and segment ~= "" then
    values[count + 1] = segment
    local route, left = follow(named, path, slash, method, values, count + 1)
    if route then return route, left end
  end
  local route = rest and route_of(rest, method)
  if route then
    values[count + 1] = decode(sub(path, at + 1))
    return route
  end
  if node.mount then return node.mount, sub(path, at) end
end

-- The route, its values, and the rest of the path where it is a mount; nil: there is none.
function tree.find(root, path, method)
  local values = {}
  local route, rest = walk(root, path, 1, method, values, 0)
  return route, values, rest
end

-- ---- what else could be asked for there -------------------------------------------

local function add_methods(node, methods)
  for method in pairs(node.routes or {}) do
    if method ~= ANY then methods[method] = true end
  end
end

local function gather(node, path, at, methods)
  local slash = find(path, "/", at + 1, true)
  local segment = decode(sub(path, at + 1, (slash or 0) - 1))
  local function visit(child)
    if not child then return end
    if slash then gather(child, path, slash, methods) else add_methods(child, methods) end
  end
  visit(node.children[segment])
  if segment ~= "" then visit(node[":"]) end
  if node["*"] then add_methods(node["*"], methods) end
end

-- The methods that have a route for this path, as a set.
function tree.methods(root, path)
  local methods = {}
  gather(root, path, 1, methods)
  return methods
end

return tree
