-- A line for each request, written when its answer has gone out, or has failed.
--
-- What a client sends is never written as it came: a byte that could end a line, close a quote, or move a terminal's
-- cursor is escaped. Lines wait for the disk and for slow readers beside the loop, whole, and in their order.
local concat, date, error, find, floor, format, gsub, io_open, match, pcall, setmetatable, sub, tostring, type,
  byte, codepoint, utf8_len =
  table.concat, os.date, error, string.find, math.floor, string.format, string.gsub, io.open, string.match, pcall,
  setmetatable, string.sub, tostring, type, string.byte, utf8.codepoint, utf8.len
local core = ...
local stdout, stderr = io.stdout, io.stderr
local neap, timer = require "neap", require "neap.timer"
local go, monotonic, wall = neap.go, timer.monotonic, timer.now
local client = core.load "modules/http/middleware/client.lua"
local options = core.load "modules/http/middleware/options.lua"

local MANY = 1 << 20 -- bytes: from here on who can wait does
local LOOK = 1 << 16 -- bytes until somebody looks how many are under way

-- ---- an entry: what is known of a request -----------------------------------------

local lazily = {
  client = function(entry) return entry.log.client(entry.req) end,
  id = function(entry) return entry.req.id end,
  referer = function(entry) return entry.req:header "referer" end,
  user_agent = function(entry) return entry.req:header "user-agent" end,
  user = function(entry)
    local user = entry.req.user
    return type(user) == "string" and user or nil
  end,
  version = function(entry) return entry.req.version end,
}

-- ---- text that may be anything ----------------------------------------------------

local function hex(char)
  return format("\\x%02X", byte(char))
end

local escapes = setmetatable({ ['"'] = '\\"', ["\\"] = "\\\\" }, { __index = function(_, char) return hex(char) end })

-- As Apache and nginx do it.
local function quote(text)
  if text == nil then return '"-"' end
  if find(text, '[\0-\31"\\\127-\255]') then text = gsub(text, '[\0-\31"\\\127-\255]', escapes) end
  return '"' .. text .. '"'
end

-- A word, in the middle of others.
local function word(text)
  if text == nil then return "-" end
  if text == "" then return '""' end
  return find(text, '[\0-\32"\\\127-\255]') and gsub(text, '[\0-\32"\\\127-\255]', escapes) or text
end

local json_escapes = setmetatable({ ['"'] = '\\"', ["\\"] = "\\\\" }, {
  __index = function(_, char) return format("\\u%04x", byte(char)) end,
})

local function json_code(char)
  return format("\\u%04x", codepoint(char))
end

-- Characters that no ASCII set has, and that do the same harm: U+0080 to U+009F (controls, U+009B begins what moves a
-- cursor), U+2028 and U+2029 (ends of lines), U+202A to U+202E, U+2066 to U+2069 (what is before is shown behind).
local HARMFUL = { "\xC2[\x80-\x9F]", "\xE2\x80[\xA8-\xAE]", "\xE2\x81[\xA6-\xA9]" }

local function json_string(text)
  if not find(text, '[\0-\31"\\\127-\255]') then return '"' .. text .. '"' end
  if not utf8_len(text) then return '"' .. gsub(text, '[\0-\31"\\\127-\255]', json_escapes) .. '"' end
  text = gsub(text, '[\0-\31"\\\127]', json_escapes)
  for i = 1, #HARMFUL do text = gsub(text, HARMFUL[i], json_code) end
  return '"' .. text .. '"'
end

-- ---- formats ----------------------------------------------------------------------

local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

-- 10/Oct/2000:13:55:36 -0700, made once a second. No locale has a say in it.
local clf_second, clf_text
local function clf_date(time)
  local second = floor(time)
  if second ~= clf_second then
    local t = date("*t", second)
    clf_second = second
    clf_text = format("%02d/%s/%04d:%02d:%02d:%02d %s", t.day, MONTHS[t.month], t.year, t.hour, t.min, t.sec,
      date("%z", second))
  end
  return clf_text
end

-- RFC 3339, in UTC.
local iso_second, iso_text
local function iso_date(time)
  local second = floor(time)
  if second ~= iso_second then iso_second, iso_text = second, date("!%Y-%m-%dT%H:%M:%S.", second) end
  return format("%s%03dZ", iso_text, floor((time - second) * 1000))
end

