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
-- Each line of a connection is an event, and finds the code as it was last saved.
local neap, net = require "neap", require "neap.net"
local handler = require "handler"

local server = assert(net.listen(neap.args[1] or "127.0.0.1:7000", handler.events))
print("NAME: listening on " .. server.address)
io.stdout:flush()
]]

files["handler.lua"] = [[
-- What NAME does with a connection. `greet` needs none, so it can be tested without one.
local handler = { events = {} }

function handler.greet(name)
  name = name:match("^%s*(.-)%s*$")
  if name == "" then return nil, "who are you?" end
  return "hello, " .. name
end

function handler.events.open(conn)
  conn.state.lines = 0
end

function handler.events.line(conn, line)
  conn.state.lines = conn.state.lines + 1
  local text, problem = handler.greet(line)
  conn:write((text or problem) .. "\n")
end

return handler
]]

files["spec/NAME_spec.lua"] = [[
local test = require "neap.test"
local handler = require "handler"

describe("NAME", function()
  it("greets by name", function()
    assert.equal("hello, moon", handler.greet(" moon "))
    assert.same({ nil, "who are you?" }, { handler.greet("") })
  end)

  it("answers each line of a connection", function()
    local server <close> = test.server(handler.events)
    local conn <close> = assert(server:connect())
    conn:write("ada\nbob\n")
    assert.equal("hello, ada", conn:read("l", { timeout = 5 }))
    assert.equal("hello, bob", conn:read("l", { timeout = 5 }))
    assert.equal(2, server.connections[1].state.lines)
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

    neap NAME.lua --watch   # serves 127.0.0.1:7000; what you save is live at once
    neap test --watch       # runs the specs, and again what a change concerns

Talk to it: `nc 127.0.0.1 7000`. What it does with a line is in `handler.lua`.
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
