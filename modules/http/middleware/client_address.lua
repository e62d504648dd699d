-- Who asks, where there is a proxy in between: the address that our own proxy has put into a header. Whoever is
-- connected could be somebody else, who may write there what he likes: only the peers of some networks are believed.
local core = ...
local gmatch, lower, match, sub, type = string.gmatch, string.lower, string.match, string.sub, type
local client = core.load "modules/http/middleware/client.lua"
local networks = core.load "modules/http/middleware/networks.lua"
local options = core.load "modules/http/middleware/options.lua"

-- (Each pattern finds its end at once: others would look at thousands of blanks again for each of them.)
local function trim(entry)
  return match(match(entry, "[^ \t].*") or "", "^.*[^ \t]") or ""
end

-- The entry that the outermost of our own proxies has made; all before it is what the client says.
local function entry_of(value, hops)
  local list, count = {}, 0
  for entry in gmatch(value, "[^,]+") do
    count = count + 1
    list[count] = entry
  end
  local entry = list[count - hops + 1]
  return entry and trim(entry)
end

-- Of an entry of Forwarded, `for=192.0.2.1;proto=https` (RFC 7239, 4), the one who asks. A comma in quotes has divided
-- it: then a quote is left, and it is none; so nobody can smuggle in an entry within the value of another one.
local function node_of(entry)
  local at, node = 1, nil
  repeat
    local name, value, after = match(entry, '^[ \t]*([%w_-]+)="([^%s",;\\]*)"[ \t]*()', at)
    if not name then name, value, after = match(entry, '^[ \t]*([%w_-]+)=([^%s",;\\]*)[ \t]*()', at) end
    if not name then return nil end
    if lower(name) == "for" then
      if node then return nil end
      node = value
    end
    local separator = sub(entry, after, after)
    if separator ~= "" and separator ~= ";" then return nil end
    at = after + 1
  until at > #entry
  return node
end

-- This machine, and networks that nobody reaches from outside (RFC 1122, 1918, 3927, 4193, 4291, 6598).
local PRIVATE = {
  "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
  "::1", "fc00::/7", "fe80::/10",
}

local rules = { header = options.header_name, proxies = options.integer(1, 16), from = networks.rule }

local function client_address(given)
  given = options.check("client_address", given, rules)
  local header, proxies = lower(given.header or "x-forwarded-for"), given.proxies or 1
  local is_forwarded, is_proxy = header == "forwarded", networks.matcher(given.from or PRIVATE)
  return function(req)
    local peer, value = client.of(req), req:header(header)
    if type(value) ~= "string" or peer and not is_proxy(peer) then return peer end
    local entry = entry_of(value, proxies)
    if entry and is_forwarded then entry = node_of(entry) end
    return entry and client.without_port(entry) or peer
  end
end

return { client_address = client_address }
