-- basic_auth: a name and a password with each request (RFC 7617).
--
-- How long a refusal takes does not tell whether there is such a user: each is compared in the same way, as a digest
-- under a key of this process; and where one has a hash that is slow on purpose, everybody is hashed. What was right
-- once is remembered as its digest, so that only the first request of a user is slow.
local core = ...
local error, format, next, pairs, select, tostring, type =
  error, string.format, next, pairs, select, tostring, type
local find, gsub, lower, match, sub = string.find, string.gsub, string.lower, string.match, string.sub
local len = utf8.len
local crypto, http = require "neap.crypto", require "neap.http"
local options = core.load "modules/http/middleware/options.lua"

local CONTROL = "[\0-\31\127]"

-- ---- options ---------------------------------------------------------------------

local rules = {
  check = options.func,
  realm = function(value)
    if type(value) ~= "string" or find(value, CONTROL) then return "a string without control bytes" end
  end,
  users = function(value)
    if type(value) ~= "table" then return "a table of passwords" end
  end,
}

-- Called by what the function calls that a script calls.
local function refuse(text, ...)
  options.fail("basic_auth", format(text, ...), 4)
end

local function check_user(name, password)
  if type(name) ~= "string" or find(name, ":", 1, true) or find(name, CONTROL) or not len(name) then
    refuse("'%s' cannot be the name of a user", gsub(tostring(name), "%c", "?"))
  end
  if type(password) ~= "string" or password == "" or find(password, CONTROL) or not len(password) then
    refuse("the password of '%s' is none", name)
  end
end

-- ---- users -----------------------------------------------------------------------

local function digest(key, password)
  return crypto.hmac("sha256", key, password)
end

local function is_hash(password)
  return sub(password, 1, 8) == "$scrypt$"
end

-- What the users of a table are compared with.
local function read_users(users)
  local book = { key = crypto.random(32), digests = {}, hashes = {} }
  for name, password in pairs(users) do
    check_user(name, password)
    if is_hash(password) then book.hashes[name] = password else book.digests[name] = digest(book.key, password) end
  end
  book.nobody = crypto.random(32) -- the digest of no password
  book.any_hash = select(2, next(book.hashes))
  return book
end

-- A hash that is none is a mistake in the table: better said than "wrong password".
local function verify(password, hash)
  local right, message = crypto.verify_password(password, hash)
  if right == nil then error("basic_auth: " .. message, 0) end
  return right
end

local function knows(book, name, password)
  local sent = digest(book.key, password)
  if crypto.equal(sent, book.digests[name] or book.nobody) then return true end
  if not book.any_hash then return false end
  local hash = book.hashes[name]
  local right = verify(password, hash or book.any_hash)
  if not (right and hash) then return false end
  book.digests[name] = sent
  return true
end

-- ---- requests --------------------------------------------------------------------

-- The name and the password of an Authorization header; nothing where there are none.
local function read_credentials(header)
  local scheme, token = match(header or "", "^([A-Za-z]+) +([^ ]+) *$")
  local text = scheme and lower(scheme) == "basic" and crypto.from_base64(token)
  if not text or find(text, CONTROL) or not len(text) then return nil end
  return match(text, "^([^:]*):(.*)$")
end

-- Who it is: nil for nobody.
local function find_user(ask, req)
  local name, password = read_credentials(req:header "authorization")
  if not name then return nil end
  local user = ask(name, password, req)
  if user == true then return name end
  return user or nil
end

local function basic_auth(given)
  if given == nil then options.fail("basic_auth", "table expected, got no value") end
  given = options.check("basic_auth", given, rules)
  if (given.users == nil) == (given.check == nil) then
    options.fail("basic_auth", "either users or check must be given")
  end
  local ask, book = given.check, given.users and read_users(given.users)
  if book then
    function ask(name, password) return knows(book, name, password) end
  end
  local realm = gsub(given.realm or "restricted", '[\\"]', "\\%0")
  local challenge = format('Basic realm="%s", charset="UTF-8"', realm)
  return function(req, following)
    local user = find_user(ask, req)
    if user == nil then return http.text("Unauthorized\n", 401, { ["www-authenticate"] = challenge }) end
    req.user = user
    return following(req)
  end
end

return { basic_auth = basic_auth }
