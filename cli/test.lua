-- `neap test`: runs busted, as it comes, in the main task. So all that it calls
-- may wait: `it`, `before_each`, what `assert.has_error` is given.
local failures = ... -- () -> how many tasks have ended in a reported error

if not package.preload["busted.runner"] and not package.searchpath("busted.runner", package.path) then
  io.stderr:write("neap test: busted is not installed. Debian: apt install lua-busted; ",
    "elsewhere: luarocks install busted\n")
  os.exit(1)
end

-- busted shows its help as an error, in the words of its parser.
local function help()
  local cli = require "busted.modules.cli" { standalone = false }
  cli:set_name("neap test")
  local _, text = cli:parse { "--help" }
  return text:gsub("^neap test: error: ", ""):gsub("; re%-run with %-%-help for usage%.$", "")
end

for _, argument in ipairs(arg) do
  if argument == "--" then break end
  if argument == "-h" or argument == "--help" then
    io.write((help()))
    os.exit(true)
  end
end

require "neap.test" -- before any spec: os.time follows its clock, also where it has been put into a local
local neap, timer = require "neap", require "neap.timer"

-- An error in a task that nobody joins has no spec to fail: it fails the run.
-- Not where a spec has asked to be told of errors: it has to judge them.
local handled = 0
local on_error = neap.on_error

function neap.on_error(fn)
  on_error(fn and function(...)
    handled = handled + 1
    return fn(...)
  end)
end

-- busted calls itself what the chunk is called that calls it.
local call = load("local run, options = ... run(options)", "@neap test")

-- Returns only if all is well: otherwise it ends the program.
call(require "busted.runner", { standalone = false })
timer.sleep(0) -- for tasks that are failing right now

local bad = failures() - handled
if bad > 0 then
  io.stderr:write(("neap test: %d background task%s failed, see above\n"):format(bad, bad == 1 and "" or "s"))
end
os.exit(bad == 0) -- whatever the specs have left running
