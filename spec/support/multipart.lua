-- Bodies as browsers make them, for specs.
--
--   multipart.part("name", "value")                      -- a field
--   multipart.part("file", bytes, { filename = "a.txt", type = "text/plain", headers = { "X-A: 1" } })
--   multipart.body(part, part ...)                       -- with the last boundary
--   multipart.post("/", body [, line of a header ...])   -- a whole request, see spec.support.http
local http = require "spec.support.http"

local multipart = { boundary = "----neap-9f2c", type = 'multipart/form-data; boundary="----neap-9f2c"' }

-- As the HTML standard has it.
local function escape(name)
  return (name:gsub('["\r\n]', { ['"'] = "%22", ["\r"] = "%0D", ["\n"] = "%0A" }))
end

function multipart.part(name, data, options)
  options = options or {}
  local head = ('--%s\r\nContent-Disposition: form-data; name="%s"'):format(multipart.boundary, escape(name))
  if options.filename then head = head .. ('; filename="%s"'):format(escape(options.filename)) end
  if options.type then head = head .. "\r\nContent-Type: " .. options.type end
  for _, line in ipairs(options.headers or {}) do head = head .. "\r\n" .. line end
  return head .. "\r\n\r\n" .. data .. "\r\n"
end

function multipart.file(name, filename, data, type)
  return multipart.part(name, data, { filename = filename, type = type or "application/octet-stream" })
end

function multipart.body(...)
  return table.concat { ... } .. "--" .. multipart.boundary .. "--\r\n"
end

function multipart.post(target, body, ...)
  return http.post(target, body, "Content-Type: " .. multipart.type, ...)
end

-- An answer to a chunked request with these pieces.
function multipart.post_chunked(target, pieces)
  return http.post(target, http.chunked(pieces), "Content-Type: " .. multipart.type, "Transfer-Encoding: chunked")
end

return multipart
