-- Who may ask. A browser lends itself to any page that it shows: that page may send a form to here, and may have its
-- own name resolved to this machine. But the browser says where a request comes from, and which name it has used.
local guard = {}

local function name_of(host)
  return (host:match "^%[.*%]" or host:match "^[^:]*"):lower()
end

function guard.is_loopback(address)
  local name = name_of(address)
  return address:find "^unix:" or name == "localhost" or name == "[::1]" or name:find "^127%.%d+%.%d+%.%d+$"
    or name:find "^[%w.-]+%.localhost$"
end

-- Names that nobody can get to have them resolved to this machine: addresses, and those of a network at home.
local NOT_FOR_SALE = {
  "^%[", "^%d+%.%d+%.%d+%.%d+$", "^[^.]+$", "%.localhost$", "%.local$", "%.lan$", "%.internal$", "%.home%.arpa$",
}

local function is_for_sale(name)
  for _, pattern in ipairs(NOT_FOR_SALE) do
    if name:find(pattern) then return false end
  end
  return true
end

-- Whether the server at this address goes by the name that was used. `names`: those that it was given, by name.
function guard.is_ours(req, address, names)
  local host = req:header "host"
  if not host then return true end -- no browser
  if not next(names) and not guard.is_loopback(address) then return not is_for_sale(name_of(host)) end
  if guard.is_loopback(host) and not host:find "^unix:" then return true end
  return address:find "^unix:" and not next(names) or names[name_of(host)]
end

-- Whether the request was not made for a page of another site. What is no browser says neither, and may. (A proxy may
-- have put its own name for the server in place of one of `names`.)
function guard.is_same_site(req, names)
  local site, origin = req:header "sec-fetch-site", req:header "origin"
  if site and site ~= "same-origin" and site ~= "none" then return false end
  if not origin then return true end
  local from, host = origin:lower():match "^https?://(.+)$", (req:header "host" or ""):lower()
  if not from or from == host then return from ~= nil end
  return names[name_of(from)] and not names[name_of(host)]
end

return guard
