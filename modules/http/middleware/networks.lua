-- Lists of networks, as one writes them: "10.0.0.0/8", "2001:db8::/32", or a single address. An IPv4 address is the
-- IPv6 address that stands for it (RFC 4291, 2.5.5.2), so both are eight groups of 16 bits, and compared alike.
local core = ...
local ipairs, match, min, tonumber, type = ipairs, string.match, math.min, tonumber, type
local client = core.load "modules/http/middleware/client.lua"
local options = core.load "modules/http/middleware/options.lua"
local networks = {}

-- Its groups, and how many bits of them count. nil: it is none.
local function parse(text)
  local address, length = match(text, "^([^/]+)/(%d%d?%d?)$")
  local groups, is_ipv4 = client.groups(address or text)
  if not groups then return nil end
  local all = is_ipv4 and 32 or 128
  local bits = length and tonumber(length) or all
  if bits > all then return nil end
  return groups, 128 - all + bits
end

local function is_within(groups, network)
  for i = 1, 8 do
    local bits = min(network.bits - 16 * (i - 1), 16)
    if bits <= 0 then return true end
    if (groups[i] ~ network.groups[i]) >> (16 - bits) ~= 0 then return false end
  end
  return true
end

-- A rule for options.check.
function networks.rule(value)
  if not options.list(value, function(one) return type(one) == "string" and parse(one) ~= nil end) then
    return 'a list of networks such as "10.0.0.0/8" or addresses'
  end
end

-- Makes a function that tells whether an address, a text, is in one of them. It remembers the last one: mostly the
-- same proxy asks again.
function networks.matcher(list)
  local all, last, found = {}, nil, nil
  for i, text in ipairs(list) do
    local groups, bits = parse(text)
    all[i] = { groups = groups, bits = bits }
  end
  local function find(address)
    local groups = client.groups(address)
    if not groups then return false end
    for _, network in ipairs(all) do
      if is_within(groups, network) then return true end
    end
    return false
  end
  return function(address)
    if address ~= last then last, found = address, find(address) end
    return found
  end
end

return networks
