-- sessions: what the server keeps for a browser, which has a cookie with its id.
--
-- They lie in hot.state, so a reload keeps them: plain data. All are in one list by their last use, its links are ids.
-- So a request costs the same with ten of them as with a million: what is too old, or too many, is at the list's end.
local core = ...
local error, floor, format, match, max, min, next, pairs, pcall, type =
  error, math.floor, string.format, string.match, math.max, math.min, next, pairs, pcall, type
local crypto, hot, http, timer = require "neap.crypto", require "neap.hot", require "neap.http", require "neap.timer"
local base64, cookie, monotonic, random = crypto.base64, http.cookie, timer.monotonic, crypto.random
local options = core.load "modules/http/middleware/options.lua"

local ID_BYTES, AT_ONCE = 18, 100 -- so many old ones go with one request at most
local CONTEXT = {} -- the key of what is kept with a request

-- ---- options ---------------------------------------------------------------------

local DEFAULTS = { max_age = 86400, max_lifetime = 30 * 86400, max_sessions = 10000, name = "session", path = "/",
  same_site = "lax", secure = false }

local function seconds(value)
  if type(value) ~= "number" or not (value >= 1 and value <= 1e9) then return "a number of seconds from 1 to 1e9" end
end

local rules = {
  domain = options.string, max_age = seconds, max_sessions = options.integer(1, 1000000000), name = options.string,
  path = options.string, same_site = options.string, secure = options.flag,
  max_lifetime = function(value) return value and seconds(value) and seconds(value) .. ", or false" or nil end,
}

-- With what is not given; the cookie itself says what it cannot be. Called by the function that a script calls.
local function complete(given)
  local all = {}
  for name, value in pairs(DEFAULTS) do all[name] = value end
  for name, value in pairs(given) do all[name] = value end
  local ok, message = pcall(cookie, all.name, "", { secure = all.secure, path = all.path, domain = all.domain,
    same_site = all.same_site })
  if not ok then options.fail("sessions", match(message, "%((.*)%)$") or message, 2) end
  return all
end

-- ---- the list: store.newest ... store.oldest, ids ----------------------------------

local function new_store()
  return { entries = {}, count = 0 }
end

local function link(store, entry)
  local second = store.newest
  entry.older, entry.newer = second, nil
  if second then store.entries[second].newer = entry.id else store.oldest = entry.id end
  store.newest = entry.id
  store.entries[entry.id] = entry
  store.count = store.count + 1
end

local function unlink(store, entry)
  local entries, older, newer = store.entries, entry.older, entry.newer
  if older then entries[older].newer = newer else store.oldest = newer end
  if newer then entries[newer].older = older else store.newest = older end
  entries[entry.id] = nil
  store.count = store.count - 1
end

-- Requests in flight may still hold its table: it is not kept any more.
local function drop(store, entry)
  entry.dropped = true
  unlink(store, entry)
end

local function is_over(settings, entry, now)
  return now - entry.used >= settings.max_age or
    (settings.max_lifetime and now - entry.made >= settings.max_lifetime)
end

local function drop_old(store, settings, now, room)
  for _ = 1, AT_ONCE do
    local entry = store.entries[store.oldest]
    if not entry or (store.count <= settings.max_sessions - room and not is_over(settings, entry, now)) then return end
    drop(store, entry)
  end
end

local function new_id()
  return base64(random(ID_BYTES), { url = true })
end

-- ---- one request -------------------------------------------------------------------

local function find_entry(store, settings, req, now)
  local id = req.cookies[settings.name]
  local entry = id and store.entries[id]
  if not entry then return nil end
  if is_over(settings, entry, now) then return drop(store, entry) end
  entry.used = now
  if store.newest ~= id then
    unlink(store, entry)
    link(store, entry)
  end
  return entry
end

-- It has another id than the one that this request came with: whoever knows the old one is not to learn the new one.
local function is_renewed(context)
  return context.entry.id ~= context.id
end

-- The old id is worth nothing from now on, and the answer brings the new one.
local function renew(req)
  local context = req[CONTEXT]
  if not context then error("there is no session of this request to renew", 2) end
  local entry, store = context.entry, context.store
  if not entry or entry.dropped or is_renewed(context) then return end
  unlink(store, entry)
  entry.id, entry.told = new_id(), nil
  link(store, entry)
  context.id = entry.id
end

local function make(store, settings, data, now)
  drop_old(store, settings, now, 1)
  local entry = { id = new_id(), data = data, made = now, used = now }
  link(store, entry)
  return entry
end

local function add_cookie(response, line)
  local headers = response.headers
  local there = headers["set-cookie"]
  if type(there) == "table" then
    local lines = {}
    for i = 1, #there do lines[i] = there[i] end
    lines[#lines + 1] = line
    headers["set-cookie"] = lines
  else
    headers["set-cookie"] = there and { there, line } or line
  end
end

-- What is meant for one must not be kept for others.
local function keep_private(response)
  local headers = response.headers
  headers["cache-control"] = headers["cache-control"] or "private"
end

local function set_cookie(settings, response, id, age)
  add_cookie(response, cookie(settings.name, id, { max_age = age, path = settings.path, domain = settings.domain,
    secure = settings.secure, same_site = settings.same_site }))
end

-- Once in a while, so that the browser keeps it as long as we do.
local function tell(settings, response, entry, now)
  if entry.told and now - entry.told < settings.max_age / 10 then return end
  entry.told = now
  local age = settings.max_age
  if settings.max_lifetime then age = min(age, max(entry.made + settings.max_lifetime - now, 1)) end
  set_cookie(settings, response, entry.id, floor(age))
end

-- Within other sessions, of another name, the request has theirs again.
local function finish(store, settings, req, context, response)
  local data, entry, now = req.session, context.entry, monotonic()
  if context.outer then req[CONTEXT], req.session = context.outer, context.outer_session end
  if data ~= nil and type(data) ~= "table" then error(format("req.session is a %s, not a table", type(data)), 0) end
  if not entry then
    if not data or next(data) == nil then return response end
    context.entry = make(store, settings, data, now)
    context.id = context.entry.id
  elseif entry.dropped then -- another request has ended it
    keep_private(response)
    return response
  elseif not data then
    drop(store, entry)
    set_cookie(settings, response, "", 0)
  elseif data ~= context.data and not is_renewed(context) then
    entry.data = data
  end
  if data and not is_renewed(context) then tell(settings, response, context.entry, now) end
  keep_private(response)
  return response
end

local function serve(store, settings, req, following)
  local now = monotonic()
  drop_old(store, settings, now, 0)
  local entry = find_entry(store, settings, req, now)
  local data = entry and entry.data or {}
  local context = {
    store = store, entry = entry, id = entry and entry.id, data = data, outer = req[CONTEXT],
    outer_session = req.session,
  }
  req[CONTEXT], req.session, req.renew_session = context, data, renew
  return finish(store, settings, req, context, following(req))
end

-- ---- middleware.sessions(options) ----------------------------------------------------

local function sessions(given)
  local settings = complete(options.check("sessions", given, rules))
  local store = hot.state("http.sessions." .. settings.name, new_store)
  return function(req, following)
    return serve(store, settings, req, following)
  end
end

return { sessions = sessions }
