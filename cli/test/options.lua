-- The options of `neap test` that busted does not have. They are taken out of `arg`: the rest is busted's. What a
-- project always wants stands in .busted, beside busted's own: `limit = 30`, `jobs = 2`.
local core = ...

-- name -> what its value is; false: it has none. Those after the line are for our own children.
local kinds = {
  limit = "seconds", jobs = "count", leaks = "mode", watch = false, coverage = false, ["coverage-specs"] = false,
  -------
  ["only-files"] = "path", ["report-to"] = "path",
}

local help_text = [[
OPTIONS OF neap test:
  --limit=SECONDS           a spec that takes longer fails (10; 0: never)
  --jobs=N                  runs spec files in N processes, one report
  --watch                   runs again what a change concerns
  --leaks[=fail]            tells what specs leave behind; it fails the run
  -c, --coverage            which lines were run: report, and lcov.info
  --coverage-specs          the same, of the spec files too
]]

local function fail(format, ...)
  io.stderr:write("neap test: error: ", format:format(...), "\n")
  os.exit(1)
end

-- busted shows its help as an error, in the words of its parser.
local function print_help()
  local cli = require "busted.modules.cli" { standalone = false }
  cli:set_name("neap test")
  local _, text = cli:parse { "--help" }
  text = text:gsub("^neap test: error: ", ""):gsub("; re%-run with %-%-help for usage%.$", "")
  text = text:gsub("\n[^\n]*%-%-%[no%-%]coverage[^\n]*\n[^\n-]*", "\n")
  io.write(text:gsub("\n*$", "\n\n"), help_text)
  os.exit(true)
end

local function read_value(name, text)
  local kind, number = kinds[name], tonumber(text)
  if kind == "path" then return text end
  if kind == "mode" then
    if text == "" or text == "true" then text = "report" end
    if text ~= "report" and text ~= "fail" then fail("--%s is report or fail, not '%s'", name, text) end
    return text
  end
  if not number or number < 0 or number > 1e6 then fail("--%s needs a number, not '%s'", name, text) end
  if kind == "count" and (number < 1 or number % 1 ~= 0) then fail("--%s needs a count from 1 on", name) end
  return kind == "count" and math.tointeger(number) or number
end

-- Takes ours out of arg.
local function take_ours()
  local ours, rest, i = {}, {}, 1
  while i <= #arg do
    local argument = arg[i]
    local name, equals, text = argument:match("^%-%-([%a-]+)(=?)(.*)$")
    if argument == "--" then
      table.move(arg, i, #arg, #rest + 1, rest)
      break
    elseif argument == "-h" or argument == "--help" then
      print_help()
    elseif argument == "-c" then
      ours.coverage = true
    elseif kinds[name] == false and equals == "" then
      ours[name] = true
    elseif kinds[name] then
      if equals == "" and kinds[name] ~= "mode" then
        i = i + 1
        text = arg[i] or fail("--%s needs a value", name)
      end
      ours[name] = read_value(name, text)
    else
      rest[#rest + 1] = argument
    end
    i = i + 1
  end
  for k = 1, math.max(#arg, #rest) do arg[k] = rest[k] end
  return ours
end

-- What busted will make of the rest, or nil: it will say what is wrong.
local function parse()
  local cli = require "busted.modules.cli" { standalone = false }
  cli:set_name("neap test")
  return (cli:parse(table.move(arg, 1, #arg, 1, {})))
end

local terminals = { utfTerminal = true, plainTerminal = true }

local ours = take_ours()
local parsed = parse() or {}
local options = { parsed = parsed, given = ours }
for name, kind in pairs(kinds) do
  local value = ours[name]
  if value == nil and parsed[name] and kind ~= "path" then
    value = kind == false or read_value(name, tostring(parsed[name]))
  end
  options[name] = value
end
if options["coverage-specs"] then options.coverage = true end
if parsed.coverage then table.insert(arg, 1, "--no-coverage") end -- it would look for LuaCov
options.limit = options.limit or 10
options.seed = tonumber(parsed.seed)
options.is_terminal = parsed.output == nil or terminals[parsed.output] or false
options.name = "neap test"
core.options = options
return options
