-- Conditions and ranges, as clients of http.file and http.static send them: RFC 9110, 13 and 14.
local fs, http = require "neap.fs", require "neap.http"
local test = require "neap.test"

local TEXT = ("0123456789"):rep(100)
local CHANGED = 784111777
local AT = "Sun, 06 Nov 1994 08:49:37 GMT"
local BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
local AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"

-- The status and the response to a request of a.txt, which has `size` bytes; "@" in a header is its entity tag.
local function server_of(size, options)
  local dir = test.tempdir()
  local path = dir.path .. "/a.txt"
  assert(fs.write(path, TEXT:sub(1, size or #TEXT)))
  assert(fs.utime(path, CHANGED, CHANGED))
  local app = http.router()
  app:any("/*rest", http.file(path, options))
  local etag = app:request("/"):header "etag"
  return function(headers, method)
    local sent = {}
    for name, value in pairs(headers) do sent[name] = value:gsub("@", etag or "none") end
    local response <close> = assert(app:request { method = method, headers = sent })
    local body = assert(response:body())
    return response.status, response, body
  end, etag
end

describe("a file's conditions", function()
  -- status, headers
  local rows = {
    -- If-Match: strong, before all others
    { 200, { ["If-Match"] = "@" } },
    { 200, { ["If-Match"] = "*" } },
    { 200, { ["If-Match"] = '"x", @' } },
    { 200, { ["If-Match"] = ',, "x" ,@' } },
    { 412, { ["If-Match"] = '"x"' } },
    { 412, { ["If-Match"] = "W/@" } },
    { 412, { ["If-Match"] = "" } },
    { 412, { ["If-Match"] = "x" } },
    { 412, { ["If-Match"] = '"x" @' } },
    { 412, { ["If-Match"] = '"x", *' } },
    { 200, { ["If-Match"] = "@", ["If-Unmodified-Since"] = BEFORE } },
    { 412, { ["If-Match"] = '"x"', ["If-None-Match"] = "@" } },
    { 304, { ["If-Match"] = "@", ["If-None-Match"] = "@" } },
    -- If-Unmodified-Since
    { 200, { ["If-Unmodified-Since"] = AT } },
    { 200, { ["If-Unmodified-Since"] = AFTER } },
    { 412, { ["If-Unmodified-Since"] = BEFORE } },
    { 412, { ["If-Unmodified-Since"] = "Sunday, 06-Nov-94 08:49:36 GMT" } },
    { 412, { ["If-Unmodified-Since"] = "Sun Nov  6 08:49:36 1994" } },
    { 200, { ["If-Unmodified-Since"] = "yesterday" } },
    { 412, { ["If-Unmodified-Since"] = BEFORE, ["If-None-Match"] = "@" } },
    -- If-None-Match: weak, and no date beside it counts
    { 304, { ["If-None-Match"] = "@" } },
    { 304, { ["If-None-Match"] = "W/@" } },
    { 304, { ["If-None-Match"] = '"x", W/"y",@' } },
    { 304, { ["If-None-Match"] = "*" } },
    { 200, { ["If-None-Match"] = '"x"' } },
    { 200, { ["If-None-Match"] = "" } },
    { 200, { ["If-None-Match"] = '"x", *' } },
    { 200, { ["If-None-Match"] = '"x"', ["If-Modified-Since"] = AFTER } },
    { 304, { ["If-None-Match"] = "@", ["If-Modified-Since"] = BEFORE } },
    -- If-Modified-Since
    { 304, { ["If-Modified-Since"] = AT } },
    { 304, { ["If-Modified-Since"] = AFTER } },
    { 304, { ["If-Modified-Since"] = "Sunday, 06-Nov-94 08:49:37 GMT" } },
    { 304, { ["If-Modified-Since"] = "Sun Nov  6 08:49:37 1994" } },
    { 200, { ["If-Modified-Since"] = BEFORE } },
    { 200, { ["If-Modified-Since"] = "Sun Nov  6 08:49:36 1994" } },
    { 200, { ["If-Modified-Since"] = "Sun, 06 Nov 1994 08:49:37" } },
    { 200, { ["If-Modified-Since"] = "Sun, 31 Nov 1994 08:49:37 GMT" } },
    { 200, { ["If-Modified-Since"] = "784111777" } },
    { 200, { ["If-Modified-Since"] = "" } },
    -- before any range
    { 304, { ["If-None-Match"] = "@", Range = "bytes=0-1" } },
    { 412, { ["If-Match"] = '"x"', Range = "bytes=5000-" } },
    { 206, { ["If-None-Match"] = '"x"', Range = "bytes=0-1" } },
    -- If-Range: strong; a list is none
    { 206, { ["If-Range"] = "@", Range = "bytes=0-1" } },
    { 206, { ["If-Range"] = AT, Range = "bytes=0-1" } },
    { 206, { ["If-Range"] = "Sunday, 06-Nov-94 08:49:37 GMT", Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = '"x"', Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = "W/@", Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = "@, @", Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = "*", Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = BEFORE, Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = AFTER, Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = "yesterday", Range = "bytes=0-1" } },
    { 200, { ["If-Range"] = '"x"', Range = "bytes=5000-" } },
    { 416, { ["If-Range"] = "@", Range = "bytes=5000-" } },
    { 200, { ["If-Range"] = "@" } },
  }

  local function shown(headers)
    local list = {}
    for name, value in pairs(headers) do list[#list + 1] = name .. ": " .. value end
    table.sort(list)
    return table.concat(list, ", ")
  end

  it("are judged in the order of section 13.2.2", function()
    local ask = server_of()
    for _, row in ipairs(rows) do
      local status, response, body = ask(row[2])
      assert.same({ row[1], shown(row[2]) }, { status, shown(row[2]) })
      if status == 200 then assert.equal(TEXT, body) end
      if status == 304 then assert.same({ "", nil }, { body, response:header "content-type" }) end
    end
  end)

  it("are the same for HEAD, which has no ranges", function()
    local ask = server_of()
    for _, row in ipairs(rows) do
      local expected = (row[1] == 206 or row[1] == 416) and 200 or row[1]
      local status, response, body = ask(row[2], "HEAD")
      assert.same({ expected, "", shown(row[2]) }, { status, body, shown(row[2]) })
      if status == 200 then assert.equal(tostring(#TEXT), response:header "content-length") end
      assert.is_nil(response:header "content-range")
    end
  end)

  it("leave to an unchanged file what a cache has to know", function()
    local ask, etag = server_of(nil, { max_age = 60, headers = { vary = "origin", ["x-own"] = "1" } })
    local status, response = ask { ["If-None-Match"] = "@" }
    assert.same({ 304, etag, AT, "max-age=60", "origin", "1" }, { status, response:header "etag",
      response:header "last-modified", response:header "cache-control", response:header "vary",
      response:header "x-own" })
  end)

  it("go without tags where there are none", function()
    local ask, etag = server_of(nil, { etag = false })
    assert.is_nil(etag)
    assert.equal(304, (ask { ["If-Modified-Since"] = AT }))
    assert.equal(200, (ask { ["If-None-Match"] = '"x"' }))
    assert.equal(304, (ask { ["If-None-Match"] = "*" }))
    assert.equal(412, (ask { ["If-Match"] = '"x"' }))
    assert.equal(206, (ask { ["If-Range"] = AT, Range = "bytes=0-0" }))
  end)

  it("see each change, also one that leaves the size and the second", function()
    local dir = test.tempdir()
    local path = dir.path .. "/a"
    local app = http.router()
    app:get("/", http.file(path))
    local before
    for i = 1, 3 do
      assert(fs.write(path .. "new", tostring(i)))
      assert(fs.utime(path .. "new", CHANGED, CHANGED))
      assert(fs.rename(path .. "new", path))
      local response <close> = assert(app:request "/")
      assert.equal(tostring(i), response:body())
      assert.not_equal(before, response:header "etag")
      before = response:header "etag"
    end
  end)
end)

describe("a file of tomorrow", function()
  it("has not changed later than now", function()
    local dir = test.tempdir()
    assert(fs.write(dir.path .. "/a", TEXT))
    assert(fs.utime(dir.path .. "/a", 4115404800, 4115404800)) -- in 2100
    local app = http.router()
    app:get("/", http.file(dir.path .. "/a"))
    local response <close> = assert(app:request "/")
    local modified = response:header "last-modified"
    assert.matches("^%a%a%a, %d%d %a%a%a 20%d%d %d%d:%d%d:%d%d GMT$", modified)
    assert.is_nil(modified:find "2100")
    local again <close> = assert(app:request { headers = { ["If-Modified-Since"] = modified } })
    assert.equal(200, again.status)
  end)
end)

describe("a file's ranges", function()
  -- of 1000 bytes: a range, and what is given: "first-last", more of them, "all" or "none"
  local rows = {
    { "bytes=0-0", "0-0" }, { "bytes=0-99", "0-99" }, { "bytes=990-", "990-999" }, { "bytes=-10", "990-999" },
    { "bytes=0-", "0-999" }, { "bytes=-1000", "0-999" }, { "bytes=-5000", "0-999" }, { "bytes=999-5000", "999-999" },
    { "Bytes=0-9", "0-9" }, { "bytes= 0-9 , ", "0-9" }, { "bytes=0-18446744073709551616", "0-999" },
    { "bytes=-18446744073709551616", "0-999" },
    -- several; those that overlap or nearly meet are one
    { "bytes=0-9,500-509", "0-9,500-509" }, { "bytes=500-509,0-9", "500-509,0-9" }, { "bytes=0-9,-10", "0-9,990-999" },
    { "bytes=0-99,50-149", "0-149" }, { "bytes=0-9,10-19", "0-19" }, { "bytes=0-9,20-29", "0-29" },
    { "bytes=0-9,2000-3000", "0-9" }, { "bytes=0-,0-,0-", "0-999" },
    -- nothing of it is there
    { "bytes=1000-", "none" }, { "bytes=1000-2000,5000-", "none" }, { "bytes=-0", "none" },
    { "bytes=18446744073709551616-", "none" },
    -- malformed, or of another unit
    { "bytes", "all" }, { "bytes=", "all" }, { "bytes=-", "all" }, { "bytes=a-b", "all" }, { "bytes=5-4", "all" },
    { "bytes=0-1,5-4", "all" }, { "bytes=0-1;2-3", "all" }, { "items=0-1", "all" }, { "bytes=0x0-1", "all" },
    { "bytes=0-1, bytes=2-3", "all" }, { "bytes=- 5", "all" },
  }

  local function part(range, boundary, type)
    local first, last = range:match "^(%d+)-(%d+)$"
    return ("--%s\r\ncontent-type: %s\r\ncontent-range: bytes %s/1000\r\n\r\n%s\r\n"):format(boundary, type, range,
      TEXT:sub(first + 1, last + 1))
  end

  local function check(range, expected, status, response, body)
    local type, content_range = response:header "content-type", response:header "content-range"
    assert.equal(tostring(#body), response:header "content-length", range)
    if expected == "all" then
      return assert.same({ range, 200, TEXT }, { range, status, body, content_range })
    elseif expected == "none" then
      return assert.same({ range, 416, "bytes */1000" }, { range, status, content_range })
    elseif not expected:find "," then
      local first, last = expected:match "^(%d+)-(%d+)$"
      return assert.same({ range, 206, "bytes " .. expected .. "/1000", TEXT:sub(first + 1, last + 1) },
        { range, status, content_range, body })
    end
    local boundary = type:match "^multipart/byteranges; boundary=(%x+)$"
    local text = expected:gsub("[^,]+,?", function(one)
      return part(one:gsub(",", ""), boundary, "text/plain; charset=utf-8")
    end)
    assert.same({ range, 206, text .. "--" .. boundary .. "--\r\n" }, { range, status, body, content_range })
  end

  it("are given as section 14 has it", function()
    local ask = server_of()
    for _, row in ipairs(rows) do
      local status, response, body = ask { Range = row[1] }
      check(row[1], row[2], status, response, body)
    end
  end)

  it("are for GET alone", function()
    local ask = server_of()
    local status, response = ask({ Range = "bytes=0-1" }, "HEAD")
    assert.same({ 200, "1000", nil, "bytes" }, { status, response:header "content-length",
      response:header "content-range", response:header "accept-ranges" })
    assert.equal(405, (ask({ Range = "bytes=0-1" }, "POST")))
  end)

  it("are not too many in one answer", function()
    local dir = test.tempdir()
    assert(fs.write(dir.path .. "/a", TEXT:rep(100)))
    local app = http.router()
    app:get("/", http.file(dir.path .. "/a"))
    local function ask(count)
      local list = {}
      for i = 1, count do list[i] = ("%d-%d"):format(i * 1000, i * 1000) end
      local response <close> = assert(app:request { headers = { Range = "bytes=" .. table.concat(list, ",") } })
      local _, parts = response:body():gsub("content%-range", "")
      return response.status, parts
    end
    assert.same({ 206, 32 }, { ask(32) })
    assert.same({ 200, 0 }, { ask(33) })
  end)

  it("of nothing are nothing", function()
    local ask = server_of(0)
    for _, range in ipairs { "bytes=0-", "bytes=0-0", "bytes=-5", "bytes=-0" } do
      local status, response, body = ask { Range = range }
      assert.same({ 200, "0", "" }, { status, response:header "content-length", body })
    end
  end)
end)
