-- Who is there: neap, the peers, and how each runs a script.
local proc = require "lib.proc"

local contestants = {}

-- See bench/run --peers. Absolute: a contestant may run in another directory.
local PEERS = proc.line "pwd" .. "/build/peers"
local BUN = PEERS .. "/node_modules/.bin/bun"
local NGINX = PEERS .. "/nginx"

local function version_of(line, pattern)
  return line and (line:match(pattern) or line) or "unknown"
end

-- Unpacked, not installed: it is told where its libraries are.
local function find_nginx(found)
  local modules =
    proc.line("ls -d " .. proc.quote(NGINX) .. "/usr/lib/*/lua/5.1")
  if not (modules and proc.exists(NGINX .. "/usr/sbin/nginx")) then
    found.absent.nginx = "no nginx: bench/run --peers gets it for build/peers"
    return
  end
  local libraries = modules:match "([^/]+)/lua/5%.1$"
  found.nginx_root, found.nginx_libraries = NGINX, libraries
  found.nginx = { "env", ("LD_LIBRARY_PATH=%s/usr/lib/%s:%s/lib/%s"):format(
    NGINX, libraries, NGINX, libraries), NGINX .. "/usr/sbin/nginx" }
  found.versions.nginx = version_of(
    proc.line("{ " .. proc.quote(NGINX .. "/usr/sbin/nginx") .. " -v 2>&1; }"),
    "%d[%d.]+")
end

local function version_of_module(name)
  local file <close> =
    io.open(("%s/node_modules/%s/package.json"):format(PEERS, name))
  return file and file:read "a":match '"version"%s*:%s*"([^"]+)"'
end

-- fastify is found with its plugins, or not at all.
local function find_fastify(found)
  local versions = {}
  for _, name in ipairs { "fastify", "@fastify/static", "@fastify/compress" } do
    versions[name] = version_of_module(name)
    if not versions[name] or not found.node then
      found.absent.fastify = ("no %s: bench/run --peers installs it in "
        .. "build/peers"):format(found.node and name or "node")
      return
    end
  end
  for name, version in pairs(versions) do found.versions[name] = version end
  found.fastify = found.node
end

-- What is found is a table of commands by name, with `versions` and, for
-- what is absent, `absent`: name -> why.
function contestants.find()
  local lua, neap = os.getenv "LUA" or "lua5.4", os.getenv "NEAP"
  local found = { versions = {}, absent = {}, lua = { lua } }
  local versions = found.versions
  versions.lua = version_of(proc.line(proc.quote(lua) .. " -v"), "%d[%d.]+")
  if neap and proc.exists(neap) then
    found.neap = { neap }
    versions.neap =
      version_of(proc.line(proc.quote(neap) .. " --version"), "%d[%w.-]+")
  else
    found.absent.neap = ("no %s: build it, or set NEAP"):format(neap)
  end
  local ask_luv = "print((require 'luv').version_string())"
  local luv = proc.line(proc.quote(lua) .. " -e " .. proc.quote(ask_luv))
  if luv then
    found.luv, versions.luv = { lua }, "libuv " .. luv
  else
    found.absent.luv = "no luv for " .. lua
  end
  local ask_cjson = "print((require 'cjson')._VERSION)"
  local cjson = proc.line(proc.quote(lua) .. " -e " .. proc.quote(ask_cjson))
  if cjson then
    found.cjson, versions.cjson = { lua }, cjson
  else
    found.absent.cjson = "no lua-cjson for " .. lua
  end
  local node = proc.line("node --version")
  if node then
    found.node, versions.node = { "node" }, version_of(node, "%d[%d.]+")
  else
    found.absent.node = "no node"
  end
  local bun = proc.exists(BUN) and BUN or proc.exists "bun" and "bun"
  if bun then
    found.bun = { bun }
    versions.bun = proc.line(proc.quote(bun) .. " --version") or "unknown"
  else
    found.absent.bun = "no bun: bench/run --peers installs it in build/peers"
  end
  find_fastify(found)
  find_nginx(found)
  return found
end

-- A list of { name, command } of those present, in the order given; each
-- entry is { name, host, word... }, host a name found or false for a program.
function contestants.choose(found, entries)
  local list = {}
  for _, entry in ipairs(entries) do
    local name, host = entry[1], entry[2]
    if not host or found[host] then
      local command = proc.with(host and found[host] or {},
        table.unpack(entry, 3))
      table.insert(list, { name = name, command = command })
    end
  end
  return list
end

return contestants
