-- So many requests a second from each client, and no more than that: the generic cell rate algorithm (ITU-T I.371).
--
-- Of a client one number is kept: when its next request would come, were they evenly spaced. It may be ahead of now by
-- the burst. Who is behind now is as one that has never asked: so nobody is kept for longer than a burst takes. There
-- are two tables, recent and old; at the end of such a time recent becomes old, and what has been old is dropped, at
-- once. Where too many ask in that time it is dropped sooner, and those that have asked longest ago are forgotten.
local core = ...
local ceil, error, find, floor, format, max, min, sub, type =
  math.ceil, error, string.find, math.floor, string.format, math.max, math.min, string.sub, type
local monotonic = require("neap.timer").monotonic
local client = core.load "modules/http/middleware/client.lua"
local options = core.load "modules/http/middleware/options.lua"

local MICRO = 1e6
local ROUNDING = 0.5 -- us: less than the clock has
local KEY_PART = 128

-- ---- state ------------------------------------------------------------------------

local function new_state()
  return { recent = {}, old = {}, count = 0, turn = 0 }
end

local function turn(self, state, now)
  if now - state.turn < 2 * self.whole then state.old = state.recent else state.old = {} end
  state.recent, state.count, state.turn = {}, 0, now
end

-- When the client's next request would come.
local function find_next(self, state, key, now)
  if now - state.turn >= self.whole or state.count >= self.most or now < state.turn then turn(self, state, now) end
  local due = state.recent[key] or state.old[key] or now
  return max(now, min(due, now + self.whole)) -- an older version may have had another burst
end

local function keep(state, key, due)
  if state.recent[key] == nil then state.count = state.count + 1 end
  state.recent[key] = due
end

-- ---- who it is --------------------------------------------------------------------

local function default_key(req)
  local address = client.of(req)
  return address and client.network(address) or "local"
end

-- Bounded, whatever a client sends; addresses as one writes them.
local function normalize(key)
  if type(key) ~= "string" then
    error(format("rate_limit: key returned %s, not a string or nil", options.show(key)), 0)
  end
  if #key > 2 * KEY_PART then return sub(key, 1, KEY_PART) .. sub(key, -KEY_PART) end
  return find(key, ":", 1, true) and client.network(key) or key
end

-- ---- answers ----------------------------------------------------------------------

local function add_field(headers, name, value)
  local before = headers[name]
  headers[name] = before == nil and value or before .. ", " .. value
end

-- draft-ietf-httpapi-ratelimit-headers-10
local function add_fields(self, headers, due, now)
  local left = max(0, floor((now + self.whole - due + ROUNDING) / self.spacing))
  add_field(headers, "ratelimit-policy", self.policy)
  add_field(headers, "ratelimit", format('"%s";r=%d;t=%d', self.name, left, ceil((due - now) / MICRO)))
end

local function refuse(self, due, now)
  local seconds = max(1, ceil((due - self.ahead - now - ROUNDING) / MICRO))
  local headers = { ["retry-after"] = format("%d", seconds) }
  if self.fields then add_fields(self, headers, due, now) end
  return { status = 429, headers = headers, body = "Too Many Requests\n" }
end

-- ---- what it is made with ---------------------------------------------------------

local function rate_rule(value)
  if type(value) ~= "number" or not (value >= 1e-6 and value <= 1e6) then
    return "a number of requests a second, from 1e-6 to 1e6"
  end
end

local function name_rule(value)
  if type(value) ~= "string" or not find(value, "^[%w_.-]+$") or #value > 64 then
    return "a name of letters, digits and . _ -, at most 64"
  end
end

local rules = {
  rate = rate_rule, burst = options.integer(1, 1000000), key = options.func, max_clients = options.integer(2, 10000000),
  name = name_rule, headers = options.flag,
}

local made = 0

-- The n-th of a version goes on from where the n-th of the one before was.
local function next_name()
  made = made + 1
  return made == 1 and "default" or "default-" .. made
end

local function rate_limit(given)
  given = options.check("rate_limit", given, rules)
  local rate = given.rate
  if not rate then options.fail("rate_limit", "rate is missing, the number of requests a second") end
  local burst, name, key_of = given.burst or max(1, ceil(rate)), given.name or next_name(), given.key or default_key
  local spacing = MICRO / rate
  local self = {
    name = name, spacing = spacing, ahead = (burst - 1) * spacing, whole = burst * spacing, fields = given.headers,
    most = (given.max_clients or 10000) // 2, policy = format('"%s";q=%d;w=%d', name, burst, ceil(burst / rate)),
  }
  local state = require("neap.hot").state("http.rate_limit." .. name, new_state)
  local is_own = given.key ~= nil
  return function(req, next)
    local key = key_of(req)
    if key == nil then return next(req) end
    if is_own then key = normalize(key) end
    local now = floor(monotonic() * MICRO + 0.5)
    local due = find_next(self, state, key, now)
    if due - now > self.ahead + ROUNDING then
      keep(state, key, due)
      return refuse(self, due, now)
    end
    due = due + spacing
    keep(state, key, due)
    local response = next(req)
    if self.fields then add_fields(self, response.headers, due, now) end
    return response
  end
end

return { rate_limit = rate_limit }
