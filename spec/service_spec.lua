-- docs/service.md is true: its files make the service, in the order in which they stand there, and its commands print
-- what they are said to print; its proxies and its way to a new version work. (Its unit is docs_spec's.) Where nginx,
-- Caddy, curl or openssl are not installed, what needs them is pending.
local neap, fs, json, net = require "neap", require "neap.fs", require "neap.json", require "neap.net"
local process, test, timer = require "neap.process", require "neap.test", require "neap.timer"
local blocks = require "spec.support.blocks"
local program = require "spec.support.program"
local http = require "spec.support.http"

local CHAPTER = blocks.read "docs/service.md"
local ADDRESS = "127.0.0.1:8080" -- in the chapter; here it is one that is free
local ORDER = '{"tea": "green", "cups": 2, "name": "ada"}'

local function has(name)
  return process.run({ "sh", "-c", 'command -v "$1"', "sh", name }).status == 0
end

-- The last block of this name: `store.lua`, `tearoom.conf`.
local function file(name)
  local text
  for _, block in ipairs(CHAPTER) do
    if block.info == name then text = block.text end
  end
  return assert(text, name .. " is not in the chapter")
end

local function replace(text, from, to)
  local at, last = text:find(from, 1, true)
  assert(at, ("%s is not in:\n%s"):format(from, text))
  return text:sub(1, at - 1) .. to .. text:sub(last + 1)
end

-- The files of the finished service, below `folder` of the directory.
local function write_files(directory, folder)
  for _, block in ipairs(CHAPTER) do
    if block.info:find "%.lua$" then directory:write(folder .. block.info, block.text) end
  end
end

-- A directory with `neap` in it, and an environment that finds it there.
local function workshop()
  local directory = test.tempdir()
  assert(fs.mkdir(directory:path_of "bin"))
  assert(fs.symlink(program.neap, directory:path_of "bin/neap"))
  return directory, {
    PATH = directory.path .. "/bin:" .. os.getenv "PATH", XDG_RUNTIME_DIR = directory.path,
    LUA_INIT = false, LUA_PATH = false, TEAROOM_ADDRESS = "127.0.0.1:0",
    NEAP_GC = "incremental", -- a version may compute for a second while it is loaded: under stress that is little
  }
end

local function start(directory, environment, options)
  options = options or {}
  local child = test.spawn_neap(options.script or "main.lua", {}, {
    cwd = options.cwd or directory.path, env = environment, ready = "^listening on", flags = options.flags,
    program = program.neap,
  })
  return child, child.ready:match "on (%S+)$"
end

local function sh(directory, environment, command)
  local result = assert(process.run({ "sh", "-c", command }, {
    cwd = directory.path, env = environment, timeout = 50, stderr = "stdout",
  }))
  return result.stdout, result.status
end

-- What a command prints is JSON, in any order and on any number of lines, or text.
local function assert_printed(expected, printed, where)
  local wanted, got = json.decode(expected), json.decode(printed)
  if type(wanted) == "table" and got then return assert.same(wanted, got, where) end
  assert.equal(expected, printed, where)
end

-- The commands of a console: { command, what it prints }.
local function commands(block)
  local list = {}
  for _, line in ipairs(block) do
    local command = line:match "^%$ (.*)"
    if command then list[#list + 1] = { command, "" }
    else list[#list][2] = list[#list][2] .. line .. "\n" end
  end
  return list
end

-- Each asks again and again until `stop`: how many answers came, by status; or what went wrong instead.
local function ask_steadily(count, stop, ask)
  local answers = {}
  local group = neap.go(function()
    neap.group(function(asking)
      for _ = 1, count do
        asking:go(function()
          while not stop.now do
            local status = ask()
            answers[status] = (answers[status] or 0) + 1
          end
        end)
      end
    end)
  end)
  return answers, group
end

local function post_order(address)
  local client <close> = http.connect(address)
  client:send(http.request("POST /orders", ORDER, "Connection: close", ("X-Forwarded-For: 10.%d.%d.1"):format(
    math.random(250), math.random(250)))) -- each somebody else: none is asking too often
  return client:response().status
end

describe("the service of docs/service.md", function()
  it("grows as it is told there", function()
    if not has "curl" then return pending "no curl" end
    local directory, environment = workshop()
    local child, address, changed
    for _, block in ipairs(CHAPTER) do
      if block.info:find "%.lua$" then
        local text = block.text
        if not block.text:find "os.getenv" then text = text:gsub(ADDRESS, "127.0.0.1:0") end
        directory:write(block.info, text)
        changed = true
      elseif block.kind == "console" then
        if child and changed then -- on a busy machine one may take too long
          test.eventually(function() return sh(directory, environment, "neap reload main"):find "is live" end, 30)
        end
        changed = false
        for _, command in ipairs(commands(block)) do
          local where = ("docs/service.md:%d: %s"):format(block.line, command[1])
          if command[1]:find "^neap run" then
            assert.is_nil(child, where)
            child, address = start(directory, environment, { flags = { "--watch" } })
            assert.equal(command[2], child.ready:gsub(address, ADDRESS) .. "\n", where)
          else
            local printed = sh(directory, environment, (command[1]:gsub(ADDRESS, address)))
            assert_printed(command[2], printed, where)
          end
        end
      end
    end
    child:signal "TERM"
    assert.equal(0, (child:wait()))
  end)

  it("says what it lacks in production", function()
    local directory, environment = workshop()
    write_files(directory, "")
    environment.TEAROOM_ENV = "production"
    local printed, status = sh(directory, environment, "neap run main.lua")
    assert.matches("TEAROOM_%a+ is not set", printed)
    assert.equal(1, status)
  end)

  it("starts with no file that it cannot read, and leaves it alone", function()
    local directory, environment = workshop()
    write_files(directory, "")
    directory:write("orders.json", '{"orders": ')
    local printed, status = sh(directory, environment, "neap run main.lua")
    assert.matches("orders.json: line 1", printed)
    assert.equal(1, status)
    assert.equal('{"orders": ', directory:read "orders.json")
  end)

  it("has what it has answered, after it was killed", function()
    local directory, environment = workshop()
    write_files(directory, "")
    local child, address = start(directory, environment)
    local stop = {}
    local answers, group = ask_steadily(4, stop, function()
      local ok, status = pcall(post_order, address)
      return ok and status or "none"
    end)
    test.eventually(function() return (answers[201] or 0) >= 20 end, 30)
    child:signal "KILL"
    child:wait()
    stop.now = true
    group:join()
    local content = json.decode(directory:read "orders.json")
    assert.is_true(content.last_id >= answers[201])
    for id = 1, answers[201] do assert.is_truthy(content.orders[tostring(id)]) end
  end)

  it("loses no file's content where it cannot be written, and goes on", function()
    local directory, environment = workshop()
    write_files(directory, "")
    local child, address = start(directory, environment)
    assert.equal(201, post_order(address))
    assert(fs.rename(directory:path_of "orders.json", directory:path_of "away"))
    assert(fs.mkdir(directory:path_of "orders.json")) -- cannot be replaced by a file
    assert.equal(500, post_order(address))
    assert(fs.remove(directory:path_of "orders.json"))
    assert.equal(201, post_order(address))
    assert.same({ ["1"] = true, ["2"] = true }, (function()
      local ids = {}
      for id in pairs(json.decode(directory:read "orders.json").orders) do ids[id] = true end
      return ids
    end)())
    assert.matches("write orders.json", child:stderr())
  end)
end)

-- As the unit has it, but for root, systemctl and the paths.
local function deployed()
  local directory, environment = workshop()
  write_files(directory, "srv/releases/1/")
  write_files(directory, "srv/releases/2/")
  assert(fs.symlink("releases/1", directory:path_of "srv/current"))
  assert(fs.mkdir(directory:path_of "data"))
  local script = replace(file "activate", "cd /srv/tearoom", "cd " .. directory:path_of "srv")
  directory:write("activate", replace(script, "systemctl reload tearoom", "neap reload tearoom"))
  environment.LUA_PATH = directory:path_of "srv/current/?.lua" .. ";;"
  environment.TEAROOM_ENV, environment.TEAROOM_STAFF = "production", "secret"
  environment.TEAROOM_DATA = directory:path_of "data/orders.json"
  local child, address = start(directory, environment, {
    cwd = directory:path_of "data", script = directory:path_of "srv/current/main.lua", flags = { "--name", "tearoom" },
  })
  test.eventually(function() return select(2, sh(directory, environment, "neap status tearoom")) == 0 end, 30)
  return directory, environment, child, address
end

-- (On a busy machine a version may take too long to be loaded.)
local function activate(directory, environment, number)
  for _ = 1, 10 do
    local said, status = sh(directory, environment, "sh ./activate " .. number)
    if not said:find("held the loop", 1, true) then return said, status end
  end
end

describe("the deployment of docs/service.md", function()
  it("activates a release, refuses a bad one, and goes back, without an answer lost", function()
    local directory, environment, child, address = deployed()
    local page = directory:read "srv/releases/2/app.lua"
    directory:write("srv/releases/2/app.lua", replace(page, "<title>Tea room", "<title>The other room"))
    directory:write("srv/releases/3/main.lua", "local = nothing")
    local function title()
      local client <close> = http.connect(address)
      client:send(http.request("GET /", nil, "Connection: close"))
      return client:response().body:match "<title>(.-)</title>"
    end
    local stop = {}
    local answers, group = ask_steadily(4, stop, function() return post_order(address) end)
    assert.equal("Tea room", title())
    local said, status = activate(directory, environment, 2)
    assert.equal(0, status, said)
    assert.equal("The other room", title())
    said, status = activate(directory, environment, 3)
    assert.equal(1, status)
    assert.matches("main.lua:1", said)
    assert.equal("The other room", title())
    assert.equal("releases/2", fs.readlink(directory:path_of "srv/current"))
    assert.equal(0, select(2, activate(directory, environment, 1)))
    assert.equal("Tea room", title())
    child:signal "HUP" -- as with ExecReload=/bin/kill
    test.eventually(function() return child:stderr():find("is live after [%d.]+ ms %(SIGHUP%)") end, 20)
    test.eventually(function() return (answers[201] or 0) >= 20 end, 30)
    stop.now = true
    group:join()
    local count = answers[201]
    assert.same({ [201] = count }, answers)
    assert.equal(count, json.decode(directory:read "data/orders.json").last_id)
    child:signal "TERM"
    assert.equal(0, (child:wait()))
  end)

  it("ends in good order while it is asked", function()
    local directory, _, child, address = deployed()
    local stop = {}
    local answers, group = ask_steadily(4, stop, function()
      local conn = net.connect(address)
      if conn then conn:close() else return "refused" end
      local ok, status = pcall(post_order, address)
      if not ok then timer.sleep(0.001) end
      return ok and status or "refused"
    end)
    test.eventually(function() return (answers[201] or 0) >= 10 end, 30)
    child:signal "TERM"
    assert.equal(0, (child:wait()))
    stop.now = true
    group:join()
    answers.refused = nil
    assert.same({ [201] = json.decode(directory:read "data/orders.json").last_id }, answers)
  end)
end)

-- ---- in front of it ----------------------------------------------------------

-- nginx with the chapter's configuration, at two Unix sockets instead of the ports.
local function nginx_files(directory, address)
  local path = directory.path
  local site = replace(file "tearoom.conf", ADDRESS, address)
  site = replace(site, "listen 80;", ("listen unix:%s/plain;"):format(path))
  site = replace(site, "listen 443 ssl http2;", ("listen unix:%s/tls ssl http2;"):format(path))
  site = replace(site, "/etc/letsencrypt/live/tearoom.example/fullchain.pem", path .. "/certificate")
  site = replace(site, "/etc/letsencrypt/live/tearoom.example/privkey.pem", path .. "/key")
  directory:write("site", site)
  local lines = { "daemon off; worker_processes 1; error_log stderr;", ("pid %s/pid;"):format(path) }
  if process.run({ "id", "-u" }).stdout == "0\n" then lines[#lines + 1] = "user root;" end -- it enters our directory
  lines[#lines + 1] = "events { worker_connections 64; }\nhttp { access_log off;"
  for _, name in ipairs { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" } do
    lines[#lines + 1] = ("%s_temp_path %s/temporary_%s;"):format(name, path, name)
  end
  lines[#lines + 1] = ("include %s/site;\n}"):format(path)
  directory:write("nginx.conf", table.concat(lines, "\n"))
end

local function make_certificate(directory, environment)
  local said, status = sh(directory, environment,
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out certificate -days 2 -subj /CN=tearoom.example")
  assert.equal(0, status, said)
end

describe("the proxies of docs/service.md", function()
  it("are nginx, in front of it", function()
    for _, name in ipairs { "nginx", "openssl", "curl" } do
      if not has(name) then return pending("no " .. name) end
    end
    local directory, environment, child, address = deployed()
    make_certificate(directory, environment)
    nginx_files(directory, address)
    local said, status = sh(directory, environment, "nginx -t -p . -c nginx.conf")
    assert.equal(0, status, said)
    local nginx = assert(process.spawn({ "nginx", "-p", directory.path, "-c", "nginx.conf" }, {
      stdout = "null", stderr = "null", stdin = "null",
    }))
    local _ <close> = nginx
    test.eventually(function() return fs.stat(directory:path_of "tls") end, 20)
    local function ask(rest)
      return sh(directory, environment, "curl -sk --unix-socket ./tls https://tearoom.example" .. rest)
    end
    test.eventually(function() return select(2, ask "/") == 0 end, 20)
    assert.equal("ada", json.decode((ask("/orders -H 'X-Forwarded-For: 6.6.6.6' -d '" .. ORDER .. "'"))).name)
    assert.matches("strict%-transport%-security: max%-age=31536000", (ask "/ -i"))
    assert.matches(" 404", (ask "/health -i"))
    assert.equal("413", (ask "/orders -o /dev/null -w '%{http_code}' --data-binary @key -H 'Content-Length: 999999'"))
    local plain = sh(directory, environment, "curl -si --unix-socket ./plain http://tearoom.example/")
    assert.matches("^HTTP/1.1 301", plain)
    local id = ask("/ -o /dev/null -D -"):match "x%-request%-id: (%x+%-%d+)"
    test.eventually(function() return child:output():find('"id":"' .. id, 1, true) end, 20)
    assert.is_nil(child:output():find("6.6.6.6", 1, true)) -- who says so is not believed
  end)

  it("are Caddy, which understands its file", function()
    if not has "caddy" then return pending "no caddy" end
    local directory, environment = workshop()
    directory:write("Caddyfile", file "Caddyfile")
    environment.HOME = directory.path
    local said, status = sh(directory, environment, "caddy adapt --validate --config Caddyfile 2>&1")
    assert.equal(0, status, said)
  end)
end)
