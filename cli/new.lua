-- `neap new NAME`: a service to begin with. What it writes runs and passes its own spec; it overwrites nothing.
local tool = ...

local function fail(format, ...)
  io.stderr:write("neap new: ", format:format(...), "\n")
  os.exit(1)
end

local name = arg[1]
if name == "-h" or name == "--help" then
  print "usage: neap new NAME\nWrites a service into the directory NAME, which must not be there yet."
  os.exit(true)
end
if not name then fail("what shall it be called? neap new NAME") end
if arg[2] then fail("one name, and here is '%s'", arg[2]) end
if not name:find("^%a[%w_-]*$") then fail("'%s' is no name: letters, digits, '-' and '_', a letter first", name) end
if tool.kind(name) then fail("'%s' is there already", name) end

-- Beside an installed program, or in the tree that it was built in.
local function find_types()
  local program = require "neap.process".exepath() or ""
  local folder = program:match("^(.*)/[^/]*$") or "."
  for _, path in ipairs { folder:gsub("/[^/]*$", "") .. "/share/neap/types",
    folder:gsub("/[^/]*/[^/]*$", "") .. "/types" } do
    if tool.kind(path .. "/neap.lua") == "file" then return path end
  end
end

local types = find_types()
local files = {}

files["NAME.lua"] = [[
-- NAME: greets whoever says a name. neap NAME.lua --watch [ADDRESS]
local neap, http = require "neap", require "neap.http"

local server = assert(http.serve(neap.args[1] or "127.0.0.1:8080", require "app"))
print("NAME: listening on http://" .. server.address)
io.stdout:flush()
]]

files["app.lua"] = [[
-- What NAME answers: pages, and JSON for programs.
local http, hot, middleware = require "neap.http", require "neap.hot", require "neap.http.middleware"
local greet = require "greet"

local guests = hot.state("guests", function() return { count = 0 } end) -- what you save does not begin anew

local app = http.router()
app:use(middleware.development()) -- for you alone: errors are pages, and pages reload themselves when you save

local function page(text, status)
  return http.html("<!doctype html><meta charset=utf-8><title>NAME</title><h1>" .. http.escape(text) .. "</h1>"
    .. "<form action=/hello><input name=name autofocus> <button>Say it</button></form>", status)
end

app:get("/", function() return page "Who are you?" end)

app:get("/hello", function(req)
  local text, problem = greet(req.query.name or "")
  if not text then return page(problem, 400) end
  guests.count = guests.count + 1
  if req:accepts("text/html", "application/json") == "application/json" then
    return http.json { text = text, guest = guests.count }
  end
  return page(text .. ". You are guest " .. guests.count)
end)

return app
]]

files["greet.lua"] = [[
-- What needs no request stands alone, so it can be tested alone.
return function(name)
  name = name:match("^%s*(.-)%s*$")
  if name == "" then return nil, "who are you?" end
  return "hello, " .. name
end
]]

files["spec/NAME_spec.lua"] = [[
local app, greet = require "app", require "greet"

local function get(name, accept)
  return app:request { path = "/hello?name=" .. name, headers = { accept = accept } }
end

describe("NAME", function()
  it("greets by name", function()
    assert.equal("hello, moon", greet " moon ")
    assert.same({ nil, "who are you?" }, { greet "" })
  end)

  it("answers with a page, and programs with JSON", function()
    assert.matches("<h1>hello, &lt;moon&gt;%. ", get("<moon>", "text/html"):body())
    local answer = get("moon", "application/json"):json()
    assert.same({ text = "hello, moon", guest = answer.guest }, answer)
  end)

  it("wants a name", function()
    assert.equal(400, get("", "text/html").status)
  end)
end)
]]

files[".busted"] = [[
-- What `neap test` does without arguments.
return {
  default = {
    ROOT = { "spec" },
    pattern = "_spec",
    lpath = "./?.lua",
    limit = 10,
  },
}
]]

files[".luarc.json"] = ([[
{
  "runtime.version": "Lua 5.4",
  "workspace.library": ["TYPES"],
  "workspace.checkThirdParty": false
}
]]):gsub("TYPES", ((types or "/usr/local/share/neap/types"):gsub("%%", "%%%%")))

files["README.md"] = [[
# NAME

    neap NAME.lua --watch   # serves http://127.0.0.1:8080; what you save is live at once
    neap test --watch       # runs the specs, and again what a change concerns

Open the page, and change `app.lua` or `greet.lua` while you do. `NAME.lua` says where it listens.
]]

local function make(path)
  local ok, message = tool.mkdir(path)
  if not ok then fail("%s", message) end
end

make(name)
make(name .. "/spec")
for file, text in pairs(files) do
  local path = name .. "/" .. file:gsub("NAME", name)
  local out, message = io.open(path, "w")
  if not out then fail("%s", message) end
  assert(out:write((text:gsub("NAME", name))))
  assert(out:close())
end
if not types then
  io.stderr:write("neap new: the annotations of neap are not installed: see workspace.library in .luarc.json\n")
end
print(("%s is there. cd %s, then:\n  neap %s.lua --watch\n  neap test"):format(name, name, name))
os.exit(true)
