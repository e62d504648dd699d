-- sessions: what the server keeps for a browser, which has a cookie with its id.
--
-- They lie in hot.state, so a reload keeps them: plain data. All are in one list by their last use, its links are ids.
-- So a request costs the same with ten of them as with a million: what is too old, or too many, is at the list's end.
local error, floor, format, match, max, min, next, pairs, pcall, type =
  error, math.floor, string.format, string.match, math.max, math.min, next, pairs, pcall, type
local concat, sort = table.concat, table.sort
local crypto, hot, http, timer = require "neap.crypto", require "neap.hot", require "neap.http", require "neap.timer"
local base64, cookie, monotonic, random = crypto.base64, http.cookie, timer.monotonic, crypto.random

local ID_BYTES, AT_ONCE = 18, 100 -- so many old ones go with one request at most
local CONTEXT = {} -- the key of what is kept with a request

local DEFAULTS = { domain = "string", max_age = 86400, max_lifetime = 30 * 86400, max_sessions = 10000,
  name = "session", path = "/", same_site = "lax", secure = false }

-- ---- options ---------------------------------------------------------------------

local function refuse(text, ...)
  error(format("bad argument #1 to 'sessions' (" .. text .. ")", ...), 4)
end

local function check_name(key)
  if DEFAULTS[key] ~= nil then return end
  local names = {}
  for name in pairs(DEFAULTS) do names[#names + 1] = name end
  sort(names)
  refuse("unknown option '%s' (there are: %s)", key, concat(names, ", "))
end

local function check_range(name, value)
  if type(value) ~= "number" or not (value >= 1 and value <= 1e9) then
    refuse("%s must be a number from 1 to 1e9, not %s", name, value)
  end
end

local function check(options)
  if options ~= nil and type(options) ~= "table" then refuse("table expected, got %s", type(options)) end
  local all = {}
  for name, value in pairs(DEFAULTS) do all[name] = value end
  all.domain = nil
  for name, value in pairs(options or all) do
    check_name(name)
    if type(value) ~= type(DEFAULTS[name]) and not (name == "max_lifetime" and value == false) then
      refuse("%s must be a %s, not a %s", name, type(DEFAULTS[name]), type(value))
    end
    all[name] = value
  end
  check_range("max_age", all.max_age)
  check_range("max_sessions", all.max_sessions)
  if all.max_lifetime then check_range("max_lifetime", all.max_lifetime) end
  local ok, message = pcall(cookie, all.name, "", { secure = all.secure, path = all.path, domain = all.domain,
    same_site = all.same_site })
  if not ok then refuse("%s", match(message, "%((.*)%)$") or message) end
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

local function is_over(options, entry, now)
  return now - entry.used >= options.max_age or
    (options.max_lifetime and now - entry.made >= options.max_lifetime)
end

local function drop_old(store, options, now, room)
  for _ = 1, AT_ONCE do
    local entry = store.entries[store.oldest]
    if not entry or (store.count <= options.max_sessions - room and not is_over(options, entry, now)) then return end
    drop(store, entry)
  end
end

local function new_id()
  return base64(random(ID_BYTES), { url = true })
end

-- ---- one request -------------------------------------------------------------------

local function find_entry(store, options, req, now)
  local id = req.cookies[options.name]
  local entry = id and store.entries[id]
  if not entry then return nil end
  if is_over(options, entry, now) then return drop(store, entry) end
  entry.used = now
  if store.newest ~= id then
    unlink(store, entry)
    link(store, entry)
  end
  return entry
end

-- The old id is worth nothing from now on, and the answer brings the new one.
local function renew(req)
  local context = req[CONTEXT]
  if not context then error("there is no session of this request to renew", 2) end
  local entry, store = context.entry, context.store
  if not entry or entry.dropped then return end
  unlink(store, entry)
  entry.id, entry.told = new_id(), nil
  link(store, entry)
end

local function make(store, options, data, now)
  drop_old(store, options, now, 1)
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
  -- What is meant for one must not be kept for others.
  headers["cache-control"] = headers["cache-control"] or "private"
end

local function set_cookie(options, response, id, age)
  add_cookie(response, cookie(options.name, id, { max_age = age, path = options.path, domain = options.domain,
    secure = options.secure, same_site = options.same_site }))
end

-- Once in a while, so that the browser keeps it as long as we do.
local function tell(options, response, entry, now)
  if entry.told and now - entry.told < options.max_age / 10 then return end
  entry.told = now
  local age = options.max_age
  if options.max_lifetime then age = min(age, max(entry.made + options.max_lifetime - now, 1)) end
  set_cookie(options, response, entry.id, floor(age))
end

-- Within other sessions, of another name, the request has theirs again.
local function finish(store, options, req, context, response)
  local data, entry, now = req.session, context.entry, monotonic()
  if context.outer then req[CONTEXT], req.session = context.outer, context.outer_session end
  if data ~= nil and type(data) ~= "table" then error(format("req.session is a %s, not a table", type(data)), 0) end
  if not entry then
    if not data or next(data) == nil then return response end
    entry = make(store, options, data, now)
  elseif entry.dropped then -- another request has ended it
    return response
  elseif not data then
    drop(store, entry)
    set_cookie(options, response, "", 0)
    return response
  elseif data ~= context.data then
    entry.data = data
  end
  tell(options, response, entry, now)
  return response
end

local function serve(store, options, req, following)
  local now = monotonic()
  drop_old(store, options, now, 0)
  local entry = find_entry(store, options, req, now)
  local data = entry and entry.data or {}
  local context = { store = store, entry = entry, data = data, outer = req[CONTEXT], outer_session = req.session }
  req[CONTEXT], req.session, req.renew_session = context, data, renew
  return finish(store, options, req, context, following(req))
end

-- ---- middleware.sessions(options) ----------------------------------------------------

local function sessions(options)
  options = check(options)
  local store = hot.state("http.sessions." .. options.name, new_store)
  return function(req, following)
    return serve(store, options, req, following)
  end
end

return { sessions = sessions }
