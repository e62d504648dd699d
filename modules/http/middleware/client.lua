-- Who asks: the address of a client without its port, and what counts as one client.
local find, format, gmatch, gsub, lower, match, sub, tonumber =
  string.find, string.format, string.gmatch, string.gsub, string.lower, string.match, string.sub, tonumber
local client = {}

-- ---- addresses, as text -----------------------------------------------------------

local function is_ipv4(text)
  local a, b, c, d = match(text, "^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  return a and tonumber(a) < 256 and tonumber(b) < 256 and tonumber(c) < 256 and tonumber(d) < 256
end

-- Appends the groups of "a:b:c" to the list: false where they are none.
local function add_groups(list, text)
  if text == "" then return true end
  if find(text, "^:") or find(text, ":$") then return false end
  for group in gmatch(text, "[^:]*") do
    if #list == 8 or not find(group, "^%x%x?%x?%x?$") then return false end
    list[#list + 1] = tonumber(group, 16)
  end
  return true
end

-- The eight groups of an IPv6 address, or nil. (RFC 4291, 2.2; a zone, as in fe80::1%eth0, is left out.)
local function groups_of(text)
  if #text > 80 then return nil end
  text = gsub(lower(text), "%%[%w._~-]+$", "")
  local front, a, b, c, d = match(text, "^(.*:)(%d+)%.(%d+)%.(%d+)%.(%d+)$")
  if front then
    if not is_ipv4(sub(text, #front + 1)) then return nil end
    text = format("%s%02x%02x:%02x%02x", front, tonumber(a), tonumber(b), tonumber(c), tonumber(d))
  end
  local left, right = match(text, "^(.-)::(.*)$")
  local list, tail = {}, {}
  if not add_groups(list, left or text) then return nil end
  if not left then return #list == 8 and list or nil end
  if not add_groups(tail, right) or #list + #tail > 7 then return nil end
  for _ = #list + 1, 8 - #tail do list[#list + 1] = 0 end
  for i = 1, #tail do list[#list + 1] = tail[i] end
  return list
end

local function is_mapped(list)
  return list[6] == 0xffff and list[1] | list[2] | list[3] | list[4] | list[5] == 0
end

-- The eight groups of any address, of an IPv4 one those of "::ffff:10.0.0.1" and true. nil: it is none.
function client.groups(text)
  if is_ipv4(text) then return groups_of("::ffff:" .. text), true end
  return groups_of(text), false
end

-- What counts as one client: an IPv4 address, the /64 of an IPv6 address. nil: it is no address.
function client.network(text)
  if is_ipv4(text) then return text end
  if not find(text, ":", 1, true) then return nil end
  local list = groups_of(text)
  if not list then return nil end
  if is_mapped(list) then
    return format("%d.%d.%d.%d", list[7] >> 8, list[7] & 255, list[8] >> 8, list[8] & 255)
  end
  return format("%x:%x:%x:%x::/64", list[1], list[2], list[3], list[4])
end

-- "10.0.0.1:5000" and "[::1]:5000" without the port; also an address that has none. nil: it is no address.
function client.without_port(text)
  local host = match(text, "^([%d.]+):%d+$") or match(text, "^%[([^%[%]]+)%]:%d+$") or
    match(text, "^%[([^%[%]]+)%]$") or text
  if is_ipv4(host) then return host end
  return find(host, ":", 1, true) and groups_of(host) and host or nil
end

-- The address of whoever is connected: nil at a Unix socket.
function client.of(req)
  local peer = req.peer
  if not peer then return nil end
  return match(peer, "^([%d.]+):%d+$") or client.without_port(peer)
end

return client
