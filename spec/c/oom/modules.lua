-- Scripts for spec/c/oom.lua: files, sockets, processes and what else modules do for tasks.
-- luacheck: ignore 113 211 411 421 512
local script = ...

script("fs", function()
  local fs, neap = require 'neap.fs', require 'neap'
  local path = os.tmpname()
  local removed <close> = setmetatable({}, {__close = function()
    os.remove(path)
  end})
  assert(fs.write(path, {'one\n', 2, '\nthree'}))
  assert(fs.write(path, {'one\n', 2, '\nthree'}, {atomic = true}))
  assert(fs.read(path) == 'one\n2\nthree')
  local file <close> = assert(fs.open(path, 'r+'))
  assert(file:read('l') == 'one')
  for line in file:lines() do
    assert(line == '2')
    break
  end
  local call = file:read('a', function(text)
    assert(text == nil or text:lower() == 'three')
  end)
  assert(file:pwrite('O', 0) and file:pread(3, 0) == 'One')
  call:join()
  assert(file:seek('set', 2) == 2 and file:write('E'))
  assert(fs.open('/none') == nil and file:stat().size == 11)
  return 'ok'
end)

script("watch", function()
  local name = 'file' -- the directory of temporary files may be full
  io.open(name, 'w'):close()
  local paths = { name, 'none', './file' }
  local list = fingerprints(paths)
  assert(list[1] and not list[2] and list[3])
  local _ <close> = setmetatable({}, { __close = function()
    os.remove(name)
  end })
  for _, options in ipairs { {}, { poll = 0.001 } } do
    local watcher <close> = open_watcher(options)
    watcher.quiet = 0.001
    assert(watcher:set(paths))
    io.open(name, 'a'):write 'x':close()
    local list = watcher:wait()
    assert(#list == 2 and list[1] == name)
  end
  return 'ok'
end)

script("echo", function()
  local neap, net = require 'neap', require 'neap.net'
  local server <close> = assert(net.listen('127.0.0.1:0',
    function(conn)
      for chunk in conn:chunks() do assert(conn:write(chunk)) end
    end))
  local conn <close> = assert(net.connect(server.address,
    { timeout = 1000 }))
  assert(conn:write { 'he', 'llo\n', '42 ' })
  local line, message = conn:read('l', { timeout = 1000 })
  if not line then error(message) end -- the server has failed
  assert(line == 'hello')
  assert(conn:read('n') == 42)
  assert(conn:write(string.rep('x', 100000)))
  assert(conn:shutdown())
  local rest = conn:read 'a'
  if not rest or #rest ~= 100001 then error 'short' end
  return 'ok'
end)

script("events", function()
  local neap, net = require 'neap', require 'neap.net'
  local server <close> = assert(net.listen('127.0.0.1:0', {
    open = function(conn) conn.state.lines = 0 end,
    line = function(conn, line)
      conn.state.lines = conn.state.lines + 1
      conn:write { conn.state.lines, ' ', line, '\n' }
    end,
    close = function(conn) conn.state.lines = nil end,
  }))
  local conn <close> = assert(net.connect(server.address))
  for i = 1, 3 do
    assert(conn:write 'line\n')
    local line, message = conn:read 'l'
    if not line then error(message or 'closed') end
    assert(line == i .. ' line')
  end
  return 'ok'
end)

script("datagrams", function()
  local neap, net = require 'neap', require 'neap.net'
  local server <close> = assert(net.udp('127.0.0.1:0'))
  local client <close> = assert(net.udp())
  local task = neap.go(function()
    for data, from in server:messages() do
      assert(server:send({ data, '!' }, from))
    end
  end)
  for i = 1, 3 do
    assert(client:send(i, server.address))
    local data, message = client:receive()
    if not data then error(message) end
    assert(data == i .. '!')
    client:receive(function() end):cancel()
  end
  server:close()
  return 'ok'
end)

script("names", function()
  local net = require 'neap.net'
  local found, message = net.lookup('localhost')
  assert(found and #found > 0, message)
  net.lookup('localhost', function() end):join()
  assert(net.lookup('::1')[1] == '::1')
  assert(net.reverse('127.0.0.1:7'))
  assert(#net.interfaces() > 0)
  return 'ok'
end)

script("json", function()
  local json = require 'neap.json'
  local list = {}
  for i = 1, 20 do list[i] = { i, ('x'):rep(400), json.null } end
  local text = json.encode({ a = list, b = { c = {} } }, { sorted = true })
  local value = json.decode(text)
  assert(#value.a == 20 and value.a[20][3] == json.null)
  assert(json.encode(value, { sorted = true }) == text)
  value = json.decode('{"a\\u0000b":[12345678901234567890]}')
  assert(value['a\0b'][1] > 1e18)
  local nothing, message = json.decode '[1,\n x]'
  assert(nothing == nil and message:find 'line 2, column 2')
  local ok, message = pcall(json.encode, { a = { list, print } })
  assert(not ok)
  if not message:find('$.a[2]: cannot', 1, true) then error(message, 0) end
  return 'ok'
end)

script("process", function()
  local process = require 'neap.process'
  local options = { stdin = 'x', env = { NAME = 'value' } }
  local result, message = process.run({ 'cat' }, options)
  if not result then error(message) end
  assert(result.status == 0 and result.stdout == 'x')
  local child <close> = assert(process.spawn({ 'cat' }))
  assert(child.stdin:write 'one\n')
  assert(child.stdout:read 'l' == 'one')
  child.stdin:close()
  assert(child:wait() == 0)
  return 'ok'
end)

script("signals", function()
  local neap, signal = require 'neap', require 'neap.signal'
  neap.group(function(group)
    local handler <close> = signal.on('WINCH', print)
    group:go(signal.wait, 'INT', 'TERM', { timeout = 0.001 })
    signal.wait('INT', function() end):cancel()
    local name, message, code = signal.wait('TERM',
      { timeout = 0 })
    if code ~= 'ETIMEDOUT' then error(message) end
  end)
  return 'ok'
end)

script("file", function()
  local neap, http = require 'neap', require 'neap.http'
  neap.on_error(function() end)
  local name = 'file'
  local removed <close> = setmetatable({}, { __close = function()
    os.remove(name)
  end })
  for _, size in ipairs { 10, 100000 } do
    local file = io.open(name, 'w')
    file:write(('x'):rep(size)):close()
    local app = http.router()
    app:get('/', http.file(name))
    local response, message = app:request '/'
    local body = response and response:body()
    if not body or #body ~= size then error(message or 'short') end
  end
  return 'ok'
end)

script("http", function()
  local neap, net = require 'neap', require 'neap.net'
  local http = require 'neap.http'
  neap.on_error(function() end)
  local function echo(req)
    req.id = 'x-' .. math.random(10, 99)
    local body = assert(req:body())
    local list = { req.method, req.path, req.query.a, req:header 'x-a' }
    list[#list + 1] = req.headers['x-a'] .. body .. #req.id
    if req.path ~= '/b' then return 200, list, { ['x-b'] = { '1', '2' } } end
    local pieces = { 'one', 'two' }
    return { trailers = function() return { x = 'y' } end,
      body = function(write) write 'a' return table.remove(pieces, 1) end }
  end
  local server <close> = assert(http.serve('127.0.0.1:0', echo))
  local conn <close> = assert(net.connect(server.address))
  local function line()
    return (assert(conn:read 'L', 'closed'):gsub('\r\n', ''))
  end
  local function answer()
    local status, length, id = line():match '^HTTP/1.1 (%d+)'
    for text in line do
      if text == '' then break end
      length = text:match '^Content%-Length: (%d+)' or length
      id = id or text:match '^X%-Request%-Id: .+-%d+$'
    end
    local body = length and conn:read(tonumber(length))
    return status, body, id
  end
  assert(conn:write { 'POST /a?a=b HTTP/1.1\r\nHost: a\r\nX-A: c\r\n',
    'Content-Length: 4\r\n\r\nmoonGET /b?a=b HTTP/1.1\r\nHost: a\r\n',
    'X-A: c\r\nConnection: close\r\n\r\n' })
  local status, body, id = answer()
  if status == '500' then
    if body ~= 'Internal Server Error\n' or not id then return '500' end
  elseif not body or not body:find '^POST/abccmoon%d+$' then
    if body then return 'first: ' .. body end
    error 'closed'
  end
  local second = answer()
  local rest = assert(conn:read 'a', 'closed')
  if second == '500' then return rest == '' and error '500' or rest end
  if rest:find('0\r\n', 1, true) then
    local all = '1\r\na\r\n3\r\none\r\n1\r\na\r\n3\r\ntwo\r\n1\r\na\r\n'
    if rest ~= all .. '0\r\nx: y\r\n\r\n' then return 'second: ' .. rest end
  else
    error 'cut'
  end
  if status == '500' then error '500' end
  return 'ok'
end)

script("packed", function()
  local compress, http, net = require 'neap.compress', require 'neap.http', require 'neap.net'
  local middleware, neap = require 'neap.http.middleware', require 'neap'
  neap.on_error(function() end)
  local unpacked = middleware.decompress()
  local function handle(req)
    if req.path == '/whole' then return assert(req:body()) end
    local pieces = {}
    for piece in req:chunks() do pieces[#pieces + 1] = piece end
    return table.concat(pieces)
  end
  local server <close> = assert(http.serve('127.0.0.1:0', function(req) return unpacked(req, handle) end))
  local text = ('moon'):rep(100000)
  local packed = assert(compress.encode(text, 'gzip'))
  for _, path in ipairs { '/whole', '/pieces' } do
    local conn <close> = assert(net.connect(server.address))
    assert(conn:write { 'POST ', path, ' HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Encoding: gzip\r\n',
      'Content-Length: ', #packed, '\r\n\r\n', packed })
    local all = assert(conn:read 'a')
    if not all:find '^HTTP/1.1 200' then error 'refused' end
    if all:match '\r\n\r\n(.*)' ~= text then return 'another text' end
  end
  return 'ok'
end)
