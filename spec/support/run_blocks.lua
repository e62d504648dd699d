-- neap spec/support/run_blocks.lua FILE [LINE]: runs the Lua blocks of a file of documentation, or the one that begins
-- there, and prints what came of each as a Lua table: line -> "" or what is wrong. A block is run as it stands, with
-- four differences: it gets no fixed ports, it has some seconds at most, what it prints is compared with the "-->" in
-- its text, and when its main chunk is over nobody waits for the servers that it has started.
local neap, http, net, timer = require "neap", require "neap.http", require "neap.net", require "neap.timer"
local blocks = require "spec.support.blocks"

local SECONDS = 10
local results = {}

local function finish()
  print "return {"
  for line, problem in pairs(results) do print(("[%d] = %q,"):format(line, problem)) end
  print "}"
  io.stdout:flush()
end

-- "127.0.0.1:7000" and "127.0.0.1:8080" are addresses that are free, the same for all of a block. Where a block only
-- connects to the first, the service is another block's: an echo.
local function make_listening()
  local real = {}
  local function listener(listen)
    return function(address, ...)
      local server, message, code = listen((address:gsub(":[78]%d%d%d$", ":0")), ...)
      if server then real[address] = server.address:gsub("^%[::%]", "127.0.0.1") end
      return server, message, code
    end
  end
  local own = setmetatable({ listen = listener(net.listen) }, { __index = net })
  function own.connect(address, ...)
    if address:find("^127%.0%.0%.1:7%d%d%d$") and not real[address] then
      own.listen(address, function(conn)
        for chunk in conn:chunks() do conn:write(chunk) end
      end)
    end
    return net.connect(real[address] or address, ...)
  end
  return own, setmetatable({ serve = listener(http.serve) }, { __index = http })
end

local function make_neap(done)
  local own = setmetatable({ args = {} }, { __index = neap })
  function own.exit()
    done()
    finish()
    neap.exit(0)
  end
  return own
end

local function expected(text)
  local lines = {}
  for line in text:gmatch("%-%->%s?([^\n]*)") do lines[#lines + 1] = line end
  return #lines > 0 and lines or nil
end

local function run(block)
  local out, problems = {}, {}
  local function done()
    local want, got = expected(block.text), table.concat(out, "\n")
    want = want and table.concat(want, "\n")
    if want and want ~= got then problems[#problems + 1] = ("expected:\n%s\nprinted:\n%s"):format(want, got) end
    results[block.line] = table.concat(problems, "\n")
  end

  local own_net, own_http = make_listening()
  local own = { ["neap"] = make_neap(done), ["neap.net"] = own_net, ["neap.http"] = own_http }
  local env = setmetatable({ arg = {} }, { __index = _G })
  function env.require(name) return own[name] or require(name) end
  function env.print(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    out[#out + 1] = table.concat(words, "\t")
  end
  if block.text:find("describe(", 1, true) then -- a spec: as busted does it, in short
    function env.describe(_, fn) fn() end
    env.it = env.describe
    env.assert = require "luassert"
  end

  neap.on_error(function(err, trace)
    problems[#problems + 1] = ("a task failed: %s\n%s"):format(err, trace)
  end)
  local chunk, message = load(("\n"):rep(block.line - 1) .. block.text, "@" .. block.path, "t", env)
  if not chunk then
    problems[1] = message
  elseif block.info ~= "fragment" then
    local function limited() -- on its own it is the main chunk: a process has a limit too
      if arg[2] or block.text:find("test.clock", 1, true) then return chunk() end -- else ours would be virtual
      local _, late, code = neap.deadline(SECONDS, chunk)
      if code == "ETIMEDOUT" then problems[#problems + 1] = late end
    end
    local ok, err = xpcall(limited, debug.traceback)
    if not ok then problems[#problems + 1] = tostring(err) end
    local limit, want = timer.monotonic() + SECONDS, expected(block.text) -- what it has started may print
    if arg[2] then timer.sleep(SECONDS) end -- until it ends the program
    repeat timer.sleep(0) until not ok or not want or #out >= #want or timer.monotonic() > limit
  end
  done()
end

for _, block in ipairs(blocks.read(arg[1])) do
  local alone = block.text:find("%.exit%(") and block.info ~= "fragment"
  local wanted = arg[2] and block.line == tonumber(arg[2]) or not arg[2] and not alone
  if block.kind == "lua" and wanted then run(block) end
end
finish()
neap.exit(0)