-- In seconds; a locale might write a comma.
local function duration_text(entry)
  local us = floor(entry.duration * 1e6 + 0.5)
  return format("%d.%06d", us // 1000000, us % 1000000)
end

local function common(entry)
  local bytes = entry.bytes
  return word(entry.client) .. " - " .. word(entry.user) .. " [" .. clf_date(entry.time) .. "] " ..
    quote(entry.method .. " " .. entry.target .. " HTTP/" .. entry.version) .. " " .. entry.status .. " " ..
    (bytes and bytes > 0 and bytes or "-")
end

local function combined(entry)
  return common(entry) .. " " .. quote(entry.referer) .. " " .. quote(entry.user_agent)
end

local function with_duration(make)
  return function(entry) return make(entry) .. " " .. duration_text(entry) end
end

local TEXTS = { "client", "user", "method", "target", "version", "referer", "user_agent", "id", "error" }

local function json(entry)
  local parts = { format('{"time":"%s","status":%d,"duration":%s', iso_date(entry.time), entry.status,
    duration_text(entry)) }
  if entry.bytes then parts[2] = format(',"bytes":%d', entry.bytes) end
  for i = 1, #TEXTS do
    local value = entry[TEXTS[i]]
    if value then parts[#parts + 1] = ',"' .. TEXTS[i] .. '":' .. json_string(value) end
  end
  parts[#parts + 1] = "}"
  return concat(parts)
end

-- What a script makes may hold what a client has sent: it is a line all the same.
local function one_line(make)
  return function(entry)
    local line = make(entry)
    if line == nil then return nil end
    if type(line) ~= "string" then error("access_log: format returned a " .. type(line) .. ", not a string", 0) end
    return find(line, "[\n\r]") and gsub(line, "[\n\r]", hex) or line
  end
end

-- ---- where lines go ---------------------------------------------------------------

-- Standard output has a queue of its own (host/output.h): it is not waited for, unless that gets long.
local under_way = 0
local function to_stdout(line, may_wait)
  stdout:write(line, "\n")
  under_way = under_way + #line
  if under_way < LOOK or not may_wait then return end
  under_way = 0
  if neap.stdout.pending > MANY then neap.stdout:flush() end
end

local function write_now(path, text)
  local file <close>, message = io_open(path, "a")
  if not file then return nil, message end
  return file:write(text)
end

local told = -math.huge
local function complain(message)
  local now = monotonic()
  if now - told < 60 then return end
  told = now
  stderr:write("neap: access log: ", tostring(message), ": lines are lost\n")
end

-- What has not been written when the program ends, and nothing can be waited for any more.
local function save(path, queue)
  if queue.count == 0 then return end
  local text = concat(queue, "\n", 1, queue.count) .. "\n"
  queue.count, queue.size = 0, 0
  local ok, message = write_now(path, text)
  if not ok then complain(message) end
end

-- All that has come while the last lines were written goes out together: one job of the thread pool, which opens the
-- file anew. So it may be renamed at any time, and whole lines are in either one.
local function write_queue(path, queue)
  local fs = require "neap.fs"
  local _ <close> = setmetatable({}, { __close = function()
    queue.task = nil
    save(path, queue)
  end })
  while queue.count > 0 do
    local text = concat(queue, "\n", 1, queue.count) .. "\n"
    queue.count, queue.size = 0, 0
    local ok, message = fs.write(path, text, { append = true })
    if not ok then complain(message) end
  end
end

local function to_file(path)
  local queue = { count = 0, size = 0, task = nil }
  return function(line, may_wait)
    queue.count, queue.size = queue.count + 1, queue.size + #line
    queue[queue.count] = line
    if not queue.task then
      local ok, task = pcall(go, write_queue, path, queue)
      if not ok then return save(path, queue) end
      queue.task = task
    end
    if may_wait and queue.size > MANY then queue.task:join() end
  end
end

-- ---- one request ------------------------------------------------------------------

local function log(entry, status, bytes, message, may_wait)
  local self = entry.log
  entry.open, entry.status, entry.bytes, entry.error = false, status, bytes, message
  entry.duration = monotonic() - entry.since
  local line = self.make(entry)
  if line then self.write(line, may_wait) end
end

-- Only the first line, and not all of that: the report has the rest, under the same id.
local function text_of(err)
  if type(err) ~= "string" then return type(err) end
  return sub(match(err, "^[^\n]*"), 1, 200)
end

-- The handler has not returned: it has failed, or was cancelled.
local guard = {
  __index = function(entry, key)
    local get = lazily[key]
    return get and get(entry)
  end,
  __close = function(entry, err)
    if not entry.open then return end
    local status, reason = core.outcome(entry.req, err)
    log(entry, status, nil, reason or text_of(err), false)
  end,
}

-- What others have to do after the answer is done also where a line cannot be made or written.
local others = { __close = function(call) call[1](call[2], call[3]) end }

local function run(self, req, next)
  local entry <close> = setmetatable({
    log = self, req = req, open = true, time = wall(), since = monotonic(), method = req.method, target = req.target,
    status = false, bytes = false, duration = false, error = false, -- room: so it need not grow
  }, guard)
  local response = next(req)
  local after = response.after
  response.after = function(bytes, message)
    local _ <close> = after and setmetatable({ after, bytes, message }, others)
    local other = message and core.outcome(req, nil) -- it has been refused
    log(entry, other or response.status, not other and bytes or nil, message, not after)
  end
  entry.open = false
  return response
end

-- ---- what it is made with ---------------------------------------------------------

local formats = { common = common, combined = combined, json = json }

local rules = {
  format = function(value)
    if type(value) ~= "function" and not (type(value) == "string" and formats[value]) then
      return '"common", "combined", "json" or a function'
    end
  end,
  write = options.func, skip = options.func, duration = options.flag, client = options.func,
  path = function(value)
    if type(value) ~= "string" or value == "" or find(value, "\0", 1, true) then return "the path of a file" end
  end,
}

local function access_log(given)
  given = options.check("access_log", given, rules)
  local make = given.format or "common"
  if type(make) == "function" then make = one_line(make) else make = formats[make] end
  if given.duration and (make == common or make == combined) then make = with_duration(make) end
  if given.path and given.write then options.fail("access_log", "path and write exclude each other") end
  if given.path then
    local ok, message = write_now(given.path, "")
    if not ok then options.fail("access_log", message) end
  end
  local own = given.write
  local self = {
    make = make, write = own and function(line) own(line) end or given.path and to_file(given.path) or to_stdout,
    client = given.client or client.of,
  }
  local skip = given.skip
  return function(req, next)
    if skip and skip(req) then return next(req) end
    return run(self, req, next)
  end
end

return { access_log = access_log }
