-- For specs of middleware.development: a router that uses it, and is served; what is reported meanwhile is kept.
--
--   before_each(function() app, server, reports = support.open() end)
--   after_each(support.close)
local http, middleware, neap = require "neap.http", require "neap.http.middleware", require "neap"
local raw, test = require "spec.support.http", require "neap.test"

local support = {}

local reports, server

-- In pages, as a pattern.
support.TAG = '<script src="/.neap/reload.js" data%-version="[%x-]+"></script>'

function support.open()
  reports = {}
  neap.on_error(function(err, traceback, info)
    reports[#reports + 1] = { err = err, traceback = traceback, name = info.name }
  end)
  local app = http.router()
  app:use(middleware.development())
  server = assert(http.serve("127.0.0.1:0", app))
  return app, server, reports
end

function support.close()
  server:close()
  neap.on_error(nil)
end

-- A request with these lines of headers, of a browser unless there are any.
function support.ask(line, ...)
  local client <close> = raw.connect(server.address)
  local lines = select("#", ...) > 0 and { ... } or { "Accept: text/html,*/*;q=0.8" }
  client:send(raw.request(line, nil, table.unpack(lines)))
  return client:response { head = line:find "^HEAD" ~= nil }
end

-- The error that was reported last; it is waited for.
function support.reported()
  return test.eventually(function() return table.remove(reports) end)
end

return support
