-- What the specs of forms and of uploads have in common: servers that read forms, and what is left in a directory.
local http, fs = require "neap.http", require "neap.fs"
local raw = require "spec.support.http"
local test = require "neap.test"

local assert = require "luassert"

local forms = {}

function forms.serve(handler, options)
  return assert(http.serve("127.0.0.1:0", options or {}, function(req)
    if req.target == "/in-step" then return "in step" end
    return handler(req)
  end))
end

-- The values that `look(req)` returns for each of the requests, which come on one connection.
function forms.read(look, ...)
  local results = {}
  local server <close> = forms.serve(function(req)
    results[#results + 1] = table.pack(look(req))
    results[#results].n = nil
    return "ok"
  end)
  local client <close> = raw.connect(server.address)
  for _, request in ipairs { ... } do
    client:send_later(request)
    assert.equal(200, client:response().status)
  end
  client:expect_in_step()
  return table.unpack(results)
end

-- The answer's status where the handler only asserts, the message and the code.
function forms.refusal(request, options, server_options)
  local failure = {}
  local server <close> = forms.serve(function(req)
    local form, message, code = req:form(options)
    if form then return "ok" end
    failure = { message, code }
    error(message, 0)
  end, server_options)
  local client <close> = raw.connect(server.address)
  client:send_later(request)
  return client:response().status, table.unpack(failure)
end

function forms.names(dir)
  local list = {}
  for i, entry in ipairs(assert(fs.list(dir))) do list[i] = entry.name end
  table.sort(list)
  return list
end

-- Of the descriptors of this process (or of that one) those that lead to files without a name in this directory.
function forms.nameless(dir, pid)
  local count, at = 0, ("/proc/%s/fd/"):format(pid or "self")
  for _, entry in ipairs(assert(fs.list(at))) do
    local target = fs.readlink(at .. entry.name)
    if target and target:sub(1, #dir + 1) == dir .. "/" and target:find " %(deleted%)$" then count = count + 1 end
  end
  return count
end

function forms.is_empty(dir, pid)
  assert.same({}, forms.names(dir))
  test.eventually(function() return forms.nameless(dir, pid) == 0 end)
end

return forms
